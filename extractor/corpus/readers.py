"""The files of a corpus -> pieces, each read by one process from start to end -> Records.

Some page files are a piece, some megabytes of plain .jsonl, a row group of .parquet; a .warc or a compressed file
is one piece, since nothing in its middle can be found without reading what is before. Every page of a piece becomes
a Record in order of place: one that cannot be read becomes a Record with the problem.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from extractor.corpus.columns import Columns
from extractor.corpus.extras import MissingExtraError, need
from extractor.corpus.folder import MAX_BYTES, FolderError, InputFile, PageFile, RecordFile, TooLargeError
from extractor.corpus.processes import ENDED, MOST_DEATHS
from extractor.corpus.records import Problem, Record, Status
from extractor.corpus.unfolding import DamagedFileError, is_compressed, open_file, open_unfolded
from extractor.files import NO_ROOM, looks_binary
from extractor.page import PageFormat
from extractor.sites import SiteFrom

PIECE_PAGES = 256
"""Page files in a piece."""
PIECE_BYTES = 1 << 24
"""Bytes of plain .jsonl in a piece."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How pages are read. site_from: how the site of a page is found. max_bytes: of a page, unfolded."""

    site_from: SiteFrom = field(default_factory=lambda: SiteFrom("none"))
    max_bytes: int = MAX_BYTES
    columns: Columns = field(default_factory=Columns)

    def site(self, name: str, url: str | None) -> str | None:
        """The site of a record, by its URL: that it lies in one file with others says nothing."""
        if self.site_from.source in ("url", "folder"):
            return SiteFrom("url").site(url=url)
        return self.site_from.site(path=name, url=url)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one process reads from start to end.

    files: page files, or one file of records. first: the number of its first record in the file, from 1. start and
    stop: bytes of a plain .jsonl (stop 0: all). group: of a .parquet. records: how many there are, where that is
    known beforehand. size: bytes of input, about.
    """

    files: Sequence[InputFile]
    first: int = 1
    start: int = 0
    stop: int = 0
    group: int = 0
    records: int | None = None
    size: int = 0

    def share(self, stop: int, read: int) -> float:
        """The share of the piece, about, that is read once the places before `stop` are, or so many bytes."""
        done, whole = (stop, self.records) if self.records else (read, self.size)
        return min(done / whole, 1.0) if whole else 1.0

    def name(self, place: int) -> str:
        """The name of the record at a place."""
        file = self.files[0]
        return f"{file.name}:{self.first + place}" if isinstance(file, RecordFile) else self.files[place].name

    def given_up(self, first: int) -> tuple[range, str]:
        """The places that are noted where all from one on is given up, and why. Of a file of records it is the first,
        for all: how many there are is only what the file claims."""
        reason = f"{ENDED} {MOST_DEATHS} times, with the pages before"
        if isinstance(self.files[0], RecordFile):
            return range(first, first + 1), f"{reason}; given up with what follows it in this part of the file"
        return range(first, len(self.files)), reason


def pieces_of(
    files: Sequence[InputFile], settings: ReadSettings, *, pages: int = PIECE_PAGES, size: int = PIECE_BYTES
) -> list[Piece]:
    """The files cut into pieces, in order.

    FolderError for a file of records without a column for the page, MissingExtraError for one that nothing here reads.
    """
    _check_extras(files)
    pieces: list[Piece] = []
    together: list[PageFile] = []
    for file in files:
        if isinstance(file, PageFile):
            together.append(file)
        if together and (len(together) == pages or isinstance(file, RecordFile)):
            pieces.append(_page_piece(together))
            together = []
        if isinstance(file, RecordFile):
            pieces += _record_pieces(file, settings, size)
    return [*pieces, *([_page_piece(together)] if together else [])]


def read_piece(piece: Piece, settings: ReadSettings, start: int = 0) -> Iterator[Record]:
    """The records of a piece from a place on. Nothing that stands in a file raises, nor does a missing file; OSError
    where there is no room to unfold one.

    A file that cannot be read on ends with one record more, whose problem says so.
    """
    first = piece.files[0]
    if not isinstance(first, RecordFile):
        yield from _read_pages(piece, settings, start)
        return
    from extractor.corpus import record_readers

    place = start
    try:
        for record in record_readers.READERS[first.format](piece, first, settings, start):
            yield record
            place = record.place + 1
    except (DamagedFileError, OSError) as error:
        if getattr(error, "errno", None) in NO_ROOM:
            raise  # a file that is unfolded beside it does not fit: no fault of the pages
        reason = f"cannot be read on from here: {getattr(error, 'strerror', None) or error}"
        yield Record(piece.name(place), place, None, problem=Problem(Status.ERROR, reason))


def _check_extras(files: Sequence[InputFile]) -> None:
    """MissingExtraError for a missing package, before any work."""
    if any(file.path.suffix.lower() == ".zst" for file in files):
        need("zstandard")
    if any(isinstance(file, RecordFile) and file.format == "warc" for file in files):
        need("fastwarc.warc")


def _page_piece(files: list[PageFile]) -> Piece:
    return Piece(tuple(files), records=len(files), size=sum(_size(file.path) for file in files))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _record_pieces(file: RecordFile, settings: ReadSettings, size: int) -> list[Piece]:
    whole = [Piece((file,), size=_size(file.path))]
    try:
        if file.format == "warc":
            return whole
        if file.format == "parquet":
            from extractor.corpus import record_readers

            return record_readers.parquet_pieces(file, settings.columns) or []
        return _jsonl_pieces(file, settings.columns, size) or whole
    except (OSError, DamagedFileError):
        return whole  # read, it says what is wrong with it


def _jsonl_pieces(file: RecordFile, columns: Columns, size: int) -> list[Piece]:
    """Pieces that end at line ends, for a file that is not compressed."""
    with open_unfolded(file.path) as lines:
        _check_columns(file, lines.readline(PIECE_BYTES), columns)
    with open_file(file.path) as data:
        if is_compressed(data.read(4)):
            return []
        data.seek(0)
        return list(_cut_at_lines(file, data, size))


def _cut_at_lines(file: RecordFile, data: BinaryIO, size: int) -> Iterator[Piece]:
    first, start, place, lines = 1, 0, 0, 0
    while chunk := data.read(size):
        end = chunk.rfind(b"\n") + 1
        lines += chunk.count(b"\n")
        if end:
            stop = place + end
            yield Piece((file,), first=first, start=start, stop=stop, size=stop - start)
            first, start = lines + 1, stop
        place += len(chunk)
    if place > start:
        yield Piece((file,), first=first, start=start, stop=place, size=place - start)


def _check_columns(file: RecordFile, line: bytes, columns: Columns) -> None:
    """FolderError if the first record has no column for the page."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return  # noted when it is read
    if isinstance(found, dict) and not columns.found_in(found).page:
        raise FolderError(f"{file.name}: {columns.missing(found)}")


