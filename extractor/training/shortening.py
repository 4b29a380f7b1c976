"""Dumps read by hand -> labelled views of some of their lines: of all runs a few, or what one cuts out of a page.

A page of two paragraphs and three teasers has little around any line: means over the page and what stands far above or
below say other things than on the pages of the shared corpora, most of which are long. And a text that was cleaned
before, or a few lines of one, have no furniture around them at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice
from operator import itemgetter

import numpy as np

from extractor.training.corpora import Dump, Source
from extractor.training.derivation import LabelledView, read_view
from extractor.training.splicing import dump_of_lines, labelled_lines

SHORTENED, EXCERPT = "shortened", "excerpt"
"""The converters that such dumps are listed under."""
_MOST_OF_BODY = 6
_MOST_OF_OTHERS = 4
"""Lines that stay of a run of lines of one label."""
_MOST_OF_EXCERPT = 12
"""Lines of an excerpt that is not the whole text."""
_TRUST_IN_EXCERPTS = 1 / 3
"""What their lines count, beside those of whole pages: they are many, as short pages count for more by line."""


def shortened_views(sources: Sequence[Source]) -> Iterator[LabelledView]:
    """Of each source that has a dump read by hand the views of a shortened dump and of an excerpt."""
    for source in sources:
        shortened, excerpt = shortened_dump(source), excerpt_dump(source)
        if shortened and excerpt:
            yield read_view(source, shortened)
            found = read_view(source, excerpt)
            yield replace(found, trust=found.trust * _TRUST_IN_EXCERPTS)


def shortened_dump(source: Source) -> Dump | None:
    """One of the page's dumps read by hand, of every run of lines of one label only the first few, of one run of nav or
    header in three none; None for a page without such a dump. Which, follows from the page's id."""
    random = _random(SHORTENED, source)
    lines: list[tuple[str, str]] = []
    for label, run in groupby(_lines_read(source, random), key=itemgetter(1)):
        kept = int(random.integers(1, (_MOST_OF_BODY if label == "body" else _MOST_OF_OTHERS) + 1))
        if label in ("nav", "header") and random.random() < 1 / 3:
            kept = 0
        lines += islice(run, kept)
    return dump_of_lines(SHORTENED, lines) if lines else None


def excerpt_dump(source: Source) -> Dump | None:
    """Of one of the page's dumps read by hand the body lines alone, in a third of the cases only a few that follow each
    other; of one page in four a few lines of whatever label. None for a page without such a dump. Which, follows from
    the page's id."""
    random = _random(EXCERPT, source)
    lines = _lines_read(source, random)
    text = [line for line in lines if line[1] == "body"]
    of_text = bool(text) and random.random() < 3 / 4
    chosen = text if of_text else lines
    if not of_text or random.random() < 1 / 3:
        length = int(random.integers(1, _MOST_OF_EXCERPT + 1))
        first = int(random.integers(max(len(chosen) - length, 0) + 1))
        chosen = chosen[first : first + length]
    return dump_of_lines(EXCERPT, chosen) if chosen else None


def _random(converter: str, source: Source) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{converter} {source.id}".encode()))


def _lines_read(source: Source, random: np.random.Generator) -> list[tuple[str, str]]:
    """The lines of one of the page's dumps read by hand; none where there is no such dump."""
    read = source.read_dumps
    return labelled_lines(read[random.integers(len(read))][0]) if read else []
