"""Cleaning and counting on Spark, record by record the same as on one machine. Needs pyspark and Java."""

from __future__ import annotations

import importlib.util
import os
import runpy
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus_files import (
    SamplePage,
    needs_corpus_extra,
    response,
    sample_pages,
    write_folder,
    write_jsonl,
    write_parquet,
    write_warc,
)
from extractor import Label
from extractor.corpus.batch import CleanSettings, Filters, clean_batch, load_model, load_table
from extractor.corpus.columns import Columns
from extractor.corpus.folder import input_files
from extractor.corpus.readers import ReadSettings, pieces_of, read_piece
from extractor.corpus.repeated import CountSettings, count_pages
from extractor.errors import ModelError
from extractor.repetition import RepetitionTable
from extractor.sites import SiteFrom

JAVA = shutil.which("java") or shutil.which("java", path=f"{os.environ.get('JAVA_HOME', '')}/bin")
pytestmark = [
    needs_corpus_extra,
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("pyspark", "pandas"))),
        reason="PySpark is not installed (pip install '.[spark]')",
    ),
    pytest.mark.skipif(JAVA is None, reason="Spark needs Java 17 or later: put java on the PATH or set JAVA_HOME"),
    # what Spark itself leaves open, or calls that is outdated
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
READING = ReadSettings(site_from=SiteFrom("url"))
Row = dict[str, Any]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A session with two processes that work, which load the package from where the tests do."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[2]").appName("extractor tests")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",  # starts in half the time
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "3",
        "spark.executorEnv.PYTHONPATH": str(Path(__file__).parent.parent),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def settings(random_model_path: Path) -> CleanSettings:
    return CleanSettings(model=random_model_path, reading=READING)


def site_page(site: str, number: int, article: str) -> str:
    """A page of a made-up newspaper: the furniture of its site around an article."""
    paragraphs = [
        f"{article} was discussed again on day {number * 7 % 365}, and nobody on the council of {site} would say why.",
        f"Residents had waited {number + 3} weeks for an answer about {article.lower()} before the meeting was called.",
        "A spokesman promised a report, which the mayor will read, comment on and publish some time before the summer.",
    ]
    navigation = ["Home", "Politics", "Sport", f"Subscribe to {site}", "Follow the paper wherever you read, every day"]
    return "\n".join([*navigation, article, *paragraphs, "Read more", f"Copyright {site}, all rights reserved", ""])


def repeating_pages() -> list[SamplePage]:
    """Pages of some sites, among them copies on one site and on several, one page twice, and some without a site."""
    topics = ("The bridge", "Water prices", "A new school", "The old harbour", "Night buses", "The library roof")
    pages = []
    for number in range(90):
        site = f"paper{number % 4}.example"
        article = f"{topics[number % 6]} in street {number // 7}"
        url = f"https://{site}/{number}" if number % 9 else ""
        pages.append(SamplePage(f"p{number:02}", url, ".txt", site_page(site, number % 80, article).encode()))
    twice = [page._replace(id=f"{page.id}-again") for page in pages[:3]]
    elsewhere = [
        page._replace(id=f"{page.id}-elsewhere", url=f"https://other.example/{number}")
        for number, page in enumerate(pages[20:26])
    ]
    return [*pages, *twice, *elsewhere, SamplePage("blank", "https://paper0.example/b", ".txt", b" \n\n")]


def local_rows(source: Path, settings: CleanSettings) -> dict[str, Row]:
    """What the readers and the batch function of the local run make of a file or folder, by name."""
    model, table = load_model(settings.model), load_table(settings.repetition)
    found: dict[str, Row] = {}
    for piece in pieces_of(input_files(source), settings.reading):
        for result in clean_batch(list(read_piece(piece, settings.reading)), settings, model, table):
            found[result.name] = {"name": result.name, **result.row(), "reason": result.reason}
    return found


def spark_rows(dataframe: Any, settings: CleanSettings, **options: Any) -> list[Row]:
    from extractor.corpus.spark import clean

    return [row.asDict(recursive=True) for row in clean(dataframe, settings, **options).collect()]


def binary_files(spark: Any, folder: Path) -> Any:
    return spark.read.format("binaryFile").option("recursiveFileLookup", True).load(str(folder))


def by_name_in(rows: Sequence[Row], folder: Path) -> dict[str, Row]:
    """Rows by the names that the local run has, without the place of the folder, in names and ids."""
    start = f"file:{folder}/"
    found: dict[str, Row] = {}
    for row in rows:
        name, page_id = (str(row[column]).removeprefix(start) for column in ("name", "id"))
        found[name] = {**row, "name": name, "id": page_id}
    assert len(found) == len(rows)
    return found


def local_table(source: Path, *, single: bool) -> RepetitionTable:
    pieces = pieces_of(input_files(source), READING)
    return count_pages(pieces, CountSettings(READING, single=single)).table


def saved(table: RepetitionTable, path: Path) -> bytes:
    table.save(path)
    return path.read_bytes()


# --- cleaning ---------------------------------------------------------------------------------------


def test_files_of_every_kind_are_read_as_the_local_run_reads_them(
    spark: Any, tmp_path: Path, settings: CleanSettings
) -> None:
    texts, documents = sample_pages(".txt", 5), sample_pages(".html", 4)
    source = tmp_path / "in"
    write_folder(source / "plain", texts)
    write_folder(source / "folded", documents, ".gz")
    write_jsonl(source / "a.jsonl.zst", texts, ".zst")
    write_parquet(source / "b.parquet", documents)
    write_warc(source / "c.wet.gz", texts, ".gz")
    write_warc(source / "d.warc", documents)
    (source / "broken.txt").write_bytes(b"\x7fELF\0\0\1\2\0\0\xff\xfe")
    (source / "cut.wet.gz").write_bytes((source / "c.wet.gz").read_bytes()[:-200])
    (source / "lines.jsonl").write_text('{"text": "One line."}\n{"text": \n', encoding="utf-8")
    (source / "refused.warc").write_bytes(response("r", "https://a.example/r", b"<p>Gone</p>", status=404))
    expected = local_rows(source, settings)
    assert {row["status"] for row in expected.values()} >= {"ok", "undecodable", "error", "left-out"}
    assert by_name_in(spark_rows(binary_files(spark, source), settings), source) == expected


