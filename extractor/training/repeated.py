"""Views of pages -> their repetition columns, by tables as users will have them.

Half of the pages ask a table of their whole site, others one of 20, 5 or 2 of its pages, and some a table that takes
a folder of unrelated pages for one site. HTML and each converter's dumps are counted apart, as a user's folder is of
one kind.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from extractor.repetition import RepetitionCounter, RepetitionTable
from extractor.repetition_features import columns_of_lines
from extractor.training.views import PageViews, View

_WHOLE, _FOLDER = 10**9, 0
_TABLES = (*(_WHOLE,) * 6, 20, 20, 5, 5, 2, _FOLDER, _FOLDER)
"""Most pages of a site that the table knows, or a folder of others. One is taken by the hash of a page's id."""
_FOLDERS = 40


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
                view.repetition = columns_of_lines(tables[most], view.page_lines, [_site(view, most)])


def _table(views: Sequence[View], most: int) -> RepetitionTable:
    taken: dict[str, set[str]] = defaultdict(set)
    with RepetitionCounter() as counter:
        for view in sorted(views, key=lambda view: (_number(view.id), view.id)):
            site = _site(view, most)
            if most == _FOLDER or len(taken[site] | {view.id}) <= most:
                taken[site].add(view.id)
                counter.add(view.page_lines, [site])
        return counter.finish(single=True)


def _site(view: View, most: int) -> str:
    """The site that a table takes a page to be of."""
    return f"folder {_number(view.id) % _FOLDERS}" if most == _FOLDER else view.site


def _number(page_id: str) -> int:
    return zlib.crc32(page_id.encode())
