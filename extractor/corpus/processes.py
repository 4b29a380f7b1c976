"""Calls in worker processes, of which each may end at any moment: what they give, in order, or that they ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")
MOST_DEATHS = 50
"""Processes that one piece may end before the rest of it is given up."""
ENDED = "ended the process that worked on it"
"""What is said of a page that did."""


class EndedError(Exception):
    """The process of a call ended: a fault in a library, no memory, a signal."""


def together(function: Callable[Given, Found], calls: Sequence[tuple[object, ...]], jobs: int) -> Iterator[Found]:
    """What a function gives for each of some arguments, in order, by so many processes.

    EndedError once a process has ended; what was not given by then may have been done or not.
    """
    from joblib import Parallel, delayed  # a fifth of a second to import, and only needed here

    _start_tracker()
    tasks = (delayed(function)(*arguments) for arguments in calls)
    try:
        yield from Parallel(n_jobs=jobs, return_as="generator", batch_size=1)(tasks)
    except BrokenProcessPool:
        raise EndedError from None


def alone(function: Callable[Given, Found], *arguments: Given.args, **named: Given.kwargs) -> Found:
    """What a function gives, called in a process of its own. EndedError if that ended."""
    from joblib import Parallel, delayed

    _start_tracker()
    try:
        (found,) = Parallel(n_jobs=2)([delayed(function)(*arguments, **named)])  # one would be this process
    except BrokenProcessPool:
        raise EndedError from None
    return found  # type: ignore[no-any-return]


def _start_tracker() -> None:
    """Start the process that frees the locks of ended workers, mute: it would report those of a stopped run.

    A run that is stopped while a lock is being freed leaves it freed and still listed; the process frees what is
    listed, and says on the terminal, in its own words and after ours, that it was not there.
    """
    from joblib.externals.loky.backend import resource_tracker

    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)  # the process started now inherits it
        resource_tracker.ensure_running()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
