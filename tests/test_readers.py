"""The same pages give the same labels through every reader; what cannot be read is said, page by page."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from corpus_files import (
    FOLDS,
    SamplePage,
    needs_corpus_extra,
    response,
    sample_pages,
    warc_record,
    write_folder,
    write_jsonl,
    write_parquet,
    write_warc,
    zstandard_folded,
)  # fmt: skip
from extractor.corpus import repeated
from extractor.corpus.arrow_rows import rows_of
from extractor.corpus.batch import CleanSettings
from extractor.corpus.columns import Columns
from extractor.corpus.folder import FolderError, input_files
from extractor.corpus.preparation import RepetitionSettings
from extractor.corpus.processes import EndedError
from extractor.corpus.readers import Piece, ReadSettings, pieces_of, read_piece
from extractor.corpus.records import Record, Status
from extractor.corpus.repeated import CountSettings, count_pages
from extractor.corpus.run import RunSettings, clean_corpus
from extractor.sites import SiteFrom

ROOT = Path(__file__).parent.parent
URLS = ReadSettings(SiteFrom("url"))
WAYS = [
    (write, name, fold)
    for (write, name), fold in product(
        [(write_folder, "folder"), (write_jsonl, "x.jsonl"), (write_parquet, "x.parquet"), (write_warc, "x.warc")],
        FOLDS,
    )
]


def read(path: Path, settings: ReadSettings = URLS, **sizes: int) -> list[Record]:
    pieces = pieces_of(input_files(path), settings, **sizes)
    return [record for piece in pieces for record in read_piece(piece, settings)]


def write_rows(folder: Path, rows: list[dict[str, str | None]]) -> Path:
    (folder / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / "x.jsonl"


def write_table(folder: Path, rows: list[dict[str, str | None]]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), folder / "x.parquet")
    return folder / "x.parquet"


def statuses(records: list[Record]) -> list[tuple[str, str | None]]:
    return [(record.name, record.problem.status.value if record.problem else None) for record in records]


def reasons(records: list[Record]) -> list[str]:
    return [record.problem.reason for record in records if record.problem]


def labels(path: Path, output: Path, model: Path, **how: int) -> dict[str, object]:
    """What is written of each page, by id, but for what only some readers know."""
    settings = CleanSettings(model=model, lines=True, reading=URLS)
    clean_corpus(path, output, settings, how=RunSettings(overwrite=True, **how))
    rows = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    known = ("text", "title", "kind", "labels", "kept", "status", "lines")
    return {row["id"].rpartition("/")[2].partition(".")[0]: [row[name] for name in known] for row in rows}


@pytest.fixture
def dumps() -> list[SamplePage]:
    return sample_pages(".txt", 7)


@pytest.fixture
def documents() -> list[SamplePage]:
    return sample_pages(".html", 5)


@needs_corpus_extra
def test_every_reader_gives_the_same_labels(dumps, documents, tmp_path: Path, random_model_path: Path) -> None:
    for pages in (dumps, documents):
        expected = labels(
            write_folder(tmp_path / f"plain{pages[0].ending}", pages), tmp_path / "o.jsonl", random_model_path
        )
        assert set(expected) == {page.id for page in pages}
        for write, name, fold in WAYS:
            if name == "x.warc" and pages is dumps:
                name = "x.wet"
            path = write(tmp_path / f"{pages[0].ending[1:]}{fold[1:]}{name}{fold}", pages, fold)
            for batch in (1, 1000):
                found = labels(path, tmp_path / "o.jsonl", random_model_path, batch=batch, piece_bytes=5000)
                assert found == expected, (path, batch)


@needs_corpus_extra
def test_two_processes_give_the_same_labels(dumps, documents, tmp_path: Path, random_model_path: Path) -> None:
    folder = write_folder(tmp_path / "in", dumps)
    for pages in (dumps, documents):
        for write, name, fold in WAYS[3:]:
            write(folder / f"{fold[1:]}{pages[0].ending[1:]}-{name}{fold}", pages, fold)
    outputs = []
    for jobs, batch in ((1, 1000), (2, 1)):
        output = tmp_path / f"{jobs}.jsonl"
        labels(folder, output, random_model_path, jobs=jobs, batch=batch, piece_bytes=5000, piece_pages=2)
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"\n") == 7 + 9 * 7 + 9 * 5


@needs_corpus_extra
def test_broken_files_give_the_same_however_they_are_read(dumps, tmp_path: Path, random_model_path: Path) -> None:
    folder = write_folder(tmp_path / "in", dumps)
    (folder / "binary.txt").write_bytes(b"\x7fELF\0\0\1\2\0\0\xff\xfe")
    (folder / "lines.jsonl").write_text('{"text": "One line."}\n{"text": \n{"story": 1}\n', encoding="utf-8")
    for write, name in ((write_jsonl, "x.jsonl"), (write_warc, "x.wet"), (write_parquet, "x.parquet")):
        for fold in FOLDS:
            path = write(folder / f"{fold[1:]}cut-{name}{fold}", dumps * 3, fold)
            path.write_bytes(path.read_bytes()[:-40])
    found = []
    for jobs, batch in product((1, 2), (1, 1000)):
        output = tmp_path / f"{jobs}-{batch}.jsonl"
        labels(folder, output, random_model_path, jobs=jobs, batch=batch, piece_bytes=5000, piece_pages=2)
        listed = output.with_name(f"{output.name}.run") / "unwritten.jsonl"
        found.append((output.read_bytes(), listed.read_bytes()))
    assert found == found[:1] * 4
    assert found[0][1].count(b"\n") == 1 + 2 + 9


@needs_corpus_extra
@pytest.mark.parametrize(
    ("write", "name"), [(write_jsonl, "x.jsonl"), (write_parquet, "x.parquet"), (write_warc, "x.warc")]
)
def test_ids_urls_and_sites_come_from_the_record(write: Callable, name: str, dumps, tmp_path: Path) -> None:
    path = write(tmp_path / name, dumps)
    for settings in (URLS, ReadSettings(SiteFrom("folder"))):
        records = read(path, settings)
        assert [record.id for record in records] == [page.id for page in dumps]
        assert [record.url for record in records] == [page.url for page in dumps]
        assert [record.site for record in records] == [f"{'ab'[number % 2]}.example" for number in range(7)]
    assert {record.site for record in read(path, ReadSettings(SiteFrom("none")))} == {None}
    numbers = [record.name.rpartition(":")[2] for record in records]
    assert numbers == list("1234567")


def test_pieces_hold_every_line_once(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    rows = [json.dumps({"text": "word " * (number % 37)}) for number in range(200)]
    path.write_text("\n".join(rows), encoding="utf-8")
    expected = [(record.name, record.content) for record in read(path)]
    assert len(expected) == 200
    for size in (100, 101, 5000):
        assert [(record.name, record.content) for record in read(path, size=size)] == expected
        piece = pieces_of(input_files(path), URLS, size=size)[-1]
        assert list(read_piece(piece, URLS, 1)) == list(read_piece(piece, URLS))[1:]


@needs_corpus_extra
def test_a_piece_is_read_from_any_place_on(dumps, tmp_path: Path) -> None:
    for path in (
        write_folder(tmp_path / "folder", dumps),
        write_jsonl(tmp_path / "x.jsonl", dumps, ".gz"),
        write_parquet(tmp_path / "x.parquet", dumps, rows=7),
        write_warc(tmp_path / "x.wet", dumps, ".gz"),
    ):
        (piece,) = pieces_of(input_files(path), URLS)
        expected = list(read_piece(piece, URLS))
        assert [record.place for record in expected] == list(range(7))
        for start in range(8):
            assert list(read_piece(piece, URLS, start)) == expected[start:]


# --- columns ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "asked", "found"),
    [
        (["ID", "Url", "Text"], {}, ("ID", "Url", "Text", None)),
        (["raw_content", "doc_id"], {}, ("doc_id", None, "raw_content", None)),
        (["text", "html"], {}, (None, None, "text", "html")),
        (["text", "html"], {"text": "text"}, (None, None, "text", None)),
        (["story", "text"], {"text": "story"}, (None, None, "story", None)),
        (["story"], {"html": "other"}, (None, None, None, None)),
    ],
)
def test_columns_are_found_or_named(names: list[str], asked: dict[str, str], found: tuple[str | None, ...]) -> None:
    assert Columns(**asked).found_in(names) == Columns(*found)


def test_a_file_without_a_column_for_the_page_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"story": "It burns again."}\n', encoding="utf-8")
    with pytest.raises(FolderError, match=r"x\.jsonl: no column known to hold .*there are: story.*--text-column"):
        read(tmp_path)
    with pytest.raises(FolderError, match=r"x\.jsonl: no column other"):
        read(tmp_path, ReadSettings(columns=Columns(text="other")))
    assert read(tmp_path, ReadSettings(columns=Columns(text="story")))[0].content == "It burns again."


@needs_corpus_extra
@pytest.mark.parametrize("write", [write_rows, write_table])
def test_a_row_whose_html_is_empty_has_its_text(
    tmp_path: Path, write: Callable[[Path, list[dict[str, str | None]]], Path]
) -> None:
    rows = [{"html": html, "text": text} for html, text in [("<p>h", "t"), (None, "t"), ("", "t"), (None, None)]]
    records = read(write(tmp_path, rows))
    pages = [record.content for record in records]
    assert [page.decode() if isinstance(page, bytes) else page for page in pages] == ["<p>h", "t", "t", None]
    assert [record.kind for record in records] == ["html", None, None, None]
    assert reasons(records) == ["column html is empty"]


@needs_corpus_extra
def test_a_table_without_a_column_for_the_page_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"story": ["It burns."], "n": [1]}), tmp_path / "x.parquet")
    with pytest.raises(FolderError, match=r"x\.parquet: no column known .*there are: n, story"):
        read(tmp_path)
    assert statuses(read(tmp_path, ReadSettings(columns=Columns(text="n", id="story")))) == [
        ("x.parquet:1", "undecodable")
    ]


# --- what cannot be read ----------------------------------------------------------------------------


def test_lines_that_hold_no_page(tmp_path: Path) -> None:
    lines = [b'{"text": "good"}', b"", b"{broken", b"[1, 2]", b'{"text": null}', b'{"text": 7}', b'{"url": "u"}',
             b'{"text": "caf\xe9"}', b"[" * 100_000, b'{"text": "' + b"x" * 2000 + b'"}', b'{"text": ""}']  # fmt: skip
    (tmp_path / "x.jsonl").write_bytes(b"\n".join(lines))
    records = read(tmp_path / "x.jsonl", ReadSettings(max_bytes=1000))
    assert statuses(records) == [
        ("x.jsonl:1", None), ("x.jsonl:3", "undecodable"), ("x.jsonl:4", "undecodable"), ("x.jsonl:5", "undecodable"),
        ("x.jsonl:6", "undecodable"), ("x.jsonl:7", "undecodable"), ("x.jsonl:8", None), ("x.jsonl:9", "undecodable"),
        ("x.jsonl:10", "too-large"), ("x.jsonl:11", None),
    ]  # fmt: skip
    assert records[6].content == "caf\ufffd"
    assert reasons(records)[0].startswith("not JSON: ")
    assert reasons(records)[1:4] == [
        "no JSON object but list",
        "column text is empty",
        "column text is no text but int",
    ]


def test_a_line_that_is_far_too_long_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "a"}\n{"text": "' + b"b" * 9_000_000 + b'"}\n{"text": "c"}\n')
    for fold in ("", ".gz"):
        path = tmp_path / f"x.jsonl{fold}"
        path.write_bytes(FOLDS[fold]((tmp_path / "x.jsonl").read_bytes()))
        records = read(path, ReadSettings(max_bytes=1000))
        assert [record.content for record in records] == ["a", None, "c"]
        assert statuses(records)[1] == (f"x.jsonl{fold}:2", "too-large")


def test_a_page_that_is_too_large(tmp_path: Path) -> None:
    for size in (1000, 1001):
        (tmp_path / f"{size}.txt").write_bytes(b"x" * size)
        (tmp_path / f"{size}.html.gz").write_bytes(gzip.compress(b"x" * size))
    found = {
        record.name: record.problem and record.problem.reason for record in read(tmp_path, ReadSettings(max_bytes=1000))
    }
    said = "more than 1,000 bytes; --max-bytes allows more"
    assert found == {"1000.txt": None, "1000.html.gz": None, "1001.txt": said, "1001.html.gz": said}


@needs_corpus_extra
@pytest.mark.parametrize("fold", [".gz", ".zst"])
@pytest.mark.parametrize("write", [write_jsonl, write_warc, write_parquet])
def test_a_file_that_ends_early(write: Callable, fold: str, dumps, tmp_path: Path) -> None:
    path = write(tmp_path / ("x.wet" if write is write_warc else f"x.{write.__name__[6:]}"), dumps * 3, fold)
    path.write_bytes(path.read_bytes()[:-40])
    records = read(path)
    assert records[-1].problem is not None
    assert records[-1].problem.status is Status.ERROR
    assert "ends early" in records[-1].problem.reason
    assert all(record.problem is None for record in records[:-1])
    if write is write_warc or (write is write_jsonl and fold == ".gz"):  # others unfold as a whole
        assert len(records) >= len(dumps)


@needs_corpus_extra
def test_damage_in_the_middle_is_told_where_it_is(dumps, tmp_path: Path) -> None:
    for name, write in (("x.jsonl", write_jsonl), ("x.wet", write_warc), ("x.parquet", write_parquet)):
        path = write(tmp_path / name, dumps, ".gz")
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x55
        path.write_bytes(data)
        records = read(path)
        assert records[-1].problem is not None
        assert records[-1].name == f"{name}:{len(records)}"
    (tmp_path / "y.parquet").write_bytes(b"PAR1 and then nothing")
    assert statuses(read(tmp_path / "y.parquet")) == [("y.parquet:1", "error")]
    assert "not Parquet, or damaged" in reasons(read(tmp_path / "y.parquet"))[0]


@needs_corpus_extra
@pytest.mark.parametrize("name", ["x.jsonl.zst", "x.jsonl.gz", "x.txt.zst", "x.wet.zst"])
def test_a_small_file_that_unfolds_into_a_huge_one(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("extractor.corpus.unfolding.FREE", 1 << 20)
    fold = zstandard_folded if name.endswith("zst") else gzip.compress
    (tmp_path / name).write_bytes(fold(b"\n" * (400 << 20) if "zst" in name else b" " * (40 << 20)))
    (record,) = read(tmp_path)
    assert record.problem is not None
    assert record.problem.status is Status.ERROR
    assert "unfolds to more than 500 times its size" in record.problem.reason


def claiming(rows: int, path: Path) -> Path:
    """A .parquet with three rows in its only group, whose footer claims so many (less than 64) for the group."""
    data = path.read_bytes()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # a field of 64 bits, then its value in zigzag; the number of rows of the group is the last that is 3
    place = data.rindex(b"\x16\x06", start)
    path.write_bytes(data[: place + 1] + bytes([2 * rows]) + data[place + 2 :])
    return path


@needs_corpus_extra
def test_a_footer_that_claims_more_rows_than_there_are(dumps, tmp_path: Path, random_model_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = claiming(63, write_parquet(tmp_path / "in" / "x.parquet", dumps[:3]))
    write_jsonl(tmp_path / "in" / "y.jsonl", dumps)
    (piece,) = pieces_of(input_files(path), URLS)
    assert piece.records == 63
    for start in range(5):
        records = list(read_piece(piece, URLS, start))
        assert statuses(records) == [
            *((f"x.parquet:{number}", None) for number in range(start + 1, 4)),
            *([("x.parquet:4", "error")] if start < 4 else []),
        ]
    settings = CleanSettings(model=random_model_path, reading=URLS)
    finished = clean_corpus(tmp_path / "in", tmp_path / "out.jsonl", settings)
    assert (finished.summary.pages, finished.summary.failed) == (3 + 7, 1)
    (page,) = finished.run.unwritten()
    assert page["reason"] == "the file claims 63 rows here and holds 3"


@needs_corpus_extra
def test_few_rows_are_held_at_once_where_one_value_may_stand_in_all(tmp_path: Path, monkeypatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    held = []

    def counted(batch: pa.RecordBatch) -> list[dict[str, object]]:
        held.append(len(batch))
        return rows_of(batch)

    monkeypatch.setattr("extractor.corpus.record_readers.rows_of", counted)
    pq.write_table(pa.table({"text": ["x" * (1 << 20)] * 20}), tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 5_000
    for limit, expected in ((1 << 29, [16, 4]), (5 << 20, [4] * 5), (1 << 20, [1] * 20)):
        monkeypatch.setattr("extractor.corpus.record_readers._HELD_AT_ONCE", limit)
        assert len(read(tmp_path / "x.parquet")) == 20
        assert held == expected
        held.clear()


@needs_corpus_extra
def test_columns_of_any_type_beside_the_page(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    bad = pa.array([b"caf\xe9", b"caf\xe9 is open"]).view(pa.binary())
    stored = bad.dictionary_encode()
    stored = pa.DictionaryArray.from_arrays(
        stored.indices, pa.StringArray.from_buffers(len(stored.dictionary), *stored.dictionary.buffers()[1:])
    )
    for ids, expected in (
        (pa.array([1 << 30, 0], pa.date32()), [str(1 << 30), "0"]),
        (pa.array([1 << 60, 0], pa.duration("ms")), [str(1 << 60), "0"]),
        (pa.array([1 << 60, 1], pa.timestamp("ms")), [str(1 << 60), "1"]),
        (pa.array([1, 2], pa.timestamp("ms", tz="Nowhere/Town")), ["1", "2"]),
        (pa.array([0, 0], pa.date32()), ["1970-01-01"] * 2),
        (pa.array([[1], None]), ["[1]", None]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (stored, ["caf\ufffd", "caf\ufffd is open"]),
    ):
        pq.write_table(pa.table({"text": ["The lamp is lit.", "x"], "id": ids}), tmp_path / "x.parquet")
        records = read(tmp_path / "x.parquet")
        assert [record.content for record in records] == [b"The lamp is lit.", b"x"]
        assert [record.id for record in records] == expected


# --- archives ---------------------------------------------------------------------------------------


@needs_corpus_extra
def test_records_of_an_archive(tmp_path: Path) -> None:
    czech = "Žluťoučký kůň úpěl ďábelské ódy. "
    html = f"<p>{czech}".encode()
    type, folded = "Content-Type: text/html", "Content-Type: text/html\r\nContent-Encoding: gzip"
    latin2, seven_bits = f"{type}; charset=ISO-8859-2", "Content-Type: text/plain;charset=iso-2022-jp"
    chunks = b"3\r\n<p>\r\n4\r\nword\r\n0\r\n\r\n"
    records = {
        "html": response("1", "http://a.example/1", html),
        "sent charset": response("2", "http://a.example/2", f"<p>{czech}".encode("iso-8859-2"), latin2),
        "wrong charset": response("3", "http://a.example/3", html, f"{type}; charset=iso-8859-1"),
        "seven bits": response("4", "http://a.example/4", "灯台".encode("iso-2022-jp"), seven_bits),
        "folded": response("5", "http://a.example/5", gzip.compress(html), folded),
        "chunked": response("6", "http://a.example/6", chunks, f"{type}\r\nTransfer-Encoding: chunked"),
        "missing": response("7", "http://a.example/7", html, status=404),
        "picture": response("8", "http://a.example/8", b"\x89PNG", "Content-Type: image/png"),
        "no HTTP": warc_record("response", b"http://a.example/9", b"<p>nothing", "application/http", "9"),
        "resource": warc_record("resource", b"http://a.example/10", html, "text/html; charset=utf-8", "10"),
        "binary": response("11", "http://a.example/11", b"%PDF-1.4"),
        "too large": response("12", "http://a.example/12", b"x" * 70_000),
        "folded too large": response("13", "http://a.example/13", gzip.compress(b"x" * 70_000), folded),
        "folded badly": response("14", "http://a.example/14", b"\x1f\x8b\x08 no", folded),
        "header left": response("15", "http://a.example/15", html, f"{folded}\r\nTransfer-Encoding: chunked"),
        "endless headers": response("17", "http://a.example/17", html, "\r\n".join([type, *["X-A: b"] * 50_000])),
        "endless header": response("18", "http://a.example/18", html, f"{type}\r\nX-A: {'b' * 300_000}"),
        "folded for ever": response("19", "http://a.example/19", html, f"{folded}{', gzip' * 4}"),
        "url in brackets": warc_record("conversion", b"<http://a.example/16>", czech.encode(), "text/plain", "16"),
    }  # fmt: skip
    (tmp_path / "x.warc").write_bytes(
        b"".join([warc_record("metadata", b"", b"x: y", "text/plain"), *records.values()])
    )
    found = dict(zip(records, read(tmp_path / "x.warc", ReadSettings(SiteFrom("url"), 60_000)), strict=True))
    assert found["sent charset"].content == f"<p>{czech}"
    assert found["url in brackets"].content == czech.encode()
    assert found["url in brackets"].url == "http://a.example/16"
    for name in ("html", "wrong charset", "folded", "resource", "header left"):
        assert found[name].content in (html, html.decode())
    assert (found["sent charset"].encoding, found["seven bits"].encoding) == ("iso8859-2", "iso2022_jp")
    assert (found["seven bits"].content, found["chunked"].content) == ("灯台", b"<p>word")
    assert {record.site for record in found.values() if not record.problem} == {"a.example"}
    assert {name: tuple(record.problem) for name, record in found.items() if record.problem} == {
        "missing": ("left-out", "HTTP status 404"),
        "picture": ("left-out", "no page but image/png"),
        "no HTTP": ("error", "no HTTP headers"),
        "endless headers": ("error", "HTTP headers that cannot be read (Maximum header length exceeded.)"),
        "endless header": ("error", "HTTP headers that cannot be read (Maximum header length exceeded.)"),
        "folded for ever": ("undecodable", "sent in 5 encodings"),
        "binary": ("undecodable", "not text"),
        "too large": ("too-large", "more than 60,000 bytes; --max-bytes allows more"),
        "folded too large": ("too-large", "more than 60,000 bytes; --max-bytes allows more"),
        "folded badly": ("undecodable", "not text"),
    }


@needs_corpus_extra
def test_no_record_of_an_archive_is_lost_by_its_type(dumps, tmp_path: Path) -> None:
    page = warc_record("conversion", b"http://a.example/1", dumps[0].content, "text/plain", "1")
    changed = {
        "conversion": page,
        "lower case": page.replace(b"WARC-Type: conversion", b"warc-type: Conversion"),
        "unknown": page.replace(b"conversion", b"banana"),
        "none": page.replace(b"WARC-Type: conversion\r\n", b""),
        "part": page.replace(b"conversion", b"continuation"),
    }
    others = [warc_record(kind, b"", b"x: y", "text/plain") for kind in ("metadata", "request", "revisit", "warcinfo")]
    (tmp_path / "x.warc").write_bytes(b"".join([*others, *changed.values()]))
    found = dict(zip(changed, read(tmp_path / "x.warc"), strict=True))
    assert found["conversion"].content == found["lower case"].content == dumps[0].content
    assert {name: record.problem.reason for name, record in found.items() if record.problem} == {
        "unknown": "a record of unknown type (banana)",
        "none": "a record without a type that can be read",
        "part": "the later part of a record that was cut in parts",
    }
    # lines that end otherwise than the format has it
    (tmp_path / "y.warc").write_bytes(page.replace(b"\r\n", b"\n"))
    assert statuses(read(tmp_path / "y.warc")) == [("y.warc:1", "undecodable")]


@needs_corpus_extra
def test_an_archive_that_ends_in_a_record(dumps, tmp_path: Path) -> None:
    path = write_warc(tmp_path / "x.wet", dumps)
    path.write_bytes(path.read_bytes()[:-30])
    records = read(path)
    assert reasons(records) == ["the file ends in the middle of this record"]
    path.write_bytes(write_warc(path, dumps[:2]).read_bytes() + b"no archive at all\r\n\r\n")
    assert len(reasons(read(path))) == 1
    assert reasons(read(path))[0].startswith("cannot be read on from here: ")


@needs_corpus_extra
def test_a_file_of_records_is_known_by_its_content(dumps, tmp_path: Path) -> None:
    for write, name in ((write_jsonl, "x.jsonl"), (write_parquet, "x.parquet"), (write_warc, "x.wet")):
        path = write(tmp_path / name, dumps).rename(tmp_path / "download")
        assert len(read(path)) == 7


# --- processes that end -----------------------------------------------------------------------------


@pytest.mark.parametrize("deaths", [3, 20, 1_000])
def test_every_page_is_counted_or_named_however_many_end_their_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: int
) -> None:
    fatal = {3, 9, 15, 21, 27, 33}
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_text(f"The lamp of tower {number} is lit again.", encoding="utf-8")
    (piece,) = pieces_of(input_files(tmp_path), URLS)

    def ended(*_: object) -> None:
        raise EndedError

    def alone(read_part: Callable[..., object], piece: Piece, settings: CountSettings, *places: int) -> object:
        return ended() if fatal & set(range(*places)) else read_part(piece, settings, *places)

    monkeypatch.setattr(repeated, "read_lines", ended)
    monkeypatch.setattr(repeated, "alone", alone)
    monkeypatch.setattr(repeated, "MOST_DEATHS", deaths)
    counted = count_pages([piece], CountSettings(URLS))
    failed = {failure.name: failure.reason for failure in counted.failures}
    assert sorted([*counted.names, *failed]) == [f"{number:02}.txt" for number in range(40)]
    assert {f"{number:02}.txt" for number in fatal} <= set(failed)
    given_up = [name for name, reason in failed.items() if "times, with the pages before" in reason]
    assert given_up == [f"{number:02}.txt" for number in range(40 - len(given_up), 40)]
    assert len(given_up) == {3: 40, 20: 30, 1_000: 0}[deaths]


# --- extras -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "module"),
    [("x.parquet", "pyarrow"), ("x.warc", "fastwarc.warc"), ("x.jsonl.zst", "zstandard"), ("x.wet.zst", "zstandard")],
)
def test_a_missing_package_is_named_with_the_extra(name: str, module: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x28\xb5\x2f\xfd" if name.endswith("zst") else b"WARC/1.0\r\n")
    program = f"import sys; sys.modules[{module!r}] = None\nfrom extractor.cli import main; main()"
    command = [sys.executable, "-c", program, "clean", name, "-o", "out"]
    finished = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert finished.returncode == 2, finished.stderr
    assert finished.stderr.startswith(f"extractor: {module.partition('.')[0]}, which reads")
    assert "pip install 'extractor[corpus]'" in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_page_that_begins_as_what_a_missing_package_reads_is_a_problem_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x28\xb5\x2f\xfd and more")
    (tmp_path / "b.txt").write_text("The lamp is lit again.", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    first, second = read(tmp_path)
    assert first.problem is not None
    assert "zstandard, which reads" in first.problem.reason
    assert second.content is not None


# --- the first pass ---------------------------------------------------------------------------------


@needs_corpus_extra
def test_every_reader_gives_the_same_table(dumps, tmp_path: Path) -> None:
    tables = []
    for write, name in ((write_jsonl, "x.jsonl"), (write_parquet, "x.parquet"), (write_warc, "x.wet")):
        pages = [page._replace(url=f"https://a.example/{page.id}") for page in dumps]
        pieces = pieces_of(input_files(write(tmp_path / name, pages)), URLS, size=5000)
        counted = count_pages(pieces, CountSettings(URLS))
        assert [page.rpartition(":")[2] for page in counted.names] == list("1234567")
        counted.table.save(tmp_path / "table.npz")
        tables.append((tmp_path / "table.npz").read_bytes())
        assert counted.table.pages_by_site["a.example"] == 7
    assert tables[0] == tables[1] == tables[2]


@needs_corpus_extra
def test_copies_in_files_of_records(dumps, tmp_path: Path, random_model_path: Path) -> None:
    path = write_jsonl(tmp_path / "x.jsonl", [*dumps, dumps[0]._replace(id="again")])
    asked = RepetitionSettings(own_table=True, keep_one=True)
    settings = CleanSettings(model=random_model_path, reading=URLS)
    finished = clean_corpus(path, tmp_path / "out.jsonl", settings, asked)
    (page,) = finished.run.unwritten()
    assert (page["name"], page["id"], page["status"]) == ("x.jsonl:8", "again", "left-out")
    assert page["reason"] == "a copy of x.jsonl:1 (100% shared)"
    copies = (tmp_path / "out.jsonl.run" / "copies.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(copy)["left_out"] for copy in copies] == [False, True]
