"""Two pages -> one that has the text of the first in the place of the text of the second."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from extractor.html import LANDMARK_BITS, TAG_CODES, MarkupPage
from extractor.training.alignment import tokenize
from extractor.training.corpora import Dump

SPLICED = "spliced"
"""The converter that such a dump is listed under."""
_LINE = re.compile(r"(?:[^\S\n]*\n)*[^\n]*\S[^\n]*")
"""A line that is not blank, behind all that are blank before it."""
_IN_COMMON = 0.7
"""Share of the words of a headline from which on a header line is a copy of it."""
_BITS_OF_CODE = {TAG_CODES[tag]: bits for tag, bits in LANDMARK_BITS.items() if tag in TAG_CODES}

_Item = TypeVar("_Item")


# --- dumps ------------------------------------------------------------------------------------------


def spliced_dump(inner: Dump, above: Dump, below: Dump) -> Dump:
    """The text of one dump, with what stands above the text of another and below that of a third; all are labelled and
    have body lines. Copies of the other headlines are left out; where both pages begin with a header line, as with the
    page's title, the text keeps its own.

    >>> menu = Dump("bs4", "Home\\n\\nOld\\n\\nShare\\n", ("nav", "body", "nav"))
    >>> spliced_dump(Dump("bs4", "Menu\\nNew\\nBy Ida", ("nav", "body", "header")), menu, menu)
    Dump(converter='spliced', text='Home\\nNew\\nBy Ida\\n\\nShare', labels=('nav', 'body', 'header', 'nav'))
    """
    text, upper, lower = map(_DumpText.of, (inner, above, below))
    lines = [*upper.above(), *text.lines[text.first : text.last], *lower.below()]
    if text.first and upper.first and text.lines[0][1] == upper.lines[0][1] == "header":
        lines = [text.lines[0], *(line for line in lines if line is not upper.lines[0])]
    return dump_of_lines(SPLICED, lines)


def labelled_lines(dump: Dump) -> list[tuple[str, str]]:
    """The lines of a labelled dump, each with the blank ones before it, and their labels."""
    texts = [line.removeprefix("\n") if number else line for number, line in enumerate(_LINE.findall(dump.text))]
    return list(zip(texts, dump.labels or (), strict=True))


def dump_of_lines(converter: str, lines: Sequence[tuple[str, str]]) -> Dump:
    """The dump that has such lines."""
    return Dump(converter, "\n".join(line for line, _ in lines), tuple(label for _, label in lines))


class _DumpText(NamedTuple):
    """A dump's lines, with the blank ones before each, and their labels; and which of them are its text: those from the
    first body line to the last, and header lines right around them, but for the first line of all."""

    lines: list[tuple[str, str]]
    first: int
    last: int
    headline: frozenset[str]
    """The words of the first body line."""

    @classmethod
    def of(cls, dump: Dump) -> _DumpText:
        labels, lines = dump.labels or (), labelled_lines(dump)
        first, last = labels.index("body"), len(labels) - labels[::-1].index("body")
        headline = frozenset(tokenize(lines[first][0]))
        while first > 1 and labels[first - 1] == "header":
            first -= 1
        while last < len(labels) and labels[last] == "header":
            last += 1
        return cls(lines, first, last, headline)

    def above(self) -> Iterator[tuple[str, str]]:
        return (line for line in self.lines[: self.first] if not self._copies_headline(*line))

    def below(self) -> Iterator[tuple[str, str]]:
        return (line for line in self.lines[self.last :] if not self._copies_headline(*line))

    def _copies_headline(self, text: str, label: str) -> bool:
        common = len(self.headline.intersection(tokenize(text)))
        return label == "header" and 0 < _IN_COMMON * len(self.headline) <= common


# --- HTML -------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A block of an HTML page and all blocks in it, and their lines."""

    blocks: slice
    lines: slice


