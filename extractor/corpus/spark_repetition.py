"""The repetition count on a Spark cluster: a DataFrame of pages, as clean() takes it, in; their table out.

The same table, bit by bit, as one machine makes. Executors read the pages and hash their lines, which stay there, as
eight bytes a line on disk. The driver learns of each page its site and fingerprint, and its long lines, finds the
copies, and says what counts as one page; then lines are shuffled by their hash, and each part of them is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from extractor.characters import Array, Integers
from extractor.corpus.clean import batches
from extractor.corpus.columns import Columns
from extractor.corpus.extras import need
from extractor.corpus.readers import ReadSettings
from extractor.corpus.repeated import ReadPages, hash_lines
from extractor.corpus.spark import pages_of, records_of
from extractor.counting import (
    Keys,
    LineCounts,
    NumberedPages,
    Units,
    count_partitions,
    fingerprints,
    join_counts,
    number_pages,
    shared_bits,
    site_hashes,
    site_keys,
)
from extractor.long_lines import long_lines
from extractor.postings import Postings, split_rows
from extractor.repetition import DEFAULT_MEMORY, RepetitionTable, make_table

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame

BUCKET_BITS = 12
"""Lines are shuffled in 4,096 parts, so that each of 100 thousand million lines still fits in memory."""
CHUNK_PAGES, CHUNK_CHARACTERS = 1 << 14, 1 << 26
"""Pages are hashed together up to so many, so that their lines make few rows."""
# rows between the steps, as Spark writes their types; what is binary is an array
_CHUNKS = "sites array<string>, site binary, prints binary, offsets binary, hashes binary, long binary"
_LINES = "bucket long, lines binary"
_COUNTS = "bucket long, repeated binary, pages binary, single binary, spread binary, sites binary"
_LINE = np.dtype([("hash", "<u8"), ("unit", "<u4")])
_LONG_LINE = np.dtype([("hash", "<u8"), ("page", "<u4"), ("mark", "<u2")])


class _Counted(NamedTuple):
    """What executors need to know of all pages: their keys, ascending, and the unit of each; units; site hashes."""

    keys: Keys
    unit: Array
    units: Units
    sites: Keys


def count_repetition(
    dataframe: DataFrame,
    reading: ReadSettings | None = None,
    *,
    single: bool = True,
    memory: int = DEFAULT_MEMORY,
    folder: Path | None = None,
) -> RepetitionTable:
    """The table of all pages that can be read; it cannot be merged.

    reading: as the pages will be cleaned. single: see RepetitionCounter.finish(). memory: bytes of long lines that
    the driver holds before they go to a temporary file in `folder`. SparkInputError for a DataFrame without pages.
    """
    from pyspark import StorageLevel

    reading = reading or ReadSettings()
    pages, columns = pages_of(dataframe, reading)
    chunks = pages.mapInArrow(partial(_hash, columns=columns, reading=reading), _CHUNKS)
    chunks.persist(StorageLevel.DISK_ONLY)
    try:
        names, numbered = _number(chunks)
        with Postings((np.uint64, np.int32, np.uint16), memory, folder) as long:
            _collect_long_lines(chunks, names, numbered, long)
            counted = partial(_count, chunks, names, numbered, single=single)
            return make_table(names, numbered, long.partitions, counted, single=single)
    finally:
        chunks.unpersist()


def _hash(found: Iterable[Any], columns: Columns | None, reading: ReadSettings) -> Iterator[Any]:
    for records in batches(records_of(found, columns, reading), CHUNK_PAGES, CHUNK_CHARACTERS):
        yield from _arrow([_chunk(hash_lines(records))], _CHUNKS)


def _chunk(read: ReadPages) -> tuple[Any, ...]:
    """A row of _CHUNKS: the distinct sites, and of each page with lines the number of its site and its fingerprint;
    where its lines begin, their hashes, and the long ones with the number of their page."""
    filled = np.flatnonzero(np.diff(read.lines.offsets))
    lines = read.lines._replace(offsets=np.append(read.lines.offsets[filled], read.lines.offsets[-1]))
    sites = sorted({read.sites[page] or "" for page in filled.tolist()})
    numbers = {name: number for number, name in enumerate(sites)}
    site = np.array([numbers[read.sites[page] or ""] for page in filled.tolist()], np.int32)
    chosen, marked = long_lines(lines.weights, lines.offsets)
    long = np.empty(len(marked), _LONG_LINE)
    long["hash"], long["page"], long["mark"] = lines.hashes[chosen], lines.pages_of_lines()[chosen], marked
    prints = fingerprints(lines)
    return (sites, *(array.tobytes() for array in (site, prints, lines.offsets, lines.hashes, long)))


def _number(chunks: DataFrame) -> tuple[list[str], NumberedPages]:
    """The names of all sites, ascending, and the distinct pages in the order of these."""
    known = {"": 0}
    site, prints = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for row in chunks.select("sites", "site", "prints").collect():
        numbers = np.array([known.setdefault(name, len(known)) for name in row.sites], np.int64)
        site.append(numbers[np.frombuffer(row.site, np.int32)])
        prints.append(np.frombuffer(row.prints, np.uint64))
    names = sorted(known)
    ranks = np.empty(len(names), np.int64)
    ranks[[known[name] for name in names]] = np.arange(len(names))
    sites = ranks[np.concatenate(site)]
    return names, number_pages(sites, np.concatenate(prints), np.ones(len(sites), np.int64))


def _page_keys(row: Any) -> Keys:
    """The keys of the pages of a row of _CHUNKS."""
    sites = site_hashes(row.sites)[np.frombuffer(row.site, np.int32)]
    return site_keys(np.frombuffer(row.prints, np.uint64), sites)


def _keys_and_numbers(names: Iterable[str], pages: NumberedPages) -> tuple[Keys, Integers]:
    """The keys of the distinct pages, ascending, and their numbers."""
    keys = site_keys(pages.fingerprint, site_hashes(names)[pages.site])
    order = np.argsort(keys, kind="stable")
    return keys[order], order


def _collect_long_lines(chunks: DataFrame, names: Iterable[str], pages: NumberedPages, long: Postings) -> None:
    keys, numbers = _keys_and_numbers(names, pages)
    for row in chunks.select("sites", "site", "prints", "long").toLocalIterator(prefetchPartitions=True):
        lines = np.frombuffer(row.long, _LONG_LINE)
        page = numbers[np.searchsorted(keys, _page_keys(row))][lines["page"]]
        long.add(lines["hash"], page, lines["mark"])


def _count(
    chunks: DataFrame, names: Iterable[str], pages: NumberedPages, units: Units, sites: Keys, *, single: bool
) -> LineCounts:
    keys, numbers = _keys_and_numbers(names, pages)
    known = _Counted(keys, units.of_page[numbers].astype(np.uint32), units, sites)
    sent = chunks.sparkSession.sparkContext.broadcast(known)
    try:
        lines = chunks.select("sites", "site", "prints", "offsets", "hashes").mapInArrow(
            partial(_scatter, sent=sent), _LINES
        )
        shuffled = lines.repartition("bucket").sortWithinPartitions("bucket")
        rows = shuffled.mapInArrow(partial(_count_buckets, sent=sent, single=single), _COUNTS).collect()
    finally:
        sent.destroy()
    types = (np.uint64, np.uint32, np.uint64, np.uint64, np.uint32)
    return join_counts(
        LineCounts(*(np.frombuffer(column, kind) for column, kind in zip(row[1:], types, strict=True)))
        for row in sorted(rows, key=itemgetter(0))
    )


def _scatter(found: Iterable[Any], sent: Broadcast[_Counted]) -> Iterator[Any]:
    """The lines of chunks by the first bits of their hashes, each with the unit of its page."""
    for row in _rows(found):
        unit = sent.value.unit[np.searchsorted(sent.value.keys, _page_keys(row))]
        lines = np.empty(len(row.hashes) // 8, _LINE)
        lines["hash"] = np.frombuffer(row.hashes, np.uint64)
        offsets: Integers = np.frombuffer(row.offsets, np.int64)
        lines["unit"] = np.repeat(unit, np.diff(offsets))
        bucket = (lines["hash"] >> np.uint64(64 - BUCKET_BITS)).astype(np.uint16)
        lines = lines[np.argsort(bucket, kind="stable")]
        sizes = np.bincount(bucket, minlength=1 << BUCKET_BITS)
        ends = np.cumsum(sizes)
        parts = ((number, lines[ends[number] - sizes[number] : ends[number]]) for number in np.flatnonzero(sizes))
        yield from _arrow([(int(number), part.tobytes()) for number, part in parts], _LINES)


def _count_buckets(found: Iterable[Any], sent: Broadcast[_Counted], *, single: bool) -> Iterator[Any]:
    """The counts of each bucket, whose rows come one after the other."""
    known = sent.value
    for bucket, rows in groupby(_rows(found), key=lambda row: row.bucket):
        lines = np.frombuffer(b"".join(row.lines for row in rows), _LINE)
        parts = split_rows((lines["hash"], lines["unit"]), BUCKET_BITS, shared_bits(known.units))
        split = ((hashes, unit) for hashes, unit in parts)
        counts = join_counts(count_partitions(split, known.units, known.sites, single=single))
        yield from _arrow([(bucket, *(column.tobytes() for column in counts))], _COUNTS)


def _arrow(rows: Iterable[tuple[Any, ...]], columns: str) -> Iterator[Any]:
    """Rows as an Arrow batch; columns: as Spark writes them."""
    arrow = need("pyarrow")
    types = {"long": arrow.int64(), "binary": arrow.binary(), "array<string>": arrow.list_(arrow.string())}
    named = [column.split() for column in columns.split(", ")]
    schema = arrow.schema([(name, types[kind]) for name, kind in named])
    yield arrow.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


def _rows(found: Iterable[Any]) -> Iterator[Any]:
    """The rows of Arrow batches, as objects with their columns."""
    for batch in found:
        yield from (SimpleNamespace(**row) for row in batch.to_pylist())
