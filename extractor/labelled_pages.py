"""The one format of labelled pages: NAME.txt or NAME.html as it came, and beside it NAME.labels.

NAME.labels has ``label<TAB>line`` for each non-blank line of the page, in order. Comes in: a file or a
folder. Goes out: records of page and labels, or a LabelsError that names file and line and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from extractor.decoding import decode
from extractor.errors import LabelsError
from extractor.files import write_atomically
from extractor.page import LABELS, Label, Page, PageFormat

LABELS_ENDING = ".labels"
PAGE_ENDINGS: dict[str, PageFormat] = {".txt": "text", ".html": "html"}
_NAMES = ", ".join(LABELS)


@dataclass(frozen=True, slots=True)
class HandLabelledPage:
    """A page and the labels of its non-blank lines, as someone read them; path is the page's file."""

    path: Path
    page: Page
    labels: tuple[Label, ...]


def read_labelled_pages(path: Path | str, *, partly: bool = False) -> list[HandLabelledPage]:
    """The labelled pages of a folder and the folders in it, by name, or the one whose file is given.

    Other files are passed over. partly: so are pages without labels, as a review that is not finished leaves them.
    LabelsError for the first page that is not in order, or if there is none.
    """
    path = Path(path)
    if not path.is_dir():
        return [read_labelled_page(path)]
    found = [read_labelled_page(labels) for labels in _labels_files(path) if labels.is_file() or not partly]
    if not found:
        raise LabelsError(f"{path}: no labelled pages in it; put NAME.txt or NAME.html beside NAME{LABELS_ENDING}")
    return found


def read_labelled_page(path: Path | str) -> HandLabelledPage:
    """One labelled page, by the path of the page or of its labels. LabelsError if it is not in order."""
    page_path, page, rows = _page_and_rows(Path(path))
    problem = next(_problems(page_path.with_suffix(LABELS_ENDING), rows, lines_of(page)), None)
    if problem:
        raise LabelsError(problem)
    return HandLabelledPage(page_path, page, tuple(Label(row.partition("\t")[0]) for row in rows))


def check_labelled_pages(path: Path | str) -> list[str]:
    """What is wrong with the labelled pages of a folder or with one, none if all is well: a message for each label
    that is none, and for the first line of a page at which its labels no longer go with it."""
    path = Path(path)
    problems: list[str] = []
    for labelled in _labels_files(path) if path.is_dir() else (path,):
        try:
            page_path, page, rows = _page_and_rows(labelled)
            problems += _problems(page_path.with_suffix(LABELS_ENDING), rows, lines_of(page))
        except LabelsError as error:
            problems.append(str(error))
    return problems


def read_checked_pages(path: Path | str) -> list[HandLabelledPage]:
    """The labelled pages of a folder, or the one whose file is given, pages without labels passed over.

    LabelsError that names all that is wrong with them, a line each.
    """
    pages, problems = pages_and_problems(path)
    if problems:
        raise LabelsError("\n".join(problems))
    return pages


def pages_and_problems(path: Path | str) -> tuple[list[HandLabelledPage], list[str]]:
    """The labelled pages that are in order, and what is wrong with the others, as read_checked_pages() names it.

    LabelsError if there is no labelled page at all.
    """
    path = Path(path)
    files = [labels for labels in _labels_files(path) if labels.is_file()] if path.is_dir() else [path]
    if not files:
        return read_labelled_pages(path, partly=True), []  # which says what is missing
    problems = {labels: check_labelled_pages(labels) for labels in files}
    pages = [read_labelled_page(labels) for labels in files if not problems[labels]]
    return pages, [problem for found in problems.values() for problem in found]


def write_labelled_page(path: Path | str, page: Page, labels: Sequence[Label]) -> None:
    """Write a page to `path`, as it came, and its labels beside it. The folder must exist.

    The ending of `path` is .txt or .html, as the page is. LabelsError if there is not one label a line.
    """
    path = Path(path)
    content = page.content if isinstance(page.content, bytes) else page.content.encode()
    rows = _labels_file(path, content, labels)
    write_atomically(path, content)
    write_atomically(path.with_suffix(LABELS_ENDING), rows)


