"""Text of a batch of pages -> code points, lines and words, as NumPy arrays.

Everything that reads characters is here, in a fixed number of passes over the code points of the whole
batch. Lines are the non-blank ones; `page_offsets[i]:page_offsets[i + 1]` are those of page i.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int64]
Hashes: TypeAlias = NDArray[np.uint32]
Array: TypeAlias = NDArray[Any]

LIMIT = 0x20000
"""Code points from here on are all taken for ideographs, which nearly all of them are."""


class CharacterClass:
    """What a code point is to the features; from LOWER up to DIGIT, it is part of a word.

    Plain numbers: NumPy compares 8-bit values with these, but 64-bit ones with members of an enumeration.
    """

    OTHER = 0
    SPACE = 1
    NEWLINE = 2
    LOWER = 3
    UPPER = 4
    UNCASED = 5
    UNSPACED = 6
    """A letter of a script that puts no spaces between words."""
    DIGIT = 7
    SENTENCE_END = 8
    COMMA = 9
    COLON = 10
    QUOTE = 11
    BRACKET = 12
    DASH = 13
    PIPE = 14
    COPYRIGHT = 15
    AT = 16
    CURRENCY = 17
    SLASH = 18
    ARROW = 19
    BULLET = 20
    CODE = 21
    SYMBOL = 22


CLASSES = 32
"""Columns of a table of counts by class, a power of two."""
_LONGEST_WORD = 64
"""Characters after this many do not count for a word's hash."""


class TextBatch(NamedTuple):
    """The non-blank lines of some pages.

    page_offsets: (pages + 1). Of lines: page, number (from 1, blank ones count), start and end (in the
    joined text, the line break left out), counts (lines x CLASSES characters), first and last visible
    character class, indent (characters before the first visible one), whether it ends in an ellipsis, wide
    gaps and clock times in it, blank lines before and after it.
    Of words: line, length, first class, hash (case folded, digits as 0); word_offsets (lines + 1).
    line_hashes: 64 bits of each line's words, case and digits folded; of its signs where it has no words.
    """

    joined: str
    page_offsets: Integers
    page: Integers
    number: Integers
    start: Integers
    end: Integers
    counts: NDArray[np.int32]
    first_class: Bytes
    last_class: Bytes
    indent: Integers
    ellipsis: NDArray[np.bool_]
    gaps: Integers
    clock_times: Integers
    blank_before: Integers
    blank_after: Integers
    word_line: Integers
    word_length: Integers
    word_class: Bytes
    word_hash: Hashes
    word_offsets: Integers
    line_hashes: NDArray[np.uint64]

    def line_texts(self, first: int, last: int) -> list[str]:
        """The text of lines first to last (half open), as they stand, one trailing "\\r" dropped."""
        joined = self.joined
        return [
            joined[start:end].removesuffix("\r")
            for start, end in zip(self.start[first:last].tolist(), self.end[first:last].tolist(), strict=True)
        ]


