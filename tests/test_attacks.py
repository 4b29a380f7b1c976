"""Attacks: what a page, a file name, a model or a table can try, and what comes of it."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus_files import needs_corpus_extra
from extractor import Model, ModelError, Page, RepetitionTable, TableError, label
from extractor.corpus.batch import CleanSettings, Filters
from extractor.corpus.folder import FolderError
from extractor.corpus.records import Summary
from extractor.corpus.run import RunSettings, clean_corpus
from extractor.corpus.run_folder import RunFolder, Shard
from extractor.corpus.writers import part_writer
from extractor.files import printable
from extractor.listing import page_json
from extractor.model_file import LARGEST_MODEL
from extractor.page import LABELS

ROOT = Path(__file__).parent.parent
STEERING = (
    "red \x1b[31m title \x1b]0;owned\x07 back \x08\x08 delete \x7f sequence \x9b2J line \x85 turned \u202egnorw end"
)
PROSE = "The lamp on the quay is lit again, and the pilots are glad of it.\n" * 20
RAW = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What must not reach a terminal: all controls but the line breaks that a terminal makes of "\\n"."""


def on_a_terminal(*arguments: object, folder: Path) -> str:
    """What a command writes to a terminal, both streams."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", "from extractor.cli import main; main()", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TERM": "dumb"}
    shown = bytearray()

    def read() -> None:
        try:
            while data := os.read(ours, 65536):
                shown.extend(data)
        except OSError:  # so ends a terminal that nobody writes to any more
            return

    reader = threading.Thread(target=read)
    reader.start()
    process = subprocess.run(
        program, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, cwd=folder, env=environment
    )
    os.close(theirs)
    reader.join(60)
    os.close(ours)
    assert process.returncode in (0, 1, 2)
    return shown.decode().replace("\r\n", "\n")


# --- what is shown ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["extract"], ["label"], ["label", "--json"]])
def test_a_page_cannot_steer_the_terminal(command: list[str], tmp_path: Path, random_model_path: Path) -> None:
    (tmp_path / "page.txt").write_text(f"{STEERING}\n{PROSE}", encoding="utf-8")
    keep = [part for name in LABELS for part in ("--keep", name.value)] if command == ["extract"] else []
    shown = on_a_terminal(*command, "page.txt", *keep, "--model", random_model_path, folder=tmp_path)
    assert "owned" in shown
    assert not RAW.search(shown), RAW.findall(shown)


def test_file_names_cannot_steer_the_terminal(tmp_path: Path, random_model_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    name = STEERING.replace("/", "")[:60]
    for ending in ("txt", "html"):
        (source / f"{name}.{ending}").write_bytes(b"%PDF-1.7")
    for number in range(60):  # more than are listed: the place of the list is named
        (source / f"{number}.txt").write_bytes(b"%PDF-1.7")
    for arguments in (
        ["clean", source, "-o", f"{name}-out", "--model", random_model_path],
        ["extract", source / f"{name}.txt"],
    ):
        shown = on_a_terminal(*arguments, folder=tmp_path)
        assert "owned" in shown
        assert not RAW.search(shown), RAW.findall(shown)


def test_a_pipe_gets_the_text_as_it_stands(tmp_path: Path, random_model_path: Path) -> None:
    program = [sys.executable, "-c", "from extractor.cli import main; main()", "extract", "-", "--model"]
    keep = [part for name in LABELS for part in ("--keep", name.value)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*program, random_model_path, *keep], input=STEERING.encode(), capture_output=True, env=environment, check=True
    )
    assert run.stdout.decode() == STEERING + "\n"


def test_json_is_the_same_value_without_raw_controls(random_model: Model) -> None:
    labelled = label(Page(STEERING + "\ud800", kind="text"), model=random_model)
    text = page_json(labelled)
    assert json.loads(text)["lines"][0]["text"] == STEERING + "\ud800"
    assert not RAW.search(text)
    text.encode()


def test_every_control_is_written_out() -> None:
    controls = "".join(map(chr, (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), 0xD800)))
    assert not RAW.search(printable(controls))
    assert printable(controls).isascii()


# --- what is read ----------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a request left the machine")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)


def test_no_request_leaves_and_no_file_is_read(no_network: None, random_model: Model, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden treasure", encoding="utf-8")
    address = "http://tracker.example/x"
    for page in (
        f'<!DOCTYPE html SYSTEM "{address}.dtd"><p>after',
        f'<!DOCTYPE x [<!ENTITY % p SYSTEM "{address}"> %p;]><p>after',
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]><p>&e; after',
        f'<base href="{address}"><link rel=stylesheet href=a.css><script src=a.js></script><img src=a.png><p>after',
        f'<meta http-equiv=refresh content="0; url={address}"><iframe src="{secret.as_uri()}"></iframe><p>after',
        f'<?xml version="1.0"?><?xml-stylesheet href="{address}"?><x xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{secret.as_uri()}" parse="text"/><p>after</p></x>',
        f'<object data="{secret.as_uri()}"></object><embed src="{address}"><p>after',
    ):
        text = label(page, model=random_model).text(keep=LABELS)
        assert text.endswith("after"), page
        assert "treasure" not in text, page


def test_no_system_call_reaches_for_the_network(tmp_path: Path, random_model_path: Path) -> None:
    """libxml2 would not ask Python's socket module: a fresh process that is told of every audited event."""
    (tmp_path / "page.html").write_text(
        '<!DOCTYPE html SYSTEM "http://tracker.example/x.dtd"><img src="http://tracker.example/p.png"><p>after',
        encoding="utf-8",
    )
    program = (
        "import sys\n"
        "asked = []\n"
        "sys.addaudithook(lambda event, facts: asked.append(event) if event.startswith('socket.') else None)\n"
        "import extractor, resource\n"
        "model = extractor.Model.load(sys.argv[1])\n"
        "content = open(sys.argv[2], 'rb').read()\n"
        "extractor.label(content, model=model)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n"  # from here on nothing can be opened at all
        "assert len(extractor.label(content, model=model).lines) == 1\n"
        "assert not asked, asked\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, random_model_path, tmp_path / "page.html"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )


def test_links_out_of_the_input_are_not_followed(tmp_path: Path, random_model_path: Path) -> None:
    source, outside = tmp_path / "in", tmp_path / "outside"
    for folder in (source, outside):
        folder.mkdir()
    (outside / "secret.txt").write_text("hidden treasure\n", encoding="utf-8")
    (source / "page.txt").write_text("The lamp is lit.\n", encoding="utf-8")
    (source / "file.txt").symlink_to(outside / "secret.txt")
    (source / "folder").symlink_to(outside)
    (source / "up.txt").symlink_to("../outside/secret.txt")
    (source / "chain.txt").symlink_to("up.txt")
    (source / "password.html").symlink_to("/etc/passwd")
    output = tmp_path / "out"
    program = [sys.executable, "-c", "from extractor.cli import main; main()", "clean", source, "-o", output]
    keep = [part for name in LABELS for part in ("--keep", name.value)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*program, *keep, "--model", random_model_path], env=environment, check=True, capture_output=True)
    texts = {path.name: path.read_text(encoding="utf-8") for path in output.rglob("*.txt")}
    assert texts == {"page.txt": "The lamp is lit.\n"}


