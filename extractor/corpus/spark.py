"""Cleaning on a Spark cluster: a DataFrame of pages, or of files of pages, in; a DataFrame of what became of each out.

A row is a page, in columns known by their names (see columns.py), or a whole file as Spark's format binaryFile gives
it, which is read as the local run reads it. Every process does what a process of the local run does, on the same
batch function. The package, and the files of model and table, must be there for the driver and for every executor.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from extractor.corpus.arrow_rows import rows_of
from extractor.corpus.batch import CleanSettings, clean_batch, load_model, load_table
from extractor.corpus.clean import BATCH_PAGES, batches
from extractor.corpus.columns import Columns
from extractor.corpus.extras import need
from extractor.corpus.folder import FolderError, input_file, looked_at
from extractor.corpus.readers import ReadSettings, page_record, pieces_of, read_piece
from extractor.corpus.record_readers import ROWS_AT_ONCE
from extractor.corpus.records import Problem, Record, Result, Status
from extractor.corpus.writers import arrow_schema, arrow_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FILE_COLUMNS = ("path", "content")
"""Of the format binaryFile; the others are of no use here."""


class SparkInputError(Exception):
    """A DataFrame that holds no pages; the message says what it holds and what to do."""


def clean(dataframe: DataFrame, settings: CleanSettings | None = None, *, batch: int = BATCH_PAGES) -> DataFrame:
    """What became of each page: one row for each, written or not, in the columns that the local run writes.

    Before them stands the name: the page's id or else PARTITION:NUMBER, of a page from a file as the local run has
    it; after them the reason why a page is not written, null for status ok and empty. batch: pages cleaned at once.
    SparkInputError for a DataFrame without pages; ModelError and TableError at once, not on the executors.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    settings = settings or CleanSettings()
    load_model(settings.model)
    load_table(settings.repetition)
    pages, columns = pages_of(dataframe, settings.reading)
    schema = from_arrow_schema(_schema(lines=settings.lines))
    return pages.mapInArrow(partial(_clean, columns=columns, settings=settings, batch=batch), schema)


def pages_of(dataframe: DataFrame, reading: ReadSettings) -> tuple[DataFrame, Columns | None]:
    """The columns of a DataFrame that are read, and what each holds: None for files.

    SparkInputError if there is no such column.
    """
    names = dataframe.columns
    if set(FILE_COLUMNS) < set(names) and "modificationTime" in names:
        return dataframe.select(*FILE_COLUMNS), None
    columns = reading.columns.found_in(names)
    if not columns.page:
        listed = ", ".join(names) or "none"
        raise SparkInputError(f"no column with pages (there are: {listed}); name it in ReadSettings(columns=Columns())")
    holds = {what: name for what, name in columns._asdict().items() if name in columns.names()}
    # names with a dot in them are none that mapInArrow takes
    chosen = [dataframe["`" + name.replace("`", "``") + "`"].alias(what) for what, name in holds.items()]
    return dataframe.select(*chosen), Columns(**{what: what for what in holds})


def records_of(found: Iterable[Any], columns: Columns | None, reading: ReadSettings) -> Iterator[Record]:
    """The pages of Arrow batches, as pages_of() chose their columns."""
    if columns is not None:
        yield from _row_records(found, columns, reading)
        return
    for batch in found:
        for path, content in zip(batch.column("path"), batch.column("content"), strict=True):
            yield from _file_records(path.as_py(), content.as_buffer(), reading)


def _clean(found: Iterable[Any], columns: Columns | None, settings: CleanSettings, batch: int) -> Iterator[Any]:
    model, table = load_model(settings.model), load_table(settings.repetition)
    schema = _schema(lines=settings.lines)
    for records in batches(records_of(found, columns, settings.reading), batch):
        results = clean_batch(records, settings, model, table)
        yield from arrow_table(list(map(_row, results)), schema).to_batches()


def _row(result: Result) -> dict[str, Any]:
    return {"name": result.name, **result.row(), "reason": result.reason}


def _schema(*, lines: bool) -> Any:
    arrow = need("pyarrow")
    text = arrow.string()
    return arrow.schema([arrow.field("name", text), *arrow_schema(lines=lines), arrow.field("reason", text)])


def _row_records(found: Iterable[Any], columns: Columns, reading: ReadSettings) -> Iterator[Record]:
    from pyspark import TaskContext

    task = TaskContext.get()
    partition = task.partitionId() if task else 0
    places = count()
    for batch in found:
        for first in range(0, len(batch), ROWS_AT_ONCE):
            for row in rows_of(batch.slice(first, ROWS_AT_ONCE)):
                place = next(places)
                record = page_record(f"{partition}:{place + 1}", place, row, columns, reading)
                yield record if record.id is None else replace(record, name=record.id)


def _file_records(name: str, content: Any, reading: ReadSettings) -> Iterator[Record]:
    """The pages of a file, which is written down for its reader; a file that holds none is one page that failed."""
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        file = input_file(Path(PurePosixPath(name).name), name) or looked_at(path)
        if file is None:
            yield _unread(name, "no file of pages")
            return
        try:
            pieces = pieces_of([replace(file, path=path, name=name)], reading)
        except FolderError as error:
            yield _unread(name, str(error))
            return
        for piece in pieces:
            yield from read_piece(piece, reading)


def _unread(name: str, reason: str) -> Record:
    return Record(name, 0, None, problem=Problem(Status.UNDECODABLE, reason))
