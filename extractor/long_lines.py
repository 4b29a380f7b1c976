"""The long lines of pages: which they are, which make up the core of a page, and what pairs of pages share.

Comes in: weights of lines page by page, then all long lines sorted by line. Goes out: integers, the same for
any order of the pages.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Integers

LONG_LINE = 40
"""Visible characters; only what a line has beyond them counts."""
_PROSE_LINE, _LONGEST = 60, 1000
"""A run gains what a line has over the first, up to the second, and loses what a line lacks."""
CORE_MARK, EXCESS_MASK = 0x8000, 0x7FFF
"""A long line's characters over LONG_LINE and whether it is of the core, in 16 bits together."""
_PAGE_BITS = np.uint64(32)


class Part(IntEnum):
    """A part of a page's long lines; columns of marks and of sums of characters."""

    TELLING = 0
    """What is no furniture of the site."""
    CORE = 1
    """What is of the core, and on a large site no furniture."""
    WHOLE = 2


class LongLines(NamedTuple):
    """One row for each long line of each page, sorted by line, then page; every line on two pages or more."""

    line: Integers
    page: Integers
    excess: Integers
    """Characters over LONG_LINE."""
    parts: NDArray[np.bool_]
    """(lines, parts): whether it belongs to each Part of its page."""

    def sizes(self) -> Integers:
        """(lines, parts): the characters that each line adds to each Part."""
        return self.excess[:, None] * self.parts


def long_lines(weights: NDArray[np.uint16], offsets: Integers) -> tuple[Integers, NDArray[np.uint16]]:
    """Which lines are long, and of each the characters over LONG_LINE, with a mark if it is of the core."""
    long = np.flatnonzero(weights > LONG_LINE)
    excess = np.minimum(weights[long] - np.uint16(LONG_LINE), np.uint16(EXCESS_MASK))
    return long, excess | np.where(in_core(weights, offsets)[long], CORE_MARK, 0).astype(np.uint16)


def in_core(weights: NDArray[np.uint16], offsets: Integers) -> NDArray[np.bool_]:
    """Whether each line stands in its page's run of lines with the largest gain (a maximum subarray, all
    pages at once: of each end the best start is the least running total before it)."""
    lengths = np.diff(offsets)
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return np.zeros(0, bool)
    page = np.repeat(np.arange(len(filled)), lengths[filled])
    gains = np.minimum(weights, _LONGEST).astype(np.int64) - _PROSE_LINE
    after = np.cumsum(gains)
    before = after - gains
    # each page far below the one before it, so that the running least starts anew
    sunk = before - page * (len(gains) * _LONGEST + 1)
    least = np.minimum.accumulate(sunk)
    place = np.arange(len(gains))
    start = np.maximum.accumulate(np.where(sunk == least, place, 0))
    gain = after - before[start]
    first = offsets[filled]
    best = np.maximum.reduceat(gain, first)
    end = np.minimum.reduceat(np.where(gain == best[page], place, len(gains)), first)
    core: NDArray[np.bool_] = (place >= start[end][page]) & (place <= end[page]) & (best[page] > 0)
    return core


def link_pages(lines: LongLines) -> tuple[NDArray[np.uint64], Integers]:
    """Keys of linked pairs, and (pairs, parts) the characters of the lines that link them."""
    chosen = lines.parts[:, Part.TELLING] | lines.parts[:, Part.CORE]
    line, page, sizes = lines.line[chosen], lines.page[chosen], lines.sizes()[chosen]
    begins = np.ones(len(line), bool)
    begins[1:] = line[1:] != line[:-1]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(line)), 0))
    chained = np.flatnonzero(~begins)
    starred = chained[chained - start[chained] > 1]
    keys = np.concatenate((_pack(page[chained - 1], page[chained]), _pack(page[start[starred]], page[starred])))
    return sum_by_key(keys, sizes[np.concatenate((chained, starred))])


def add_shared(lines: LongLines, first: Integers, second: Integers, sums: Integers) -> None:
    """Add to sums (pairs, parts) what the pages first[i] and second[i] share among these lines."""
    by_page = np.argsort(lines.page, kind="stable")
    ordered = lines.page[by_page]
    begin = np.searchsorted(ordered, first)
    count = np.searchsorted(ordered, first, side="right") - begin
    pair = np.repeat(np.arange(len(first)), count)
    row = by_page[np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)]
    keys = _pack(lines.line, lines.page)
    wanted = _pack(lines.line[row], second[pair])
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    found = np.flatnonzero(keys[place] == wanted) if len(keys) else np.zeros(0, np.int64)
    pair, row, place = pair[found], row[found], place[found]
    np.add.at(sums, pair, lines.excess[row, None] * (lines.parts[row] & lines.parts[place]))


def connected(pages: int, first: Integers, second: Integers) -> Integers:
    """For each page the smallest page that the pairs connect it with (itself if none)."""
    root = np.arange(pages)
    while True:
        left, right = root[first], root[second]
        if np.array_equal(left, right):
            return root
        np.minimum.at(root, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(root, root[root]):
            root = root[root]


def _pack(high: Integers, low: Integers) -> NDArray[np.uint64]:
    return (high.astype(np.uint64) << _PAGE_BITS) | low.astype(np.uint64)


def unpack(keys: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """The two pages of each linked pair."""
    return (keys >> _PAGE_BITS).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def sum_by_key(keys: NDArray[np.uint64], values: Integers) -> tuple[NDArray[np.uint64], Integers]:
    """Distinct keys, ascending, and the sums of their rows of values."""
    order = np.argsort(keys)
    keys, values = keys[order], values[order]
    begins = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
    return keys[begins], np.add.reduceat(values, begins, axis=0) if len(begins) else values


def reduce_by_run(reduce: np.ufunc, values: Array, begins: NDArray[np.bool_]) -> Array:
    """One value for each run of values; begins: whether each is the first of its run."""
    starts = np.flatnonzero(begins)
    reduced: Array = reduce.reduceat(values, starts) if len(starts) else values
    return reduced
