"""A folder, or one file of records: which files of pages it holds, how a page is read, where its clean text goes.

A page file is a page (.txt, .html and the like: the ending decides between text and HTML), a record file holds
many (.jsonl, .parquet, .warc, .wet); each may be compressed (.gz, .zst). Outputs mirror the folder: x.txt goes to
x.txt, every other page to NAME.ENDING.txt, a record to NAME.ENDING/NUMBER.txt: no name that stands inside a file
is ever a path.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from extractor.corpus.address import declared_url
from extractor.corpus.unfolding import DamagedFileError, open_unfolded
from extractor.files import looks_binary
from extractor.page import Page, PageFormat
from extractor.sites import SiteFrom

RecordFormat = Literal["jsonl", "parquet", "warc"]
ENDINGS: dict[str, PageFormat] = {".txt": "text", ".html": "html", ".htm": "html", ".xhtml": "html"}
RECORD_ENDINGS: dict[str, RecordFormat] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".warc": "warc", ".wet": "warc",
}  # fmt: skip
STARTS: dict[bytes, RecordFormat] = {b"WARC/": "warc", b"PAR1": "parquet", b"{": "jsonl"}
COMPRESSED_ENDINGS = (".gz", ".zst")
RUN_ENDING, MANIFEST = ".run", "manifest.json"
"""Of the folder that a run keeps beside its output, and a file in it."""
COPIES_FILE = "copies.jsonl"
"""What an earlier run wrote beside its pages; it holds none."""

NO_SITES = SiteFrom("none")
MAX_BYTES = 16 << 20
"""No page of words is as large; the work for one takes fifty times its size."""


class FolderError(Exception):
    """A folder that cannot be cleaned as asked; the message says why and what to do."""


class TooLargeError(Exception):
    """A page with more bytes than allowed; the message says how many are."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit:,} bytes; --max-bytes allows more")


@dataclass(frozen=True, slots=True)
class PageFile:
    """One page of a folder: its file, its name (the path inside the folder, with "/"), text or HTML."""

    path: Path
    name: str
    kind: PageFormat

    @property
    def output(self) -> str:
        """The path of its clean text inside the output folder, with "/"."""
        return self.name if self.path.suffix == ".txt" else f"{self.name}.txt"

    def read(self, site_from: SiteFrom = NO_SITES, max_bytes: int = MAX_BYTES) -> Page:
        """The page, its site as `site_from` finds it.

        OSError or DamagedFileError if it cannot be read, ValueError if it is no text, TooLargeError for more than
        max_bytes, unfolded.
        """
        with open_unfolded(self.path) as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise TooLargeError(max_bytes)
        if looks_binary(content):
            raise ValueError("not a text file")
        url = declared_url(content) if self.kind == "html" and site_from.reads_urls else None
        site = site_from.site(path=self.name, url=url)
        # a page whose site a pattern does not find is of unknown site, whatever its URL
        return Page(content, id=self.name, url=url if site else None, site=site, kind=self.kind)


@dataclass(frozen=True, slots=True)
class RecordFile:
    """A file of many pages, with its name (the path inside the folder, with "/")."""

    path: Path
    name: str
    format: RecordFormat

    @property
    def output(self) -> str:
        """The path of the folder for their clean text inside the output folder, with "/"."""
        return self.name


InputFile: TypeAlias = PageFile | RecordFile


def input_file(path: Path, name: str) -> InputFile | None:
    """What a file is by its name; None for one that holds no pages."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in COMPRESSED_ENDINGS:
        del suffixes[-1]
    ending = suffixes[-1] if suffixes else ""
    if ending in ENDINGS:
        return PageFile(path, name, ENDINGS[ending])
    if ending in RECORD_ENDINGS and path.name != COPIES_FILE:
        return RecordFile(path, name, RECORD_ENDINGS[ending])
    return None


def input_files(source: Path, leave_out: Collection[Path] = ()) -> list[InputFile]:
    """The files with pages of a folder (see find_files), by name, or one file of records.

    FolderError for anything else, and for no pages.
    """
    place = source.absolute()  # workers of an earlier run may stand in another folder
    if source.is_file():
        found = input_file(place, source.name) or looked_at(place)
        if isinstance(found, RecordFile):
            return [found]
    if not source.is_dir():
        hint = "to clean a single page: extractor extract FILE" if source.exists() else "give a folder of pages"
        kinds = f"not a folder, nor a file of records ({', '.join(RECORD_ENDINGS)}, or one of them with .gz or .zst)"
        raise FolderError(f"{source}: {kinds if source.exists() else 'no such folder'}; {hint}")
    files = sorted(find_files(place, leave_out), key=lambda file: file.name)
    if not files:
        endings = ", ".join([*ENDINGS, *RECORD_ENDINGS])
        raise FolderError(f"{source}: no pages in it, that is no {endings} files (links out of it not followed)")
    return files


def looked_at(path: Path) -> RecordFile | None:
    """A file of records whose name does not say so."""
    try:
        with open_unfolded(path) as file:
            head = file.read(5)
    except (OSError, DamagedFileError):
        return None
    for start, format in STARTS.items():
        if head.startswith(start):
            return RecordFile(path, path.name, format)
    return None


def find_files(source: Path, leave_out: Collection[Path] = ()) -> Iterator[InputFile]:
    """The files with pages under a folder, in no order, without what earlier runs wrote there. Links are followed to
    files inside the folder only.

    leave_out: folders and files that hold no pages.
    """
    inside = source.resolve()
    excluded = {path.resolve() for path in leave_out if path.resolve().is_relative_to(inside)}
    for folder, folders, names in os.walk(source, onerror=_refuse):
        here = Path(folder)
        runs = {name for name in folders if name.endswith(RUN_ENDING) and (here / name / MANIFEST).is_file()}
        # nor is what an earlier run wrote a page
        folders[:] = [
            name for name in folders
            if name not in runs and name + RUN_ENDING not in runs
            and (not excluded or (here / name).resolve() not in excluded)
        ]  # fmt: skip
        for name in names:
            if name + RUN_ENDING in runs:
                continue
            path = here / name
            found = input_file(path, path.relative_to(source).as_posix())
            if found is None or (path.is_symlink() and not path.resolve().is_relative_to(inside)):
                continue
            if not excluded or path.resolve() not in excluded:
                yield found


def _refuse(error: OSError) -> None:
    raise FolderError(f"{error.filename}: cannot be read ({error.strerror}); make it readable or move it away")


def check_outputs(files: Sequence[InputFile], output: Path, *, overwrite: bool) -> None:
    """FolderError for two files with one output, and for an output that exists (unless `overwrite`)."""
    taken: dict[str, InputFile] = {}
    for file in files:
        other = taken.setdefault(file.output, file)
        if other is not file:
            raise FolderError(f"{other.name} and {file.name} would both be written to {file.output}; rename one")
    for file in files:
        if any(parent.as_posix() in taken for parent in Path(file.output).parents):
            raise FolderError(f"{file.name}: its folder has the name of another page's output; rename one")
    existing = [file.output for file in files if (output / file.output).exists()] if output.exists() else []
    if existing and not overwrite:
        exist = f"and {len(existing) - 1} more exist" if len(existing) > 1 else "exists"
        raise FolderError(f"{output / existing[0]} {exist} already; give --overwrite or another folder")
