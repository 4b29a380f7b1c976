"""Columns of lines -> columns of their neighbourhood, by name.

`words[-1]` is the column `words` of the line above, `words~5` its mean over the line and five lines on
both sides, `words@page` its mean over the page, `words=block` its mean over the run of lines that the column
`block_place` counts from 0, `prose^` and `prose_` how far above and below the nearest line stands on which
the column `prose` is more than half. Beyond the edge of a page a neighbour reads 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from extractor.characters import Bytes, Integers, run_lengths
from extractor.quantise import logarithm

_NAME = r"(\w*[^\W_])(\[[+-]\d+\]|~\d+|@page|=\w+|[\^_])?"
_CELLS = 1 << 18
"""Values of 32 bits that are worked on at once: small enough for the cache."""


class _Group(NamedTuple):
    """Columns of one kind: what is done (one of "", "[", "~", "@", "=run", "^", "_"), how far, and for each the row
    of the matrix and the column it is made from."""

    kind: str
    reach: int
    rows: list[int]
    columns: list[str]


class Neighbourhood:
    """Computes named columns of the lines of a batch; page_offsets: (pages + 1)."""

    def __init__(self, columns: Mapping[str, Bytes], page_offsets: Integers) -> None:
        self._columns = columns
        self._page_offsets = page_offsets
        self._page = np.repeat(np.arange(len(page_offsets) - 1), run_lengths(page_offsets))
        self._first, self._last = page_offsets[:-1][self._page], page_offsets[1:][self._page]
        self._place = np.arange(len(self._page))

    def matrix(self, names: Sequence[str]) -> Bytes:
        """The named columns, (names, lines). KeyError for a name that is none."""
        lines = len(self._place)
        matrix = np.empty((len(names), lines), np.uint8)
        at_once = max(1, _CELLS // max(lines, 1))
        for kind, reach, rows, columns in _groups(tuple(names)):
            fill = self._filler(kind)
            for first in range(0, len(rows), at_once):
                fill(matrix, rows[first : first + at_once], self._some(columns[first : first + at_once]), reach)
        return matrix

    def _filler(self, kind: str) -> Callable[[Bytes, Sequence[int], Sequence[Bytes], int], None]:
        if kind.startswith("="):
            return partial(self._run, self._column(f"{kind[1:]}_place"))
        return {"": self._copy, "[": self._shift, "~": self._window, "@": self._whole}.get(kind, self._distance)

    def column(self, name: str) -> Bytes:
        """One named column."""
        row: Bytes = self.matrix((name,))[0]
        return row

    def _column(self, name: str) -> Bytes:
        return self._some((name,))[0]

    def _some(self, names: Sequence[str]) -> list[Bytes]:
        try:
            return [*map(self._columns.__getitem__, names)]
        except KeyError as error:
            raise KeyError(f"no such column: {error.args[0]}") from None

    def _copy(self, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], _: int) -> None:
        for row, column in zip(rows, columns, strict=True):
            matrix[row] = column

    def _shift(self, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], reach: int) -> None:
        there = self._place + reach
        outside = np.flatnonzero((there < self._first) | (there >= self._last))
        for row, column in zip(rows, columns, strict=True):
            shifted = matrix[row]
            if reach < 0:
                shifted[-reach:] = column[:reach]
            else:
                shifted[:-reach] = column[reach:]
            shifted[outside] = 0

    def _window(self, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], reach: int) -> None:
        low = np.maximum(self._place - reach, self._first)
        high = np.minimum(self._place + reach + 1, self._last)
        # a quotient of whole numbers below 2**24 (2**53) is never rounded up to the next whole number
        exact = np.float32 if 255 * (2 * reach + 1) < 1 << 24 else np.float64
        totals = _totals(columns)
        sums = (totals.take(high, axis=1) - totals.take(low, axis=1)).astype(exact)
        matrix[rows] = (sums / (high - low).astype(exact)).astype(np.uint8)

    def _whole(self, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], _: int) -> None:
        sums = np.diff(_totals(columns).take(self._page_offsets, axis=1), axis=1)
        means = (sums // np.maximum(run_lengths(self._page_offsets), 1)).astype(np.uint8)
        matrix[rows] = means.take(self._page, axis=1)

    def _run(self, place: Bytes, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], _: int) -> None:
        """A run begins where the place in it is 0 or falls."""
        begins = (place == 0) | (self._place == self._first)
        begins[1:] |= place[1:] < place[:-1]
        bounds = np.append(np.flatnonzero(begins), len(place))
        sums = np.diff(_totals(columns).take(bounds, axis=1), axis=1)
        means = (sums // np.maximum(run_lengths(bounds), 1)).astype(np.uint8)
        matrix[rows] = means.take(np.cumsum(begins) - 1, axis=1)

    def _distance(self, matrix: Bytes, rows: Sequence[int], columns: Sequence[Bytes], reach: int) -> None:
        """16 steps for each doubling of 1 + lines, 255 for no such line; reach: -1 above, 1 below."""
        place = self._place
        for row, column in zip(rows, columns, strict=True):
            marked = column > 127
            if reach < 0:
                nearest = np.maximum.accumulate(np.where(marked, place, -1))
                distance, found = place - nearest, nearest >= self._first
            else:
                nearest = np.minimum.accumulate(np.where(marked, place, len(place))[::-1])[::-1]
                distance, found = nearest - place, nearest < self._last
            matrix[row] = np.where(found, np.minimum(logarithm(distance), 254), 255)


def _totals(columns: Sequence[Bytes]) -> Integers:
    """Running totals, (columns, lines + 1), in as few bits as hold them."""
    stacked = np.concatenate(columns).reshape(len(columns), -1)  # np.stack() takes three times as long for a page
    wide = np.int32 if stacked.shape[1] < 1 << 23 else np.int64
    totals = np.zeros((stacked.shape[0], stacked.shape[1] + 1), wide)
    np.cumsum(stacked, axis=1, out=totals[:, 1:])
    return totals


@lru_cache(maxsize=64)
def _groups(names: tuple[str, ...]) -> tuple[_Group, ...]:
    """The columns of a matrix by what is done to make them; read once for each stage of a model."""
    groups: dict[str, _Group] = {}
    read = re.compile(_NAME).fullmatch
    for row, name in enumerate(names):
        parts = read(name)
        if parts is None:
            raise KeyError(f"no such column: {name}")
        column, suffix = parts.groups("")
        group = groups.get(suffix) or groups.setdefault(
            suffix, _Group(suffix if suffix[:1] == "=" else suffix[:1], _reach(suffix), [], [])
        )
        group.rows.append(row)
        group.columns.append(column)
    return tuple(groups.values())


def _reach(suffix: str) -> int:
    """How many lines off, or on both sides; of a distance its direction."""
    return int(suffix[1:].removesuffix("]")) if suffix[:1] in ("[", "~") else -1 if suffix == "^" else 1
