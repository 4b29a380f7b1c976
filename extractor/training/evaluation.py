"""A model, and other extractors, on the pages of the corpora -> scores by corpus, input and group.

Pages whose gold text is not found in them (covered under 0.9) are left out. Where the gold text has no
headline, ours is taken without (`headline=False`).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from extractor.labelling import label_many
from extractor.model_file import Model
from extractor.page import LABELS, LabelledPage, Page
from extractor.training import measures
from extractor.training.alignment import tokenize
from extractor.training.corpora import HEADLINE_IN_GOLD, UNSPACED_CORPORA, Source
from extractor.training.measures import Aggregate, Score
from extractor.training.peers import extract_quietly, load_peer

OURS = "extractor"


@dataclass(slots=True)
class Sample:
    """What one measure collects over pages: a vector, the site and the groups of each."""

    aggregate: Aggregate
    vectors: list[Sequence[float]] = field(default_factory=list)
    sites: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    groups: list[dict[str, str]] = field(default_factory=list)

    def add(self, source: Source, vector: Sequence[float], **groups: str) -> None:
        """Note the vector of one page."""
        self.vectors.append(vector)
        self.sites.append(source.site)
        self.pages.append(f"{source.corpus}/{source.id}")
        self.groups.append({"type": source.page_type or "unknown", **groups})

    def score(self, chosen: Callable[[dict[str, str]], bool] = lambda groups: True) -> Score | None:
        """The score over the pages whose groups are chosen; None where there are none."""
        rows = [row for row, groups in enumerate(self.groups) if chosen(groups)]
        if not rows:
            return None
        vectors = np.array([self.vectors[row] for row in rows], float)
        return measures.score(vectors, [self.sites[row] for row in rows], self.aggregate)

    def values(self, group: str) -> list[str]:
        """What the pages' groups of that name are."""
        return sorted({groups[group] for groups in self.groups if group in groups})


Key = tuple[str, str, str, str]
"""Measure, corpus, extractor, input ("html" or "dump")."""


@dataclass(slots=True)
class Evaluation:
    """All samples, and what each extractor cost in CPU seconds and pages."""

    samples: dict[Key, Sample] = field(default_factory=dict)
    seconds: dict[tuple[str, str, str], float] = field(default_factory=lambda: defaultdict(float))
    pages: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    probabilities: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = field(default_factory=list)
    truth: list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = field(default_factory=list)

    def sample(self, measure: str, corpus: str, extractor: str, input: str, aggregate: Aggregate) -> Sample:
        """The sample of that key, made at first sight."""
        return self.samples.setdefault((measure, corpus, extractor, input), Sample(aggregate))

    def score(self, measure: str, corpus: str, extractor: str = OURS, input: str = "html") -> Score | None:
        """The score of that key, None where nothing was measured."""
        sample = self.samples.get((measure, corpus, extractor, input))
        return sample.score() if sample else None

    def difference(self, measure: str, corpus: str, peer: str, input: str = "html") -> Score | None:
        """Ours on that input less the peer's from HTML, paired by page."""
        ours = self.samples.get((measure, corpus, OURS, input))
        theirs = self.samples.get((measure, corpus, peer, "html"))
        if ours is None or theirs is None:
            return None
        row = {page: number for number, page in enumerate(theirs.pages)}
        both = [number for number, page in enumerate(ours.pages) if page in row]
        left = np.array([ours.vectors[number] for number in both], float)
        right = np.array([theirs.vectors[row[ours.pages[number]]] for number in both], float)
        return measures.difference(left, right, [ours.sites[number] for number in both], ours.aggregate)


class Judge:
    """Scores texts against what is known of a page, by the metrics that come with the corpora."""

    def __init__(self, metrics: ModuleType) -> None:
        self._metrics = metrics

    def vectors(self, source: Source, text: str) -> Iterator[tuple[str, Sequence[float], Aggregate]]:
        """The measures that apply to the source, each with the page's vector and how vectors add up."""
        if source.scored:
            cjk = source.corpus in UNSPACED_CORPORA
            yield "word F1", (self._metrics.word_f1(text, source.gold, cjk)[2], 1.0), measures.mean
            yield "shingle F1", self._shingles(source, text), measures.shingle_f1
        if source.gold is None and (source.must_have or source.must_not_have):
            true, false, missed, _ = self._metrics.snippet_counts(text, source.must_have, source.must_not_have)
            yield "snippet F1", (true, false, missed), measures.count_f1

    def _shingles(self, source: Source, text: str) -> Sequence[float]:
        tp, fp, fn = self._metrics.string_shingle_matching(source.gold, text)
        precision = self._metrics._aeb_p(tp, fp, fn) if tp + fp > 0 else 0.0
        recall = self._metrics._aeb_r(tp, fp, fn) if tp + fn > 0 else 0.0
        return precision, float(tp + fp > 0), recall, float(tp + fn > 0)


