"""How far a run is: what its journals say while it works, what a terminal shows, and that nothing else is shown."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from corpus_files import FOLDS, needs_corpus_extra, sample_pages, write_folder, write_jsonl, write_parquet, write_warc
from extractor.corpus.batch import CleanSettings
from extractor.corpus.clean import Job, clean_pieces
from extractor.corpus.folder import input_files
from extractor.corpus.following import Follower, Reached
from extractor.corpus.readers import ReadSettings, pieces_of, read_piece
from extractor.corpus.run_folder import RunFolder

ROOT = Path(__file__).parent.parent


@needs_corpus_extra
@pytest.mark.parametrize("name", ["folder", "x.jsonl", "x.jsonl.gz", "x.parquet", "x.wet", "x.wet.gz"])
def test_a_run_is_followed_to_its_end(name: str, tmp_path: Path, random_model_path: Path) -> None:
    pages = sample_pages(".txt", 12)
    fold = ".gz" if name.endswith(".gz") else ""
    write = {"folder": write_folder, "jsonl": write_jsonl, "parquet": write_parquet, "wet": write_warc}
    source = write[name.removesuffix(".gz").rpartition(".")[2]](tmp_path / name, pages, fold)
    pieces = pieces_of(input_files(source), ReadSettings())
    run = RunFolder(tmp_path / "out.run", tmp_path / "out.jsonl", "jsonl")
    run.begin({}, resume=False)
    whole = sum(piece.size for piece in pieces)
    follower = Follower(run, pieces)
    seen = [follower.look()]
    done = clean_pieces(pieces, Job(run, CleanSettings(model=random_model_path), shard=2))
    seen.extend(follower.look() for _ in done)
    assert seen == sorted(seen)
    assert seen[0] == Reached(0, 0.0)
    assert (seen[-1].pages, seen[-1].size) == (12, pytest.approx(whole))
    if name in ("folder", "x.jsonl", "x.parquet"):  # so small an archive, or folded file, is read at once
        assert any(0 < reached.size < whole for reached in seen)
    assert Follower(run, pieces).look() == pytest.approx(seen[-1])


def test_a_line_that_is_half_written_is_looked_at_again(tmp_path: Path) -> None:
    pages = write_folder(tmp_path / "in", sample_pages(".txt", 4))
    pieces = pieces_of(input_files(pages), ReadSettings(), pages=2)
    run = RunFolder(tmp_path / "out.run", tmp_path / "out", "folder")
    run.begin({}, resume=False)
    follower = Follower(run, pieces)
    run.journal_path(1).write_bytes(b'"do')
    assert follower.look().size == 0
    run.journal_path(1).write_bytes(b'"done"\n')
    assert follower.look().size == pieces[1].size


def start_clean(folder: Path, model: Path, jobs: int, stderr: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "extractor", "clean", "in", "-o", f"out{jobs}.jsonl", "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"}
    return subprocess.Popen(
        [*command, "--model", str(model)], cwd=folder, env=environment, stdout=subprocess.PIPE,
        stderr=stderr,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal to show it on")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_terminal_shows_how_far_it_is_and_nothing_else_does(
    jobs: int, tmp_path: Path, random_model_path: Path
) -> None:
    import pty

    pages = sample_pages(".txt", 8)
    (tmp_path / "in").mkdir()
    for number in range(300):
        (tmp_path / "in" / f"{number}.txt").write_bytes(pages[number % 8].content)
    ours, theirs = pty.openpty()
    with start_clean(tmp_path, random_model_path, jobs, theirs) as process:
        os.close(theirs)
        shown = read_terminal(ours)
        assert process.stdout is not None
        output = process.stdout.read()
    assert process.returncode == 0, shown
    assert re.search(r"cleaning .* pages.*\d:\d\d:\d\d.* left ", shown)
    assert "counting" in shown
    assert re.search(r" 300 pages.*, [\d,]+/s", shown)
    assert b"left" not in output
    with start_clean(tmp_path, random_model_path, 3 - jobs, subprocess.PIPE) as process:
        assert process.communicate()[1] == b""


def read_terminal(descriptor: int) -> str:
    """All that was written to a terminal whose other end is closed."""
    shown = io.BytesIO()
    while True:
        try:
            part = os.read(descriptor, 1 << 16)
        except OSError:  # how Linux says that there is no more
            part = b""
        if not part:
            os.close(descriptor)
            return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", shown.getvalue().decode("utf-8", "replace"))
        shown.write(part)


@needs_corpus_extra
def test_every_fold_says_how_much_of_it_is_read(tmp_path: Path) -> None:
    pages = sample_pages(".txt", 12)
    for fold in FOLDS:
        path = write_jsonl(tmp_path / f"x.jsonl{fold}", pages * 40, fold)
        (piece,) = pieces_of(input_files(path), ReadSettings())
        read = [record.read for record in read_piece(piece, ReadSettings())]
        assert read == sorted(read)
        assert 0 < read[0] <= read[-1] == path.stat().st_size
