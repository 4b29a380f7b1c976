"""Clean a batch of pages: page files in, files of clean text and a Summary out.

One function from a list of pages to a summary does the work; several processes share the same lists
between them, so their number changes nothing but the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from extractor.corpus.folder import NO_SITES, PageFile
from extractor.files import write_atomically
from extractor.labelling import Preference, label_many
from extractor.model_file import Model
from extractor.page import BODY_ONLY, LABELS, Label, LabelledPage, Page
from extractor.repetition import RepetitionTable
from extractor.sites import SiteFrom

SHARD_PAGES = 64
"""Pages that one process cleans at a time."""


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """What is kept of each page (see LabelledPage.text), and by which model; None is the shipped one.

    repetition: the file of a table of repeated lines. site_from: how it is asked for the site of a page.
    """

    headline: bool = True
    keep: frozenset[Label] = BODY_ONLY
    unwrap: bool = False
    prefer: Preference | None = None
    model: Path | None = None
    repetition: Path | None = None
    site_from: SiteFrom = NO_SITES


@dataclass(frozen=True, slots=True)
class Failure:
    """A page that could not be cleaned, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A page that was not cleaned since it was not wanted, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of some pages.

    pages: those cleaned; empty: those of them of which nothing was kept. kept and dropped: lines, in the
    order of LABELS. characters_in and characters_out: of the non-blank lines, and of the clean text. left_out:
    pages that were not wanted, as copies of others.
    """

    pages: int = 0
    empty: int = 0
    kept: tuple[int, ...] = (0,) * len(LABELS)
    dropped: tuple[int, ...] = (0,) * len(LABELS)
    characters_in: int = 0
    characters_out: int = 0
    failures: tuple[Failure, ...] = field(default=())
    left_out: tuple[LeftOut, ...] = field(default=())

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.pages + other.pages,
            self.empty + other.empty,
            tuple(map(sum, zip(self.kept, other.kept, strict=True))),
            tuple(map(sum, zip(self.dropped, other.dropped, strict=True))),
            self.characters_in + other.characters_in,
            self.characters_out + other.characters_out,
            self.failures + other.failures,
            self.left_out + other.left_out,
        )


def clean(pages: Sequence[PageFile], output: Path, settings: CleanSettings, *, jobs: int = 1) -> Iterator[Summary]:
    """Write each page's clean text into the folder `output`; yields a summary a shard, in order.

    jobs: processes that work at once. A page that cannot be read or written is a failure, and the run goes
    on. ModelError and TableError at once for an unusable model or table.
    """
    model = load_model(settings.model)
    load_table(settings.repetition)
    shards = shards_of(pages)
    if jobs == 1:
        yield from (clean_shard(shard, output, settings, model) for shard in shards)
        return
    from joblib import Parallel, delayed  # a fifth of a second to import, and only needed here

    # a worker gets the paths of model and table, and reads them once
    tasks = (delayed(clean_shard)(shard, output, settings) for shard in shards)
    yield from Parallel(n_jobs=jobs, return_as="generator")(tasks)


def clean_shard(
    pages: Sequence[PageFile], output: Path, settings: CleanSettings, model: Model | None = None
) -> Summary:
    """Clean some pages in this process. model: that of the settings, if it is loaded already."""
    failures: dict[str, Failure] = {}
    read = readable(pages, failures, settings.site_from)
    total = Summary()
    outputs = {page.name: output / page.output for page in pages}
    model, table = model or load_model(settings.model), load_table(settings.repetition)
    for labelled in label_many(read, model=model, repetition=table, prefer=settings.prefer):
        assert labelled.id is not None  # readable() names every page
        text = labelled.text(headline=settings.headline, keep=settings.keep, unwrap=settings.unwrap)
        try:
            _write(outputs[labelled.id], text)
        except OSError as error:
            failures[labelled.id] = Failure(labelled.id, f"cannot be written: {error.strerror}")
        else:
            total += _counted(labelled, text, settings)
    listed = tuple(failures[page.name] for page in pages if page.name in failures)
    return total + Summary(failures=listed)


def shards_of(pages: Sequence[PageFile]) -> list[Sequence[PageFile]]:
    """The pages in the parts that one process works on at a time."""
    return [pages[first : first + SHARD_PAGES] for first in range(0, len(pages), SHARD_PAGES)]


def readable(pages: Sequence[PageFile], failures: dict[str, Failure], site_from: SiteFrom) -> Iterator[Page]:
    """The pages that can be read, each with its id and site; the others are noted in `failures` by name."""
    for page in pages:
        try:
            yield page.read(site_from)
        except OSError as error:
            failures[page.name] = Failure(page.name, f"cannot be read: {error.strerror}")
        except ValueError as error:
            failures[page.name] = Failure(page.name, str(error))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"{text}\n".encode("utf-8", "replace") if text else b"")


def _counted(labelled: LabelledPage, text: str, settings: CleanSettings) -> Summary:
    counts = tuple(labelled.labels.count(label) for label in LABELS)
    kept = [count if label in settings.keep else 0 for label, count in zip(LABELS, counts, strict=True)]
    if labelled.headline is not None and not settings.headline and kept[0]:
        kept[0] -= 1
    dropped = tuple(count - left for count, left in zip(counts, kept, strict=True))
    characters_in = sum(len(line.text) for line in labelled.lines)
    return Summary(1, int(not text), tuple(kept), dropped, characters_in, len(text))


def load_model(path: Path | None) -> Model:
    """A model that was loaded before and has not changed since, or else the one at `path` (None: the shipped)."""
    if path is None:
        return Model.default()
    return _loaded(path, path.stat().st_mtime_ns) if path.is_file() else Model.load(path)


def load_table(path: Path | None) -> RepetitionTable | None:
    """The same for a table of repeated lines; None for no table."""
    if path is None:
        return None
    return _opened(path, path.stat().st_mtime_ns) if path.is_file() else RepetitionTable.open(path)


@lru_cache(maxsize=1)
def _loaded(path: Path, _modified: int) -> Model:
    return Model.load(path)


@lru_cache(maxsize=1)
def _opened(path: Path, _modified: int) -> RepetitionTable:
    return RepetitionTable.open(path)
