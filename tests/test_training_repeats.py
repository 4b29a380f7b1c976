"""Training is repeatable: the same tables give the same bytes, and the shipped tables the shipped model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

for needed in ("catboost", "lightgbm", "sklearn", "rapidfuzz", "pyarrow", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor import Model
from extractor.model_file import FORMATS, TOLERANCE, default_model_path
from extractor.training.commands import train
from extractor.training.derivation import FOLDS, Tables
from extractor.training.own_pages import read_own_pages
from extractor.training.tables import LineTable, line_table, read_table, read_words, write_tables
from extractor.training.training import Settings, train_model

TESTS = Path(__file__).parent
QUICK = Settings(lines=0.6, second_trees=3, repetition_trees=2)


@pytest.fixture(scope="module")
def tables(random_model: Model) -> tuple[dict[str, LineTable], Tables]:
    """Tables of a few pages of both formats, with the words and networks of a random model."""
    networks = {name: random_model.classifiers[name].first for name in FORMATS}
    words = Tables(random_model.wording, random_model.cues, networks)
    paths = (TESTS / "sites" / "recipes_de", *sorted((TESTS / "pages").glob("*.html"))[:5])
    views = [one for path in paths for page in read_own_pages(path) for one in page.labelled]
    found = {name: line_table(name, views, dict.fromkeys((*range(FOLDS), None), words)) for name in FORMATS}
    for name, table in found.items():
        page = np.repeat(np.arange(len(table.page_offsets) - 1), np.diff(table.page_offsets))
        found[name] = replace(table, kinds=page % 3, sites=page)
    return found, words


@pytest.fixture(scope="module")
def model_path(tables: tuple[dict[str, LineTable], Tables], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "model.npz"
    train_model(*tables, {"data": "tests"}, QUICK).save(path)
    return path


def test_the_same_tables_give_the_same_bytes(
    tables: tuple[dict[str, LineTable], Tables], model_path: Path, tmp_path: Path
) -> None:
    """Also when they were written to files and read back."""
    write_tables(tmp_path, list(tables[0].values()), tables[1])
    again = {name: read_table(tmp_path, name) for name in FORMATS}
    train_model(again, read_words(tmp_path), {"data": "tests"}, QUICK).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == model_path.read_bytes()


def test_other_labels_give_another_model(
    tables: tuple[dict[str, LineTable], Tables], model_path: Path, tmp_path: Path
) -> None:
    text = tables[0]["text"]
    other = replace(text, classes=np.roll(text.classes, 1))
    train_model({**tables[0], "text": other}, tables[1], {"data": "tests"}, QUICK).save(tmp_path / "other.npz")
    assert (tmp_path / "other.npz").read_bytes() != model_path.read_bytes()


def test_the_card_says_what_the_model_is(model_path: Path) -> None:
    card = Model.load(model_path).card
    for format in FORMATS:
        assert 0 < card["scores"][format]["held-out sites, accuracy"] <= 1
    assert {"features_version", "classes", "data"} <= set(card)


@pytest.mark.soak
def test_the_shipped_tables_give_the_shipped_model(tmp_path: Path) -> None:
    """Byte for byte; on other versions or another processor family, what it says of its stored rows."""
    data, shipped = TESTS.parent / "training_data", default_model_path()
    if not (data / "text.parquet").exists() or not shipped.exists():
        pytest.skip("training_data or the shipped model is missing; this runs in a checkout")
    assert train(["--data", str(data), "--output", str(tmp_path / "model.npz")]) == 0
    if (tmp_path / "model.npz").read_bytes() == shipped.read_bytes():
        return
    ours, theirs = Model.load(tmp_path / "model.npz"), Model.load(shipped)
    assert ours.card["data_digest"] == theirs.card["data_digest"], "the shipped model is of other tables"
    differences = {name: theirs.checks[name].difference(ours.classifiers[name]) for name in FORMATS}
    assert max(differences.values()) <= TOLERANCE
