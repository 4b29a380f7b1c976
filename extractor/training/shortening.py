"""Dumps read by hand -> labelled views of the same with most of their lines left out.

A page of two paragraphs and three teasers has little around any line: means over the page and what stands far above or
below say other things than on the pages of the shared corpora, most of which are long.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

import numpy as np

from extractor.training.corpora import Dump, Source
from extractor.training.derivation import LabelledView, read_view
from extractor.training.splicing import dump_of_lines, labelled_lines

SHORTENED = "shortened"
"""The converter that such a dump is listed under."""
_MOST_OF_BODY = 6
_MOST_OF_OTHERS = 4
"""Lines that stay of a run of lines of one label."""


def shortened_views(sources: Sequence[Source]) -> Iterator[LabelledView]:
    """A view for each of the sources that has a dump read by hand."""
    for source in sources:
        dump = shortened_dump(source)
        if dump is not None:
            yield read_view(source, dump)


def shortened_dump(source: Source) -> Dump | None:
    """One of the page's dumps read by hand, of every run of lines of one label only the first few, of one run of nav or
    header in three none; None for a page without such a dump. Which, follows from the page's id."""
    random = np.random.default_rng(zlib.crc32(f"shortened {source.id}".encode()))
    read = source.read_dumps
    if not read:
        return None
    dump, _ = read[random.integers(len(read))]
    lines: list[tuple[str, str]] = []
    for label, run in groupby(labelled_lines(dump), key=itemgetter(1)):
        kept = int(random.integers(1, (_MOST_OF_BODY if label == "body" else _MOST_OF_OTHERS) + 1))
        if label in ("nav", "header") and random.random() < 1 / 3:
            kept = 0
        lines += islice(run, kept)
    return dump_of_lines(SHORTENED, lines) if lines else None
