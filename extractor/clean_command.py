"""`extractor clean`: its options, and how a run is reported and ends."""

from __future__ import annotations

from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from extractor.corpus.folder import MAX_BYTES
from extractor.errors import ModelError, TableError
from extractor.files import printable
from extractor.kinds import KINDS
from extractor.options import PreferChoice, preference
from extractor.page import BODY_ONLY, Label
from extractor.repetition import DEFAULT_MEMORY
from extractor.repetition_commands import DEFAULT_SITE_FROM, MEBIBYTE, read_site_from
from extractor.streams import INTERRUPTED, PAGES_FAILED, emit, refuse

if TYPE_CHECKING:
    from extractor.corpus.batch import CleanSettings
    from extractor.corpus.preparation import RepetitionSettings
    from extractor.corpus.run import Finished, RunSettings


class KeepChoice(str, Enum):
    """--keep of a folder: labels, or one page of each group of copies."""

    BODY = "body"
    HEADER = "header"
    NAV = "nav"
    RELATED_LINK = "related-link"
    ONE = "one"


def _option(panel: str, name: str, help: str, metavar: str | None = None, **limits: Any) -> Any:
    return typer.Option(*name.split(), metavar=metavar, help=help, rich_help_panel=panel, **limits)


_TEXT, _PAGES, _READING = "What is kept of a page", "Which pages are written", "How pages are read"
_REPEATED, _RUN = "Lines that repeat across pages", "The run"

Source = Annotated[
    Path,
    typer.Argument(
        metavar="IN", help="A folder of pages, or a .jsonl, .parquet, .warc or .wet file of them, .gz and .zst too."
    ),
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
NoHeadline = Annotated[bool, _option(_TEXT, "--no-headline", "Leave the headline out.")]
KeepInFolder = Annotated[
    list[KeepChoice] | None,
    _option(
        _TEXT,
        "--keep",
        "Keep lines of this label (repeatable): body, header, nav or related-link; body unless given. With one: write "
        "one page of each group of copies, the fullest.",
        "LABEL|one",
    ),
]
Unwrap = Annotated[bool, _option(_TEXT, "--unwrap", "Join the lines of hard-wrapped paragraphs.")]
Prefer = Annotated[
    PreferChoice | None,
    _option(_TEXT, "--prefer", "Drop more lines, or keep more, than F1 asks for.", "precision|recall"),
]
LineLabels = Annotated[
    bool, _option(_TEXT, "--labels", "Records hold every line too, with its label and probabilities.")
]
ModelPath = Annotated[
    Path | None, _option(_TEXT, "--model", "A model file (.npz) in place of the shipped one.", "MODEL")
]
Kinds = Annotated[str | None, _option(_PAGES, "--kinds", f"Only those of these kinds: {', '.join(KINDS)}.", "KIND,...")]
MinWords = Annotated[int, _option(_PAGES, "--min-words", "Only those with so many words of clean text.", "N", min=0)]
MaxRemoved = Annotated[
    float,
    _option(
        _PAGES,
        "--max-removed",
        "Only those that lose no larger share of their characters (0.9: nine tenths).",
        "SHARE",
        min=0,
        max=1,
    ),
]
MaxBytes = Annotated[
    int, _option(_READING, "--max-bytes", "Give up pages with more bytes than this, unfolded.", "N", min=1)
]
IdColumn = Annotated[
    str | None, _option(_READING, "--id-column", "The column of .jsonl or .parquet with the id.", "NAME")
]
UrlColumn = Annotated[str | None, _option(_READING, "--url-column", "The column with the URL.", "NAME")]
TextColumn = Annotated[
    str | None, _option(_READING, "--text-column", "The column with the page, text or HTML by looking.", "NAME")
]
HtmlColumn = Annotated[str | None, _option(_READING, "--html-column", "The column with the HTML.", "NAME")]
TablePath = Annotated[
    Path | None,
    _option(_REPEATED, "--repetition", "Take the repeated lines of this table as evidence, not those of IN.", "TABLE"),
]
NoOwnRepetition = Annotated[
    bool,
    _option(
        _REPEATED,
        "--no-own-repetition",
        "Do not read IN twice: else its repeated lines are counted first, as evidence, and copies are listed.",
    ),
]
SiteFromText = Annotated[
    str,
    _option(
        _REPEATED,
        "--site-from",
        "What makes a site: the URL that an HTML page names (else its folder), the folder, what this expression finds "
        "in the path, nothing. A folder with fewer than five distinct pages is no site.",
        "url|folder|REGEX|none",
    ),
]
Memory = Annotated[
    int, _option(_REPEATED, "--memory", "Mebibytes for counting; past them, a temporary file.", "MIB", min=1)
]
PageMemory = Annotated[
    int | None,
    _option(
        _RUN,
        "--page-memory",
        "Give up pages for which a process takes more mebibytes than this; unless given, half of the memory that there "
        "is, shared by --jobs, but no less than 2048 (Linux only).",
        "MIB",
        min=256,
    ),
]
Jobs = Annotated[int, _option(_RUN, "--jobs", "Processes that work at once.", "N", min=1)]
Resume = Annotated[bool, _option(_RUN, "--resume", "Go on with a run that was ended; begin one where there is none.")]
Overwrite = Annotated[bool, _option(_RUN, "--overwrite", "Write over outputs that exist, and begin anew.")]


def clean(
    source: Source,
    output: OutputPath,
    no_headline: NoHeadline = False,
    keep: KeepInFolder = None,
    unwrap: Unwrap = False,
    prefer: Prefer = None,
    labels: LineLabels = False,
    model: ModelPath = None,
    kinds: Kinds = None,
    min_words: MinWords = 0,
    max_removed: MaxRemoved = 1.0,
    max_bytes: MaxBytes = MAX_BYTES,
    id_column: IdColumn = None,
    url_column: UrlColumn = None,
    text_column: TextColumn = None,
    html_column: HtmlColumn = None,
    repetition: TablePath = None,
    no_own_repetition: NoOwnRepetition = False,
    site_from: SiteFromText = DEFAULT_SITE_FROM,
    memory: Memory = DEFAULT_MEMORY // MEBIBYTE,
    jobs: Jobs = 1,
    page_memory: PageMemory = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Clean a folder of pages, or a file of many, into a folder of text or a file of records (see docs/batch.md).

    x.txt goes to OUT/x.txt, every other page to OUT/NAME.ENDING.txt.
    The report, and a list of the pages that were not written, go to OUT.run/.

    Exit codes: 0 all well, 1 some pages failed (listed) or the run had to stop,
    2 wrong usage, 130 stopped with Ctrl-C.
    """
    from extractor.corpus.batch import CleanSettings, Filters
    from extractor.corpus.columns import Columns
    from extractor.corpus.preparation import RepetitionSettings
    from extractor.corpus.readers import ReadSettings
    from extractor.corpus.run import RunSettings

    kept = frozenset(Label(choice.value) for choice in keep or () if choice is not KeepChoice.ONE) or BODY_ONLY
    columns = Columns(id_column, url_column, text_column, html_column)
    reading = ReadSettings(read_site_from(site_from), max_bytes, columns)
    filters = Filters(read_kinds(kinds), min_words, max_removed)
    settings = CleanSettings(
        not no_headline, kept, unwrap, preference(prefer), model, repetition, labels, filters, reading
    )
    asked = RepetitionSettings(not no_own_repetition, KeepChoice.ONE in (keep or ()), memory * MEBIBYTE)
    most = None if page_memory is None else page_memory * MEBIBYTE
    clean_and_report(source, output, settings, asked, RunSettings(jobs, resume, overwrite, memory=most))


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
