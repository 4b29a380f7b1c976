"""Which lines repeat across the pages of a site: pages in, a table out, and the table's answers about pages.

A first pass gives all pages to a RepetitionCounter; its RepetitionTable is read-only, so that what a second
pass learns from it depends neither on the order of pages nor on the number of workers. Copies of a page are
found first and counted as one page (see copies.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Integers, sum_runs
from extractor.copies import (
    FURNITURE_PAGES,
    FURNITURE_PART,
    SMALL_SITE,
    SMALLEST_SHARED,
    CopyFinder,
    FoundCopies,
)
from extractor.counting import (
    UNKNOWN,
    Keys,
    LineCounts,
    NumberedPages,
    PageLines,
    Units,
    count_lines,
    fingerprints,
    number_pages,
    shorten,
    site_hashes,
    site_keys,
    unite,
)
from extractor.long_lines import LONG_LINE, in_core, long_lines
from extractor.postings import Postings
from extractor.repetition_file import array_text, read_table, text_array, write_table
from extractor.stored_pages import page_arrays, read_stored, stored_arrays

Sites: TypeAlias = Sequence[str | None]

DEFAULT_MEMORY = 1 << 29
"""Bytes that counting may take beside its result."""
_HELD_PART = 5
"""Joining, ordering and writing take this many times the bytes of the rows."""
_PAGES_AT_ONCE = 2048
"""Pages of a table that are added together, so that merging takes no more memory than counting."""


class Repetition(NamedTuple):
    """What the table says of each line of some pages. The page itself and its copies are never counted in.

    pages: other pages of its site with the line. site_pages: other pages of its site in all, 0 if the site is
    unknown. sites: sites with the line, less one for the page's own (a page of unknown site is a site of its own,
    and the copies of one page are one site).
    """

    pages: Integers
    site_pages: Integers
    sites: Integers


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionTable:
    """In how many pages of a site, and on how many sites, a line stands. Safe to share between threads."""

    card: Mapping[str, Any]
    _arrays: Mapping[str, Array]
    _site_numbers: Mapping[str, int] = field(init=False)
    _site_hashes: Keys = field(init=False)

    def __post_init__(self) -> None:
        names = self.sites
        object.__setattr__(self, "_site_numbers", {name: number for number, name in enumerate(names)})
        object.__setattr__(self, "_site_hashes", site_hashes(names))

    @classmethod
    def open(cls, path: str | Path) -> RepetitionTable:
        """Read a table. TableError for a file that is missing, damaged, foreign or outdated."""
        return cls(*read_table(path))

    def save(self, path: str | Path) -> None:
        """Write the table, the same bytes for the same pages in any order. The folder must exist."""
        write_table(path, self.card, self._arrays)

    @classmethod
    def merge(cls, tables: Iterable[RepetitionTable], *, memory: int = DEFAULT_MEMORY) -> RepetitionTable:
        """The table of the pages of several, as if they had been counted together.

        ValueError for a table that was made without mergeable=True. The result can be merged again.
        """
        with RepetitionCounter(memory=memory, mergeable=True) as counter:
            for table in tables:
                counter.add_table(table)
            return counter.finish()

    @property
    def sites(self) -> tuple[str, ...]:
        """The names of all sites, ascending; the first is "", the unknown site."""
        return tuple(array_text(self._arrays["site_names"]))

    @property
    def pages_by_site(self) -> dict[str, int]:
        """Distinct pages of each site, "" for all of unknown site; 0 for a folder too small to be a site."""
        return dict(zip(self.sites, self._arrays["site_pages"].tolist(), strict=True))

    @property
    def mergeable(self) -> bool:
        """Whether the table holds its pages (as hashes), so that it can be merged."""
        return self.card["mergeable"] is True

    def look_up(self, lines: PageLines, sites: Sites) -> Repetition:
        """What the table says of the lines of some pages; sites: of each page, None for unknown.

        A page that was counted, and so is in the table, is taken off each of its lines' counts. So is one of
        which a copy was counted on its site (half of its core or more stands there, on few pages); that takes
        the lines that stand on one page only, see RepetitionCounter.finish().
        """
        page = lines.pages_of_lines()
        numbers, hashes = self._sites_of(sites)
        counted = self._places(fingerprints(lines), hashes)[1]
        known = np.where(numbers == UNKNOWN, 0, self._arrays["site_pages"].astype(np.int64)[numbers])
        short = shorten(lines.hashes)
        pages = np.where(known[page] > 0, self._count(site_keys(short, hashes[page]), ~counted[page]), 0)
        own = counted if counted.all() else counted | self._copied(lines, pages, known[page])
        site_count = np.maximum(_find(self._arrays["spread"], self._arrays["sites"], short) - 1, 0)
        return Repetition(np.maximum(pages - own[page], 0), np.maximum(known - own, 0)[page], site_count)

    def find_copies(self, lines: PageLines, sites: Sites) -> FoundCopies:
        """The groups of copies that these pages belong to; 0 for a page without copies or not in the table."""
        return self.find_copies_of(fingerprints(lines), sites)

    def find_copies_of(self, prints: Keys, sites: Sites) -> FoundCopies:
        """The same for pages of which only the fingerprints (see counting.py) are known."""
        place, counted = self._places(prints, self._sites_of(sites)[1])
        if not len(self._arrays["page_keys"]):
            return FoundCopies(np.zeros(len(place), np.int64), np.zeros(len(place), np.int64), counted)
        group = np.where(counted, self._arrays["page_groups"][place], 0).astype(np.int64)
        shared = np.where(group > 0, self._arrays["page_shared"][place], 0).astype(np.int64)
        return FoundCopies(group, shared, (group > 0) & self._arrays["page_fullest"][place])

    def stored_pages(self) -> tuple[PageLines, list[str], Integers, Keys]:
        """Lines, sites, times and fingerprints of the counted pages. ValueError if the table is not mergeable."""
        if not self.mergeable:
            raise ValueError("this table was built without its pages, so it cannot be merged; build it mergeable")
        return read_stored(self._arrays, self.sites)

    def _sites_of(self, sites: Sites) -> tuple[Integers, Keys]:
        """Number (UNKNOWN for one that the table has not) and hash of the site of each page."""
        numbers = np.array([self._site_numbers.get(site or "", UNKNOWN) for site in sites], np.int64)
        return numbers, self._site_hashes[numbers]

    def _places(self, prints: Keys, hashes: Keys) -> tuple[Integers, NDArray[np.bool_]]:
        """Where each page stands among the counted ones, and whether it is one of them."""
        keys, wanted = self._arrays["page_keys"], site_keys(prints, hashes)
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        return place, keys[place] == wanted if len(keys) else np.zeros(len(wanted), bool)

    def _count(self, keys: Keys, look_at_single: NDArray[np.bool_]) -> Integers:
        pages = _find(self._arrays["repeated"], self._arrays["pages"], keys)
        single = self._arrays["single"]
        unseen = np.flatnonzero(look_at_single & (pages == 0))
        if len(unseen) and len(single):
            pages[unseen] = single[np.minimum(np.searchsorted(single, keys[unseen]), len(single) - 1)] == keys[unseen]
        return pages

    def _copied(self, lines: PageLines, pages: Integers, known: Integers) -> NDArray[np.bool_]:
        """Whether a copy of each page was counted on its site, by the rule of copies.py for the core."""
        small = known <= SMALL_SITE
        furniture = ~small & (pages > FURNITURE_PAGES) & (pages * FURNITURE_PART > known)
        excess = np.maximum(lines.weights.astype(np.int64) - LONG_LINE, 0)
        core = excess * (in_core(lines.weights, lines.offsets) & ~furniture)
        parts = np.stack((core, np.where(small, excess, core)), axis=1)
        whole, shared = (sum_runs(sizes, lines.offsets) for sizes in (parts, parts * (pages > 0)[:, None]))
        half: NDArray[np.bool_] = (shared >= SMALLEST_SHARED) & (2 * shared >= whole)
        return half[:, 0] & half[:, 1]


class RepetitionCounter:
    """Counts the lines of pages, given in any order and in batches of any size.

    memory: bytes that counting may take beside its result; past them lines wait in a temporary file in
    `folder` (the system's own if None), 10 to 14 bytes a line. mergeable: keep the pages as hashes, another
    10 bytes a line, held in memory. Close it, or use it in a with statement.
    """

    def __init__(
        self, *, memory: int = DEFAULT_MEMORY, mergeable: bool = False, folder: str | Path | None = None
    ) -> None:
        held = max(memory // _HELD_PART, 1)
        self._lines = Postings((np.uint64, np.int32), held * 3 // 4, folder)
        self._long_lines = Postings((np.uint64, np.int32, np.uint16), held // 4, folder)
        self._stored: list[PageLines] | None = [] if mergeable else None
        self._site_numbers = {"": UNKNOWN}
        nothing = np.zeros(0, np.int64)
        self._pages: list[tuple[Integers, Integers, Keys]] = [(nothing, nothing, np.zeros(0, np.uint64))]
        self._page_count = 0

    def add(self, lines: PageLines, sites: Sites) -> None:
        """Add some pages; sites: of each page, None for unknown. A page without lines is not counted."""
        self._add(lines, sites, np.ones(len(sites), np.int64), fingerprints(lines))

    def add_table(self, table: RepetitionTable) -> None:
        """Add the pages of a table. ValueError for one that was made without mergeable=True."""
        lines, sites, times, prints = table.stored_pages()
        for first in range(0, len(sites), _PAGES_AT_ONCE):
            pages = slice(first, first + _PAGES_AT_ONCE)
            offsets = lines.offsets[first : first + _PAGES_AT_ONCE + 1]
            rows = slice(offsets[0], offsets[-1])
            part = PageLines(lines.hashes[rows], lines.weights[rows], offsets - offsets[0])
            self._add(part, sites[pages], times[pages], prints[pages])

    def finish(self, *, single: bool = True) -> RepetitionTable:
        """The table of all pages added so far; more may be added afterwards, and finish() called again.

        single: keep the lines that stand on one page of a site. Only pages that were not counted need them,
        and they are most of a table; leave them out of one that is used on its own pages.
        """
        names = sorted(self._site_numbers)
        ranks = np.empty(len(names), np.int64)
        ranks[[self._site_numbers[name] for name in names]] = np.arange(len(names))
        site, times = (np.concatenate([page[column] for page in self._pages]) for column in (0, 1))
        pages = number_pages(ranks[site], np.concatenate([page[2] for page in self._pages]), times)
        count = partial(count_lines, self._lines, pages.number, single=single)
        stored = None if self._stored is None else stored_arrays(self._stored, pages)
        return make_table(names, pages, partial(self._long_partitions, pages.number), count, stored, single=single)

    def close(self) -> None:
        """Forget everything and remove the temporary files."""
        self._lines.close()
        self._long_lines.close()

    def __enter__(self) -> RepetitionCounter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, lines: PageLines, sites: Sites, times: Integers, prints: Keys) -> None:
        numbers = self._site_numbers
        site = np.array([numbers.setdefault(name or "", len(numbers)) for name in sites], np.int64)
        filled = np.flatnonzero(np.diff(lines.offsets))
        page = np.empty(len(site), np.int32)
        page[filled] = np.arange(self._page_count, self._page_count + len(filled))
        page = page[lines.pages_of_lines()]
        self._pages.append((site[filled], times[filled], prints[filled]))
        self._page_count += len(filled)
        long, marked = long_lines(lines.weights, lines.offsets)
        self._lines.add(lines.hashes, page)
        self._long_lines.add(lines.hashes[long], page[long], marked)
        if self._stored is not None:
            self._stored.append(lines._replace(offsets=np.append(lines.offsets[filled], lines.offsets[-1])))

    def _long_partitions(self, number: Integers) -> Iterable[tuple[Array, ...]]:
        for hashes, page, marked in self._long_lines.partitions():
            yield hashes, number[page], marked


def make_table(
    names: Sequence[str],
    pages: NumberedPages,
    long_partitions: Callable[[], Iterable[tuple[Array, ...]]],
    count: Callable[[Units, Keys], LineCounts],
    stored: Mapping[str, Array] | None = None,
    *,
    single: bool,
) -> RepetitionTable:
    """The table of numbered pages; names: of the sites, ascending, the first "".

    long_partitions: as CopyFinder takes them. count: counts all lines, given the units of the pages and the hashes
    of the sites.
    """
    groups = CopyFinder(pages.site, pages.fingerprint, long_partitions).groups()
    units = unite(pages, groups, names)
    hashes = site_hashes(names)
    site_pages = np.bincount(units.site, minlength=len(names)).astype(np.uint32)
    arrays = {
        "site_names": text_array(names), "site_pages": site_pages,
        **page_arrays(pages, groups, hashes), **count(units, hashes)._asdict(), **(stored or {}),
    }  # fmt: skip
    card = {"pages": int(pages.times.sum()), "distinct_pages": len(units.site), "single": single}
    return RepetitionTable({**card, "mergeable": stored is not None}, arrays)


def _find(keys: Keys, values: Array, wanted: Keys) -> Integers:
    """The values of the wanted keys, 0 for those that are not there; keys ascend."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0).astype(np.int64)
