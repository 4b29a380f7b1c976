from __future__ import annotations

import random
import sys

import numpy as np
import pytest

from extractor.characters import CharacterClass as C
from extractor.characters import TextBatch, read_texts, sum_runs

PAGES = [
    "One line.\n\n  Two words, 12:30\n",
    "",
    "\n \n\t\n",
    "Straße 5\r\nSTRASSE 7\r\n\r\nΑθήνα ΑΘΉΝΑ",
    "灯台の光\n\u3000\n東京 2024年",
    "😀 emoji 𐐀 and 𠀀\nlast",
]


def lines_of(batch: TextBatch, page: int) -> list[str]:
    return batch.line_texts(*batch.page_offsets[page : page + 2].tolist())


def words_of(batch: TextBatch) -> list[tuple[int, int]]:
    return list(zip(batch.word_line.tolist(), batch.word_length.tolist(), strict=True))


def test_each_page_gets_its_non_blank_lines() -> None:
    batch = read_texts(PAGES)
    for index, page in enumerate(PAGES):
        expected = [line.removesuffix("\r") for line in page.split("\n") if line.strip()]
        assert lines_of(batch, index) == expected
        first, last = batch.page_offsets[index : index + 2]
        numbers = [number for number, line in enumerate(page.split("\n"), start=1) if line.strip()]
        assert batch.number[first:last].tolist() == numbers
        assert (batch.page[first:last] == index).all()


def test_every_code_point_is_blank_exactly_if_python_says_so() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1) if chr(code) != "\n"]
    batch = read_texts(["\n".join(characters)])
    shown = set(batch.number.tolist())
    wrong = [ascii(c) for number, c in enumerate(characters, start=1) if (number in shown) == c.isspace()]
    assert wrong == []


def test_a_page_reads_the_same_in_any_batch() -> None:
    together = read_texts(PAGES)
    for index, page in enumerate(PAGES):
        alone = read_texts([page])
        lines = slice(*together.page_offsets[index : index + 2])
        words = slice(*together.word_offsets[[lines.start, lines.stop]])
        for name in ("number", "counts", "first_class", "last_class", "indent", "gaps", "clock_times", "line_hashes"):
            assert np.array_equal(getattr(together, name)[lines], getattr(alone, name)), name
        for name in ("blank_before", "blank_after"):
            assert np.array_equal(getattr(together, name)[lines], getattr(alone, name)), name
        for name in ("word_length", "word_class", "word_hash"):
            assert np.array_equal(getattr(together, name)[words], getattr(alone, name)), name


def test_blank_lines_around_count_within_the_page() -> None:
    batch = read_texts(["\n\na\n\nb\n\n", "c"])
    assert batch.blank_before.tolist() == [2, 1, 0]
    assert batch.blank_after.tolist() == [1, 2, 0]


def test_words_are_runs_of_letters_and_digits() -> None:
    assert words_of(read_texts(["two words, 12:30"])) == [(0, 3), (0, 5), (0, 2), (0, 2)]


def test_each_ideograph_is_a_word_of_its_own() -> None:
    assert words_of(read_texts(["灯台 lamp光"])) == [(0, 1), (0, 1), (0, 4), (0, 1)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Read More", "READ more", True),
        ("Page 3 of 9", "page 1 of 4", True),
        ("  one   two ", "one two", True),
        ("ЧИТАТЬ", "читать", True),
        ("Read more", "Read moro", False),
        ("one two", "two one", False),
        ("one two", "onetwo", False),
    ],
)
def test_line_hashes_fold_case_digits_and_white_space(one: str, other: str, same: bool) -> None:
    hashes = read_texts([one, other]).line_hashes
    assert (hashes[0] == hashes[1]) == same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", C.LOWER), ("É", C.UPPER), ("ع", C.UNCASED), ("灯", C.UNSPACED), ("ค", C.UNSPACED), ("7", C.DIGIT),
        (".", C.SENTENCE_END), ("。", C.SENTENCE_END), (",", C.COMMA), (":", C.COLON), ("“", C.QUOTE), ("(", C.BRACKET),
        ("–", C.DASH), ("|", C.PIPE), ("©", C.COPYRIGHT), ("@", C.AT), ("€", C.CURRENCY), ("/", C.SLASH),
        ("»", C.QUOTE), ("→", C.ARROW), ("•", C.BULLET),
    ],
)  # fmt: skip
def test_character_classes(text: str, expected: int) -> None:
    batch = read_texts([text])
    assert batch.first_class[0] == batch.last_class[0] == expected
    assert batch.counts[0].sum() == batch.counts[0, expected] == 1


def test_layout_of_a_line() -> None:
    batch = read_texts(["    name   value  12:30 and 7:45\nplain: text"])
    assert batch.indent.tolist() == [4, 0]
    assert batch.gaps.tolist() == [2, 0]
    assert batch.clock_times.tolist() == [2, 0]


def test_no_text_at_all() -> None:
    for texts in ([], [""], ["", "\n\n"]):
        batch = read_texts(texts)
        assert batch.page_offsets.tolist() == [0] * (len(texts) + 1)
        assert len(batch.word_hash) == len(batch.page) == 0


def test_sums_of_runs() -> None:
    values = np.array([1, 2, 3, 4])
    assert sum_runs(values, np.array([0, 0, 2, 2, 4, 4])).tolist() == [0, 3, 0, 7, 0]
    assert sum_runs(np.array([[1, 10], [2, 20]]), np.array([0, 2])).tolist() == [[3, 30]]
    assert sum_runs(values[:0], np.array([0, 0])).tolist() == [0]


def test_random_texts_against_python() -> None:
    chance = random.Random(11)
    alphabet = "ab Z9.\n\n\r\t\u3000灯ع😀|:"
    texts = ["".join(chance.choices(alphabet, k=chance.randrange(60))) for _ in range(300)]
    batch = read_texts(texts)
    for index, text in enumerate(texts):
        assert lines_of(batch, index) == [line.removesuffix("\r") for line in text.split("\n") if line.strip()]
