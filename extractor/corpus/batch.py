"""One function from a batch of records to a batch of results: what every run does, local or on a cluster.

No files, nothing remembered: the same records give the same results, whatever stands with them in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from extractor.characters import read_texts
from extractor.corpus.folder import TooLargeError
from extractor.corpus.readers import ReadSettings
from extractor.corpus.records import Problem, Record, Result, Status, Summary, unwritten
from extractor.labelling import Preference, label_many
from extractor.model_file import Model
from extractor.page import BODY_ONLY, LABELS, Label, LabelledPage, Page
from extractor.repetition import RepetitionTable


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pages are written. kinds: None for all. min_words: of the clean text. max_removed: share of characters."""

    kinds: frozenset[str] | None = None
    min_words: int = 0
    max_removed: float = 1.0


@dataclass(frozen=True, slots=True)
class CleanSettings:
    """What is kept of each page (see LabelledPage.text), and by which model; None is the shipped one.

    repetition: the file of a table of repeated lines. lines: give every line with its probabilities too. reading:
    how pages are read, and of what size and site they are.
    """

    headline: bool = True
    keep: frozenset[Label] = BODY_ONLY
    unwrap: bool = False
    prefer: Preference | None = None
    model: Path | None = None
    repetition: Path | None = None
    lines: bool = False
    filters: Filters = Filters()
    reading: ReadSettings = field(default_factory=ReadSettings)


def clean_batch(
    records: Sequence[Record], settings: CleanSettings, model: Model, table: RepetitionTable | None = None
) -> list[Result]:
    """What becomes of each record, in order, one Result for each.

    model, table: those that load_model() and load_table() give for the settings. Nothing that a page holds raises:
    a page that cannot be labelled has status error, found by halving the batch.
    """
    problems = [record.problem or _too_large(record, settings.reading.max_bytes) for record in records]
    readable = [record for record, problem in zip(records, problems, strict=True) if problem is None]
    labelled = iter(_labelled(readable, settings, model, table))
    return [
        next(labelled) if problem is None else unwritten(record, problem)
        for record, problem in zip(records, problems, strict=True)
    ]


def _too_large(record: Record, max_bytes: int) -> Problem | None:
    if record.content is None or len(record.content) <= max_bytes:
        return None
    return Problem(Status.TOO_LARGE, str(TooLargeError(max_bytes)))


def _labelled(
    records: Sequence[Record], settings: CleanSettings, model: Model, table: RepetitionTable | None
) -> list[Result]:
    pages = [Page(_content(record), record.name, site=record.site, kind=record.kind) for record in records]
    try:
        # one by one as they come: labelled pages are many times as large as what is kept of them
        labelled = label_many(pages, model=model, repetition=table, prefer=settings.prefer)
        return [_result(record, page, settings) for record, page in zip(records, labelled, strict=True)]
    except MemoryError:
        reason = "takes more memory than it may; --page-memory allows more"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one page's, and the others are to be cleaned
        reason = f"{type(error).__name__}: {error}"
    # only here, where the error is gone, and with it all that the calls it came through had taken
    if len(records) == 1:
        return [unwritten(records[0], Problem(Status.ERROR, reason))]
    half = len(records) // 2
    first = _labelled(records[:half], settings, model, table)
    return first + _labelled(records[half:], settings, model, table)


def _content(record: Record) -> str | bytes:
    assert record.content is not None  # what has no content has a problem
    return record.content


def _result(record: Record, page: LabelledPage, settings: CleanSettings) -> Result:
    text = page.text(headline=settings.headline, keep=settings.keep, unwrap=settings.unwrap)
    counts, kept = _counted(page, text, settings)
    reason = _reason_to_leave_out(page, text, kept, settings.filters)
    if reason is not None:
        return unwritten(record, Problem(Status.LEFT_OUT, reason))
    return Result(
        record.name,
        record.id,
        record.url,
        Status.OK if text else Status.EMPTY,
        text=text,
        title=page.title,
        kind=page.kind,
        labels=tuple((label.value, len(list(run))) for label, run in groupby(page.labels)),
        kept=round(kept, 4),
        encoding=record.encoding or page.encoding,
        lines=page.lines if settings.lines else None,
        counts=counts,
    )


def _counted(page: LabelledPage, text: str, settings: CleanSettings) -> tuple[Summary, float]:
    """The page as a summary, and the share of its characters that are kept."""
    counts = tuple(page.labels.count(label) for label in LABELS)
    lengths = dict.fromkeys(LABELS, 0)
    for line in page.lines:
        lengths[line.label] += len(line.text)
    kept = [count if label in settings.keep else 0 for label, count in zip(LABELS, counts, strict=True)]
    left = sum(lengths[label] for label in settings.keep)
    if page.headline is not None and not settings.headline and kept[0]:
        kept[0] -= 1
        left -= len(page.headline.text)
    dropped = tuple(count - some for count, some in zip(counts, kept, strict=True))
    characters = sum(lengths.values())
    return Summary(1, int(not text), tuple(kept), dropped, characters, len(text)), left / max(characters, 1)


def _reason_to_leave_out(page: LabelledPage, text: str, kept: float, filters: Filters) -> str | None:
    if filters.kinds is not None and page.kind not in filters.kinds:
        return f"kind {page.kind}"
    if filters.max_removed < 1 and 1 - kept > filters.max_removed:
        return f"{1 - kept:.0%} removed"
    if filters.min_words and (words := count_words(text)) < filters.min_words:
        return f"{words} words"
    return None


def count_words(text: str) -> int:
    """How many words a text has; each character of a script without spaces is one, as in the page's decision.

    >>> count_words("It burns again."), count_words("\u706f\u53f0"), count_words("")
    (3, 2, 0)
    """
    return int(np.asarray(read_texts([text]).word_offsets)[-1])


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
