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

from extractor.words import Words, read_words

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
_NARROW = 0x100
"""Code points below fit a byte, and so do their folded forms."""
_ORDER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
"""What a word's hash is multiplied by, by its place in the line: so many times the first, and the second."""


class TextBatch(NamedTuple):
    """The non-blank lines of some pages.

    texts: those of the pages; text_starts: where each begins among the characters of all, each with a line break
    behind it. page_offsets: (pages + 1). Of lines: page, number (from 1, blank ones count), start and end (among the
    characters of all, the line break left out), counts (lines x CLASSES characters), first and last visible
    character class, indent (characters before the first visible one), whether it ends in an ellipsis, wide
    gaps and clock times in it, blank lines before and after it.
    Of words: line, length, first class, hash (case folded, digits as 0); word_offsets (lines + 1).
    line_hashes: 64 bits of each line's words, case and digits folded; of its signs where it has no words.
    """

    texts: Sequence[str]
    text_starts: Integers
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
        return [
            self.texts[page][start:end].removesuffix("\r")
            for page, start, end in zip(
                self.page[first:last].tolist(),
                (self.start[first:last] - self.text_starts[self.page[first:last]]).tolist(),
                (self.end[first:last] - self.text_starts[self.page[first:last]]).tolist(),
                strict=True,
            )
        ]

    def places(self, page: int) -> tuple[Integers, Integers]:
        """Where the lines of a page begin and end in its text."""
        lines = slice(*self.page_offsets[page : page + 2].tolist())
        return self.start[lines] - self.text_starts[page], self.end[lines] - self.text_starts[page]


def read_texts(texts: Sequence[str]) -> TextBatch:
    """The lines and words of some pages' texts, whose lines are separated by "\n"."""
    codes, classes, letters = _read_characters(texts)
    breaks = np.flatnonzero(classes == CharacterClass.NEWLINE)
    starts = np.concatenate(([0], breaks[:-1] + 1)) if breaks.size else breaks
    lengths = np.array([len(text) + 1 for text in texts], np.int64)
    text_ends = np.cumsum(lengths)
    lines_by_page = np.searchsorted(breaks, text_ends - 1) + 1 if len(texts) else text_ends

    # one comparison of 8-bit values for two: classes below the first wrap around
    visible = (classes - np.uint8(CharacterClass.SPACE)) > CharacterClass.NEWLINE - CharacterClass.SPACE
    runs = _runs(visible)
    seen = np.searchsorted(runs.starts, np.append(starts, len(codes)))
    shown = np.flatnonzero(seen[1:] > seen[:-1])
    page_offsets = np.concatenate(([0], np.searchsorted(shown, lines_by_page)))
    page = np.repeat(np.arange(len(texts)), run_lengths(page_offsets))
    first_line = np.concatenate(([0], lines_by_page))[page]
    start, end = starts[shown], breaks[shown]
    first_visible, last_visible = runs.starts[seen[shown]], runs.ends[seen[shown + 1] - 1] - 1
    blank_before, blank_after = _blank_lines(shown, page_offsets, first_line, lines_by_page[page])

    words = _read_words(classes, letters)
    word_offsets = np.append(np.searchsorted(words.start, start), len(words.start))
    gaps, clock_times = _pair_counts(classes, first_visible, end)
    return TextBatch(
        texts=texts, text_starts=text_ends - lengths,
        page_offsets=page_offsets, page=page, number=shown - first_line + 1,
        start=start, end=end, counts=_class_counts(classes, shown, starts, breaks),
        first_class=classes[first_visible], last_class=classes[last_visible], indent=first_visible - start,
        ellipsis=_ellipsis(codes, classes, last_visible), gaps=gaps, clock_times=clock_times,
        blank_before=blank_before, blank_after=blank_after,
        word_line=np.repeat(np.arange(len(shown)), run_lengths(word_offsets)), word_length=words.length,
        word_class=classes.take(words.start), word_hash=words.hash, word_offsets=word_offsets,
        line_hashes=_line_hashes(words.hash, word_offsets, codes, classes, start, end),
    )  # fmt: skip


