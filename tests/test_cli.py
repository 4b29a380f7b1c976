from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor import Label, Model, Page, __version__, label
from extractor.files import looks_binary, printable

ROOT = Path(__file__).parent.parent
DUMP = "Menu | Search\n\nThe lamp on the quay is lit\n\nIt burns again, and the pilots are glad of it.\n\nContact\n"
CLEANED = ["a.txt", "b.txt", "c.html.txt"]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command line in a folder of its own, as a user would, away from the checkout."""

    def start(*arguments: object, stdin: bytes = b"", environment: dict[str, str] | None = None):
        program = [sys.executable, "-W", "error", "-c", "from extractor.cli import main; main()"]
        variables = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
        variables |= {"PYTHONPATH": str(ROOT), "COLUMNS": "80", **(environment or {})}
        return subprocess.run(
            [*program, *map(str, arguments)], input=stdin, cwd=tmp_path, env=variables, capture_output=True, timeout=120
        )

    return start


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.txt"
    path.write_text(DUMP, encoding="utf-8")
    return path


@pytest.fixture
def with_model(random_model_path: Path) -> tuple[str, str]:
    return "--model", str(random_model_path)


def complaint(finished: subprocess.CompletedProcess[bytes], code: int) -> str:
    """The one line on standard error of a command that was refused."""
    assert finished.returncode == code
    assert finished.stdout == b""
    lines = finished.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("extractor: ")
    return lines[0]


# --- extract ---------------------------------------------------------------------------------------


def test_extract_prints_what_the_function_returns(run: Run, page: Path, with_model, random_model: Model) -> None:
    finished = run("extract", page, *with_model)
    assert finished.returncode == 0
    assert finished.stderr == b""
    assert finished.stdout.decode().rstrip("\n") == label(page.read_bytes(), model=random_model).text()


def test_extract_with_the_shipped_model(run: Run, page: Path, shipped_model: Model) -> None:
    finished = run("extract", page)
    assert finished.stdout.decode().rstrip("\n") == label(DUMP, model=shipped_model).text()


def test_labels_to_keep(run: Run, page: Path, with_model) -> None:
    everything = [part for name in Label for part in ("--keep", name.value)]
    assert run("extract", page, *everything, *with_model).stdout.decode() == DUMP
    parts = [run("extract", page, "--keep", name.value, *with_model).stdout for name in Label]
    assert sorted(b"".join(parts).split()) == sorted(DUMP.encode().split())


def test_standard_input_in_any_encoding(run: Run, with_model) -> None:
    everything = [part for name in Label for part in ("--keep", name.value)]
    text = "Straße\nführt\nnach Çeşme\n"
    for encoding in ("utf-8", "utf-16", "utf-8-sig"):
        finished = run("extract", "-", *everything, *with_model, stdin=text.encode(encoding))
        assert finished.stdout.decode() == text
    assert run("extract", "-", *with_model).stdout == b""


def test_output_is_utf8_whatever_the_terminal_says(run: Run, with_model) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    for command in ("extract", "label"):
        finished = run(command, "-", *with_model, stdin="灯台 é".encode(), environment=environment)
        assert finished.returncode == 0, finished.stderr
    assert "灯台 é" in finished.stdout.decode()


def test_the_format_can_be_given(run: Run, with_model) -> None:
    everything = [part for name in Label for part in ("--keep", name.value)]
    html = b"<p>one</p><p>two</p>"
    for given, expected in (("html", b"one\n\ntwo\n"), ("text", html + b"\n"), (None, b"one\n\ntwo\n")):
        option = ["--format", given] if given else []
        assert run("extract", "-", *option, *everything, *with_model, stdin=html).stdout == expected


def test_headline_unwrap_and_preference_are_passed_on(run: Run, page: Path, with_model, random_model: Model) -> None:
    text = run("extract", page, "--no-headline", "--unwrap", "--prefer", "recall", *with_model).stdout.decode()
    labelled = label(page.read_bytes(), model=random_model, prefer="recall")
    assert text.rstrip("\n") == labelled.text(headline=False, unwrap=True)


# --- label -----------------------------------------------------------------------------------------


def test_label_lists_every_line(run: Run, page: Path, with_model, random_model: Model) -> None:
    finished = run("label", page, *with_model)
    assert finished.returncode == 0
    rows = finished.stdout.decode().splitlines()
    labelled = label(DUMP, model=random_model)
    assert len(rows) == len(labelled.lines)
    for row, line in zip(rows, labelled.lines, strict=True):
        assert row.split()[0] == str(line.number)
        assert row.split()[1].rstrip("*") == line.label
        assert row.endswith(f"  {line.text}")
    assert b"\x1b" not in finished.stdout


def test_long_lines_stay_on_one_row(run: Run, with_model) -> None:
    finished = run("label", "-", *with_model, stdin=b"word " * 1000)
    assert len(finished.stdout.splitlines()) == 1


def test_the_listing_is_coloured_where_colours_can_be_shown(run: Run, page: Path, with_model) -> None:
    assert b"\x1b[" in run("label", page, *with_model, environment={"FORCE_COLOR": "1"}).stdout


def test_what_would_steer_a_terminal_is_written_out(run: Run, with_model) -> None:
    page = (
        "red \x1b[31m bell \x07 title \x1b]0;x\x07 back \x08 \u202egnorw \x9b31m [bold]markup[/bold] :smile:".encode()
    )
    output = run("label", "-", *with_model, stdin=page).stdout.decode()
    assert (
        r"red \x1b[31m bell \x07 title \x1b]0;x\x07 back \x08 \u202egnorw \x9b31m [bold]markup[/bold] :smile:" in output
    )
    assert not {"\x1b", "\x07", "\x08", "\u202e", "\x9b"} & set(output)


def test_a_page_as_json(run: Run, page: Path, with_model, random_model: Model) -> None:
    output = run("label", page, "--json", *with_model).stdout.decode()
    assert output.count("\n") == 1
    record = json.loads(output)
    labelled = label(Page(DUMP), model=random_model)
    assert record["id"] == str(page)
    assert (record["format"], record["encoding"]) == ("text", "utf-8")
    assert [line["text"] for line in record["lines"]] == [line.text for line in labelled.lines]
    assert [line["label"] for line in record["lines"]] == list(labelled.labels)
    assert list(record["lines"][0]["probabilities"]) == list(Label)
    assert sum(record["lines"][0]["probabilities"].values()) == pytest.approx(1, abs=0.001)


def test_a_page_without_lines(run: Run, with_model) -> None:
    assert run("label", "-", *with_model).stdout == b"no lines: the page is empty\n"
    assert json.loads(run("label", "-", "--json", *with_model).stdout)["lines"] == []


# --- clean -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(DUMP, encoding="utf-8")
    (folder / "c.html").write_text("<h1>Lamp</h1><p>It burns.", encoding="utf-8")
    return folder


def test_clean_writes_the_folder_and_sums_up(run: Run, folder: Path, tmp_path: Path, with_model) -> None:
    finished = run("clean", folder, "-o", "out", *with_model)
    assert finished.returncode == 0
    assert finished.stderr == b""
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [*CLEANED, "copies.jsonl"]
    output = finished.stdout.decode()
    assert output.startswith("3 pages cleaned, ")
    assert "0 failed" in output
    for name in Label:
        assert f"{name} lines" in output
    assert (tmp_path / "out" / "a.txt").read_bytes() == run("extract", folder / "a.txt", *with_model).stdout


def test_pages_that_fail_are_listed_and_the_code_is_1(run: Run, folder: Path, tmp_path: Path, with_model) -> None:
    (folder / "bad\x1b[31m.html").write_bytes(b"%PDF-1.7\n\x00\x01\x02")
    finished = run("clean", folder, "-o", "out", *with_model)
    assert finished.returncode == 1
    assert finished.stderr.decode() == "extractor: failed: bad\\x1b[31m.html: not a text file\n"
    assert "3 pages cleaned" in finished.stdout.decode()
    assert "1 failed" in finished.stdout.decode()


def test_jobs_give_the_same(run: Run, folder: Path, tmp_path: Path, with_model) -> None:
    outputs = [run("clean", folder, "-o", f"out{jobs}", "--jobs", jobs, *with_model).stdout for jobs in (1, 2)]
    assert outputs[0].replace(b"out1", b"out2") == outputs[1]
    for path in (tmp_path / "out1").iterdir():
        assert path.read_bytes() == (tmp_path / "out2" / path.name).read_bytes()


def test_clean_refuses_what_it_cannot_do(run: Run, folder: Path, page: Path, with_model) -> None:
    assert "no such folder" in complaint(run("clean", "nowhere", "-o", "out", *with_model), 2)
    assert "extractor extract FILE" in complaint(run("clean", page, "-o", "out", *with_model), 2)
    assert "both input and output" in complaint(run("clean", folder, "-o", folder, *with_model), 2)
    run("clean", folder, "-o", "out", *with_model)
    assert "give --overwrite" in complaint(run("clean", folder, "-o", "out", *with_model), 2)
    assert run("clean", folder, "-o", "out", "--overwrite", *with_model).returncode == 0
    assert "no such file" in complaint(run("clean", folder, "-o", "out2", "--model", "nowhere.npz"), 2)


# --- usage -----------------------------------------------------------------------------------------


def test_version(run: Run) -> None:
    assert run("--version").stdout.decode() == f"extractor {__version__}\n"


def test_help_names_every_command_and_imports_nothing_heavy(run: Run) -> None:
    output = run("--help").stdout.decode()
    for command in ("extract", "label", "clean", "repetition", "review", "train", "evaluate", "--version"):
        assert command in output
    program = "import sys, extractor.cli; print(*sys.modules)"
    run_alone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    modules = {name.split(".")[0] for name in run_alone.stdout.split()}
    assert not {"joblib", "lxml", "werkzeug", "sklearn", "scipy", "pyarrow", "pandas", "charset_normalizer"} & modules


@pytest.mark.parametrize(
    "arguments",
    [
        ["extract"],
        ["nonsense"],
        ["extract", "--keep", "footer", "-"],
        ["clean", "."],
        ["clean", ".", "-o", "x", "--jobs", "0"],
    ],
)
def test_wrong_usage_has_code_2(run: Run, arguments: list[str]) -> None:
    finished = run(*arguments)
    assert finished.returncode == 2
    assert b"Traceback" not in finished.stderr
    assert finished.stderr


def test_wrong_paths_are_named_with_the_way_out(run: Run, tmp_path: Path, with_model) -> None:
    for command in ("extract", "label"):
        assert "nowhere.txt: no such file" in complaint(run(command, "nowhere.txt", *with_model), 2)
        assert "a folder, not a file; to clean a folder: extractor clean" in complaint(
            run(command, ".", *with_model), 2
        )


def test_a_model_that_cannot_be_used(run: Run, page: Path) -> None:
    assert "lamp.txt: not a model" in complaint(run("extract", page, "--model", page), 2)
    assert "nowhere.npz: no such file" in complaint(run("extract", page, "--model", "nowhere.npz"), 2)
    assert "not a model" in complaint(run("label", page, "--model", "."), 2)


@pytest.mark.parametrize(
    "content", [b"%PDF-1.4 text", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 9, b"PK\x03\x04", b"\0" * 99]
)
def test_a_binary_file(run: Run, tmp_path: Path, with_model, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert "file: not a text file; give HTML or plain text" in complaint(run("extract", "file", *with_model), 1)
    assert "standard input: not a text file" in complaint(run("extract", "-", *with_model, stdin=content), 1)


def test_a_name_cannot_steer_the_terminal(run: Run) -> None:
    assert r"\x1b[31mred" in complaint(run("extract", "\x1b[31mred"), 2)


def test_training_without_its_extra_says_what_to_install(run: Run) -> None:
    block = "import sys; sys.modules['extractor.training.commands'] = None\nfrom extractor.cli import main; main()"
    for command in ("train", "evaluate"):
        finished = subprocess.run(
            [sys.executable, "-c", block, command], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert "pip install 'extractor[train]'" in complaint(finished, 2)


def test_review_without_its_extra_says_what_to_install() -> None:
    block = "import sys; sys.modules['werkzeug'] = None\nfrom extractor.cli import main; main()"
    finished = subprocess.run(
        [sys.executable, "-c", block, "review", "."], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert "pip install 'extractor[review]'" in complaint(finished, 2)


def test_a_reader_that_goes_away_is_no_error(page: Path, with_model, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("A line of a long page.\n" * 50_000, encoding="utf-8")
    program = [sys.executable, "-c", "from extractor.cli import main; main()", "label", str(long), *with_model]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


# --- what is shown and read ------------------------------------------------------------------------


def test_printable_text_is_shown_as_it_is() -> None:
    for text in ("plain", "é 灯 ع 😀", "zero\u200cwidth in Persian: می\u200cخواهم"):
        assert printable(text) == text
    assert printable("a\tb") == "a    b"
    assert printable("a\nb\r\0\ud800") == r"a\nb\r\x00\ud800"


@pytest.mark.parametrize(
    "content",
    [b"", b"text", "灯台".encode("shift_jis"), "Привет, мир".encode("cp1251"), "text".encode("utf-16"),
     "text".encode("utf-32"), b"\x1b[31mcoloured\x1b[0m log", b"form\x0cfeed",
     b"a few \x00 nulls" + b" in a long text" * 20],
)  # fmt: skip
def test_text_is_not_binary(content: bytes) -> None:
    assert not looks_binary(content)
