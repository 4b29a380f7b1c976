"""`extractor repetition`, and what `extractor clean` does about repeated lines and copies, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parent.parent
Finished: TypeAlias = "subprocess.CompletedProcess[bytes]"
Run = Callable[..., Finished]
STORY = "\n".join(
    f"The {thing} on the quay was {work} last week, and the harbour master says that it will stand another forty years."
    for thing, work in (("lamp", "mended"), ("crane", "painted"), ("bell", "hung again"), ("gate", "oiled"))
)


@pytest.fixture
def run(tmp_path: Path, random_model_path: Path) -> Run:
    def start(*arguments: object) -> Finished:
        program = [sys.executable, "-W", "error", "-c", "from extractor.cli import main; main()"]
        model = ["--model", str(random_model_path)] if arguments[0] == "clean" else []
        variables = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
        variables |= {"PYTHONPATH": str(ROOT), "COLUMNS": "80"}
        return subprocess.run(
            [*program, *map(str, arguments), *model], cwd=tmp_path, env=variables, capture_output=True, timeout=120
        )

    return start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sites of six pages, one of them in HTML, and a story that stands on both."""
    folder = tmp_path / "in"
    for number in range(6):
        for site, ending, word in (("gazette", "txt", "terms "), ("herald", "html", "words ")):
            story = STORY if number == 3 else word * (40 + number)
            lines = [f"{site} menu", "Search", f"Story {'abcdef'[number]}", *story.split("\n"), "Contact"]
            text = "".join(f"<p>{line}" for line in lines) if ending == "html" else "\n".join(lines)
            write(folder / site / f"{number}.{ending}", text)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def complaint(finished: Finished, code: int = 2) -> str:
    assert finished.returncode == code
    assert finished.stdout == b""
    lines = finished.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("extractor: ")
    return lines[0]


def shown(run: Run, table: str) -> str:
    finished = run("repetition", "show", table)
    assert (finished.returncode, finished.stderr) == (0, b"")
    return finished.stdout.decode()


def test_a_table_is_built_and_shown(run: Run, folder: Path) -> None:
    finished = run("repetition", "build", folder, "-o", "table.npz")
    assert (finished.returncode, finished.stderr) == (0, b"")
    output = finished.stdout.decode()
    assert output == shown(run, "table.npz")
    assert "12 pages counted, 12 distinct" in output
    assert "2 sites known, 0 pages of unknown site" in output
    assert "6  folder:gazette" in output
    assert "6  folder:herald" in output
    assert "cannot be merged (build it with --mergeable)" in output


@pytest.mark.parametrize(
    ("site_from", "site"), [("none", None), ("^(gaz)", "gaz"), ("folder", "folder:gazette"), ("url", "folder:gazette")]
)
def test_what_makes_a_site(run: Run, folder: Path, site_from: str, site: str | None) -> None:
    output = run("repetition", "build", folder, "-o", "table.npz", "--site-from", site_from).stdout.decode()
    assert (f"6  {site}\n" if site else "0 sites known, 11 pages of unknown site") in output


def test_the_url_that_an_html_page_names_makes_its_site(run: Run, folder: Path) -> None:
    for number, path in enumerate(sorted(folder.rglob("*.html"))):
        head = f'<link href="https://www.herald.example/{number}" rel=canonical>'
        write(path, f"<head>{head}</head>{path.read_text(encoding='utf-8')}")
    output = run("repetition", "build", folder, "-o", "table.npz", "--site-from", "url").stdout.decode()
    assert "6  herald.example\n" in output
    assert "6  folder:gazette\n" in output


