"""A run over a corpus as a user starts it: outputs, filters, accounts, and what happens when it is ended anyhow."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from corpus_files import needs_corpus_extra, response, sample_pages, warc_record, write_folder, write_jsonl
from extractor import Label, Model, Page, label, label_many
from extractor.corpus.batch import CleanSettings, Filters, clean_batch, count_words
from extractor.corpus.clean import Job, RunError, clean_pieces
from extractor.corpus.finishing import reported_summary
from extractor.corpus.folder import FolderError, RecordFile
from extractor.corpus.memory import LEAST, at_most, each_at_most, share_of_memory
from extractor.corpus.preparation import RepetitionSettings
from extractor.corpus.readers import Piece, ReadSettings
from extractor.corpus.records import Record, Status, Summary
from extractor.corpus.run import Finished, RunSettings, clean_corpus
from extractor.corpus.run_folder import Journal, RunFolder

ROOT = Path(__file__).parent.parent
Start = Callable[..., "subprocess.Popen[bytes]"]
NONE = RepetitionSettings(own_table=False)
KILLED_BY = b"This page ends the process"
# what a process does that loads this, when it is to clean the page
AT_THE_PAGE = f"""
import os, signal, time
from extractor.corpus import clean
work = clean.clean_batch
def clean_batch(records, *others):
    if any({KILLED_BY!r} in (record.content or b"") for record in records):
        ACTION
    return work(records, *others)
clean.clean_batch = clean_batch
"""
# as a fault in a library ends it
FATAL = AT_THE_PAGE.replace("ACTION", "os.kill(os.getpid(), signal.SIGKILL)")
# the same while lines are counted: what a page is made of is found out then as well
FATAL_TO_COUNT = (
    FATAL
    + f"""
from extractor.corpus import repeated
text = repeated._text
def _text(record):
    if {KILLED_BY!r} in (record.content or b""):
        os.kill(os.getpid(), signal.SIGKILL)
    return text(record)
repeated._text = _text
"""
)
# as a worker that grows without end: until it is stopped, then as it was
GROWS = "[bytes(1 << 24) for _ in iter(int, 1)]"
# and never the same again
GROWS_AND_KEEPS = 'kept.extend(b"x" * (1 << 24) for _ in iter(int, 1))'
# while a page is read, labelled, cleaned, counted
GROWING = {
    "read": f"""
from extractor.corpus import readers
kept = []
read_page = readers._read_page
def _read_page(*arguments):
    record = read_page(*arguments)
    if {KILLED_BY!r} in (record.content or b""):
        ACTION
    return record
readers._read_page = _read_page
""",
    "labelled": f"""
from extractor.corpus import batch
kept = []
label_many = batch.label_many
def growing(pages, **others):
    if any({KILLED_BY!r} in page.content for page in pages):
        ACTION
    return label_many(pages, **others)
batch.label_many = growing
""",
    "cleaned": "kept = []" + AT_THE_PAGE,
    "counted": f"""
from extractor.corpus import repeated
kept = []
text = repeated._text
def _text(record):
    if {KILLED_BY!r} in (record.content or b""):
        ACTION
    return text(record)
