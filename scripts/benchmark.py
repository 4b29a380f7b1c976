"""What a page costs, beside its peers, on the same pages in one run: CPU time, memory, growth, as Markdown.

    python scripts/benchmark.py                                  # every peer that is installed, the shipped model
    python scripts/benchmark.py --output docs/benchmark          # writes docs/benchmark.md, .json and .png too
    python scripts/benchmark.py --model out/model.npz --peers resiliparse trafilatura --rounds 3

Times are CPU time of one process, warm, decoding included. All take turns on some pages at a time, so that what
else the machine does falls on all alike: read the ratios, not the milliseconds. The growth
is judged by the quickest of three runs.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from extractor import Model, Page, extract, label_many
from extractor.model_file import default_model_path
from extractor.training.corpora import Source, read_corpora
from extractor.training.peers import Extract, extract_quietly, load_peer

ROOT = Path(__file__).parent.parent
PEERS = ("resiliparse", "rs-trafilatura", "justext", "boilerpy3", "trafilatura", "readability")
CORPORA = ("newspaper", "wcxb")
TURN_PAGES = 64
"""Pages that each takes before the next has its turn."""
GROWTH_LINES = (1_000, 3_000, 10_000, 30_000, 100_000)
MEMORY_PAGES = 1_000
STARTS = 9
"""Fresh interpreters that start-up is measured in."""
DUMPS, SINGLE, HTML = (
    "dumps, `label_many` with `text()`",
    "one dump a call, `extract`",
    "HTML, `label_many` with `text()`",
)
IMPORT = """
import time, numpy
started = time.process_time()
import extractor
print((time.process_time() - started) * 1e3)
"""
FIRST_CALL = """
import sys, time
from pathlib import Path
import extractor
page = Path(sys.argv[2]).read_bytes()
started = time.process_time()
extractor.extract(page, model=extractor.Model.load(sys.argv[1]))
print((time.process_time() - started) * 1e3)
"""
MEMORY = """
import sys
from pathlib import Path
import extractor
pages = (path.read_bytes() for path in sorted(Path(sys.argv[2]).iterdir()))
for labelled in extractor.label_many(pages, model=extractor.Model.load(sys.argv[1])):
    labelled.text()
print(int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024)
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """One way to get text out of pages: run(pages) reads some of them; size: bytes of all pages."""

    name: str
    pages: Sequence[Source] | Sequence[bytes]
    run: Callable[[Sequence[Source]], None] | Callable[[Sequence[bytes]], None]
    size: int


@dataclass(slots=True)
class Timing:
    """Seconds of CPU over all pages, one entry a round."""

    pages: int
    size: int
    rounds: list[float] = field(default_factory=list)

    def milliseconds(self, chosen: Callable[[Iterable[float]], float]) -> float:
        """Milliseconds a page, of the rounds that `chosen` picks."""
        return chosen(self.rounds) / self.pages * 1e3


@dataclass(frozen=True, slots=True)
class Bound:
    """One line of what must hold; unit: what found and most are counted in."""

    what: str
    found: float
    most: float
    unit: str


def main() -> None:
    arguments = read_arguments()
    logging.disable(logging.CRITICAL)  # peers say much about broken pages
    sources = list(read_corpora(arguments.shared, CORPORA, "dev"))[:: arguments.every]
    timings = time_in_turns(subjects(sources, Model.load(arguments.model), arguments.peers), arguments.rounds)
    growth = {kind: growth_times(sources, kind, Model.load(arguments.model)) for kind in ("text", "html")}
    bounds = [*ratios(timings), *start_up(sources, arguments.model), *memory(sources, arguments.model)]
    bounds += [Bound(f"growth, {kind}: slope", slope(times), 1.05, "") for kind, times in growth.items()]
    report = as_markdown(timings, bounds, growth, len(sources))
    print(report)
    if arguments.output:
        write(arguments.output, report, timings, bounds, growth)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of the corpora")
    parser.add_argument("--model", type=Path, default=default_model_path())
    parser.add_argument("--peers", nargs="*", default=PEERS, help="those that are not installed are left out")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take every so many-th page only")
    parser.add_argument("--output", type=Path, help="write PATH.md, PATH.json and PATH.png")
    return parser.parse_args()


