"""Dumps read by hand -> labelled views of the same with furniture between their lines, and the headline twice.

On most pages furniture stands with furniture, so a model learns to judge a button by what is around it. Here it stands
where players, pop-ups and advertisements put it, within blocks of teasers and within the text, and the label of each
line is known: its own words must decide. The name of a site is such furniture too, whatever words it is made of. On a
third of the dumps the headline stands once more above itself.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from extractor.training.corpora import Dump, Source, dump_lines
from extractor.training.derivation import LabelledView, read_view

INTERRUPTED = "interrupted"
"""The converter that such a dump is listed under."""
_LONGEST = 25
"""Characters of a piece of furniture; of the name of a site, which may stand among it too."""
_SITES_AT_LEAST = 2
_BLOCK_AT_LEAST = 3
_SHARE = 0.9
_HEADLINE = (15, 160)
"""Characters of a headline."""


def interrupted_views(sources: Sequence[Source]) -> Iterator[LabelledView]:
    """A view for each of the sources that has a dump read by hand with a block of related-link lines."""
    pieces, names = furniture(sources), mastheads(sources)
    for source in sources:
        dump = interrupted_dump(source, pieces, names)
        if dump is not None:
            yield read_view(source, dump)


def furniture(sources: Iterable[Source]) -> list[list[str]]:
    """Short lines that were read as nav, nearly always, on dumps of several sites: of words, of signs, clock times."""
    sites: dict[str, set[str]] = {}
    total: dict[str, int] = {}
    nav: dict[str, int] = {}
    for source in sources:
        for text, label in _lines_read(source):
            if len(text) <= _LONGEST:
                total[text] = total.get(text, 0) + 1
                if label == "nav":
                    nav[text] = nav.get(text, 0) + 1
                    sites.setdefault(text, set()).add(source.site)
    found: list[list[str]] = [[], [], []]
    for text in sorted(sites):
        if len(sites[text]) >= _SITES_AT_LEAST and nav[text] >= _SHARE * total[text]:
            found[2 if re.search(r"\d:\d\d", text) else 0 if any(map(str.isalpha, text)) else 1].append(text)
    return [kind for kind in found if kind]


def mastheads(sources: Iterable[Source]) -> list[str]:
    """Short first lines that were read as header: what sites call themselves, mostly."""
    found: set[str] = set()
    for source in sources:
        for dump, labels in source.read_dumps:
            found.update(_masthead(dump_lines(dump.text), labels))
    return sorted(found)


def interrupted_dump(source: Source, pieces: Sequence[Sequence[str]], names: Sequence[str]) -> Dump | None:
    """One of the page's dumps read by hand, with the name of its site (or where it has none one of `names`, on half of
    such pages) and some of the pieces, each kind as often, within a block of related-link lines, and some anywhere
    else; None for a page without such a block. Which, follows from the page's id."""
    random = np.random.default_rng(zlib.crc32(source.id.encode()))
    blocks = [(dump, labels, block) for dump, labels in source.read_dumps for block in _related_blocks(labels)]
    if not blocks or not pieces:
        return None
    dump, labels, (first, last) = blocks[random.integers(len(blocks))]
    lines = dump.text.split("\n")
    places = [number for number, line in enumerate(lines) if line.strip()]
    name = _masthead([lines[places[0]]], labels)
    if not name and names and random.random() < 0.5:
        name = [names[int(random.integers(len(names)))]]
    within = first + 1 if random.random() < 0.5 else int(random.integers(first + 1, last))
    anywhere = int(random.integers(1, len(labels)))
    added = {
        anywhere: _drawn(pieces, random, 3),
        within: [*name, *_drawn(pieces, random, 5)],
    }
    headline = labels.index("body") if "body" in labels and random.random() < 1 / 3 else -1
    new_lines, new_labels = [], []
    before = 0
    for number, place in enumerate(places):
        blank = [""] * (number > 0 and place > places[number - 1] + 1)
        for piece in added.get(number, ()):
            new_lines += [*blank, piece]
            new_labels.append("nav")
        if number == headline and _is_headline(lines[place]):
            new_lines += [*blank, lines[place]]
            new_labels.append("header")
        new_lines += lines[before : place + 1]
        new_labels.append(labels[number])
        before = place + 1
    return Dump(INTERRUPTED, "\n".join(new_lines + lines[before:]), tuple(new_labels))


def _drawn(pieces: Sequence[Sequence[str]], random: np.random.Generator, at_most: int) -> list[str]:
    kinds = random.integers(len(pieces), size=random.integers(1, at_most + 1)).tolist()
    return [pieces[kind][int(random.integers(len(pieces[kind])))] for kind in kinds]


def _masthead(lines: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The first line, if it is a short header with a letter in it."""
    if lines and labels[0] == "header" and len(lines[0].strip()) <= _LONGEST and any(map(str.isalpha, lines[0])):
        return [lines[0].strip()]
    return []


def _is_headline(line: str) -> bool:
    return _HEADLINE[0] <= len(line.strip()) <= _HEADLINE[1] and line.strip()[-1] not in ".!:;。"


def _related_blocks(labels: Sequence[str]) -> Iterator[tuple[int, int]]:
    """First and last line of each run of related-link lines that is long enough."""
    first = 0
    for number in range(1, len(labels) + 1):
        if number == len(labels) or labels[number] != labels[first]:
            if labels[first] == "related-link" and number - first >= _BLOCK_AT_LEAST:
                yield first, number - 1
            first = number


def _lines_read(source: Source) -> Iterator[tuple[str, str]]:
    for dump, labels in source.read_dumps:
        yield from zip([line.strip() for line in dump_lines(dump.text)], labels, strict=True)
