"""The two seeds: one interview, syndicated on two sites. Their text is not in this repository, so lines are
found by their place: the first line is the site's name, the headline is the next that has a copy, and the
interview ends before "Newsletter"."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from extractor import Label, LabelledPage, Page, label, label_many
from extractor.corpus.batch import CleanSettings
from extractor.corpus.folder import PageFile, input_files
from extractor.corpus.run import clean_corpus
from extractor.labelled_pages import lines_of

SEEDS = Path(__file__).parent.parent.parent / "shared" / "seeds"
FILES = sorted(SEEDS.glob("*.txt"))
pytestmark = pytest.mark.skipif(len(FILES) < 2, reason="the seeds are not in ../shared/seeds beside this repository")

BODY, HEADER, NAV, RELATED = Label
BUTTONS = ("Newsletter", "0:00", "Close", "×")
RELATED_HEADING = "Related Articles"


def seed(path: Path) -> Page:
    return Page(path.read_bytes(), id=path.name, kind="text")


def expected_labels(page: Page) -> list[Label]:
    """Labels of the seed's lines: the head, from the headline's second copy on the interview, then the rest."""
    lines = lines_of(page)
    headline = next(place for place, line in enumerate(lines) if place and line in lines[place + 1 :])
    copy = lines.index(lines[headline], headline + 1)
    end, site = lines.index("Newsletter"), lines[0]
    assert copy < end < lines.index(RELATED_HEADING)
    furniture = (*BUTTONS, site)
    after = [NAV if line in furniture else RELATED for line in lines[end:]]
    return [HEADER] * copy + [BODY] * (end - copy) + after


def interview(page: Page) -> list[str]:
    return [line for line, label in zip(lines_of(page), expected_labels(page), strict=True) if label is BODY]


def wrong_lines(labelled: LabelledPage, page: Page) -> list[str]:
    expected = expected_labels(page)
    return [
        f"{line.number}: {line.label} where {label} belongs, {len(line.text)} characters"
        for line, label in zip(labelled.lines, expected, strict=True)
        if line.label is not label
    ]


def alone(pages: list[Page]) -> list[LabelledPage]:
    return [label(page) for page in pages]


def as_bytes(pages: list[Page]) -> list[LabelledPage]:
    return [label(page.content) for page in pages]


def together(pages: list[Page]) -> list[LabelledPage]:
    return list(label_many(pages))


def together_turned(pages: list[Page]) -> list[LabelledPage]:
    return list(label_many(pages[::-1]))[::-1]


def on_two_sites(pages: list[Page]) -> list[LabelledPage]:
    return list(label_many(Page(page.content, site=f"site-{number}", kind="text") for number, page in enumerate(pages)))


WAYS = [alone, as_bytes, together, together_turned, on_two_sites]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_every_line_has_its_label(way: Callable[[list[Page]], list[LabelledPage]]) -> None:
    pages = list(map(seed, FILES))
    for page, labelled in zip(pages, way(pages), strict=True):
        assert wrong_lines(labelled, page) == []


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_text_is_the_interview_with_its_headline_once(way: Callable[[list[Page]], list[LabelledPage]]) -> None:
    pages = list(map(seed, FILES))
    for page, labelled in zip(pages, way(pages), strict=True):
        lines = [line for line in labelled.text().split("\n") if line]
        assert lines == interview(page)
        assert lines.count(lines[0]) == 1


def test_the_headline_is_the_copy_nearest_the_text() -> None:
    for page in map(seed, FILES):
        headline = label(page).headline
        assert headline is not None
        first, second = (number for number, line in enumerate(lines_of(page)) if line == headline.text)
        assert first < second
        assert headline == label(page).lines[second]
        assert label(page).title == headline.text.strip()


@pytest.mark.parametrize("folders", [("one", "one"), ("one", "two")], ids=["in one folder", "in two folders"])
def test_folders(folders: tuple[str, str], tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    for folder, path in zip(folders, FILES, strict=False):
        (source / folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / folder / path.name)
    summary = clean_corpus(source, output, CleanSettings()).summary
    assert (summary.pages, summary.failed) == (2, 0)
    for page in input_files(source):
        assert isinstance(page, PageFile)
        text = (output / page.output).read_text(encoding="utf-8")
        assert [line for line in text.split("\n") if line] == interview(page.read())
