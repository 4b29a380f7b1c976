"""What a model was taught of single sites -> what each line of their pages is, by where it stands.

The pages of a site share lines: menus, headings of boxes, buttons. Between two of them stands on every page the same
sort of thing: what lies between "Print this page" and "Leave a reply" is the article, what follows that the comments.
So a line is told by the known lines above and below it, and by itself if it is known; in HTML also by the names of
the classes around it. A page belongs to the taught site that knows most of its lines; of a page that no taught site
knows, nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers
from extractor.features import CLASS_NAMES
from extractor.wording import WordingTable, table_of
from extractor.words import mix

LANDMARK_NAMES = tuple(f"landmark_{name}" for name in CLASS_NAMES)
NO_OPINION = 128
"""Columns of what landmarks say: this is nothing, and LANDMARK_STEPS more a unit of log-odds."""
SITE_CUE_NAMES = tuple(f"site_cue_{name}" for name in CLASS_NAMES)
"""The same of the names of classes."""
LANDMARK_STEPS = 16
KNOWN_LINES, KNOWN_SHARE = 3, 0.15
"""So many different lines, and such a share of all, does a page of a site have in common with the pages taught."""
_BELOW_ALL, _ABOVE_ALL = np.uint32(1), np.uint32(2)
_GOLDEN = np.uint32(0x9E3779B1)
_SALTS = tuple(map(np.uint32, (0x51ED270B, 0x7F4A7C15, 0x2545F491, 0x94D049BB, 0xBF58476D, 0x165667B1)))

Runs = tuple[Hashes, Integers]
"""Tokens of lines in runs, and where the runs begin (lines + 1)."""


class Landmarks(NamedTuple):
    """lines: the hashes of known lines in order, each once for every site that has it; sites: the site of each,
    counted from 0. table: what tokens (see landmark_tokens(), cue_tokens()) say of the classes, (buckets, classes)."""

    lines: Hashes
    sites: Integers
    table: WordingTable

    def columns(
        self, line_hashes: NDArray[np.uint64], page_offsets: Integers, cues: Runs | None = None
    ) -> dict[str, Bytes]:
        """The columns of LANDMARK_NAMES of the lines of some pages; with cues, the names of the classes around each
        line, those of SITE_CUE_NAMES too."""
        lines = short_hashes(line_hashes)
        site_of_page = self.site_of_pages(lines, page_offsets)
        site = np.repeat(site_of_page, np.diff(page_offsets))
        names = LANDMARK_NAMES if cues is None else (*LANDMARK_NAMES, *SITE_CUE_NAMES)
        told = np.full((len(names), len(lines)), NO_OPINION, np.uint8)
        for number in np.unique(site[site >= 0]).tolist():
            chosen = np.flatnonzero(site == number)
            offsets = np.concatenate(([0], np.cumsum(np.diff(page_offsets)[site_of_page == number])))
            known = np.isin(lines[chosen], self.lines[self.sites == number])
            parts = [landmark_tokens(lines[chosen], known, offsets, number)]
            if cues is not None:
                parts.append(salted(_some(cues, chosen), number))
            told[:, chosen] = np.concatenate([self.table.score(*part) for part in parts])
        return dict(zip(names, told, strict=True))

    def site_of_pages(self, lines: Hashes, page_offsets: Integers) -> Integers:
        """The site that knows most of the different lines of each page, the first of equal ones; -1 where too few are
        known."""
        number = len(page_offsets) - 1
        sites = int(self.sites.max(initial=-1)) + 1
        page = np.repeat(np.arange(number), np.diff(page_offsets)).astype(np.int64)
        different = np.unique(page << 32 | lines)
        page, lines = different >> 32, (different & 0xFFFFFFFF).astype(np.uint32)
        first, last = (np.searchsorted(self.lines, lines, side) for side in ("left", "right"))
        times = last - first
        known = np.repeat(first - (np.cumsum(times) - times), times) + np.arange(times.sum())
        counts = np.bincount(np.repeat(page, times) * sites + self.sites[known], minlength=number * sites)
        counts = counts.reshape(number, sites)
        best = counts.argmax(axis=1) if sites else np.full(number, -1)
        most = counts.max(axis=1, initial=0)
        enough = (most >= KNOWN_LINES) & (most >= KNOWN_SHARE * np.bincount(page, minlength=number))
        return np.where(enough, best, -1).astype(np.int64)

    def arrays(self) -> dict[str, Array]:
        """All that it consists of, by name."""
        total = np.array([self.table.weights.sum(dtype=np.int64), self.lines.sum(dtype=np.int64)])
        return {"lines": self.lines, "sites": self.sites.astype(np.int32), "table": self.table.weights, "total": total}

    @classmethod
    def of_arrays(cls, arrays: dict[str, Array]) -> Landmarks:
        """The landmarks that arrays() gave. KeyError or ValueError where parts are missing or do not fit."""
        lines, sites, table = arrays["lines"], arrays["sites"], table_of(arrays["table"], len(CLASS_NAMES))
        fits = lines.dtype == np.uint32 and lines.shape == sites.shape and lines.ndim == 1
        found = cls(lines, sites.astype(np.int64), table)
        if not fits or (np.diff(lines.astype(np.int64)) < 0).any() or sites.min(initial=0) < 0:
            raise ValueError("landmarks that do not fit each other")
        if found.arrays()["total"].tolist() != arrays["total"].tolist():
            raise ValueError("not the landmarks that were saved")
        return found


def short_hashes(line_hashes: NDArray[np.uint64]) -> Hashes:
    """Hashes of lines as landmarks keep them: the upper 32 bits, which is a line's token of the line as a whole."""
    return (line_hashes >> np.uint64(32)).astype(np.uint32)


