"""A model is taught on labelled pages: their sites are labelled as taught, all else stays, and the bytes repeat."""

from __future__ import annotations

from pathlib import Path
from shutil import copy, copytree

import numpy as np
import pytest

from random_models import make_random_model

for needed in ("catboost", "lightgbm", "sklearn", "rapidfuzz", "pyarrow", "html2text", "matplotlib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor import Model, Page, label, label_many
from extractor.errors import LabelsError
from extractor.labelled_pages import read_labelled_pages
from extractor.training.commands import train
from extractor.training.own_pages import OwnPage, read_own_pages
from extractor.training.teaching import TeachingSettings, teach
from extractor.training.teaching_trial import try_out

SITES = Path(__file__).parent / "sites"
SETTINGS = TeachingSettings()


@pytest.fixture(scope="module")
def pages() -> list[OwnPage]:
    return read_own_pages(SITES / "recipes_de")


def accuracy(model: Model, folder: Path) -> float:
    pages = read_labelled_pages(folder)
    found = label_many((page.page for page in pages), model=model)
    pairs = [pair for page, one in zip(pages, found, strict=True) for pair in zip(page.labels, one.labels, strict=True)]
    return float(np.mean([truth is label for truth, label in pairs]))


# --- teaching ---------------------------------------------------------------------------------------


def test_a_taught_site_is_labelled_as_taught(random_model: Model, pages: list[OwnPage], tmp_path: Path) -> None:
    """Even where all that the model knew is nonsense; the sixth page is one that it was not taught."""
    sixth = tmp_path / "sixth"
    sixth.mkdir()
    for ending in (".txt", ".labels"):
        copy(SITES / "recipes_de" / f"6{ending}", sixth)
    taught = teach(random_model, pages[:5], SETTINGS)
    assert accuracy(taught, sixth) > 0.8
    assert accuracy(taught, sixth) > accuracy(random_model, sixth) + 0.2


def test_the_pages_taught_are_labelled_as_taught(pages: list[OwnPage]) -> None:
    """Lines that stand on one page alone must not hide what the others say: 0.92 when they did. Some nonsense is too
    loud to be talked over, so of several models most must have learned."""
    models = [make_random_model(seed) for seed in range(7, 14)]
    found = sorted(accuracy(teach(model, pages, SETTINGS), SITES / "recipes_de") for model in models)
    assert found[len(found) // 2] > 0.98


def test_the_same_lesson_gives_the_same_bytes(random_model: Model, pages: list[OwnPage], tmp_path: Path) -> None:
    for name in ("first", "second"):
        teach(random_model, pages, SETTINGS).save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    teach(random_model, pages[:5], SETTINGS).save(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() != (tmp_path / "first").read_bytes()


def test_a_taught_model_is_saved_with_checks_that_it_passes(
    random_model: Model, pages: list[OwnPage], tmp_path: Path
) -> None:
    taught = teach(random_model, pages, SETTINGS)
    taught.save(tmp_path / "taught.npz")
    loaded = Model.load(tmp_path / "taught.npz")
    first = pages[0].page.page
    assert label(first, model=loaded).labels == label(first, model=taught).labels
    assert loaded.landmarks["text"].table.weights.any()


def test_pages_of_other_sites_are_labelled_as_before(random_model: Model, pages: list[OwnPage]) -> None:
    taught = teach(random_model, pages, SETTINGS)
    others = [page.page for page in read_labelled_pages(Path(__file__).parent / "pages")]
    for before, after in zip(label_many(others, model=random_model), label_many(others, model=taught), strict=True):
        assert before.labels == after.labels
        assert [line.probabilities for line in before.lines] == [line.probabilities for line in after.lines]


def test_pages_that_share_no_lines_teach_nothing(random_model: Model) -> None:
    some = read_own_pages(Path(__file__).parent / "pages")[:4]
    assert not teach(random_model, some[:1], SETTINGS).landmarks
    assert not teach(random_model, some, SETTINGS).landmarks


def test_a_heavier_page_is_followed_more_closely(random_model: Model, pages: list[OwnPage]) -> None:
    right = [
        accuracy(teach(random_model, pages, TeachingSettings(weight)), SITES / "recipes_de") for weight in (0.1, 50)
    ]
    assert right[0] < right[1]


def test_batches_do_not_change_what_landmarks_say(random_model: Model, pages: list[OwnPage]) -> None:
    """Pages of two taught sites and of none, together and one by one."""
    other = next(folder for folder in sorted(SITES.iterdir()) if folder.is_dir() and folder.name != "recipes_de")
    taught = teach(random_model, [*pages, *read_own_pages(other)], SETTINGS)
    both = (read_labelled_pages(folder) for folder in (other, SITES / "recipes_de"))
    mixed = [page.page for pair in zip(*both, strict=False) for page in pair]
    mixed.insert(1, Page("Nobody knows this line\n\nnor this one", kind="text"))
    for page, together in zip(mixed, label_many(mixed, model=taught), strict=True):
        alone = label(page, model=taught)
        assert [line.probabilities for line in alone.lines] == [line.probabilities for line in together.lines]


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
    try_out(random_model, pages, SETTINGS, lambda step: None)
    assert len(lessons) == 9
    assert set().union(*lessons) == {page.digest for page in pages}


def test_a_single_page_is_too_few(random_model: Model, pages: list[OwnPage]) -> None:
    with pytest.raises(ValueError, match="label another"):
        try_out(random_model, pages[:1], SETTINGS, lambda step: None)


# --- annotations ------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(SITES / "recipes_de", tmp_path / "site"))


def test_all_that_is_wrong_is_named_at_once(folder: Path) -> None:
    text = (folder / "1.labels").read_text("utf-8")
    (folder / "1.labels").write_text(text.replace("nav\t", "menu\t", 1).replace("body\t", "\t", 1), "utf-8")
    rows = (folder / "2.labels").read_text("utf-8").splitlines()
    (folder / "2.labels").write_text("\n".join(rows[:-1]) + "\n", "utf-8")
    copy(folder / "3.txt", folder / "7.txt")
    text = (folder / "3.labels").read_text("utf-8")
    (folder / "7.labels").write_text(text.replace("nav\t", "header\t", 1), "utf-8")
    with pytest.raises(LabelsError) as caught:
        read_own_pages(folder)
    first, second, third, fourth = str(caught.value).split("\n")
    assert "1.labels, line 2: 'menu' is no label" in first
    assert "'' is no label" in second
    assert f"2.labels, line {len(rows)}: missing" in third
    assert "7.labels, line " in fourth
    assert "which reads the same" in fourth


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


def run(pages: Path, model: Path, output: Path, *more: str) -> int:
    return train(["--pages", str(pages), "--model", str(model), "--output", str(output), *more])


def test_the_command_teaches_reports_and_will_not_teach_twice(
    folder: Path, random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    assert "pages: 6; sites: 1" in report
    html = output.with_suffix(".html").read_text("utf-8")
    assert html.count("<svg") == 4
    assert "http" not in html.replace("http://www.w3.org/", "")
    # the model that it made knows the pages
    assert run(folder, output, tmp_path / "again.npz") == 2
    assert "was taught pages already" in capsys.readouterr().err


def test_a_better_model_is_not_replaced_unless_asked(
    folder: Path, random_model: Model, random_model_path: Path, pages: list[OwnPage], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    output = tmp_path / "best.npz"
    # its card does not say that it knows the pages
    teach(random_model, pages, SETTINGS).save(output)
    before = output.read_bytes()
    assert run(folder, random_model_path, output) == 1
    assert output.read_bytes() == before
    assert "--force" in capsys.readouterr().out
    assert run(folder, random_model_path, output, "--force") == 0
    assert output.read_bytes() != before


def test_what_is_no_model_is_not_replaced(
    folder: Path, random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "notes.npz"
    output.write_text("my notes", "utf-8")
    assert run(folder, random_model_path, output) == 2
    assert output.read_text("utf-8") == "my notes"
    assert "--force replaces it" in capsys.readouterr().err


def test_pages_without_a_site_are_no_lesson(
    random_model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for source in sorted((Path(__file__).parent / "pages").glob("*.txt"))[:3]:
        copy(source, tmp_path)
        copy(source.with_suffix(".labels"), tmp_path)
    assert run(tmp_path, random_model_path, tmp_path / "out.npz") == 2
    assert "share lines" in capsys.readouterr().err
