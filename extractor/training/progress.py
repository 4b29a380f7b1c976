"""Steps of a long run -> a bar with the time left on a terminal, a line a step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Steps:
    """Call it with the name of each step as it begins, within `with`; cost: what a step takes beside the others,
    total: the cost of all. The time left is foretold from the steps that are done."""

    def __init__(self, total: float, cost: Callable[[str], float]) -> None:
        self._total, self._cost = total, cost
        self._done = self._current = 0.0
        self._started = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._bar = Progress(*columns, console=console, transient=True)
        self._shown = self._bar.console.is_terminal
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Steps:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._bar.stop()

    def __call__(self, step: str) -> None:
        """A step begins, and the one before it is done."""
        self._done = min(self._done + self._current, self._total)
        self._current = self._cost(step)
        if self._shown:
            self._bar.update(self._task, description=step, completed=self._done)
        else:
            seconds = time.monotonic() - self._started
            self._bar.console.print(f"{seconds:5.0f} s{self._left()}  {step}", soft_wrap=True)

    def _left(self) -> str:
        if not self._done or self._done >= self._total:
            return ""
        seconds = (time.monotonic() - self._started) * (self._total - self._done) / self._done
        return f", about {seconds:.0f} s left"
