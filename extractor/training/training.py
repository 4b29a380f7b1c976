"""Tables of labelled lines -> a model: two stages of trees for dumps and for HTML, calibrated.

The second stage learns from first-stage probabilities of sites that the first stage had not seen, as it
will meet them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.classifier import KINDS, LineClassifier, Stage, stage_columns
from extractor.features import CLASS_NAMES, FEATURES_VERSION
from extractor.model_file import Check, Model
from extractor.training.columns import BASE_COLUMNS, CANDIDATES, KIND_COLUMNS, MARKUP_KIND_COLUMNS, STAGE_COLUMNS
from extractor.training.derivation import FOLDS, Tables
from extractor.training.fitting import TRUST_IN_READING, fit_calibration, fit_stage
from extractor.training.tables import LineTable

KEPT_SHARES = (1.0, 0.2, 1.0, 0.06, 0.15)
KEPT_SHARES_OF_READ = (1.0, 0.7, 1.0, 0.3, 0.7)
"""Of each class the share of lines that trees are grown on; those kept count for the others."""
_CHECK_LINES = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes of the forests, the rates at which they learn, and the share of the chosen lines they learn from."""

    lines: float = 1.0
    first_trees: int = 150
    first_rate: float = 0.15
    second_trees: int = 250
    second_rate: float = 0.1
    kind_trees: int = 250
    kind_rate: float = 0.06


def train_model(
    tables: Mapping[str, LineTable], words: Tables, card: Mapping[str, Any], settings: Settings | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Model:  # fmt: skip
    """A model from the tables of both formats and the word tables; card: what is to be said of the data."""
    classifiers, checks = {}, {}
    for format, table in tables.items():
        progress(f"{format}: {len(table.classes)} lines of {len(table.page_offsets) - 1} pages")
        classifiers[format] = train_classifier(table, settings or Settings(), progress)
        checks[format] = _check(table, classifiers[format])
    full_card = {"features_version": FEATURES_VERSION, "classes": CLASS_NAMES, **card}
    return Model(words.words, words.cues, classifiers, checks, full_card)


def train_classifier(table: LineTable, settings: Settings, progress: Callable[[str], None]) -> LineClassifier:
    """Both stages, the calibration and the kinds of one format."""
    names = CANDIDATES[table.format]
    rows, weights = sample_rows(table, settings.lines)
    columns, classes = matrix(table, rows, names), table.classes[rows]
    group = table.folds % 2
    progress(f"first stage, out of fold ({len(rows)} lines)")
    seen = np.zeros((len(CLASS_NAMES), len(table.classes)), np.uint8)
    for held_out in (0, 1):
        kept = group[rows] != held_out
        stage = fit_stage(
            columns[:, kept], names, classes[kept], weights[kept],
            trees=settings.first_trees, rate=settings.first_rate, seed=held_out,
        )  # fmt: skip
        seen |= _stage_probabilities(table, stage, group == held_out)
    progress("first stage")
    first = fit_stage(columns, names, classes, weights, trees=settings.first_trees, rate=settings.first_rate, seed=2)
    columns = np.concatenate([columns, matrix(table, rows, STAGE_COLUMNS, seen)])
    names = (*names, *STAGE_COLUMNS)

    def second_stage(kept: NDArray[np.bool_]) -> Stage:
        return fit_stage(
            columns[:, kept], names, classes[kept], weights[kept],
            trees=settings.second_trees, rate=settings.second_rate, seed=3,
        )  # fmt: skip

    progress("calibration")
    held = table.folds[rows] == FOLDS - 1
    partial = second_stage(~held & (np.arange(len(rows)) % 2 == 0))  # half of the lines will do here
    chosen = columns[np.array([names.index(name) for name in partial.names])][:, held]
    slopes, intercepts = fit_calibration(partial.forest.scores(chosen), classes[held], weights[held])
    progress("second stage")
    second = second_stage(np.ones(len(rows), bool))
    progress("kinds of pages")
    return LineClassifier(first, second, _fit_kinds(table, seen, settings), slopes, intercepts)


def _fit_kinds(table: LineTable, seen: Bytes, settings: Settings) -> Stage:
    """Trees on what the first stage says of whole pages; rare kinds count for as much as half of the articles."""
    first_lines = table.page_offsets[:-1]
    rows = first_lines[table.kinds[first_lines] >= 0]
    kinds = table.kinds[rows]
    counts = np.bincount(kinds, minlength=len(KINDS))
    weights = (counts.max() / np.maximum(counts, 1)) ** 0.5
    names = (*KIND_COLUMNS, *(MARKUP_KIND_COLUMNS if table.format == "html" else ()))
    return fit_stage(
        matrix(table, rows, names, seen), names, kinds, weights[kinds],
        trees=settings.kind_trees, rate=settings.kind_rate, seed=4, classes=len(KINDS),
    )  # fmt: skip


def sample_rows(table: LineTable, part: float = 1.0) -> tuple[Integers, NDArray[np.float64]]:
    """The lines that trees are grown on, and the weight of each."""
    share = np.where(table.read, np.array(KEPT_SHARES_OF_READ)[table.classes], np.array(KEPT_SHARES)[table.classes])
    rows = np.flatnonzero(np.random.default_rng(0).random(len(share)) < share * part)
    by_page = np.clip(np.sqrt(200 / table.page_lines()), 0.3, 2.0)
    weights = table.trust * by_page * np.where(table.read, TRUST_IN_READING, 1.0) / share
    return rows, weights[rows]


def matrix(table: LineTable, rows: Integers, names: tuple[str, ...], seen: Bytes | None = None) -> Bytes:
    """Named columns, (names, rows), of some lines; seen: first-stage probabilities of all lines, if asked for."""
    found = np.empty((len(names), len(rows)), np.uint8)
    for low, high, around, columns in table.parts():
        if seen is not None:
            columns.update(zip((f"p_{name}" for name in CLASS_NAMES), seen[:, low:high], strict=True))
        first, last = np.searchsorted(rows, (low, high))
        chosen = rows[first:last] - low
        found[:, first:last] = around.matrix(names)[:, chosen]
    return found


def _stage_probabilities(table: LineTable, stage: Stage, wanted: NDArray[np.bool_]) -> Bytes:
    """A stage's probabilities of the wanted lines in 8 bits, (classes, lines), 0 for all others."""
    found = np.zeros((len(CLASS_NAMES), len(wanted)), np.uint8)
    for low, high, around, _ in table.parts():
        if wanted[low:high].any():
            rows = stage_columns(stage.probabilities(around))
            found[:, low:high] = np.stack(list(rows.values())) * wanted[low:high]
    return found


def _check(table: LineTable, classifier: LineClassifier) -> Check:
    """The first lines of the first pages, taken as one page."""
    names = BASE_COLUMNS[table.format]
    columns = np.ascontiguousarray(table.base[:, :_CHECK_LINES])
    around = dict(zip(names, columns, strict=True))
    return Check(names, columns, classifier.judge(around, np.array([0, columns.shape[1]])).probabilities)
