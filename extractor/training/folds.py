"""Cross-validation by site on the training tables: how a model labels dumps of sites that it was not trained on.

The word columns of a table are out of fold already, so a fold needs nothing but the table. What is left of a
page in the others' derived labels, through the teacher that was trained on all pages read by hand, is not
taken out; nor are equal headlines told apart, since a table holds no line hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Integers, read_texts
from extractor.classifier import LineClassifier, decide
from extractor.features import FEATURES, own_columns
from extractor.labelling import BETAS
from extractor.training.columns import BASE_COLUMNS
from extractor.training.derivation import FOLDS
from extractor.training.tables import LineTable
from extractor.training.training import Settings, train_classifier
from extractor.wording import WordingTable


def page_digests(table: LineTable) -> list[str]:
    """What each page of a table is known by: a digest of the columns that need no table of words."""
    rows = table.base[: len(FEATURES)]
    return [_digest(rows[:, first:last]) for first, last in _bounds(table)]


def text_digests(texts: Iterable[str]) -> list[str]:
    """The same of dumps."""
    no_words = WordingTable(np.zeros((1, 5), np.int8))
    return [_digest(own_columns(read_texts([text]), no_words)[: len(FEATURES)]) for text in texts]


def cross_validate(
    table: LineTable, pages: Iterable[int], settings: Settings, progress: Callable[[str], None]
) -> NDArray[np.float64]:
    """Confusion counts, (pages, 16), truth by prediction, of the given pages, each judged by a model of other sites."""
    chosen = np.array(sorted(pages))
    bounds = _bounds(table)
    fold_of_page = table.folds[table.page_offsets[:-1]]
    confusions = np.zeros((len(chosen), 16))
    for fold in range(FOLDS):
        if not (fold_of_page[chosen] == fold).any():
            continue
        progress(f"fold {fold + 1} of {FOLDS}")
        classifier = train_classifier(without_fold(table, fold), settings, lambda step: None)
        for row, page in enumerate(chosen):
            if fold_of_page[page] == fold:
                confusions[row] = _confusion(table, classifier, *bounds[page])
    return confusions


def without_fold(table: LineTable, fold: int) -> LineTable:
    """The table less the pages of one fold's sites."""
    kept = table.folds != fold
    lines = np.diff(table.page_offsets)[table.folds[table.page_offsets[:-1]] != fold]
    return replace(
        table,
        base=table.base[:, kept],
        page_offsets=np.concatenate(([0], np.cumsum(lines))),
        classes=table.classes[kept],
        trust=table.trust[kept],
        read=table.read[kept],
        kinds=table.kinds[kept],
        folds=table.folds[kept],
    )


def _confusion(table: LineTable, classifier: LineClassifier, first: int, last: int) -> Integers:
    columns = dict(zip(BASE_COLUMNS[table.format], table.base[:, first:last], strict=True))
    offsets = np.array([0, last - first])
    probabilities = classifier.judge(columns, offsets).probabilities
    # words are stored in sixteen steps for each doubling
    words = np.rint(2 ** (columns["words"].astype(float) / 16) - 1).astype(np.int64)
    no_copies = np.arange(last - first, dtype=np.uint64)
    codes = decide(
        probabilities, words, no_copies, offsets, BETAS["html" if table.format == "html" else "text"][None]
    ).codes
    truth = np.maximum(table.classes[first:last] - 1, 0)
    read = table.read[first:last]
    return np.bincount(truth[read] * 4 + codes[read], minlength=16)


def _bounds(table: LineTable) -> list[tuple[int, int]]:
    return list(zip(table.page_offsets[:-1].tolist(), table.page_offsets[1:].tolist(), strict=True))


def _digest(columns: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(columns).tobytes()).hexdigest()
