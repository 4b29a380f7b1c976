"""The pages of a repetition table as arrays: which were counted, their copies, and, for merging, their lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from extractor.characters import Array, Integers
from extractor.copies import PageGroups
from extractor.counting import Keys, NumberedPages, PageLines, site_keys


def page_arrays(pages: NumberedPages, groups: PageGroups, sites: Keys) -> dict[str, Array]:
    """Of each page its key, ascending, the number of its group (0 if it has no copy), and how it stands in it.

    sites: the hashes of all sites, by number.
    """
    sizes = np.bincount(groups.root, pages.times, minlength=len(pages.site))
    numbers = np.where(sizes > 1, np.cumsum(sizes > 1), 0)
    keys = site_keys(pages.fingerprint, sites[pages.site])
    order = np.argsort(keys, kind="stable")
    return {
        "page_keys": keys[order],
        "page_groups": numbers[groups.root][order].astype(np.uint32),
        "page_shared": groups.shared[order].astype(np.uint16),
        "page_fullest": (groups.fullest == np.arange(len(order)))[order],
    }


def stored_arrays(stored: Sequence[PageLines], pages: NumberedPages) -> dict[str, Array]:
    """The distinct pages with their lines, in the order of their numbers; stored: all pages as they came."""
    lengths = np.concatenate([np.zeros(0, np.int64), *(np.diff(lines.offsets) for lines in stored)])
    begins = (np.cumsum(lengths) - lengths)[pages.first]
    offsets = np.concatenate(([0], np.cumsum(lengths[pages.first])))
    rows = np.repeat(begins - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
    hashes = np.concatenate([np.zeros(0, np.uint64), *(lines.hashes for lines in stored)])
    weights = np.concatenate([np.zeros(0, np.uint16), *(lines.weights for lines in stored)])
    return {
        "stored_site": pages.site.astype(np.uint32),
        "stored_times": pages.times.astype(np.uint32),
        "stored_fingerprint": pages.fingerprint,
        "stored_offsets": offsets,
        "stored_hashes": hashes[rows],
        "stored_weights": weights[rows],
    }


def read_stored(arrays: Mapping[str, Array], names: Sequence[str]) -> tuple[PageLines, list[str], Integers, Keys]:
    """Lines, sites, times and fingerprints of the pages that stored_arrays() made arrays of."""
    lines = PageLines(arrays["stored_hashes"], arrays["stored_weights"], arrays["stored_offsets"])
    sites = [names[number] for number in arrays["stored_site"].tolist()]
    return lines, sites, arrays["stored_times"].astype(np.int64), arrays["stored_fingerprint"]
