"""Results -> what is written of them: a folder of text that mirrors the input, or parts of one file of records.

A part holds one shard; all parts, joined in order, are the output. Parts and files of text are written under
another name and renamed, so that nobody ever sees half of one.
"""

from __future__ import annotations

import errno
import gzip
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from extractor.corpus.extras import need
from extractor.corpus.folder import FolderError, InputFile
from extractor.corpus.records import Problem, Result, Status
from extractor.corpus.unfolding import DamagedFileError, open_unfolded
from extractor.files import NO_ROOM, open_new, write_atomically

OutputFormat = Literal["folder", "jsonl", "jsonl.gz", "jsonl.zst", "parquet"]
RECORD_FORMATS: tuple[OutputFormat, ...] = ("jsonl", "jsonl.gz", "jsonl.zst", "parquet")
_NO_OUTPUTS = tuple(
    ".json .ndjson .csv .tsv .txt .htm .html .xhtml .xml .warc .wet .parq .arrow .feather .gz .zst .bz2 .xz .lz4 "
    ".zip .tar .7z .npz".split()
)
"""Endings of files that are no outputs: whoever gives one does not expect a folder of that name."""
_GZIP_LEVEL, _ZSTANDARD_LEVEL = 6, 3
_NOTHING_CAN_BE_WRITTEN = (*NO_ROOM, errno.EROFS, errno.EIO)
_COPIED_AT_ONCE = 1 << 20
_ROW_GROUP_BYTES = 1 << 26
"""A row group of .parquet holds about so many bytes: what readers like, and what joining holds in memory."""


class Writer(Protocol):
    """Where the results of a shard go."""

    def write(self, results: Sequence[Result]) -> Sequence[Result]:
        """Write those that are to be written, and say what became of each. OSError where nothing can be written."""


def output_format(output: Path) -> OutputFormat:
    """What an output is by its name: a folder, if it is not a file of records.

    MissingExtraError if what writes it is not installed, FolderError for the ending of a file that is not written.
    """
    name = output.name.lower()
    for format in RECORD_FORMATS:
        if name.endswith(f".{format}"):
            if format == "parquet":
                need("pyarrow.parquet")
            elif format == "jsonl.zst":
                need("zstandard")
            return format
    if name.endswith(_NO_OUTPUTS) and not output.is_dir():
        known = ", ".join(f".{format}" for format in RECORD_FORMATS)
        raise FolderError(f"{output}: no ending of an output; give a folder, or a file that ends in {known}")
    return "folder"


class FolderWriter:
    """Writes the text of each result into its own file: x.txt to x.txt, see folder.py."""

    def __init__(self, output: Path, files: Sequence[InputFile]) -> None:
        self._output = output
        self._paths = {file.name: file.output for file in files}
        self._inside: dict[Path, bool] = {}

    def write(self, results: Sequence[Result]) -> Sequence[Result]:
        """As Writer has it; a page that has no place of its own is an error, and the others are written."""
        return list(map(self._write, results))

    def _write(self, result: Result) -> Result:
        path = self._output / self._path(result.name)
        if not self._is_inside(path.parent):
            problem = Problem(Status.ERROR, "cannot be written: its folder is a link out of the output")
            return result.failed(problem) if result.written else result
        try:
            if not result.written:
                path.unlink(missing_ok=True)  # what an earlier run wrote of it
                return result
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f"{result.text}\n".encode("utf-8", "replace") if result.text else b"")
        except OSError as error:
            if error.errno in _NOTHING_CAN_BE_WRITTEN:
                raise
            return (
                result.failed(Problem(Status.ERROR, f"cannot be written: {error.strerror}"))
                if result.written
                else result
            )
        return result

    def _is_inside(self, folder: Path) -> bool:
        """Whether a folder lies in the output, links followed; looked at once a folder."""
        if folder not in self._inside:
            self._inside[folder] = folder.resolve().is_relative_to(self._output.resolve())
        return self._inside[folder]

    def _path(self, name: str) -> str:
        """Where the text of a record goes inside the output folder: of one of many, by its number."""
        if name in self._paths:
            return self._paths[name]
        file, _, number = name.rpartition(":")
        return f"{self._paths[file]}/{int(number):07}.txt"


