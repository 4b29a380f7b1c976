"""Hashes of lines -> which lines of a page are equal: read the same, or have in common what else was hashed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Integers


class EqualLines(NamedTuple):
    """Lines sorted so that equal ones on the same page are together, in order.

    order: the lines; begins: whether each, in that order, is the first of its group.
    """

    order: Integers
    begins: NDArray[np.bool_]

    def groups(self) -> tuple[Integers, Integers]:
        """For each line, as they were given, the number of its group, and how many lines each group has."""
        group = np.empty(len(self.order), np.int64)
        group[self.order] = np.cumsum(self.begins) - 1
        return group, np.bincount(group)


def equal_lines(line_hashes: NDArray[np.uint64], page: Integers) -> EqualLines:
    """Lines of equal hash on the same page; page: that of each line, never falling."""
    lines = len(page)
    numbers = np.arange(lines)
    # sorting numbers is many times as fast as sorting places by them: the line takes the low bits of its hash
    low = np.uint64(max(lines, 1).bit_length())
    keys = (line_hashes >> low << low) | numbers.astype(np.uint64)
    keys.sort()
    order = (keys & ((np.uint64(1) << low) - np.uint64(1))).astype(np.int64)
    hashes = line_hashes.take(order)
    begins = np.ones(lines, bool)
    np.not_equal(hashes[1:], hashes[:-1], out=begins[1:])
    if (begins[1:] & (keys[1:] >> low == keys[:-1] >> low)).any():  # they differ in those low bits alone
        order = np.lexsort((numbers, line_hashes))
        hashes = line_hashes.take(order)
        np.not_equal(hashes[1:], hashes[:-1], out=begins[1:])
    pages = page.take(order)
    begins[1:] |= pages[1:] != pages[:-1]
    return EqualLines(order, begins)
