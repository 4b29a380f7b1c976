"""Words -> how much they speak for each class, by a learned table of hashed tokens.

Tokens of a line: its words, pairs of neighbouring words, the first word, the last, and the line as a
whole. Each hashes to a row of small integer weights; a line's score is the sum over its tokens divided by
the square root of their number, in which long lines and short ones compare.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, TextBatch, mix, sum_runs
from extractor.quantise import signed

MOST_WORDS = 4096
"""Words of a line that count; a line of more is no menu and no heading, whatever comes."""
MOST_TOKENS = 2 * MOST_WORDS + 3
"""Tokens of such a line."""
ROOT_STEPS = 64
"""Scores are kept in this many steps for each unit of a weight."""
_MIDDLE = 127
_LANE = 21
"""Bits that hold the sum of MOST_TOKENS weights."""
_LANES = 3
_LANE_MASK = np.uint64((1 << _LANE) - 1)


class WordingTable:
    """Weights of hashed tokens: int8 above -128, (buckets, outputs); the number of buckets is a power of two."""

    __slots__ = ("_packed", "weights")

    def __init__(self, weights: NDArray[np.int8]) -> None:
        self.weights = weights
        self._packed: NDArray[np.uint64] | None = None

    def score(self, tokens: Hashes, offsets: Integers) -> Bytes:
        """Tokens in runs -> one row an output, one column a run, 128 for no opinion.

        A run holds at most MOST_TOKENS. Three sums fit a 64-bit word, and are made at once.
        """
        if self._packed is None:
            self._packed = _packed(self.weights)  # of several threads each makes the same
        totals = sum_runs(self._packed.take(tokens & np.uint32(len(self.weights) - 1), axis=0), offsets)
        counts = np.diff(offsets)
        divisors = np.maximum(integer_root(counts * ROOT_STEPS * ROOT_STEPS), 1)
        scores = np.empty((self.weights.shape[1], len(counts)), np.uint8)
        for output, row in enumerate(scores):
            word, lane = divmod(output, _LANES)
            sums = (totals[:, word] >> np.uint64(lane * _LANE) & _LANE_MASK).astype(np.int64) - _MIDDLE * counts
            row[:] = signed(sums * ROOT_STEPS // divisors, 1)
        return scores


def _packed(weights: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Weights less the least, three to a word, (buckets, words)."""
    packed = np.zeros((len(weights), -(-weights.shape[1] // _LANES)), np.uint64)
    for output, column in enumerate((weights.T.astype(np.int16) + _MIDDLE).astype(np.uint64)):
        word, lane = divmod(output, _LANES)
        packed[:, word] |= column << np.uint64(lane * _LANE)
    return packed


def table_of(weights: Array, outputs: int) -> WordingTable:
    """The table of stored weights. ValueError if they are none."""
    buckets = len(weights)
    if weights.shape != (buckets, outputs) or weights.dtype != np.int8 or not buckets or buckets & (buckets - 1):
        raise ValueError(f"a table of weights of shape {weights.shape}, {weights.dtype}")
    if weights.min() == -128:
        raise ValueError("a weight of -128")
    return WordingTable(weights)


def integer_root(values: Integers) -> Integers:
    """The whole part of the square root, exact for values below 2**52."""
    return np.sqrt(values.astype(np.float64)).astype(np.int64)


def line_tokens(batch: TextBatch) -> tuple[Hashes, Integers]:
    """The hashed tokens of each line, in runs, and where the runs begin (lines + 1)."""
    words, line = batch.word_hash, batch.word_line
    if len(words) and np.diff(batch.word_offsets).max() > MOST_WORDS:
        early = np.arange(len(words)) - batch.word_offsets[line] < MOST_WORDS
        words, line = words[early], line[early]
        offsets = np.searchsorted(line, np.arange(len(batch.page) + 1))
    else:
        offsets = batch.word_offsets
    first, last = offsets[:-1], offsets[1:]
    has_words = last > first
    same_line = line[1:] == line[:-1]
    pairs = mix(words[:-1] * np.uint32(0x9E3779B1) + words[1:])[same_line]
    kinds: list[tuple[Array, Array]] = [
        (words, line),
        (pairs, line[1:][same_line]),
        (mix(words[first[has_words]] + np.uint32(0x51ED270B)), np.flatnonzero(has_words)),
        (mix(words[last[has_words] - 1] + np.uint32(0x7F4A7C15)), np.flatnonzero(has_words)),
        ((batch.line_hashes >> np.uint64(32)).astype(np.uint32), np.arange(len(first))),
    ]
    counts = np.sum([np.bincount(lines, minlength=len(first)) for _, lines in kinds], axis=0)
    runs = np.concatenate(([0], np.cumsum(counts)))
    tokens = np.empty(runs[-1], np.uint32)
    free = runs[:-1].copy()
    for values, lines in kinds:
        numbers = np.bincount(lines, minlength=len(first))
        run_starts = np.cumsum(numbers) - numbers
        tokens[free[lines] + np.arange(len(lines)) - run_starts[lines]] = values
        free += numbers
    return tokens, runs
