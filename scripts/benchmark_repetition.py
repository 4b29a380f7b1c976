"""What counting repeated lines costs, printed as Markdown: beside reading and hashing, and as pages grow.

The pages are made up: sites with furniture, articles of their own, some copies. Each size runs in a process
of its own, so that its peak of memory is its own.

    python scripts/benchmark_repetition.py                       # cost beside reading; 1 and 10 million lines
    python scripts/benchmark_repetition.py --lines 100000000     # another size
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from extractor.characters import read_texts
from extractor.counting import PageLines
from extractor.repetition import DEFAULT_MEMORY, RepetitionCounter, RepetitionTable

PAGE_LINES = 200
FURNITURE_SHARE = 0.5
SITE_PAGES = 500
COPIED_SHARE = 0.1
BATCH_PAGES = 70
MILLION = 1_000_000
MEBIBYTE = 1 << 20


def made_up_pages(lines: int) -> Iterator[tuple[PageLines, list[str]]]:
    """Batches of hashes as real pages have them: half furniture, a tenth of the pages copies of others."""
    chance = np.random.default_rng(7)
    furniture_lines, pages = int(PAGE_LINES * FURNITURE_SHARE), lines // PAGE_LINES
    offsets = np.arange(BATCH_PAGES + 1) * PAGE_LINES
    for first in range(0, pages, BATCH_PAGES):
        site = (first // SITE_PAGES) + 1
        page = np.arange(first, first + BATCH_PAGES)
        page = np.where(chance.random(BATCH_PAGES) < COPIED_SHARE, page // 2, page)
        furniture = np.arange(furniture_lines) + np.where(
            chance.random((BATCH_PAGES, furniture_lines)) < 0.8, site << 32, (page % 7 << 52)[:, None]
        )
        own = (page[:, None] << 20) + np.arange(PAGE_LINES - furniture_lines) + (1 << 60)
        place = np.concatenate((furniture[:, ::2], own, furniture[:, 1::2]), axis=1).reshape(-1).astype(np.uint64)
        hashes = place * np.uint64(0x9E3779B97F4A7C15)
        hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        long = (hashes >> np.uint64(60) < 8) & (place >> np.uint64(60) > 0)
        weights = np.where(long, hashes % np.uint64(400), hashes % np.uint64(39)).astype(np.uint16)
        yield PageLines(hashes, weights, offsets), [f"{site}.example"] * BATCH_PAGES


def count(lines: int, memory: int) -> tuple[float, float, float]:
    """Seconds of CPU, mebibytes of the process at most and of the table, for so many made-up lines."""
    spent = 0.0
    with RepetitionCounter(memory=memory) as counter:
        for batch, sites in made_up_pages(lines):
            started = time.process_time()
            counter.add(batch, sites)
            spent += time.process_time() - started
        started = time.process_time()
        table = counter.finish(single=False)
        spent += time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.npz"
        table.save(path)
        return spent, peak(), path.stat().st_size / MEBIBYTE


def peak() -> float:
    """The most memory that this process has held, in mebibytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage() says there includes the parent's memory at the time of the fork
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (MEBIBYTE if sys.platform == "darwin" else 1024)


def texts(pages: int) -> list[list[str]]:
    """Batches of dumps: half of the lines furniture, the rest prose, with words that no other page has."""
    chance = np.random.default_rng(11)
    words = ["".join(map(chr, row)) for row in chance.integers(97, 123, (5000, 6))]
    made = []
    for page in range(pages):
        site = page // SITE_PAGES
        menu = [f"Menu {words[site]} {words[number]}" for number in range(PAGE_LINES // 2)]
        picks = chance.integers(0, 5000, (PAGE_LINES // 2, 24))
        body = [" ".join(words[pick] for pick in row[: 4 + row[0] % 20]) + "." for row in picks.tolist()]
        made.append("\n".join([*menu[::2], *body, *menu[1::2]]))
    return [made[first : first + BATCH_PAGES] for first in range(0, pages, BATCH_PAGES)]


def compare_with_reading(pages: int) -> tuple[float, float, float]:
    """Microseconds a line of reading and hashing dumps, of counting them, and of looking them up."""
    spent = [0.0, 0.0, 0.0]
    read: list[tuple[PageLines, list[str]]] = []
    for number, batch in enumerate(texts(pages)):
        started = time.process_time()
        lines = PageLines.of(read_texts(batch))
        spent[0] += time.process_time() - started
        read.append((lines, [f"{number * BATCH_PAGES // SITE_PAGES}.example"] * len(batch)))
    started = time.process_time()
    table = counted(read)
    spent[1] = time.process_time() - started
    started = time.process_time()
    for lines, sites in read:
        table.look_up(lines, sites)
    spent[2] = time.process_time() - started
    total = sum(len(lines.hashes) for lines, _ in read)
    return spent[0] / total * MILLION, spent[1] / total * MILLION, spent[2] / total * MILLION


def counted(read: list[tuple[PageLines, list[str]]]) -> RepetitionTable:
    """The table of pages that are read already, as `clean` makes it for its own pages."""
    with RepetitionCounter() as counter:
        for lines, sites in read:
            counter.add(lines, sites)
        return counter.finish(single=False)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=4000, help="dumps to read for the comparison (0: none)")
    parser.add_argument("--lines", type=int, nargs="*", default=[MILLION, 10 * MILLION], help="made-up lines to count")
    parser.add_argument("--memory", type=int, default=DEFAULT_MEMORY // MEBIBYTE, help="mebibytes for counting")
    options = parser.parse_args()
    if options.pages:
        reading, counting, looking = compare_with_reading(options.pages)
        print(f"Of {options.pages} dumps, microseconds of CPU a line:\n")
        print("| reading and hashing | counting | share | looking up |\n| --- | --- | --- | --- |")
        print(f"| {reading:.2f} | {counting:.2f} | {counting / reading:.1%} | {looking:.2f} |\n")
    print(f"Counting made-up lines, with {options.memory} MiB for it:\n")
    print("| lines | CPU, s | µs a line | peak of the process, MiB | table, MiB |\n| --- | --- | --- | --- | --- |")
    context = multiprocessing.get_context("spawn")
    for lines in options.lines:
        with context.Pool(1) as pool:
            spent, memory, size = pool.apply(count, (lines, options.memory * MEBIBYTE))
        row = f"| {lines / MILLION:g} million | {spent:.1f} | {spent / lines * MILLION:.2f}"
        print(f"{row} | {memory:.0f} | {size:.1f} |", flush=True)


if __name__ == "__main__":
    main()
