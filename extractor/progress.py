"""How far a long command is, on a terminal: a bar by bytes of input, pages a second, time that is left. Elsewhere
nothing is shown."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from extractor.corpus.following import Follower
    from extractor.corpus.readers import Piece
    from extractor.corpus.repeated import ReadPages
    from extractor.corpus.run_folder import RunFolder

LOOK_EVERY = 0.5
"""Seconds between two looks at a run."""
_Found = TypeVar("_Found")


class Bar:
    """A bar on standard error. pages, size: how far the work was when it began; whole: bytes of all input."""

    def __init__(self, progress: Progress, whole: float, pages: int = 0, size: float = 0) -> None:
        self._progress, self._began, self._pages = progress, time.monotonic(), pages
        self._task = progress.add_task("", total=max(whole, 1), completed=int(size), pages=pages, rate="")

    def show(self, pages: int, size: float) -> None:
        """So many pages, and bytes of input, are done."""
        seconds = time.monotonic() - self._began
        rate = f", {(pages - self._pages) / seconds:,.0f}/s" if pages > self._pages and seconds > 0 else ""
        self._progress.update(self._task, completed=size, pages=pages, rate=rate)


def with_counting_progress(read: Iterable[ReadPages], pieces: Sequence[Piece]) -> Iterator[ReadPages]:
    """What is read for counting, as it comes; on a terminal, show how far the work is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from read
        return
    pages, size = 0, 0
    with _shown("counting", console) as progress:
        bar = Bar(progress, sum(piece.size for piece in pieces))
        for part in read:
            yield part
            pages += len(part.names) + len(part.failures)
            size += part.size
            bar.show(pages, size)


def with_progress(found: Iterable[_Found], pieces: Sequence[Piece], run: RunFolder) -> Iterator[_Found]:
    """What a run yields, as it comes; on a terminal, show meanwhile how far it is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from found
        return
    from extractor.corpus.following import Follower

    follower = Follower(run, pieces)
    with _shown("cleaning", console) as progress:
        bar = Bar(progress, sum(piece.size for piece in pieces), *follower.look())
        with _looking(follower, bar):
            yield from found
        bar.show(*follower.look())


def _shown(what: str, console: Console) -> Progress:
    columns = (
        TextColumn(what), BarColumn(), TextColumn("{task.fields[pages]:,} pages{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True, speed_estimate_period=120, refresh_per_second=4)


@contextmanager
def _looking(follower: Follower, bar: Bar) -> Iterator[None]:
    """Look at a run from a thread of its own: what works on it may yield nothing for minutes."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY):
            bar.show(*follower.look())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