def read_texts(texts: Sequence[str]) -> TextBatch:
    """The lines and words of some pages' texts, whose lines are separated by "\\n"."""
    joined = "\n".join(texts) + "\n" if texts else ""
    codes: Hashes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    table, folds = _tables()
    codes = np.minimum(codes, np.uint32(LIMIT))
    classes = table[codes]
    breaks = np.flatnonzero(classes == CharacterClass.NEWLINE)
    starts = np.concatenate(([0], breaks[:-1] + 1)) if breaks.size else breaks
    text_ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)
    lines_by_page = np.searchsorted(breaks, text_ends - 1) + 1 if len(texts) else text_ends

    # one comparison of 8-bit values for two: classes below the first wrap around
    visible = np.flatnonzero((classes - np.uint8(CharacterClass.SPACE)) > CharacterClass.NEWLINE - CharacterClass.SPACE)
    seen = np.searchsorted(visible, np.append(starts, len(codes)))
    shown = np.flatnonzero(seen[1:] > seen[:-1])
    page_offsets = np.concatenate(([0], np.searchsorted(shown, lines_by_page)))
    page = np.repeat(np.arange(len(texts)), np.diff(page_offsets))
    first_line = np.concatenate(([0], lines_by_page))[page]
    start, end = starts[shown], breaks[shown]
    first_visible, last_visible = visible[seen[shown]], visible[seen[shown + 1] - 1]
    blank_before, blank_after = _blank_lines(shown, page_offsets, first_line, lines_by_page[page])

    line_of = _line_of_character(shown, starts, breaks)
    counts = _class_counts(line_of, classes, visible, len(shown))
    gaps, clock_times = _pair_counts(classes, line_of, first_visible, len(shown))
    words = _Words.read(codes, classes, folds, line_of)
    line_hashes = _line_hashes(words, codes, classes, line_of, len(shown))
    return TextBatch(
        joined=joined, page_offsets=page_offsets, page=page, number=shown - first_line + 1,
        start=start, end=end, counts=counts,
        first_class=classes[first_visible], last_class=classes[last_visible], indent=first_visible - start,
        ellipsis=_ellipsis(codes, classes, last_visible), gaps=gaps, clock_times=clock_times,
        blank_before=blank_before, blank_after=blank_after,
        word_line=words.line, word_length=words.length, word_class=words.first_class, word_hash=words.hash,
        word_offsets=np.searchsorted(words.line, np.arange(len(shown) + 1)), line_hashes=line_hashes,
    )  # fmt: skip


