"""Cross-validation by site on the training tables: how a model labels dumps of sites that it was not trained on.

What a table says of words and by networks is out of fold already, so a fold needs nothing but the table. What is
left of a page in the others' derived labels, through the teacher that was trained on all pages read by hand, is
not taken out; nor are equal headlines told apart, since a table holds no line hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers, read_texts
from extractor.classifier import LineClassifier, decide, merge_classes
from extractor.features import CLASS_NAMES, FEATURES, own_columns
from extractor.kinds import KINDS
from extractor.labelling import BETAS
from extractor.training.columns import BASE_COLUMNS
from extractor.training.derivation import FOLDS
from extractor.training.tables import LineTable
from extractor.training.training import Settings, train_classifier
from extractor.wording import WordingTable, line_tokens


def page_digests(table: LineTable) -> list[str]:
    """What each page of a table is known by: a digest of the columns that need no table of words."""
    rows = table.base[: len(FEATURES)]
    return [_digest(rows[:, first:last]) for first, last in _bounds(table)]


def text_digests(texts: Iterable[str]) -> list[str]:
    """The same of dumps."""
    return [_digest(_text_columns(text)) for text in texts]


class JudgedPage(NamedTuple):
    """What a model that has not seen a page's site says of it: its kind, the codes of its lines' labels and their
    probabilities, (lines, 4)."""

    kind: str
    codes: Integers
    probabilities: NDArray[np.float64]


def cross_validate(
    table: LineTable, pages: Iterable[int], settings: Settings, progress: Callable[[str], None]
) -> dict[int, JudgedPage]:
    """The given pages, each judged by a model of other sites."""
    chosen = np.array(sorted(pages), np.int64)
    fold_of_page = table.folds[table.page_offsets[:-1]]
    judged: dict[int, JudgedPage] = {}
    for fold in range(FOLDS):
        held_out = chosen[fold_of_page[chosen] == fold]
        if len(held_out):
            progress(f"{table.format}: fold {fold + 1} of {FOLDS}, {len(held_out)} pages")
            rest = without_pages(table, fold_of_page == fold)
            classifier = train_classifier(rest, settings, lambda step: None)
            judged.update((int(page), _judge(table, classifier, int(page))) for page in held_out)
    return judged


def without_pages(table: LineTable, left_out: NDArray[np.bool_]) -> LineTable:
    """The table less some pages; left_out: (pages,)."""
    lines = np.diff(table.page_offsets)
    kept = np.repeat(~left_out, lines)
    return replace(
        table,
        base=table.base[:, kept],
        page_offsets=np.concatenate(([0], np.cumsum(lines[~left_out]))),
        classes=table.classes[kept],
        trust=table.trust[kept],
        read=table.read[kept],
        kinds=table.kinds[kept],
        sites=table.sites[kept],
    )


def _judge(table: LineTable, classifier: LineClassifier, page: int) -> JudgedPage:
    first, last = table.page_offsets[page : page + 2].tolist()
    columns = dict(zip(BASE_COLUMNS[table.format], table.base[:, first:last], strict=True))
    offsets = np.array([0, last - first])
    judgement = classifier.judge_again(columns, offsets)
    # words are stored in sixteen steps for each doubling
    words = np.rint(2 ** (columns["words"].astype(float) / 16) - 1).astype(np.int64)
    no_copies = np.arange(last - first, dtype=np.uint64)
    beta = BETAS["html" if table.format == "html" else "text"][None]
    codes = decide(judgement.probabilities, words, no_copies, offsets, beta).codes
    return JudgedPage(KINDS[int(judgement.kinds[0].argmax())], codes, merge_classes(judgement.probabilities))


def _bounds(table: LineTable) -> list[tuple[int, int]]:
    return list(zip(table.page_offsets[:-1].tolist(), table.page_offsets[1:].tolist(), strict=True))


def _text_columns(text: str) -> Bytes:
    batch = read_texts([text])
    no_words = WordingTable(np.zeros((1, len(CLASS_NAMES)), np.int8))
    return own_columns(batch, no_words, line_tokens(batch))[: len(FEATURES)]


def _digest(columns: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(columns).tobytes()).hexdigest()
