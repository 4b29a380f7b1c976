"""Labels of lines read by hand and kinds of pages, as an evaluation found them -> tables and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_curve

from extractor.kinds import KINDS
from extractor.page import LABELS
from extractor.training import charts
from extractor.training.evaluation import KIND, KIND_CORPUS
from extractor.training.hand_measures import (
    ELEMENTS,
    SHORT,
    SHORT_MEASURES,
    calibration_score,
    calibration_vectors,
    measures_told,
)
from extractor.training.measures import CALIBRATION_BINS, Vectors, reliability
from extractor.training.report_page import Section, Table
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, JudgedLines, Key, Sample
from extractor.training.targets import CALIBRATION

_NAMES = tuple(label.value for label in LABELS)
_POINTS = 200
"""Most points of a curve that is drawn."""
SHORT_TEXT = (
    "Of lines read as body the share that was found, among list items (li, dt, dd), sub-headings (h2 to h6) and lines"
    f" of at most {SHORT} characters in any other element, the headline left out. The element is that of the HTML line"
    " which holds most of the line's tokens; a dump's line that none matches is told by its looks."
)


def label_sections(result: Evaluation) -> list[Section]:
    """Labels of lines read by hand, and the short lines of body."""
    inputs = [input for input in INPUTS if result.judged.get(input)]
    if not inputs:
        return []
    head = ["", *(f"{INPUTS[input]} ({_pages(result, input)} pages)" for input in inputs)]
    measures = ["label accuracy", "label macro F1"]
    measures += [f"{share} of {name}" for name in _NAMES for share in ("F1", "precision", "recall")]
    told = frozenset(measures_told(result))
    rows = _rows(result, [measure for measure in measures if measure in told], inputs)
    for code, name in enumerate(_NAMES):
        errors = [str(calibration_score(result.judged[input], code)) for input in inputs]
        rows.append([f"{CALIBRATION}, {name}", *errors])
    short = Table(head, [row for row in _rows(result, SHORT_MEASURES, inputs) if any(row[1:])])
    return [
        Section("Labels of lines read by hand", tables=[Table(head, rows)], draw=partial(_draw_labels, result, inputs)),
        Section(
            f"{', '.join(ELEMENTS[:-1])} and {ELEMENTS[-1]} in body".capitalize(),
            SHORT_TEXT if short.rows else "",
            [short],
        ),
    ]


def kind_section(result: Evaluation) -> Section:
    """How often the kind of a page is right, by its type, and which are taken for which."""
    samples = {input: sample for input in INPUTS if (sample := result.sample(KIND, KIND_CORPUS, input=input))}
    values = sorted({value for sample in samples.values() for value in sample.values("type")})
    rows = [["all", *(str(sample.score()) for sample in samples.values())]]
    rows += [[value, *(str(s.part("type", value).score()) for s in samples.values())] for value in values]
    head = [f"{KIND_CORPUS}, {KIND}", *(f"{INPUTS[input]} ({len(s.places)})" for input, s in samples.items())]
    return Section("Kinds of pages", tables=[Table(head, rows)] if samples else (), draw=partial(_draw_kinds, samples))


def _draw_kinds(samples: Mapping[str, Sample]) -> Iterator[str]:
    for input, sample in samples.items():
        pairs = [(place.groups["type"], place.groups["found"]) for place in sample.places]
        counts = confusion_matrix([true for true, _ in pairs], [found for _, found in pairs], labels=KINDS)
        yield charts.confusion_matrix(f"Kinds of pages, {INPUTS[input]}", counts, KINDS)


def _pages(result: Evaluation, input: str) -> int:
    return len({lines.place.page for lines in result.judged[input]})


def _rows(result: Evaluation, measures: Sequence[str], inputs: Sequence[str]) -> list[list[str]]:
    return [[measure, *(str(result.score(measure, HAND, OURS, on) or "") for on in inputs)] for measure in measures]


def _draw_labels(result: Evaluation, inputs: Sequence[str]) -> Iterator[str]:
    for input in inputs:
        vectors = np.array(result.samples[Key("label accuracy", HAND, OURS, input)].vectors, int)
        counts = vectors.sum(axis=0).reshape(len(LABELS), len(LABELS))
        yield charts.confusion_matrix(f"Lines by true and predicted label, {INPUTS[input]}", counts, _NAMES)
        yield from _draw_probabilities(result.judged[input], INPUTS[input])


def _draw_probabilities(judged: Sequence[JudgedLines], name: str) -> Iterator[str]:
    bins = {label: calibration_vectors(judged, code).sum(axis=0) for code, label in enumerate(_NAMES)}
    probabilities = np.concatenate([lines.probabilities for lines in judged])
    truth = np.concatenate([lines.truth for lines in judged])
    curves = {
        label: _curve(probabilities[:, code], truth == code)
        for code, label in enumerate(_NAMES)
        if (truth == code).any()
    }
    yield charts.reliability_diagram(
        f"Reliability in {CALIBRATION_BINS} bins of equal mass, {name}",
        {label: reliability(sums) for label, sums in bins.items()},
    )
    yield charts.precision_recall_curves(f"Precision and recall by probability, {name}", curves)


def _curve(probabilities: Vectors, truth: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> charts.Points:
    precision, recall, _ = precision_recall_curve(truth, probabilities)
    recall, precision = recall[::-1], precision[::-1]
    chosen = np.unique(np.searchsorted(recall, np.linspace(0, 1, _POINTS)))
    return recall[chosen].tolist(), precision[chosen].tolist()
