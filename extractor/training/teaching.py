"""A model and labelled pages of one's own -> a model that knows their sites too, in seconds.

What the model knows is kept as it is. Beside it are put the landmarks of the sites (extractor/landmarks.py): what the
lines of their pages are, by the lines that all of them share and by the names of their classes. Pages that no taught
site knows are labelled as before, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from extractor.classifier import LineClassifier
from extractor.context import Neighbourhood
from extractor.landmarks import LANDMARK_NAMES, cue_tokens
from extractor.model_file import FORMATS, Check, Model
from extractor.training.columns import BASE_COLUMNS
from extractor.training.derivation import FOLDS, LabelledView, Tables
from extractor.training.fitting import length_factors
from extractor.training.landmark_fitting import TaughtPage, fit_landmarks
from extractor.training.own_pages import OwnPage
from extractor.training.tables import line_table


@dataclass(frozen=True, slots=True)
class TeachingSettings:
    """weight: what a line of one's own counts beside what is believed without it: that landmarks say nothing."""

    weight: float = 20.0


def teach(
    model: Model, pages: Sequence[OwnPage], settings: TeachingSettings,
    progress: Callable[[str], None] = lambda step: None,
) -> Model:  # fmt: skip
    """The model with the landmarks of the pages' sites, and no others; the same bytes every time.

    A site teaches nothing by a single page, nor by pages that share no lines."""
    landmarks, checks = {}, dict(model.checks)
    for format in FORMATS:
        seen = [
            taught_page(model, page.site, one, settings)
            for page in pages
            for one in page.labelled
            if one.view.format == format and len(one.classes)
        ]
        progress(f"{format}: landmarks of {len(seen)} pages")
        found = fit_landmarks(seen) if seen else None
        if found is not None:
            landmarks[format] = found
            checks[format] = check_with_landmarks(model.checks[format], model.classifiers[format])
    return replace(model, landmarks=landmarks, checks=checks)


def taught_page(model: Model, site: str, one: LabelledView, settings: TeachingSettings) -> TaughtPage:
    """A labelled view, with the scores that the model gives its lines."""
    view = one.view
    table = line_table(view.format, [one], tables_of_model(model))
    classifier = model.classifiers[view.format]
    around = Neighbourhood(dict(zip(BASE_COLUMNS[view.format], table.base, strict=True)), table.page_offsets)
    return TaughtPage(
        site, view.tokens[view.token_offsets[1:] - 1], cue_tokens(*view.cue_tokens) if view.cue_tokens else None,
        one.classes, settings.weight * length_factors(table.page_lines()) * one.read,
        classifier.second_scores(around),
    )  # fmt: skip


def tables_of_model(model: Model) -> dict[int | None, Tables]:
    """What a model has learned of words, class names, kinds and phrases, and its networks, for every fold."""
    networks = {name: model.classifiers[name].first for name in FORMATS}
    known = Tables(model.wording, model.cues, networks, model.kinds, model.markup_kinds, model.phrases)
    return dict.fromkeys((*range(FOLDS), None), known)


def check_with_landmarks(check: Check, classifier: LineClassifier) -> Check:
    """The same lines, on which landmarks say something, and what the classifier says of them then."""
    kept = [row for row, name in enumerate(check.names) if name not in LANDMARK_NAMES]
    names = (*(check.names[row] for row in kept), *LANDMARK_NAMES)
    told = np.random.default_rng(0).integers(64, 192, (len(LANDMARK_NAMES), check.columns.shape[1]), np.uint8)
    columns = np.concatenate([check.columns[kept], told])
    known = dict(zip(names, columns, strict=True))
    return Check(names, columns, classifier.judge(known, np.array([0, columns.shape[1]])).probabilities)
