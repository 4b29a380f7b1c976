"""Pages that share most of their body are one page to the counts, and are reported as copies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.characters import read_texts
from extractor.copies import CopyRecord, FoundCopies, copy_records
from extractor.counting import PageLines
from extractor.long_lines import connected, in_core, long_lines
from extractor.repetition import RepetitionCounter, RepetitionTable

SYNDICATED = Path(__file__).parent.parent / "examples" / "syndicated"
NAV = ["Home", "News", "Sport", "Weather", "Newsletter", "Related Articles", "0:00"]
NOTICE = "This site keeps small files on your device so that it remembers who you are; you may refuse them. " * 2


def prose(seed: str, paragraphs: int = 6, words: int = 60) -> list[str]:
    """Paragraphs that no other seed has."""
    chance = random.Random(seed)
    return [
        " ".join("".join(chance.choices("abcdefghijklm", k=chance.randint(2, 9))) for _ in range(words)) + "."
        for _ in range(paragraphs)
    ]


def article(seed: str, *, before: Sequence[str] = NAV, after: Sequence[str] = (NOTICE,)) -> str:
    """A page with furniture around a body."""
    return "\n\n".join([*before, f"About {seed}", *prose(seed), *after])


def count(texts: Sequence[str], sites: Sequence[str | None]) -> RepetitionTable:
    with RepetitionCounter() as counter:
        counter.add(PageLines.of(read_texts(texts)), sites)
        return counter.finish()


def groups(texts: Sequence[str], sites: Sequence[str | None]) -> list[set[int]]:
    """The groups of copies, as places in the list of pages."""
    table = count(texts, sites)
    records = copy_records([str(place) for place in range(len(texts))], table.find_copies(lines(texts), sites))
    found: dict[int, set[int]] = {}
    for record in records:
        found.setdefault(record.group, set()).add(int(record.page))
    return sorted(found.values(), key=min)


def lines(texts: Sequence[str]) -> PageLines:
    return PageLines.of(read_texts(texts))


def test_different_articles_of_a_site_are_no_copies() -> None:
    texts = [article(f"fire {number}") for number in range(40)]
    assert groups(texts, ["example.org"] * 40) == []
    assert count(texts, ["example.org"] * 40).pages_by_site["example.org"] == 40


@pytest.mark.parametrize("pages", [2, 3, 5, 12])
def test_nor_on_a_small_site_where_all_share_long_furniture(pages: int) -> None:
    furniture = [NOTICE, *prose("about us", 2)]
    texts = [article(f"fire {number}", after=furniture) for number in range(pages)]
    assert groups(texts, ["example.org"] * pages) == []


def test_the_same_page_twice_is_one_page() -> None:
    texts = [article("fire"), article("flood"), article("fire")]
    assert groups(texts, ["example.org"] * 3) == [{0, 2}]
    assert count(texts, ["example.org"] * 3).pages_by_site["example.org"] == 2


def test_a_print_view_is_a_copy() -> None:
    texts = [article(f"fire {number}") for number in range(20)]
    texts.append("\n".join(["Print this page", "About fire 3", *prose("fire 3")]))
    assert groups(texts, ["example.org"] * 21) == [{3, 20}]


def test_each_article_of_a_site_crawled_again_with_other_teasers() -> None:
    def crawl(day: int) -> list[str]:
        teasers = [f"Read on day {['one', 'two'][day]}: {prose(f'{day}', 8, 7)[row]}" for row in range(8)]
        return [article(f"fire {number}", after=[NOTICE, *teasers]) for number in range(20)]

    texts = crawl(0) + crawl(1)
    assert groups(texts, ["example.org"] * 40) == [{number, number + 20} for number in range(20)]
    assert count(texts, ["example.org"] * 40).pages_by_site["example.org"] == 20


def test_versions_of_one_page_may_be_all_there_is_of_a_site() -> None:
    texts = [article("fire", before=[*NAV, f"Version {'abcdefgh'[number]}"]) for number in range(8)]
    assert groups(texts, ["example.org"] * 8) == [set(range(8))]


def test_a_syndicated_article_is_found_on_every_site() -> None:
    texts, sites = [], []
    for site in ("north.example", "south.example", "west.example"):
        for number in range(6):
            texts.append(article(f"{site} {number}", before=[f"{site} {name}" for name in NAV], after=prose(site, 2)))
            sites.append(site)
        texts.append(article("shared story", before=[f"{site} {name}" for name in NAV], after=prose(site, 2)))
        sites.append(site)
    assert groups(texts, sites) == [{6, 13, 20}]
    assert count(texts, sites).pages_by_site["north.example"] == 7


@pytest.mark.parametrize(
    "sites", [["tessellate.example", "aldermoor.example"], [None, None], ["folder:syndicated"] * 2]
)
def test_the_syndicated_example_is_reported_wherever_it_lies(sites: list[str | None]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(SYNDICATED.glob("*.txt"))]
    assert groups(texts, sites) == [{0, 1}]


def test_a_front_page_that_holds_articles_whole_is_no_copy_of_each() -> None:
    texts = [article(f"post {number}") for number in range(10)]
    texts.append("\n".join(paragraph for number in range(10) for paragraph in prose(f"post {number}")))
    assert groups(texts, ["example.org"] * 11) == []


def test_a_quoted_paragraph_makes_no_copy() -> None:
    quoted = prose("a speech", 1)[0]
    texts = [article(f"fire {number}").replace(NOTICE, quoted) for number in range(3)]
    assert groups(texts, ["north.example", "south.example", "west.example"]) == []


def test_short_pages_are_copies_only_if_all_lines_are_equal() -> None:
    texts = ["Not found\nGo home", "Not found\nGo home", "Not found\nGo away"]
    assert groups(texts, ["a.example", "b.example", "b.example"]) == [{0, 1}]


def test_the_fullest_page_comes_first_and_the_shared_part_is_of_the_core() -> None:
    body = prose("a long story", 8)
    texts = ["\n".join(body), "\n".join([*body[:6], *prose("another end", 1)])]
    sites = ["north.example", "south.example"]
    found = count(texts, sites).find_copies(lines(texts), sites)
    fuller, other = copy_records(["whole", "cut"], found)
    assert fuller == CopyRecord(1, "whole", 1.0, True)
    assert not other.fullest
    assert 0.8 < other.shared < 0.9


def test_records_name_one_fullest_page_even_of_equal_ones() -> None:
    found = FoundCopies(np.array([7, 0, 7, 9]), np.array([1000, 0, 1000, 500]), np.array([True, False, True, False]))
    assert copy_records(["b", "x", "a", "alone"], found) == [
        CopyRecord(1, "a", 1.0, True),
        CopyRecord(1, "b", 1.0, False),
    ]


def test_the_core_is_the_run_with_most_prose() -> None:
    weights = np.array([10, 200, 5, 300, 10, 10, 10, 10, 10, 150, 10, 20, 20], np.uint16)
    offsets = np.array([0, 11, 11, 13])
    assert np.flatnonzero(in_core(weights, offsets)).tolist() == [1, 2, 3]
    assert long_lines(weights, offsets)[0].tolist() == [1, 3, 9]


@given(st.lists(st.lists(st.integers(0, 400), max_size=12), max_size=8))
def test_the_core_of_a_page_does_not_depend_on_the_pages_around_it(pages: list[list[int]]) -> None:
    offsets = np.cumsum([0, *map(len, pages)])
    together = in_core(np.array([weight for page in pages for weight in page], np.uint16), offsets)
    for page, first in zip(pages, offsets.tolist(), strict=False):
        alone = in_core(np.array(page, np.uint16), np.array([0, len(page)]))
        assert together[first : first + len(page)].tolist() == alone.tolist()


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_connected_pages_share_the_smallest_number(pairs: list[tuple[int, int]]) -> None:
    expected = list(range(20))
    for _ in range(20):
        for first, second in pairs:
            expected[first] = expected[second] = min(expected[first], expected[second])
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    assert connected(20, left, right).tolist() == expected


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_groups_do_not_depend_on_the_order_of_pages(chance: random.Random) -> None:
    seeds = [f"story {chance.randint(0, 6)}" for _ in range(14)]
    pages = [(article(seed, before=chance.choices(NAV, k=3)), f"{chance.choice('ab')}.example") for seed in seeds]
    shuffled = chance.sample(range(14), 14)
    plain = groups(*zip(*pages, strict=True))
    mixed = groups(*zip(*(pages[place] for place in shuffled), strict=True))
    assert sorted(map(sorted, plain)) == sorted(sorted(shuffled[place] for place in group) for group in mixed)
