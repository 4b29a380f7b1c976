"""What cleaning and counting on Spark cost, and what that makes for a month of Common Crawl, as Markdown.

The pages are the shared dumps, again and again, as .wet.gz files under made-up sites, read by two executors on this
machine. CPU is that of Java and Python together, once all processes have started.

    python scripts/benchmark_spark.py                                # 20,000 pages
    python scripts/benchmark_spark.py --month-pages 3e9              # another month
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from extractor.corpus.batch import CleanSettings
from extractor.corpus.readers import ReadSettings
from extractor.corpus.spark import clean
from extractor.corpus.spark_repetition import count_repetition
from extractor.sites import SiteFrom

ROOT = Path(__file__).parent.parent
CORPORA = ("newspaper", "wcxb", "dragnet", "l3s-gn1", "cleaneval", "multilingual")
FILES = 8
SITE_PAGES = 50
FEW = 200
"""Pages that all processes start with; what they shuffle is in the log too."""
_TICKS = os.sysconf("SC_CLK_TCK")


def write_wet(shared: Path, folder: Path, pages: int) -> int:
    """Write so many of the shared dumps, each time with another line, so that none is another's copy; bytes of text."""
    texts = [
        row["text"]
        for corpus in CORPORA
        for row in pq.read_table(shared / "data" / f"{corpus}.dumps.parquet", columns=["text"]).to_pylist()
    ]
    files: list[list[bytes]] = [[] for _ in range(FILES)]
    written = 0
    for number, text in enumerate(itertools.islice(itertools.cycle(texts), pages)):
        content = f"{text}\nPage {number}\n".encode("utf-8", "replace")
        written += len(content)
        lines = ["WARC/1.0", "WARC-Type: conversion", f"WARC-Record-ID: <{number}>", "Content-Type: text/plain"]
        lines += [f"WARC-Target-URI: https://site{number // SITE_PAGES}.example/{number}"]
        head = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode()
        files[number % FILES].append(gzip.compress(head + content + b"\r\n\r\n", 6))
    for number, records in enumerate(files):
        (folder / f"{number}.wet.gz").write_bytes(b"".join(records))
    return written


def start(folder: Path) -> SparkSession:
    """A session of two executors that writes down what it does."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.eventLog.enabled", True)
    for name, value in {
        "spark.eventLog.dir": folder.as_uri(), "spark.eventLog.compress": False,
        "spark.eventLog.rolling.enabled": False,
        "spark.ui.enabled": False, "spark.driver.memory": "2g", "spark.sql.files.maxPartitionBytes": 1,
        "spark.executorEnv.PYTHONPATH": str(ROOT),
    }.items():  # fmt: skip
        builder = builder.config(name, value)
    return builder.getOrCreate()


def family(pid: int) -> Iterator[int]:
    """A process and all below it; threads of Java come and go meanwhile."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def cpu() -> float:
    """Seconds of this process and all below it, those that have ended among them."""
    times = 0
    for pid in family(os.getpid()):
        times += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
    return times / _TICKS


def milliseconds(work: Callable[[], Any], pages: int) -> float:
    """Milliseconds of CPU a page."""
    before = cpu()
    work()
    return (cpu() - before) / pages * 1e3


def shuffled_bytes(log: Path) -> int:
    """What all tasks wrote for others to read, as Spark's event log has it."""
    found = 0
    for line in next(log.iterdir()).read_text(encoding="utf-8").splitlines():
        metrics = json.loads(line).get("Task Metrics") or {}
        found += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0)
    return found


def measure(files: DataFrame, few: DataFrame, folder: Path, options: argparse.Namespace) -> tuple[float, float, int]:
    """Milliseconds a page for cleaning and for counting, and bytes of the table."""
    reading = ReadSettings(site_from=SiteFrom("url"))
    settings = CleanSettings(model=options.model, reading=reading)
    clean(few, settings).write.parquet(str(folder / "few"))
    count_repetition(few, reading)
    cleaning = milliseconds(lambda: clean(files, settings).write.parquet(str(folder / "out")), options.pages)
    table = folder / "table.npz"
    counting = milliseconds(lambda: count_repetition(files, reading, single=False).save(table), options.pages)
    return cleaning, counting, table.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="the folder of shared corpora")
    parser.add_argument("--pages", type=int, default=20_000, help="pages to clean")
    parser.add_argument("--model", type=Path, help="a model instead of the shipped one")
    parser.add_argument("--month-pages", type=float, default=2.4e9, help="pages of a month")
    options = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        sys.exit("this reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory(prefix="extractor-") as name:
        folder = Path(name)
        for part in ("in", "few", "log"):
            (folder / part).mkdir()
        written = write_wet(options.shared, folder / "in", options.pages)
        write_wet(options.shared, folder / "few", FEW)
        spark = start(folder / "log")
        files, few = (spark.read.format("binaryFile").load(str(folder / part)) for part in ("in", "few"))
        try:
            cleaning, counting, table = measure(files, few, folder / "work", options)
        finally:
            spark.stop()
        shuffled = shuffled_bytes(folder / "log") / (options.pages + FEW)
    month = options.month_pages
    print(f"{options.pages:,} pages of {written / options.pages:,.0f} bytes; a month is {month:,.0f}:\n")
    print("| step | CPU, ms a page | pages a second and core | core hours a month | shuffled, bytes a page | GB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for step, spent, size in (("clean", cleaning, 0.0), ("count", counting, shuffled)):
        each = f"{spent:.2f} | {1e3 / spent:,.0f} | {spent * month / 3.6e6:,.0f}"
        print(f"| {step} | {each} | {size:,.0f} | {size * month / 1e9:,.0f} |")
    print(f"\nThe table has {table / options.pages:,.0f} bytes a page.")


if __name__ == "__main__":
    main()