def write_labels(path: Path | str, content: bytes, labels: Sequence[Label]) -> None:
    """Write the labels of a page that stands at `path` already and reads `content`; as write_labelled_page()."""
    path = Path(path)
    write_atomically(path.with_suffix(LABELS_ENDING), _labels_file(path, content, labels))


def lines_of(page: Page) -> list[str]:
    """The non-blank lines of a page whose kind is known, as they are labelled."""
    text = page.content if isinstance(page.content, str) else decode(page.content)[0]
    if page.kind == "html":
        from extractor.html import parse_html  # lxml is not loaded for plain text

        return parse_html(text).texts
    return [line.removesuffix("\r") for line in text.split("\n") if line.strip()]


def _labels_file(path: Path, content: bytes, labels: Sequence[Label]) -> bytes:
    if path.suffix not in PAGE_ENDINGS:
        raise LabelsError(f"{path}: a labelled page ends in {' or '.join(PAGE_ENDINGS)}")
    lines = lines_of(Page(content, kind=PAGE_ENDINGS[path.suffix]))
    if len(lines) != len(labels):
        raise LabelsError(f"{path}: {len(labels)} labels for {len(lines)} lines; give one for each non-blank line")
    return "".join(f"{Label(label)}\t{line}\n" for label, line in zip(labels, lines, strict=True)).encode()


def _labels_files(folder: Path) -> list[Path]:
    """Where the labels of the pages under a folder are or, if they are missing, belong."""
    endings = (LABELS_ENDING, *PAGE_ENDINGS)
    found = (path for path in folder.rglob("*") if path.suffix in endings and path.is_file())
    return sorted({path.with_suffix(LABELS_ENDING) for path in found})


def _page_of(path: Path) -> Path:
    """The file of a page, given the page or its labels."""
    base = path.name.removesuffix(path.suffix)
    found = [page for ending in PAGE_ENDINGS if (page := path.with_name(base + ending)).is_file()]
    if path.suffix not in (LABELS_ENDING, *PAGE_ENDINGS):
        raise LabelsError(f"{path}: not a labelled page; give a folder, or a file NAME.txt, NAME.html or NAME.labels")
    if not found or (path.suffix in PAGE_ENDINGS and path not in found):
        raise LabelsError(f"{path}: its page is missing; put {base}.txt or {base}.html beside {base}{LABELS_ENDING}")
    if len(found) > 1:
        names = " and ".join(page.name for page in found)
        raise LabelsError(f"{path}: {names} would share one {LABELS_ENDING} file; rename one of them")
    return found[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror})") from None


def _rows(path: Path) -> list[str]:
    try:
        text = _read(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise LabelsError(f"{path}: not UTF-8 at byte {error.start}; save the labels as UTF-8") from None
    text = text.removeprefix("\ufeff").removesuffix("\n")
    return [row.removesuffix("\r") for row in text.split("\n")] if text else []


def _page_and_rows(path: Path) -> tuple[Path, Page, list[str]]:
    """The path of a page, the page, and the rows of its labels."""
    path = _page_of(path)
    page = Page(_read(path), id=path.stem, kind=PAGE_ENDINGS[path.suffix])
    labels_path = path.with_suffix(LABELS_ENDING)
    if not labels_path.is_file():
        raise LabelsError(f"{path}: its labels are missing; write them to {labels_path.name} beside it")
    return path, page, _rows(labels_path)


def _problems(path: Path, rows: Iterable[str], lines: Iterable[str]) -> Iterator[str]:
    """What is wrong with the rows, up to the first that does not go with its line."""
    for number, (row, line) in enumerate(zip_longest(rows, lines), start=1):
        where = f"{path}, line {number}"
        if row is None:
            yield f"{where}: missing; the page goes on with {line!r}: label it"
            return
        name, tab, text = row.partition("\t")
        if not tab or name not in LABELS:
            yield f"{where}: {name!r} is no label; begin the line with one of {_NAMES}, then a tab"
        if line is None:
            yield f"{where}: the page has no more lines; remove {text!r}"
            return
        if tab and text.rstrip("\r") != line.rstrip("\r"):  # one at the end of a row may be an editor's line end
            yield f"{where}: reads {text!r}, the page {line!r}; make both the same"
            return
