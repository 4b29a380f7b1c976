"""Faults of reading, writing, processes and the disk: what is written is whole, and a second run ends in the same.

What `extractor clean` does to a folder; the faults of the other readers and writers stand beside their tests.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from corpus_files import FOLDS, needs_corpus_extra, sample_pages, write_jsonl, write_parquet, write_warc
from extractor import Model, RepetitionTable, TableError
from extractor.characters import read_texts
from extractor.corpus import readers, record_readers, unfolding
from extractor.corpus.folder import find_files
from extractor.corpus.readers import ReadSettings, pieces_of, read_piece
from extractor.corpus.unfolding import open_file
from extractor.counting import PageLines
from extractor.files import write_atomically
from extractor.labelled_pages import write_labelled_page
from extractor.page import Label, Page
from extractor.postings import Postings
from extractor.repetition import RepetitionCounter

ROOT = Path(__file__).parent.parent
PAGES = 800
LINE = "The lamp on the quay is lit again, and the pilots of page {} are glad of it.\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(PAGES):
        (folder / f"{number:04}.txt").write_text(LINE.format(number) * 150, encoding="utf-8")
    return folder


def command(source: Path, output: Path, model: Path, *more: str) -> list[str]:
    program = [sys.executable, "-c", "from extractor.cli import main; main()", "clean", str(source), "-o", str(output)]
    return [*program, "--model", str(model), *(part for label in Label for part in ("--keep", label.value)), *more]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def clean_texts(output: Path) -> dict[str, bytes]:
    """The clean texts of a folder; what begins with "." is not one."""
    found = (path for path in output.rglob("*.txt") if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in found}


def expected(source: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in source.iterdir()}


def start_and_stop(line: list[str], output: Path, sign: int) -> int:
    """Begin to clean, send a signal once some pages are written, and return how it ended."""
    with subprocess.Popen(line, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(clean_texts(output)) < 20 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(sign)
        assert process.stderr is not None
        complaint = process.stderr.read()
        assert b"Traceback" not in complaint
        return process.wait(60)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_whole_texts_and_a_second_one_finishes(
    source: Path, tmp_path: Path, random_model_path: Path, sign: signal.Signals
) -> None:
    output = tmp_path / "out"
    assert start_and_stop(command(source, output, random_model_path), output, sign) != 0
    whole = expected(source)
    written = clean_texts(output)
    assert 0 < len(written) < PAGES
    assert all(whole[name] == text for name, text in written.items())
    again = command(source, output, random_model_path, "--overwrite")
    assert subprocess.run(again, env=environment(), capture_output=True).returncode == 0
    assert clean_texts(output) == whole


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("step", ["write", "rename"])
def test_a_file_that_cannot_be_written_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, step: str
) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"before")

    def fail(file: Path, data: object) -> None:
        with contextlib.suppress(OSError):
            if step == "write":
                os.write(os.open(file, os.O_CREAT | os.O_WRONLY), b"ha")  # a short write before the fault
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(Path, "write_bytes" if step == "write" else "replace", fail)
    with pytest.raises(OSError, match=os.strerror(fault)):
        write_atomically(path, b"after" * 1000)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("text.txt", b"before")]


def full_disk(save: Callable[[Path], object], path: Path) -> None:
    """Save where only a few bytes fit; what was there before stays."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path.write_bytes(b"before")
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [(path.name, b"before")]


def counted(pages: int) -> RepetitionTable:
    with RepetitionCounter() as counter:
        texts = [LINE.format(number) + "Menu\nContact" for number in range(pages)]
        counter.add(PageLines.of(read_texts(texts)), ["quay.example"] * pages)
        return counter.finish()


def test_no_room_for_a_model_a_table_or_labels(tmp_path: Path, random_model: Model) -> None:
    for name, save in (("model", random_model.save), ("table", counted(9).save)):
        folder = tmp_path / name
        folder.mkdir()
        full_disk(save, folder / "file.npz")
    folder = tmp_path / "labels"
    folder.mkdir()
    page = Page(LINE * 9, kind="text")
    full_disk(lambda path: write_labelled_page(path, page, [Label.BODY] * 9), folder / "page.txt")


def test_a_temporary_file_that_is_cut_short_is_noticed(tmp_path: Path) -> None:
    rows = np.arange(5_000, dtype=np.uint64) << np.uint64(50)
    with Postings((np.uint64, np.int32), 100, tmp_path) as postings:
        postings.add(rows, np.arange(5_000, dtype=np.int32))
        assert postings.spilled
        assert postings._file is not None
        postings._file.truncate(10_000)
        with pytest.raises(OSError, match="cut short"):
            list(postings.partitions())


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_table_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "table.npz"
    counted(30).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(TableError, match="not a repetition table, or a damaged one"):
        RepetitionTable.open(path)


class Failing(io.RawIOBase):
    """A file whose disk fails after some bytes."""

    def __init__(self, file: BinaryIO, good: int) -> None:
        self._file, self._good = file, good

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), 512)
        if self._file.tell() + size > self._good:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return self._file.readinto(memoryview(buffer)[:size])  # type: ignore[attr-defined]


@needs_corpus_extra
@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("name", ["x.jsonl", "x.warc", "x.parquet", "x.txt"])
def test_a_disk_that_fails_while_it_is_read(name: str, fold: str, tmp_path: Path, monkeypatch: Any) -> None:
    """What was read before is whole, and one record says that it cannot be read on."""
    pages = sample_pages(".txt", 6)
    write = {"x.jsonl": write_jsonl, "x.warc": write_warc, "x.parquet": write_parquet}.get(name)
    path = tmp_path / f"{name}{fold}"
    if write is None:
        path.write_bytes(FOLDS[fold](pages[0].content))
    else:
        write(path, pages, fold)
    contents = {page.content for page in pages}
    for share in (0.0, 0.5, 0.9):
        good = int(path.stat().st_size * share)

        def failing(path: Path, good: int = good) -> BinaryIO:
            return io.BufferedReader(Failing(open_file(path), good))  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            for module in (unfolding, record_readers, readers):  # loaded by now: what is first loaded here keeps it
                patch.setattr(module, "open_file", failing)
            settings = ReadSettings()
            (file,) = find_files(tmp_path)
            records = [record for piece in pieces_of([file], settings) for record in read_piece(piece, settings)]
        *read, last = records
        assert last.problem is not None
        assert os.strerror(errno.EIO) in last.problem.reason
        for record in read:
            content = record.content.encode() if isinstance(record.content, str) else record.content
            assert content in contents


SHORT_OF_MEMORY = """
import os
from extractor.corpus.memory import at_most
from extractor.html import parse_html

row = "<div class=c{0}><p>Lamp {0} on the quay is lit again.<a href='/{0}'>more</a></p></div>"
page = "<div>" * DEPTH + "".join(map(row.format, range(20_000))) + "</div>" * DEPTH
parse_html("<p>what is loaded once is loaded")
for mebibytes in range(24):
    if not os.fork():  # each in a process that has freed nothing yet
        try:
            with at_most((mebibytes << 20) + 1):
                read = len(parse_html(page).texts)
        except MemoryError:
            read = "refused"
        print(read, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits the memory of a process")
@pytest.mark.parametrize("depth", [1, 40_000], ids=["whole", "in parts"])
def test_a_page_that_memory_is_short_for_is_refused_and_never_cut(depth: int) -> None:
    program = SHORT_OF_MEMORY.replace("DEPTH", str(depth))
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment())
    assert finished.stderr == ""
    assert set(finished.stdout.split()) == {"refused", "20000"}
