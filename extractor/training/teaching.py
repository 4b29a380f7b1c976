"""A model and labelled pages of one's own -> a model that knows their sites too, in minutes.

What the model knows is kept. Tokens that its tables have no opinion of are given one (token_tuning.py), and trees are
added to its second stage: they start from its scores and learn what is missing, from the lines of the pages and, so
that nothing else is unlearned, from some lines of the shipped tables beside them. Each page is seen by the trees with
tables that were tuned without it, as they will meet the other pages of its site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.classifier import LineClassifier, Stage
from extractor.forest import MOST_TREES
from extractor.model_file import FORMATS, Check, Model
from extractor.training.columns import CANDIDATES
from extractor.training.derivation import FOLDS, LabelledView, Tables
from extractor.training.fitting import fit_stage, quantise_leaves
from extractor.training.folds import without_pages
from extractor.training.own_pages import OwnPage
from extractor.training.tables import LineTable, joined, line_table
from extractor.training.token_tuning import tune_tables
from extractor.training.training import matrix, page_factors, sample_rows

_PAGES_FOR_A_LINE = 4
"""Replayed lines are drawn from so many times as many pages as would hold them: what stands around a line has to be
computed for its whole page."""
_GROUPS = 5
_SEED = 7


@dataclass(frozen=True, slots=True)
class TeachingSettings:
    """weight: what a line of one's own counts, where 1 is a line whose label was derived and 3 one read by hand;
    replayed: the share of the lines of the shipped tables that is gone through again; token_weight: what a line
    counts for tokens; the number of trees and the rate at which they learn."""

    weight: float = 30.0
    replayed: float = 0.05
    token_weight: float = 2.0
    trees: int = 100
    rate: float = 0.1


class Rows(NamedTuple):
    """Lines that trees learn from: columns (see _names(), lines), and the scores that the model gives them so far."""

    columns: Bytes
    classes: Integers
    weights: NDArray[np.float64]
    scores: NDArray[np.float64]

    def and_(self, other: Rows) -> Rows:
        """The lines of both."""
        return Rows(
            np.concatenate([self.columns, other.columns], axis=1), np.concatenate([self.classes, other.classes]),
            np.concatenate([self.weights, other.weights]), np.concatenate([self.scores, other.scores], axis=1),
        )  # fmt: skip


Replay = Mapping[str, Rows]
"""Lines of the shipped tables, by format; a format without any learns from one's own pages alone."""


def replayed_rows(model: Model, table: LineTable, settings: TeachingSettings) -> Rows:
    """Some lines of a table, drawn the same way every time."""
    pages = len(table.page_offsets) - 1
    share = min(1.0, settings.replayed * _PAGES_FOR_A_LINE)
    some = without_pages(table, np.random.default_rng(_SEED).random(pages) >= share)
    rows, weights = sample_rows(some, settings.replayed / share)
    return _scored(model.classifiers[table.format], some, rows, weights)


def teach(
    model: Model, pages: Sequence[OwnPage], replay: Replay, settings: TeachingSettings,
    progress: Callable[[str], None] = lambda step: None,
) -> Model:  # fmt: skip
    """The model after the lesson; formats that the pages do not hold keep their trees. The same bytes every time."""
    known = Tables(model.wording, model.cues, {name: model.classifiers[name].first for name in FORMATS})
    groups = np.arange(len(pages)) % _GROUPS
    tables = _tuned(known, pages, settings)
    without = [
        _tuned(known, [page for page, other in zip(pages, groups, strict=True) if other != group], settings)
        for group in range(min(_GROUPS, len(pages)))
    ]
    classifiers = dict(model.classifiers)
    for format in FORMATS:
        seen = [
            _page_table(format, page, without[group])
            for page, group in zip(pages, groups.tolist(), strict=True)
            if any(one.view.format == format and len(one.classes) for one in page.labelled)
        ]
        if seen:
            progress(f"{format}: {settings.trees} trees more")
            classifiers[format] = _taught(model.classifiers[format], seen, replay.get(format), settings)
    checks = {name: check_again(model.checks[name], classifiers[name]) for name in FORMATS}
    return replace(model, wording=tables.words, cues=tables.cues, classifiers=classifiers, checks=checks)


def _tuned(tables: Tables, pages: Sequence[OwnPage], settings: TeachingSettings) -> Tables:
    return tune_tables(tables, [one for page in pages for one in page.labelled], settings.token_weight)


def _page_table(format: str, page: OwnPage, tables: Tables) -> LineTable:
    chosen: list[LabelledView] = [one for one in page.labelled if one.view.format == format]
    return line_table(format, chosen, dict.fromkeys((*range(FOLDS), None), tables))


def _taught(
    classifier: LineClassifier, seen: Sequence[LineTable], replay: Rows | None, settings: TeachingSettings
) -> LineClassifier:
    table = seen[0]
    for other in seen[1:]:
        table = joined(table, other)
    known = np.flatnonzero(table.read)
    rows = _scored(classifier, table, known, settings.weight * page_factors(table)[known])
    rows = rows.and_(replay) if replay else rows
    more = fit_stage(
        rows.columns, _names(classifier, table.format), rows.classes, rows.weights, start=rows.scores,
        trees=min(settings.trees, MOST_TREES - len(classifier.second.forest.features)), rate=settings.rate, seed=_SEED,
    )  # fmt: skip
    second = add_trees(classifier, more, np.unique(rows.classes))
    ones = np.ones(len(classifier.slopes))
    return classifier._replace(second=second, slopes=ones, intercepts=np.zeros_like(ones))


def _scored(classifier: LineClassifier, table: LineTable, rows: Integers, weights: NDArray[np.float64]) -> Rows:
    names = _names(classifier, table.format)
    columns = matrix(table, rows, names)
    second = classifier.second
    scores = second.scores(columns[[names.index(name) for name in second.names]])
    return Rows(columns, table.classes[rows], weights, classifier.calibrated(scores))


def _names(classifier: LineClassifier, format: str) -> tuple[str, ...]:
    """What the further trees may ask for, and what those that are there do."""
    return tuple(dict.fromkeys((*CANDIDATES[format], *classifier.second.names)))


def add_trees(classifier: LineClassifier, more: Stage, seen: Integers) -> Stage:
    """The second stage with its calibration worked in, and further trees, which say nothing of classes but `seen`."""
    old, new = classifier.second.forest, more.forest
    names = tuple(dict.fromkeys((*classifier.second.names, *more.names)))
    place = np.array([names.index(name) for name in more.names], np.int32)
    said = np.zeros(len(classifier.slopes))
    said[seen] = 1.0
    leaves = np.concatenate([old.leaves * old.scale * classifier.slopes, new.leaves * new.scale * said])
    bias = old.bias * classifier.slopes + classifier.intercepts + new.bias * said
    features = np.concatenate([old.features, place[new.features]])
    return Stage(names, quantise_leaves(features, np.concatenate([old.thresholds, new.thresholds]), leaves, bias))


def check_again(check: Check, classifier: LineClassifier) -> Check:
    """The same lines with what the classifier says of them now."""
    columns = dict(zip(check.names, check.columns, strict=True))
    return check._replace(expected=classifier.judge(columns, np.array([0, check.columns.shape[1]])).probabilities)
