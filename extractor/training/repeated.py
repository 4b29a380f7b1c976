"""Views of pages -> their repetition columns, by tables as users will have them.

Half of the pages ask a table of their whole site, the others one of 20, 5 or 2 of its pages. HTML
and each converter's dumps are counted apart, as a user's folder is of one kind.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extractor.counting import PageLines
from extractor.repetition import RepetitionCounter, RepetitionTable
from extractor.repetition_features import columns_of_lines
from extractor.training.views import PageViews, View

_TABLES = (10**9, 10**9, 10**9, 10**9, 10**9, 20, 20, 5, 5, 2)
"""Most pages of a site that the table knows. One is taken by the hash of a page's id."""


class CountedPage(NamedTuple):
    """A page as a repetition table counts it."""

    id: str
    site: str
    converter: str
    lines: PageLines


def counted(view: View) -> CountedPage:
    """What is counted of a view."""
    return CountedPage(view.id, view.site, view.converter.removesuffix("-hand"), view.page_lines)


def add_repetition(pages: Iterable[PageViews], known: Iterable[CountedPage]) -> None:
    """Fill the repetition columns of all views from tables of the known pages."""
    by_converter: dict[str, list[CountedPage]] = defaultdict(list)
    for page in known:
        by_converter[page.converter].append(page)
    tables = {
        (converter, most): _table(of_converter, most)
        for converter, of_converter in by_converter.items()
        for most in set(_TABLES)
    }
    for view in (view for page in pages for view in page.all()):
        table = tables.get((counted(view).converter, _TABLES[zlib.crc32(view.id.encode()) // 8 % len(_TABLES)]))
        if table is not None and view.own.shape[1]:
            view.repetition = columns_of_lines(table, view.page_lines, [view.site])


def _table(pages: Sequence[CountedPage], most: int) -> RepetitionTable:
    taken: dict[str, set[str]] = defaultdict(set)
    with RepetitionCounter() as counter:
        for page in sorted(pages, key=lambda page: (zlib.crc32(page.id.encode()), page.id)):
            if len(taken[page.site] | {page.id}) <= most:
                taken[page.site].add(page.id)
                counter.add(page.lines, [page.site])
        return counter.finish(single=True)