def read_word_hashes(texts: Sequence[str], *, names: bool = False) -> tuple[Hashes, Integers]:
    """The hashes of the words of some texts, and where those of each begin (texts + 1).

    names: a capital letter after a small one or a digit begins a word, as in camelCase.
    """
    codes, classes, letters = _read_characters(["\n".join(texts)])
    anew = None
    if names:
        small = ((codes >= ord("a")) & (codes <= ord("z"))) | ((codes >= ord("0")) & (codes <= ord("9")))
        anew = (codes >= ord("A")) & (codes <= ord("Z"))
        anew[1:] &= small[:-1]
        anew[:1] = False
    words = _read_words(classes, letters, anew)
    bounds = np.concatenate(([0], np.cumsum([len(text) + 1 for text in texts], dtype=np.int64)))
    return words.hash, np.searchsorted(words.start, bounds)


def _read_words(classes: Bytes, letters: Hashes, anew: NDArray[np.bool_] | None = None) -> Words:
    inside = (classes - np.uint8(CharacterClass.LOWER)) <= CharacterClass.DIGIT - CharacterClass.LOWER
    return read_words(letters, inside, classes == CharacterClass.UNSPACED, anew)


def run_lengths(offsets: Integers) -> Integers:
    """offsets[i + 1] - offsets[i]: np.diff() takes several times as long for a page alone."""
    lengths: Integers = offsets[1:] - offsets[:-1]
    return lengths


def sum_runs(values: Array, offsets: Integers) -> Array:
    """Sums of values[offsets[i]:offsets[i + 1]], 0 for an empty run. Rows are summed down the first axis."""
    full = offsets[1:] > offsets[:-1]
    if len(full) and full.all():
        return np.add.reduceat(values[: offsets[-1]], offsets[:-1], axis=0)
    sums = np.zeros((len(full), *values.shape[1:]), values.dtype)
    filled = np.flatnonzero(full)
    if filled.size:
        sums[filled] = np.add.reduceat(values[: offsets[-1]], offsets[filled], axis=0)
    return sums


def count_runs(marked: NDArray[np.bool_], offsets: Integers) -> Integers:
    """How many of marked[offsets[i]:offsets[i + 1]] are true."""
    totals = np.zeros(len(marked) + 1, np.int64)
    np.cumsum(marked, out=totals[1:])
    return run_lengths(totals.take(offsets))


class _Runs(NamedTuple):
    """Where runs of characters of one kind begin, and end (half open)."""

    starts: Integers
    ends: Integers


def _runs(marked: NDArray[np.bool_]) -> _Runs:
    """Runs of marked characters; the last must not be marked."""
    edges = np.flatnonzero(marked[1:] != marked[:-1]) + 1
    if len(marked) and marked[0]:
        edges = np.concatenate(([0], edges))
    return _Runs(edges[::2], edges[1::2])


def _read_characters(texts: Sequence[str]) -> tuple[Hashes, Bytes, Hashes]:
    """Code points of some texts, each with a "\n" behind it, their classes, and what they count for in a word's hash.

    bytes.translate() looks up twice as many characters in the same time as NumPy, but only those of one byte; the
    others, few in most batches, follow.
    """
    classes_of, letters_of = _tables()
    # one by one: to join texts of characters of one byte with others is to widen them
    encoded = [text.encode("utf-32-le", "surrogatepass") for text in texts]
    codes: Hashes = np.frombuffer("\n".encode("utf-32-le").join([*encoded, b""]), np.uint32)
    narrow = codes.astype(np.uint8).tobytes()
    classes: Bytes = np.frombuffer(bytearray(narrow.translate(classes_of[:_NARROW].tobytes())), np.uint8)
    letters = np.frombuffer(narrow.translate(letters_of[:_NARROW].astype(np.uint8).tobytes()), np.uint8).astype(
        np.uint32
    )
    wide = np.flatnonzero(codes >= _NARROW)
    if wide.size:
        found = np.minimum(codes.take(wide), np.uint32(LIMIT))
        classes[wide], letters[wide] = classes_of.take(found), letters_of.take(found)
    return codes, classes, letters


