"""Words -> how much they speak for each class, by a learned table of hashed tokens.

Tokens of a line: its words, pairs of neighbouring words, the first word, the last, and the line as a
whole. Each hashes to a row of small integer weights; a line's score is the sum over its tokens divided by
the square root of their number, in which long lines and short ones compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, TextBatch, mix, sum_runs
from extractor.quantise import signed

MOST_WORDS = 4096
"""Words of a line that count; a line of more is no menu and no heading, whatever comes."""
ROOT_STEPS = 64
"""Scores are kept in this many steps for each unit of a weight."""


@dataclass(frozen=True, slots=True)
class WordingTable:
    """Weights of hashed tokens: int8, (buckets, classes); the number of buckets is a power of two."""

    weights: NDArray[np.int8]

    def score(self, tokens: Hashes, offsets: Integers) -> Bytes:
        """Tokens in runs -> one row a class, one column a run, 128 for no opinion."""
        rows = self.weights[tokens & np.uint32(len(self.weights) - 1)].astype(np.int32)
        sums = sum_runs(rows, offsets).astype(np.int64)
        counts = np.diff(offsets)
        divisors = np.maximum(integer_root(counts * ROOT_STEPS * ROOT_STEPS), 1)
        return np.ascontiguousarray(signed(sums * ROOT_STEPS // divisors[:, None], 1).T)


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
