"""What the words of a page say of its kind: the same for a page alone and among others, by distinct words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from extractor import Model, Page, label
from extractor.characters import read_word_hashes
from extractor.html import parse_html
from extractor.kinds import (
    COUNT_LEVELS,
    KIND_COLUMNS,
    KIND_WEIGHT_STEPS,
    KINDS,
    KindTable,
    KindWeights,
    is_known,
    kind_table_of,
    known_words,
    word_levels,
)
from extractor.labelling import read_lines
from extractor.markup import read_cues, words_of_kind

BUCKETS = 1 << 10
ALL_KNOWN = np.full(1 << 17, 255, np.uint8)
EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def table() -> KindTable:
    return KindTable(np.random.default_rng(0).integers(-127, 128, (BUCKETS, len(KINDS)), np.int8))


def words_of(random: np.random.Generator, number: int) -> np.ndarray:
    return random.integers(0, 1 << 32, number, np.uint32)


def test_a_page_says_the_same_alone_and_among_others(table: KindTable) -> None:
    random = np.random.default_rng(1)
    pages = [words_of(random, number) for number in (0, 1, 50, 3_000, *[20] * 40)]
    together = table.score(np.concatenate(pages), np.concatenate(([0], np.cumsum([len(page) for page in pages]))))
    for number, page in enumerate(pages):
        assert np.array_equal(table.score(page, np.array([0, len(page)]))[:, 0], together[:, number])


def test_the_order_of_words_does_not_matter(table: KindTable) -> None:
    words = words_of(np.random.default_rng(2), 500)
    assert np.array_equal(table.score(words, np.array([0, 500])), table.score(words[::-1], np.array([0, 500])))


def test_one_word_says_what_its_weights_say(table: KindTable) -> None:
    weights = table.weights[77].astype(int)
    for times in (1, 4, 100):
        said = table.score(np.full(times, 77, np.uint32), np.array([0, times]))[:, 0].astype(int)
        assert np.array_equal(said, np.clip(128 + weights, 0, 255))


def test_no_word_says_nothing(table: KindTable) -> None:
    assert (table.score(np.zeros(0, np.uint32), np.array([0, 0])) == 128).all()


def test_parts_of_a_page_say_together_what_each_says(table: KindTable) -> None:
    random = np.random.default_rng(4)
    parts = [(words_of(random, 300), np.array([0, 100, 100, 300])), (words_of(random, 9), np.array([0, 3, 6, 9]))]
    said = [table.score(*part).astype(int) - 128 for part in parts]
    assert np.array_equal(table.score_parts(parts), np.clip(128 + said[0] + said[1], 0, 255))


ADDRESSES = {
    '<link rel="canonical" href="https://shop.example/product/tin-lantern">': "product tin lantern",
    '<link rel="CANONICAL nofollow" href="/product/tin-lantern">': "product tin lantern",
    '<meta property="og:url" content="//shop.example/a"><link rel=canonical href="https://shop.example/b">': "a",
    '<meta property="og:url" content="https://shop.example/"><link rel=canonical href="https://shop.example/b">': "b",
    '<meta property="og:url" content="https://[shop/a"><link rel=canonical href="b?next=//c/d">': "b next c d",
    '<link rel=canonical href=" "><link rel=canonical href="/%C3%A9t%C3%A9">': "été",
    '<link rel="canonical" href="https://shop.example">': "",
    '<link rel="canonical"><link rel="stylesheet" href="/c">': "",
    "": "",
}


@pytest.mark.parametrize("head", ADDRESSES)
def test_html_says_more_of_its_kind_by_class_names_title_and_address(head: str) -> None:
    html = f"<head><title>Tin lantern</title>{head}</head><body><p class='cartButton'>A lantern.</p></body>"
    pages = [parse_html(some) for some in ("<p>One.", html, "", "<title>Two</title><p class=note>Two.")]
    (names, of_names), (words, of_words) = words_of_kind(pages, read_cues(pages))
    expected = read_word_hashes([f"tin lantern {ADDRESSES[head]}"])[0]
    assert np.array_equal(names, read_word_hashes(["cart button note"])[0])
    assert np.array_equal(words, np.concatenate([expected, read_word_hashes(["two"])[0]]))
    assert of_names.tolist() == [0, 0, 2, 2, 3]
    assert of_words.tolist() == [0, 0, len(expected), len(expected), len(words)]


def test_what_html_calls_itself_moves_its_kind(shipped_model: Model) -> None:
    def said(head: str, name: str) -> int:
        html = f"<head><title>Tin lantern</title>{head}</head><body><p class='{name}'>A lantern of tin.</p></body>"
        return int(read_lines(Page(html, kind="html"), shipped_model).columns["markup_kind_product"][0])

    plain = said("", "text")
    assert said('<link rel="canonical" href="https://shop.example/product/tin-lantern">', "text") > plain
    assert said("", "product-summary woocommerce-product-gallery") > plain


def test_a_word_counts_by_the_logarithm_of_its_number() -> None:
    words = np.array([5, 5, 5, 9, BUCKETS + 9, *[3] * 1_000], np.uint32)
    buckets, levels, bounds = word_levels(words, np.array([0, 5, len(words)]), BUCKETS, is_known(ALL_KNOWN))
    assert buckets.tolist() == [5, 9, 3]
    assert levels.tolist() == [COUNT_LEVELS[3], COUNT_LEVELS[2], COUNT_LEVELS[-1]]
    assert bounds.tolist() == [0, 2, 3]
    assert np.array_equal(COUNT_LEVELS[1:], np.minimum(np.rint(16 * (1 + np.log(np.arange(1, 9)))), 48))


@pytest.mark.parametrize("shape", [(0, 8), (3, 8), (4, 7), (8,)])
def test_an_array_that_is_no_table_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a table of kinds"):
        kind_table_of(np.zeros(shape, np.int8), ALL_KNOWN)


@pytest.mark.parametrize("known", [ALL_KNOWN[:-1], ALL_KNOWN.astype(np.int8)])
def test_known_words_of_another_size_are_refused(known: np.ndarray) -> None:
    with pytest.raises(ValueError, match="known words"):
        kind_table_of(np.zeros((4, 8), np.int8), known)


def test_unknown_words_say_nothing_but_are_counted() -> None:
    random = np.random.default_rng(5)
    words = words_of(random, 200)
    weights = random.integers(-127, 128, (BUCKETS, len(KINDS)), np.int8)
    some = KindTable(weights, known_words(words[:100]))
    buckets, levels, _ = word_levels(words, np.array([0, 200]), BUCKETS, is_known(some.known))
    known = buckets < BUCKETS
    assert 95 <= known.sum() <= 105  # few share a bucket, or the bit of another
    sums = (weights[buckets[known]].astype(int) * levels[known, None]).sum(axis=0) // int(np.sqrt((levels**2).sum()))
    assert np.array_equal(some.score(words, np.array([0, 200]))[:, 0], np.clip(128 + sums, 0, 255))
    none = KindTable(weights, known_words(words[:0]))
    assert (none.score(words, np.array([0, 200])) == 128).all()


@pytest.mark.parametrize("names", KIND_COLUMNS.values(), ids=KIND_COLUMNS)
def test_the_scores_of_kinds_are_weighed_to_the_bit(names: tuple[str, ...]) -> None:
    random = np.random.default_rng(3)
    weights = random.integers(-(1 << 20), 1 << 20, (len(KINDS), len(names) + 1), np.int32)
    assert KindWeights(weights).names == names
    columns = random.integers(0, 256, (len(names), 500), np.uint8)
    together = KindWeights(weights).scores(columns)
    for page in range(500):
        said = columns[:, page].astype(float) - 128
        assert np.allclose(together[:, page], (weights[:, :-1] @ said + weights[:, -1]) / KIND_WEIGHT_STEPS, rtol=1e-12)
        assert np.array_equal(KindWeights(weights).scores(columns[:, page : page + 1])[:, 0], together[:, page])


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (9, 9)])
def test_weights_that_are_not_one_a_kind_and_one_more_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights of kinds of shape"):
        KindWeights(np.zeros(shape, np.int32))


@pytest.mark.parametrize("name", ["news-bridge-zh.txt", "interview-piano-tuner-ja.txt", "blog-relojero-es.html"])
def test_an_article_is_one_in_any_language(shipped_model: Model, name: str) -> None:
    assert label((EXAMPLES / name).read_bytes(), model=shipped_model).kind == "article"