def mix(hashes: Hashes) -> Hashes:
    """Spread 32-bit hashes over all their bits (the finaliser of MurmurHash3)."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def sum_runs(values: Array, offsets: Integers) -> Array:
    """Sums of values[offsets[i]:offsets[i + 1]], 0 for an empty run. Rows are summed down the first axis."""
    shape = (len(offsets) - 1, *values.shape[1:])
    sums = np.zeros(shape, values.dtype)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    if filled.size:
        sums[filled] = np.add.reduceat(values, offsets[filled], axis=0)
    return sums


class _Words(NamedTuple):
    line: Integers
    length: Integers
    first_class: Bytes
    hash: Hashes

    @classmethod
    def read(cls, codes: Hashes, classes: Bytes, folds: NDArray[np.int32], line_of: NDArray[np.int32]) -> _Words:
        at = np.flatnonzero((classes - np.uint8(CharacterClass.LOWER)) <= CharacterClass.DIGIT - CharacterClass.LOWER)
        kinds = classes[at]
        alone = kinds == CharacterClass.UNSPACED
        begins = np.ones(len(at), bool)
        begins[1:] = np.diff(at) != 1
        if alone.any():
            begins[1:] |= alone[1:] | alone[:-1]
        firsts = np.flatnonzero(begins)
        lengths = np.diff(firsts, append=len(at))
        if not len(at):
            empty = np.zeros(0, np.int64)
            return cls(empty, empty, kinds, np.zeros(0, np.uint32))
        place = np.arange(len(at)) - np.repeat(firsts, lengths)
        powers = _powers()[np.minimum(place, _LONGEST_WORD, out=place)]
        letters = codes[at]
        powers *= letters + folds[letters].view(np.uint32)
        hashes = np.add.reduceat(powers, firsts, dtype=np.uint32)
        return cls(line_of[at[firsts]].astype(np.int64), lengths, kinds[firsts], mix(hashes))


def _line_of_character(shown: Integers, starts: Integers, breaks: Integers) -> NDArray[np.int32]:
    """For each character the index of its non-blank line; in a blank line, the number of lines."""
    numbers = np.full(len(starts), len(shown), np.int32)
    numbers[shown] = np.arange(len(shown))
    return np.repeat(numbers, breaks - starts + 1)


def _class_counts(line_of: NDArray[np.int32], classes: Bytes, visible: Integers, lines: int) -> NDArray[np.int32]:
    keys = line_of[visible].astype(np.int64)
    keys *= CLASSES
    keys += classes[visible]
    return np.bincount(keys, minlength=lines * CLASSES).reshape(lines, CLASSES).astype(np.int32)


def _pair_counts(
    classes: Bytes, line_of: NDArray[np.int32], first_visible: Integers, lines: int
) -> tuple[Integers, Integers]:
    """Runs of white space inside a line (as between columns), and places like the middle of 12:30."""
    space = classes == CharacterClass.SPACE
    wide = np.flatnonzero(space[2:] & space[1:-1] & ~space[:-2]) + 1 if len(classes) > 2 else np.zeros(0, np.int64)
    wide = wide[wide > np.append(first_visible, len(classes))[line_of[wide]]]
    colon = np.flatnonzero(classes == CharacterClass.COLON)
    colon = colon[(colon > 0) & (colon + 1 < len(classes))]
    digits = (classes[colon - 1] == CharacterClass.DIGIT) & (classes[colon + 1] == CharacterClass.DIGIT)
    return (
        np.bincount(line_of[wide], minlength=lines)[:lines],
        np.bincount(line_of[colon[digits]], minlength=lines)[:lines],
    )


def _ellipsis(codes: Hashes, classes: Bytes, last: Integers) -> NDArray[np.bool_]:
    two = (classes[last] == CharacterClass.SENTENCE_END) & (classes[last - 1] == CharacterClass.SENTENCE_END)
    ends: NDArray[np.bool_] = (codes[last] == ord("…")) | (two & (last > 0))
    return ends


def _line_hashes(
    words: _Words, codes: Hashes, classes: Bytes, line_of: NDArray[np.int32], lines: int
) -> NDArray[np.uint64]:
    """Words in their order; in lines without words, the signs as a bag."""
    hashes = np.zeros(lines, np.uint64)
    offsets = np.searchsorted(words.line, np.arange(lines + 1))
    if len(words.line):
        place = np.arange(len(words.line)) - offsets[words.line]
        spread = (words.hash.astype(np.uint64) + np.uint64(1)) * (
            place.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
        )
        hashes += sum_runs(spread ^ (spread >> np.uint64(29)), offsets)
    signs = np.flatnonzero(classes >= CharacterClass.SENTENCE_END)
    wordless = np.append(offsets[1:] == offsets[:-1], False)
    signs = signs[wordless[line_of[signs]]]
    spread = (codes[signs].astype(np.uint64) + np.uint64(7)) * np.uint64(0xA24BAED4963EE407)
    hashes += sum_runs(spread, np.searchsorted(line_of[signs], np.arange(lines + 1)))
    hashes ^= hashes >> np.uint64(32)
    hashes *= np.uint64(0xD6E8FEB86659FD93)
    return hashes ^ (hashes >> np.uint64(32))


def _blank_lines(
    shown: Integers, page_offsets: Integers, first_line: Integers, end_line: Integers
) -> tuple[Integers, Integers]:
    """How many blank lines stand before and after each non-blank line of its page."""
    before = np.diff(shown, prepend=-1) - 1
    after = np.diff(shown, append=shown[-1:] + 1) - 1
    filled = np.flatnonzero(page_offsets[1:] > page_offsets[:-1])
    first, last = page_offsets[filled], page_offsets[filled + 1] - 1
    before[first] = shown[first] - first_line[first]
    after[last] = end_line[last] - shown[last] - 1
    return before, after


@lru_cache(maxsize=1)
def _tables() -> tuple[Bytes, NDArray[np.int32]]:
    """Class and distance to the folded form of each code point up to LIMIT."""
    from os.path import dirname, join  # pathlib takes longer to load than most of this package

    path = join(dirname(__file__), "character_classes.npy")  # noqa: PTH118, PTH120
    starts, classes, folds = np.load(path, allow_pickle=False)
    lengths = np.diff(starts, append=LIMIT + 1)
    return np.repeat(classes.astype(np.uint8), lengths), np.repeat(folds, lengths)


@lru_cache(maxsize=1)
def _powers() -> Hashes:
    with np.errstate(over="ignore"):
        return np.cumprod(np.full(_LONGEST_WORD + 1, 0x01000193, np.uint32), dtype=np.uint32) * (
            np.arange(_LONGEST_WORD + 1) < _LONGEST_WORD
        ).astype(np.uint32)