repeated._text = _text
""",
}
# as Ctrl-C at a terminal reaches all processes of a run
CTRL_C = AT_THE_PAGE.replace("ACTION", "os.killpg(0, signal.SIGINT); time.sleep(60)")


@pytest.fixture
def start(tmp_path: Path, random_model_path: Path) -> Start:
    """Starts `extractor clean in` in a folder of its own; its processes load sitecustomize.py if that is there."""

    def start(*arguments: object, counted: bool = False, **options: object) -> subprocess.Popen[bytes]:
        program = [sys.executable, "-W", "error", "-c", "from extractor.cli import main; main()", "clean", "in"]
        variables = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "COLUMNS": "80"}
        command = [*program, *map(str, arguments), "--model", str(random_model_path)]
        command += [] if counted else ["--no-own-repetition"]
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True, **options}
        return subprocess.Popen(command, cwd=tmp_path, env=variables, **settings)

    return start


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "in", sample_pages(".txt", 6) + sample_pages(".html", 3))


@pytest.fixture
def settings(random_model_path: Path) -> CleanSettings:
    return CleanSettings(model=random_model_path)


def many_pages(folder: Path, count: int) -> None:
    pages = sample_pages(".txt", 8)
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.txt").write_bytes(pages[number % 8].content)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(path: Path) -> list[dict[str, object]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.decode().splitlines()]


def unwritten(finished: Finished) -> dict[str, tuple[str, str]]:
    return {page["name"]: (page["status"], page["reason"]) for page in finished.run.unwritten()}


def report(output: Path) -> dict[str, object]:
    return json.loads(output.with_name(f"{output.name}.run").joinpath("report.json").read_text(encoding="utf-8"))


# --- what is written --------------------------------------------------------------------------------


def test_a_record_has_all_that_is_known_of_a_page(source: Path, tmp_path: Path, settings: CleanSettings) -> None:
    output = tmp_path / "out.jsonl"
    clean_corpus(source, output, CleanSettings(model=settings.model, lines=True))
    model = Model.load(settings.model)
    found = rows(output)
    assert [row["id"] for row in found] == sorted(path.name for path in source.iterdir())
    for row in found:
        path = source / str(row["id"])
        page = label(Page(path.read_bytes(), kind="html" if path.suffix == ".html" else "text"), model=model)
        assert (row["text"], row["title"], row["kind"]) == (page.text(), page.title, page.kind)
        assert (row["encoding"], row["status"]) == ("utf-8", "ok" if page.text() else "empty")
        assert [run["label"] for run in row["labels"] for _ in range(run["lines"])] == list(page.labels)
        body = sum(len(line.text) for line in page.lines if line.label == "body")
        assert row["kept"] == pytest.approx(body / sum(len(line.text) for line in page.lines), abs=1e-4)
        assert [(line["number"], line["text"], line["label"]) for line in row["lines"]] == [
            (line.number, line.text, line.label) for line in page.lines
        ]


@needs_corpus_extra
def test_all_formats_hold_the_same(source: Path, tmp_path: Path, settings: CleanSettings) -> None:
    import pyarrow.parquet as pq
    import zstandard

    names = ("jsonl", "jsonl.gz", "jsonl.zst", "parquet")
    for lines in (False, True):
        asked = CleanSettings(model=settings.model, lines=lines)
        for name in names:
            how = RunSettings(overwrite=True, piece_pages=2, batch=1 if name == "parquet" else 5)
            clean_corpus(source, tmp_path / f"o.{name}", asked, how=how)
        expected = rows(tmp_path / "o.jsonl")
        assert len(expected) == 9
        assert rows(tmp_path / "o.jsonl.gz") == expected
        folded = (tmp_path / "o.jsonl.zst").open("rb")
        with zstandard.ZstdDecompressor().stream_reader(folded, read_across_frames=True) as stream:
            assert [json.loads(line) for line in stream.read().splitlines()] == expected
        assert pq.read_table(tmp_path / "o.parquet").to_pylist() == expected


def test_records_are_written_as_text_by_their_numbers(tmp_path: Path, settings: CleanSettings) -> None:
    pages = [page._replace(id="../../../escaped") for page in sample_pages(".txt", 3)]
    (tmp_path / "in").mkdir()
    write_jsonl(tmp_path / "in" / "x.jsonl", pages)
    before = set(files(tmp_path))
    clean_corpus(tmp_path / "in", tmp_path / "out", settings)
    written = {name for name in set(files(tmp_path)) - before if not name.startswith("out.run/")}
    assert written == {f"out/x.jsonl/000000{number}.txt" for number in (1, 2, 3)}
    texts = [page.text() for page in label_many([page.text for page in pages], model=Model.load(settings.model))]
    assert [data.decode() for _, data in sorted(files(tmp_path / "out").items())] == [f"{text}\n" for text in texts]


@needs_corpus_extra
def test_names_inside_files_are_never_paths(tmp_path: Path, settings: CleanSettings) -> None:
    (tmp_path / "in").mkdir()
    urls = ("file:///../../a", "http://a.example/../../../../b", "../c", "/d\x00e")
    records = [response(f"../{url}", url, b"<p>The lamp is lit.") for url in urls]
    records.append(warc_record("resource", b"/etc/x", b"The lamp.", "text/plain", "/f"))
    (tmp_path / "in" / "x.warc").write_bytes(b"".join(records))
    for output in ("out", "out.jsonl"):
        before = set(files(tmp_path))
        assert clean_corpus(tmp_path / "in", tmp_path / output, settings, NONE).summary.records == 5
        new = set(files(tmp_path)) - before
        assert all(name.startswith((f"{output}/x.warc/0", f"{output}.run/")) or name == output for name in new)


@pytest.mark.parametrize("output", ["out.jsonl", "out"])
def test_half_characters_are_written_as_question_marks(output: str, tmp_path: Path, settings: CleanSettings) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "The \\ud83d lamp on the quay is lit again.", "id": "\\udc00"}\n')
    everything = CleanSettings(keep=frozenset(Label), model=settings.model)
    clean_corpus(tmp_path / "in.jsonl", tmp_path / output, everything)
    path = tmp_path / output
    assert b"The ? lamp" in (path if path.is_file() else path / "in.jsonl" / "0000001.txt").read_bytes()


def test_a_second_run_in_another_folder_with_relative_paths(
    tmp_path: Path, settings: CleanSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        write_folder(folder / "in", sample_pages(".txt", 5))
        shutil.copy(settings.model, folder / "model.npz")
        monkeypatch.chdir(folder)
        # processes live on from the first run to the second, and stay in the folder where they began
        how = RunSettings(jobs=2, piece_pages=2)
        clean_corpus(Path("in"), Path("out"), CleanSettings(model=Path("model.npz")), None, how)
        clean_corpus(Path("in"), Path("out.jsonl"), CleanSettings(model=Path("model.npz")), how=how)
        assert len(files(folder / "out")) == len(rows(folder / "out.jsonl")) == 5
        assert report(folder / "out")["input"] == "in"
        assert (report(folder / "out")["output"], report(folder / "out.jsonl")["output"]) == ("out", "out.jsonl")


# --- filters and accounts ---------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["kind", "words", "removed"])
def test_pages_that_are_filtered_out_are_listed(source: Path, tmp_path: Path, what: str) -> None:
    clean_corpus(source, tmp_path / "all.jsonl", CleanSettings())
    every = {str(row["id"]): row for row in rows(tmp_path / "all.jsonl")}
    measures = {
        "kind": {name: row["kind"] == every["page-forum_fr.html"]["kind"] for name, row in every.items()},
        "words": {name: count_words(str(row["text"])) for name, row in every.items()},
        "removed": {name: row["kept"] for name, row in every.items()},
    }[what]
    # half of the pages, or those of one kind
    values = sorted(set(measures.values()))
    least = True if what == "kind" else sum(values[len(values) // 2 - 1 :][:2]) / 2
    filters = {
        "kind": Filters(kinds=frozenset((str(every["page-forum_fr.html"]["kind"]),))),
        "words": Filters(min_words=math.ceil(least)),
        "removed": Filters(max_removed=1 - least),
    }[what]
    finished = clean_corpus(source, tmp_path / "some.jsonl", CleanSettings(filters=filters))
    some, listed = {row["id"] for row in rows(tmp_path / "some.jsonl")}, unwritten(finished)
    assert some == {name for name, measure in measures.items() if measure >= least}
    assert listed.keys() == every.keys() - some != set()
    assert all(status == "left-out" and what in reason for status, reason in listed.values())


def test_every_page_is_accounted_for(source: Path, tmp_path: Path, settings: CleanSettings) -> None:
    (source / "photo.html").write_bytes(b"\x89PNG\r\n\x1a\n")
    (source / "gone.txt").symlink_to(source / "nowhere.txt")
    (source / "long.txt").write_bytes(b"a long page " * 10_000)
    (source / "blank.txt").write_bytes(b"\n")
    (source / "x.jsonl").write_text('{"text": "one"}\nbroken\n{"text": "two"}\n', encoding="utf-8")
    asked = CleanSettings(model=settings.model, reading=ReadSettings(max_bytes=100_000))
    finished = clean_corpus(source, tmp_path / "out.jsonl", asked)
    listed = unwritten(finished)
    assert {name: status for name, (status, _) in listed.items()} == {
        "gone.txt": "error",
        "long.txt": "too-large",
        "photo.html": "undecodable",
        "x.jsonl:2": "undecodable",
    }
    found = report(tmp_path / "out.jsonl")
    assert found["pages"] == 9 + 4 + 3 == len(rows(tmp_path / "out.jsonl")) + len(listed)
    assert sum(found["statuses"].values()) == found["pages"]
    assert found["statuses"]["empty"] == sum(row["status"] == "empty" for row in rows(tmp_path / "out.jsonl"))


def test_a_page_that_is_lost_stops_the_run(source: Path, tmp_path: Path, settings: CleanSettings, monkeypatch) -> None:
    monkeypatch.setattr("extractor.corpus.writers.JsonWriter.write", lambda self, results: results[1:])
    with pytest.raises(RunError, match=r"9 pages read, 8 accounted for"):
        clean_corpus(source, tmp_path / "out.jsonl", settings)
    assert not (tmp_path / "out.jsonl").exists()


@needs_corpus_extra
@pytest.mark.parametrize("output", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet"])
@pytest.mark.parametrize("change", ["cut", "emptied"])
def test_a_part_that_was_lost_before_it_was_joined_stops_the_run(
    source: Path, tmp_path: Path, settings: CleanSettings, monkeypatch, output: str, change: str
) -> None:
    ends = clean_pieces

    def clean_and_lose(*arguments: object, **named: object) -> Iterator[Summary]:
        yield from ends(*arguments, **named)
        part = min((tmp_path / f"{output}.run" / "pieces").glob("*-*"))
        part.write_bytes(part.read_bytes()[:-20] if change == "cut" else b"")

    monkeypatch.setattr("extractor.corpus.run.clean_pieces", clean_and_lose)
    with pytest.raises(RunError, match=r"its parts hold \d of 9 pages that were written"):
        clean_corpus(source, tmp_path / output, settings, how=RunSettings(shard=2))
    assert not (tmp_path / output).exists()


def test_a_report_holds_the_summary(source: Path, tmp_path: Path, settings: CleanSettings) -> None:
    (source / "photo.html").write_bytes(b"\x89PNG\r\n\x1a\n")
    (source / "blank.txt").write_bytes(b"\n")
    asked = CleanSettings(model=settings.model, filters=Filters(max_removed=0.9))
    finished = clean_corpus(source, tmp_path / "out", asked)
    found = report(tmp_path / "out")
    assert list(found) == [
        "extractor", "input", "output", "pages", "statuses", "lines", "characters", "groups_of_copies"
    ]  # fmt: skip
    assert list(found["statuses"]) == [status.value for status in Status]
    assert reported_summary(found) == finished.summary
    assert (finished.summary.failed, finished.summary.records) == (1, 11)
    assert sum(found["lines"]["body"].values()) == finished.summary.kept[0] + finished.summary.dropped[0]


def test_a_page_that_cannot_be_labelled_is_found_by_halving(random_model: Model, monkeypatch) -> None:
    def label_all_but_one(pages, **others):
        if any(page.content == "bad" for page in pages):
            raise ValueError("no page")
        return label_many(pages, **others)

    monkeypatch.setattr("extractor.corpus.batch.label_many", label_all_but_one)
    records = [Record(str(place), place, "bad" if place in (3, 8) else f"page {place}") for place in range(11)]
    results = clean_batch(records, CleanSettings(), random_model)
    assert [result.name for result in results] == [record.name for record in records]
    assert [result.name for result in results if result.status is Status.ERROR] == ["3", "8"]
    assert results[3].reason == "ValueError: no page"


def test_what_an_earlier_run_wrote_of_a_page_that_is_left_out_goes(source: Path, tmp_path: Path) -> None:
    clean_corpus(source, tmp_path / "out", CleanSettings())
    again = CleanSettings(filters=Filters(min_words=10_000))
    clean_corpus(source, tmp_path / "out", again, how=RunSettings(overwrite=True))
    assert files(tmp_path / "out") == {}


# --- what is refused --------------------------------------------------------------------------------


def test_what_is_refused_before_any_work(source: Path, tmp_path: Path, settings: CleanSettings) -> None:
    (tmp_path / "taken.jsonl").write_text("mine")
    (tmp_path / "other.run").mkdir()
    (tmp_path / "other.run" / "mine").write_text("mine")
    before = files(tmp_path)
    lines = CleanSettings(model=settings.model, lines=True)
    for output, asked, message in (
        ("taken.jsonl", settings, "exists already; give --overwrite or another name"),
        ("other", settings, "in the way of what a run keeps"),
        ("text", lines, "has no place for the lines; give OUT.jsonl"),
        ("in/../in", settings, "both input and output"),
        ("out.csv", settings, r"no ending of an output; give a folder, or a file that ends in \.jsonl, "),
        ("out.JSON.bz2", settings, "no ending of an output"),
    ):
        with pytest.raises(FolderError, match=message):
            clean_corpus(source, tmp_path / output, asked)
    with pytest.raises(FolderError, match="both input and output"):
        clean_corpus(write_jsonl(tmp_path / "i.jsonl", sample_pages(".txt", 1)), tmp_path / "i.jsonl", settings)
    (tmp_path / "i.jsonl").unlink()
    assert files(tmp_path) == before


def test_an_output_inside_the_input_is_no_input(source: Path, settings: CleanSettings) -> None:
    for _ in range(2):
        finished = clean_corpus(source, source / "out.jsonl", settings, how=RunSettings(overwrite=True))
        assert finished.summary.records == 9


def test_a_folder_that_cannot_be_written(source: Path, tmp_path: Path, settings: CleanSettings, monkeypatch) -> None:
    (tmp_path / "out").mkdir()
    # by permission root may write everywhere, so say that it may not
    monkeypatch.setattr("extractor.corpus.run.os.access", lambda path, mode: Path(path) != tmp_path / "out")
    with pytest.raises(FolderError, match=r"out: cannot be written \(Permission denied\); give another output"):
        clean_corpus(source, tmp_path / "out", settings)
    assert not (tmp_path / "out.run").exists()


@pytest.mark.parametrize("name", ["out", "out.jsonl"])
def test_a_place_that_cannot_be_written(source: Path, tmp_path: Path, settings: CleanSettings, name: str) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FolderError, match=r"cannot be written \(Not a directory\); give another output"):
        clean_corpus(source, tmp_path / "file" / name, settings)


# --- ended and continued ----------------------------------------------------------------------------


def test_a_run_goes_on_only_as_it_began(source: Path, tmp_path: Path, settings: CleanSettings, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    go_on = RunSettings(resume=True)
    monkeypatch.setattr("extractor.corpus.run.finish", fail)
    with pytest.raises(KeyboardInterrupt):
        clean_corpus(source, tmp_path / "out", settings, how=go_on)
    monkeypatch.undo()
    with pytest.raises(FolderError, match="an unfinished run; --resume continues it, --overwrite begins anew"):
        clean_corpus(source, tmp_path / "out", settings)
    with pytest.raises(FolderError, match=r"begun with another headline \(true, now false\)"):
        clean_corpus(source, tmp_path / "out", CleanSettings(headline=False, model=settings.model), how=go_on)
    with pytest.raises(FolderError, match="begun with another model"):
        clean_corpus(source, tmp_path / "out", CleanSettings(), how=go_on)
    page = next(source.glob("*.txt"))
    content = page.read_bytes()
    page.write_bytes(content + b"more")
    with pytest.raises(FolderError, match=rf"inputs have changed since the run began \({page.name}\)"):
        clean_corpus(source, tmp_path / "out", settings, how=go_on)
    page.unlink()
    with pytest.raises(FolderError, match="inputs have changed"):
        clean_corpus(source, tmp_path / "out", settings, how=go_on)
    page.write_bytes(content)
    assert clean_corpus(source, tmp_path / "out", settings, how=RunSettings(overwrite=True)).summary.pages == 9
    written = files(tmp_path)
    again = clean_corpus(source, tmp_path / "out", settings, how=go_on)
    assert (again.summary.pages, again.before) == (9, True)
    assert files(tmp_path) == written
    shutil.rmtree(tmp_path / "out")
    with pytest.raises(FolderError, match="out: gone since the run was finished; --overwrite makes it anew"):
        clean_corpus(source, tmp_path / "out", settings, how=go_on)


def test_a_journal_that_was_written_half(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b'{"first": 0, "st')
    with Journal.locked(tmp_path / "journal") as journal:
        assert (journal.end, journal.done) == (0, False)
        journal.finish()
    assert (tmp_path / "journal").read_bytes() == b'"done"\n'


def kill_and_continue(start: Start, tmp_path: Path, output: str, moments: int, pages: int) -> None:
    """Run, killed at random moments and continued; the output must be that of a run that is left alone."""
    chance = random.Random(moments)
    pieces = tmp_path / f"{output}.run" / "pieces"
    groups = []
    options = ("-o", output)
    for moment in range(moments):
        # moments all over the run: so many shards are done, or a while after the start of the process
        shards = chance.randrange(pages // 256)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = start(*options, "--resume", "--jobs", 1 + moment % 2, counted=True, **quiet)
        while process.poll() is None and done(pieces) < shards:
            time.sleep(0.01)
        time.sleep(chance.random() / 5)
        # every other time its workers live on, and end the piece that they have begun
        (os.kill if moment % 4 == 1 else os.killpg)(process.pid, signal.SIGKILL)
        process.wait()
        groups.append(process.pid)
    process = start(*options, "--resume", counted=True)
    assert (process.communicate()[1], process.returncode) == (b"", 0)
    for group in groups:  # workers that live on wait five minutes for work
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    whole = f"whole-{output}"
    assert code(start("-o", whole, counted=True)) == 0
    if (tmp_path / output).is_dir():
        assert files(tmp_path / output) == files(tmp_path / whole)
        assert len(files(tmp_path / output)) == pages + 1
    else:
        assert (tmp_path / output).read_bytes() == (tmp_path / whole).read_bytes()


def code(process: subprocess.Popen[bytes]) -> int:
    """How a process ends."""
    process.communicate()
    return process.returncode


def done(pieces: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in pieces.glob("*.jsonl")) if pieces.exists() else 0


@pytest.mark.parametrize("output", ["out", "out.jsonl.gz"])
def test_killed_twice_and_continued(start: Start, tmp_path: Path, output: str) -> None:
    many_pages(tmp_path / "in", 1024)
    kill_and_continue(start, tmp_path, output, 2, 1024)


@pytest.mark.soak
@needs_corpus_extra
@pytest.mark.parametrize("output", ["out", "out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet"])
def test_killed_ten_times_and_continued(start: Start, tmp_path: Path, output: str) -> None:
    many_pages(tmp_path / "in", 4096)
    kill_and_continue(start, tmp_path, output, 10, 4096)


@pytest.mark.parametrize(
    ("pages", "fatal"), [(4, (2,)), pytest.param(24, (5, 23), marks=pytest.mark.soak)], ids=["one", "two"]
)
def test_a_page_that_ends_its_process_is_found(start: Start, tmp_path: Path, pages: int, fatal: Sequence[int]) -> None:
    many_pages(tmp_path / "in", pages)
    for number in fatal:
        (tmp_path / "in" / f"{number:05}.txt").write_bytes(KILLED_BY)
    (tmp_path / "sitecustomize.py").write_text(FATAL)
    process = start("-o", "out.jsonl", "--jobs", 2)
    output, errors = process.communicate()
    assert process.returncode == 1, errors
    assert errors.decode().splitlines() == [
        f"extractor: failed: {number:05}.txt: ended the process that worked on it" for number in fatal
    ]
    assert f"{pages - len(fatal)} pages cleaned" in output.decode()
    assert [row["id"] for row in rows(tmp_path / "out.jsonl")] == [
        f"{number:05}.txt" for number in range(pages) if number not in fatal
    ]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_page_that_ends_the_process_that_counts_is_found(start: Start, tmp_path: Path, jobs: int) -> None:
    many_pages(tmp_path / "in", 5)
    (tmp_path / "in" / "00003.txt").write_bytes(KILLED_BY)
    (tmp_path / "sitecustomize.py").write_text(FATAL_TO_COUNT)
    options = ("-o", "out.jsonl", "--jobs", jobs)
    if (
        jobs == 1
    ):  # there is no other process to go on: the same command does, ended while it counts and while it cleans
        options = (*options, "--resume")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # workers that live on would hold pipes
        assert [start(*options, counted=True, **quiet).wait() for _ in range(2)] == [-signal.SIGKILL] * 2
    process = start(*options, counted=True)
    _, errors = process.communicate()
    assert process.returncode == 1, errors
    assert errors.decode() == "extractor: failed: 00003.txt: ended the process that worked on it\n"
    assert [row["id"] for row in rows(tmp_path / "out.jsonl")] == [f"0000{number}.txt" for number in (0, 1, 2, 4)]


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits the memory of a process")
@pytest.mark.parametrize(
    ("where", "action", "jobs"),
    [
        ("read", GROWS, 1),
        ("labelled", GROWS, 1),
        ("labelled", GROWS_AND_KEEPS, 2),
        ("cleaned", GROWS, 1),
        ("counted", GROWS_AND_KEEPS, 2),
        *(
            pytest.param(*case, marks=pytest.mark.soak)
            for case in (
                ("read", GROWS_AND_KEEPS, 2),
                ("labelled", GROWS, 2),
                ("labelled", GROWS_AND_KEEPS, 1),
                ("cleaned", GROWS, 2),
                ("cleaned", GROWS_AND_KEEPS, 1),
                ("cleaned", GROWS_AND_KEEPS, 2),
                ("counted", GROWS, 1),
                ("counted", GROWS, 2),
                ("counted", GROWS_AND_KEEPS, 1),
            )
        ),
    ],
    ids=lambda value: {GROWS: "grows", GROWS_AND_KEEPS: "keeps"}.get(value, str(value)),
)
def test_a_page_that_takes_memory_without_end_is_found(
    start: Start, tmp_path: Path, where: str, action: str, jobs: int
) -> None:
    many_pages(tmp_path / "in", 5)
    (tmp_path / "in" / "00003.txt").write_bytes(KILLED_BY)
    (tmp_path / "sitecustomize.py").write_text(GROWING[where].replace("ACTION", action))
    counted = where == "counted"
    process = start("-o", "out.jsonl", "--page-memory", 256, "--jobs", jobs, counted=counted)
    _, errors = process.communicate()
    assert errors.decode() == {
        ("labelled", GROWS): "extractor: failed: 00003.txt: takes more memory than it may; --page-memory allows more\n",
        ("counted", GROWS): "",
        ("counted", GROWS_AND_KEEPS): "",  # it was not counted, so it is no evidence; labelled it was all the same
    }.get((where, action), "extractor: failed: 00003.txt: ended the process that worked on it\n")
    cleaned = [number for number in range(5) if number != 3 or counted]
    assert process.returncode == (0 if counted else 1)
    assert [row["id"] for row in rows(tmp_path / "out.jsonl")] == [f"0000{number}.txt" for number in cleaned]
    assert report(tmp_path / "out.jsonl")["pages"] == 5


def test_what_a_step_may_take_grows_with_the_machine_and_is_never_little() -> None:
    assert share_of_memory(1) >= share_of_memory(2) >= share_of_memory(1 << 20) == LEAST


@pytest.mark.skipif(sys.platform != "linux", reason="no other system limits the memory of a process")
def test_a_limit_holds_for_a_step_only() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with at_most(0):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
    with at_most(1 << 28):
        assert len(bytes(1 << 27)) == 1 << 27
        with pytest.raises(MemoryError):
            bytes(1 << 29)
    steps = each_at_most(1 << 28, iter([1, 2]))
    for _ in steps:
        assert resource.getrlimit(resource.RLIMIT_DATA) == before
        assert len(bytes(1 << 29)) == 1 << 29


def test_what_is_given_up_of_a_file_is_one_notice_whatever_it_claims(
    tmp_path: Path, settings: CleanSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extractor.corpus.clean._survives", lambda *_: False)
    monkeypatch.setattr("extractor.corpus.clean.MOST_DEATHS", 3)
    file = RecordFile(tmp_path / "x.parquet", "x.parquet", "parquet")
    run = RunFolder(tmp_path / "out.run", tmp_path / "out.jsonl", "jsonl")
    run.begin({}, resume=False)
    with run.work_on(0):  # as a process does that ends at once
        pass
    summaries = list(clean_pieces([Piece((file,), records=1 << 40)], Job(run, settings)))
    assert sum(summary.failed for summary in summaries) == 1
    journal = run.journal(0)
    assert (journal.done, journal.end, journal.summary.failed) == (True, 1 << 40, 1)
    assert journal.shards[-1].unwritten[0]["name"] == "x.parquet:1"
    assert "given up with what follows it" in journal.shards[-1].unwritten[0]["reason"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_the_run_with_one_line(start: Start, tmp_path: Path, jobs: int) -> None:
    many_pages(tmp_path / "in", 600)
    (tmp_path / "in" / "00300.txt").write_bytes(KILLED_BY)
    (tmp_path / "sitecustomize.py").write_text(CTRL_C)
    process = start("-o", "out", "--jobs", jobs)
    output, errors = process.communicate()
    assert process.returncode == 130, errors
    assert (output, errors) == (b"", b"extractor: stopped; the same command with --resume goes on from here\n")
    (tmp_path / "sitecustomize.py").unlink()
    assert code(start("-o", "out", "--resume")) == 0
    assert len(files(tmp_path / "out")) == 600


def test_a_lock_that_a_stopped_run_freed_but_left_listed_is_not_reported() -> None:
    program = (
        "from extractor.corpus.processes import alone\n"
        "from joblib.externals.loky.backend import resource_tracker\n"
        "assert alone(abs, -1) == 1\n"
        "resource_tracker.register('/loky-nowhere', 'semlock')\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")


@pytest.mark.parametrize("output", ["out", "out.jsonl"])
def test_a_full_disk_ends_the_run_and_what_is_finished_stays(start: Start, tmp_path: Path, output: str) -> None:
    many_pages(tmp_path / "in", 300)
    (tmp_path / "in" / "00290.txt").write_text("The lamp on the quay is lit again, and the pilots are glad. " * 9000)

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))

    everything = [part for name in Label for part in ("--keep", name.value)]
    process = start("-o", output, *everything, preexec_fn=no_large_files)
    _, errors = process.communicate()
    assert process.returncode == 1
    (line,) = errors.decode().splitlines()
    assert "cannot be written (File too large); what is finished stays valid: make room and continue" in line
    before = files(tmp_path / "out") if output == "out" else {}
    assert len(before) == (290 if output == "out" else 0)
    assert code(start("-o", output, "--resume", *everything)) == 0
    after = files(tmp_path / output) if output == "out" else {}
    assert {name: after[name] for name in before} == before
    assert report(tmp_path / output)["pages"] == 300


# --- the guide --------------------------------------------------------------------------------------


@needs_corpus_extra
def test_the_lines_of_the_guide_work(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    guide = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
    lines = [shlex.split(line, comments=True) for line in guide.splitlines() if line.startswith("extractor clean ")]
    assert len(lines) >= 6
    for _, *arguments in lines:
        command = [sys.executable, "-m", "extractor", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        finished = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert finished.returncode == 0, (arguments, finished.stderr)
        assert "pages cleaned" in finished.stdout
        assert (tmp_path / arguments[arguments.index("-o") + 1]).exists()
