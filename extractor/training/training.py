"""Tables of labelled lines -> a model: stages of trees for dumps and for HTML, calibrated.

The tables hold what networks say of sites that they had not seen, as the second stage will meet it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.classifier import (
    STAGE_NAMES,
    LineClassifier,
    Stage,
    merge_classes,
    network_scores,
    softmax,
    stage_columns,
)
from extractor.features import CLASS_NAMES, FEATURES_VERSION
from extractor.kinds import KIND_COLUMNS, KindWeights
from extractor.model_file import Check, Model
from extractor.network import WORD_NAMES
from extractor.page import LABELS
from extractor.training.columns import BASE_COLUMNS, CANDIDATES, REPETITION_COLUMNS
from extractor.training.derivation import Tables
from extractor.training.fitting import (
    TRUST_IN_READING,
    fit_calibration,
    fit_kind_weights,
    fit_stage,
    length_factors,
    silent_stage,
)
from extractor.training.measures import accuracy, macro_f1
from extractor.training.tables import LineTable

KEPT_SHARES = (1.0, 0.2, 1.0, 0.06, 0.15)
KEPT_SHARES_OF_READ = (1.0, 0.7, 1.0, 0.3, 0.7)
"""Of each class the share of lines that trees are grown on; those kept count for the others."""
SECOND_RATES = {"text": 0.03, "html": 0.1}
"""How fast the second stage of each format learns: for dumps it can hardly tell more than the network does."""
_CHECK_LINES = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes of the forests, the rate at which that of repetition learns, and the share of the chosen lines they learn
    from."""

    lines: float = 1.0
    second_trees: int = 120
    repetition_trees: int = 100
    repetition_rate: float = 0.08


