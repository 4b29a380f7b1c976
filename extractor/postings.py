"""Rows of parallel columns, held in memory up to a limit and past it in one temporary file, by partition.

Comes in: columns of the same length, the first of them 64-bit hashes. Goes out: the same rows, partition
after partition by the top bits of the hash, so that equal hashes always come out together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from extractor.characters import Array, Integers

PARTITION_BITS = 8
"""Partitions of the temporary file: 256, so that each of a thousand million rows still fits in memory."""


class _Spill(NamedTuple):
    """Where one spill begins in the file, and the bounds of its partitions in rows."""

    position: int
    bounds: Integers


class Postings:
    """Which line stands on which page, and what else a row holds. Close it, or use it in a with statement."""

    def __init__(self, columns: Sequence[DTypeLike], memory: int, folder: str | Path | None = None) -> None:
        """columns: the type of each. memory: bytes of rows held before they go to a file in folder."""
        self._types = [np.dtype(column) for column in columns]
        self._limit, self._folder = memory, folder
        self._held: list[tuple[Array, ...]] = []
        self._held_bytes = 0
        self._spills: list[_Spill] = []
        self._file: IO[bytes] | None = None

    @property
    def spilled(self) -> bool:
        """Whether rows lie in the temporary file."""
        return bool(self._spills)

    def add(self, *columns: Array) -> None:
        """Add rows; the columns are kept, not copied."""
        row = tuple(column.astype(kind, copy=False) for column, kind in zip(columns, self._types, strict=True))
        self._held.append(row)
        self._held_bytes += sum(column.nbytes for column in row)
        if self._held_bytes > self._limit:
            self._spill()

    def partitions(self, bits: int = 0) -> Iterator[tuple[Array, ...]]:
        """All rows, in at least 2 ** bits partitions, ascending by the top bits of the hash."""
        if not self._spills:
            held = self._joined()
            self._held = [held]
            yield from split_rows(held, 0, bits)
            return
        if self._held:
            self._spill()
        for number in range(1 << PARTITION_BITS):
            yield from split_rows(self._read(number), PARTITION_BITS, bits)

    def close(self) -> None:
        """Forget all rows and remove the temporary file."""
        self._held, self._held_bytes, self._spills = [], 0, []
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Postings:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _joined(self) -> tuple[Array, ...]:
        if len(self._held) == 1:
            return self._held[0]
        return tuple(
            np.concatenate([np.zeros(0, kind), *(row[column] for row in self._held)])
            for column, kind in enumerate(self._types)
        )

    def _spill(self) -> None:
        rows = self._joined()
        self._held, self._held_bytes = [], 0
        partition = (rows[0] >> np.uint64(64 - PARTITION_BITS)).astype(np.uint8)
        order = np.argsort(partition, kind="stable")
        bounds = np.concatenate(([0], np.cumsum(np.bincount(partition, minlength=1 << PARTITION_BITS))))
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="extractor-", dir=self._folder)  # noqa: SIM115
        self._spills.append(_Spill(self._file.seek(0, 2), bounds))
        for column in rows:
            self._file.write(column[order].data)

    def _read(self, number: int) -> tuple[Array, ...]:
        """The rows of one partition, from every spill."""
        assert self._file is not None
        columns: list[list[Array]] = [[np.zeros(0, kind)] for kind in self._types]
        for spill in self._spills:
            first, last = spill.bounds[number : number + 2].tolist()
            position = spill.position
            for kind, column in zip(self._types, columns, strict=True):
                self._file.seek(position + first * kind.itemsize)
                column.append(_read_exactly(self._file, (last - first) * kind.itemsize, kind))
                position += int(spill.bounds[-1]) * kind.itemsize
        return tuple(np.concatenate(column) for column in columns)


def _read_exactly(file: IO[bytes], size: int, kind: np.dtype[Any]) -> Array:
    data = file.read(size)
    if len(data) != size:
        raise OSError("the temporary file of the repetition count was cut short: is the disk full?")
    return np.frombuffer(data, kind)


def split_rows(rows: tuple[Array, ...], done: int, bits: int) -> Iterator[tuple[Array, ...]]:
    """Rows that share their first `done` bits, split by the bits after those until `bits` are shared."""
    if bits <= done:
        yield rows
        return
    number = (rows[0] << np.uint64(done)) >> np.uint64(64 - (bits - done))
    for wanted in range(1 << (bits - done)):
        chosen = np.flatnonzero(number == np.uint64(wanted))
        yield tuple(column[chosen] for column in rows)
