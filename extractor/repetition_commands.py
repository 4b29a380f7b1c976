"""`extractor repetition`: build the table of a folder's repeated lines, show one, merge several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from extractor.errors import TableError
from extractor.repetition import DEFAULT_MEMORY, RepetitionTable
from extractor.sites import SiteFrom
from extractor.streams import emit, list_failures, refuse

MEBIBYTE = 1 << 20
DEFAULT_SITE_FROM = "folder"

app = typer.Typer(
    name="repetition", help="Tables of the lines that repeat across the pages of a site.", no_args_is_help=True
)

SiteFromText = Annotated[
    str,
    typer.Option(
        "--site-from",
        metavar="url|folder|REGEX|none",
        help="What makes a site: the URL that an HTML page names (else its folder), the folder, what this expression "
        "finds in the path, nothing. A folder with fewer than five distinct pages is no site.",
    ),
]
Memory = Annotated[
    int, typer.Option("--memory", metavar="MIB", min=1, help="Mebibytes for counting; past them, a temporary file.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Processes that work at once.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write over a table that exists.")]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="TABLE", help="The table to write (.npz).")]


@app.command()
def build(
    folder: Annotated[
        Path, typer.Argument(metavar="IN", help="A folder of pages, or a .jsonl, .parquet, .warc or .wet file of them.")
    ],
    output: Output,
    site_from: SiteFromText = DEFAULT_SITE_FROM,
    memory: Memory = DEFAULT_MEMORY // MEBIBYTE,
    mergeable: Annotated[
        bool, typer.Option("--mergeable", help="Keep the pages as hashes, so that tables can be merged.")
    ] = False,
    jobs: Jobs = 1,
    overwrite: Overwrite = False,
) -> None:
    """Count in how many distinct pages of a site every line of a folder stands."""
    from extractor.corpus.extras import MissingExtraError
    from extractor.corpus.folder import FolderError, input_files
    from extractor.corpus.readers import ReadSettings, pieces_of
    from extractor.corpus.repeated import CountSettings, count_pages
    from extractor.progress import with_counting_progress

    settings = CountSettings(ReadSettings(read_site_from(site_from)), memory * MEBIBYTE, mergeable)
    _check_output(output, overwrite=overwrite)
    try:
        pieces = pieces_of(input_files(folder), settings.reading)
        counted = count_pages(pieces, settings, jobs=jobs, track=with_counting_progress)
    except (FolderError, MissingExtraError) as error:
        refuse(str(error))
    _save(counted.table, output)
    list_failures(counted.failures)


@app.command()
def show(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="A table of repeated lines (.npz).")],
    all_sites: Annotated[bool, typer.Option("--all", help="Show all sites, not only the largest.")] = False,
) -> None:
    """Say what a table knows: its pages, its sites, the pages of each."""
    from extractor.listing import table_listing

    emit(table_listing(str(table), _open(table), all_sites=all_sites))


@app.command()
def merge(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Tables that were built with --mergeable.")],
    output: Output,
    memory: Memory = DEFAULT_MEMORY // MEBIBYTE,
    overwrite: Overwrite = False,
) -> None:
    """Make the table of all pages of several tables, as if they had been counted together.

    Sites of the same name are one site; the name of a folder counts from the folder that was read.
    """
    _check_output(output, overwrite=overwrite)
    merged = RepetitionTable.merge(map(_open_mergeable, tables), memory=memory * MEBIBYTE)
    _save(merged, output)


def read_site_from(text: str) -> SiteFrom:
    """The value of --site-from; a wrong one ends the command."""
    try:
        return SiteFrom.parse(text)
    except ValueError as error:
        refuse(str(error))


def _open(path: Path) -> RepetitionTable:
    try:
        return RepetitionTable.open(path)
    except TableError as error:
        refuse(str(error))


def _open_mergeable(path: Path) -> RepetitionTable:
    table = _open(path)
    if not table.mergeable:
        refuse(f"{path}: built without its pages, so it cannot be merged; build it anew with --mergeable")
    return table


def _check_output(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        refuse(f"{path}: a folder; give the name of a file for the table")
    if not path.absolute().parent.is_dir():
        refuse(f"{path}: its folder does not exist; make it first")
    if path.exists() and not overwrite:
        refuse(f"{path} exists already; give --overwrite or another name")


def _save(table: RepetitionTable, path: Path) -> None:
    from extractor.listing import table_listing

    try:
        table.save(path)
    except OSError as error:
        refuse(f"{path}: cannot be written ({error.strerror or error}); make room for it")
    emit(table_listing(str(path), table))
