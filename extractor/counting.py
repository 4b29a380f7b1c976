"""Lines of pages in, counts of lines by site out: the arithmetic of the repetition table.

Everything is a function of the set of pages: pages are numbered by site and fingerprint, never by when they
came, so that neither order nor parts nor partitions show in the result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import CharacterClass, Integers, TextBatch, sum_runs
from extractor.copies import PageGroups
from extractor.postings import Postings
from extractor.sites import SMALLEST_FOLDER, is_folder

Keys = NDArray[np.uint64]

LINE_BITS = 48
"""Bits of a line's hash that are compared: two of 100 million different lines are equal in about 18 cases."""
_UNIT_BITS = 64 - LINE_BITS
UNKNOWN = 0
"""The number of the unknown site."""


class PageLines(NamedTuple):
    """What counting needs of some pages: of each line the hash and the weight, and the bounds of the pages.

    weights: visible characters, one of Chinese, Japanese or Thai as two and a half (as in features.py).
    offsets: (pages + 1).
    """

    hashes: Keys
    weights: NDArray[np.uint16]
    offsets: Integers

    @classmethod
    def of(cls, batch: TextBatch) -> PageLines:
        """The lines of a batch of texts."""
        unspaced = batch.counts[:, CharacterClass.UNSPACED].astype(np.int64)
        weights = batch.counts.sum(axis=1) + unspaced + unspaced // 2
        return cls(batch.line_hashes, np.minimum(weights, 0xFFFF).astype(np.uint16), batch.page_offsets)

    def pages_of_lines(self) -> Integers:
        """For each line the place of its page."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))


class NumberedPages(NamedTuple):
    """The distinct pages, ordered by site and fingerprint; pages of a site with equal lines are one."""

    number: Integers
    """For each page as it came, its number here."""
    first: Integers
    """For each page here, one of those that came."""
    site: Integers
    fingerprint: Keys
    times: Integers
    """How often it came."""


class Units(NamedTuple):
    """What counts as one page: the copies that stand on one site. Ordered by site."""

    of_page: Integers
    site: Integers
    root: Integers
    """The group of copies, which may have units on other sites."""


class LineCounts(NamedTuple):
    """Lines by site and over all sites; each pair of arrays ascending by its first.

    repeated, pages: key of line and site, and number of the site's pages with the line, 2 or more.
    single: keys of the lines that stand on one page of the site only. spread, sites: 48 bits of a line's
    hash, and the number of sites with it, 2 or more.
    """

    repeated: Keys
    pages: NDArray[np.uint32]
    single: Keys
    spread: Keys
    sites: NDArray[np.uint32]


def site_hash(site: str | None) -> int:
    """64 bits of a site's name, 0 for the unknown site."""
    if not site:
        return 0
    return int.from_bytes(hashlib.blake2b(site.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def site_hashes(names: Iterable[str]) -> Keys:
    """The same of many sites."""
    return np.array([site_hash(name) for name in names], np.uint64)


def mix(values: Keys) -> Keys:
    """Spread 64-bit values over all their bits (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def shorten(hashes: Keys) -> Keys:
    """The bits of the hashes that are compared."""
    return hashes >> np.uint64(64 - LINE_BITS)


def site_keys(values: Keys, sites: Keys) -> Keys:
    """One key for each pair of a line (shortened) or page, and the hash of a site."""
    return mix(values * np.uint64(0x9E3779B97F4A7C15) + sites)


def fingerprints(lines: PageLines) -> Keys:
    """64 bits of each page's lines in their order; 0 for a page without lines."""
    place = np.arange(len(lines.hashes)) - np.repeat(lines.offsets[:-1], np.diff(lines.offsets))
    spread = mix(lines.hashes + (place.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    return sum_runs(spread, lines.offsets)


def number_pages(site: Integers, fingerprint: Keys, times: Integers) -> NumberedPages:
    """Number pages that came with their site, fingerprint, and how often each came."""
    order = np.lexsort((fingerprint, site))
    sites, prints = site[order], fingerprint[order]
    new = np.ones(len(order), bool)
    new[1:] = (sites[1:] != sites[:-1]) | (prints[1:] != prints[:-1])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(new) - 1
    begins = np.append(np.flatnonzero(new), len(order))
    return NumberedPages(number, order[new], sites[new], prints[new], sum_runs(times[order], begins))


def unite(pages: NumberedPages, groups: PageGroups, names: Sequence[str]) -> Units:
    """What counts as one page. Folders with fewer than SMALLEST_FOLDER of these are taken for unknown."""
    units = _units(pages.site, groups.root)
    sizes = np.bincount(units.site, minlength=len(names))
    small = np.array([is_folder(name) and size < SMALLEST_FOLDER for name, size in zip(names, sizes, strict=True)])
    return _units(np.where(small[pages.site], UNKNOWN, pages.site), groups.root) if small.any() else units


def _units(site: Integers, root: Integers) -> Units:
    keys, of_page = np.unique((site << 32) | root, return_inverse=True)
    return Units(of_page, keys >> 32, keys & 0xFFFFFFFF)


def count_lines(postings: Postings, page_numbers: Integers, units: Units, sites: Keys, *, single: bool) -> LineCounts:
    """Count in how many units of a site, and on how many sites, every line stands.

    postings: rows of a line's hash and the page as it came. page_numbers: what unite() knows it by. sites:
    hashes of the sites. single: whether to keep the lines that stand on one page of a site.
    """
    unit_of = units.of_page[page_numbers]
    rows = ((hashes, unit_of[page]) for hashes, page in postings.partitions(shared_bits(units)))
    return join_counts(count_partitions(rows, units, sites, single=single))


def shared_bits(units: Units) -> int:
    """How many first bits the hashes of a partition must share, so that the rest and a unit fit into 64."""
    return max(0, len(units.site).bit_length() - _UNIT_BITS)


def count_partitions(
    partitions: Iterable[tuple[Keys, Integers]], units: Units, sites: Keys, *, single: bool
) -> Iterator[LineCounts]:
    """The counts of each partition that is not empty: rows of a line's hash and a unit; all rows of a hash in one."""
    roots = np.unique(units.root, return_inverse=True)[1]
    several = np.bincount(roots, minlength=1)[roots] > 1 if len(roots) else np.zeros(0, bool)
    for hashes, unit in partitions:
        if len(hashes):
            pairs = _distinct(hashes, unit.astype(np.uint64), shared_bits(units))
            yield _count(*pairs, units, several, sites, single=single)


def join_counts(parts: Iterable[LineCounts]) -> LineCounts:
    """The counts of all partitions, which come ascending by hash."""
    keys, numbers = np.zeros(0, np.uint64), np.zeros(0, np.uint32)
    none = LineCounts(keys, numbers, keys, keys, numbers)
    joined = LineCounts(*(np.concatenate(columns) for columns in zip(none, *parts, strict=True)))
    order = np.argsort(joined.repeated, kind="stable")
    joined.single.sort()
    return joined._replace(repeated=joined.repeated[order], pages=joined.pages[order])


def _distinct(hashes: Keys, unit: Keys, bits: int) -> tuple[Keys, Integers]:
    """The distinct pairs of line and unit, ascending; the hashes share their first bits.

    Both fit into 64 bits together, since what the hashes share can be left out: sorting numbers is ten times
    as fast as sorting rows.
    """
    width = np.uint64(_UNIT_BITS + bits)
    packed = (shorten(hashes) << width) | unit
    packed.sort()
    new = np.ones(len(packed), bool)
    new[1:] = packed[1:] != packed[:-1]
    packed = packed[new]
    line = packed >> width
    if bits:
        line |= (hashes[0] >> np.uint64(64 - bits)) << np.uint64(LINE_BITS - bits)
    return line, (packed & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)


def _count(
    line: Keys, unit: Integers, units: Units, several: NDArray[np.bool_], sites: Keys, *, single: bool
) -> LineCounts:
    """Count pairs that are sorted by line, then unit; several: units whose group has more than one."""
    new_line = np.ones(len(line), bool)
    new_line[1:] = line[1:] != line[:-1]
    site = units.site[unit]
    new_site = new_line.copy()
    new_site[1:] |= site[1:] != site[:-1]
    begins = np.flatnonzero(new_site)
    pages = np.diff(begins, append=len(line)).astype(np.uint32)
    known = site[begins] != UNKNOWN
    keys = site_keys(line[begins], sites[site[begins]])
    repeated = known & (pages > 1)
    spread, count = _count_sites(line, new_line, new_site | (site == UNKNOWN), units.root[unit], several[unit])
    return LineCounts(
        keys[repeated], pages[repeated], keys[known & (pages == 1)] if single else keys[:0], spread, count
    )


def _count_sites(
    line: Keys, new_line: NDArray[np.bool_], new_site: NDArray[np.bool_], root: Integers, several: NDArray[np.bool_]
) -> tuple[Keys, NDArray[np.uint32]]:
    """Lines on two sites or more. A page of unknown site is a site of its own; the copies of one page on
    several sites are one, so that there are never more sites than groups."""
    begins = np.flatnonzero(new_line)
    sites = np.add.reduceat(new_site.astype(np.int64), begins)
    groups = np.diff(begins, append=len(line))
    chosen = np.flatnonzero(several)
    if len(chosen):
        index = (np.cumsum(new_line) - 1)[chosen]
        pairs = (index << 32) | root[chosen]
        pairs.sort()
        again = pairs[1:][pairs[1:] == pairs[:-1]] >> 32
        groups -= np.bincount(again, minlength=len(groups))
    sites = np.minimum(sites, groups)
    spread = np.flatnonzero(sites > 1)
    return line[begins[spread]], sites[spread].astype(np.uint32)