def place_of(markup: MarkupPage, block: int) -> Place | None:
    """The place of a block: the blocks in it follow it. None where a line in it belongs to a block around it, as cells
    of a row do that are joined to one line."""
    end = block + 1
    while end < len(markup.parents) and markup.parents[end] >= block:
        end += 1
    lines = slice(markup.first_lines[block], markup.last_lines[block])
    return Place(slice(block, end), lines) if min(markup.blocks[lines], default=block) >= block else None


def spliced_markup(outer: MarkupPage, old: Place, inner: MarkupPage, new: Place) -> MarkupPage:
    """The one page with a block of another in the place of one of its own, neither of them its page's root. What the
    head says is that of the other, but for the site's name."""
    cues = dict(outer.cues)
    block_cues = [cues.setdefault(cue, len(cues)) for cue in inner.cues]
    inline_cues = [*block_cues]
    # lines without a class of their own have that of body or html
    inline_cues[_most_frequent(inner.inline_cues)] = _most_frequent(outer.inline_cues)
    more_blocks, more_lines = (_length(of_new) - _length(of_old) for of_old, of_new in zip(old, new, strict=True))
    block_shift, line_shift = old.blocks.start - new.blocks.start, old.lines.start - new.lines.start

    def of_lines(outer_values: list[_Item], inner_values: Iterable[_Item]) -> list[_Item]:
        return [*outer_values[: old.lines.start], *inner_values, *outer_values[old.lines.stop :]]

    def of_blocks(outer_values: list[int], inner_values: Iterable[int]) -> list[int]:
        return [*outer_values[: old.blocks.start], *inner_values, *outer_values[old.blocks.stop :]]

    def outer_blocks(numbers: list[int]) -> list[int]:
        return [number + more_blocks * (number >= old.blocks.stop) for number in numbers]

    def outer_lines(numbers: list[int]) -> list[int]:
        return [number + more_lines * (number > old.lines.start) for number in numbers]

    inner_parents = (number + block_shift for number in inner.parents[new.blocks][1:])
    parents = of_blocks(outer_blocks(outer.parents), (outer.parents[old.blocks.start], *inner_parents))
    tags = of_blocks(outer.tags, inner.tags[new.blocks])
    return MarkupPage(
        texts=of_lines(outer.texts, inner.texts[new.lines]),
        breaks=of_lines(outer.breaks, inner.breaks[new.lines]),
        blocks=of_lines(outer_blocks(outer.blocks), (number + block_shift for number in inner.blocks[new.lines])),
        link_characters=of_lines(outer.link_characters, inner.link_characters[new.lines]),
        strong_characters=of_lines(outer.strong_characters, inner.strong_characters[new.lines]),
        button_characters=of_lines(outer.button_characters, inner.button_characters[new.lines]),
        links=of_lines(outer.links, inner.links[new.lines]),
        inline_cues=of_lines(outer.inline_cues, (inline_cues[cue] for cue in inner.inline_cues[new.lines])),
        parents=parents,
        tags=tags,
        block_cues=of_blocks(outer.block_cues, (block_cues[cue] for cue in inner.block_cues[new.blocks])),
        landmarks=_landmarks(parents, tags),
        first_lines=of_blocks(outer_lines(outer.first_lines), (n + line_shift for n in inner.first_lines[new.blocks])),
        last_lines=of_blocks(outer_lines(outer.last_lines), (n + line_shift for n in inner.last_lines[new.blocks])),
        cues=cues,
        meta=_meta(outer.meta, inner.meta),
    )


def _most_frequent(cues: Sequence[int]) -> int:
    return Counter(cues).most_common(1)[0][0]


def _landmarks(parents: Sequence[int], tags: Sequence[int]) -> list[int]:
    """Which landmarks each block is or stands in."""
    found: list[int] = []
    for parent, tag in zip(parents, tags, strict=True):
        found.append((found[parent] if parent >= 0 else 0) | _BITS_OF_CODE.get(tag, 0))
    return found


def _meta(outer: dict[str, str], inner: dict[str, str]) -> dict[str, str]:
    site = {name: value for name, value in outer.items() if name == "og:site_name"}
    return {name: value for name, value in inner.items() if name != "og:site_name"} | site


def _length(part: slice) -> int:
    length: int = part.stop - part.start
    return length
