from __future__ import annotations

import time
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from extractor.classifier import PROBABILITY_STEPS, Decision, expected_f_cut, merge_classes, softmax
from extractor.classifier import decide as decide_lines
from extractor.features import CLASS_NAMES

HEADLINE, BODY, HEADER, NAV, RELATED = range(len(CLASS_NAMES))


def expected_f1(kept: list[bool], probabilities: list[int], words: list[int]) -> Fraction:
    """2 sum(p w, kept) / (sum(w, kept) + sum(p w, all)), exactly."""
    hits = sum(p * w for p, w, keep in zip(probabilities, words, kept, strict=True) if keep)
    total = sum(w for w, keep in zip(words, kept, strict=True) if keep) * PROBABILITY_STEPS
    everything = sum(p * w for p, w in zip(probabilities, words, strict=True))
    return Fraction(2 * hits, total + everything) if total + everything else Fraction(0)


def test_the_cut_maximises_expected_f1_over_all_cuts() -> None:
    random = np.random.default_rng(5)
    sizes = [0, 1, 2, 3, 5, 8, 8, 30, 0, 12]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    body = random.integers(0, PROBABILITY_STEPS + 1, offsets[-1])
    body[5:9] = 700  # lines of one probability stand or fall together
    words = random.integers(1, 60, offsets[-1])
    cuts = expected_f_cut(body, words, np.repeat(np.arange(len(sizes)), sizes), offsets)
    for page, size in enumerate(sizes):
        p, w = (values[offsets[page] : offsets[page + 1]].tolist() for values in (body, words))
        scores = [expected_f1([q >= cut for q in p], p, w) for cut in range(PROBABILITY_STEPS + 2)]
        if size:
            assert float(scores[cuts[page]]) == pytest.approx(float(max(scores)), abs=1e-12)


def test_a_cut_is_the_best_choice_of_lines_at_all() -> None:
    random = np.random.default_rng(6)
    for _ in range(20):
        body, words = random.integers(0, PROBABILITY_STEPS + 1, 9), random.integers(1, 40, 9)
        cut = int(expected_f_cut(body, words, np.zeros(9, np.int64), np.array([0, 9]))[0])
        p, w = body.tolist(), words.tolist()
        choices = ([bool(number >> bit & 1) for bit in range(9)] for number in range(1 << 9))
        best = max(expected_f1(kept, p, w) for kept in choices)
        assert float(expected_f1([q >= cut for q in p], p, w)) == pytest.approx(float(best), abs=1e-12)


def decide(
    probabilities: np.ndarray, words: np.ndarray, offsets: np.ndarray, beta: float = 1.0, texts: str = ""
) -> Decision:
    """texts: a letter a line, the same for lines that read the same; all different unless given."""
    hashes = np.array([ord(letter) for letter in texts] or range(len(words)), np.uint64)
    return decide_lines(probabilities, words, hashes, offsets, beta)


def rows(*body: float) -> np.ndarray:
    """Probabilities of lines that are body or nav."""
    return np.array([[0.0, p, 0.0, 1 - p, 0.0] for p in body])


def test_a_page_of_nothing_likely_has_no_body() -> None:
    codes = decide(rows(0.0, 0.03), np.array([5, 5]), np.array([0, 2])).codes
    assert codes.tolist() == [2, 2]
    codes = decide(rows(0.0, 0.3), np.array([1, 6]), np.array([0, 2])).codes
    assert codes.tolist() == [2, 0]


@pytest.mark.parametrize(
    ("body", "codes"), [((0.49,), [2]), ((0.51,), [0]), ((0.2, 0.3), [2, 2]), ((0.3, 0.3), [0, 0])]
)
def test_a_page_of_few_words_has_no_body_where_that_is_likelier(body: tuple[float, ...], codes: list[int]) -> None:
    assert decide(rows(*body), np.full(len(body), 1), np.array([0, len(body)])).codes.tolist() == codes
    longer = decide(rows(*body), np.full(len(body), 7), np.array([0, len(body)])).codes
    assert (longer == 0).any()


def test_preference_moves_the_cut() -> None:
    probabilities, words, offsets = rows(0.95, 0.6, 0.45, 0.3, 0.05), np.full(5, 10), np.array([0, 5])
    kept = [int((decide(probabilities, words, offsets, beta).codes == 0).sum()) for beta in (0.3, 1.0, 3.0)]
    assert kept == sorted(kept)
    assert kept[0] < kept[2]