def train_model(
    tables: Mapping[str, LineTable], words: Tables, card: Mapping[str, Any], settings: Settings | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Model:  # fmt: skip
    """A model from the tables of both formats and the word tables; card: what is to be said of the data."""
    classifiers, checks, scores = {}, {}, {}
    for format, table in tables.items():
        progress(f"{format}: {len(table.classes)} lines of {len(table.page_offsets) - 1} pages")
        classifiers[format], scores[format] = _train_classifier(table, settings or Settings(), progress)
        checks[format] = _check(table, classifiers[format])
    full_card = {"features_version": FEATURES_VERSION, "classes": CLASS_NAMES, "scores": scores, **card}
    tables_of_words = (words.words, words.cues, words.kinds, words.markup_kinds, words.phrases)
    return Model(*tables_of_words, classifiers, checks, full_card)


def train_classifier(table: LineTable, settings: Settings, progress: Callable[[str], None]) -> LineClassifier:
    """All that is learned from the table of one format, behind its network."""
    return _train_classifier(table, settings, progress)[0]


def _train_classifier(
    table: LineTable, settings: Settings, progress: Callable[[str], None]
) -> tuple[LineClassifier, dict[str, float]]:
    """The classifier, and how its second stage labels lines read by hand of sites that it has not seen."""
    names = CANDIDATES[table.format]
    rows, weights = sample_rows(table, settings.lines)
    columns, classes = matrix(table, rows, names), table.classes[rows]
    start = network_scores(matrix(table, rows, STAGE_NAMES))

    def second_stage(kept: NDArray[np.bool_]) -> Stage:
        return fit_stage(
            columns[:, kept], names, classes[kept], weights[kept],
            trees=settings.second_trees, rate=SECOND_RATES[table.format], seed=3, start=start[:, kept],
        )  # fmt: skip

    progress(f"second stage, out of fold ({len(rows)} lines)")
    scores, group = np.zeros((len(CLASS_NAMES), len(table.classes))), table.folds % 2
    for held_out in (0, 1):
        # half of the lines will do here
        partial = second_stage((group[rows] != held_out) & (np.arange(len(rows)) % 2 == 0))
        scores += _second_scores(table, partial, group == held_out)
    slopes, intercepts = fit_calibration(scores[:, rows], classes, weights)
    progress("second stage")
    second = second_stage(np.ones(len(rows), bool))
    progress("repetition")
    calibrated = scores * slopes[:, None] + intercepts[:, None]
    repetition = _fit_repetition(table, rows, weights, calibrated, settings)
    progress("kinds of pages")
    classifier = LineClassifier(table.network, second, repetition, _fit_kinds(table), slopes, intercepts)
    return classifier, _scores_of_read(table, calibrated)


def _scores_of_read(table: LineTable, scores: NDArray[np.float64]) -> dict[str, float]:
    """Accuracy and macro F1 of the most probable labels of the lines read by hand, to four digits."""
    read = table.read
    found = merge_classes(softmax(scores[:, read]).T).argmax(axis=1)
    truth = np.maximum(table.classes[read] - 1, 0)
    confusion = np.bincount(truth * len(LABELS) + found, minlength=len(LABELS) ** 2).astype(float)
    return {
        "held-out sites, accuracy": round(float(accuracy(confusion)), 4),
        "held-out sites, macro F1": round(float(macro_f1(confusion)), 4),
    }


def _fit_repetition(
    table: LineTable, rows: Integers, weights: NDArray[np.float64], scores: NDArray[np.float64], settings: Settings
) -> Stage:
    """Trees that are added to the second stage's scores, (classes, lines), where a table knows the site.

    A site of many pages counts no more than by the square root of its lines.
    """
    known = table.base[BASE_COLUMNS[table.format].index("site_known")][rows] > 0
    chosen, weights = rows[known], weights[known]
    if len(np.unique(table.classes[chosen])) < len(CLASS_NAMES):
        return silent_stage("site_known")
    _, site, lines = np.unique(table.sites[chosen], return_inverse=True, return_counts=True)
    seen = np.stack(list(stage_columns(softmax(scores)).values()))
    return fit_stage(
        matrix(table, chosen, REPETITION_COLUMNS, seen), REPETITION_COLUMNS, table.classes[chosen],
        weights * lines[site] ** -0.5, trees=settings.repetition_trees, rate=settings.repetition_rate, seed=5,
        start=scores[:, chosen],
    )  # fmt: skip


def _fit_kinds(table: LineTable) -> KindWeights:
    first_lines = table.page_offsets[:-1]
    rows = first_lines[table.kinds[first_lines] >= 0]
    said = [table.base[BASE_COLUMNS[table.format].index(name)][rows] for name in KIND_COLUMNS[table.format]]
    return fit_kind_weights(np.stack(said), table.kinds[rows])


def sample_rows(table: LineTable, part: float = 1.0) -> tuple[Integers, NDArray[np.float64]]:
    """The lines that trees are grown on, and the weight of each."""
    share = np.where(table.read, np.array(KEPT_SHARES_OF_READ)[table.classes], np.array(KEPT_SHARES)[table.classes])
    rows = np.flatnonzero(np.random.default_rng(0).random(len(share)) < share * part)
    weights = table.trust * length_factors(table.page_lines()) * np.where(table.read, TRUST_IN_READING, 1.0) / share
    return rows, weights[rows]


def matrix(table: LineTable, rows: Integers, names: tuple[str, ...], seen: Bytes | None = None) -> Bytes:
    """Named columns, (names, rows), of some lines; seen: what is thought of all lines, if not what the network does."""
    found = np.empty((len(names), len(rows)), np.uint8)
    for low, high, around, columns in table.parts():
        if seen is not None:
            columns.update(zip(STAGE_NAMES, seen[:, low:high], strict=True))
        first, last = np.searchsorted(rows, (low, high))
        chosen = rows[first:last] - low
        found[:, first:last] = around.matrix(names)[:, chosen]
    return found


def _second_scores(table: LineTable, stage: Stage, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scores of network and trees, (classes, lines), of the wanted lines, 0 for all others."""
    found = np.zeros((len(CLASS_NAMES), len(wanted)))
    for low, high, around, _ in table.parts():
        if wanted[low:high].any():
            scores = network_scores(around.matrix(STAGE_NAMES)) + stage.scores(around.matrix(stage.names))
            found[:, low:high] = scores * wanted[low:high]
    return found


def _check(table: LineTable, classifier: LineClassifier) -> Check:
    """The first lines of the first pages, taken as one page, with words at random."""
    names = (*BASE_COLUMNS[table.format][: -len(CLASS_NAMES)], *WORD_NAMES)
    words = np.random.default_rng(0).integers(64, 192, (len(WORD_NAMES), len(table.classes[:_CHECK_LINES])), np.uint8)
    columns = np.concatenate([table.base[: -len(CLASS_NAMES), :_CHECK_LINES], words])
    around = dict(zip(names, columns, strict=True))
    return Check(names, columns, classifier.judge(around, np.array([0, columns.shape[1]])).probabilities)
