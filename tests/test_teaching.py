"""A model is taught on labelled pages: their sites are labelled as taught, all else stays, and the bytes repeat."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import copy, copytree

import numpy as np
import pytest

for needed in ("catboost", "lightgbm", "sklearn", "rapidfuzz", "pyarrow", "html2text", "matplotlib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor import Label, Model, label_many
from extractor.errors import LabelsError
from extractor.features import CLASS_NAMES
from extractor.labelled_pages import read_labelled_pages
from extractor.training.commands import train
from extractor.training.derivation import FOLDS, Tables
from extractor.training.own_pages import OwnPage, read_own_pages
from extractor.training.tables import line_table
from extractor.training.teaching import TeachingSettings, add_trees, replayed_rows, teach
from extractor.training.teaching_trial import try_out
from extractor.training.token_tuning import NO_OPINION, tune
from extractor.wording import WordingTable

SITES = Path(__file__).parent / "sites"
QUICK = TeachingSettings(trees=12, rate=0.4)


@pytest.fixture(scope="module")
def pages() -> list[OwnPage]:
    return read_own_pages(SITES / "recipes_de")


def accuracy(model: Model, folder: Path) -> float:
    pages = read_labelled_pages(folder)
    found = label_many((page.page for page in pages), model=model)
    pairs = [pair for page, one in zip(pages, found, strict=True) for pair in zip(page.labels, one.labels, strict=True)]
    return float(np.mean([truth is label for truth, label in pairs]))


# --- tokens -----------------------------------------------------------------------------------------


def test_tokens_that_are_unknown_are_learned_and_all_others_stay() -> None:
    table = WordingTable(np.zeros((16, len(CLASS_NAMES)), np.int8))
    table.weights[1] = (40, 0, 0, -40, 0)
    tokens, counts = np.array([1, 2, 1, 3, 2, 3], np.uint32), np.array([2, 2, 2])
    found = tune(table, tokens, counts, np.array([1, 4, 3]), np.full(3, 5.0)).weights
    assert (found[1] == table.weights[1]).all()
    assert found[2, 1] > NO_OPINION > found[2, 4]
    assert found[3, 4] > NO_OPINION > found[3, 1]
    assert not found[[0, *range(4, 16)]].any()


def test_lines_of_known_tokens_teach_no_words() -> None:
    table = WordingTable(np.full((8, len(CLASS_NAMES)), 20, np.int8))
    assert tune(table, np.array([1], np.uint32), np.array([1]), np.array([1]), np.ones(1)) is table


# --- teaching ---------------------------------------------------------------------------------------


def test_a_taught_site_is_labelled_as_taught(random_model: Model, pages: list[OwnPage], tmp_path: Path) -> None:
    """Even where all that the model knew is nonsense; the sixth page is one that it was not taught."""
    sixth = tmp_path / "sixth"
    sixth.mkdir()
    for ending in (".txt", ".labels"):
        copy(SITES / "recipes_de" / f"6{ending}", sixth)
    taught = teach(random_model, pages[:5], {}, TeachingSettings(trees=60, rate=0.3))
    assert accuracy(taught, sixth) > 0.9
    assert accuracy(taught, sixth) > accuracy(random_model, sixth) + 0.2


def test_the_same_lesson_gives_the_same_bytes(random_model: Model, pages: list[OwnPage], tmp_path: Path) -> None:
    for name in ("first", "second"):
        teach(random_model, pages, {}, QUICK).save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    teach(random_model, pages[:5], {}, QUICK).save(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() != (tmp_path / "first").read_bytes()


def test_a_taught_model_is_saved_with_checks_that_it_passes(
    random_model: Model, pages: list[OwnPage], tmp_path: Path
) -> None:
    teach(random_model, pages, {}, QUICK).save(tmp_path / "taught.npz")
    Model.load(tmp_path / "taught.npz")


def test_a_format_that_was_not_taught_keeps_its_trees(random_model: Model, pages: list[OwnPage]) -> None:
    taught = teach(random_model, pages, {}, QUICK)
    assert taught.classifiers["html"] is random_model.classifiers["html"]
    assert len(taught.classifiers["text"].second.forest.features) == 24 + 12


def test_trees_that_say_nothing_change_nothing(random_model: Model) -> None:
    """Only the rounding of leaf values, and that the calibration is worked in."""
    classifier = random_model.classifiers["text"]
    names = classifier.second.names
    columns = np.random.default_rng(0).integers(0, 256, (len(names), 50), np.uint8)
    before = classifier.calibrated(classifier.second.scores(columns))
    same = add_trees(classifier, classifier.second, np.zeros(0, np.int64))
    rows = columns[[names.index(name) for name in same.names]]
    np.testing.assert_allclose(same.scores(rows), before, atol=0.01)


def test_lines_gone_through_again_are_not_unlearned(random_model: Model, pages: list[OwnPage]) -> None:
    """Tables in which the same lines are all nav win, at many times the weight."""
    tables = Tables(random_model.wording, random_model.cues, {"text": random_model.classifiers["text"].first})
    read = [one for page in pages for one in page.labelled]
    all_nav = [replace(one, classes=np.full(len(one.classes), 3), trust=one.trust * 1e4) for one in read]
    table = line_table("text", all_nav, dict.fromkeys((*range(FOLDS), None), tables))
    rows = replayed_rows(random_model, table, replace(QUICK, replayed=1.0))
    held_back = teach(random_model, pages, {"text": rows}, QUICK)
    assert _share_of_nav(held_back) > _share_of_nav(teach(random_model, pages, {}, QUICK)) + 0.2


def _share_of_nav(model: Model) -> float:
    pages = (page.page for page in read_labelled_pages(SITES / "recipes_de"))
    labels = [label for page in label_many(pages, model=model) for label in page.labels]
    return labels.count(Label.NAV) / len(labels)


def test_html_pages_teach_both_formats(random_model: Model) -> None:
    pages = [page for page in read_own_pages(Path(__file__).parent / "pages") if page.page.path.suffix == ".html"][:3]
    taught = teach(random_model, pages, {}, QUICK)
    for name in ("text", "html"):
        assert len(taught.classifiers[name].second.forest.features) == 24 + 12


# --- pages held out ---------------------------------------------------------------------------------


def test_every_page_is_judged_by_a_model_that_was_not_taught_it(
    random_model: Model, pages: list[OwnPage], monkeypatch: pytest.MonkeyPatch
) -> None:
    import extractor.training.teaching_trial as trial_module

    lessons: list[set[str]] = []

    def noted(model: Model, some: list[OwnPage], *_: object) -> str:
        lessons.append({page.digest for page in some})
        return "taught"

    def judged(_: object, held: list[object], model: object, **__: object) -> None:
        if model == "taught":
            assert not lessons[-1] & {page.digest for page in pages if page.page in held}

    monkeypatch.setattr(trial_module, "teach", noted)
    monkeypatch.setattr(trial_module, "judge_pages", judged)
    try_out(random_model, pages, {}, QUICK, lambda step: None)
    assert len(lessons) == 9
    assert set().union(*lessons) == {page.digest for page in pages}


def test_a_single_page_is_too_few(random_model: Model, pages: list[OwnPage]) -> None:
    with pytest.raises(ValueError, match="label another"):
        try_out(random_model, pages[:1], {}, QUICK, lambda step: None)


# --- annotations ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(SITES / "recipes_de", tmp_path / "site"))


def test_all_that_is_wrong_is_named_at_once(folder: Path) -> None:
    text = (folder / "1.labels").read_text("utf-8")
    (folder / "1.labels").write_text(text.replace("nav\t", "menu\t", 1).replace("body\t", "\t", 1), "utf-8")
    rows = (folder / "2.labels").read_text("utf-8").splitlines()
    (folder / "2.labels").write_text("\n".join(rows[:-1]) + "\n", "utf-8")
    with pytest.raises(LabelsError) as caught:
        read_own_pages(folder)
    first, second, third = str(caught.value).split("\n")
    assert "1.labels, line 2: 'menu' is no label" in first
    assert "'' is no label" in second
    assert f"2.labels, line {len(rows)}: missing" in third


def test_pages_that_nobody_has_labelled_yet_are_passed_over(folder: Path) -> None:
    (folder / "3.labels").unlink()
    assert [page.page.path.name for page in read_own_pages(folder)] == ["1.txt", "2.txt", "4.txt", "5.txt", "6.txt"]


def test_copies_that_contradict_each_other_are_named(folder: Path) -> None:
    copy(folder / "1.txt", folder / "7.txt")
    text = (folder / "1.labels").read_text("utf-8")
    (folder / "7.labels").write_text(text, "utf-8")
    assert len(read_own_pages(folder)) == 7
    (folder / "7.labels").write_text(text.replace("nav\t", "header\t", 1), "utf-8")
    with pytest.raises(LabelsError, match=r"7\.labels, line 2: header, but nav in .*1\.txt, which reads the same"):
        read_own_pages(folder)


def test_dumps_in_other_encodings_are_read(folder: Path) -> None:
    text = (folder / "1.txt").read_text("utf-8")
    (folder / "1.txt").write_bytes(text.replace("\n", "\r\n").encode("cp1252"))
    assert len(read_own_pages(folder)[0].labelled[0].classes) == len(read_own_pages(folder)[0].page.labels)


# --- the command ------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    import extractor.training.commands as commands

    monkeypatch.setattr(commands, "TeachingSettings", lambda weight=30.0: TeachingSettings(weight, trees=12, rate=0.4))


def run(pages: Path, model: Path, output: Path, *more: str) -> int:
    return train(["--pages", str(pages), "--only-pages", "--model", str(model), "--output", str(output), *more])


def test_the_command_teaches_reports_and_will_not_teach_twice(
    quick: None, folder: Path, random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out" / "taught.npz"
    assert run(folder, random_model_path, output) == 0
    card = Model.load(output).card
    assert len(card["taught"]["pages"]) == 6
    assert card["scores"]["held out"] == "pages"
    assert 0 < card["scores"]["label accuracy"] <= 1
    report = output.with_suffix(".md").read_text("utf-8")
    assert "Beside the current model" in report
    assert "Learning curve" in report
    html = output.with_suffix(".html").read_text("utf-8")
    assert html.count("<svg") == 4
    assert "http" not in html.replace("http://www.w3.org/", "")
    # the model that it made knows the pages
    assert run(folder, output, tmp_path / "again.npz") == 2
    assert "has learned from these pages" in capsys.readouterr().err


def test_a_better_model_is_not_replaced_unless_asked(
    quick: None, folder: Path, random_model: Model, random_model_path: Path, pages: list[OwnPage], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    output = tmp_path / "best.npz"
    # its card does not say that it knows the pages
    teach(random_model, pages, {}, TeachingSettings(trees=60, rate=0.3)).save(output)
    before = output.read_bytes()
    assert run(folder, random_model_path, output) == 1
    assert output.read_bytes() == before
    assert "--force" in capsys.readouterr().out
    assert run(folder, random_model_path, output, "--force") == 0
    assert output.read_bytes() != before


def test_what_is_no_model_is_not_replaced(
    quick: None, folder: Path, random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "notes.npz"
    output.write_text("my notes", "utf-8")
    assert run(folder, random_model_path, output) == 2
    assert output.read_text("utf-8") == "my notes"
    assert "--force replaces it" in capsys.readouterr().err


def test_missing_tables_are_named(
    folder: Path, random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--pages", str(folder), "--model", str(random_model_path), "--data", str(tmp_path / "none")]
    assert train([*arguments, "--output", str(tmp_path / "taught.npz")]) == 2
    assert "--only-pages" in capsys.readouterr().err


def test_tables_hold_what_the_tuned_words_say(pages: list[OwnPage], random_model: Model) -> None:
    from extractor.training.token_tuning import tune_tables

    tables = Tables(random_model.wording, random_model.cues)
    tuned = tune_tables(tables, pages[0].labelled, 2.0)
    assert tuned.words.weights.shape == tables.words.weights.shape
    assert tuned.cues is tables.cues
