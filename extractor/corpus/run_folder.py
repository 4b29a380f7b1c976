"""The folder that a run keeps beside its output, OUT.run: what it was asked, how far it is, and its report.

manifest.json holds the settings and the inputs; a run that goes on must have the same. Each piece of the input has
a journal, a line for each shard that is finished. Once all is done, manifest.json, report.json and unwritten.jsonl
(a line for each page that was not written, with the reason) are left.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from extractor.corpus.folder import COPIES_FILE, MANIFEST, RUN_ENDING, FolderError
from extractor.corpus.records import Result, Summary, total
from extractor.corpus.writers import OutputFormat
from extractor.files import open_new, write_atomically

if sys.platform == "win32":
    fcntl: Any = None
else:
    import fcntl

REPORT, UNWRITTEN = "report.json", "unwritten.jsonl"
_PIECES = "pieces"


@dataclass(frozen=True, slots=True)
class Shard:
    """Places first to stop of a piece, finished. part: the file of its results, None for files of text.

    share: of the piece, about, that is read up to here.
    """

    first: int
    stop: int
    summary: Summary
    unwritten: Sequence[Mapping[str, Any]]
    part: str | None
    share: float = 0.0

    def as_line(self) -> bytes:
        """One line of a journal."""
        row = {
            "first": self.first,
            "stop": self.stop,
            "summary": self.summary.as_json(),
            "unwritten": list(self.unwritten),
            "part": self.part,
            "share": round(self.share, 6),
        }
        return json.dumps(row).encode() + b"\n"

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Shard:
        """What as_line() wrote."""
        return cls(**{**row, "summary": Summary.from_json(row["summary"])})


class Journal:
    """What is finished of one piece. A line that a killed run left half written does not count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.shards: list[Shard] = []
        self.done = False
        self._whole = 0
        if path.exists():
            self._read()

    @property
    def begun(self) -> bool:
        """Whether a process has begun with the piece."""
        return self._path.exists()

    @property
    def end(self) -> int:
        """The first place that is not finished."""
        return self.shards[-1].stop if self.shards else 0

    @property
    def summary(self) -> Summary:
        """All its shards together."""
        return total(shard.summary for shard in self.shards)

    @classmethod
    @contextmanager
    def locked(cls, path: Path) -> Iterator[Journal]:
        """The journal of a piece that this process works on, what was written half cut off.

        While a process that outlived its run still works on the piece, wait for it.
        """
        with path.open("ab") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            journal = cls(path)
            file.truncate(journal._whole)
            yield journal

    def add(self, shard: Shard) -> None:
        """Note a finished shard."""
        self._append(shard.as_line())
        self.shards.append(shard)

    def finish(self) -> None:
        """Note that the piece is finished."""
        self._append(b'"done"\n')
        self.done = True

    def _append(self, line: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(line)
        self._whole += len(line)

    def _read(self) -> None:
        for line in self._path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
                if row != "done":
                    self.shards.append(Shard.from_json(row))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise FolderError(f"{self._path}: damaged ({error}); --overwrite begins the run anew") from None
            self._whole += len(line)
            self.done = self.done or row == "done"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run, and what its output is."""

    path: Path
    output: Path
    format: OutputFormat

    @classmethod
    def of(cls, output: Path, format: OutputFormat) -> RunFolder:
        """The folder that belongs to an output. FolderError for one without a name of its own."""
        whole = output.parent.resolve() / output.name
        if not output.name or output.name == "..":
            raise FolderError(f"{output}: give a folder with a name of its own for the output")
        return cls(whole.with_name(f"{whole.name}{RUN_ENDING}"), output, format)

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return (self.path / REPORT).exists()

    @property
    def begun(self) -> bool:
        """Whether a run was begun here, finished or not."""
        return (self.path / MANIFEST).exists()

    @property
    def unfinished(self) -> bool:
        """Whether a run was begun here and has not come to its end."""
        return self.begun and not self.finished

    def begin(self, manifest: dict[str, Any], *, resume: bool) -> None:
        """Make the folder ready. FolderError if it is another run's, or cannot be written."""
        old = self._old_manifest()
        if old is not None and resume:
            _check_same(self.path / MANIFEST, old, manifest)
            return
        if old is None and self.path.exists() and any(self.path.iterdir()):
            raise FolderError(f"{self.path}: in the way of what a run keeps beside its output; move it away")
        if old is not None:
            shutil.rmtree(self.path)
        self.pieces.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / MANIFEST, _json(manifest))

    def journal(self, piece: int) -> Journal:
        """The journal of a piece by its number, to look at."""
        return Journal(self.journal_path(piece))

    def work_on(self, piece: int) -> AbstractContextManager[Journal]:
        """The journal of a piece for a process that works on it."""
        return Journal.locked(self.journal_path(piece))

    @property
    def pieces(self) -> Path:
        """The folder of journals and parts."""
        return self.path / _PIECES

    def journal_path(self, piece: int) -> Path:
        """The file of a journal."""
        return self.pieces / f"{piece:06}.jsonl"

    def part(self, piece: int, first: int) -> Path:
        """The file for the results of a shard."""
        return self.pieces / f"{piece:06}-{first:09}.{self.format}"

    def parts(self, pieces: int) -> Iterator[Path]:
        """The parts of a run with so many pieces, in order."""
        for piece in range(pieces):
            for shard in self.journal(piece).shards:
                if shard.part is None:
                    continue
                if Path(shard.part).name != shard.part:
                    where = self.journal_path(piece)
                    raise FolderError(f"{where}: {shard.part!r} is no part of this run; --overwrite begins it anew")
                yield self.pieces / shard.part

    def write_unwritten(self, pieces: int) -> None:
        """List all pages that were not written, in order."""
        partial = self.path / f"{UNWRITTEN}.new"
        with open_new(partial) as file:
            for piece in range(pieces):
                for shard in self.journal(piece).shards:
                    file.write(b"".join(notice_line(notice) for notice in shard.unwritten))
        partial.replace(self.path / UNWRITTEN)

    def unwritten(self) -> Iterator[dict[str, Any]]:
        """The pages of a finished run that were not written, in order: name, id, url, status and reason."""
        with (self.path / UNWRITTEN).open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def finish(self, report: dict[str, Any]) -> None:
        """Write the report, and remove what only an unfinished run needs."""
        write_atomically(self.path / REPORT, _json(report, indent=1))
        for path in self.path.iterdir():
            if path.name == _PIECES:
                shutil.rmtree(path)
            elif path.name not in (MANIFEST, REPORT, UNWRITTEN, COPIES_FILE):
                path.unlink()

    def report(self) -> dict[str, Any]:
        """The report of a finished run."""
        found: dict[str, Any] = json.loads((self.path / REPORT).read_bytes())
        return found

    def _old_manifest(self) -> dict[str, Any] | None:
        path = self.path / MANIFEST
        if not path.exists():
            return None
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            raise FolderError(f"{path}: cannot be read ({error}); move {self.path} away") from None
        return found


