"""What `extractor clean` costs on many pages, as Markdown: CPU a page with one and two processes, the share of the
parent, how memory grows, and the time for many dumps beside trafilatura's on the HTML of some of the same pages.

The dumps are those of the shared corpora, again and again under other names, in a folder that is removed afterwards.

    python scripts/benchmark_batch.py                                   # 100,000 dumps
    python scripts/benchmark_batch.py --pages 40000 --sample 100        # fewer
    python scripts/benchmark_batch.py --pages 40000 --memory            # how memory grows only

CPU times, so that what else the machine does matters little; memory is what each process holds, not what it shares.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from extractor.training.peers import extract_quietly, load_peer

ROOT = Path(__file__).parent.parent
CORPORA = ("newspaper", "wcxb", "dragnet", "l3s-gn1", "cleaneval", "multilingual")
MOST_GROWTH, MOST_RATIO, MOST_PARENT = 20.0, 1.1, 0.1
EARLY, LATE = range(2_000, 10_000), range(32_000, 40_000)
"""Pages in which memory is compared; they come in random order, so that the one are as long as the other."""
EVERY = 0.2
"""Seconds between two looks at the processes."""
FOLDER_PAGES = 1_000
MEASURES: dict[str, Callable[[list[float]], float]] = {"at least": min, "in the median": statistics.median}
"""Of what a process held at every look. The five largest dumps have a twelfth of all characters, so what is held at
most, or at most in 19 looks of 20, is that of the large pages that a process happened to be given."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Watched:
    """Seconds of CPU of each process of a run, and mebibytes that it held at every look among EARLY and LATE pages."""

    wall: float = 0.0
    cpu: dict[int, float] = field(default_factory=dict)
    early: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    late: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    parent: int = 0

    @property
    def total(self) -> float:
        """Seconds of CPU of all processes."""
        return sum(self.cpu.values())

    @property
    def most(self) -> float:
        """The most mebibytes that a look found."""
        return max((max(held) for window in (self.early, self.late) for held in window.values()), default=math.nan)

    def growth(self, measure: Callable[[list[float]], float]) -> float:
        """Mebibytes that the process grew by that grew most, of what it held; NaN where too little was seen."""
        both = self.early.keys() & self.late.keys()
        return max((measure(self.late[process]) - measure(self.early[process]) for process in both), default=math.nan)


def write_dumps(shared: Path, folder: Path, pages: int) -> None:
    """Write so many of the shared dumps in random order, again and again, a thousand in a folder."""
    texts = [
        row["text"]
        for corpus in CORPORA
        for row in pq.read_table(shared / "data" / f"{corpus}.dumps.parquet", columns=["text"]).to_pylist()
    ]
    random.Random(1).shuffle(texts)
    for number, text in enumerate(itertools.islice(itertools.cycle(texts), pages)):
        place = folder / f"{number // FOLDER_PAGES:04}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07}.txt").write_bytes(text.encode("utf-8", "replace"))


def watch(source: Path, output: Path, jobs: int, more: Sequence[str] = ()) -> Watched:
    """Run `extractor clean`, and look at it and at its children while it works."""
    command = [sys.executable, "-m", "extractor", "clean", str(source), "-o", str(output), "--jobs", str(jobs), *more]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    found = Watched(parent=process.pid)
    journals = output.with_name(f"{output.name}.run") / "pieces"
    while process.poll() is None:
        seen = sum(1 for _ in journals.glob("*.jsonl")) * 256 if journals.exists() else 0
        for pid in family(process.pid):
            note(found, pid, seen)
        time.sleep(EVERY)
    found.wall = time.perf_counter() - started
    if process.returncode not in (0, 1):  # 1: some pages failed, the shared dumps hold one that is too large
        raise SystemExit(f"the run with {jobs} processes failed (code {process.returncode})")
    return found


def note(found: Watched, pid: int, pages: int) -> None:
    """Add what a process has used and holds; one that has ended meanwhile stays as it was."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        held = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return
    found.cpu[pid] = (int(parts[11]) + int(parts[12])) / _TICKS
    memory = (int(held[1]) - int(held[2])) * _PAGE / (1 << 20)
    for window, held_in in ((EARLY, found.early), (LATE, found.late)):
        if pages in window:
            held_in[pid].append(memory)


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from family(int(child))


def trafilatura_seconds(shared: Path, sample: int) -> float:
    """Seconds of CPU a page that trafilatura takes for the HTML of some of the same pages."""
    documents = [
        row["html"]
        for corpus in CORPORA
        for row in pq.read_table(shared / "data" / f"{corpus}.parquet", columns=["html"]).to_pylist()
    ]
    documents = documents[:: max(len(documents) // sample, 1)]
    extract = load_peer("trafilatura")
    started = time.process_time()
    for document in documents:
        extract_quietly(extract, document, None)
    return (time.process_time() - started) / len(documents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="the folder of shared corpora")
    parser.add_argument("--pages", type=int, default=100_000, help="dumps to clean")
    parser.add_argument("--sample", type=int, default=400, help="pages that trafilatura reads")
    parser.add_argument("--memory", action="store_true", help="how memory grows with two processes, and no more")
    parser.add_argument("--once", action="store_true", help="clean with --no-own-repetition: every dump is read once")
    options = parser.parse_args()
    if not Path("/proc/self/statm").exists():
        sys.exit("this reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        source = Path(folder) / "in"
        write_dumps(options.shared, source, options.pages)
        asked, more = (2,) if options.memory else (1, 2), ["--no-own-repetition"] if options.once else []
        runs = {jobs: watch(source, Path(folder) / f"out{jobs}", jobs, more) for jobs in asked}
    growth = {name: max(found.growth(measure) for found in runs.values()) for name, measure in MEASURES.items()}
    compared = f"pages {EARLY.start:,} to {EARLY.stop:,} and {LATE.start:,} to {LATE.stop:,}"
    for name, grown in growth.items():
        print(f"growth of a process between {compared}, {name}: {grown:.1f} MiB (at most {MOST_GROWTH:.0f})")
    beyond = max(found.growth(lambda held: statistics.quantiles(held, n=20)[-1]) for found in runs.values())
    print(f"at most in 19 looks of 20, large pages among them: {beyond:.1f} MiB")
    print(f"most that a process held in a look, at a large page: {max(found.most for found in runs.values()):.0f} MiB")
    if not options.memory:
        report(runs, options)


def report(runs: dict[int, Watched], options: argparse.Namespace) -> None:
    """Print what runs with one and two processes took."""
    print(f"\n{options.pages:,} dumps in a folder:\n")
    print("| processes | CPU, ms a page | wall time, s | parent's share of CPU |")
    print("| --- | ---: | ---: | ---: |")
    for jobs, found in runs.items():
        share = f"{found.cpu[found.parent] / found.total:.1%}" if jobs > 1 else ""
        each = found.total / options.pages * 1e3
        print(f"| {jobs} | {each:.2f} | {found.wall:.0f} | {share} |")
    ours, theirs = runs[2].total / options.pages, trafilatura_seconds(options.shared, options.sample)
    parent = runs[2].cpu[runs[2].parent] / runs[2].total
    print(f"\nCPU with two processes to one: {runs[2].total / runs[1].total:.2f} (at most {MOST_RATIO})")
    print(f"parent's share: {parent:.1%} (at most {MOST_PARENT:.0%})")
    print(f"CPU to trafilatura's for the same pages' HTML, {theirs * 1e3:.1f} ms a page: {ours / theirs:.2f} (aim 0.1)")


if __name__ == "__main__":
    main()
