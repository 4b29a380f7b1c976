"""What flows through a run over a corpus: a Record in, one Result out for each, and the sum of many, a Summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from extractor.page import LABELS, Line, PageFormat


class Status(str, Enum):
    """What became of a page. Those with status ok or empty are written, the others listed with a reason."""

    OK = "ok"
    EMPTY = "empty"
    """Nothing of it was kept."""
    TOO_LARGE = "too-large"
    UNDECODABLE = "undecodable"
    """No text: binary content, a broken line, a record without the column."""
    ERROR = "error"
    LEFT_OUT = "left-out"
    """Not wanted: a filter, a copy of another page, no page at all."""

    def __str__(self) -> str:
        return self.value


WRITTEN = frozenset({Status.OK, Status.EMPTY})


class Problem(NamedTuple):
    """Why a page is not written."""

    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One page as a reader found it.

    name: its file, and for a file of many its number there, "FILE:NUMBER"; unlike id, it is unique. place: from 0
    in the piece that is read. site: as the settings find it. encoding: of content that came decoded. A record that
    could not be read has a problem and no content. read: bytes of the piece, about, that were read so far, where
    that says how far it is.
    """

    name: str
    place: int
    content: str | bytes | None
    id: str | None = None
    url: str | None = None
    site: str | None = None
    kind: PageFormat | None = None
    encoding: str | None = None
    problem: Problem | None = None
    read: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of some pages.

    pages: those written; empty: those of them of which nothing was kept. kept and dropped: lines, in the order of
    LABELS. characters_in and characters_out: of the non-blank lines, and of the clean text. failed, left_out: pages
    that are not written.
    """

    pages: int = 0
    empty: int = 0
    kept: tuple[int, ...] = (0,) * len(LABELS)
    dropped: tuple[int, ...] = (0,) * len(LABELS)
    characters_in: int = 0
    characters_out: int = 0
    failed: int = 0
    left_out: int = 0

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.pages + other.pages,
            self.empty + other.empty,
            tuple(map(sum, zip(self.kept, other.kept, strict=True))),
            tuple(map(sum, zip(self.dropped, other.dropped, strict=True))),
            self.characters_in + other.characters_in,
            self.characters_out + other.characters_out,
            self.failed + other.failed,
            self.left_out + other.left_out,
        )

    @property
    def records(self) -> int:
        """All pages, whatever became of them."""
        return self.pages + self.failed + self.left_out

    def as_json(self) -> dict[str, Any]:
        """The same as JSON has it; from_json() reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Summary:
        """What as_json() gave."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one page; row() gives the columns that are written.

    labels: of its non-blank lines, as runs of (label, lines). kept: the share of its characters that the text has.
    lines: every line with its probabilities, if they were asked for. counts: this page as a Summary.
    """

    name: str
    id: str | None
    url: str | None
    status: Status
    reason: str | None = None
    text: str = ""
    title: str | None = None
    kind: str | None = None
    labels: tuple[tuple[str, int], ...] = ()
    kept: float = 0.0
    encoding: str | None = None
    lines: tuple[Line, ...] | None = None
    counts: Summary = Summary()

    @property
    def written(self) -> bool:
        """Whether it belongs into the output."""
        return self.status in WRITTEN

    def failed(self, problem: Problem) -> Result:
        """The same page, not written."""
        return Result(self.name, self.id, self.url, *problem, counts=Summary(failed=1))

    def row(self) -> dict[str, Any]:
        """The columns of the output, by name."""
        row: dict[str, Any] = {
            "id": self.id if self.id is not None else self.name,
            "url": self.url,
            "text": self.text,
            "title": self.title,
            "kind": self.kind,
            "labels": [{"label": label, "lines": lines} for label, lines in self.labels],
            "kept": self.kept,
            "status": self.status.value,
            "encoding": self.encoding,
        }
        if self.lines is not None:
            row["lines"] = list(map(line_record, self.lines))
        return row

    def notice(self) -> dict[str, Any]:
        """How a page that is not written is listed."""
        return {"name": self.name, "id": self.id, "url": self.url, "status": self.status.value, "reason": self.reason}


def line_record(line: Line) -> dict[str, Any]:
    """One line as JSON has it."""
    probabilities = {label.value: round(p, 4) for label, p in zip(LABELS, line.probabilities, strict=True)}
    return {"number": line.number, "text": line.text, "label": line.label.value, "probabilities": probabilities}


def unwritten(record: Record, problem: Problem) -> Result:
    """The result of a page that is not written."""
    counts = Summary(left_out=1) if problem.status is Status.LEFT_OUT else Summary(failed=1)
    return Result(record.name, record.id, record.url, *problem, counts=counts)


def total(summaries: Iterable[Summary]) -> Summary:
    """All of them added up."""
    return sum(summaries, Summary())
