from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from extractor import Label, Model, label
from extractor.corpus.batch import CleanSettings
from extractor.corpus.clean import RunError
from extractor.corpus.folder import FolderError, InputFile, PageFile
from extractor.corpus.preparation import RepetitionSettings
from extractor.corpus.records import Summary, total
from extractor.corpus.run import Finished, RunSettings, clean_corpus, plan_files
from extractor.corpus.run_folder import RunFolder
from extractor.page import LABELS

DUMP = "Menu\n\nThe lamp on the quay is lit again, and the pilots are glad of it.\n\nContact | Imprint\n"
HTML = "<nav>Menu</nav><p>The lamp on the quay is lit again.</p><footer>Contact</footer>"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name in ("b.txt", "a.html", "inner/c.htm", "inner/deep/d.xhtml", "E.TXT", "notes.md", "image.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(HTML if "htm" in name else DUMP, encoding="utf-8")
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def settings(random_model_path: Path) -> CleanSettings:
    return CleanSettings(keep=frozenset(Label), model=random_model_path)


def finish(source: Path, output: Path, settings: CleanSettings, **how: object) -> Finished:
    return clean_corpus(source, output, settings, RepetitionSettings(own_table=False), RunSettings(**how))


def run(source: Path, output: Path, settings: CleanSettings, **how: object) -> Summary:
    return finish(source, output, settings, **how).summary


def failures(finished: Finished) -> list[tuple[str, str, str]]:
    return [(page["name"], page["status"], page["reason"]) for page in finished.run.unwritten()]


def plan_folder(source: Path, output: Path, *, overwrite: bool = False) -> list[InputFile]:
    return plan_files(source, RunFolder.of(output, "folder"), overwrite=overwrite)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(source: Path, output: Path) -> list[str]:
    return [page.name for page in plan_folder(source, output)]


def problem(source: Path, output: Path) -> str:
    with pytest.raises(FolderError) as caught:
        plan_folder(source, output)
    return str(caught.value)


# --- which pages, and where to ---------------------------------------------------------------------


def test_pages_are_found_by_their_endings_in_the_order_of_their_names(source: Path, output: Path) -> None:
    assert names(source, output) == ["E.TXT", "a.html", "b.txt", "inner/c.htm", "inner/deep/d.xhtml"]
    assert [page.kind for page in plan_folder(source, output)] == ["text", "html", "text", "html", "html"]


def test_outputs_mirror_the_folder(source: Path, output: Path, settings: CleanSettings) -> None:
    run(source, output, settings)
    assert sorted(files(output)) == ["E.TXT.txt", "a.html.txt", "b.txt", "inner/c.htm.txt", "inner/deep/d.xhtml.txt"]


def test_the_ending_decides_between_text_and_html(source: Path, output: Path, settings: CleanSettings) -> None:
    (source / "b.txt").write_text(HTML, encoding="utf-8")
    run(source, output, settings)
    assert files(output)["b.txt"].decode() == HTML + "\n"
    assert files(output)["a.html.txt"] == b"Menu\n\nThe lamp on the quay is lit again.\n\nContact\n"


def test_links_out_of_the_folder_are_not_followed(source: Path, output: Path, tmp_path: Path) -> None:
    before = names(source, output)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text(DUMP, encoding="utf-8")
    (source / "link").symlink_to(tmp_path / "elsewhere")
    (source / "link.txt").symlink_to(tmp_path / "elsewhere" / "x.txt")
    (source / "loop").symlink_to(source)
    (source / "same.txt").symlink_to(source / "b.txt")
    assert names(source, output) == sorted([*before, "same.txt"])


def test_an_output_inside_the_input_is_no_input(source: Path, settings: CleanSettings) -> None:
    inside = source / "clean"
    run(source, inside, settings)
    first = files(inside)
    run(source, inside, settings, overwrite=True)
    assert files(inside) == first


def test_what_cannot_be_cleaned_is_said_before_any_work(source: Path, output: Path, tmp_path: Path) -> None:
    assert "no such folder; give a folder of pages" in problem(tmp_path / "nowhere", output)
    assert "not a folder, nor a file of records (.jsonl, " in problem(source / "b.txt", output)
    assert "; to clean a single page: extractor extract FILE" in problem(source / "b.txt", output)
    assert "both input and output" in problem(source, source)
    assert "not a folder; give another place" in problem(source, source / "b.txt")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no pages in it" in problem(empty, output)
    assert not output.exists()


def test_two_pages_with_one_output(source: Path, output: Path) -> None:
    (source / "a.html.txt").write_text(DUMP, encoding="utf-8")
    assert "a.html and a.html.txt would both be written to a.html.txt; rename one" in problem(source, output)


def test_a_folder_with_the_name_of_an_output(source: Path, output: Path) -> None:
    (source / "a.html.txt").mkdir()
    (source / "a.html.txt" / "x.txt").write_text(DUMP, encoding="utf-8")
    assert "its folder has the name of another page's output" in problem(source, output)


def test_outputs_are_never_written_over_unless_asked(source: Path, output: Path, settings: CleanSettings) -> None:
    run(source, output, settings)
    (output / "b.txt").write_text("mine", encoding="utf-8")
    assert "a.html.txt and" in problem(source, output) or "and 4 more exist already" in problem(source, output)
    assert files(output)["b.txt"] == b"mine"
    run(source, output, settings, overwrite=True)
    assert files(output)["b.txt"] != b"mine"


# --- what is written and counted -------------------------------------------------------------------


def test_a_page_is_cleaned_as_it_is_alone(source: Path, output: Path, settings: CleanSettings) -> None:
    body_only = CleanSettings(model=settings.model)
    run(source, output, body_only)
    assert settings.model is not None
    model = Model.load(settings.model)
    for page in plan_folder(source, output, overwrite=True):
        text = label(page.read(), model=model).text()
        assert files(output)[page.output].decode() == (f"{text}\n" if text else "")


def test_the_summary_adds_up(source: Path, output: Path, settings: CleanSettings) -> None:
    everything = run(source, output, settings)
    assert (everything.pages, everything.failed, everything.empty) == (5, 0, 0)
    assert sum(everything.kept) == 15
    assert everything.dropped == (0,) * len(LABELS)
    some = run(source, output, CleanSettings(keep=frozenset({Label.NAV}), model=settings.model), overwrite=True)
    assert tuple(map(sum, zip(some.kept, some.dropped, strict=True))) == everything.kept
    assert some.kept[0] == some.kept[1] == some.kept[3] == 0
    assert some.characters_in == everything.characters_in
    assert some.characters_out == sum(len(text.decode().rstrip("\n")) for text in files(output).values())


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_changes_nothing(
    source: Path, output: Path, settings: CleanSettings, jobs: int
) -> None:
    (source / "binary.txt").write_bytes(bytes(range(256)))
    alone = run(source, output, settings)
    expected = files(output)
    assert run(source, output, settings, overwrite=True, jobs=jobs, piece_pages=2) == alone
    assert files(output) == expected
    assert alone.failed == 1


def test_a_page_that_fails_is_listed_and_the_others_are_cleaned(
    source: Path, output: Path, settings: CleanSettings
) -> None:
    (source / "broken.txt").symlink_to(source / "nowhere.txt")
    (source / "photo.html").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    finished = finish(source, output, settings)
    assert failures(finished) == [
        ("broken.txt", "error", "cannot be read: No such file or directory"),
        ("photo.html", "undecodable", "not a text file"),
    ]
    assert finished.summary.pages == 5


def test_an_output_that_cannot_be_written_is_listed(source: Path, output: Path, settings: CleanSettings) -> None:
    output.mkdir()
    (output / "inner").write_text("a file where a folder should be", encoding="utf-8")
    finished = finish(source, output, settings)
    assert {name for name, _, _ in failures(finished)} == {"inner/c.htm", "inner/deep/d.xhtml"}
    assert finished.summary.pages == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_page_without_permission_is_listed(source: Path, output: Path, settings: CleanSettings) -> None:
    (source / "b.txt").chmod(0)
    assert [reason for _, _, reason in failures(finish(source, output, settings))] == [
        "cannot be read: Permission denied"
    ]


def test_nothing_half_written_is_left(source: Path, output: Path, settings: CleanSettings, monkeypatch) -> None:
    replace = Path.replace

    def fail(path: Path, target: Path) -> None:
        if target.suffix == ".txt":
            raise OSError(28, "No space left on device")
        replace(path, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(RunError, match=r"No space left on device.*continue with --resume"):
        run(source, output, settings)
    assert files(output) == {}


def test_a_page_with_no_text_gives_an_empty_file(output: Path, tmp_path: Path, settings: CleanSettings) -> None:
    source = tmp_path / "blank"
    source.mkdir()
    (source / "blank.txt").write_bytes(b" \n\n")
    summary = run(source, output, settings)
    assert (summary.pages, summary.empty, summary.characters_out) == (1, 1, 0)
    assert files(output) == {"blank.txt": b""}


@pytest.mark.parametrize("written", ["old", "old.jsonl"])
def test_what_an_earlier_run_wrote_is_no_page(tmp_path: Path, settings: CleanSettings, written: str) -> None:
    (tmp_path / "page.txt").write_text(DUMP, encoding="utf-8")
    (tmp_path / "broken.txt").write_bytes(b"\0\1" * 99)
    summaries = [run(tmp_path, tmp_path / name, settings) for name in (written, f"new {written}")]
    assert [(summary.pages, summary.failed) for summary in summaries] == [(1, 1)] * 2
    assert (tmp_path / f"{written}.run" / "unwritten.jsonl").read_bytes()


def test_names_of_any_kind(output: Path, tmp_path: Path, settings: CleanSettings) -> None:
    source = tmp_path / "names"
    source.mkdir()
    odd = ["灯台.txt", "a b.html", "-o.txt", os.fsdecode(b"latin\xe9.txt"), "new\nline.txt", ".hidden.txt"]
    for name in odd:
        (source / name).write_text(DUMP, encoding="utf-8")
    assert run(source, output, settings).pages == len(odd)


def test_summaries_add_up() -> None:
    one = Summary(1, 0, (1, 0, 0, 0), (0, 2, 0, 0), 30, 10)
    assert total([]) == Summary()
    assert total([one]) == Summary.from_json(one.as_json()) == one
    assert (one + one) == replace(
        one, pages=2, kept=(2, 0, 0, 0), dropped=(0, 4, 0, 0), characters_in=60, characters_out=20
    )


def test_a_page_file_knows_its_output() -> None:
    outputs = [PageFile(Path(name), name, "text").output for name in ("x.txt", "d/x.html", "x.TXT", "x.y.txt")]
    assert outputs == ["x.txt", "d/x.html.txt", "x.TXT.txt", "x.y.txt"]
