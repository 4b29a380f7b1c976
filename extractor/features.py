"""Lines of many pages -> a matrix of 8-bit columns, one row a named feature, one column a line.

The table FEATURES is the documentation: name, group, and the function that fills it. A line's own columns
are here; what its neighbours and its page add is in context.py, what HTML adds in markup.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, TextBatch, count_runs, run_lengths, sum_runs
from extractor.characters import CharacterClass as C
from extractor.equal_lines import equal_lines
from extractor.quantise import capped, logarithm, share
from extractor.wording import WordingTable

FEATURES_VERSION = 6
"""Raised with every change of what a column holds; a model of another version is refused."""

CLASS_NAMES = ("headline", "body", "header", "nav", "related")
"""What the classifier tells apart: the headline is body that has a place of its own."""
PROSE_CHARACTERS = 80
WRAP_WIDTHS = (60, 140)
WORD_SLOTS = 1 << 12
"""Slots a page for its words: equal words have the same one, others seldom."""
_SLOT_SHIFT = np.uint32(20)


def word_slots(hashes: Hashes, counts: Integers, pages: Integers) -> Integers:
    """The slots of words in runs, each as long as its count says and of the page that is given for it."""
    slots: Integers = np.repeat(pages * WORD_SLOTS, counts) + (hashes >> _SLOT_SHIFT)
    return slots


class Copies(NamedTuple):
    """For each line: how many lines of its page read the same, and how far off the next ones stand."""

    number: Integers
    above: Integers
    """Distance in lines to the copy above; 0 for none."""
    below: Integers
    rank: Integers


def find_copies(batch: TextBatch) -> Copies:
    """Lines of equal hash on the same page."""
    n = len(batch.page)
    order, begins = equal_lines(batch.line_hashes, batch.page)
    group = np.cumsum(begins) - 1
    starts = np.flatnonzero(begins)
    sizes = np.diff(starts, append=n)
    same = ~begins
    count, above, below, rank = (np.zeros(n, np.int64) for _ in range(4))
    count[order] = sizes.take(group)
    rank[order] = np.arange(n) - starts.take(group)
    later, earlier = order[1:][same[1:]], order[:-1][same[1:]]
    above[later], below[earlier] = later - earlier, later - earlier
    return Copies(count, above, below, rank)


class Lines:
    """A batch of lines as the features see it: counts by line, facts of blocks and pages, all integers."""

    def __init__(self, batch: TextBatch) -> None:
        self.batch = batch
        counts = batch.counts
        self.characters = counts.sum(axis=1)
        self.letters = counts[:, C.LOWER : C.UNSPACED + 1].sum(axis=1)
        self.unspaced = counts[:, C.UNSPACED]
        self.words = run_lengths(batch.word_offsets)
        # a character of Chinese or Thai says as much as two or three of Latin script
        self.weight = self.characters + self.unspaced + self.unspaced // 2
        self.sentence_ends = counts[:, C.SENTENCE_END]
        self.page_lines = run_lengths(batch.page_offsets)
        self.place = np.arange(len(batch.page)) - batch.page_offsets[batch.page]
        self.copies = find_copies(batch)
        self._find_blocks()
        self._find_prose()
        self.alike = self._find_alike()

    def of_page(self, values: Array) -> Array:
        """One value a page -> one a line."""
        return values[self.batch.page]

    def by_page(self, values: Array) -> Array:
        """One value a line -> sums, one a page."""
        return sum_runs(values.astype(np.int64), self.batch.page_offsets)

    @cached_property
    def word_slots(self) -> Integers:
        """The slot of each word."""
        return word_slots(self.batch.word_hash, self.words, self.batch.page)

    def taken(self, slots: Integers) -> NDArray[np.bool_]:
        """Which slots of all pages, (pages * WORD_SLOTS), are among the given ones."""
        found = np.zeros(len(self.page_lines) * WORD_SLOTS, bool)
        found[slots] = True
        return found

    @cached_property
    def shared_words(self) -> Integers:
        """How many words of each line the first line of its page holds: in many dumps that is the page's title."""
        in_first_line = self.taken(self.word_slots[np.repeat(self.place == 0, self.words)])
        shared: Integers = count_runs(in_first_line.take(self.word_slots), self.batch.word_offsets)
        return shared

    def _find_blocks(self) -> None:
        """Blocks are runs of lines with no blank line between them."""
        batch = self.batch
        begins = (batch.blank_before > 0) | (self.place == 0)
        starts = np.flatnonzero(begins)
        self.block = np.cumsum(begins) - 1
        self.block_offsets = np.append(starts, len(begins))
        self.block_lines = run_lengths(self.block_offsets)[self.block] if len(begins) else self.block
        self.block_place = np.arange(len(begins)) - self.block_offsets[self.block]
        self.block_weight = self._by_block(self.weight)
        self.block_sentences = self._by_block(self.sentence_ends)

    def _find_alike(self) -> Alike:
        """Lines are alike when they differ by less than three times in length and end and begin alike."""
        batch = self.batch
        shape = np.stack([self.prose, self.sentence_ends > 0, batch.blank_before > 0, batch.first_class == C.BULLET])
        size = logarithm(self.weight).astype(np.int64)
        same = (shape[:, 1:] == shape[:, :-1]).all(axis=0)
        same &= (abs(size[1:] - size[:-1]) <= 24) & (batch.indent[1:] == batch.indent[:-1])
        begins = self.place == 0
        begins[1:] |= ~same
        starts = np.flatnonzero(begins)
        run = np.cumsum(begins) - 1
        offsets = np.append(starts, len(begins))
        sizes = run_lengths(offsets)
        weight = sum_runs(self.weight.astype(np.int64), offsets) // np.maximum(sizes, 1)
        return Alike(sizes[run], np.arange(len(begins)) - offsets[run], weight[run])

    def _by_block(self, values: Array) -> Integers:
        sums: Integers = sum_runs(values.astype(np.int64), self.block_offsets)[self.block]
        return sums

    def _find_prose(self) -> None:
        long_line = (self.weight >= PROSE_CHARACTERS) & (self.sentence_ends > 0)
        in_paragraph = (
            (self.weight >= PROSE_CHARACTERS // 2)
            & (self.block_weight >= 2 * PROSE_CHARACTERS)
            & (self.block_sentences > 1)
            & (self.block_weight >= self.block_lines * PROSE_CHARACTERS // 2)
        )
        self.prose = long_line | in_paragraph
        self.prose_weight = np.where(self.prose, self.weight, 0)


class Alike(NamedTuple):
    """The run of lines of like shape that a line stands in: its lines, the place in it, its mean weight."""

    lines: Integers
    place: Integers
    weight: Integers


def _first_word_share(lines: Lines, wanted: Callable[[Bytes], Array]) -> Bytes:
    return share(count_runs(wanted(lines.batch.word_class), lines.batch.word_offsets), lines.words)


def _capitalised(lines: Lines) -> Bytes:
    return _first_word_share(lines, lambda kinds: kinds == C.UPPER)


def _longest_word(lines: Lines) -> Bytes:
    offsets, longest = lines.batch.word_offsets, np.zeros(len(lines.words), np.int64)
    filled = lines.words > 0
    if filled.any():
        longest[filled] = np.maximum.reduceat(lines.batch.word_length, offsets[:-1][filled])
    return capped(longest * 4)


def _count(kind: int) -> Callable[[Lines], Bytes]:
    return lambda lines: logarithm(lines.batch.counts[:, kind])


def _share(first: int, last: int | None = None) -> Callable[[Lines], Bytes]:
    """Share of the characters of a class, or of all from one class to another."""
    kinds = slice(first, (last or first) + 1)
    return lambda lines: share(lines.batch.counts[:, kinds].sum(axis=1), lines.characters)


def _page_share(values: Callable[[Lines], Array], of: Callable[[Lines], Array]) -> Callable[[Lines], Bytes]:
    return lambda lines: lines.of_page(share(lines.by_page(values(lines)), lines.by_page(of(lines))))


def _share_of_lines(chosen: Callable[[Lines], Array]) -> Callable[[Lines], Bytes]:
    return lambda lines: lines.of_page(share(lines.by_page(chosen(lines)), lines.page_lines))


def _weight_before(lines: Lines) -> Integers:
    """Weight of the page's lines above this one."""
    total: Integers = np.concatenate(([0], np.cumsum(lines.weight, dtype=np.int64)))
    above: Integers = total[:-1] - lines.of_page(total[lines.batch.page_offsets[:-1]])
    return above


def _longest_line(lines: Lines) -> Array:
    """The length that nearly all lines of a hard-wrapped page stay within, one a page; 0 if it is not wrapped."""
    length = lines.batch.end - lines.batch.start
    wide = (length > WRAP_WIDTHS[0]) & (length <= WRAP_WIDTHS[1])
    longest = np.zeros(len(lines.page_lines), np.int64)
    np.maximum.at(longest, lines.batch.page[wide], length[wide])
    too_long = lines.by_page(length > WRAP_WIDTHS[1])
    return np.where(too_long * 20 <= lines.by_page(wide), longest, 0)


def _to_wrap(lines: Lines) -> Bytes:
    """How near the line comes to the width at which its page is wrapped; 0 on pages that are not."""
    width = lines.of_page(_longest_line(lines))
    return np.where(width > 0, share(lines.batch.end - lines.batch.start, width), 0).astype(np.uint8)


def _overlap_with_prose(lines: Lines) -> Bytes:
    """Share of the words of a line that the page's prose holds too: a headline's are, a teaser's are not."""
    batch = lines.batch
    long_words = (batch.word_length >= 4) | (batch.word_class == C.UNSPACED)
    in_prose = lines.taken(lines.word_slots[np.repeat(lines.prose, lines.words) & long_words])
    hits = count_runs(in_prose.take(lines.word_slots) & long_words, batch.word_offsets)
    counted = count_runs(long_words, batch.word_offsets)
    return np.where(lines.prose, 255, share(hits, counted)).astype(np.uint8)


def _first_line_recall(lines: Lines) -> Bytes:
    """Words of a line that the first line holds, against all words of the first line; a word that the line repeats
    counts again."""
    first_words = lines.by_page(np.where(lines.place == 0, lines.words, 0))
    return share(lines.shared_words, lines.of_page(first_words))


class Feature(NamedTuple):
    """One named column: what it is called, which group it belongs to, how it is filled from the lines."""

    name: str
    group: str
    fill: Callable[[Lines], Bytes]


FEATURES: tuple[Feature, ...] = (
    Feature("characters", "size", lambda lines: logarithm(lines.characters)),
    Feature("weight", "size", lambda lines: logarithm(lines.weight)),
    Feature("words", "size", lambda lines: logarithm(lines.words)),
    Feature("mean_word", "size", lambda lines: capped(lines.letters * 16 // np.maximum(lines.words, 1))),
    Feature("longest_word", "size", _longest_word),
    Feature("unspaced", "script", _share(C.UNSPACED)),
    Feature("uncased", "script", _share(C.UNCASED)),
    Feature("upper", "case", lambda lines: share(lines.batch.counts[:, C.UPPER], lines.letters)),
    Feature("capitalised", "case", _capitalised),
    Feature("digits", "signs", _share(C.DIGIT)),
    Feature("number_words", "signs", lambda lines: _first_word_share(lines, lambda kinds: kinds == C.DIGIT)),
    Feature("clock_times", "signs", lambda lines: capped(lines.batch.clock_times)),
    Feature("signs", "signs", _share(C.SENTENCE_END, C.SYMBOL)),
    Feature("sentence_ends", "signs", _count(C.SENTENCE_END)),
    Feature("sentence_length", "signs", lambda lines: logarithm(lines.words // (lines.sentence_ends + 1))),
    Feature("commas", "signs", _count(C.COMMA)),
    Feature("colons", "signs", _count(C.COLON)),
    Feature("quotes", "signs", _count(C.QUOTE)),
    Feature("brackets", "signs", _count(C.BRACKET)),
    Feature("dashes", "signs", _count(C.DASH)),
    Feature("pipes", "signs", _count(C.PIPE)),
    Feature("copyright", "signs", _count(C.COPYRIGHT)),
    Feature("at_signs", "signs", _count(C.AT)),
    Feature("currency", "signs", _count(C.CURRENCY)),
    Feature("slashes", "signs", _count(C.SLASH)),
    Feature("arrows", "signs", _count(C.ARROW)),
    Feature("bullets", "signs", _count(C.BULLET)),
    Feature("code_signs", "signs", _count(C.CODE)),
    Feature("symbols", "signs", _count(C.SYMBOL)),
    Feature("first_class", "signs", lambda lines: lines.batch.first_class),
    Feature("last_class", "signs", lambda lines: lines.batch.last_class),
    Feature("ellipsis", "signs", lambda lines: capped(lines.batch.ellipsis)),
    Feature("indent", "layout", lambda lines: capped(lines.batch.indent * 4)),
    Feature("gaps", "layout", lambda lines: capped(lines.batch.gaps)),
    Feature("blank_before", "layout", lambda lines: capped(lines.batch.blank_before)),
    Feature("blank_after", "layout", lambda lines: capped(lines.batch.blank_after)),
    Feature("block_lines", "layout", lambda lines: logarithm(lines.block_lines)),
    Feature("block_place", "layout", lambda lines: logarithm(lines.block_place)),
    Feature("block_rest", "layout", lambda lines: logarithm(lines.block_lines - lines.block_place - 1)),
    Feature("block_weight", "layout", lambda lines: logarithm(lines.block_weight)),
    Feature("block_line_weight", "layout", lambda lines: logarithm(lines.block_weight // lines.block_lines)),
    Feature("block_sentences", "layout", lambda lines: logarithm(lines.block_sentences)),
    Feature("to_wrap", "layout", _to_wrap),
    Feature("prose", "layout", lambda lines: capped(lines.prose * 255)),
    Feature("alike_lines", "layout", lambda lines: logarithm(lines.alike.lines)),
    Feature("alike_place", "layout", lambda lines: logarithm(lines.alike.place)),
    Feature("alike_weight", "layout", lambda lines: logarithm(lines.alike.weight)),
    Feature("copies", "repetition", lambda lines: logarithm(lines.copies.number)),
    Feature("copy_above", "repetition", lambda lines: logarithm(lines.copies.above)),
    Feature("copy_below", "repetition", lambda lines: logarithm(lines.copies.below)),
    Feature("copy_rank", "repetition", lambda lines: logarithm(lines.copies.rank)),
    Feature("overlap", "repetition", _overlap_with_prose),
    Feature("first_line_precision", "repetition", lambda lines: share(lines.shared_words, lines.words)),
    Feature("first_line_recall", "repetition", _first_line_recall),
    Feature("place", "place", lambda lines: logarithm(lines.place)),
    Feature("rest", "place", lambda lines: logarithm(lines.of_page(lines.page_lines) - lines.place - 1)),
    Feature("place_share", "place", lambda lines: share(lines.place, lines.of_page(lines.page_lines))),
    Feature("weight_above", "place", lambda lines: logarithm(_weight_before(lines) // 4)),
    Feature(
        "weight_above_share",
        "place",
        lambda lines: share(_weight_before(lines), lines.of_page(lines.by_page(lines.weight))),
    ),
    Feature("page_lines", "page", lambda lines: lines.of_page(logarithm(lines.page_lines))),
    Feature("page_weight", "page", lambda lines: lines.of_page(logarithm(lines.by_page(lines.weight) // 4))),
    Feature("page_prose", "page", _page_share(lambda lines: lines.prose_weight, lambda lines: lines.weight)),
    Feature("page_prose_lines", "page", lambda lines: lines.of_page(logarithm(lines.by_page(lines.prose)))),
    Feature("page_blanks", "page", _share_of_lines(lambda lines: lines.batch.blank_before > 0)),
    Feature("page_bullets", "page", _share_of_lines(lambda lines: lines.batch.first_class == C.BULLET)),
    Feature("page_indents", "page", _share_of_lines(lambda lines: lines.batch.indent > 0)),
    Feature("page_unspaced", "page", _page_share(lambda lines: lines.unspaced, lambda lines: lines.characters)),
    Feature(
        "page_uncased",
        "page",
        _page_share(lambda lines: lines.batch.counts[:, C.UNCASED], lambda lines: lines.characters),
    ),
    Feature("page_copies", "page", _share_of_lines(lambda lines: lines.copies.number > 1)),
    Feature("page_wrap", "page", lambda lines: lines.of_page(capped(_longest_line(lines)))),
)  # fmt: skip

OWN_NAMES: tuple[str, ...] = (
    *(feature.name for feature in FEATURES),
    *(f"wording_{name}" for name in CLASS_NAMES),
)


REPETITION_NAMES: tuple[str, ...] = (
    "repeated_share", "repeated_pages", "repeated_sites", "site_pages", "site_known", "repeated_run_lines",
    "repeated_run_weight",
)  # fmt: skip
"""What a repetition table adds; all zero without one (see repetition_features.py)."""


def own_columns(
    batch: TextBatch, wording: WordingTable, tokens: tuple[Hashes, Integers], lines: Lines | None = None
) -> Bytes:
    """A line's own columns, (len(OWN_NAMES), lines) in 8 bits; tokens: those of wording.line_tokens(); lines: those of
    the batch, where known."""
    lines = lines or Lines(batch)
    columns = np.empty((len(OWN_NAMES), len(batch.page)), np.uint8)
    for row, feature in enumerate(FEATURES):
        columns[row] = feature.fill(lines)
    columns[len(FEATURES) :] = wording.score(*tokens)
    return columns