def _read_pages(piece: Piece, settings: ReadSettings, start: int) -> Iterator[Record]:
    for place, file in enumerate(piece.files[start:], start):
        assert isinstance(file, PageFile)
        yield _read_page(place, file, settings)


def _read_page(place: int, file: PageFile, settings: ReadSettings) -> Record:
    try:
        page = file.read(settings.site_from, settings.max_bytes)
    except OSError as error:
        problem = Problem(Status.ERROR, f"cannot be read: {error.strerror or error}")
    except (DamagedFileError, MissingExtraError) as error:  # a .txt may begin as what is compressed does
        problem = Problem(Status.ERROR, str(error))
    except TooLargeError as error:
        problem = Problem(Status.TOO_LARGE, str(error))
    except ValueError as error:
        problem = Problem(Status.UNDECODABLE, str(error))
    else:
        return Record(file.name, place, page.content, url=page.url, site=page.site, kind=page.kind)
    return Record(file.name, place, None, problem=problem)


def page_record(name: str, place: int, values: dict[str, Any], columns: Columns, settings: ReadSettings) -> Record:
    """The record of a row: its columns by name."""
    url = _text(values, columns.url)
    known: dict[str, Any] = {"id": _text(values, columns.id), "url": url}
    column = columns.page_of(values)
    content = values.get(column) if column else None
    problem = _content_problem(content, values, column, settings)
    if problem is not None:
        return Record(name, place, None, **known, problem=problem)
    kind: PageFormat | None = "html" if column == columns.html else None
    encoding = "utf-8" if isinstance(content, str) else None
    return Record(name, place, content, **known, site=settings.site(name, url), kind=kind, encoding=encoding)


def _content_problem(
    content: Any, values: dict[str, Any], column: str | None, settings: ReadSettings
) -> Problem | None:
    if column is None:
        return Problem(Status.UNDECODABLE, settings.columns.missing(values))
    if not isinstance(content, (str, bytes)):
        what = "empty" if content is None else f"no text but {type(content).__name__}"
        return Problem(Status.UNDECODABLE, f"column {column} is {what}")
    # a character is a byte at least
    if len(content) > settings.max_bytes:
        return Problem(Status.TOO_LARGE, str(TooLargeError(settings.max_bytes)))
    if isinstance(content, bytes) and looks_binary(content):
        return Problem(Status.UNDECODABLE, "not text")
    return None


def _text(values: dict[str, Any], column: str | None) -> str | None:
    value = values.get(column) if column else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None else str(value)
