"""Wrong uses and what each is told: the thing, and the way out. A message that changes is changed here too."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from extractor import LabelsError, Model, ModelError, Page, RepetitionTable, TableError, extract, label, label_many
from extractor.cli import app
from extractor.features import FEATURES_VERSION
from extractor.labelled_pages import read_labelled_pages, write_labelled_page
from fuzz.targets import small_table

PROSE = "Menu | Search\n\nThe lamp on the quay is lit again, and the pilots are glad of it.\n"
MODEL_HINT = "use a model made by this version of extractor, or train one with: extractor train"
TABLE_HINT = "build the table anew with: extractor repetition build"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, random_model_path: Path) -> Path:
    """A folder with one of everything, good and bad."""
    folder = tmp_path_factory.mktemp("shelf")
    for name in ("pages/a.txt", "pages/b.txt", "done/a.txt", "two/a.html", "two/a.html.txt", "a.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(PROSE, encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n\x00\x01")
    (folder / "cut.npz").write_bytes(random_model_path.read_bytes()[:5000])
    (folder / "pickle.npz").write_bytes(b"\x80\x04\x95")
    shutil.copy(random_model_path, folder / "model.npz")
    with np.load(random_model_path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    np.savez(folder / "newer.npz", **{**arrays, "card": np.frombuffer(b'{"features_version": 99}', np.uint8)})
    small_table().save(folder / "table.npz")
    table = small_table()
    RepetitionTable({**table.card, "mergeable": False}, table._arrays).save(folder / "unmergeable.npz")
    for name, rows in (("short", ["nav\tMenu | Search"]), ("typo", ["menu\tMenu | Search"]), ("none", [])):
        (folder / f"{name}.txt").write_text(PROSE, encoding="utf-8")
        (folder / f"{name}.labels").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / "alone.labels").write_text("nav\tMenu\n", encoding="utf-8")
    return folder


COMMANDS: dict[str, tuple[str, int, str]] = {
    "a page that is not there": (
        "extract nowhere.txt", 2,
        "nowhere.txt: no such file; check the path, or give - to read standard input",
    ),
    "a folder for a page": (
        "extract pages", 2,
        "pages: a folder, not a file; to clean a folder: extractor clean pages -o OUT",
    ),
    "a file in the place of a folder": (
        "label a.txt/b.txt", 1,
        "a.txt/b.txt: cannot be read (Not a directory); check the path, and that it may be read",
    ),
    "a file that is no text": (
        "extract report.pdf", 1,
        "report.pdf: not a text file; give HTML or plain text (turn PDFs and the like into text first)",
    ),
    "a name with a control character": (
        "label \x1b[2Jx.txt", 2,
        "\\x1b[2Jx.txt: no such file; check the path, or give - to read standard input",
    ),
    "a model that is not there": (
        "extract a.txt --model nowhere.npz", 2,
        "nowhere.npz: no such file; give the path of a model (.npz)",
    ),
    "a page for a model": (
        "extract a.txt --model a.txt", 2,
        f"a.txt: not a model, or a damaged one (...); {MODEL_HINT}",
    ),
    "a folder for a model": (
        "extract a.txt --model pages", 2,
        f"pages: not a model, or a damaged one ([Errno 21] Is a directory: 'pages'); {MODEL_HINT}",
    ),
    "a model cut short": (
        "label a.txt --model cut.npz", 2,
        f"cut.npz: not a model, or a damaged one (File is not a zip file); {MODEL_HINT}",
    ),
    "a pickle for a model": (
        "label a.txt --model pickle.npz", 2,
        f"pickle.npz: not a model, or a damaged one (File is not a zip file); {MODEL_HINT}",
    ),
    "a model of another version": (
        "extract a.txt --model newer.npz", 2,
        f"newer.npz: made for features version 99, this is {FEATURES_VERSION}; {MODEL_HINT}",
    ),
    "a table for a model": (
        "extract a.txt --model table.npz", 2,
        f"table.npz: not a model, or a damaged one (it has no features_version); {MODEL_HINT}",
    ),
    "a table that is not there": (
        "repetition show nowhere.npz", 2,
        f"nowhere.npz: no such file; give the path of a repetition table, or {TABLE_HINT}",
    ),
    "a folder for a table": (
        "repetition show pages", 2,
        "pages: cannot be read (Is a directory); give a repetition table",
    ),
    "a page for a table": (
        "repetition show a.txt", 2,
        f"a.txt: not a repetition table, or a damaged one (File is not a zip file); {TABLE_HINT}",
    ),
    "a model for a table": (
        "repetition show model.npz", 2,
        f"model.npz: not a repetition table, or a damaged one (...); {TABLE_HINT}",
    ),
    "a table that cannot be merged": (
        "repetition merge table.npz unmergeable.npz -o all.npz", 2,
        "unmergeable.npz: built without its pages, so it cannot be merged; build it anew with --mergeable",
    ),
    "a table over another": (
        "repetition merge table.npz -o table.npz", 2,
        "table.npz exists already; give --overwrite or another name",
    ),
    "a table for a folder": (
        "repetition build pages -o empty", 2,
        "empty: a folder; give the name of a file for the table",
    ),
    "a table into a folder that is not there": (
        "repetition build pages -o no/where.npz", 2,
        "no/where.npz: its folder does not exist; make it first",
    ),
    "a site pattern that is none": (
        "repetition build pages -o t.npz --site-from (", 2,
        '--site-from (: neither "url", "folder" nor "none", and no regular expression (missing ), unterminated '
        "subpattern at position 0)",
    ),
    "a site pattern that matches everything": (
        "repetition build pages -o t.npz --site-from .*", 2,
        "--site-from .*: this expression matches everything, so it tells no sites apart",
    ),
    "a folder that is not there": ("clean nowhere -o out", 2, "nowhere: no such folder; give a folder of pages"),
    "a folder without pages": ("clean empty -o out", 2, "empty: no pages in it, ..."),
    "the same folder twice": (
        "clean pages -o pages", 2,
        "pages: both input and output; give another folder for the output",
    ),
    "two pages of one output": (
        "clean two -o out", 2,
        "a.html and a.html.txt would both be written to a.html.txt; rename one",
    ),
    "an output that is there": (
        "clean pages -o done", 2,
        "done/a.txt exists already; give --overwrite or another folder",
    ),
}  # fmt: skip
USAGE: dict[str, tuple[str, str]] = {
    "no page": ("extract", "Missing argument 'FILE|-'"),
    "a command that is none": ("clear pages", "No such command 'clear'"),
    "an option that is none": ("extract a.txt --keeep body", "No such option: --keeep"),
    "a label that is none": ("extract a.txt --keep footer", "'body', 'header', 'nav', 'related-link'"),
    "a format that is none": ("label a.txt --format pdf", "'pdf' is not one of 'text', 'html'"),
    "a preference that is none": ("label a.txt --prefer speed", "'speed' is not one of 'precision', 'recall'"),
    "no output": ("clean pages", "Missing option"),
    "no process": ("clean pages -o out --jobs 0", "Invalid value for '--jobs'"),
}  # fmt: skip
CALLS: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "a number for a page": (lambda model: label(3, model=model), TypeError, "a page is str or bytes, not int"),
    "a page for pages": (
        lambda model: list(label_many("a page", model=model)), TypeError,
        "label_many() takes several pages; for a single one call label()",
    ),
    "a number for pages": (
        lambda model: list(label_many(3, model=model)), TypeError,
        "pages is an iterable of pages, not int",
    ),
    "a path for a model": (
        lambda model: label("x", model="m.npz"), TypeError,
        "model is a Model, not str; read one with Model.load(path)",
    ),
    "a path for a table": (
        lambda model: label("x", model=model, repetition="t.npz"), TypeError,
        "repetition is a RepetitionTable, not str; read one with RepetitionTable.open(path)",
    ),
    "a preference that is none": (
        lambda model: label("x", model=model, prefer="speed"), TypeError,
        "prefer is \"precision\", \"recall\" or None, not 'speed'",
    ),
    "a kind that is none": (
        lambda model: Page("x", kind="pdf"), TypeError,
        "the kind of a page is \"html\", \"text\" or None, not 'pdf'",
    ),
    "a URL in bytes": (
        lambda model: Page("x", url=b"http://quay.example"), TypeError,
        "the url of a page is str or None, not bytes",
    ),
    "a label for labels": (
        lambda model: extract("x", model=model, keep="body"), TypeError,
        "keep is a collection of labels, as in keep={Label.BODY, Label.HEADER}, not 'body'",
    ),
    "a label that is none": (
        lambda model: extract("x", model=model, keep={"footer"}), ValueError,
        "keep holds 'footer', which is no label; the labels are body, header, nav, related-link",
    ),
    "a model that is not there": (
        lambda model: Model.load("nowhere.npz"), ModelError,
        "nowhere.npz: no such file; give the path of a model (.npz)",
    ),
    "a table that is a model": (
        lambda model: RepetitionTable.open("model.npz"), TableError,
        f"model.npz: not a repetition table, or a damaged one (...); {TABLE_HINT}",
    ),
    "tables that cannot be merged": (
        lambda model: RepetitionTable.merge([RepetitionTable.open("unmergeable.npz")]), ValueError,
        "this table was built without its pages, so it cannot be merged; build it mergeable",
    ),
    "labels too few": (
        lambda model: read_labelled_pages("short.txt"), LabelsError,
        "short.labels, line 2: missing; the page goes on with 'The lamp on the quay is lit again, and the pilots are "
        "glad of it.': label it",
    ),
    "a label with a typo": (
        lambda model: read_labelled_pages("typo.txt"), LabelsError,
        "typo.labels, line 1: 'menu' is no label; begin the line with one of body, header, nav, related-link, "
        "then a tab",
    ),
    "labels of no page": (
        lambda model: read_labelled_pages("alone.labels"), LabelsError,
        "alone.labels: its page is missing; put alone.txt or alone.html beside alone.labels",
    ),
    "no labelled pages": (
        lambda model: read_labelled_pages("empty"), LabelsError,
        "empty: no labelled pages in it; put NAME.txt or NAME.html beside NAME.labels",
    ),
    "a labelled page of another ending": (
        lambda model: write_labelled_page("page.md", Page("x"), []), LabelsError,
        "page.md: a labelled page ends in .txt or .html",
    ),
}  # fmt: skip


def fits(message: str, wanted: str) -> bool:
    """Whether a message is the one wanted; "..." stands for what another package words."""
    return re.fullmatch(".+".join(map(re.escape, wanted.split("..."))), message) is not None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_and_how(name: str, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, code, wanted = COMMANDS[name]
    monkeypatch.chdir(shelf)
    found = CliRunner().invoke(app, line.split(" "), prog_name="extractor")
    assert found.stdout == ""
    assert fits(found.stderr, f"extractor: {wanted}\n"), found.stderr
    assert found.exit_code == code
    assert not (shelf / "out").exists()


@pytest.mark.parametrize("name", USAGE)
def test_usage_says_what_is_wrong(name: str, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, wanted = USAGE[name]
    monkeypatch.chdir(shelf)
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    found = CliRunner().invoke(app, line.split(" "), prog_name="extractor", env={"COLUMNS": "200", **os.environ})
    assert wanted in " ".join(found.stderr.replace("│", " ").split()), found.stderr
    assert "--help" in found.stderr, "the way out"
    assert found.exit_code == 2


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_what_and_how(name: str, shelf: Path, random_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    call, error, wanted = CALLS[name]
    monkeypatch.chdir(shelf)
    with pytest.raises(error) as caught:
        call(random_model)
    assert type(caught.value) is error
    assert fits(str(caught.value), wanted), str(caught.value)


def test_the_tables_hold_forty_wrong_uses() -> None:
    assert len(COMMANDS) + len(USAGE) + len(CALLS) >= 40
