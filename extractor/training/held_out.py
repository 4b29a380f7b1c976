"""Training tables and the sources they were made from -> how models fare on what was held out of their training: the
sites of a fold, or all dumps of one converter.

A page of a table is known by the digest of its columns, since a table holds no names. The tables of words saw all
pages of the train split; what they say of a page comes from one that had not seen its site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelling import html_text
from extractor.model_file import Model
from extractor.training.corpora import Dump, Source
from extractor.training.evaluation import KIND_CORPUS, Plan, evaluate, note_kind
from extractor.training.folds import JudgedPage, cross_validate, page_digests, text_digests, without_pages
from extractor.training.hand_measures import HandRead, note_labels, note_short_lines
from extractor.training.samples import Evaluation, Place
from extractor.training.tables import LineTable
from extractor.training.training import Settings, train_classifier
from extractor.training.views import label_codes

Progress = Callable[[str], None]


class TablePage(NamedTuple):
    """A page of a table and what it was made from; dump: None for the HTML."""

    page: int
    source: Source
    dump: Dump | None


def evaluate_folds(
    sources: Sequence[Source], text: LineTable, html: LineTable, settings: Settings, progress: Progress
) -> Evaluation:
    """Labels of the dumps read by hand, and kinds of pages, each judged by a model of other sites; sources: those of
    the train split. HTML is judged for its kind alone, and by fewer trees: a kind asks nothing of the second stage."""
    result = Evaluation()
    dumps = [(source, dump) for source in sources for dump in source.dumps if dump.labels or _has_kind(source)]
    pages = table_pages(text, dumps)
    judged = cross_validate(text, [one.page for one in pages], settings, progress)
    for one in pages:
        _note_dump(result, one, judged[one.page])
    pages = table_pages(html, [(source, None) for source in sources if _has_kind(source)])
    judged = cross_validate(html, [one.page for one in pages], replace(settings, second_trees=2), progress)
    for one in pages:
        note_kind(result, Place.of(one.source), judged[one.page].kind, "html")
    return result


def _has_kind(source: Source) -> bool:
    return source.corpus == KIND_CORPUS and source.page_type is not None


def _note_dump(result: Evaluation, one: TablePage, judged: JudgedPage) -> None:
    source, dump = one.source, one.dump
    if dump is None:
        return
    place = Place.of(source).within(converter=dump.converter.removesuffix("-hand"))
    if _has_kind(source):
        note_kind(result, place, judged.kind, "dump")
    if dump.labels is not None:
        truth = label_codes(dump.labels)
        note_labels(result, place, judged.codes, judged.probabilities, truth, "dump")
        note_short_lines(result, place, judged.codes, truth, HandRead(source).dump_elements(dump.text), "dump")


def table_pages(table: LineTable, made_from: Sequence[tuple[Source, Dump | None]]) -> list[TablePage]:
    """The pages of a table that were made from the given dumps (None: from the HTML), those that are in it; the last
    of those that differ in their words alone, since tables begin with pages in unknown words."""
    page_of = {digest: page for page, digest in enumerate(page_digests(table))}
    texts = (dump.text if dump else html_text(parse_html(decode(source.html)[0])) for source, dump in made_from)
    found = {
        page_of[digest]: TablePage(page_of[digest], source, dump)
        for (source, dump), digest in zip(made_from, text_digests(texts), strict=True)
        if digest in page_of
    }
    return list(found.values())


def evaluate_unseen_converter(
    converter: str, train: Sequence[Source], dev: Sequence[Source], text: LineTable, plan: Plan, settings: Settings,
    progress: Progress,
) -> tuple[Evaluation, Evaluation]:  # fmt: skip
    """The converter's dumps of the dev split by two models of the same settings: one trained without any dump of that
    converter, one with them."""
    digests = set(text_digests(dump.text for one in train for dump in one.dumps if _made_by(dump, converter)))
    left_out = np.array([digest in digests for digest in page_digests(text)])
    progress(f"{converter}: {left_out.sum()} of {len(left_out)} training dumps left out")
    chosen = [replace(one, dumps=[dump for dump in one.dumps if _made_by(dump, converter)]) for one in dev]
    results = []
    for table in (without_pages(text, left_out), text):
        model = _with_text_classifier(plan.model, table, settings, progress)
        results.append(evaluate(chosen, replace(plan, model=model, peers=(), inputs=("dump",))))
    return results[0], results[1]


def _made_by(dump: Dump, converter: str) -> bool:
    return dump.converter.removesuffix("-hand") == converter


def _with_text_classifier(model: Model, table: LineTable, settings: Settings, progress: Progress) -> Model:
    return replace(model, classifiers={**model.classifiers, "text": train_classifier(table, settings, progress)})
