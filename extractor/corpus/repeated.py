"""A folder of pages, read once before it is cleaned -> its table of repeated lines, and its groups of copies.

Text and HTML are counted in one table: a page that lies there in both formats is found to be its own copy, and
furniture is the same in both where its lines are. Two tables would label hardly otherwise: on the dev sites of
chinese-news, dumps and HTML in one folder, F1 differs by 0.001 on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from extractor.characters import read_texts
from extractor.copies import CopyRecord, copy_records
from extractor.corpus.clean import Failure, readable, shards_of
from extractor.corpus.folder import PageFile
from extractor.counting import Keys, PageLines, fingerprints
from extractor.decoding import decode
from extractor.labelling import BATCH_CHARACTERS, html_text
from extractor.page import Page
from extractor.repetition import DEFAULT_MEMORY, RepetitionCounter, RepetitionTable, Sites
from extractor.sites import SiteFrom


class ReadPages(NamedTuple):
    """The lines of a shard's pages, as hashes, with the name and site of each page that could be read."""

    names: list[str]
    sites: Sites
    lines: PageLines
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CountedFolder:
    """A folder after the first pass: its table, and by what the table knows each page that could be read."""

    table: RepetitionTable
    names: Sequence[str]
    sites: Sites
    fingerprints: Keys
    failures: tuple[Failure, ...]

    def copies(self) -> list[CopyRecord]:
        """The groups of pages that share most of their body."""
        return copy_records(self.names, self.table.find_copies_of(self.fingerprints, self.sites))


@dataclass(frozen=True, slots=True)
class CountSettings:
    """How pages are counted: see SiteFrom, RepetitionCounter and its finish()."""

    site_from: SiteFrom
    memory: int = DEFAULT_MEMORY
    mergeable: bool = False
    single: bool = True
    folder: Path | None = None


Track: TypeAlias = Callable[[Iterable[ReadPages]], Iterable[ReadPages]]


def count_folder(
    pages: Sequence[PageFile], settings: CountSettings, *, jobs: int = 1, track: Track = iter
) -> CountedFolder:
    """Count the lines of the pages; a page that cannot be read is a failure, and the run goes on.

    jobs: processes that read and hash. track: sees what is read as it comes, to show how far the run is.
    """
    names: list[str] = []
    sites: list[str | None] = []
    prints = [np.zeros(0, np.uint64)]
    failures: list[Failure] = []
    known: dict[str | None, str | None] = {}
    with RepetitionCounter(memory=settings.memory, mergeable=settings.mergeable, folder=settings.folder) as counter:
        for read in track(_read_shards(pages, settings.site_from, jobs)):
            counter.add(read.lines, read.sites)
            names += read.names
            sites += (known.setdefault(site, site) for site in read.sites)  # one string a site, not one a page
            prints.append(fingerprints(read.lines))
            failures += read.failures
        table = counter.finish(single=settings.single)
    return CountedFolder(table, names, sites, np.concatenate(prints), tuple(failures))


def read_shard(pages: Sequence[PageFile], site_from: SiteFrom) -> ReadPages:
    """Read some pages, and hash their lines as they will be looked up when the pages are labelled."""
    failures: dict[str, Failure] = {}
    names: list[str] = []
    sites: list[str | None] = []
    hashed = [PageLines(np.zeros(0, np.uint64), np.zeros(0, np.uint16), np.zeros(1, np.int64))]
    texts: list[str] = []
    for page in readable(pages, failures, site_from):
        names.append(page.id or "")
        sites.append(page.site)
        texts.append(_text(page))
        if sum(map(len, texts)) >= BATCH_CHARACTERS:
            hashed.append(PageLines.of(read_texts(texts)))
            texts = []
    if texts:
        hashed.append(PageLines.of(read_texts(texts)))
    return ReadPages(names, sites, _joined(hashed), tuple(failures.values()))


def _read_shards(pages: Sequence[PageFile], site_from: SiteFrom, jobs: int) -> Iterator[ReadPages]:
    if jobs == 1:
        yield from (read_shard(shard, site_from) for shard in shards_of(pages))
        return
    from joblib import Parallel, delayed  # a fifth of a second to import, and only needed here

    yield from Parallel(n_jobs=jobs, return_as="generator")(
        delayed(read_shard)(shard, site_from) for shard in shards_of(pages)
    )


def _text(page: Page) -> str:
    text = page.content if isinstance(page.content, str) else decode(page.content)[0]
    if page.kind != "html":
        return text
    from extractor.html import parse_html  # lxml is not loaded for plain text

    return html_text(parse_html(text))


def _joined(parts: Sequence[PageLines]) -> PageLines:
    lengths = np.concatenate([np.diff(part.offsets) for part in parts])
    return PageLines(
        np.concatenate([part.hashes for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate(([0], np.cumsum(lengths))),
    )
