"""Views of pages -> their repetition columns, by tables as users will have them.

Half of the pages ask a table of their whole site, others one of 20, 5 or 2 of its pages. HTML and each converter's
dumps are counted apart, as a user's folder is of one kind.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from extractor.repetition import RepetitionCounter, RepetitionTable
from extractor.repetition_features import columns_of_lines
from extractor.training.views import PageViews, View

_WHOLE = 10**9
_TABLES = (*(_WHOLE,) * 6, 20, 20, 5, 5, 2)
"""Most pages of a site that the table knows. One is taken by the hash of a page's id."""


def add_repetition(pages: Iterable[PageViews]) -> None:
    """Fill the repetition columns of all views from tables of these pages."""
    by_converter: dict[str, list[View]] = defaultdict(list)
    for view in (view for page in pages for view in page.all()):
        by_converter[view.converter.removesuffix("-hand")].append(view)
    for some in by_converter.values():
        tables = {most: _table(some, most) for most in set(_TABLES)}
        for view in some:
            most = _TABLES[_number(view.id) // 8 % len(_TABLES)]
            if view.own.shape[1]:
                view.repetition = columns_of_lines(tables[most], view.page_lines, [view.site])


def _table(views: Sequence[View], most: int) -> RepetitionTable:
    taken: dict[str, set[str]] = defaultdict(set)
    with RepetitionCounter() as counter:
        for view in sorted(views, key=lambda view: (_number(view.id), view.id)):
            if len(taken[view.site] | {view.id}) <= most:
                taken[view.site].add(view.id)
                counter.add(view.page_lines, [view.site])
        return counter.finish(single=True)


def _number(page_id: str) -> int:
    return zlib.crc32(page_id.encode())