def test_parts_merged_are_the_whole(run: Run, folder: Path, tmp_path: Path) -> None:
    names = ("gazette", "herald")
    for name in names:
        (tmp_path / name).mkdir()
        (folder / name).rename(tmp_path / name / name)
        run("repetition", "build", tmp_path / name, "-o", f"{name}.npz", "--mergeable")
    (tmp_path / "whole").mkdir()
    for name in names:
        (tmp_path / name / name).rename(tmp_path / "whole" / name)
    run("repetition", "build", tmp_path / "whole", "-o", "whole.npz", "--mergeable", "--memory", "1", "--jobs", "2")
    assert run("repetition", "merge", "herald.npz", "gazette.npz", "-o", "merged.npz").returncode == 0
    assert (tmp_path / "merged.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_pages_that_cannot_be_counted_are_listed(run: Run, folder: Path) -> None:
    (folder / "photo.html").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    finished = run("repetition", "build", folder, "-o", "table.npz")
    assert finished.returncode == 1
    assert finished.stderr == b"extractor: failed: photo.html: not a text file\n"
    assert "12 pages counted" in finished.stdout.decode()


def test_what_repetition_refuses(run: Run, folder: Path, tmp_path: Path) -> None:
    build = ("repetition", "build", folder, "-o")
    assert "no such folder" in complaint(run("repetition", "build", "nowhere", "-o", "table.npz"))
    assert "its folder does not exist" in complaint(run(*build, "nowhere/table.npz"))
    assert "a folder; give the name of a file" in complaint(run(*build, folder))
    assert "no regular expression" in complaint(run(*build, "table.npz", "--site-from", "("))
    assert "matches everything" in complaint(run(*build, "table.npz", "--site-from", ".*"))
    assert run(*build, "table.npz").returncode == 0
    assert "table.npz exists already; give --overwrite" in complaint(run(*build, "table.npz"))
    assert run(*build, "table.npz", "--overwrite").returncode == 0
    assert "table.npz: built without its pages" in complaint(run("repetition", "merge", "table.npz", "-o", "x.npz"))
    assert not (tmp_path / "x.npz").exists()


def test_a_damaged_table_is_refused_by_name(run: Run, folder: Path, tmp_path: Path) -> None:
    run("repetition", "build", folder, "-o", "table.npz")
    data = (tmp_path / "table.npz").read_bytes()
    (tmp_path / "table.npz").write_bytes(data[: len(data) // 2])
    for arguments in (
        ("repetition", "show", "table.npz"),
        ("repetition", "merge", "table.npz", "-o", "merged.npz"),
        ("clean", folder, "-o", "out", "--repetition", "table.npz"),
    ):
        said = complaint(run(*arguments))
        assert "table.npz: not a repetition table, or a damaged one" in said
        assert "build the table anew with: extractor repetition build" in said
    assert "nowhere.npz: no such file" in complaint(run("repetition", "show", "nowhere.npz"))
    assert not (tmp_path / "out").exists()


def test_clean_reports_copies(run: Run, folder: Path, tmp_path: Path) -> None:
    finished = run("clean", folder, "-o", "out")
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert "groups of copies: 1, listed in out/copies.jsonl" in finished.stdout.decode()
    rows = [json.loads(row) for row in (tmp_path / "out/copies.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["group"], row["page"], row["shared"], row["left_out"]) for row in rows] == [
        (1, "gazette/3.txt", 1.0, False),
        (1, "herald/3.html", 1.0, False),
    ]
    assert {row["fullest"] for row in rows} == {"gazette/3.txt"}
    assert (tmp_path / "out/herald/3.html.txt").exists()


def test_clean_keeps_one_page_of_a_group(run: Run, folder: Path, tmp_path: Path) -> None:
    run("clean", folder, "-o", "out")
    output = run("clean", folder, "-o", "out", "--keep", "one", "--keep", "nav", "--overwrite").stdout.decode()
    assert "left out: herald/3.html: a copy of gazette/3.txt (100% shared)" in output
    assert "1 left out, " in output
    assert output.startswith("11 pages cleaned")
    assert not (tmp_path / "out/herald/3.html.txt").exists()
    assert '"left_out": true' in (tmp_path / "out/copies.jsonl").read_text(encoding="utf-8")


def test_clean_without_repetition_looks_for_no_copies(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("clean", folder, "-o", "out", "--no-own-repetition").returncode == 0
    assert not (tmp_path / "out/copies.jsonl").exists()


def test_what_clean_refuses_about_repetition(run: Run, folder: Path, tmp_path: Path) -> None:
    assert "no regular expression" in complaint(run("clean", folder, "-o", "out", "--site-from", "["))
    write(tmp_path / "out" / "copies.jsonl", "mine")
    assert "copies.jsonl exists already; give --overwrite" in complaint(run("clean", folder, "-o", "out"))
    assert (tmp_path / "out" / "copies.jsonl").read_text(encoding="utf-8") == "mine"