# --- time -------------------------------------------------------------------------------------
def subjects(sources: Sequence[Source], model: Model, peers: Iterable[str]) -> Iterator[Subject]:
    """This project's three ways, and the peers that are installed."""

    def in_batches(pages: Sequence[bytes]) -> None:
        for labelled in label_many(pages, model=model):
            labelled.text()

    def one_by_one(pages: Sequence[bytes]) -> None:
        for page in pages:
            extract(page, model=model)

    dumps, html = dumps_of(sources), [source.html for source in sources]
    dump_size, html_size = (sum(map(len, pages)) for pages in (dumps, html))
    yield Subject(DUMPS, dumps, in_batches, dump_size)
    yield Subject(SINGLE, dumps, one_by_one, dump_size)
    yield Subject(HTML, html, in_batches, html_size)
    for name in peers:
        try:
            yield Subject(name, sources, peer_run(load_peer(name)), html_size)
        except ImportError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)


def peer_run(extract_peer: Extract) -> Callable[[Sequence[Source]], None]:
    def run(pages: Sequence[Source]) -> None:
        for page in pages:
            extract_quietly(extract_peer, page.html, page.url)

    return run


def dumps_of(sources: Iterable[Source]) -> list[bytes]:
    return [dump.text.encode("utf-8", "replace") for source in sources for dump in source.dumps]