@needs_corpus_extra
def test_pipes_among_the_pages_hold_nothing_up(tmp_path: Path, random_model_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "page.txt").write_text(PROSE, encoding="utf-8")
    pipes = ["pipe.html", "pipe.jsonl", "pipe.parquet", "pipe.txt.gz", "pipe.warc"]
    for name in pipes:
        os.mkfifo(source / name)
    program = [sys.executable, "-c", "from extractor.cli import main; main()", "clean", source, "-o", tmp_path / "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*program, "--model", random_model_path], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 1, run.stderr
    failed = dict(line.removeprefix("extractor: failed: ").split(": ", 1) for line in run.stderr.splitlines())
    assert sorted(name.removesuffix(":1") for name in failed) == pipes
    assert all(reason.endswith("not a regular file") for reason in failed.values()), failed
    assert "1 page cleaned" in run.stdout


# --- what is written -------------------------------------------------------------------------------


def linked_to_a_victim(path: Path) -> Path:
    victim = path.parent.parent / "victim"
    victim.write_bytes(b"before")
    path.symlink_to(victim)
    return victim


def test_a_link_where_a_run_writes_is_not_followed(tmp_path: Path, random_model_path: Path) -> None:
    work = tmp_path / "work"
    (work / "in").mkdir(parents=True)
    (work / "in" / "page.txt").write_text(PROSE, encoding="utf-8")
    output = work / "out.jsonl"
    victim = linked_to_a_victim(work / ".out.jsonl.part")
    clean_corpus(work / "in", output, CleanSettings(model=random_model_path))
    assert victim.read_bytes() == b"before"
    assert not output.is_symlink()
    assert json.loads(output.read_bytes())["id"] == "page.txt"
    victim = linked_to_a_victim(work / "000000.jsonl.new")
    with part_writer(work / "000000.jsonl", "jsonl", lines=False):
        pass
    assert victim.read_bytes() == b"before"
    assert (work / "000000.jsonl").read_bytes() == b""


def test_a_folder_of_the_output_that_is_a_link_out_of_it_is_not_written(
    tmp_path: Path, random_model_path: Path
) -> None:
    source, output, outside = tmp_path / "in", tmp_path / "out", tmp_path / "outside"
    for folder in (source / "sub" / "deep", source / "here", output / "there", outside / "deep"):
        folder.mkdir(parents=True)
    for name in ("sub/a.txt", "sub/deep/b.txt", "here/c.txt", "d.txt"):
        (source / name).write_text(PROSE, encoding="utf-8")
    (outside / "a.txt").write_bytes(b"before")
    (output / "sub").symlink_to(outside)
    (output / "here").symlink_to("there")  # inside: as its owner wants it
    keep = CleanSettings(model=random_model_path, keep=frozenset(LABELS))
    for filters in (Filters(), Filters(min_words=10**6)):  # what is left out is removed from the output
        finished = clean_corpus(source, output, replace(keep, filters=filters), how=RunSettings(overwrite=True))
        assert {path.name: path.read_bytes() for path in outside.iterdir() if path.is_file()} == {"a.txt": b"before"}
        assert list((outside / "deep").iterdir()) == []
        if not filters.min_words:
            reasons = {page["name"]: page["reason"] for page in finished.run.unwritten()}
            said = "cannot be written: its folder is a link out of the output"
            assert reasons == {"sub/a.txt": said, "sub/deep/b.txt": said}
            assert (output / "there" / "c.txt").read_text(encoding="utf-8") == PROSE


def begun_run(path: Path, shard: bytes) -> RunFolder:
    run = RunFolder(path / "out.jsonl.run", path / "out.jsonl", "jsonl")
    run.begin({}, resume=False)
    (run.path / "pieces" / "000000.jsonl").write_bytes(shard)
    return run


def test_a_journal_of_others_names_no_file_outside_the_run(tmp_path: Path) -> None:
    for part, refused in (("../../secret", True), ("/etc/passwd", True), ("000000-000000000.jsonl", False)):
        run = begun_run(tmp_path, Shard(0, 1, Summary(pages=1), (), part).as_line())
        if refused:
            with pytest.raises(FolderError, match=r"000000\.jsonl: .* is no part of this run; --overwrite begins"):
                list(run.parts(1))
        else:
            assert [path.name for path in run.parts(1)] == [part]


@pytest.mark.parametrize(
    "line", [b"\0" * 64, b"{}", b"[1]", b'"end"', b"7", b'{"first": 0, "summary": 3}', b"\xff", b"[" * 100_000]
)
def test_a_damaged_journal_is_named(tmp_path: Path, line: bytes) -> None:
    run = begun_run(tmp_path, line + b"\n")
    with pytest.raises(FolderError, match=r"000000\.jsonl: damaged .*--overwrite begins the run anew"):
        run.journal(0)


# --- models and tables -----------------------------------------------------------------------------


class Trap:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return pytest.fail, ("a file ran code",)


def small_table(path: Path) -> None:
    from fuzz.targets import small_table

    small_table().save(path)


def test_no_table_runs_code(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    small_table(path)
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in arrays:
        np.savez(path, **{**arrays, name: np.array([Trap()], dtype=object)}, allow_pickle=True)
        with pytest.raises(TableError):
            RepetitionTable.open(path)


def test_no_part_of_a_model_runs_code(tmp_path: Path, random_model_path: Path) -> None:
    with np.load(random_model_path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    path = tmp_path / "model.npz"
    for name in ("card", "cues", "text.first.leaves", "html.check_expected"):
        np.savez(path, **{**arrays, name: np.array([Trap()], dtype=object)}, allow_pickle=True)
        with pytest.raises(ModelError):
            Model.load(path)


@pytest.mark.parametrize("entries", [2, 400])
def test_a_model_that_unfolds_is_refused_before_it_does(tmp_path: Path, entries: int) -> None:
    path = tmp_path / "model.npz"
    data = bytes(LARGEST_MODEL // entries + 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(entries):
            archive.writestr(f"{number}.npy", data)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ModelError, match="it unfolds to"):
        Model.load(path)


def test_a_compressed_table_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "table.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.npy", bytes(1 << 26))
    with pytest.raises(TableError, match="compressed, which no table is"):
        RepetitionTable.open(path)


def test_a_link_where_a_table_is_written_is_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "table.npz"
    victim.write_bytes(b"before")
    path.symlink_to(victim)
    (tmp_path / f"table.npz.{os.getpid()}.tmp").symlink_to(victim)
    small_table(path)
    assert victim.read_bytes() == b"before"
    assert not path.is_symlink()