def landmark_tokens(lines: Hashes, known: NDArray[np.bool_], page_offsets: Integers, site: int) -> Runs:
    """What each line of some pages of a site is told by: the known lines above it and below it, the nearest two on
    either side, the nearest of both sides together, and itself, if it is known."""
    place = np.arange(len(lines))
    page = np.repeat(np.arange(len(page_offsets) - 1), np.diff(page_offsets))
    first, last = page_offsets[:-1][page], page_offsets[1:][page]
    hashes = np.concatenate([lines, [_BELOW_ALL, _ABOVE_ALL]]).astype(np.uint32)
    above = _forerunners(np.maximum.accumulate(np.where(known, place, -1)), -1)
    below = _forerunners(np.minimum.accumulate(np.where(known, place, len(lines))[::-1]), len(lines))[::-1]
    above = np.where(above < first, -1, above)
    below = np.where(below >= last, len(lines), below)
    farther_above = np.where(above < 0, -1, above[above])
    farther_below = np.append(below, len(lines))[below]
    sides = [
        mix(hashes[at] + salt)
        for at, salt in zip((above, below, farther_above, farther_below), _SALTS, strict=False)
    ]  # fmt: skip
    both = mix(sides[0] * _GOLDEN + sides[1])
    tokens = np.stack([*sides, both, mix(lines + _SALTS[4])], axis=1)
    held = np.ones(tokens.shape, bool)
    held[:, -1] = known
    return salted((tokens[held], np.concatenate(([0], np.cumsum(held.sum(axis=1))))), site)


def _forerunners(values: Integers, first: int) -> Integers:
    """The value before each."""
    return np.concatenate(([first], values[:-1])) if len(values) else values


def cue_tokens(near: Hashes, near_offsets: Integers, far: Hashes, far_offsets: Integers) -> Runs:
    """The names of the classes around each line, near ones and far ones (see markup.py) in one run."""
    line = np.concatenate([np.repeat(np.arange(len(runs) - 1), np.diff(runs)) for runs in (near_offsets, far_offsets)])
    tokens: Hashes = mix(np.concatenate([near, far]) + _SALTS[5])[np.argsort(line, kind="stable")]
    return tokens, near_offsets + far_offsets


def salted(runs: Runs, site: int) -> Runs:
    """Tokens as they are of one site: the same line may stand over something else on another."""
    return mix(runs[0] + np.uint32((site + 1) * int(_GOLDEN) & 0xFFFFFFFF)), runs[1]


def _some(runs: Runs, lines: Integers) -> Runs:
    """The runs of some lines, in their order."""
    tokens, offsets = runs
    lengths = np.diff(offsets)[lines]
    ends = np.cumsum(lengths)
    places = np.repeat(offsets[lines] - (ends - lengths), lengths) + np.arange(lengths.sum())
    return tokens[places], np.concatenate(([0], ends))


def landmark_scores(columns: Mapping[str, Bytes]) -> NDArray[np.float64]:
    """What the columns of LANDMARK_NAMES, and of SITE_CUE_NAMES where there are any, add to the score of each class,
    (classes, lines), in log-odds."""
    total = np.zeros((len(CLASS_NAMES), len(columns[LANDMARK_NAMES[0]])), np.int64)
    for names in (LANDMARK_NAMES, SITE_CUE_NAMES):
        if names[0] in columns:
            total += np.stack([columns[name] for name in names]).astype(np.int64) - NO_OPINION
    return total / LANDMARK_STEPS
