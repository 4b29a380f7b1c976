"""What `clean` does before it cleans: count the pages, report the copies among them, choose which to write.

Comes in: the pieces of a corpus and what the user asked for. Goes out: settings with a table, and copies.jsonl.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from extractor.copies import CopyRecord
from extractor.corpus.batch import CleanSettings, load_table
from extractor.corpus.folder import COPIES_FILE, FolderError
from extractor.corpus.readers import Piece
from extractor.corpus.repeated import CountSettings, Track, count_pages, untracked
from extractor.corpus.run_folder import RunFolder, write_left_out
from extractor.files import write_atomically
from extractor.repetition import DEFAULT_MEMORY

COUNTING, COUNTED, LEFT_OUT, TABLE = "counting", "counted.json", "left-out.json", "table.npz"


@dataclass(frozen=True, slots=True)
class RepetitionSettings:
    """What the user asked for. own_table: count the pages themselves; with a table in CleanSettings that one is
    used. keep_one: write the fullest page of each group of copies only; that alone changes no label."""

    own_table: bool = True
    keep_one: bool = False
    memory: int = DEFAULT_MEMORY

    def needs_counting(self, settings: CleanSettings) -> bool:
        """Whether the pages are read before they are cleaned."""
        return self.keep_one or (self.own_table and settings.repetition is None)


@dataclass(frozen=True, slots=True)
class Prepared:
    """How the pages are to be cleaned, after the first pass. left_out: a file with the copies that are not wanted."""

    settings: CleanSettings
    left_out: Path | None = None
    groups: int = 0


def prepare(
    pieces: Sequence[Piece],
    run: RunFolder,
    settings: CleanSettings,
    repetition: RepetitionSettings,
    *,
    overwrite: bool = False,
    jobs: int = 1,
    most: int = 0,
    track: Track = untracked,
) -> Prepared:
    """Count the pages if need be; their table, and which copies to leave out, are kept with the run.

    most: bytes that a process may take to read a piece, 0 for no limit. A run that goes on takes what it counted
    before. Copies are reported in copies.jsonl. FolderError if that file exists (unless `overwrite`), TableError for
    a table that cannot be used, OSError as from any write.
    """
    load_table(settings.repetition)
    if not repetition.needs_counting(settings):
        return Prepared(settings)
    counted = run.path / COUNTED
    if not counted.exists():
        report = copies_file(run)
        if report.exists() and not overwrite:
            raise FolderError(f"{report} exists already; give --overwrite or another folder")
        # a page may have ended this process while it counted: then the count is a matter of others
        begun = run.path / COUNTING
        jobs = max(jobs, 2) if begun.exists() else jobs
        begun.touch()
        _count(pieces, run, settings, repetition, jobs, most, track)
    groups: int = json.loads(counted.read_bytes())["groups"]
    own = run.path / TABLE if repetition.own_table else None
    table = settings.repetition or own
    return Prepared(replace(settings, repetition=table), run.path / LEFT_OUT, groups)


def copies_file(run: RunFolder) -> Path:
    """Where the copies are reported: in the folder of the output, or beside an output of one file."""
    return (run.output if run.format == "folder" else run.path) / COPIES_FILE


def _count(
    pieces: Sequence[Piece], run: RunFolder, settings: CleanSettings, repetition: RepetitionSettings,
    jobs: int, most: int, track: Track,
) -> None:  # fmt: skip
    """Count the pages, and write what comes of it; the last file says that all are there."""
    counting = CountSettings(settings.reading, repetition.memory, single=False, most=most)
    counted = count_pages(pieces, counting, jobs=jobs, track=track)
    copies = counted.copies()
    left_out = left_out_copies(copies) if repetition.keep_one else {}
    _report(copies_file(run), copies, left_out)
    write_left_out(run.path / LEFT_OUT, left_out)
    if repetition.own_table and settings.repetition is None:
        counted.table.save(run.path / TABLE)
    write_atomically(run.path / COUNTED, json.dumps({"groups": len(_fullest(copies))}).encode())


def left_out_copies(copies: Sequence[CopyRecord]) -> dict[str, str]:
    """Every page but the fullest of its group, by name, with the reason."""
    fullest = _fullest(copies)
    reasons = {
        copy.page: f"a copy of {fullest[copy.group]} ({copy.shared:.0%} shared)" for copy in copies if not copy.fullest
    }
    return dict(sorted(reasons.items()))


def _report(path: Path, copies: Sequence[CopyRecord], left_out: Mapping[str, str]) -> None:
    """Write one JSON object a page that has copies, or no file if there are none."""
    if not copies:
        path.unlink(missing_ok=True)
        return
    fullest = _fullest(copies)
    rows = (
        {
            "group": copy.group,
            "page": copy.page,
            "shared": copy.shared,
            "fullest": fullest[copy.group],
            "left_out": copy.page in left_out,
        }
        for copy in copies
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(path, text.encode("utf-8", "replace"))


def _fullest(copies: Sequence[CopyRecord]) -> dict[int, str]:
    return {copy.group: copy.page for copy in copies if copy.fullest}