def test_labels_other_than_body_are_the_likeliest_of_the_rest() -> None:
    probabilities = np.array(
        [[0, 0.9, 0.1, 0, 0], [0, 0.1, 0.5, 0.3, 0.1], [0, 0.0, 0.1, 0.2, 0.7], [0, 0.1, 0.1, 0.6, 0.2]]
    )
    assert decide(probabilities, np.full(4, 9), np.array([0, 4])).codes.tolist() == [0, 1, 3, 2]


def headlines(*headline: float) -> np.ndarray:
    """Probabilities of lines that are surely body, and perhaps the headline."""
    return np.array([[p, 1 - p, 0.0, 0.0, 0.0] for p in headline])


def test_the_headline_is_the_likeliest_line() -> None:
    probabilities = headlines(0.5, 0.6, 0.1, 0.1, 0.2, 0.7, 0.7)
    found = decide(probabilities, np.full(7, 9), np.array([0, 3, 3, 5, 7]))
    assert found.headlines.tolist() == [1, -1, -1, 5]
    assert (found.codes == 0).all()


def test_no_line_but_body_is_the_headline() -> None:
    probabilities = np.array([[0.3, 0.0, 0.7, 0.0, 0.0], [0.26, 0.74, 0.0, 0.0, 0.0]])
    assert decide(probabilities, np.array([1, 90]), np.array([0, 2])).headlines.tolist() == [1]


def test_of_equal_headlines_the_one_nearest_to_the_text_is_it_and_the_others_are_header() -> None:
    probabilities = headlines(0.9, 0.0, 0.8, 0.0, 0.0)
    probabilities[1] = (0, 0, 0, 1, 0)
    found = decide(probabilities, np.full(5, 9), np.array([0, 5]), texts="hnhtt")
    assert found.headlines.tolist() == [2]
    assert found.codes.tolist() == [1, 2, 0, 0, 0]


def test_copies_of_a_headline_are_one_headline() -> None:
    probabilities, words = headlines(0.2, 0.15, 0.0, 0.22), np.full(4, 9)
    assert decide(probabilities, words, np.array([0, 4]), texts="hhtu").headlines.tolist() == [1]
    assert decide(probabilities, words, np.array([0, 4]), texts="hgtu").headlines.tolist() == [-1]
    assert decide(probabilities, words, np.array([0, 1, 4]), texts="hhtu").headlines.tolist() == [-1, -1]


def test_a_page_of_equal_headlines_is_decided_in_linear_time() -> None:
    lines = 20_000
    started = time.process_time()
    found = decide(headlines(*[0.5] * lines), np.full(lines, 3), np.array([0, lines]), texts="h" * lines)
    assert time.process_time() - started < 2
    assert (found.codes == 0).sum() == 1


def test_a_headline_counts_as_body() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1, 0.0, 0.0], [0.0, 0.1, 0.0, 0.9, 0.0]])
    assert merge_classes(probabilities)[0].tolist() == pytest.approx([0.9, 0.1, 0.0, 0.0])
    decision = decide(probabilities, np.array([6, 2]), np.array([0, 2]))
    assert decision.codes.tolist() == [0, 2]
    assert decision.headlines.tolist() == [0]


def test_pages_are_decided_apart() -> None:
    random = np.random.default_rng(8)
    probabilities = softmax(random.normal(size=(5, 60))).T
    words, offsets = random.integers(0, 30, 60), np.array([0, 13, 13, 40, 60])
    together = decide(probabilities, words, offsets)
    for page, (first, last) in enumerate(pairwise(offsets)):
        alone = decide(probabilities[first:last], words[first:last], np.array([0, last - first]))
        assert alone.codes.tolist() == together.codes[first:last].tolist()
        own = int(together.headlines[page])
        assert alone.headlines.tolist() == [own - first if own >= 0 else -1]


def test_softmax_sums_to_one_and_bears_large_scores() -> None:
    shares = softmax(np.array([[1000.0, 0.0], [999.0, 0.0], [-1000.0, 0.0]]))
    assert shares.sum(axis=0).tolist() == pytest.approx([1.0, 1.0])
    assert shares[0, 0] > shares[1, 0] > shares[2, 0] == 0.0
