"""Columns of lines -> columns of their neighbourhood, by name.

`words[-1]` is the column `words` of the line above, `words~5` its mean over the line and five lines on
both sides, `words@page` its mean over the page, `prose^` and `prose_` how far above and below the nearest
line stands on which the column `prose` is more than half. Beyond the edge of a page a neighbour reads 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from extractor.characters import Bytes, Integers
from extractor.quantise import logarithm

_NAME = r"^(?P<column>\w+?)(?:(?P<shift>\[)(?P<offset>[+-]\d+)\]|(?P<window>~)(?P<reach>\d+)|@page|[\^_])?$"
_CELLS = 1 << 18
"""Values of 32 bits that are worked on at once: small enough for the cache."""


class _Group(NamedTuple):
    """Columns of one kind: what is done (one of "", "[", "~", "@", "^", "_"), how far, and for each the row of the
    matrix and the column it is made from."""

    kind: str
    reach: int
    rows: Sequence[int]
    columns: Sequence[str]


class Neighbourhood:
    """Computes named columns of the lines of a batch; page_offsets: (pages + 1)."""

    def __init__(self, columns: Mapping[str, Bytes], page_offsets: Integers) -> None:
        self._columns = columns
        self._page_offsets = page_offsets
        self._page = np.repeat(np.arange(len(page_offsets) - 1), np.diff(page_offsets))
        self._first, self._last = page_offsets[:-1][self._page], page_offsets[1:][self._page]
        self._place = np.arange(len(self._page))

    def matrix(self, names: Sequence[str]) -> Bytes:
        """The named columns, (names, lines). KeyError for a name that is none."""
        lines = len(self._place)
        matrix = np.empty((len(names), lines), np.uint8)
        at_once = max(1, _CELLS // max(lines, 1))
        for kind, reach, rows, columns in _groups(tuple(names)):
            fill = {"": self._copy, "[": self._shift, "~": self._window, "@": self._whole}.get(kind, self._distance)
            for first in range(0, len(rows), at_once):
                some = [self._column(name) for name in columns[first : first + at_once]]
                fill(matrix, rows[first : first + at_once], some, reach)
        return matrix

    def column(self, name: str) -> Bytes:
        """One named column."""
        row: Bytes = self.matrix((name,))[0]
        return row

    def _column(self, name: str) -> Bytes:
        if name not in self._columns:
            raise KeyError(f"no such column: {name}")
        return self._columns[name]

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
        means = (sums // np.maximum(np.diff(self._page_offsets), 1)).astype(np.uint8)
        matrix[rows] = means.take(self._page, axis=1)

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
    stacked = np.stack(columns)
    wide = np.int32 if stacked.shape[1] < 1 << 23 else np.int64
    totals = np.zeros((stacked.shape[0], stacked.shape[1] + 1), wide)
    np.cumsum(stacked, axis=1, out=totals[:, 1:])
    return totals


@lru_cache(maxsize=64)
def _groups(names: tuple[str, ...]) -> tuple[_Group, ...]:
    """The columns of a matrix by what is done to make them; read once for each stage of a model."""
    groups: dict[tuple[str, int], tuple[list[int], list[str]]] = {}
    for row, name in enumerate(names):
        parts = re.match(_NAME, name)
        if parts is None:
            raise KeyError(f"no such column: {name}")
        column = parts["column"]
        kind = name[len(column) :][:1]
        reach = int(parts["offset"] or parts["reach"] or (-1 if kind == "^" else 1))
        rows, columns = groups.setdefault((kind, reach if kind else 0), ([], []))
        rows.append(row)
        columns.append(column)
    return tuple(_Group(*key, *found) for key, found in groups.items())
