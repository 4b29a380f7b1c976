"""The pages of a corpus, read once before they are cleaned -> their table of repeated lines, and groups of copies.

Text and HTML are counted in one table: a page that lies there in both formats is found to be its own copy, and
furniture is the same in both where its lines are. Two tables would label hardly otherwise: on the dev sites of
chinese-news, dumps and HTML in one folder, F1 differs by 0.001 on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from extractor.characters import read_texts
from extractor.copies import CopyRecord, copy_records
from extractor.corpus.memory import at_most
from extractor.corpus.processes import ENDED, MOST_DEATHS, EndedError, alone, together
from extractor.corpus.readers import Piece, ReadSettings, read_piece
from extractor.corpus.records import Problem, Record, Status
from extractor.counting import Keys, PageLines, fingerprints
from extractor.decoding import text_of
from extractor.labelling import BATCH_CHARACTERS, html_text
from extractor.plaintext import looks_like_html
from extractor.repetition import DEFAULT_MEMORY, RepetitionCounter, RepetitionTable, Sites

Found = TypeVar("Found")
PART = 256
"""Places of a piece that are read in a process of its own, once it has ended one."""


class Failure(NamedTuple):
    """A page that could not be read, and why."""

    name: str
    reason: str


class ReadPages(NamedTuple):
    """The lines of some pages, as hashes, with the name and site of each page that could be read.

    failures: of pages that could not; what is no page is left out. size: bytes of input, about.
    """

    names: list[str]
    sites: Sites
    lines: PageLines
    failures: tuple[Failure, ...]
    size: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CountedPages:
    """A corpus after the first pass: its table, and by what the table knows each page that could be read."""

    table: RepetitionTable
    names: Sequence[str]
    sites: Sites
    fingerprints: Keys
    failures: tuple[Failure, ...]

    def copies(self) -> list[CopyRecord]:
        """The groups of pages that share most of their body."""
        return copy_records(self.names, self.table.find_copies_of(self.fingerprints, self.sites))


@dataclass(frozen=True, slots=True)
class CountSettings:
    """How pages are read and counted: see ReadSettings, RepetitionCounter and its finish().

    most: bytes that a process may take to read a piece, besides those it had; 0 for no limit.
    """

    reading: ReadSettings
    memory: int = DEFAULT_MEMORY
    mergeable: bool = False
    single: bool = True
    folder: Path | None = None
    most: int = 0


Track: TypeAlias = Callable[[Iterable[ReadPages], Sequence[Piece]], Iterable[ReadPages]]


def untracked(found: Iterable[Found], _pieces: Sequence[Piece]) -> Iterable[Found]:
    """What is found, as it comes."""
    return found


def count_pages(
    pieces: Sequence[Piece], settings: CountSettings, *, jobs: int = 1, track: Track = untracked
) -> CountedPages:
    """Count the lines of the pages; a page that cannot be read is a failure, and the run goes on.

    jobs: processes that read and hash. track: sees what is read as it comes, to show how far the run is.
    """
    names: list[str] = []
    sites: list[str | None] = []
    prints = [np.zeros(0, np.uint64)]
    failures: list[Failure] = []
    known: dict[str | None, str | None] = {}
    with RepetitionCounter(memory=settings.memory, mergeable=settings.mergeable, folder=settings.folder) as counter:
        for read in track(_read_pieces(pieces, settings, jobs), pieces):
            counter.add(read.lines, read.sites)
            names += read.names
            sites += (known.setdefault(site, site) for site in read.sites)  # one string a site, not one a page
            prints.append(fingerprints(read.lines))
            failures += read.failures
        table = counter.finish(single=settings.single)
    return CountedPages(table, names, sites, np.concatenate(prints), tuple(failures))


def read_lines(piece: Piece, settings: CountSettings) -> ReadPages:
    """Read a piece, and hash its lines. EndedError if that takes more memory than it may."""
    with _ended_by_growth(settings.most):
        return hash_lines(read_piece(piece, settings.reading), piece.size)


def read_part(piece: Piece, settings: CountSettings, start: int, stop: int) -> tuple[ReadPages, bool]:
    """The same for the places of a piece from start on, before stop; and whether it may have more."""
    part: list[Record] = []
    with _ended_by_growth(settings.most):
        for record in read_piece(piece, settings.reading, start):
            if record.place < stop:
                part.append(record)
            if record.place >= stop - 1:  # what comes after it is not looked at: reading it may end the process
                return hash_lines(part), True
        return hash_lines(part), False


@contextmanager
def _ended_by_growth(most: int) -> Iterator[None]:
    try:
        with at_most(most):
            yield
    except MemoryError:
        raise EndedError from None


def hash_lines(records: Iterable[Record], size: int = 0) -> ReadPages:
    """Hash the lines of pages as they will be looked up when the pages are labelled; size: bytes of input, about."""
    failures: list[Failure] = []
    names: list[str] = []
    sites: list[str | None] = []
    hashed = [PageLines(np.zeros(0, np.uint64), np.zeros(0, np.uint16), np.zeros(1, np.int64))]
    texts: list[str] = []
    waiting = 0
    for record in records:
        if record.problem is not None:
            if record.problem.status is not Status.LEFT_OUT:
                failures.append(Failure(record.name, record.problem.reason))
            continue
        names.append(record.name)
        sites.append(record.site)
        texts.append(_text(record))
        waiting += len(texts[-1])
        if waiting >= BATCH_CHARACTERS:
            hashed.append(PageLines.of(read_texts(texts)))
            texts, waiting = [], 0
    if texts:
        hashed.append(PageLines.of(read_texts(texts)))
    return ReadPages(names, sites, _joined(hashed), tuple(failures), size)


def _read_pieces(pieces: Sequence[Piece], settings: CountSettings, jobs: int) -> Iterator[ReadPages]:
    """What is read of each piece, in order; of one whose process ends, in several parts."""
    done = 0
    while done < len(pieces):
        calls = [(piece, settings) for piece in pieces[done:]]
        try:
            for read in (read_lines(*call) for call in calls) if jobs == 1 else together(read_lines, calls, jobs):
                yield read
                done += 1
        except EndedError:
            # perhaps it was another of those that were begun: its turn comes
            yield from _read_alone(pieces[done], settings)
            done += 1


def _read_alone(piece: Piece, settings: CountSettings) -> Iterator[ReadPages]:
    """Read a piece in processes of its own, and find the pages that end them: those are failures."""
    start, size, deaths, more = 0, PART, 0, True
    while more:
        try:
            read, more = alone(read_part, piece, settings, start, start + size)
        except EndedError:
            deaths += 1
            if deaths >= MOST_DEATHS:
                yield hash_lines(_failed(piece, *piece.given_up(start)))
                return
            if size > 1:
                size //= 2
                continue
            yield hash_lines(_failed(piece, range(start, start + 1), ENDED))
            start, size = start + 1, PART
        else:
            yield read
            start += size


def _failed(piece: Piece, places: range, reason: str) -> list[Record]:
    return [Record(piece.name(place), place, None, problem=Problem(Status.ERROR, reason)) for place in places]


def _text(record: Record) -> str:
    text, _ = text_of(record.content or "")
    if not (looks_like_html(text) if record.kind is None else record.kind == "html"):
        return text
    from extractor.html import parse_html  # lxml is not loaded for plain text

    return html_text(parse_html(text))


def _joined(parts: Sequence[PageLines]) -> PageLines:
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return PageLines(
        np.concatenate([part.hashes for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate(([0], np.cumsum(lengths))),
    )
