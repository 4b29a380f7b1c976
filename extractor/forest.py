"""Symmetric trees on 8-bit columns -> scores, in NumPy.

A symmetric tree asks the same questions on every branch, so a line's leaf is a number with one bit a
question, and a whole batch goes down a tree in a dozen vector operations. Leaf values are 12-bit integers,
three classes packed in one 64-bit word: sums are exact, whatever the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes

DEPTH = 6
LEAVES = 1 << DEPTH
LEAF_VALUES = 4096
"""Leaf values are from 0 to LEAF_VALUES - 1, in steps of the forest's scale, from the forest's floor."""
MOST_TREES = 512
"""Sums of so many leaf values fit the 21 bits of a lane."""
_LANE = 21
_LANES = 3
_COMPARISONS = 1 << 19
"""Comparisons made at once: small enough for the cache, large enough to hide the cost of a call."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Forest:
    """features, thresholds: (trees, DEPTH) the row asked and the value it must exceed; leaves: uint16
    (trees, LEAVES, classes); bias: (classes); score = bias + scale x sum of leaves, in log-odds."""

    features: NDArray[np.int32]
    thresholds: Bytes
    leaves: NDArray[np.uint16]
    scale: float
    bias: NDArray[np.float64]

    def __post_init__(self) -> None:
        trees = len(self.features)
        shapes = (self.features.shape, self.thresholds.shape, self.leaves.shape[:2])
        if shapes != ((trees, DEPTH), (trees, DEPTH), (trees, LEAVES)) or not 0 < trees <= MOST_TREES:
            raise ValueError(f"a forest of unequal parts, or of more than {MOST_TREES} trees: {shapes}")
        if self.leaves.max(initial=0) >= LEAF_VALUES:
            raise ValueError("a leaf value of more than 12 bits")

    def packed(self) -> NDArray[np.uint64]:
        """The leaves of all trees in rows, three classes to a word, (trees x LEAVES, words)."""
        classes = self.leaves.shape[2]
        words = np.zeros((len(self.leaves) * LEAVES, -(-classes // _LANES)), np.uint64)
        for number in range(classes):
            values = self.leaves[:, :, number].astype(np.uint64).ravel()
            words[:, number // _LANES] |= values << np.uint64(number % _LANES * _LANE)
        return words

    def scores(self, columns: Bytes, packed: NDArray[np.uint64] | None = None) -> NDArray[np.float64]:
        """Log-odds, (classes, lines), of lines whose columns are given as (rows, lines)."""
        lines = columns.shape[1]
        classes = self.leaves.shape[2]
        words = packed if packed is not None else self.packed()
        totals = np.zeros((lines, words.shape[1]), np.uint64)
        group = max(1, _COMPARISONS // (DEPTH * max(lines, 1)))
        for first in range(0, len(self.features), group):
            # take() gathers whole rows several times as fast as an index in brackets gathers words
            totals += words.take(self._leaves(columns, first, first + group), axis=0).sum(axis=0)
        lanes = [
            (totals[:, number // _LANES] >> np.uint64(number % _LANES * _LANE)) & np.uint64((1 << _LANE) - 1)
            for number in range(classes)
        ]
        return np.stack(lanes).astype(np.float64) * self.scale + self.bias[:, None]

    def _leaves(self, columns: Bytes, first: int, last: int) -> NDArray[np.intp]:
        """For some trees the place of each line's leaf among the leaves of all trees, (trees, lines)."""
        features, thresholds = self.features[first:last], self.thresholds[first:last]
        answers = (columns.take(features, axis=0) > thresholds[:, :, None]).view(np.uint8)
        leaf = answers[:, DEPTH - 1]
        for question in range(DEPTH - 2, -1, -1):
            leaf += leaf  # in the place of the last answers, which are not looked at again
            leaf += answers[:, question]
        places: NDArray[np.intp] = leaf + (np.arange(first, first + len(features)) * LEAVES)[:, None]
        return places
