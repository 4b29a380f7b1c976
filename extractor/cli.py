"""The command line: extract, label, clean, explain, repetition, review, train, evaluate. Files or standard input in,
text out.

Exit codes: 0 all well, 1 some pages failed (listed), 2 wrong usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from extractor import __version__
from extractor.clean_command import (
    DEFAULT_MAX_BYTES,
    HtmlColumn,
    IdColumn,
    Kinds,
    LineLabels,
    MaxBytes,
    MaxRemoved,
    MinWords,
    OutputPath,
    Resume,
    Source,
    TextColumn,
    UrlColumn,
    clean_and_report,
    read_kinds,
)
from extractor.errors import ModelError, TableError
from extractor.files import looks_binary
from extractor.labelling import Preference
from extractor.labelling import label as label_page
from extractor.model_file import Model
from extractor.page import BODY_ONLY, Label, LabelledPage, Page, PageFormat
from extractor.repetition import DEFAULT_MEMORY, RepetitionTable
from extractor.repetition_commands import DEFAULT_SITE_FROM, MEBIBYTE, Jobs, Memory, SiteFromText, read_site_from
from extractor.repetition_commands import app as repetition_app
from extractor.streams import PAGES_FAILED, emit, emit_page, refuse

app = typer.Typer(
    name="extractor",
    help="Strip the boilerplate from web pages and from plain-text dumps of web pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(repetition_app)


class FormatChoice(str, Enum):
    """--format: how a page is read."""

    TEXT = "text"
    HTML = "html"


class PreferChoice(str, Enum):
    """--prefer: which way an uncertain line falls."""

    PRECISION = "precision"
    RECALL = "recall"


class KeepChoice(str, Enum):
    """--keep of a folder: labels, or one page of each group of copies."""

    BODY = "body"
    HEADER = "header"
    NAV = "nav"
    RELATED_LINK = "related-link"
    ONE = "one"


FileArgument = Annotated[str, typer.Argument(metavar="FILE|-", help="A page, HTML or plain text; - is standard input.")]
NoHeadline = Annotated[bool, typer.Option("--no-headline", help="Leave the headline out.")]
Keep = Annotated[
    list[Label] | None, typer.Option("--keep", help="Keep the lines of this label (repeatable); body unless given.")
]
KeepInFolder = Annotated[
    list[KeepChoice] | None,
    typer.Option(
        "--keep",
        help='Keep lines of this label (repeatable), body unless given; "one": write one page of each group of copies.',
    ),
]
TablePath = Annotated[
    Path | None,
    typer.Option("--repetition", metavar="TABLE", help="Take the repeated lines of this table as evidence."),
]
OwnRepetition = Annotated[
    bool,
    typer.Option("--own-repetition", help="Count the lines that repeat across IN first, as evidence; report copies."),
]
Unwrap = Annotated[bool, typer.Option("--unwrap", help="Join the lines of hard-wrapped paragraphs.")]
Format = Annotated[
    FormatChoice | None, typer.Option("--format", help="Read the page so; found by looking if not given.")
]
ModelPath = Annotated[Path | None, typer.Option("--model", help="A model file (.npz) in place of the shipped one.")]
Prefer = Annotated[
    PreferChoice | None, typer.Option("--prefer", help="Drop more (precision) or keep more (recall) than F1 asks for.")
]


def _show_version(asked: bool) -> None:
    if asked:
        emit(f"extractor {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None: ...


@app.command()
def extract(
    file: FileArgument,
    no_headline: NoHeadline = False,
    keep: Keep = None,
    unwrap: Unwrap = False,
    format: Format = None,
    model: ModelPath = None,
    prefer: Prefer = None,
) -> None:
    """Print the clean text of a page."""
    labelled = _label_file(file, format, model, prefer)
    text = labelled.text(headline=not no_headline, keep=frozenset(keep or BODY_ONLY), unwrap=unwrap)
    emit_page(f"{text}\n" if text else "")


@app.command()
def label(
    file: FileArgument,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    format: Format = None,
    model: ModelPath = None,
    prefer: Prefer = None,
) -> None:
    """List the lines of a page: number, label, how probable the label is, text."""
    from extractor.listing import listing, page_json

    labelled = _label_file(file, format, model, prefer)
    emit(page_json(labelled) if json else listing(labelled))


@app.command()
def clean(
    source: Source,
    output: OutputPath,
    no_headline: NoHeadline = False,
    keep: KeepInFolder = None,
    unwrap: Unwrap = False,
    model: ModelPath = None,
    prefer: Prefer = None,
    labels: LineLabels = False,
    kinds: Kinds = None,
    min_words: MinWords = 0,
    max_removed: MaxRemoved = 1.0,
    max_bytes: MaxBytes = DEFAULT_MAX_BYTES,
    id_column: IdColumn = None,
    url_column: UrlColumn = None,
    text_column: TextColumn = None,
    html_column: HtmlColumn = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over outputs that exist.")] = False,
    resume: Resume = False,
    jobs: Jobs = 1,
    repetition: TablePath = None,
    own_repetition: OwnRepetition = False,
    site_from: SiteFromText = DEFAULT_SITE_FROM,
    memory: Memory = DEFAULT_MEMORY // MEBIBYTE,
) -> None:
    """Clean a folder of pages, or a file of many, into a folder of text or a file of records (see docs/batch.md).

    x.txt goes to OUT/x.txt, every other page to OUT/NAME.ENDING.txt, copies to OUT/copies.jsonl, the report to
    OUT.run/.
    """
    from extractor.corpus.batch import CleanSettings, Filters
    from extractor.corpus.columns import Columns
    from extractor.corpus.preparation import RepetitionSettings
    from extractor.corpus.readers import ReadSettings
    from extractor.corpus.run import RunSettings

    if own_repetition and repetition is not None:
        refuse("--own-repetition and --repetition exclude each other; give one of them")
    kept = frozenset(Label(choice.value) for choice in keep or () if choice is not KeepChoice.ONE) or BODY_ONLY
    columns = Columns(id_column, url_column, text_column, html_column)
    reading = ReadSettings(read_site_from(site_from), max_bytes, columns)
    filters = Filters(read_kinds(kinds), min_words, max_removed)
    settings = CleanSettings(
        not no_headline, kept, unwrap, _preference(prefer), model, repetition, labels, filters, reading
    )
    asked = RepetitionSettings(own_repetition, KeepChoice.ONE in (keep or ()), memory * MEBIBYTE)
    clean_and_report(source, output, settings, asked, RunSettings(jobs, resume, overwrite))


@app.command()
def explain(
    file: FileArgument,
    line: Annotated[int, typer.Argument(metavar="LINE", help="The number of a line, as `extractor label` lists it.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
    format: Format = None,
    model: ModelPath = None,
    prefer: Prefer = None,
    repetition: TablePath = None,
    site: Annotated[str | None, typer.Option("--site", help="The page's site in the table of --repetition.")] = None,
) -> None:
    """Say why a line of a page has its label."""
    from extractor.explanation import explain as explain_line
    from extractor.explanation_listing import explanation_json, explanation_listing

    name = "standard input" if file == "-" else file
    page = Page(_read(file), id=name, site=site, kind=_page_format(format))
    try:
        table = None if repetition is None else RepetitionTable.open(repetition)
        chosen = None if model is None else Model.load(model)
        found = explain_line(page, line, model=chosen, repetition=table, prefer=_preference(prefer))
    except (ModelError, TableError) as error:
        refuse(str(error))
    except ValueError as error:
        refuse(f"{name}: {error}")
    emit((explanation_json if json else explanation_listing)(name, found))


@app.command()
def review(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of .txt and .html pages, folders in it too.")],
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of this machine; 0 for any free one.")
    ] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser; print the address.")] = False,
    model: ModelPath = None,
) -> None:
    """Show and correct the labels of a folder's pages in a browser (needs the review extra)."""
    try:
        from extractor.review.commands import review as run
    except ImportError as error:
        _refuse_without_extra("review", error)
    run(path, port=port, browser=not no_browser, model=model)


