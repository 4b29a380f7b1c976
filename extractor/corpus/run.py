"""A whole run: a folder or a file of pages and an output in, the clean pages and a report out.

Checked before any work: the inputs, the place of every output, the settings of a run that goes on. Checked at the
end: that every page that was read is in the output or in the list of those that are not.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from extractor import __version__
from extractor.corpus.batch import CleanSettings, load_model, load_table
from extractor.corpus.clean import BATCH_PAGES, SHARD_PAGES, Job, clean_pieces, room_for
from extractor.corpus.finishing import finish, report_head, reported_summary
from extractor.corpus.folder import FolderError, InputFile, PageFile, RecordFile, check_outputs, input_files
from extractor.corpus.memory import share_of_memory
from extractor.corpus.preparation import RepetitionSettings, prepare
from extractor.corpus.readers import PIECE_BYTES, PIECE_PAGES, Piece, pieces_of
from extractor.corpus.records import Summary
from extractor.corpus.repeated import Track, untracked
from extractor.corpus.run_folder import RunFolder
from extractor.corpus.writers import check_output_file, output_format
from extractor.model_file import default_model_path

Watch: TypeAlias = Callable[[Iterable[Summary], Sequence[Piece], RunFolder], Iterable[Summary]]
_LEFT_BEHIND = re.compile(r"\.[0-9a-f]{16}\.part")
_MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run works; what it makes does not depend on it. jobs: processes that work at once.

    resume: go on with a run that was ended. overwrite: write over outputs that exist. piece_pages, piece_bytes,
    shard, batch: pages or bytes that are read, written and cleaned at once. memory: bytes that a process may take for
    a shard, besides those it had (None: its share, see share_of_memory(); 0: no limit); a page that takes more is an
    error.
    """

    jobs: int = 1
    resume: bool = False
    overwrite: bool = False
    piece_pages: int = PIECE_PAGES
    piece_bytes: int = PIECE_BYTES
    shard: int = SHARD_PAGES
    batch: int = BATCH_PAGES
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run. groups: of copies. run: has the report, and lists the pages that were not written.

    before: whether it was finished already, and nothing was done.
    """

    summary: Summary
    groups: int
    run: RunFolder
    before: bool = False


def unwatched(found: Iterable[Summary], _pieces: Sequence[Piece], _run: RunFolder) -> Iterable[Summary]:
    """What is cleaned, as it comes."""
    return found


def clean_corpus(
    source: Path,
    output: Path,
    settings: CleanSettings,
    repetition: RepetitionSettings | None = None,
    how: RunSettings | None = None,
    *,
    track: Track = untracked,
    watch: Watch = unwatched,
) -> Finished:
    """Clean all pages of a folder, or of a file of records, into a folder of text or a file of records.

    output: its ending says what it is (see output_format). track, watch: see what is counted and cleaned as it
    comes, and how far the run is. FolderError, ModelError, TableError and MissingExtraError before any work;
    RunError when there is no room to write: what is finished stays, and the run goes on with resume.
    """
    repetition, how = repetition or RepetitionSettings(), how or RunSettings()
    format = output_format(output)
    run = RunFolder.of(output, format)
    going_on = how.resume and run.begun
    if run.finished and how.resume and not output.exists():
        raise FolderError(f"{output}: gone since the run was finished; --overwrite makes it anew")
    if run.unfinished and not (how.resume or how.overwrite):
        raise FolderError(f"{run.path}: an unfinished run; --resume continues it, --overwrite begins anew")
    files = plan_files(source, run, overwrite=how.overwrite or going_on)
    if settings.lines and format == "folder":
        raise FolderError(f"{output}: a folder of text has no place for the lines; give OUT.jsonl or OUT.parquet")
    load_model(settings.model)
    load_table(settings.repetition)
    pieces = pieces_of(files, settings.reading, pages=how.piece_pages, size=how.piece_bytes)
    # workers of an earlier run may stand in another folder
    run, settings = replace(run, output=output.absolute()), _absolute(settings)
    with _writable(run):
        run.begin(manifest(files, settings, repetition, how), resume=how.resume)
        if run.finished:
            return replace(_finished(run), before=True)
        if going_on and format == "folder":
            _remove_left_behind(files, output)
    most = share_of_memory(how.jobs) if how.memory is None else how.memory
    with room_for(run):
        anew = how.overwrite or going_on
        prepared = prepare(pieces, run, settings, repetition, overwrite=anew, jobs=how.jobs, most=most, track=track)
    job = Job(run, prepared.settings, prepared.left_out, how.shard, how.batch, most)
    for _ in watch(clean_pieces(pieces, job, jobs=how.jobs), pieces, run):
        pass
    with room_for(run):
        finish(pieces, job, report_head(source, output), prepared.groups)
    return _finished(run)


def _absolute(settings: CleanSettings) -> CleanSettings:
    model, table = (path and path.absolute() for path in (settings.model, settings.repetition))
    return replace(settings, model=model, repetition=table)


def plan_files(source: Path, run: RunFolder, *, overwrite: bool = False) -> list[InputFile]:
    """The files to read, in order, once it is sure that every output has its own place. FolderError otherwise."""
    output = run.output
    if run.format != "folder":
        files = input_files(source, [output, run.path])
        check_output_file(output, source, overwrite=overwrite)
        return files
    if output.exists() and not output.is_dir():
        raise FolderError(f"{output}: not a folder; give another place for the output")
    if output.exists() and not os.access(output, os.W_OK | os.X_OK):
        raise FolderError(f"{output}: cannot be written (Permission denied); give another output")
    if source.is_dir() and output.resolve() == source.resolve():
        raise FolderError(f"{output}: both input and output; give another folder for the output")
    files = input_files(source, [output, run.path])
    check_outputs(files, output, overwrite=overwrite)
    return files


def manifest(
    files: Sequence[InputFile], settings: CleanSettings, repetition: RepetitionSettings, how: RunSettings
) -> dict[str, Any]:
    """All that the output depends on, as JSON has it: settings, digests of model and table, the inputs."""
    asked = asdict(replace(settings, model=None, repetition=None))
    reading = asked.pop("reading")
    pattern = reading["site_from"].pop("pattern")
    return {
        "manifest": _MANIFEST_VERSION,
        "extractor": __version__,
        "model": _digest(settings.model or default_model_path()),
        "table": _digest(settings.repetition) if settings.repetition else None,
        **{name: _plain(value) for name, value in {**asked, **reading}.items() if name not in ("model", "repetition")},
        "site_pattern": pattern.pattern if pattern else None,
        "own_table": repetition.own_table,
        "keep_one": repetition.keep_one,
        "sizes": [how.piece_pages, how.piece_bytes, how.shard],
        "inputs": [_input(file.name, file.path) for file in files],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value))
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return value.value if isinstance(value, Enum) else value


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _input(name: str, path: Path) -> list[Any]:
    """Name, bytes and time of change of a file; a change of what it holds changes one of them."""
    try:
        found = path.stat()
    except OSError:
        return [name, None, None]
    return [name, found.st_size, found.st_mtime_ns]


@contextmanager
def _writable(run: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or run.path
        raise FolderError(f"{where}: cannot be written ({error.strerror or error}); give another output") from None


def _remove_left_behind(files: Sequence[InputFile], output: Path) -> None:
    """Remove what a killed run has written half: files of text under another name."""
    folders = {(output / file.output).parent for file in files if isinstance(file, PageFile)}
    folders |= {output, *(output / file.output for file in files if isinstance(file, RecordFile))}
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            if _LEFT_BEHIND.fullmatch(path.name):
                path.unlink()


def _finished(run: RunFolder) -> Finished:
    report = run.report()
    return Finished(reported_summary(report), report["groups_of_copies"], run)
