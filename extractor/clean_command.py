"""`extractor clean`: its options beside those that all commands have, and how a run is reported and ends."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from extractor.classifier import KINDS
from extractor.errors import ModelError, TableError
from extractor.files import printable
from extractor.streams import INTERRUPTED, PAGES_FAILED, emit, refuse

if TYPE_CHECKING:
    from extractor.corpus.batch import CleanSettings
    from extractor.corpus.preparation import RepetitionSettings
    from extractor.corpus.run import Finished, RunSettings

DEFAULT_MAX_BYTES = 16 << 20

Source = Annotated[
    Path, typer.Argument(metavar="IN", help="A folder of pages, or a .jsonl, .parquet, .warc or .wet file of them.")
]
OutputPath = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A folder for the clean text, or a file of records: OUT.jsonl, OUT.jsonl.gz, OUT.jsonl.zst, OUT.parquet.",
    ),
]
LineLabels = Annotated[
    bool, typer.Option("--labels", help="Records hold every line too, with its label and probabilities.")
]
Kinds = Annotated[
    str | None,
    typer.Option("--kinds", metavar="KIND,...", help=f"Write pages of these kinds only: {', '.join(KINDS)}."),
]
MinWords = Annotated[
    int, typer.Option("--min-words", metavar="N", min=0, help="Write pages with so many words of clean text only.")
]
MaxRemoved = Annotated[
    float,
    typer.Option(
        "--max-removed", metavar="SHARE", min=0, max=1, help="Write no page that loses more of its characters (0 to 1)."
    ),
]
MaxBytes = Annotated[
    int, typer.Option("--max-bytes", metavar="N", min=1, help="Give up pages with more bytes than this, unfolded.")
]
IdColumn = Annotated[
    str | None, typer.Option("--id-column", metavar="NAME", help="The column of .jsonl or .parquet with the id.")
]
UrlColumn = Annotated[str | None, typer.Option("--url-column", metavar="NAME", help="The column with the URL.")]
TextColumn = Annotated[
    str | None, typer.Option("--text-column", metavar="NAME", help="The column with the page, text or HTML by looking.")
]
HtmlColumn = Annotated[str | None, typer.Option("--html-column", metavar="NAME", help="The column with the HTML.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with a run that was ended; begin one where there is none.")
]


def read_kinds(text: str | None) -> frozenset[str] | None:
    """The value of --kinds; a wrong one ends the command."""
    if text is None:
        return None
    kinds = frozenset(part.strip() for part in text.split(",") if part.strip())
    unknown = sorted(kinds - set(KINDS))
    if unknown or not kinds:
        refuse(f"--kinds {text}: {unknown[0] if unknown else 'nothing'} is no kind; give some of {', '.join(KINDS)}")
    return kinds


def clean_and_report(
    source: Path, output: Path, settings: CleanSettings, repetition: RepetitionSettings, how: RunSettings
) -> None:
    """Run, sum up, name the pages that failed; ends with the exit code for what happened."""
    from extractor.corpus.clean import RunError
    from extractor.corpus.extras import MissingExtraError
    from extractor.corpus.folder import FolderError
    from extractor.corpus.run import clean_corpus
    from extractor.progress import with_counting_progress, with_progress

    try:
        finished = clean_corpus(
            source, output, settings, repetition, how, track=with_counting_progress, watch=with_progress
        )
    except (FolderError, MissingExtraError, ModelError, TableError) as error:
        refuse(str(error))
    except RunError as error:
        refuse(str(error), PAGES_FAILED)
    except KeyboardInterrupt:
        refuse("stopped; the same command with --resume goes on from here", INTERRUPTED)
    _report(finished)


def _report(finished: Finished) -> None:
    from extractor.corpus.preparation import copies_file
    from extractor.corpus.run_folder import REPORT, UNWRITTEN
    from extractor.listing import left_out_listing, summary_table

    run, summary = finished.run, finished.summary
    emit(summary_table(summary))
    if finished.before:
        emit("nothing was done: the run was finished before; --overwrite makes it anew\n")
    emit(left_out_listing(page for page in run.unwritten() if page["status"] == "left-out"))
    if finished.groups:
        emit(f"groups of copies: {finished.groups:,}, listed in {_shown(copies_file(run))}\n")
    if summary.failed or summary.left_out:
        emit(f"pages that were not written: {_shown(run.path / UNWRITTEN)}\n")
    emit(f"report: {_shown(run.path / REPORT)}\n")
    if summary.failed:
        _end_with_failures(finished)


def _shown(path: Path) -> str:
    """A path as short as it can be, harmless on a terminal."""
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _end_with_failures(finished: Finished) -> NoReturn:
    from extractor.listing import PAGES_SHOWN

    failed = (page for page in finished.run.unwritten() if page["status"] != "left-out")
    for page in islice(failed, PAGES_SHOWN):
        typer.echo(f"extractor: failed: {printable(page['name'])}: {printable(page['reason'])}", err=True)
    if finished.summary.failed > PAGES_SHOWN:
        typer.echo(f"extractor: and {finished.summary.failed - PAGES_SHOWN:,} more failed", err=True)
    raise typer.Exit(PAGES_FAILED)