def time_in_turns(found: Iterable[Subject], rounds: int) -> dict[str, Timing]:
    """CPU seconds of each subject, by name; a first round warms all and does not count."""
    taking = list(found)
    timings = {subject.name: Timing(len(subject.pages), subject.size) for subject in taking}
    turns = max(1, max(len(subject.pages) for subject in taking) // TURN_PAGES)
    for subject in taking:
        timed(subject, slice(0, TURN_PAGES))
    for _ in range(rounds):
        spent = dict.fromkeys(timings, 0.0)
        for turn in range(turns):
            for subject in taking:
                spent[subject.name] += timed(subject, share_of(len(subject.pages), turn, turns))
        for name, seconds in spent.items():
            timings[name].rounds.append(seconds)
    return timings


def share_of(pages: int, turn: int, turns: int) -> slice:
    return slice(pages * turn // turns, pages * (turn + 1) // turns)


def timed(subject: Subject, part: slice) -> float:
    started = time.process_time()
    subject.run(subject.pages[part])  # type: ignore[arg-type]
    return time.process_time() - started


def ratios(timings: dict[str, Timing]) -> list[Bound]:
    """What must hold beside peers; medians, as both sides of a ratio had the same rounds."""
    dumps, single, html = (timings[name].milliseconds(median) for name in (DUMPS, SINGLE, HTML))
    bounds = []
    if "resiliparse" in timings:
        resiliparse = timings["resiliparse"].milliseconds(median)
        bounds.append(Bound(f"{DUMPS}: of resiliparse's time", dumps / resiliparse, 1.0, "x"))
        bounds.append(Bound(f"{SINGLE}: of resiliparse's time", single / resiliparse, 3.0, "x"))
        bounds.append(Bound(f"{HTML}: of resiliparse's time (an aim)", html / resiliparse, 1.0, "x"))
    bounds.append(Bound(f"{SINGLE}: of the time in batches", single / dumps, 3.0, "x"))
    if "trafilatura" in timings:
        bounds.append(
            Bound(f"{HTML}: of trafilatura's time", html / timings["trafilatura"].milliseconds(median), 0.2, "x")
        )
    return bounds


# --- start-up, memory, growth -----------------------------------------------------------------
def start_up(sources: Sequence[Source], model: Path) -> list[Bound]:
    """Of several fresh interpreters the median: importing, and the first page with the model's loading."""
    with tempfile.TemporaryDirectory() as folder:
        dump, html = Path(folder) / "page.txt", Path(folder) / "page.html"
        dump.write_bytes(sources[0].dumps[0].text.encode("utf-8", "replace"))
        html.write_bytes(sources[0].html)
        return [
            Bound("`import extractor` above `import numpy`", median(fresh(IMPORT) for _ in range(STARTS)), 15, "ms"),
            *(
                Bound(f"first call, model load included, {kind}",
                      median(fresh(FIRST_CALL, model, path) for _ in range(STARTS)), 100, "ms")
                for kind, path in (("text", dump), ("html", html))
            ),
        ]  # fmt: skip


def memory(sources: Sequence[Source], model: Path) -> list[Bound]:
    """Resident memory after MEMORY_PAGES pages, of dumps and of HTML (some come more than once)."""
    if not Path("/proc/self/status").exists():
        return []
    bounds = []
    for kind, pages in (("dumps", dumps_of(sources)), ("HTML pages", [source.html for source in sources])):
        with tempfile.TemporaryDirectory() as folder:
            for number, page in enumerate(islice(cycle(pages), MEMORY_PAGES)):
                (Path(folder) / f"{number:05}").write_bytes(page)
            bounds.append(
                Bound(f"resident memory after {MEMORY_PAGES:,} {kind}", fresh(MEMORY, model, Path(folder)), 150, "MB")
            )
    return bounds


def fresh(program: str, *arguments: Path) -> float:
    """The number that a program prints, run in an interpreter of its own, with all modules compiled before."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return float(subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT, env=environment).stdout)


def growth_times(sources: Sequence[Source], kind: str, model: Model) -> dict[int, float]:
    """CPU seconds of one page by its number of lines: the lines of dumps, one after the other."""
    some = [line for source in sources for dump in source.dumps[:1] for line in dump.text.split("\n") if line.strip()]
    times = {}
    for lines in GROWTH_LINES:
        chosen = list(islice(cycle(some), lines))
        text = (
            "\n".join(chosen) if kind == "text" else "".join(f"<div><p>{escape(line)}</p></div>\n" for line in chosen)
        )
        page = Page(text, kind="text" if kind == "text" else "html")
        times[lines] = min(extraction_time(page, model) for _ in range(3))
    return times


def extraction_time(page: Page, model: Model) -> float:
    started = time.process_time()
    extract(page, model=model)
    return time.process_time() - started


def slope(times: dict[int, float]) -> float:
    """Of the least-squares line through the logarithms."""
    x, y = [math.log(lines) for lines in times], [math.log(seconds) for seconds in times.values()]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    rise = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return rise / sum((a - x_mean) ** 2 for a in x)


# --- report -----------------------------------------------------------------------------------
def as_markdown(
    timings: dict[str, Timing], bounds: Sequence[Bound], growth: dict[str, dict[int, float]], pages: int
) -> str:
    rounds = len(next(iter(timings.values())).rounds)
    out = [
        f"Newspaper and wcxb dev pages ({pages}), CPU time, one process, {rounds} rounds in turns; "
        f"Python {platform.python_version()}, {platform.machine()}.\n",
        "| | ms a page: median | least | most | MB a second |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, timing in sorted(timings.items(), key=lambda item: item[1].milliseconds(median)):
        least, middle, most = (timing.milliseconds(chosen) for chosen in (min, median, max))
        out.append(
            f"| {name} | {middle:.2f} | {least:.2f} | {most:.2f} | {timing.size / median(timing.rounds) / 1e6:.1f} |"
        )
    out += ["\n| | found | at most | |", "| --- | ---: | ---: | --- |"]
    for bound in bounds:
        verdict = "holds" if bound.found <= bound.most else "**fails**"
        out.append(f"| {bound.what} | {bound.found:.3g} {bound.unit} | {bound.most:g} {bound.unit} | {verdict} |")
    out += ["\n| lines of one page | " + " | ".join(f"{lines:,}" for lines in GROWTH_LINES) + " |"]
    out += ["| --- |" + " ---: |" * len(GROWTH_LINES)]
    out += [
        f"| {kind}, ms | " + " | ".join(f"{s * 1e3:.1f}" for s in times.values()) + " |"
        for kind, times in growth.items()
    ]
    return "\n".join(out)


def write(
    path: Path, report: str, timings: dict[str, Timing], bounds: Sequence[Bound], growth: dict[str, dict[int, float]]
) -> None:
    path.with_suffix(".md").write_text(report + "\n", encoding="utf-8")
    found = {
        "timings": {name: asdict(timing) for name, timing in timings.items()},
        "bounds": [asdict(bound) for bound in bounds],
        "growth": growth,
    }
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(path.with_suffix(".png"), timings, growth)


def draw(path: Path, timings: dict[str, Timing], growth: dict[str, dict[int, float]]) -> None:
    """Bars of milliseconds a page with their spread, and the growth on log-log axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (bars, curves) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    ordered = sorted(timings.items(), key=lambda item: -item[1].milliseconds(median))
    middle = [timing.milliseconds(median) for _, timing in ordered]
    spread = [
        [abs(timing.milliseconds(chosen) - timing.milliseconds(median)) for _, timing in ordered]
        for chosen in (min, max)
    ]
    bars.barh([name.replace("`", "") for name, _ in ordered], middle, xerr=spread, color="tab:blue", ecolor="black")
    bars.set(xscale="log", xlabel="ms of CPU a page")
    bars.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    bars.set_xticks([], minor=True)
    for kind, times in growth.items():
        curves.loglog(list(times), list(times.values()), marker="o", label=f"{kind}, slope {slope(times):.2f}")
    curves.set(xlabel="lines of one page", ylabel="seconds of CPU")
    curves.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