_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASSED_ON)
def train(context: typer.Context) -> None:
    """Train a model (needs the train extra); --help lists its options."""
    try:
        from extractor.training.commands import train as run
    except ImportError as error:
        _refuse_without_extra("train", error)
    raise typer.Exit(run(context.args))


@app.command(context_settings=_PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Score a model on labelled corpora (needs the train extra); --help lists its options."""
    try:
        from extractor.training.evaluation_commands import evaluate as run
    except ImportError as error:
        _refuse_without_extra("evaluate", error, "train")
    raise typer.Exit(run(context.args))


def _label_file(
    file: str, format: FormatChoice | None, model: Path | None, prefer: PreferChoice | None
) -> LabelledPage:
    page = Page(_read(file), id=None if file == "-" else file, kind=_page_format(format))
    try:
        chosen = None if model is None else Model.load(model)
        return label_page(page, model=chosen, prefer=_preference(prefer))
    except ModelError as error:
        refuse(str(error))


def _read(file: str) -> bytes:
    name = "standard input" if file == "-" else file
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except FileNotFoundError:
        refuse(f"{name}: no such file; check the path, or give - to read standard input")
    except IsADirectoryError:
        refuse(f"{name}: a folder, not a file; to clean a folder: extractor clean {file} -o OUT")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        refuse(f"{name}: cannot be read ({reason}); check the path, and that it may be read", PAGES_FAILED)
    if looks_binary(content):
        refuse(
            f"{name}: not a text file; give HTML or plain text (turn PDFs and the like into text first)", PAGES_FAILED
        )
    return content


def _page_format(format: FormatChoice | None) -> PageFormat | None:
    return None if format is None else "text" if format is FormatChoice.TEXT else "html"


def _preference(prefer: PreferChoice | None) -> Preference | None:
    return None if prefer is None else "precision" if prefer is PreferChoice.PRECISION else "recall"


def _refuse_without_extra(command: str, error: ImportError, extra: str | None = None) -> NoReturn:
    hint = f"pip install 'extractor[{extra or command}]'"
    refuse(f"{command} needs packages that are not installed ({error.name or error}); {hint}")


def main() -> None:
    """The console script."""
    app(prog_name="extractor")
