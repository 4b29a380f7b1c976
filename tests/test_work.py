"""How much work a page takes, counted instead of timed, so that a rise fails on any machine.

Counted are the values that NumPy reads or writes, operation by operation, the trees that are asked, the calls
of Python functions while HTML is read, and the bytes held at most. Each bound stands a little above what was
counted when it was set; after a change that needs less, lower it.
"""

from __future__ import annotations

import gc
import platform
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest

from extractor import Model, Page, characters, label, label_many
from extractor.characters import read_texts
from extractor.corpus.memory import resident_memory
from extractor.forest import Forest
from extractor.html import parse_html

WORDS = "The harbour was quiet that morning, and the boats lay still.".split()
PASSES = 34
"""Values handled for a character of running text."""
LINE_VALUES = 660
"""Values handled for a line, its characters left out. It was 560 before take() counted and before equal lines and the
page's cut were sorted as plain numbers: more operations, in less than half the time."""
BYTES_A_CHARACTER = 32
BYTES_A_LINE = 2_100
CALLS_AN_ELEMENT = 4.3
CALLS_A_PAGE = 1_090
"""Calls into C while a page of one line is labelled: what a page costs before its first line."""


class Counted(np.ndarray[Any, Any]):
    """An array that adds up how many values all operations on it, and on what comes of it, have handled."""

    values: ClassVar[int] = 0

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        out = settings.get("out")
        if out is not None:
            settings["out"] = tuple(plain(array) for array in out)
        result = getattr(ufunc, method)(*(plain(array) for array in inputs), **settings)
        return self._noted(inputs, result if out is None else out[0])

    def __array_function__(self, function: Any, types: Any, inputs: Any, settings: Any) -> Any:
        result = function(*plain(inputs), **{name: plain(value) for name, value in settings.items()})
        return self._noted(inputs, result)

    def __getitem__(self, where: Any) -> Any:
        result = np.asarray(self)[plain(where)]
        return self._noted((where,), result) if isinstance(result, np.ndarray) else result

    def take(self, *where: Any, **settings: Any) -> Any:
        return self._noted(where, np.asarray(self).take(*plain(where), **settings))

    def _noted(self, inputs: Any, result: Any) -> Any:
        sizes = [array.size for array in (*inputs, result) if isinstance(array, np.ndarray)]
        Counted.values += max(sizes, default=0)
        return result.view(Counted) if type(result) is np.ndarray else result


def plain(value: Any) -> Any:
    if isinstance(value, Counted):
        return value.view(np.ndarray)
    return type(value)(map(plain, value)) if isinstance(value, (tuple, list)) else value


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the code points of a batch, and all that is made of them, count."""
    classes, folds = characters._tables()
    read = np.frombuffer
    monkeypatch.setattr(characters, "_tables", lambda: (classes.view(Counted), folds.view(Counted)))
    monkeypatch.setattr(np, "frombuffer", lambda *arguments: read(*arguments).view(Counted))


def dump(lines: int, words: int) -> str:
    return "\n".join(" ".join(WORDS[(line + word) % len(WORDS)] for word in range(words)) for line in range(lines))


def values_handled(text: str, work: Callable[[str], object]) -> int:
    before = Counted.values
    work(text)
    return Counted.values - before


def test_the_characters_are_passed_over_a_fixed_number_of_times(counted: None) -> None:
    short, long = dump(200, 20), dump(200, 60)
    more = values_handled(long, lambda text: read_texts([text])) - values_handled(
        short, lambda text: read_texts([text])
    )
    assert 10 < more / (len(long) - len(short)) <= PASSES


def test_a_line_takes_a_fixed_number_of_values(counted: None, random_model: Model) -> None:
    few, many = dump(200, 2), dump(600, 2)
    more = values_handled(many, lambda text: label(text, model=random_model)) - values_handled(
        few, lambda text: label(text, model=random_model)
    )
    assert 10 < more / 400 - PASSES * len(many) / 600 <= LINE_VALUES


def test_each_tree_is_asked_once_for_a_line_and_none_of_repetition_without_a_table(
    monkeypatch: pytest.MonkeyPatch, random_model: Model
) -> None:
    asked: list[int] = []
    scores = Forest.scores

    def counting(forest: Forest, columns: Any, *packed: Any) -> Any:
        asked.append(len(forest.features) * columns.shape[1])
        return scores(forest, columns, *packed)

    monkeypatch.setattr(Forest, "scores", counting)
    pages, lines = 7, 30
    list(label_many([Page(dump(lines, 5), kind="text")] * pages, model=random_model))
    text = random_model.classifiers["text"]
    assert sum(asked) == pages * lines * len(text.second.forest.features)


def peak(work: Callable[[], object]) -> int:
    """Bytes that are held at most while `work` runs, what was held before left out."""
    work()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_held_for_a_character_and_for_a_line_is_bounded(random_model: Model) -> None:
    few, many, long = dump(1_000, 10), dump(4_000, 10), dump(1_000, 400)
    held = {text: peak(lambda text=text: label(text, model=random_model)) for text in (few, many, long)}
    assert (held[long] - held[few]) / (len(long) - len(few)) <= BYTES_A_CHARACTER
    assert (held[many] - held[few]) / 3_000 <= BYTES_A_LINE


def calls(work: Callable[[], object], *events: str) -> int:
    found = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal found
        found += event in events

    work()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


@pytest.fixture(scope="module")
def menu() -> str:
    item = '<li class="menu-item" id="item{}"><a href="/{}"><span class="label">Harbour</span> news</a></li>'
    return "<html><body><ul>" + "".join(item.format(number, number) for number in range(300)) + "</ul></body></html>"


def test_an_element_takes_few_calls(menu: str) -> None:
    assert calls(lambda: parse_html(menu), "call") / 900 <= CALLS_AN_ELEMENT


@pytest.mark.skipif(np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="counted with NumPy 2, which calls less")
def test_a_page_of_one_line_takes_few_calls(random_model: Model) -> None:
    assert calls(lambda: label("Harbour news", model=random_model), "c_call") <= CALLS_A_PAGE


def given_back(blocks: int, size: int) -> int:
    """Bytes that leave this process when so many blocks are freed, each below one that stays."""
    both = [(b"x" * size, b"x" * (1 << 20)) for _ in range(blocks)]
    stay = [small for _, small in both]
    before = resident_memory()
    both.clear()
    assert len(stay) == blocks
    return before - resident_memory()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks for settings of glibc")
def test_the_memory_of_a_batch_is_kept_and_that_of_a_large_page_is_given_back() -> None:
    label("A line")
    assert given_back(3, 3 << 20) < 3 << 20
    for _ in range(2):  # left alone, glibc learns of the first time to keep the second
        assert given_back(6, 16 << 20) >= 64 << 20
