"""The shared corpora -> sources: pages with their HTML, gold text, dumps and hand labels.

Files and columns are those that the README.md beside the corpora describes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CORPORA = ("wcxb", "dragnet", "l3s-gn1", "newspaper", "cleaneval", "chinese-news", "multilingual")
HEADLINE_IN_GOLD = frozenset(("dragnet", "l3s-gn1", "cleaneval"))
"""Corpora whose gold text begins with the headline."""
UNSPACED_CORPORA = frozenset(("chinese-news",))
"""Corpora whose words are counted by ideograph."""


def dump_lines(text: str) -> list[str]:
    """The lines of a dump that have labels: those that are not blank."""
    return [line for line in text.split("\n") if line.strip()]


@dataclass(frozen=True, slots=True)
class Dump:
    """A page as plain text, by one converter; labels: one for each non-blank line, where read by hand."""

    converter: str
    text: str
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One page of a corpus."""

    corpus: str
    id: str
    split: str
    url: str | None
    site: str
    page_type: str | None
    html: bytes
    gold: str | None
    title: str | None
    must_have: tuple[str, ...]
    must_not_have: tuple[str, ...]
    segments: tuple[tuple[str, str], ...]
    covered: float
    dumps: list[Dump] = field(default_factory=list)

    @property
    def scored(self) -> bool:
        """Whether the gold text is found well enough in the page to judge by it."""
        return self.gold is not None and self.covered >= 0.9

    @property
    def read_dumps(self) -> list[tuple[Dump, tuple[str, ...]]]:
        """Its dumps that were read by hand, with their labels."""
        return [(dump, dump.labels) for dump in self.dumps if dump.labels is not None]

    def without_page(self) -> Source:
        """What training asks of a source where the lines of a page are labelled already."""
        return replace(self, html=b"", gold=None, must_have=(), must_not_have=(), segments=(), dumps=[])


def read_corpora(shared: Path, names: Sequence[str] = CORPORA, split: str | None = None) -> Iterator[Source]:
    """The pages of the named corpora, with their dumps. FileNotFoundError says which file is missing."""
    hand = read_hand_labels(shared)
    for name in names:
        sources: dict[str, Source] = {}
        for row in _rows(shared / "data" / f"{name}.parquet"):
            if split is None or row["split"] == split:
                sources[row["id"]] = _source(name, row)
        for row in _rows(shared / "data" / f"{name}.dumps.parquet"):
            source = sources.get(row["id"])
            if source is not None:
                labels = hand.get((name, row["id"]), {}).get(row["text"])
                source.dumps.append(Dump(row["converter"], row["text"], labels))
        for source in sources.values():
            known = {dump.text for dump in source.dumps}
            source.dumps.extend(
                Dump(f"{converter}-hand", text, labels)
                for text, (labels, converter) in _unlisted(hand, name, source.id, known)
            )
        yield from sources.values()


class _HandLabels(dict[tuple[str, str], dict[str, tuple[str, ...]]]):
    """(corpus, id) -> dump text -> labels; the converter of each is kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.converters: dict[tuple[str, str, str], str] = {}


@dataclass(frozen=True, slots=True)
class DumpLabels:
    """Labels of a dump, without its text: which dump it is, and its labels as runs of (count, label)."""

    corpus: str
    id: str
    converter: str
    sha256: str
    runs: tuple[tuple[int, str], ...]

    def labels(self) -> tuple[str, ...]:
        """One label for each non-blank line."""
        return tuple(label for count, label in self.runs for _ in range(count))


def text_digest(text: str) -> str:
    """What a dump's text is known by."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def read_dump_labels(path: Path) -> list[DumpLabels]:
    """Labels read for this project, one JSON object a line; an empty list where there is no such file."""
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [DumpLabels(**{**row, "runs": tuple((count, label) for count, label in row["runs"])}) for row in rows]


def add_labels(sources: Iterable[Source], labels: Iterable[DumpLabels]) -> Iterator[Source]:
    """The sources, with labels put to the dumps they were read on. ValueError where the dump is another text."""
    known = {(found.corpus, found.id, found.converter): found for found in labels}
    for source in sources:
        for place, dump in enumerate(source.dumps):
            found = known.get((source.corpus, source.id, dump.converter))
            if found is not None and dump.labels is None:
                if found.sha256 != text_digest(dump.text):
                    raise ValueError(f"{source.corpus} {source.id} {dump.converter}: not the dump that was labelled")
                source.dumps[place] = Dump(dump.converter, dump.text, found.labels())
        yield source


def read_hand_labels(shared: Path) -> _HandLabels:
    """The dumps that were labelled line by line by reading."""
    found = _HandLabels()
    for row in _rows(shared / "labels" / "labelled_dumps.parquet"):
        key = (row["dataset"], row["id"])
        found.setdefault(key, {})[row["text"]] = tuple(row["labels"])
        found.converters[(*key, row["text"])] = row["converter"]
    return found


def _unlisted(
    hand: _HandLabels, corpus: str, page_id: str, known: set[str]
) -> Iterator[tuple[str, tuple[tuple[str, ...], str]]]:
    for text, labels in hand.get((corpus, page_id), {}).items():
        if text not in known:
            yield text, (labels, hand.converters[(corpus, page_id, text)])


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the corpora are read from the folder given with --shared")
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _source(corpus: str, row: dict[str, Any]) -> Source:
    return Source(
        corpus=corpus,
        id=row["id"],
        split=row["split"],
        url=row["url"],
        site=row["site"] or f"{corpus}:{row['id']}",
        page_type=row["page_type"],
        html=row["html"],
        gold=row["gold"],
        title=row["title"],
        must_have=tuple(row["must_have"] or ()),
        must_not_have=tuple(row["must_not_have"] or ()),
        segments=tuple((s["label"], s["text"]) for s in row["segments"] or ()),
        covered=row["covered"] if row["covered"] is not None else 0.0,
    )
