"""Readers of files that hold many pages, .jsonl, .parquet, .warc and .wet: a piece in, its Records out, by place.

OSError or DamagedFileError where a file cannot be read on.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from extractor.corpus.arrow_rows import rows_of
from extractor.corpus.columns import Columns
from extractor.corpus.extras import need
from extractor.corpus.folder import FolderError, RecordFile, RecordFormat, TooLargeError
from extractor.corpus.readers import Piece, ReadSettings, page_record
from extractor.corpus.records import Problem, Record, Status
from extractor.corpus.unfolding import (
    FREE,
    LARGEST_RATIO,
    DamagedFileError,
    bytes_read,
    is_compressed,
    open_file,
    open_unfolded,
)
from extractor.decoding import decode
from extractor.files import looks_binary
from extractor.page import PageFormat

Reader = Callable[[Piece, RecordFile, ReadSettings, int], Iterator[Record]]
_LINE_PER_BYTE = 4
"""A line of JSON may be so many times as long as the largest page, and a mebibyte longer."""
_MEBIBYTE = 1 << 20
ROWS_AT_ONCE = 16
_HELD_AT_ONCE = 1 << 29
"""Bytes of a column, about, that rows read at once may have: each may hold all that the column unfolds to."""
_MOST_ENCODINGS = 4
"""That a page is sent in; two are rare, and each may unfold to max_bytes."""
PAGE_TYPES: dict[str, PageFormat | None] = {
    "text/html": "html", "application/xhtml+xml": "html", "text/plain": "text", "": None,
}  # fmt: skip
"""What a page is by its media type; other types are no pages."""
_PAGE_RECORDS = ("response", "resource", "conversion")
_OTHER_RECORDS = ("warcinfo", "request", "metadata", "revisit")
"""Types of records of an archive that hold no page."""


def read_jsonl(piece: Piece, file: RecordFile, settings: ReadSettings, start: int) -> Iterator[Record]:
    """One page a line; blank lines are none."""
    limit = _LINE_PER_BYTE * settings.max_bytes + _MEBIBYTE
    with open_unfolded(file.path) as stream:
        if piece.start:
            stream.seek(piece.start)
        for place, line in enumerate(_lines(stream, limit, piece.stop - piece.start if piece.stop else None)):
            if place < start or not line.strip():
                continue
            if len(line) > limit:
                problem = Problem(Status.TOO_LARGE, str(TooLargeError(settings.max_bytes)))
                record = Record(piece.name(place), place, None, problem=problem)
            else:
                record = _json_record(piece, place, line, settings)
            yield replace(record, read=bytes_read(stream) - piece.start)


def _lines(stream: BinaryIO, limit: int, length: int | None) -> Iterator[bytes]:
    """The lines of the next `length` bytes; of one longer than `limit`, the first limit + 1 bytes."""
    while (length is None or length > 0) and (line := stream.readline(limit + 1)):
        read, end = len(line), line
        while len(line) > limit and not end.endswith(b"\n") and (end := stream.readline(_MEBIBYTE)):
            read += len(end)
        length = None if length is None else length - read
        yield line


def _json_record(piece: Piece, place: int, line: bytes, settings: ReadSettings) -> Record:
    try:
        values = json.loads(line.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        return Record(piece.name(place), place, None, problem=Problem(Status.UNDECODABLE, f"not JSON: {error}"))
    if not isinstance(values, dict):
        problem = Problem(Status.UNDECODABLE, f"no JSON object but {type(values).__name__}")
        return Record(piece.name(place), place, None, problem=problem)
    return page_record(piece.name(place), place, values, settings.columns.found_in(values), settings)


def parquet_pieces(file: RecordFile, columns: Columns) -> list[Piece]:
    """A piece a row group. FolderError for a file without a column for the page."""
    with _parquet(file.path) as table:
        names = table.schema_arrow.names
        if not columns.found_in(names).page:
            raise FolderError(f"{file.name}: {columns.missing(names)}")
        groups = [table.metadata.row_group(group) for group in range(table.num_row_groups)]
    pieces, first = [], 1
    for number, group in enumerate(groups):
        if group.num_rows == 0:
            continue
        # a damaged count is below zero: the one record is then that it cannot be read
        size, records = group.total_byte_size, max(group.num_rows, 1)
        pieces.append(Piece((file,), first=first, group=number, records=records, size=size))
        first += records
    return pieces


def read_parquet(piece: Piece, file: RecordFile, settings: ReadSettings, start: int) -> Iterator[Record]:
    """One page a row of the piece's row group."""
    with _parquet(file.path) as table:
        columns = settings.columns.found_in(table.schema_arrow.names)
        if piece.group >= table.num_row_groups:
            raise DamagedFileError("not Parquet, or damaged (no rows)")
        group = table.metadata.row_group(piece.group)
        if group.num_rows < 0:  # PyArrow fails or ends the process over it
            raise DamagedFileError(f"not Parquet, or damaged ({group.num_rows:,} rows)")
        _check_unfolded(group, file.path.stat().st_size)
        place = 0
        for batch in table.iter_batches(
            _rows_at_once(group), row_groups=[piece.group], columns=columns.names(), use_threads=False
        ):
            rows = rows_of(batch) if place + len(batch) > start else []
            for row_place, row in enumerate(rows, place):
                if row_place >= start:
                    yield page_record(piece.name(row_place), row_place, row, columns, settings)
            place += len(batch)
        if start <= place < group.num_rows:
            problem = Problem(Status.ERROR, f"the file claims {group.num_rows:,} rows here and holds {place:,}")
            yield Record(piece.name(place), place, None, problem=problem)


