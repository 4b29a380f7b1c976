"""The command line: extract, label, clean, explain, repetition, review, train, evaluate. Files or standard input in,
text out.

Exit codes: 0 all well, 1 some pages failed (listed), 2 wrong usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from extractor import __version__
from extractor.clean_command import clean
from extractor.errors import ModelError, TableError
from extractor.files import looks_binary
from extractor.labelling import label as label_page
from extractor.model_file import Model
from extractor.options import (
    FileArgument,
    Format,
    FormatChoice,
    Keep,
    ModelPath,
    NoHeadline,
    Prefer,
    PreferChoice,
    TablePath,
    Unwrap,
    page_format,
    preference,
)
from extractor.page import BODY_ONLY, LabelledPage, Page
from extractor.repetition import RepetitionTable
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


app.command()(clean)


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
    page = Page(_read(file), id=name, site=site, kind=page_format(format, file))
    try:
        table = None if repetition is None else RepetitionTable.open(repetition)
        chosen = None if model is None else Model.load(model)
        found = explain_line(page, line, model=chosen, repetition=table, prefer=preference(prefer))
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
    page = Page(_read(file), id=None if file == "-" else file, kind=page_format(format, file))
    try:
        chosen = None if model is None else Model.load(model)
        return label_page(page, model=chosen, prefer=preference(prefer))
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


def _refuse_without_extra(command: str, error: ImportError, extra: str | None = None) -> NoReturn:
    hint = f"pip install 'extractor[{extra or command}]'"
    refuse(f"{command} needs packages that are not installed ({error.name or error}); {hint}")


def main() -> None:
    """The console script."""
    app(prog_name="extractor")