def _class_counts(classes: Bytes, shown: Integers, starts: Integers, breaks: Integers) -> NDArray[np.int32]:
    """How many characters of each class stand on each non-blank line; white space is not counted."""
    numbers = np.full(len(starts), len(shown) * CLASSES)
    numbers[shown] = np.arange(len(shown)) * CLASSES
    keys = np.repeat(numbers, breaks - starts + 1)
    keys += classes
    counts = np.bincount(keys, minlength=(len(shown) + 1) * CLASSES)[: len(shown) * CLASSES]
    table = counts.reshape(len(shown), CLASSES).astype(np.int32, order="F")  # read class by class
    table[:, [CharacterClass.SPACE, CharacterClass.NEWLINE]] = 0
    return table


def _pair_counts(classes: Bytes, first_visible: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Runs of white space inside a line (as between columns), and places like the middle of 12:30."""
    space = classes == CharacterClass.SPACE
    wide = np.flatnonzero((space[2:] & space[1:-1]) > space[:-2]) + 1 if len(classes) > 2 else np.zeros(0, np.int64)
    colon = np.flatnonzero(classes == CharacterClass.COLON)
    colon = colon[(colon > 0) & (colon + 1 < len(classes))]
    digits = (classes[colon - 1] == CharacterClass.DIGIT) & (classes[colon + 1] == CharacterClass.DIGIT)
    return _places_in_lines(wide, first_visible, end), _places_in_lines(colon[digits], first_visible, end)


def _places_in_lines(places: Integers, first_visible: Integers, end: Integers) -> Integers:
    """How many of some places, in order, stand on each line after its first visible character."""
    return np.searchsorted(places, end) - np.searchsorted(places, first_visible, "right")


def _ellipsis(codes: Hashes, classes: Bytes, last: Integers) -> NDArray[np.bool_]:
    two = (classes[last] == CharacterClass.SENTENCE_END) & (classes[last - 1] == CharacterClass.SENTENCE_END)
    ends: NDArray[np.bool_] = (codes[last] == ord("…")) | (two & (last > 0))
    return ends


def _line_hashes(
    hashes: Hashes, offsets: Integers, codes: Hashes, classes: Bytes, start: Integers, end: Integers
) -> NDArray[np.uint64]:
    """Words in their order; in lines without words, the signs as a bag."""
    counts = run_lengths(offsets)
    weights = np.arange(counts.max(initial=0), dtype=np.uint64) * _ORDER[0] + _ORDER[1]
    place = np.arange(len(hashes)) - np.repeat(offsets[:-1], counts)
    spread = (hashes.astype(np.uint64) + np.uint64(1)) * weights.take(place)
    spread ^= spread >> np.uint64(29)
    found = sum_runs(spread, offsets)
    wordless = np.flatnonzero(counts == 0)
    lengths = end[wordless] - start[wordless]
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    signs = np.arange(bounds[-1]) + np.repeat(start[wordless] - bounds[:-1], lengths)
    spread = (codes.take(signs).astype(np.uint64) + np.uint64(7)) * np.uint64(0xA24BAED4963EE407)
    spread[classes.take(signs) < CharacterClass.SENTENCE_END] = 0
    found[wordless] = sum_runs(spread, bounds)
    found ^= found >> np.uint64(32)
    found *= np.uint64(0xD6E8FEB86659FD93)
    hashes_of_lines: NDArray[np.uint64] = found ^ (found >> np.uint64(32))
    return hashes_of_lines


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
def _tables() -> tuple[Bytes, Hashes]:
    """Class of each code point up to LIMIT, and what it counts for in a word's hash: its folded form."""
    from pathlib import Path  # not loaded by what only imports this package

    path = Path(__file__).with_name("character_classes.npy")
    starts, classes, folds = np.load(path, allow_pickle=False)
    lengths = np.diff(starts, append=LIMIT + 1)
    folded = np.arange(LIMIT + 1, dtype=np.int32) + np.repeat(folds, lengths)
    return np.repeat(classes.astype(np.uint8), lengths), folded.view(np.uint32)