# What a row group says of itself is asked, not what its columns say: PyArrow ends the process at some damaged ones.
def _check_unfolded(group: Any, folded: int) -> None:
    """Stop before a row group that unfolds into a huge one; folded: bytes of the file."""
    if group.total_byte_size > max(FREE, LARGEST_RATIO * folded):
        raise DamagedFileError(f"unfolds to more than {LARGEST_RATIO} times its size; not read")


def _rows_at_once(group: Any) -> int:
    """As many rows as fit: a value that stands once in a column's dictionary may be that of every row."""
    largest: int = group.total_byte_size
    return min(max(_HELD_AT_ONCE // max(largest, 1), 1), ROWS_AT_ONCE)


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """An open file; what PyArrow says of a damaged one as DamagedFileError."""
    arrow, parquet = need("pyarrow"), need("pyarrow.parquet")
    with _seekable(path) as file:
        try:
            yield parquet.ParquetFile(file)
        # UnicodeDecodeError: of names of columns; RuntimeError: of counts that do not fit
        except (arrow.ArrowException, UnicodeDecodeError, RuntimeError) as error:
            raise DamagedFileError(f"not Parquet, or damaged ({str(error).splitlines()[0]})") from None


@contextmanager
def _seekable(path: Path) -> Iterator[BinaryIO]:
    with open_file(path) as file:
        if not is_compressed(file.read(4)):
            file.seek(0)
            yield file
            return
    with open_unfolded(path) as unfolding, tempfile.TemporaryFile() as unfolded:
        shutil.copyfileobj(unfolding, unfolded, _MEBIBYTE)
        unfolded.seek(0)
        yield unfolded


def read_warc(piece: Piece, file: RecordFile, settings: ReadSettings, start: int) -> Iterator[Record]:
    """The pages of an archive: its records but for those that hold none by their type."""
    warc = need("fastwarc.warc")
    every = warc.WarcRecordType.any_type  # one without a type too, as headers that cannot be read leave it
    with open_unfolded(file.path, buffered=False) as stream:
        found = warc.ArchiveIterator(stream, record_types=every, parse_http=False, stream_detect=False)
        pages = (record for record in found if _record_type(record) not in _OTHER_RECORDS)
        for place, record in enumerate(pages):
            if place >= start:
                yield replace(_warc_record(piece, place, record, settings), read=bytes_read(stream))


def _record_type(record: Any) -> str:
    known = str(record.record_type)
    return known if known != "unknown" else (record.headers.get("WARC-Type") or "").strip().lower()


def _warc_record(piece: Piece, place: int, record: Any, settings: ReadSettings) -> Record:
    name, url = piece.name(place), (record.headers.get("WARC-Target-URI") or "").strip("<>") or None
    page_id = (record.record_id or "").strip("<>") or None
    found = _warc_page(record, settings.max_bytes)
    if isinstance(found, Problem):
        return Record(name, place, None, page_id, url, problem=found)
    site = settings.site(name, url)
    return Record(name, place, found.content, page_id, url, site, found.kind, found.encoding)


class _WarcPage(NamedTuple):
    content: str | bytes
    kind: PageFormat | None
    encoding: str | None


def _warc_page(record: Any, max_bytes: int) -> _WarcPage | Problem:
    """The page of a record, without the encodings that it was sent in, and in the charset that it was sent with."""
    media, charset, encodings = _sent_as(record)
    if isinstance(media, Problem):
        return media
    too_large = Problem(Status.TOO_LARGE, str(TooLargeError(max_bytes)))
    if record.content_length > max_bytes:
        return too_large
    content = record.reader.read(max_bytes + 1)
    if len(content) < record.content_length:
        return Problem(Status.ERROR, "the file ends in the middle of this record")
    if len(encodings) > _MOST_ENCODINGS:
        return Problem(Status.UNDECODABLE, f"sent in {len(encodings)} encodings")
    for encoding in encodings:
        content = _unfolded(content, encoding, max_bytes + 1)
    if len(content) > max_bytes:
        return too_large
    if looks_binary(content):
        return Problem(Status.UNDECODABLE, "not text")
    if charset is None:
        return _WarcPage(content, PAGE_TYPES[media], None)
    text, found = decode(content, charset)
    return _WarcPage(content if found == "utf-8" else text, PAGE_TYPES[media], found)


def _sent_as(record: Any) -> tuple[str | Problem, str | None, list[str]]:
    """What the headers say: the media type (a problem for what is no page), the charset, encodings to take off."""
    kind = _record_type(record)
    if kind not in _PAGE_RECORDS:
        return Problem(Status.UNDECODABLE, _not_read(kind)), None, []
    if not record.is_http:
        media = (record.headers.get("Content-Type") or "").lower().partition(";")[0].strip()
        charset = "utf-8" if kind == "conversion" else None
        return _page_type(media), charset, []
    try:
        # headers without end are given up here; the records that follow are not touched
        record.parse_http(auto_decode="none")
    except OSError as error:
        return Problem(Status.ERROR, f"HTTP headers that cannot be read ({error})"), None, []
    headers = record.http_headers
    if headers.status_code is None:
        return Problem(Status.ERROR, "no HTTP headers"), None, []
    if not 200 <= headers.status_code < 300:
        return Problem(Status.LEFT_OUT, f"HTTP status {headers.status_code}"), None, []
    sent = [headers.get(name) or "" for name in ("Transfer-Encoding", "Content-Encoding")]
    encodings = [part.strip().lower() for value in sent for part in reversed(value.split(",")) if part.strip()]
    return _page_type((record.http_content_type or "").lower()), record.http_charset, encodings


def _not_read(kind: str) -> str:
    if kind == "continuation":
        return "the later part of a record that was cut in parts"
    return f"a record of unknown type ({kind})" if kind.isalnum() else "a record without a type that can be read"


def _page_type(media: str) -> str | Problem:
    return media if media in PAGE_TYPES else Problem(Status.LEFT_OUT, f"no page but {media}")


def _unfolded(content: bytes, encoding: str, length: int) -> bytes:
    """Some content without an encoding; as it is where it has none: many crawlers take it off and keep the header."""
    streams = need("fastwarc.stream_io")
    readers = {
        "chunked": streams.ChunkedReader, "gzip": streams.GzipReader, "x-gzip": streams.GzipReader,
        "deflate": partial(streams.GzipReader, zlib=True), "br": streams.BrotliReader, "zstd": streams.ZstdReader,
    }  # fmt: skip
    if encoding not in readers:
        return content
    try:
        found: bytes = readers[encoding](io.BytesIO(content)).read(length)
    except OSError:
        return content
    return found


READERS: dict[RecordFormat, Reader] = {"jsonl": read_jsonl, "parquet": read_parquet, "warc": read_warc}
