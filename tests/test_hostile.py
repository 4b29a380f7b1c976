"""Hostile inputs (tests/hostile.py): each gives what is stated, in time and memory that grow as the input does."""

from __future__ import annotations

import gc
import time
import tracemalloc

import pytest

from extractor import Label, LabelledPage, Model, Page, label
from extractor.corpus.address import declared_url
from extractor.decoding import decode
from hostile import ENCODED, HOSTILE, SCRIPTS, UNDECLARED, Encoded, Hostile
from promises import is_made_of_lines

TIMES_LARGER = 8
MOST_TIME = 20
"""Times as long for TIMES_LARGER the input: what is linear takes 8, with a cache that fills 12, the square 64."""
MOST_MEMORY = 10
HELD_ANYWAY = 1 << 20
EVERYTHING = frozenset(Label)


def seconds(page: Page, model: Model) -> float:
    start = time.process_time()
    label(page, model=model)
    return time.process_time() - start


def peak(page: Page, model: Model) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        label(page, model=model)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_what_is_stated_of_it(case: Hostile, random_model: Model) -> None:
    size = case.small // 2
    labelled = label(case.page(size), model=random_model)
    assert case.lines is None or len(labelled.lines) == case.lines(size)
    assert len(labelled.labels) == len(labelled.probabilities)
    assert is_made_of_lines(labelled.text(), labelled)
    content = case.make(size)
    given = len(content) if isinstance(content, str) else len(decode(content)[0])
    assert sum(len(line.text) for line in labelled.lines) <= given, "nothing is invented"


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_time_grows_as_the_input_does(case: Hostile, random_model: Model) -> None:
    small, large = case.page(case.small), case.page(case.small * TIMES_LARGER)
    seconds(small, random_model)
    ratios = []
    for _ in range(3):  # another process may have been in the way once
        ratios.append(seconds(large, random_model) / max(seconds(small, random_model), 0.004))
        if ratios[-1] < MOST_TIME:
            return
    raise AssertionError(f"{TIMES_LARGER} times the input took {min(ratios):.0f} times as long")


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_memory_grows_as_the_input_does(case: Hostile, random_model: Model) -> None:
    size = case.small // 4
    small, large = peak(case.page(size), random_model), peak(case.page(size * TIMES_LARGER), random_model)
    assert large <= MOST_MEMORY * small + HELD_ANYWAY


@pytest.mark.parametrize("case", ENCODED, ids=lambda case: case.name)
def test_encodings(case: Encoded) -> None:
    assert decode(case.content) == (case.shown, case.found)


@pytest.mark.parametrize("encoding", UNDECLARED)
def test_languages_of_latin_letters_that_nothing_declares(encoding: str) -> None:
    for text in UNDECLARED[encoding]:
        assert decode(text.encode(encoding))[0] == text


def read(text: str, model: Model, **facts: str) -> LabelledPage:
    return label(Page(text, **facts), model=model)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", SCRIPTS)
def test_pages_in_many_scripts_come_back_as_they_are(text: str, random_model: Model) -> None:
    page = f"{text}\n\n{text} {text}\n"
    for content in (page, page.encode(), page.encode("utf-16")):
        labelled = label(Page(content, kind="text"), model=random_model)
        assert labelled.text(keep=EVERYTHING) == page.rstrip("\n")
    html = read(f"<h1>{text}</h1><p>{text} <b>{text}</b></p>", random_model, kind="html")
    assert [line.text for line in html.lines] == [text, f"{text} {text}"]


def test_lines_deeper_than_any_page_nests_are_kept_in_order(random_model: Model) -> None:
    """Past DEEPEST elements are closed, and what follows is read on: no text is lost, none comes twice."""
    size = 40_000
    texts = [f"line {number}" for number in range(size)]
    page = "".join(f"<div><b>{text}</b>" for text in texts) + "</div>" * size + "<p>after"
    assert [line.text for line in read(page, random_model, kind="html").lines] == [*texts, "after"]


@pytest.mark.parametrize("attribute", ["a", "a ", 'a="', "a='b\"", "property=og:url "])
def test_the_head_is_searched_in_linear_time(attribute: str) -> None:
    start = time.process_time()
    declared_url(b"<meta " + attribute.encode() * (65_000 // len(attribute)) + b">")
    assert time.process_time() - start < 2
