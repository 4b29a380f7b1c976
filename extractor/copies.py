"""Pages that share most of their body: the long lines of all pages in, groups of copies out.

A copy is the same article twice on one site (print view, second crawl) or on several sites (syndication).
Only long lines tell, each by the characters it has over LONG_LINE, so that prose outweighs headlines. A line
that stands on many pages of a site is its furniture and tells nothing. The core of a page is its run of lines
with most prose. Two pages are copies if what they share is at least half of the core of either, or half of
the telling lines of either; between pages of one small site, where counting cannot tell furniture, half of the
core and half of all long lines, furniture or not. Pages with equal lines are copies. Groups are what such
pairs connect.

Every line links the pages it stands on to the first and to the next of them, in an order that depends on the
pages alone; the links of a pair, added up, say which pairs to compare. So time is linear in the lines and
nothing depends on the order of the input. What it gets wrong:

- missed: copies with other line breaks (another converter, hard wrapping), with most of the text edited, or
  with hardly any line longer than LONG_LINE;
- missed: versions of one page that are more than a third of a site of over SMALL_SITE pages;
- taken for copies: pages of a small site whose longest run of prose is the same notice or list of teasers,
  and pages of any site with hardly any prose of their own and the same notice, if that stands on less than a
  third of the site. They share furniture only, which is then counted once instead of often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Integers
from extractor.long_lines import (
    CORE_MARK,
    EXCESS_MASK,
    LongLines,
    Part,
    add_shared,
    connected,
    link_pages,
    reduce_by_run,
    sum_by_key,
    unpack,
)

SMALLEST_SHARED = 100
"""Characters over LONG_LINE that copies share at least: one or two short paragraphs. With twice as many, pages of
questions, recipes and lists that were saved twice are missed; with fewer, nothing is found in addition."""
FURNITURE_PAGES = 4
"""A line on more pages of a site than this, and on more than a FURNITURE_PART-th of them, is furniture."""
FURNITURE_PART = 3
SMALL_SITE = 16
"""On a site of so many pages or fewer, they may all be versions of one, and counting tells no furniture."""
WHOLE = 1000
"""Shared parts are counted in thousandths."""


class PageGroups(NamedTuple):
    """For each page: the first page of its group, the fullest one, and the thousandths that it shares with that."""

    root: Integers
    fullest: Integers
    shared: Integers


class CopyRecord(NamedTuple):
    """One page that has copies: its group (from 1), its id, and the part of its core (0 to 1) that stands on
    the fullest page of the group too."""

    group: int
    page: str
    shared: float
    fullest: bool


class FoundCopies(NamedTuple):
    """For some pages: the number of the group (0 for none), thousandths shared, and whether it is the fullest."""

    group: Integers
    shared: Integers
    fullest: NDArray[np.bool_]


def copy_records(pages: Sequence[str], found: FoundCopies) -> list[CopyRecord]:
    """The groups with two or more of these pages, by group, the fullest page first, then by id.

    Exactly one page of a group is the fullest: of equal ones, and where the fullest page of all is not among
    these, the one that shares most, then the one whose id comes first.
    """
    members = np.flatnonzero(found.group)
    ranked = sorted(
        (int(found.group[place]), not found.fullest[place], -int(found.shared[place]), pages[place])
        for place in members.tolist()
    )
    sizes = np.bincount(found.group)
    records: list[CopyRecord] = []
    numbers: dict[int, int] = {}
    for group, _, shared, page in ranked:
        if sizes[group] > 1:
            first = group not in numbers
            number = numbers.setdefault(group, len(numbers) + 1)
            records.append(CopyRecord(number, page, -shared / WHOLE, first))
    return records


class CopyFinder:
    """Finds the groups of copies among pages that are numbered from 0, the pages of a site in a row."""

    def __init__(
        self, site: Integers, fingerprints: NDArray[np.uint64], partitions: Callable[[], Iterable[tuple[Array, ...]]]
    ) -> None:
        """site, fingerprints: of each page. partitions: gives, as often as it is asked, rows of hash, page and
        what long_lines() says; all rows of a hash in one partition."""
        self._site, self._fingerprints, self._partitions = site, fingerprints, partitions
        self._site_pages = np.bincount(site, minlength=1)
        self._sizes = np.zeros((len(site), len(Part)), np.int64)

    def groups(self) -> PageGroups:
        """The groups of all pages."""
        first, second = self._copied_pairs()
        root = connected(len(self._site), first, second)
        fullest = self._fullest(root)
        return PageGroups(root, fullest, self._shared_with(fullest))

    def _copied_pairs(self) -> tuple[Integers, Integers]:
        first, second = self._candidates()
        shared = self._shared(first, second)
        most = np.maximum(self._sizes[first], self._sizes[second])
        half = (shared >= SMALLEST_SHARED) & (2 * shared >= most)
        one_site = self._site[first] == self._site[second]
        small = one_site & (self._site_pages[self._site[first]] <= SMALL_SITE)
        both = half[:, Part.CORE] & half[:, Part.WHOLE]
        copied = np.where(small, both, half[:, Part.CORE] | half[:, Part.TELLING])
        equal = np.argsort(self._fingerprints, kind="stable")
        same = np.flatnonzero(self._fingerprints[equal[1:]] == self._fingerprints[equal[:-1]])
        return (
            np.concatenate((first[copied], equal[same])),
            np.concatenate((second[copied], equal[same + 1])),
        )

    def _candidates(self) -> tuple[Integers, Integers]:
        """Pairs of pages whose links make up a quarter of what either tells, or of its core."""
        found = [link_pages(lines) for lines in self._lines(first_time=True)]
        pairs, sums = sum_by_key(np.concatenate([keys for keys, _ in found]), np.concatenate([s for _, s in found]))
        first, second = unpack(pairs)
        most = np.maximum(self._sizes[first], self._sizes[second])
        candidate = (4 * sums >= np.maximum(most, 1))[:, : Part.WHOLE].any(axis=1)
        return first[candidate], second[candidate]

    def _shared(self, first: Integers, second: Integers) -> Integers:
        """(pairs, parts): the characters that the pages of each pair share, added up over the partitions."""
        sums = np.zeros((len(first), len(Part)), np.int64)
        if len(first):
            for lines in self._lines():
                add_shared(lines, first, second, sums)
        return sums

    def _fullest(self, root: Integers) -> Integers:
        """The page of each group with the largest core; of equal ones the first. For pages alone, the page."""
        order = np.lexsort((-self._sizes[:, Part.TELLING], -self._sizes[:, Part.CORE], root))
        begins = np.flatnonzero(np.diff(root[order], prepend=-1))
        fullest = np.empty(len(root), np.int64)
        fullest[order] = np.repeat(order[begins], np.diff(begins, append=len(order)))
        return fullest

    def _shared_with(self, fullest: Integers) -> Integers:
        shared = np.full(len(fullest), WHOLE)
        pages = np.flatnonzero((fullest != np.arange(len(fullest))) & (self._sizes[:, Part.CORE] > 0))
        pages = pages[self._fingerprints[pages] != self._fingerprints[fullest[pages]]]
        core = self._shared(pages, fullest[pages])[:, Part.CORE]
        shared[pages] = core * WHOLE // self._sizes[pages, Part.CORE]
        return shared

    def _lines(self, *, first_time: bool = False) -> Iterator[LongLines]:
        """The long lines by partition; the first time, what every page holds of them is added up."""
        for hashes, pages, marked in self._partitions():
            order = np.lexsort((pages, hashes))
            line_hash, page = hashes[order], pages[order].astype(np.int64)
            new_line = np.ones(len(order), bool)
            new_line[1:] = line_hash[1:] != line_hash[:-1]
            new = new_line.copy()
            new[1:] |= page[1:] != page[:-1]
            line = np.cumsum(new_line) - 1
            # equal hashes may come from lines of unequal length; the longest speaks for all
            longest = reduce_by_run(np.maximum, marked[order] & np.uint16(EXCESS_MASK), new_line).astype(np.int64)
            in_core = reduce_by_run(np.maximum, marked[order] & np.uint16(CORE_MARK), new) > 0
            line, page = line[new], page[new]
            lines = self._judged(line, page, longest[line], in_core)
            if first_time:
                np.add.at(self._sizes, lines.page, lines.sizes())
            shared = np.bincount(line)[line] > 1
            yield LongLines(line[shared], page[shared], lines.excess[shared], lines.parts[shared])

    def _judged(self, line: Integers, page: Integers, excess: Integers, core: NDArray[np.bool_]) -> LongLines:
        site = self._site[page]
        begins = np.ones(len(line), bool)
        begins[1:] = (line[1:] != line[:-1]) | (site[1:] != site[:-1])
        pages = np.bincount(np.cumsum(begins) - 1)
        on_site = np.repeat(pages, pages)
        site_pages = self._site_pages[site]
        furniture = (on_site > FURNITURE_PAGES) & (on_site * FURNITURE_PART > site_pages)
        core &= ~furniture | (site_pages <= SMALL_SITE)
        return LongLines(line, page, excess, np.stack((~furniture, core, np.ones(len(line), bool)), axis=1))
