"""How far a run is, seen from outside: the journals that its processes write are read as they grow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from extractor.corpus.readers import Piece
from extractor.corpus.run_folder import RunFolder, Shard


class Reached(NamedTuple):
    """How far a run is. pages: that are done; size: bytes of the input, about, that they stand in."""

    pages: int
    size: float


class Follower:
    """Looks at the journals of a run again and again; each line of them is read once."""

    def __init__(self, run: RunFolder, pieces: Sequence[Piece]) -> None:
        self._run, self._pieces = run, pieces
        self._read = [0] * len(pieces)
        self._share = [0.0] * len(pieces)
        self._finished: set[int] = set()
        self._pages = 0

    def look(self) -> Reached:
        """How far the run is now."""
        for name in self._names():
            number = int(name.partition(".")[0])
            if number < len(self._pieces) and number not in self._finished:
                self._follow(number)
        sizes = zip(self._share, self._pieces, strict=True)
        return Reached(self._pages, sum(share * piece.size for share, piece in sizes))

    def _names(self) -> list[str]:
        try:
            # of all files, parts have a "-" in their names
            return [
                path.name for path in self._run.pieces.iterdir() if path.suffix == ".jsonl" and "-" not in path.name
            ]
        except OSError:
            return []

    def _follow(self, number: int) -> None:
        try:
            with self._run.journal_path(number).open("rb") as file:
                file.seek(self._read[number])
                new = file.read()
        except OSError:
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._read[number] += len(whole)
        for line in whole.splitlines():
            self._note(number, line)

    def _note(self, number: int, line: bytes) -> None:
        try:
            row = json.loads(line)
            if row == "done":
                self._finished.add(number)
                self._share[number] = 1.0
                return
            shard = Shard.from_json(row)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return  # whoever works on the piece will say that its journal is damaged
        self._pages += shard.summary.records
        self._share[number] = max(self._share[number], shard.share)