@pytest.mark.parametrize("batch", [1, 1000])
def test_rows_are_pages(spark: Any, tmp_path: Path, settings: CleanSettings, batch: int) -> None:
    pages = sample_pages(".html", 6)
    (tmp_path / "in").mkdir()
    source = write_parquet(tmp_path / "in" / "pages.parquet", pages)
    asked = replace(settings, lines=True, unwrap=True, keep=frozenset({Label.BODY, Label.HEADER}))
    expected = {row["id"]: {**row, "name": row["id"]} for row in local_rows(source, asked).values()}
    dataframe = spark.read.parquet(str(source)).repartition(3)
    found = spark_rows(dataframe, asked, batch=batch)
    assert {row["name"]: row for row in found} == expected
    assert len(found) == len(pages)


def test_pages_that_are_not_written_are_there_with_the_reason(spark: Any, settings: CleanSettings) -> None:
    rows = [("a", "A short page."), ("b", None), ("c", "x" * 2000), ("d", "")]
    dataframe = spark.createDataFrame(rows, "key string, `page.text` string").coalesce(1)
    columns = Columns(text="page.text")
    asked = replace(
        settings, reading=replace(READING, columns=columns, max_bytes=1000), filters=Filters(min_words=1000)
    )
    found = {row["name"]: (row["status"], row["reason"]) for row in spark_rows(dataframe, asked)}
    assert list(found) == ["0:1", "0:2", "0:3", "0:4"]
    assert found["0:1"] == ("left-out", found["0:1"][1])
    assert found["0:1"][1].endswith(" words")
    assert found["0:2"] == ("undecodable", "column text is empty")
    assert found["0:3"][0] == "too-large"
    assert found["0:4"][0] == "left-out"


def test_what_holds_no_pages_is_refused_before_any_work(spark: Any, settings: CleanSettings) -> None:
    from extractor.corpus.spark import SparkInputError, clean

    with pytest.raises(SparkInputError, match=r"no column with pages \(there are: key, value\); name it"):
        clean(spark.createDataFrame([(1, "x")], "key int, value string"), settings)
    with pytest.raises(ModelError, match=r"nowhere\.npz"):
        clean(spark.createDataFrame([("x",)], "text string"), replace(settings, model=Path("nowhere.npz")))


# --- counting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("single", [True, False])
def test_the_table_has_the_same_bytes(spark: Any, tmp_path: Path, single: bool) -> None:
    from extractor.corpus.spark_repetition import count_repetition

    (tmp_path / "in").mkdir()
    source = write_jsonl(tmp_path / "in" / "pages.jsonl", repeating_pages())
    local = local_table(source, single=single)
    assert local.card["distinct_pages"] < local.card["pages"] == 99
    dataframe = spark.read.schema("id string, url string, text string").json(str(source)).repartition(5)
    found = count_repetition(dataframe, READING, single=single, memory=1, folder=tmp_path)
    assert saved(found, tmp_path / "spark.npz") == saved(local, tmp_path / "local.npz")
    assert list(tmp_path.glob("extractor-*")) == []


def test_pages_are_cleaned_the_same_with_the_table(spark: Any, tmp_path: Path, settings: CleanSettings) -> None:
    from extractor.corpus.spark_repetition import count_repetition

    source = tmp_path / "in"
    source.mkdir()
    pages = repeating_pages()
    write_warc(source / "a.wet.gz", pages[:50], ".gz")
    write_warc(source / "b.wet", pages[50:])
    files = binary_files(spark, source)
    tables = {"spark": count_repetition(files, READING), "local": local_table(source, single=True)}
    for name, table in tables.items():
        table.save(tmp_path / f"{name}.npz")
    asked = replace(settings, lines=True)
    with_table = replace(asked, repetition=tmp_path / "local.npz")
    expected = local_rows(source, with_table)
    found = spark_rows(files, replace(asked, repetition=tmp_path / "spark.npz"))
    assert by_name_in(found, source) == expected
    assert len(expected) == len(pages)
    without = local_rows(source, asked)
    assert [row["lines"] for row in without.values()] != [row["lines"] for row in expected.values()]


# --- the guide --------------------------------------------------------------------------------------


def test_the_program_of_the_guide_counts_and_cleans(
    spark: Any, tmp_path: Path, settings: CleanSettings, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    source, table, output = tmp_path / "in", tmp_path / "table.npz", tmp_path / "out"
    source.mkdir()
    write_warc(source / "a.wet.gz", repeating_pages(), ".gz")
    program = Path(__file__).parent.parent / "scripts" / "clean_on_spark.py"
    arguments = [f"{source}/*.wet.gz", output, "--repetition", table, "--model", settings.model]
    monkeypatch.setattr(sys, "argv", list(map(str, [program, *arguments])))
    runpy.run_path(str(program), run_name="__main__")
    expected = local_rows(source, replace(settings, repetition=table))
    found = [row.asDict(recursive=True) for row in spark.read.parquet(str(output)).collect()]
    assert by_name_in(found, source) == expected
    assert saved(local_table(source, single=False), tmp_path / "local.npz") == table.read_bytes()
    assert "ok: " in capsys.readouterr().out
