"""Held-out evaluation: what a page is judged by has seen neither its site nor, where asked for, its converter."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from random_models import random_networks

for needed in ("catboost", "lightgbm", "sklearn", "rapidfuzz", "pyarrow", "html2text", "babel", "fontTools"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.model_file import Model
from extractor.training import folds, held_out
from extractor.training.corpora import Dump, Source
from extractor.training.derivation import FOLDS, LabelledView, Tables, classes_read
from extractor.training.evaluation import Plan
from extractor.training.own_pages import own_page_views
from extractor.training.samples import OURS, Key
from extractor.training.tables import LineTable, joined, line_table
from extractor.training.training import Settings
from extractor.wording import WordingTable

PAGES = Path(__file__).parent / "pages"
NAMES = (
    "recipe_pl", "column_serial_ja", "front_page_es", "news_photo_credit_ru", "wiki_edit_links_pt",
    "error_page_no_body",
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> LineTable:
    """A table of six dumps, in the order of their names, over all folds."""
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        for ending in (".txt", ".labels"):
            shutil.copy(PAGES / f"{name}{ending}", folder)
    words = Tables(*(WordingTable(np.zeros((8, 5), np.int8)) for _ in range(2)), random_networks())
    views = [view for page in own_page_views(folder) for view in page.dumps]
    labelled = [LabelledView(view, classes_read(view), np.ones(len(view.hand)), view.hand >= 0) for view in views]
    found = line_table("text", labelled, dict.fromkeys((*range(FOLDS), None), words))
    page_of = np.repeat(np.arange(len(NAMES)), np.diff(found.page_offsets))
    return replace(found, sites=page_of)


def source(name: str, converter: str, split: str = "train") -> Source:
    """A page of wcxb whose dump is the page of that name, read as it was labelled."""
    rows = (PAGES / f"{name}.labels").read_text(encoding="utf-8").splitlines()
    labels = tuple(row.partition("\t")[0] for row in rows if row)
    dump = Dump(converter, (PAGES / f"{name}.txt").read_text(encoding="utf-8"), labels)
    return Source("wcxb", name, split, None, name, "article", b"<p>", "a", None, (), (), (), 0.0, [dump])


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[LineTable]:
    """The tables that models were fitted on; fitting itself gives the shipped model."""
    tables: list[LineTable] = []

    def train(table: LineTable, *_: object) -> object:
        tables.append(table)
        return Model.default().classifiers["text"]

    monkeypatch.setattr(folds, "train_classifier", train)
    monkeypatch.setattr(held_out, "train_classifier", train)
    return tables


def test_a_page_is_judged_by_a_model_that_has_not_seen_its_fold(table: LineTable, trained_on: list[LineTable]) -> None:
    judged = folds.cross_validate(table, range(len(NAMES)), Settings(), lambda step: None)
    digests = folds.page_digests(table)
    for fold, one in enumerate(trained_on):
        assert folds.page_digests(one) == [found for page, found in enumerate(digests) if page % FOLDS != fold]
        assert set(one.folds.tolist()) == set(range(FOLDS)) - {fold}
    lines = np.diff(table.page_offsets)
    assert [len(judged[page].codes) for page in range(len(NAMES))] == lines.tolist()
    assert all(np.allclose(one.probabilities.sum(axis=1), 1) for one in judged.values())


def test_only_folds_with_pages_to_judge_are_trained(table: LineTable, trained_on: list[LineTable]) -> None:
    assert set(folds.cross_validate(table, [1], Settings(), lambda step: None)) == {1}
    assert len(trained_on) == 1


def test_pages_of_a_table_are_known_by_their_text(table: LineTable) -> None:
    wanted = [source("wiki_edit_links_pt", "w3m"), source("recipe_pl", "bs4"), source("cookie_wall_fr", "bs4")]
    found = held_out.table_pages(table, [(one, one.dumps[0]) for one in wanted])
    assert [(one.source.id, one.page) for one in found] == [
        (name, sorted(NAMES).index(name)) for name in ("wiki_edit_links_pt", "recipe_pl")
    ]
    # pages that differ in their words alone: the last one
    assert [one.page for one in held_out.table_pages(joined(table, table), [(wanted[0], wanted[0].dumps[0])])] == [
        len(NAMES) + found[0].page
    ]


def test_folds_measure_labels_and_kinds(table: LineTable, trained_on: list[LineTable]) -> None:
    html = replace(
        table, page_offsets=np.array([0, table.page_offsets[1]]), base=table.base[:, : table.page_offsets[1]]
    )
    sources = [source(name, "w3m") for name in NAMES]
    result = held_out.evaluate_folds(sources, table, html, Settings(), lambda step: None)
    for measure, corpus in (("label accuracy", "hand"), ("page kind", "wcxb")):
        sample = result.samples[Key(measure, corpus, OURS, "dump")]
        assert {place.site for place in sample.places} == set(NAMES)
        assert {place.groups["converter"] for place in sample.places} == {"w3m"}
    assert len(result.judged["dump"]) == len(NAMES)


def test_a_converter_is_left_out_of_training_and_scored(
    table: LineTable, trained_on: list[LineTable], tmp_path: Path
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "metrics.py").write_text("")
    train = [source("recipe_pl", "bs4"), source("front_page_es", "w3m"), source("column_serial_ja", "bs4")]
    dev = [source("news_photo_credit_ru", "bs4", "dev"), source("error_page_no_body", "w3m", "dev")]
    plan, twice = Plan(Model.default(), tmp_path), joined(table, table)
    unseen, seen = held_out.evaluate_unseen_converter("bs4", train, dev, twice, plan, Settings(), lambda step: None)
    assert [len(one.page_offsets) - 1 for one in trained_on] == [2 * len(NAMES) - 4, 2 * len(NAMES)]
    for result in (unseen, seen):
        places = result.samples[Key("label accuracy", "hand", OURS, "dump")].places
        assert [place.page for place in places] == ["wcxb/news_photo_credit_ru"]
