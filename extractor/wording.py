"""Words -> how much they speak for each class, by a learned table of hashed tokens.

Tokens of a line: its words, pairs of neighbouring words, the first word, the last, and the line as a
whole. Each hashes to a row of small integer weights; a line's score is the sum over its tokens divided by
the square root of their number, in which long lines and short ones compare.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, TextBatch, run_lengths, sum_runs
from extractor.words import mix

_Count = TypeVar("_Count", int, Integers)
MOST_WORDS = 4096
"""Words of a line that count; a line of more is no menu and no heading, whatever comes."""
MARKS = 3
"""Tokens of a line beside its words and pairs: the first word as such, the last, and the whole."""
ROOT_STEPS = 64
"""Scores are kept in this many steps for each unit of a weight."""
_MIDDLE = 127
_LANE_TOKENS = 257
"""The sum of so many weights, each of 8 bits, fits the 16 bits of a lane."""
_LANES = 4
"""Lanes of a 64-bit word."""


class WordingTable:
    """Weights of hashed tokens: int8 above -128, (buckets, outputs); the number of buckets is a power of two."""

    __slots__ = ("_packed", "weights")

    def __init__(self, weights: NDArray[np.int8]) -> None:
        self.weights = weights
        self._packed: NDArray[np.uint64] | None = None

    def __reduce__(self) -> tuple[type[WordingTable], tuple[NDArray[np.int8]]]:
        return WordingTable, (self.weights,)  # how weights are packed is no other version's business

    def score(self, tokens: Hashes, offsets: Integers) -> Bytes:
        """Tokens in runs -> one row an output, one column a run, 128 for no opinion.

        A run holds at most 2 * MOST_WORDS - 1 + MARKS.
        """
        return self.scores(self.sums(tokens, offsets), run_lengths(offsets))

    def sums(self, tokens: Hashes, offsets: Integers) -> Array:
        """The weights of tokens in runs, each raised by 127, summed: (runs, outputs) whole numbers.

        Four sums fit a 64-bit word, and are made at once.
        """
        if self._packed is None:
            self._packed = _packed(self.weights)  # of several threads each makes the same
        rows = self._packed.take(tokens & np.uint32(len(self.weights) - 1), axis=0)
        sums: Array = _lane_sums(rows, offsets)[:, : self.weights.shape[1]]
        return sums

    def scores(self, sums: Array, counts: Integers) -> Bytes:
        """What score() gives, from sums() and the number of tokens of each run."""
        divisors = np.maximum(integer_root(counts * ROOT_STEPS * ROOT_STEPS), 1).astype(np.float64)
        scores = sums.T.astype(np.float64, order="C")
        scores -= _MIDDLE * counts
        scores *= ROOT_STEPS
        # a quotient of whole numbers below 2**53 is never rounded up to the next whole number
        scores /= divisors
        np.floor(scores, out=scores)
        scores += 128
        return np.clip(scores, 0, 255, out=scores).astype(np.uint8)


def _lane_sums(rows: NDArray[np.uint64], offsets: Integers) -> Array:
    """Sums by lane, (runs, lanes), of rows of packed weights in runs."""
    counts = run_lengths(offsets)
    if counts.max(initial=0) <= _LANE_TOKENS:
        lanes: Array = sum_runs(rows, offsets).view(np.uint16)
        return lanes
    pieces = np.maximum(-(-counts // _LANE_TOKENS), 1)
    firsts = np.cumsum(pieces) - pieces
    place = np.arange(int(pieces.sum())) - np.repeat(firsts, pieces)
    starts = np.repeat(offsets[:-1], pieces) + place * _LANE_TOKENS
    parts = sum_runs(rows, np.append(starts, offsets[-1])).view(np.uint16)
    sums = parts.take(firsts, axis=0).astype(np.int32)
    long = pieces > 1
    bounds = np.concatenate(([0], np.cumsum(pieces[long])))
    sums[long] = sum_runs(parts[np.repeat(long, pieces)].astype(np.int32), bounds)
    return sums


def _packed(weights: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Weights less the least, four to a word, (buckets, words)."""
    buckets, outputs = weights.shape
    lanes = np.zeros((buckets, -(-outputs // _LANES) * _LANES), np.uint16)
    lanes[:, :outputs] = weights.astype(np.int16) + _MIDDLE
    return lanes.view(np.uint64)


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


def words_of_run(tokens: _Count) -> _Count:
    """How many words a line has by the number of its tokens; below 1 for a line without any."""
    return (tokens - MARKS + 1) // 2


def line_tokens(batch: TextBatch) -> tuple[Hashes, Integers]:
    """The hashed tokens of each line, in runs, and where the runs begin (lines + 1)."""
    words, line = batch.word_hash, batch.word_line
    if len(words) and run_lengths(batch.word_offsets).max() > MOST_WORDS:
        early = np.arange(len(words)) - batch.word_offsets[line] < MOST_WORDS
        words, line = words[early], line[early]
        offsets = np.searchsorted(line, np.arange(len(batch.page) + 1))
    else:
        offsets = batch.word_offsets
    counts = run_lengths(offsets)
    filled = np.flatnonzero(counts)
    runs = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.where(counts > 0, 2 * counts - 1 + MARKS, 1), out=runs[1:])
    tokens = np.empty(runs[-1], np.uint32)
    places = np.arange(len(words)) + np.repeat(runs[:-1] - offsets[:-1], counts)
    tokens[places] = words
    second = np.flatnonzero(line[1:] == line[:-1]) + 1  # words that follow another one
    pairs = mix(words[:-1] * np.uint32(0x9E3779B1) + words[1:])
    tokens[places.take(second) + np.repeat(counts, counts).take(second) - 1] = pairs.take(second - 1)
    after = runs[1:].take(filled)
    tokens[after - 3] = mix(words.take(offsets.take(filled)) + np.uint32(0x51ED270B))
    tokens[after - 2] = mix(words.take(offsets.take(filled + 1) - 1) + np.uint32(0x7F4A7C15))
    tokens[runs[1:] - 1] = (batch.line_hashes >> np.uint64(32)).astype(np.uint32)
    return tokens, runs
