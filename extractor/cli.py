"""The command line: extract, label, clean, repetition, train, evaluate. Files or standard input in, text out.

Exit codes: 0 all well, 1 some pages failed (listed), 2 wrong usage.
"""

from __future__ import annotations

import sys
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from extractor import __version__
from extractor.errors import ModelError, TableError
from extractor.files import looks_binary
from extractor.labelling import Preference
from extractor.labelling import label as label_page
from extractor.model_file import Model
from extractor.page import BODY_ONLY, Label, LabelledPage, Page, PageFormat
from extractor.repetition import DEFAULT_MEMORY
from extractor.repetition_commands import DEFAULT_SITE_FROM, MEBIBYTE, Jobs, Memory, SiteFromText, read_site_from
from extractor.repetition_commands import app as repetition_app
from extractor.streams import PAGES_FAILED, emit, list_failures, refuse

_EXTRAS_HINT = "pip install 'extractor[train]'"

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
    emit(f"{text}\n" if text else "")


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
    folder: Annotated[Path, typer.Argument(metavar="IN", help="A folder of .txt and .html pages, folders in it too.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder for the clean text.")],
    no_headline: NoHeadline = False,
    keep: KeepInFolder = None,
    unwrap: Unwrap = False,
    model: ModelPath = None,
    prefer: Prefer = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over outputs that exist.")] = False,
    jobs: Jobs = 1,
    repetition: TablePath = None,
    own_repetition: OwnRepetition = False,
    site_from: SiteFromText = DEFAULT_SITE_FROM,
    memory: Memory = DEFAULT_MEMORY // MEBIBYTE,
) -> None:
    """Clean a folder: x.txt goes to OUT/x.txt, everything else to OUT/NAME.ENDING.txt, copies to OUT/copies.jsonl."""
    from extractor.corpus.clean import CleanSettings, load_model
    from extractor.corpus.clean import clean as clean_pages
    from extractor.corpus.folder import FolderError, plan_folder
    from extractor.corpus.preparation import COPIES_FILE, RepetitionSettings, prepare
    from extractor.listing import summary_table, with_counting_progress, with_progress

    labels = frozenset(Label(choice.value) for choice in keep or () if choice is not KeepChoice.ONE) or BODY_ONLY
    settings = CleanSettings(
        not no_headline, labels, unwrap, _preference(prefer), model, repetition, read_site_from(site_from)
    )
    asked = RepetitionSettings(own_repetition, KeepChoice.ONE in (keep or ()), memory * MEBIBYTE)
    if own_repetition and repetition is not None:
        refuse("--own-repetition and --repetition exclude each other; give one of them")
    try:
        pages = plan_folder(folder, output, overwrite=overwrite)
        load_model(model)
        track = partial(with_counting_progress, pages=len(pages))
        with prepare(pages, output, settings, asked, overwrite=overwrite, jobs=jobs, track=track) as prepared:
            summaries = clean_pages(prepared.pages, output, prepared.settings, jobs=jobs)
            summary = with_progress(summaries, len(prepared.pages)) + prepared.left_out
    except (FolderError, ModelError, TableError) as error:
        refuse(str(error))
    emit(summary_table(summary))
    if prepared.groups:
        emit(f"groups of copies: {prepared.groups:,}, listed in {COPIES_FILE}\n")
    list_failures(summary.failures)


_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_PASSED_ON)
def train(context: typer.Context) -> None:
    """Train a model (needs the train extra); --help lists its options."""
    try:
        from extractor.training.commands import train as run
    except ImportError as error:
        _refuse_without_extras("train", error)
    raise typer.Exit(run(context.args))


@app.command(context_settings=_PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Score a model on labelled corpora (needs the train extra); --help lists its options."""
    try:
        from extractor.training.commands import evaluate as run
    except ImportError as error:
        _refuse_without_extras("evaluate", error)
    raise typer.Exit(run(context.args))


def _label_file(
    file: str, format: FormatChoice | None, model: Path | None, prefer: PreferChoice | None
) -> LabelledPage:
    kind: PageFormat | None = None if format is None else "text" if format is FormatChoice.TEXT else "html"
    page = Page(_read(file), id=None if file == "-" else file, kind=kind)
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
        refuse(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})", PAGES_FAILED)
    if looks_binary(content):
        refuse(
            f"{name}: not a text file; give HTML or plain text (turn PDFs and the like into text first)", PAGES_FAILED
        )
    return content


def _preference(prefer: PreferChoice | None) -> Preference | None:
    return None if prefer is None else "precision" if prefer is PreferChoice.PRECISION else "recall"


def _refuse_without_extras(command: str, error: ImportError) -> NoReturn:
    refuse(f"{command} needs packages that are not installed ({error.name or error}); {_EXTRAS_HINT}")


def main() -> None:
    """The console script."""
    app(prog_name="extractor")
