"""The words of a page -> how much they speak for each kind of page, by a learned table of hashed words. HTML has a
second table, for the words of its class names and for those of its title and address.

A word counts by the logarithm of how often the page has it; a page's score is the weighted sum over its distinct
words, divided by the length of their vector, in which long pages and short ones compare. Words that few sites of
the training pages have say nothing, so a page in another language says little: its vector is as long all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, run_lengths, sum_runs
from extractor.wording import integer_root

KINDS = ("article", "forum", "listing", "collection", "product", "service", "documentation", "none")
"""What sort of page a page is; "none": one without a text of its own."""
KIND_NAMES = tuple(f"kind_{kind}" for kind in KINDS)
"""Columns of what the words of a line's page say, in steps of 1/16 of log-odds, 128 for nothing."""
MARKUP_KIND_NAMES = tuple(f"markup_kind_{kind}" for kind in KINDS)
"""The same of its class names, title and address."""
KIND_COLUMNS = {"text": KIND_NAMES, "html": (*KIND_NAMES, *MARKUP_KIND_NAMES)}
"""What is known of the kind of a page, by format."""
KIND_TABLES = ("kinds", "markup_kinds")
"""What both tables are stored as."""
KIND_STEPS = 16
"""Steps of a stored weight to one unit of log-odds."""
COUNT_LEVELS = np.array((0, 16, 27, 34, 38, 42, 45, 47, 48), np.int64)
"""16 (1 + ln n) for a word that stands n times on a page, at most 48."""
KIND_WEIGHT_STEPS = 1 << 16
"""Steps of a number of KindWeights to one unit of log-odds."""
KNOWN_BITS = 20
"""Of a word's hash, the highest, that say whether it is known."""
_LOWER_BITS = np.uint32(32 - KNOWN_BITS)
UNKNOWN_BUCKETS = 1 << 12
"""For words that are not known: they are told apart only to be counted."""
_UNKNOWN_MASK = np.uint32(UNKNOWN_BUCKETS - 1)
_PAGES_AT_ONCE = 16


class KindTable:
    """Weights of hashed words: int8, (buckets, KINDS); the number of buckets is a power of two. known: as of
    known_words(), or None where all are."""

    __slots__ = ("_all", "_is_known", "known", "weights")

    def __init__(self, weights: NDArray[np.int8], known: Bytes | None = None) -> None:
        self.weights = weights
        self.known = np.full(1 << KNOWN_BITS - 3, 255, np.uint8) if known is None else known
        self._is_known = is_known(self.known)
        self._all = np.concatenate((weights, np.zeros((UNKNOWN_BUCKETS, len(KINDS)), np.int8)))

    def score(self, words: Hashes, offsets: Integers) -> Bytes:
        """Words in runs by page -> one row a kind, one column a page."""
        pages = len(offsets) - 1
        scores = np.empty((len(KINDS), pages), np.uint8)
        for first in range(0, pages, _PAGES_AT_ONCE):
            last = min(first + _PAGES_AT_ONCE, pages)
            some = words[offsets[first] : offsets[last]]
            runs = offsets[first : last + 1] - offsets[first]
            buckets, levels, bounds = word_levels(some, runs, len(self.weights), self._is_known)
            sums = sum_runs(self._all.take(buckets, axis=0) * levels[:, None], bounds)
            lengths = np.maximum(integer_root(sum_runs(levels * levels, bounds)), 1)
            scores[:, first:last] = np.clip(128 + (sums // lengths[:, None]).T, 0, 255)
        return scores

    def score_parts(self, parts: Iterable[tuple[Hashes, Integers]]) -> Bytes:
        """The sums of what several texts of each page say, each by itself, a long one as loudly as a short one."""
        said = [self.score(words, offsets).astype(np.int16) - 128 for words, offsets in parts]
        scores: Bytes = np.clip(128 + np.sum(said, axis=0), 0, 255).astype(np.uint8)
        return scores


class KindWeights:
    """How much each kind's score speaks for each kind: words are weighed for all pages, this for those of a format.

    int32, (KINDS, columns of KIND_COLUMNS and one more that always counts): steps of 1/KIND_WEIGHT_STEPS in log-odds
    a step of a column.
    """

    __slots__ = ("weights",)

    def __init__(self, weights: NDArray[np.int32]) -> None:
        shapes = [(len(KINDS), len(names) + 1) for names in KIND_COLUMNS.values()]
        if weights.shape not in shapes or weights.dtype != np.int32:
            raise ValueError(f"weights of kinds of shape {weights.shape}, {weights.dtype}")
        self.weights = weights

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are weighed."""
        return KIND_COLUMNS["html"][: self.weights.shape[1] - 1]

    def scores(self, columns: Bytes) -> NDArray[np.float64]:
        """Log-odds, (KINDS, pages), from the columns of names, (names, pages). Sums are of integers."""
        weights = self.weights.astype(np.int64)
        sums = weights[:, :-1] @ (columns.astype(np.int64) - 128) + weights[:, -1:]
        found: NDArray[np.float64] = sums / KIND_WEIGHT_STEPS
        return found


def known_words(words: Hashes) -> Bytes:
    """Which words are known, as a bit for each of the highest KNOWN_BITS of a hash: few others share one."""
    bits = np.zeros(1 << KNOWN_BITS, np.uint8)
    bits[words >> _LOWER_BITS] = 1
    return np.packbits(bits, bitorder="little")


def is_known(known: Bytes) -> NDArray[np.bool_]:
    """The bits of known_words() one by one."""
    return np.unpackbits(known, bitorder="little").view(np.bool_)


def word_levels(
    words: Hashes, offsets: Integers, buckets: int, is_known: NDArray[np.bool_]
) -> tuple[Integers, Integers, Integers]:
    """Words in runs by page -> the distinct buckets of each page in order, those of words that are not known behind the
    others; what each counts; and where the pages begin (pages + 1)."""
    width = buckets + UNKNOWN_BUCKETS
    begin = np.arange(len(offsets)) * width
    known = is_known.take(words >> _LOWER_BITS)
    places = np.where(known, words & np.uint32(buckets - 1), (words & _UNKNOWN_MASK) + buckets)
    places = places + np.repeat(begin[:-1], run_lengths(offsets))
    counts = np.bincount(places, minlength=int(begin[-1]))
    found = np.flatnonzero(counts)
    levels = COUNT_LEVELS.take(np.minimum(counts.take(found), len(COUNT_LEVELS) - 1))
    bounds = np.searchsorted(found, begin)
    return found - np.repeat(begin[:-1], run_lengths(bounds)), levels, bounds


def kind_table_of(weights: Array, known: Array) -> KindTable:
    """The table of stored weights and known words. ValueError if they are none."""
    buckets = len(weights)
    if weights.shape != (buckets, len(KINDS)) or weights.dtype != np.int8 or not buckets or buckets & (buckets - 1):
        raise ValueError(f"a table of kinds of shape {weights.shape}, {weights.dtype}")
    if known.shape != (1 << KNOWN_BITS - 3,) or known.dtype != np.uint8:
        raise ValueError(f"known words of a table of kinds of shape {known.shape}, {known.dtype}")
    return KindTable(weights, known)
