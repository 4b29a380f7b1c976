"""What takes minutes or gigabytes: hostile inputs at their full size, 200,000 pages through one process, eight threads.

Run by `make soak`, which shows what was measured.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from extractor import LabelledPage, Model, Page, label, label_many
from extractor.corpus.memory import resident_memory
from hostile import HOSTILE, Hostile
from random_models import make_random_model

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parent.parent
PAGES = int(os.environ.get("SOAK_PAGES", "200000"))
"""At least 20,000; fewer than 200,000 for a look by hand only."""
PART = PAGES // 100
WARM_UP = PAGES // 10
MOST_GROWTH = 20 << 20
MOST_SLOWDOWN = 1.05
MOST_SECONDS, MOST_BYTES = 200, 12 << 30


class Measured(NamedTuple):
    """What one input took: its size, the time of the processor, memory at most, and the lines that came of it."""

    size: int
    seconds: float
    memory: int
    lines: int


def measure(place: int) -> Measured:
    """Label a hostile input at its full size in this process, which has done nothing else."""
    case, model = HOSTILE[place], make_random_model(seed=7)
    page = case.page(case.full)
    start = time.process_time()
    labelled = label(page, model=model)
    seconds = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return Measured(len(page.content), seconds, memory, len(labelled.labels))


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_input_at_its_full_size(case: Hostile) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(measure, HOSTILE.index(case)).result()
    print(f"\n{case.name}: {found.size / 1e6:.1f} MB, {found.seconds:.1f} s, {found.memory >> 20:,} MiB", end=" ")
    assert case.lines is None or found.lines == case.lines(case.full)
    assert found.seconds < MOST_SECONDS
    assert found.memory < MOST_BYTES


def written_pages() -> list[Page]:
    """The pages of examples/ and tests/pages/."""
    paths = (path for folder in ("examples", "tests/pages") for path in sorted((ROOT / folder).rglob("*")))
    return [
        Page(path.read_bytes(), id=path.name, kind="html" if path.suffix == ".html" else "text")
        for path in paths
        if path.suffix in (".txt", ".html")
    ]


def many_pages(number: int) -> Iterator[Page]:
    """Pages that differ by a line and by the name of an attribute: what remembers pages grows with them."""
    for count, page in enumerate(islice(cycle(written_pages()), number)):
        assert isinstance(page.content, bytes)
        ending = f"\n<p data-page-{count}=x>Page {count} of many.\n"
        yield Page(page.content + ending.encode(), id=str(count), kind=page.kind)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_two_hundred_thousand_pages_through_one_process(shipped_model: Model) -> None:
    round_of_pages = len(written_pages())
    files, memory, seconds, done = open_files(), [], [], 0
    start = time.process_time()
    for done, labelled in enumerate(label_many(many_pages(PAGES), model=shipped_model), start=1):
        labelled.text()
        if done % PART == 0:
            seconds.append(time.process_time() - start)
            memory.append(resident_memory())
            start = time.process_time()
    assert done == PAGES
    assert round_of_pages < PART, "each part holds all pages"
    warm = WARM_UP // PART
    lowest, highest = min(memory[warm:]), max(memory[warm:])
    quarter = (len(seconds) - warm) // 4
    slowdown = statistics.median(seconds[-quarter:]) / statistics.median(seconds[warm : warm + quarter])
    print(
        f"\n{PAGES:,} pages: {sum(seconds) / PAGES * 1e3:.2f} ms a page, last quarter {slowdown:.3f} of the first; "
        f"resident memory after warm-up {lowest / 2**20:.1f} to {highest / 2**20:.1f} MiB; "
        f"{open_files() - files} files left open",
        end=" ",
    )
    assert highest - lowest <= MOST_GROWTH
    assert open_files() == files
    assert slowdown <= MOST_SLOWDOWN


def result(labelled: LabelledPage) -> tuple[object, ...]:
    return labelled.id, labelled.labels, np.array(labelled.probabilities).tobytes(), labelled.text()


def test_eight_threads_on_one_model(shipped_model: Model) -> None:
    pages = written_pages()
    expected = {labelled.id: result(labelled) for labelled in label_many(pages, model=shipped_model)}

    def work(seed: int) -> int:
        own = pages * 5
        random.Random(seed).shuffle(own)
        found = [result(labelled) for labelled in label_many(own, model=shipped_model)]
        assert found == [expected[page.id] for page in own]
        return len(found)

    with ThreadPoolExecutor(8) as pool:
        labelled = sum(pool.map(work, range(8)))
    print(f"\n{labelled:,} pages in eight threads, all labelled as in one", end=" ")
