"""What DESIGN promises of every page and every model: its invariants 1, 2, 3 and 5."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from extractor import Label, LabelledPage, Line, Model, Page, label, label_many
from extractor.html import parse_html
from extractor.labelled_pages import lines_of
from extractor.page import LABELS
from promises import is_made_of_lines, words_stand_in_order

ROOT = Path(__file__).parent.parent
FILES = sorted(
    path
    for folder in ("examples", "tests/pages")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".txt", ".html")
)


def pages() -> list[Page]:
    found = [Page(path.read_bytes(), id=path.name, kind="html" if path.suffix == ".html" else "text") for path in FILES]
    assert len(found) > 50
    # empty pages between the others must shift nothing
    return [Page(""), *found, Page("\n \n", kind="text"), Page("<p></p>", kind="html")]


def result(labelled: LabelledPage) -> tuple[object, ...]:
    """Everything that may not differ, to the bit."""
    kind = (labelled.kind, labelled.kind_probability)
    return (
        labelled.id,
        kind,
        labelled.labels,
        np.array(labelled.probabilities).tobytes(),
        labelled.headline,
        labelled.text(),
    )


# --- 1: labels and lines ---------------------------------------------------------------------------


def test_as_many_labels_as_non_blank_lines(model: Model) -> None:
    for page, labelled in zip(pages(), label_many(pages(), model=model), strict=True):
        expected = lines_of(page) if page.kind else []
        assert [line.text for line in labelled.lines] == expected
        assert len(labelled.labels) == len(expected)


def test_the_words_of_every_line_stand_in_the_input_in_order(model: Model) -> None:
    for page, labelled in zip(pages(), label_many(pages(), model=model), strict=True):
        if page.kind == "text":
            text = page.content if isinstance(page.content, str) else page.content.decode()
            assert words_stand_in_order([word for line in labelled.lines for word in line.text.split()], text)


def test_the_text_is_lines_of_the_page_each_at_most_once_in_order(model: Model) -> None:
    for labelled in label_many(pages(), model=model):
        assert is_made_of_lines(labelled.text(), labelled)


def folded_words(line: Line) -> list[str]:
    """Lines are copies whatever their signs, digits and case."""
    return re.findall(r"\w+", re.sub(r"\d", "0", line.text).casefold())


def test_probabilities_sum_to_one_and_stand_in_the_order_of_labels(model: Model) -> None:
    for labelled in label_many(pages(), model=model):
        headline = labelled.headline
        for line in labelled.lines:
            assert sum(line.probabilities) == pytest.approx(1)
            others = dict(zip(LABELS[1:], line.probabilities[1:], strict=True))
            is_copy = headline is not None and folded_words(line) == folded_words(headline)
            assert line.label in (Label.BODY, max(others, key=others.__getitem__)) or is_copy
        assert headline is None or headline.label is Label.BODY


# --- 2: the same labels whatever the batch ---------------------------------------------------------


def test_labels_do_not_depend_on_the_batch(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    given = pages()
    expected = [result(label(page, model=model)) for page in given]
    for size in (2, 7, 1000):
        monkeypatch.setattr("extractor.labelling.BATCH_PAGES", size)
        assert [result(labelled) for labelled in label_many(given, model=model)] == expected


def test_labels_do_not_depend_on_the_order_of_pages(model: Model) -> None:
    given = pages()
    expected = [result(labelled) for labelled in label_many(given, model=model)]
    for seed in range(3):
        order = list(range(len(given)))
        random.Random(seed).shuffle(order)
        found = [result(labelled) for labelled in label_many([given[place] for place in order], model=model)]
        assert found == [expected[place] for place in order]


def test_labels_do_not_depend_on_threads(model: Model) -> None:
    given = pages()
    expected = [result(label(page, model=model)) for page in given]
    with ThreadPoolExecutor(4) as pool:
        assert [result(labelled) for labelled in pool.map(lambda page: label(page, model=model), given)] == expected


def test_results_come_in_order_and_as_they_are_ready(model: Model) -> None:
    def endless():
        while True:
            yield Page("One line of a page that never ends.", id="again", kind="text")

    stream = label_many(endless(), model=model)
    assert [next(stream).id for _ in range(600)] == ["again"] * 600


# --- 3: linear in the input ------------------------------------------------------------------------


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def assert_linear(make: Callable[[int], Page], sizes: tuple[int, int], model: Model) -> None:
    """Eight times the input may take sixteen times as long: a quadratic step would take sixty-four."""
    small, large = (make(size) for size in sizes)
    label(small, model=model)
    times = [seconds(lambda page=page: label(page, model=model).text()) for page in (small, large)]
    assert times[1] < times[0] * 2 * sizes[1] / sizes[0] + 1.5, times


@pytest.mark.parametrize("line", ["ab\n", "ab\n\n", "灯\n"])
def test_a_million_short_lines(line: str, random_model: Model) -> None:
    assert_linear(lambda size: Page(line * size, kind="text"), (125_000, 1_000_000), random_model)


def test_a_million_different_lines(random_model: Model) -> None:
    assert_linear(lambda size: Page("\n".join(map(str, range(size))), kind="text"), (50_000, 400_000), random_model)


@pytest.mark.parametrize("text", ["word ", "x", "灯", ". "])
def test_one_line_of_many_megabytes(text: str, random_model: Model) -> None:
    assert_linear(lambda size: Page(text * (size // len(text)), kind="text"), (1_000_000, 8_000_000), random_model)


def test_one_line_of_fifty_megabytes(random_model: Model) -> None:
    line = "word " * 10_000_000
    labelled = label(Page(line, kind="text"), model=random_model)
    assert len(labelled.labels) == 1
    assert labelled.text() in ("", line)


@pytest.mark.parametrize(
    "unit",
    ["<div>x", "<p>x</p>", "<b>x", "<li>x", "<table><tr><td>x", "<ul><li>x", "<tr><td>x<td>y", "<span>x</span><br>"],
)
def test_html_of_many_and_of_nested_elements(unit: str, random_model: Model) -> None:
    assert_linear(lambda size: Page(unit * size, kind="html"), (6_000, 48_000), random_model)


def test_a_hundred_thousand_nested_elements(random_model: Model) -> None:
    page = Page("<div>" * 100_000 + "deep" + "</div>" * 100_000 + "<p>after", kind="html")
    assert "deep" in label(page, model=random_model).text(keep=LABELS)


def test_a_row_of_many_cells_and_many_rows(random_model: Model) -> None:
    assert_linear(lambda size: Page("<table><tr>" + "<td>x" * size, kind="html"), (5_000, 40_000), random_model)
    assert_linear(lambda size: Page("<table>" + "<tr><td>x<td>y" * size, kind="html"), (5_000, 40_000), random_model)


def test_html_far_larger_than_most(random_model: Model) -> None:
    for small, large in pairwise([parse_html("<p>x</p>" * size) for size in (10, 200_000)]):
        assert len(large.texts) == 20_000 * len(small.texts)


# --- 5: a fresh interpreter ------------------------------------------------------------------------

HEAVY = ("sklearn", "scipy", "pandas", "pyarrow", "joblib", "lxml", "typer", "rich", "charset_normalizer")


def test_a_fresh_interpreter_that_labels_a_dump_imports_nothing_heavy(random_model_path: Path) -> None:
    program = (
        "import sys, extractor\n"
        "model = extractor.Model.load(sys.argv[1])\n"
        "labelled = extractor.label(extractor.Page(b'One line.\\nTwo lines.'), model=model)\n"
        "assert len(labelled.lines) == 2, labelled\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", program, str(random_model_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(HEAVY) & set(run.stdout.split())