def notice_line(notice: Mapping[str, Any]) -> bytes:
    """One line of unwritten.jsonl."""
    return json.dumps(notice, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def notices(results: Sequence[Result]) -> list[dict[str, Any]]:
    """The pages of some results that are not written."""
    return [result.notice() for result in results if not result.written]


def _json(content: dict[str, Any], indent: int | None = None) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=indent).encode("utf-8", "replace") + b"\n"


def _check_same(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """FolderError if a run that is to go on was asked something else, or its inputs have changed."""
    new = json.loads(_json(new))
    for name in sorted(new.keys() | old.keys()):
        if name != "inputs" and old.get(name) != new.get(name):
            begun, asked = (json.dumps(found.get(name), ensure_ascii=False) for found in (old, new))
            raise FolderError(
                f"{path}: the run was begun with another {name} ({begun}, now {asked}); give the same, or --overwrite"
            )
    before, now = ({row[0]: row for row in found.get("inputs", ())} for found in (old, new))
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise FolderError(
            f"{path}: inputs have changed since the run began ({changed[0]}{more}); --overwrite begins anew"
        )


def write_left_out(path: Path, reasons: Mapping[str, str]) -> None:
    """Keep, by the names of pages, why they are left out."""
    write_atomically(path, json.dumps(reasons).encode())


def left_out_reasons(path: Path | None) -> Mapping[str, str]:
    """What write_left_out() kept; read once a process. Empty for no file."""
    return {} if path is None else _read_left_out(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read_left_out(path: Path, _modified: int) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(path.read_bytes())
    return found
