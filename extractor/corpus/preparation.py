"""What `clean` does before it cleans: count the folder, report its copies, choose which of them to write.

Comes in: the plan of a folder and what the user asked for. Goes out: a plan with a table, and copies.jsonl.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from extractor.copies import CopyRecord
from extractor.corpus.clean import CleanSettings, LeftOut, Summary, load_table
from extractor.corpus.folder import FolderError, PageFile
from extractor.corpus.repeated import CountedFolder, CountSettings, Track, count_folder
from extractor.files import write_atomically
from extractor.repetition import DEFAULT_MEMORY

COPIES_FILE = "copies.jsonl"


@dataclass(frozen=True, slots=True)
class RepetitionSettings:
    """What the user asked for. own_table: count the folder itself; with a table in CleanSettings that one is
    used. keep_one: write the fullest page of each group of copies only."""

    own_table: bool = True
    keep_one: bool = False
    memory: int = DEFAULT_MEMORY

    def needs_counting(self, settings: CleanSettings) -> bool:
        """Whether the folder is read before it is cleaned."""
        return self.keep_one or (self.own_table and settings.repetition is None)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The pages to clean, with which settings, and a summary of those that are left out."""

    pages: Sequence[PageFile]
    settings: CleanSettings
    left_out: Summary = field(default_factory=Summary)
    groups: int = 0


@contextmanager
def prepare(
    pages: Sequence[PageFile],
    output: Path,
    settings: CleanSettings,
    repetition: RepetitionSettings,
    *,
    overwrite: bool = False,
    jobs: int = 1,
    track: Track = iter,
) -> Iterator[Prepared]:
    """Count the folder if need be; its table is a temporary file for as long as the context lasts.

    Copies are reported in copies.jsonl in `output`. FolderError if that file exists (unless `overwrite`),
    TableError for a table that cannot be used.
    """
    load_table(settings.repetition)
    if not repetition.needs_counting(settings):
        yield Prepared(pages, settings)
        return
    report = output / COPIES_FILE
    if report.exists() and not overwrite:
        raise FolderError(f"{report} exists already; give --overwrite or another folder")
    with tempfile.TemporaryDirectory(prefix="extractor-") as folder:
        counting = CountSettings(settings.site_from, repetition.memory, single=False)
        try:
            counted = count_folder(pages, counting, jobs=jobs, track=track)
            copies = counted.copies()
            left_out = left_out_copies(copies) if repetition.keep_one else []
            _report(report, copies, left_out)
            kept = _without(pages, {page.name for page in left_out}, output)
            with_table = _with_table(settings, counted, Path(folder))
        except OSError as error:
            where = error.filename or output
            raise FolderError(f"{where}: cannot be written ({error.strerror or error}); make room for it") from None
        yield Prepared(kept, with_table, Summary(left_out=tuple(left_out)), len(_fullest(copies)))


def left_out_copies(copies: Sequence[CopyRecord]) -> list[LeftOut]:
    """Every page but the fullest of its group, by name, with the reason."""
    fullest = _fullest(copies)
    left_out = [
        LeftOut(copy.page, f"a copy of {fullest[copy.group]} ({copy.shared:.0%} shared)")
        for copy in copies
        if not copy.fullest
    ]
    return sorted(left_out, key=lambda page: page.name)


def _without(pages: Sequence[PageFile], left_out: set[str], output: Path) -> list[PageFile]:
    """The pages that are left; what an earlier run wrote of the others is removed."""
    for page in pages:
        if page.name in left_out:
            (output / page.output).unlink(missing_ok=True)
    return [page for page in pages if page.name not in left_out]


def _report(path: Path, copies: Sequence[CopyRecord], left_out: Sequence[LeftOut]) -> None:
    """Write one JSON object a page that has copies, or no file if there are none."""
    if not copies:
        path.unlink(missing_ok=True)
        return
    fullest, gone = _fullest(copies), {page.name for page in left_out}
    rows = (
        {
            "group": copy.group,
            "page": copy.page,
            "shared": copy.shared,
            "fullest": fullest[copy.group],
            "left_out": copy.page in gone,
        }
        for copy in copies
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(path, text.encode("utf-8", "replace"))


def _fullest(copies: Sequence[CopyRecord]) -> dict[int, str]:
    return {copy.group: copy.page for copy in copies if copy.fullest}


def _with_table(settings: CleanSettings, counted: CountedFolder, folder: Path) -> CleanSettings:
    """The settings with the folder's own table, unless they name one."""
    if settings.repetition is not None:
        return settings
    path = folder / "table.npz"
    counted.table.save(path)
    return replace(settings, repetition=path)
