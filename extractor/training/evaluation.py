"""A model, and other extractors, on the pages of the corpora -> what each measure collects, by corpus and input.

Pages whose gold text is not found in them (covered under 0.9) are left out. Where the gold text has no
headline, ours is taken without (`headline=False`). Ours reads pages in batches, as label_many() is meant to be
used; the others know no batches. CPU time is that of the process that works: no page is timed while another is read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from types import ModuleType

from joblib import Parallel, delayed

from extractor.labelling import label_many
from extractor.model_file import Model
from extractor.page import LabelledPage, Page
from extractor.training import measures
from extractor.training.alignment import tokenize
from extractor.training.corpora import HEADLINE_IN_GOLD, UNSPACED_CORPORA, Dump, Source
from extractor.training.hand_measures import (
    CONFUSION_MEASURES,
    UNKNOWN_WORDS_MEASURES,
    HandRead,
    note_confusion,
    note_labelled_page,
    note_short_lines,
)
from extractor.training.measures import Aggregate, load_metrics
from extractor.training.peers import PeerOutputs
from extractor.training.samples import INPUTS, OURS, Evaluation, Key, Place
from extractor.training.unknown_words import in_unknown_words
from extractor.training.views import label_codes

BATCH = 64
"""Pages of one corpus that are labelled together."""
KIND, HEADLINE_FOUND = "page kind", "headline found"
KIND_CORPUS, TITLED_CORPUS = "wcxb", "newspaper"


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated: the model on which inputs, the peers beside it and where their outputs are kept; shared: the
    folder of the corpora, for their metrics."""

    model: Model
    shared: Path
    peers: Sequence[str] = ()
    outputs: Path | None = None
    inputs: Sequence[str] = tuple(INPUTS)


def evaluate(
    sources: Iterable[Source], plan: Plan, jobs: int = 1, progress: Callable[[int], None] = lambda pages: None
) -> Evaluation:
    """Score the model on the sources' HTML and dumps, and the peers on the same HTML, in so many processes."""
    result, pages = Evaluation(), 0
    parts = Parallel(n_jobs=jobs, return_as="generator")(delayed(_evaluate_batch)(b, plan) for b in _batches(sources))
    for part in parts:
        result.extend(part)
        pages += sum(cost.pages for (name, _, input), cost in part.costs.items() if (name, input) == (OURS, "html"))
        progress(pages)
    return result


def _batches(sources: Iterable[Source]) -> Iterator[list[Source]]:
    for _, group in groupby(sources, lambda source: source.corpus):
        while batch := list(islice(group, BATCH)):
            yield batch


def _evaluate_batch(sources: Sequence[Source], plan: Plan) -> Evaluation:
    result, judge = Evaluation(), Judge(load_metrics(plan.shared))
    places = [Place.of(source) for source in sources]
    logging.disable(logging.CRITICAL)  # peers say much about broken pages
    outputs = PeerOutputs(plan.outputs)
    for source, place in zip(sources, places, strict=True):
        for peer in plan.peers:
            output = outputs.of(peer, source.html, source.url)
            result.costs[peer, source.corpus, "html"].add(output.seconds, 1, output.failed)
            _note_text(result, judge, source, output.text, Key("", source.corpus, peer, "html"), place)
    logging.disable(logging.NOTSET)
    if "html" in plan.inputs:
        _evaluate_html(result, judge, sources, places, plan.model)
    if "dump" in plan.inputs:
        _evaluate_dumps(result, judge, sources, places, plan.model)
    return result


def _evaluate_html(
    result: Evaluation, judge: Judge, sources: Sequence[Source], places: Sequence[Place], model: Model
) -> None:
    pages = [Page(source.html, kind="html") for source in sources]
    labelled_pages = _label_timed(result, pages, sources[0].corpus, "html", model)
    for source, place, labelled in zip(sources, places, labelled_pages, strict=True):
        _note_labelled(result, judge, source, labelled, "html", place)
        if source.read_dumps:
            read = HandRead(source)
            truth = read.html_labels()
            codes = note_labelled_page(result, place, labelled, truth, "html")
            note_short_lines(result, place, codes, truth, read.html_elements(), "html")


def _evaluate_dumps(
    result: Evaluation, judge: Judge, sources: Sequence[Source], places: Sequence[Place], model: Model
) -> None:
    dumps = [(source, place, dump) for source, place in zip(sources, places, strict=True) for dump in source.dumps]
    pages = [Page(dump.text, kind="text") for _, _, dump in dumps]
    for (source, place, dump), labelled in zip(
        dumps, _label_timed(result, pages, sources[0].corpus, "dump", model), strict=True
    ):
        where = place.within(converter=dump.converter.removesuffix("-hand"))
        if not dump.converter.endswith("-hand"):
            _note_labelled(result, judge, source, labelled, "dump", where)
        if dump.labels is not None:
            note_hand_read(result, source, where, dump, labelled)
    _note_unknown_words(result, [(place, dump) for _, place, dump in dumps if dump.labels is not None], model)


def _note_unknown_words(result: Evaluation, read: Sequence[tuple[Place, Dump]], model: Model) -> None:
    """The labels of dumps read by hand, once their words are exchanged for ones that nobody has seen."""
    pages = [Page(in_unknown_words(dump.text), kind="text") for _, dump in read]
    named = {name: CONFUSION_MEASURES[measure] for name, measure in UNKNOWN_WORDS_MEASURES.items()}
    for (place, dump), labelled in zip(read, label_many(pages, model=model), strict=True):
        codes = label_codes(labelled.labels)
        note_confusion(result, place, codes, label_codes(dump.labels or ()), named, "dump")


def note_hand_read(result: Evaluation, source: Source, place: Place, dump: Dump, labelled: LabelledPage) -> None:
    """Compare a dump's labels with those read by hand."""
    truth = label_codes(dump.labels or ())
    codes = note_labelled_page(result, place, labelled, truth)
    note_short_lines(result, place, codes, truth, HandRead(source).dump_elements(dump.text), "dump")


def _label_timed(
    result: Evaluation, pages: Sequence[Page], corpus: str, input: str, model: Model
) -> list[LabelledPage]:
    started = time.process_time()
    labelled = list(label_many(pages, model=model))
    result.costs[OURS, corpus, input].add(time.process_time() - started, len(pages))
    return labelled


def _note_labelled(
    result: Evaluation, judge: Judge, source: Source, labelled: LabelledPage, input: str, place: Place
) -> None:
    text = labelled.text(headline=source.corpus in HEADLINE_IN_GOLD or source.gold is None)
    _note_text(result, judge, source, text, Key("", source.corpus, OURS, input), place)
    if source.corpus == KIND_CORPUS and source.page_type:
        note_kind(result, place, labelled.kind, input)
    if source.corpus == TITLED_CORPUS and source.title:
        found = tokenize(labelled.headline.text) == tokenize(source.title) if labelled.headline else False
        result.add(Key(HEADLINE_FOUND, source.corpus, OURS, input), measures.mean, place, (float(found), 1.0))


def note_kind(result: Evaluation, place: Place, kind: str, input: str) -> None:
    """Note whether a page's kind is its type; the kind found is a group of the page."""
    right = kind == place.groups["type"]
    result.add(Key(KIND, KIND_CORPUS, OURS, input), measures.mean, place.within(found=kind), (float(right), 1.0))


def _note_text(result: Evaluation, judge: Judge, source: Source, text: str, key: Key, place: Place) -> None:
    for measure, vector, aggregate in judge.vectors(source, text):
        result.add(key._replace(measure=measure), aggregate, place, vector)
