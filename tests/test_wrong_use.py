"""Wrong uses and what each is told: the thing, and the way out. A message that changes is changed here too."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from corpus_files import needs_corpus_extra
from extractor import (
    LabelsError,
    Model,
    ModelError,
    Page,
    RepetitionTable,
    TableError,
    __version__,
    extract,
    label,
    label_many,
)
from extractor.cli import app
from extractor.corpus.batch import CleanSettings
from extractor.corpus.run import clean_corpus
from extractor.features import FEATURES_VERSION
from extractor.kinds import KINDS
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
    shelve_records(folder)
    shelve_runs(folder)
    return folder


def shelve_records(folder: Path) -> None:
    """Files of records: one without a column for the page, and damaged ones."""
    (folder / "words.jsonl").write_text('{"words": "x"}\n', encoding="utf-8")
    (folder / "rows.jsonl").write_text('{"text": "The lamp is lit."}\nno JSON\n{"text": 3}\n', encoding="utf-8")
    with np.load(folder / "table.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    card = {**json.loads(bytes(arrays["card"])), "version": 99}
    np.savez(folder / "newer-table.npz", **{**arrays, "card": np.frombuffer(json.dumps(card).encode(), np.uint8)})
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"text": "The lamp is lit."}\n' * 100)[:-20])
    (folder / "bad.jsonl.gz").write_bytes(b"\x1f\x8b no gzip")
    (folder / "bad.parquet").write_bytes(b"PAR1, no Parquet, PAR1")
    (folder / "bad.warc").write_bytes(b"WARC/1.0\r\nno headers")
    (folder / "good.parquet").write_bytes(b"PAR1")
    (folder / "good.warc").write_bytes(b"WARC/1.0\r\n")
    (folder / "good.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")


def shelve_runs(folder: Path) -> None:
    """Runs that are finished, were begun and not finished by this version and another, and are damaged."""
    clean_corpus(folder / "pages", folder / "ran.jsonl", CleanSettings(model=folder / "model.npz"))
    manifest = json.loads((folder / "ran.jsonl.run" / "manifest.json").read_bytes())
    for name, content in (
        ("begun", json.dumps(manifest)),
        ("older", json.dumps({**manifest, "extractor": "0.0.1"})),
        ("torn", "{"),
    ):
        (folder / f"{name}.jsonl.run").mkdir()
        (folder / f"{name}.jsonl.run" / "manifest.json").write_text(content, encoding="utf-8")
    (folder / "mine.jsonl.run").mkdir()
    (folder / "mine.jsonl.run" / "notes.txt").write_text("mine", encoding="utf-8")


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
    "an output of no known format": (
        "clean pages -o out.csv", 2,
        "out.csv: no ending of an output; give a folder, or a file that ends in .jsonl, .jsonl.gz, .jsonl.zst, "
        ".parquet",
    ),
    "a file for the folder of the output": (
        "clean pages -o a.txt/out", 2,
        "...a.txt/out.run/pieces: cannot be written (Not a directory); give another output",
    ),
    "lines for a folder of text": (
        "clean pages -o out --labels", 2,
        "out: a folder of text has no place for the lines; give OUT.jsonl or OUT.parquet",
    ),
    "a kind that is none": (
        "clean pages -o out --kinds article,blog", 2,
        f"--kinds article,blog: blog is no kind; give some of {', '.join(KINDS)}",
    ),
    "a page for a folder": (
        "clean a.txt -o out", 2,
        "a.txt: not a folder, nor a file of records (.jsonl, .ndjson, .parquet, .warc, .wet, or one of them with .gz "
        "or .zst); to clean a single page: extractor extract FILE",
    ),
    "records without a page": (
        "clean words.jsonl -o out", 2,
        "words.jsonl: no column known to hold text or HTML (there are: words); name it with --text-column or "
        "--html-column",
    ),
    "a column that is none": (
        "clean words.jsonl -o out --text-column body", 2,
        "words.jsonl: no column body (there are: words); give another to --text-column or --html-column",
    ),
    "a model for the table of a run": (
        "clean pages -o out --repetition model.npz", 2,
        f"model.npz: not a repetition table, or a damaged one (...); {TABLE_HINT}",
    ),
    "a table of another version": (
        "repetition show newer-table.npz", 2,
        f"newer-table.npz: made for version 99 of the table, this is 1; {TABLE_HINT}",
    ),
    "a run that was not finished": (
        "clean pages -o begun.jsonl", 2,
        "...begun.jsonl.run: an unfinished run; --resume continues it, --overwrite begins anew",
    ),
    "a run that is finished": (
        "clean pages -o ran.jsonl", 2,
        "ran.jsonl exists already; give --overwrite or another name",
    ),
    "a run of another version": (
        "clean pages -o older.jsonl --resume --model model.npz", 2,
        f'...manifest.json: the run was begun with another extractor ("0.0.1", now "{__version__}"); give the same, or '
        "--overwrite",
    ),
    "a run with another model": (
        "clean pages -o begun.jsonl --resume", 2,
        "...manifest.json: the run was begun with another model (...); give the same, or --overwrite",
    ),
    "a run with other options": (
        "clean pages -o begun.jsonl --resume --model model.npz --no-headline", 2,
        "...manifest.json: the run was begun with another headline (true, now false); give the same, or --overwrite",
    ),
    "a run that is damaged": (
        "clean pages -o torn.jsonl --resume", 2,
        "...torn.jsonl.run/manifest.json: cannot be read (...); move ...torn.jsonl.run away",
    ),
    "something else in the place of a run": (
        "clean pages -o mine.jsonl", 2,
        "...mine.jsonl.run: in the way of what a run keeps beside its output; move it away",
    ),
    "a line that is none": (
        "explain a.txt 9", 2,
        "a.txt: no line 9: the lines of the page have the numbers 1 to 3",
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
    "too little memory": ("clean pages -o out --page-memory 1", "Invalid value for '--page-memory'"),
    "a share that is none": ("clean pages -o out --max-removed 2", "Invalid value for '--max-removed'"),
    "a size in words": ("clean pages -o out --max-bytes many", "Invalid value for '--max-bytes'"),
    "a line in words": ("explain a.txt first", "Invalid value for 'LINE'"),
    "two pages": ("extract a.txt b.txt", "Got unexpected extra argument(s) (b.txt)"),
    "no table": ("repetition merge -o all.npz", "Missing argument 'TABLE...'"),
    "no process": ("clean pages -o out --jobs 0", "Invalid value for '--jobs'"),
}  # fmt: skip
DAMAGED: dict[str, tuple[str, str]] = {
    "a compressed file cut short": (
        "cut.jsonl.gz", "cut.jsonl.gz:...: cannot be read on from here: the compressed file ends early",
    ),
    "a compressed file that is none": (
        "bad.jsonl.gz", "bad.jsonl.gz:1: cannot be read on from here: the compressed file is damaged (...)",
    ),
    "Parquet that is none": (
        "bad.parquet", "bad.parquet:1: cannot be read on from here: not Parquet, or damaged (...)",
    ),
    "an archive that is none": ("bad.warc", "bad.warc:1: a record without a type that can be read"),
    "a line that is no JSON": ("rows.jsonl", "rows.jsonl:2: not JSON: ..."),
    "a column that is no text": ("rows.jsonl", "rows.jsonl:3: column text is no text but int"),
}  # fmt: skip
CORPUS_HINT = "pip install 'extractor[corpus]'"
WITHOUT: dict[str, tuple[str, str, str]] = {
    "Parquet to write": (
        "pyarrow.parquet", "clean pages -o out.parquet",
        f"pyarrow, which reads and writes .parquet, cannot be imported (...); {CORPUS_HINT}",
    ),
    "Parquet to read": (
        "pyarrow", "clean good.parquet -o out",
        f"pyarrow, which reads and writes .parquet, cannot be imported (...); {CORPUS_HINT}",
    ),
    "an archive": (
        "fastwarc.warc", "clean good.warc -o out",
        f"fastwarc, which reads .warc and .wet, cannot be imported (...); {CORPUS_HINT}",
    ),
    "a file of zstandard": (
        "zstandard", "clean good.jsonl.zst -o out",
        f"zstandard, which reads and writes .zst, cannot be imported (...); {CORPUS_HINT}",
    ),
    "training": (
        "extractor.training.commands", "train",
        "train needs packages that are not installed (...); pip install 'extractor[train]'",
    ),
    "a score": (
        "extractor.training.evaluation_commands", "evaluate",
        "evaluate needs packages that are not installed (...); pip install 'extractor[train]'",
    ),
    "a review": (
        "extractor.review.commands", "review pages",
        "review needs packages that are not installed (...); pip install 'extractor[review]'",
    ),
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


@needs_corpus_extra
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_says_where_and_why(
    name: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, wanted = DAMAGED[name]
    monkeypatch.chdir(shelf)
    line = ["clean", file, "-o", str(tmp_path / "out.jsonl"), "--model", "model.npz"]
    found = CliRunner().invoke(app, line, prog_name="extractor")
    assert any(fits(said, f"extractor: failed: {wanted}") for said in found.stderr.splitlines()), found.stderr
    assert found.exit_code == 1


@pytest.mark.parametrize("name", WITHOUT)
def test_a_missing_extra_is_named(name: str, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, line, wanted = WITHOUT[name]
    monkeypatch.chdir(shelf)
    monkeypatch.setitem(sys.modules, module, None)
    found = CliRunner().invoke(app, line.split(" "), prog_name="extractor")
    assert fits(found.stderr, f"extractor: {wanted}\n"), found.stderr
    assert (found.stdout, found.exit_code) == ("", 2)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_what_and_how(name: str, shelf: Path, random_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    call, error, wanted = CALLS[name]
    monkeypatch.chdir(shelf)
    with pytest.raises(error) as caught:
        call(random_model)
    assert type(caught.value) is error
    assert fits(str(caught.value), wanted), str(caught.value)


def test_the_tables_hold_forty_wrong_uses() -> None:
    assert sum(map(len, (COMMANDS, USAGE, DAMAGED, WITHOUT, CALLS))) >= 40