class JsonWriter:
    """Writes one JSON object a line."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, results: Sequence[Result]) -> Sequence[Result]:
        """As Writer has it."""
        rows = [json.dumps(result.row(), ensure_ascii=False) for result in results if result.written]
        self._stream.write("".join(f"{row}\n" for row in rows).encode("utf-8", "replace"))
        return results


class ParquetWriter:
    """Writes the rows of results."""

    def __init__(self, writer: Any, schema: Any) -> None:
        self._writer, self._schema = writer, schema

    def write(self, results: Sequence[Result]) -> Sequence[Result]:
        """As Writer has it."""
        rows = [result.row() for result in results if result.written]
        if rows:
            self._writer.write_table(arrow_table(rows, self._schema))
        return results


def arrow_table(rows: list[dict[str, Any]], schema: Any) -> Any:
    """Rows as PyArrow has them."""
    make = need("pyarrow").Table.from_pylist
    try:
        return make(rows, schema=schema)
    except UnicodeEncodeError:  # half characters, that UTF-8 has no bytes for
        clean = [json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")) for row in rows]
        return make(clean, schema=schema)


@contextmanager
def part_writer(path: Path, format: OutputFormat, *, lines: bool) -> Iterator[Writer]:
    """A writer of a part, which is there once the context ends well."""
    new = path.with_name(f"{path.name}.new")
    with open_new(new) as file:
        if format == "parquet":
            schema = arrow_schema(lines=lines)
            with need("pyarrow.parquet").ParquetWriter(file, schema, compression="zstd") as writer:
                yield ParquetWriter(writer, schema)
        else:
            with _compressing(file, format) as stream:
                yield JsonWriter(stream)
    new.replace(path)


@contextmanager
def _compressing(file: BinaryIO, format: OutputFormat) -> Iterator[BinaryIO]:
    if format == "jsonl.gz":
        # neither name nor time, so that equal pages give equal bytes
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as stream:
            yield stream  # type: ignore[misc]
    elif format == "jsonl.zst":
        compressor = need("zstandard").ZstdCompressor(level=_ZSTANDARD_LEVEL)
        with compressor.stream_writer(file, closefd=False) as stream:
            yield stream
    else:
        yield file


def join_parts(
    parts: Iterable[Path], output: Path, format: OutputFormat, *, lines: bool, check: Callable[[int], None]
) -> None:
    """Write all parts, in order, as one file; it is there once it is whole. OSError as from any write.

    check: is told how many records the parts hold, before the file is there.
    """
    new = output.with_name(f".{output.name[:200]}.part")
    try:
        with open_new(new) as file:
            if format == "parquet":
                records = _join_parquet(parts, file, lines=lines)
            else:
                records = sum(_append(path, file) for path in parts)
        check(records)
        new.replace(output)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _append(path: Path, file: BinaryIO) -> int:
    """Copy a part of lines to the end of a file; how many there are."""
    with path.open("rb") as part:
        shutil.copyfileobj(part, file, _COPIED_AT_ONCE)
    try:
        with open_unfolded(path) as part:
            return sum(chunk.count(b"\n") for chunk in iter(partial(part.read, _COPIED_AT_ONCE), b""))
    except DamagedFileError:
        return 0  # fewer than were written, which is what the check finds


def _join_parquet(parts: Iterable[Path], file: BinaryIO, *, lines: bool) -> int:
    arrow, parquet = need("pyarrow"), need("pyarrow.parquet")
    records = 0
    with parquet.ParquetWriter(file, arrow_schema(lines=lines), compression="zstd") as writer:
        tables: list[Any] = []
        for path in parts:
            try:
                tables.append(parquet.read_table(path, use_threads=False, partitioning=None))
            except arrow.ArrowInvalid:  # no Parquet: fewer records than were written, which is what the check finds
                continue
            records += len(tables[-1])
            if sum(table.nbytes for table in tables) > _ROW_GROUP_BYTES:
                writer.write_table(arrow.concat_tables(tables))
                tables = []
        if tables:
            writer.write_table(arrow.concat_tables(tables))
    return records


def arrow_schema(*, lines: bool) -> Any:
    """The columns of the output as PyArrow has them; lines: with every line and its probabilities."""
    arrow = need("pyarrow")
    text = arrow.string()
    runs = arrow.list_(arrow.struct([("label", text), ("lines", arrow.int32())]))
    columns = [
        ("id", text), ("url", text), ("text", text), ("title", text), ("kind", text), ("labels", runs),
        ("kept", arrow.float64()), ("status", text), ("encoding", text),
    ]  # fmt: skip
    if lines:
        from extractor.page import LABELS

        probabilities = arrow.struct([(label.value, arrow.float64()) for label in LABELS])
        line = [("number", arrow.int32()), ("text", text), ("label", text), ("probabilities", probabilities)]
        columns.append(("lines", arrow.list_(arrow.struct(line))))
    return arrow.schema(columns)


def check_output_file(output: Path, source: Path, *, overwrite: bool) -> None:
    """FolderError for an output file that cannot be written as asked."""
    if output.is_dir():
        raise FolderError(f"{output}: a folder; give the name of a file, or of a folder without such an ending")
    if output.exists() and output.resolve() == source.resolve():
        raise FolderError(f"{output}: both input and output; give another name for the output")
    if output.exists() and not overwrite:
        raise FolderError(f"{output} exists already; give --overwrite or another name")