def evaluate(
    sources: Iterable[Source], model: Model, metrics: ModuleType, peers: Sequence[str] = (),
    progress: Callable[[], None] = lambda: None,
) -> Evaluation:  # fmt: skip
    """Score the model on the sources' HTML and dumps, and the peers on the same HTML."""
    result, judge = Evaluation(), Judge(metrics)
    extracts = {name: load_peer(name) for name in peers}
    for source in sources:
        for name, extract in extracts.items():
            started = time.process_time()
            text = extract_quietly(extract, source.html, source.url)
            _note_cost(result, name, source, "html", started)
            _note_text(result, judge, source, text, name, "html", source.corpus)
        _evaluate_ours(result, judge, source, model)
        progress()
    return result


def _evaluate_ours(result: Evaluation, judge: Judge, source: Source, model: Model) -> None:
    started = time.process_time()
    labelled = next(label_many([Page(source.html, kind="html")], model=model))
    _note_cost(result, OURS, source, "html", started)
    _note_labelled(result, judge, source, labelled, "html", "html")
    for dump in source.dumps:
        started = time.process_time()
        labelled = next(label_many([Page(dump.text, kind="text")], model=model))
        _note_cost(result, OURS, source, "dump", started)
        converter = dump.converter.removesuffix("-hand")
        if dump.converter == converter:
            _note_labelled(result, judge, source, labelled, "dump", converter)
        if dump.labels is not None:
            note_hand_labels(result, source, labelled, dump.labels, converter)


def _note_labelled(
    result: Evaluation, judge: Judge, source: Source, labelled: LabelledPage, input: str, converter: str
) -> None:
    text = labelled.text(headline=source.corpus in HEADLINE_IN_GOLD or source.gold is None)
    _note_text(result, judge, source, text, OURS, input, converter)
    if source.corpus == "wcxb" and source.page_type:
        sample = result.sample("page kind", source.corpus, OURS, input, measures.mean)
        sample.add(source, (float(labelled.kind == source.page_type), 1.0), converter=converter)
    if source.corpus == "newspaper" and source.title:
        found = tokenize(labelled.headline.text) == tokenize(source.title) if labelled.headline else False
        sample = result.sample("headline found", source.corpus, OURS, input, measures.mean)
        sample.add(source, (float(found), 1.0), converter=converter)


def _note_text(
    result: Evaluation, judge: Judge, source: Source, text: str, extractor: str, input: str, converter: str
) -> None:
    for measure, vector, aggregate in judge.vectors(source, text):
        result.sample(measure, source.corpus, extractor, input, aggregate).add(source, vector, converter=converter)


def note_hand_labels(
    result: Evaluation, source: Source, labelled: LabelledPage, truth: Sequence[str], converter: str
) -> None:
    """Compare a dump's labels with those read by hand."""
    groups = {"converter": converter, "corpus": source.corpus, "type": source.page_type or "unknown"}
    note_labelled_page(result, source.site, f"{source.corpus}/{source.id}", labelled, truth, groups)


def note_labelled_page(
    result: Evaluation, site: str, page: str, labelled: LabelledPage, truth: Sequence[str],
    groups: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Compare a page's labels with the true ones, one for each line."""
    codes = {label.value: code for code, label in enumerate(LABELS)}
    right = np.array([codes[str(label)] for label in truth], np.int64)
    ours = np.array([codes[label.value] for label in labelled.labels], np.int64)
    note_confusion(result, site, page, np.bincount(right * 4 + ours, minlength=16).astype(float).tolist(), groups)
    result.probabilities.append(np.array(labelled.probabilities, float).reshape(-1, 4))
    result.truth.append(right)


def note_confusion(
    result: Evaluation, site: str, page: str, confusion: list[float], groups: dict[str, str] | None = None
) -> None:
    """Note the lines of a page, counted by true label and by ours, 4 x 4 in a row."""
    for measure, aggregate in HAND_MEASURES.items():
        sample = result.sample(measure, "hand", OURS, "dump", aggregate)
        sample.vectors.append(confusion)
        sample.sites.append(site)
        sample.pages.append(page)
        sample.groups.append(groups or {})


def _note_cost(result: Evaluation, extractor: str, source: Source, input: str, started: float) -> None:
    result.seconds[extractor, source.corpus, input] += time.process_time() - started
    result.pages[extractor, source.corpus, input] += 1


HAND_MEASURES: dict[str, Aggregate] = {
    "label accuracy": measures.accuracy,
    "label macro F1": measures.macro_f1,
    **{f"F1 of {label.value}": measures.label_f1(code) for code, label in enumerate(LABELS)},
}
