"""Training: alignment of gold text, measures, and that what is exported says what was fitted."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import extractor.training
from extractor import Model, Page
from random_models import random_networks

for needed in ("catboost", "lightgbm", "sklearn", "rapidfuzz", "pyarrow", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.classifier import BODY
from extractor.features import CLASS_NAMES
from extractor.kinds import KIND_COLUMNS, KINDS, KindTable
from extractor.labelling import read_lines
from extractor.model_file import FORMATS
from extractor.training import measures
from extractor.training.alignment import matched_lines, matched_shares, tokenize
from extractor.training.columns import NETWORK_COLUMNS
from extractor.training.derivation import (
    FOLDS,
    TRUST_IN_CONTRADICTED,
    LabelledView,
    Tables,
    classes_read,
    labelled_view,
)
from extractor.training.fitting import fit_calibration, fit_stage, fit_table
from extractor.training.kind_tables import kind_columns, kind_of
from extractor.training.networks import network_inputs
from extractor.training.own_pages import own_page_views
from extractor.training.phrases import read_phrasebook
from extractor.training.tables import line_table, read_table, read_words, write_tables
from extractor.wording import WordingTable

PAGES = Path(__file__).parent / "pages"


def test_words_and_ideographs_are_tokens() -> None:
    assert tokenize("The river, 灯台 rose") == ["the", "river", "灯", "台", "rose"]


def test_lines_of_the_gold_text_are_found() -> None:
    lines = ["Menu", "The ferry was late again.", "Share", "Nobody on the quay minded."]
    shares, covered = matched_shares(lines, "The ferry was late again. Nobody on the quay minded.")
    assert shares.tolist() == [0, 100, 0, 100]
    assert covered == 1.0


def test_lines_of_two_versions_of_a_page_are_matched() -> None:
    assert matched_lines(["All News | Home", "A long day"], ["All News", "Home", "A long day"]).tolist() == [0, 2]
    assert matched_lines(["×", "gone"], ["A long day"]).tolist() == [-1, -1]


def test_an_exported_stage_gives_what_was_fitted() -> None:
    """On rows that only one column tells apart, the trees must find that column and the classes."""
    random = np.random.default_rng(1)
    columns = random.integers(0, 256, (4, 2000)).astype(np.uint8)
    classes = (columns[2] > 99).astype(np.int64) + (columns[2] > 180)
    stage = fit_stage(columns, ["a", "b", "c", "d"], classes + 1, np.ones(2000), trees=30, rate=0.3, seed=0)
    rows = columns[[["a", "b", "c", "d"].index(name) for name in stage.names]]
    scores = stage.scores(rows)
    assert (scores.argmax(axis=0) == classes + 1).mean() > 0.99
    assert (scores[[0, 4]].max(axis=0) < scores[1:4].min(axis=0)).all()


def test_pages_all_of_one_class_teach_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        fit_stage(np.zeros((1, 9), np.uint8), ["a"], np.zeros(9, np.int64), np.ones(9), trees=1, rate=0.1, seed=0)


def test_a_table_learns_which_class_a_token_speaks_for() -> None:
    tokens = np.array([1, 2, 1, 3, 2, 3], np.uint32)
    table = fit_table(tokens, np.array([0, 2, 4, 6]), np.array([1, 1, 3]), np.ones(3), 8, 100.0)
    assert table.weights[1, 1] > table.weights[1, 3]
    assert table.weights[3, 3] > table.weights[1, 3]


def test_calibration_flattens_what_is_too_sure() -> None:
    random = np.random.default_rng(2)
    truth = random.random(4000) < 0.7
    slopes, intercepts = fit_calibration(
        np.where([[True], [False]], 5.0, -5.0) * np.ones(4000), (~truth).astype(np.int64), np.ones(4000)
    )
    logits = np.array([5.0, -5.0]) * slopes + intercepts
    assert np.exp(logits[0]) / np.exp(logits).sum() == pytest.approx(truth.mean(), abs=0.01)


def test_a_carried_label_is_trusted_less_where_the_gold_text_says_otherwise() -> None:
    html = next(page.html for page in own_page_views(PAGES) if (classes_read(page.html) == BODY).any())
    read = classes_read(html)
    in_gold = np.where(read == BODY, 100, 0).astype(np.int8)
    chances = np.full((len(read), len(CLASS_NAMES)), 1 / len(CLASS_NAMES))
    contradicted = int(np.flatnonzero(read == BODY)[0])
    agreed, differs = replace(html, covered=1.0, gold=in_gold), in_gold.copy()
    differs[contradicted] = 0
    trust = labelled_view(agreed, chances).trust
    assert (trust[read >= 0] == 1).all()
    one_less = labelled_view(replace(agreed, gold=differs), chances)
    assert one_less.classes[contradicted] == BODY
    assert one_less.trust[contradicted] == TRUST_IN_CONTRADICTED
    as_dump = replace(agreed, gold=differs, converter="bs4")
    assert labelled_view(as_dump, chances).trust[contradicted] == 1


def test_a_table_of_lines_reads_back_as_written(tmp_path: Path) -> None:
    kinds = [KindTable(np.full((8, len(KINDS)), value, np.int8)) for value in (1, 2)]
    words = Tables(*(WordingTable(np.zeros((8, 5), np.int8)) for _ in range(2)), random_networks(), *kinds)
    every = [view for page in own_page_views(PAGES) for view in page.all()]
    labelled = [
        LabelledView(view, np.maximum(classes_read(view), 0), np.ones(view.own.shape[1]), classes_read(view) >= 0)
        for view in every
    ]
    tables = [line_table(format, labelled, dict.fromkeys((*range(FOLDS), None), words)) for format in FORMATS]
    write_tables(tmp_path, tables, words)
    for table in tables:
        found = read_table(tmp_path, table.format)
        for name in ("base", "page_offsets", "classes", "read", "kinds", "sites"):
            np.testing.assert_array_equal(getattr(found, name), getattr(table, name))
    for name in ("words", "cues", "kinds", "markup_kinds"):
        np.testing.assert_array_equal(getattr(read_words(tmp_path), name).weights, getattr(words, name).weights)


def test_what_is_learned_from_is_what_is_read(random_model: Model) -> None:
    phrases = read_phrasebook(PAGES.parent.parent / "training_data" / "phrases").table()
    model = replace(random_model, phrases=phrases)
    kinds = {"kinds": model.kinds, "markup_kinds": model.markup_kinds}
    tables = dict.fromkeys((*range(FOLDS), None), Tables(model.wording, model.cues, phrases=phrases, **kinds))
    numbers = set()
    for page in own_page_views(PAGES):
        for view in filter(lambda view: view.own.shape[1], page.all()):
            path = PAGES.parent / f"{view.id}.{'html' if view.format == 'html' else 'txt'}"
            if not path.is_file():
                continue  # a dump of an HTML page
            columns = read_lines(Page(path.read_bytes(), kind=view.format), model).columns
            found = np.concatenate([network_inputs(view, tables), kind_columns(view, tables)])
            names = (*NETWORK_COLUMNS[view.format], *KIND_COLUMNS[view.format])
            assert np.array_equal(found, np.stack([columns[name] for name in names])), path
            numbers |= {*columns["phrase"].tolist(), *columns["first_phrase"].tolist()}
    assert len(numbers) > 20


def test_an_empty_page_is_of_no_kind() -> None:
    html = next(page.html for page in own_page_views(PAGES) if not page.html.own.shape[1])
    assert kind_of(LabelledView(html, np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool))) == -1


@pytest.mark.parametrize(
    ("aggregate", "vectors", "value"),
    [
        (measures.mean, [(0.5, 1), (1.0, 1)], 0.75),
        (measures.count_f1, [(1, 0, 1), (1, 1, 0)], 2 / 3),
        (measures.shingle_f1, [(0.5, 1, 1.0, 1), (0, 0, 0.0, 1)], 0.5),
        (measures.accuracy, [(3, 1, *[0] * 14)], 0.75),
    ],
)
def test_measures(aggregate: measures.Aggregate, vectors: list[tuple[float, ...]], value: float) -> None:
    score = measures.score(np.array(vectors, float), [str(row) for row in range(len(vectors))], aggregate)
    assert score.value == pytest.approx(value)
    assert score.low <= score.value <= score.high


def test_a_label_that_no_line_has_or_gets_is_left_out_of_macro_f1() -> None:
    confusion = np.zeros((4, 4))
    confusion[0, 0], confusion[2, 2], confusion[2, 0] = 4, 1, 1
    assert measures.macro_f1(confusion.ravel()) == pytest.approx((8 / 9 + 2 / 3) / 2)


def test_the_same_pages_do_not_differ() -> None:
    vectors = np.array([(0.2, 1.0), (0.9, 1.0), (0.4, 1.0)])
    found = measures.difference(vectors, vectors, ["a", "b", "b"], measures.mean)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_calibration_error_of_the_sure_and_right_is_none() -> None:
    truth = np.arange(300) % 2 == 0
    assert measures.calibration_error(truth.astype(float), truth) == 0
    assert measures.calibration_error(np.full(300, 0.9), truth) == pytest.approx(0.4)


# --- examples in docstrings ------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [found.name for found in pkgutil.iter_modules(extractor.training.__path__)])
def test_examples_in_docstrings(module: str) -> None:
    if module.startswith("network_"):
        pytest.importorskip("torch")
    assert doctest.testmod(importlib.import_module(f"extractor.training.{module}")).failed == 0
