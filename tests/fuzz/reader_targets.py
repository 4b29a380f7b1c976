"""The readers as fuzz targets: a file of any bytes gives the same records plain and compressed, and none raises."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from corpus_files import FOLDS
from extractor import Label, LabelsError
from extractor.corpus.folder import FolderError, InputFile, PageFile, RecordFile, RecordFormat
from extractor.corpus.readers import Piece, ReadSettings, pieces_of, read_piece
from extractor.corpus.records import Record
from extractor.corpus.unfolding import DamagedFileError, is_compressed, open_unfolded
from extractor.labelled_pages import check_labelled_pages, read_labelled_page
from extractor.page import PageFormat
from extractor.sites import SiteFrom

LARGEST_PAGE = 1 << 16
SETTINGS = ReadSettings(SiteFrom("url"), max_bytes=LARGEST_PAGE)


def fuzz_folder(data: bytes) -> None:
    """A page file, of text and of HTML."""
    formats: tuple[PageFormat, ...] = ("text", "html")
    for format in formats:
        with tempfile.TemporaryDirectory() as folder:
            for fold in folds(data):
                path = Path(folder) / f"page{fold}"
                path.write_bytes(FOLDS[fold](data))
                (record,) = records_of([PageFile(path, "page", format)])
                assert record.content in (None, data) or is_compressed(data[:4])


def fuzz_jsonl(data: bytes) -> None:
    same_records_however_folded(data, "jsonl")


def fuzz_warc(data: bytes) -> None:
    """Archives and the texts made of them: .warc and .wet."""
    same_records_however_folded(data, "warc")


def fuzz_parquet(data: bytes) -> None:
    same_records_however_folded(data, "parquet")


def fuzz_unfolding(data: bytes) -> None:
    """A compressed file, .gz or .zst: read as a stream, byte by byte, and as a page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.txt"
        path.write_bytes(data)
        with suppress(DamagedFileError), open_unfolded(path) as whole:
            content = whole.read(LARGEST_PAGE)
            with open_unfolded(path, buffered=False) as piecemeal:
                assert b"".join(iter(partial(piecemeal.read, 7), b""))[:LARGEST_PAGE] == content
        records_of([PageFile(path, "page.txt", "text")])


def fuzz_labels(data: bytes) -> None:
    """Labels that someone wrote, of a page: what stands before the first null byte, and after it."""
    labels, _, page = data.partition(b"\0")
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".txt", ".html"):
            path = Path(folder) / f"page{ending}"
            path.write_bytes(page)
            path.with_suffix(".labels").write_bytes(labels)
            problems = check_labelled_pages(path)
            assert all(problem.startswith(str(path.with_suffix(".labels"))) for problem in problems)
            refusal = None
            try:
                read = read_labelled_page(path)
                assert all(isinstance(label, Label) for label in read.labels)
            except LabelsError as error:
                refusal = str(error)
            assert refusal in problems or not (refusal or problems)
            path.unlink()


def same_records_however_folded(data: bytes, format: RecordFormat) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for fold in folds(data):
            path = Path(folder) / f"file{fold}"
            path.write_bytes(FOLDS[fold](data))
            records = records_of([RecordFile(path, "file", format)])
            found.append([replace(record, place=0) for record in records])  # which depends on the pieces
        assert all(records == found[0] for records in found)


def folds(data: bytes) -> tuple[str, ...]:
    """The ways to store some bytes: as they are, and compressed if they are not."""
    return ("",) if is_compressed(data[:4]) else tuple(FOLDS)


def records_of(files: Sequence[InputFile]) -> list[Record]:
    """The records of files: nothing may raise, and every record has a page or a problem, and a name of its own."""
    try:
        pieces = pieces_of(files, SETTINGS)
    except FolderError:  # no column for the page
        pieces = [Piece(files)]
    records = [record for piece in pieces for record in read_piece(piece, SETTINGS)]
    assert len({record.name for record in records}) == len(records)
    for record in records:
        assert (record.content is None) == (record.problem is not None)
        assert len(record.content or "") <= LARGEST_PAGE
        assert record.url is None or isinstance(record.url, str)
    return records
