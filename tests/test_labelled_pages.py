from __future__ import annotations

from pathlib import Path

import pytest

from extractor import Label, LabelsError, Page
from extractor.labelled_pages import (
    check_labelled_pages,
    lines_of,
    read_labelled_page,
    read_labelled_pages,
    write_labelled_page,
    write_labels,
)

DUMP = "Menu\n\n  The lamp is lit\r\nIt burns.\n"
LABELS = "nav\tMenu\nbody\t  The lamp is lit\nbody\tIt burns.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lamp.txt").write_bytes(DUMP.encode())
    (tmp_path / "lamp.labels").write_text(LABELS, encoding="utf-8")
    return tmp_path


def problem(path: Path) -> str:
    with pytest.raises(LabelsError) as caught:
        read_labelled_pages(path)
    return str(caught.value)


def test_a_page_is_read_with_its_labels(folder: Path) -> None:
    (read,) = read_labelled_pages(folder)
    assert read.path == folder / "lamp.txt"
    assert read.page == Page(DUMP.encode(), id="lamp", kind="text")
    assert read.labels == (Label.NAV, Label.BODY, Label.BODY)
    assert read_labelled_page(folder / "lamp.labels") == read_labelled_page(folder / "lamp.txt") == read


def test_html_is_labelled_by_the_lines_that_the_parser_gives(folder: Path) -> None:
    (folder / "table.html").write_text("<h1>Lamps</h1><table><tr><td>oil<td>7</table>", encoding="utf-8")
    (folder / "table.labels").write_text("body\tLamps\nbody\toil\t7\n", encoding="utf-8")
    assert [page.path.name for page in read_labelled_pages(folder)] == ["lamp.txt", "table.html"]


def test_folders_in_folders_are_read_in_order_and_other_files_passed_over(folder: Path) -> None:
    (folder / "README.md").write_text("about", encoding="utf-8")
    (folder / "inner").mkdir()
    for name in ("lamp.txt", "lamp.labels"):
        (folder / "inner" / name).write_bytes((folder / name).read_bytes())
    assert [page.path.parent.name for page in read_labelled_pages(folder)] == ["inner", folder.name]
    assert check_labelled_pages(folder) == []


def test_a_folder_may_be_labelled_in_part(folder: Path) -> None:
    (folder / "quay.txt").write_text("Quay\n", encoding="utf-8")
    assert "its labels are missing" in problem(folder)
    assert [page.path.name for page in read_labelled_pages(folder, partly=True)] == ["lamp.txt"]


def test_labels_are_written_beside_a_page_that_stays_as_it_is(folder: Path) -> None:
    write_labels(folder / "lamp.txt", DUMP.encode(), (Label.HEADER, Label.BODY, Label.NAV))
    assert read_labelled_page(folder / "lamp.txt").labels == (Label.HEADER, Label.BODY, Label.NAV)
    with pytest.raises(LabelsError, match="1 labels for 3 lines"):
        write_labels(folder / "lamp.txt", DUMP.encode(), (Label.BODY,))


def test_a_carriage_return_that_ends_a_line_is_no_line_end_of_an_editor(tmp_path: Path) -> None:
    write_labelled_page(tmp_path / "a.txt", Page("one\r\r\ntwo\r\n"), (Label.NAV, Label.BODY))
    assert read_labelled_page(tmp_path / "a.txt").labels == (Label.NAV, Label.BODY)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    labels = (Label.NAV, Label.BODY, Label.RELATED_LINK)
    for name, content in (("a.txt", "x\r\n\n y\tz \nw"), ("b.html", b"<p>x<p>y<p>z"), ("c.b.txt", "x\ny\n灯\n")):
        write_labelled_page(tmp_path / name, Page(content), labels)
        read = read_labelled_page(tmp_path / name)
        assert read.labels == labels
        assert read.page.content == (content if isinstance(content, bytes) else content.encode())
    assert sorted(path.name for path in tmp_path.iterdir())[:2] == ["a.labels", "a.txt"]


def test_an_empty_page_has_empty_labels(tmp_path: Path) -> None:
    write_labelled_page(tmp_path / "empty.txt", Page(" \n"), ())
    assert read_labelled_page(tmp_path / "empty.txt").labels == ()


def test_too_few_labels_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="1 labels for 2 lines"):
        write_labelled_page(tmp_path / "a.txt", Page("x\ny"), [Label.BODY])
    with pytest.raises(LabelsError, match="ends in"):
        write_labelled_page(tmp_path / "a.pdf", Page("x"), [Label.BODY])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("", "lamp.labels, line 1: missing; the page goes on with 'Menu'"),
        ("nav\tMenu\nbody\t  The lamp is lit\n", "lamp.labels, line 3: missing; the page goes on with 'It burns.'"),
        (LABELS + "nav\tmore\n", "lamp.labels, line 4: the page has no more lines; remove 'more'"),
        (LABELS.replace("lit", "out"), "lamp.labels, line 2: reads '  The lamp is out', the page '  The lamp is lit'"),
        (
            LABELS.replace("nav", "menu"),
            "lamp.labels, line 1: 'menu' is no label; begin the line with one of body, header",
        ),
        (LABELS.replace("nav\t", "nav "), "lamp.labels, line 1: 'nav Menu' is no label"),
        (LABELS.replace("\nbody", "\n\nbody", 1), "lamp.labels, line 2: '' is no label"),
    ],
)
def test_labels_that_do_not_fit_name_file_and_line(folder: Path, labels: str, message: str) -> None:
    (folder / "lamp.labels").write_text(labels, encoding="utf-8")
    assert message in problem(folder)
    assert str(folder) in problem(folder)


def test_labels_with_windows_line_ends_and_a_mark_are_read(folder: Path) -> None:
    (folder / "lamp.labels").write_bytes(b"\xef\xbb\xbf" + LABELS.replace("\n", "\r\n").encode())
    assert len(read_labelled_page(folder / "lamp.txt").labels) == 3


def test_labels_that_are_not_utf8(folder: Path) -> None:
    (folder / "lamp.labels").write_bytes(b"nav\tMen\xfc\n")
    assert "not UTF-8 at byte 7; save the labels as UTF-8" in problem(folder)


def test_missing_files(folder: Path) -> None:
    (folder / "alone.txt").write_text("x", encoding="utf-8")
    assert "alone.txt: its labels are missing; write them to alone.labels" in problem(folder)
    (folder / "alone.txt").unlink()
    (folder / "alone.labels").write_text("body\tx\n", encoding="utf-8")
    assert "alone.labels: its page is missing; put alone.txt or alone.html beside" in problem(folder)
    assert "its page is missing" in problem(folder / "nowhere.txt")
    assert "not a labelled page" in problem(folder / "README.md")


def test_two_pages_cannot_share_labels(folder: Path) -> None:
    (folder / "lamp.html").write_text("<p>x", encoding="utf-8")
    assert "lamp.txt and lamp.html would share one .labels file" in problem(folder)


def test_a_folder_without_pages(tmp_path: Path) -> None:
    assert "no labelled pages in it" in problem(tmp_path)


def test_all_problems_are_listed(folder: Path) -> None:
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text("x", encoding="utf-8")
    assert [Path(text.split(":")[0]).name for text in check_labelled_pages(folder)] == ["a.txt", "b.txt"]


def test_lines_of_a_page() -> None:
    assert lines_of(Page("a\r\n \nb", kind="text")) == ["a", "b"]
    assert lines_of(Page(b"<p>a<p> b ", kind="html")) == ["a", "b"]
