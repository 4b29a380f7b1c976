"""How much memory a step of a run may take, so that what grows without end is stopped, and the machine is not.

The kernel counts what a process has asked for to write to (RLIMIT_DATA) and refuses what is past the limit: Python,
NumPy, PyArrow and lxml raise MemoryError then, or the process ends. Only Linux does; elsewhere nothing is limited.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

Step = TypeVar("Step")
LEAST = 2 << 30
"""What a step may always take: a page of the largest size that is read, 16 MiB, takes less unless most of its lines
have a few characters only."""
_DATA, _RESIDENT = 5, 1
"""Where /proc/self/statm has them, in pages."""
_OF_CONTAINERS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def share_of_memory(jobs: int) -> int:
    """Bytes that a step of each of so many processes may take: together half of what the machine or container has,
    and LEAST at least."""
    return max(_whole_memory() // (2 * jobs), LEAST)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """While this lasts, the process may take so many bytes more than it has; past them MemoryError. 0: no limit."""
    taken = _counted(_DATA)
    if sys.platform != "linux" or not size or not taken:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = [limit for limit in before if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([taken + size, *allowed]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def each_at_most(size: int, steps: Iterator[Step]) -> Iterator[Step]:
    """What some steps give, each made within at_most()."""
    while True:
        with at_most(size):
            try:
                step = next(steps)
            except StopIteration:
                return
        yield step


def resident_memory() -> int:
    """Bytes of memory that the process holds; 0 where that is not known."""
    return _counted(_RESIDENT)


def _counted(what: int) -> int:
    with suppress(OSError, IndexError, ValueError):
        return int(Path("/proc/self/statm").read_bytes().split()[what]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _whole_memory() -> int:
    found = []
    with suppress(OSError, ValueError, AttributeError):  # Windows has no sysconf
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _OF_CONTAINERS:
        with suppress(OSError, ValueError):  # "max" for no limit
            found.append(int(path.read_text(encoding="ascii")))
    return min(found, default=0)
