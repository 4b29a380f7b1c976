"""A folder of .txt and .html files: which pages it holds, how each is read, where its clean text goes.

The ending decides between text and HTML. Outputs mirror the folder: x.txt goes to x.txt, everything else
to NAME.ENDING.txt.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from extractor.corpus.address import declared_url
from extractor.files import looks_binary
from extractor.page import Page, PageFormat
from extractor.sites import SiteFrom

ENDINGS: dict[str, PageFormat] = {".txt": "text", ".html": "html", ".htm": "html", ".xhtml": "html"}


NO_SITES = SiteFrom("none")


class FolderError(Exception):
    """A folder that cannot be cleaned as asked; the message says why and what to do."""


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

    def read(self, site_from: SiteFrom = NO_SITES) -> Page:
        """The page, its site as `site_from` finds it. OSError if it cannot be read, ValueError if it is no text."""
        content = self.path.read_bytes()
        if looks_binary(content):
            raise ValueError("not a text file")
        url = declared_url(content) if self.kind == "html" and site_from.reads_urls else None
        site = site_from.site(path=self.name, url=url)
        # a page whose site a pattern does not find is of unknown site, whatever its URL
        return Page(content, id=self.name, url=url if site else None, site=site, kind=self.kind)


def plan_folder(source: Path, output: Path, *, overwrite: bool = False) -> list[PageFile]:
    """The pages of a folder in the order of their names, once it is sure that every output has its own place.

    Files in `output`, should it lie inside, are no pages. FolderError before any work: no such folder, no
    pages, two pages with one output, an output that exists (unless `overwrite`).
    """
    _check_folder(source)
    if output.exists() and not output.is_dir():
        raise FolderError(f"{output}: not a folder; give another place for the output")
    if output.resolve() == source.resolve():
        raise FolderError(f"{output}: both input and output; give another folder for the output")
    pages = pages_of(source, output)
    _check_outputs(pages, output, overwrite=overwrite)
    return pages


def pages_of(source: Path, leave_out: Path | None = None) -> list[PageFile]:
    """The pages of a folder (see find_pages) in the order of their names. FolderError for no folder, no pages."""
    _check_folder(source)
    pages = sorted(find_pages(source, leave_out), key=lambda page: page.name)
    if not pages:
        raise FolderError(
            f"{source}: no pages in it, that is no {', '.join(ENDINGS)} files (links out of it not followed)"
        )
    return pages


def find_pages(source: Path, leave_out: Path | None = None) -> Iterator[PageFile]:
    """The pages under a folder, in no order. Links are followed to files inside the folder only.

    leave_out: a folder whose files are no pages.
    """
    inside = source.resolve()
    excluded = leave_out.resolve() if leave_out is not None else None
    for folder, folders, names in os.walk(source, onerror=_refuse):
        here = Path(folder)
        folders[:] = [name for name in folders if (here / name).resolve() != excluded]
        for name in names:
            path = here / name
            kind = ENDINGS.get(path.suffix.lower())
            if kind is not None and not (path.is_symlink() and not path.resolve().is_relative_to(inside)):
                yield PageFile(path, path.relative_to(source).as_posix(), kind)


def _check_folder(source: Path) -> None:
    if not source.is_dir():
        hint = "to clean a single page: extractor extract FILE" if source.exists() else "give a folder of pages"
        raise FolderError(f"{source}: {'not a folder' if source.exists() else 'no such folder'}; {hint}")


def _refuse(error: OSError) -> None:
    raise FolderError(f"{error.filename}: cannot be read ({error.strerror}); make it readable or move it away")


def _check_outputs(pages: Sequence[PageFile], output: Path, *, overwrite: bool) -> None:
    taken: dict[str, PageFile] = {}
    for page in pages:
        other = taken.setdefault(page.output, page)
        if other is not page:
            raise FolderError(f"{other.name} and {page.name} would both be written to {page.output}; rename one")
    for page in pages:
        if any(parent.as_posix() in taken for parent in Path(page.output).parents):
            raise FolderError(f"{page.name}: its folder has the name of another page's output; rename one")
    existing = [page.output for page in pages if (output / page.output).exists()]
    if existing and not overwrite:
        exist = f"and {len(existing) - 1} more exist" if len(existing) > 1 else "exists"
        raise FolderError(f"{output / existing[0]} {exist} already; give --overwrite or another folder")
