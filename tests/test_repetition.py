"""The repetition table: the same for any order, parts, batches and memory; refused when it is not whole."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractor.characters import Array, read_texts
from extractor.counting import PageLines, fingerprints, site_keys
from extractor.errors import TableError
from extractor.postings import Postings
from extractor.quantise import logarithm
from extractor.repetition import RepetitionCounter, RepetitionTable
from extractor.repetition_features import REPETITION_NAMES, repetition_columns

Corpus = list[tuple[str, str | None]]
SITE = "example.org"


def lines(texts: Sequence[str]) -> PageLines:
    return PageLines.of(read_texts(texts))


def count(
    pages: Corpus, *, batch: int = 1000, memory: int = 1 << 28, mergeable: bool = False, single: bool = True
) -> RepetitionTable:
    with RepetitionCounter(memory=memory, mergeable=mergeable) as counter:
        for first in range(0, len(pages), batch):
            part = pages[first : first + batch]
            counter.add(lines([text for text, _ in part]), [site for _, site in part])
        return counter.finish(single=single)


def saved(table: RepetitionTable, folder: Path, name: str = "table.npz") -> bytes:
    table.save(folder / name)
    return (folder / name).read_bytes()


def corpus(seed: int, pages: int = 60) -> Corpus:
    """Sites with furniture, unknown pages, second crawls and a syndicated story."""
    chance = random.Random(seed)
    made: Corpus = []
    for _ in range(pages):
        site = chance.choice([SITE, "other.example", "folder:small", "folder:large", "folder:large", None])
        story = chance.choice(["syndicated", *(f"story {chance.randint(0, 50)}" for _ in range(6))])
        words = random.Random(story)
        body = [" ".join(words.choices(["stone", "river", "lamp", "wool", story], k=50)) + "." for _ in range(5)]
        made.append(("\n".join([f"{site} menu", "Home", "Contact", *body, f"Read {chance.randint(0, 9)} more"]), site))
    return made


def test_lines_are_counted_in_distinct_pages_of_a_site() -> None:
    pages: Corpus = [(f"Menu\nMenu\nArticle {'abcde'[number]}", SITE) for number in range(5)]
    pages += [("Menu\nElsewhere", "other.example"), ("menu", None)]
    table = count(pages)
    found = table.look_up(lines(["MENU\nArticle a\nNever seen"]), [SITE])
    assert found.pages.tolist() == [5, 1, 0]
    assert found.site_pages.tolist() == [5, 5, 5]
    assert found.sites.tolist() == [2, 0, 0]
    assert table.pages_by_site == {"": 1, SITE: 5, "other.example": 1}


def test_a_counted_page_is_taken_off_its_own_counts() -> None:
    pages: Corpus = [(f"Menu\nArticle {'abcde'[number]}", SITE) for number in range(5)]
    found = count(pages).look_up(lines([pages[0][0]]), [SITE])
    assert found.pages.tolist() == [4, 0]
    assert found.site_pages.tolist() == [4, 4]


def test_so_is_the_counted_copy_of_a_page_that_was_not_counted() -> None:
    body = "\n".join(f"{word} " * 40 + "." for word in ("stone", "river", "lamp", "wool"))
    table = count([(f"Menu\n{body}", SITE), *((f"Menu\n{letter * 9} {letter * 70}", SITE) for letter in "abcdefghij")])
    found = table.look_up(lines([f"Menu\n{body}\nSeen today"]), [SITE])
    assert found.pages.tolist() == [10, 0, 0, 0, 0, 0]
    assert found.site_pages[0] == 10


def test_pages_of_unknown_site_count_for_the_number_of_sites_only() -> None:
    table = count([("Menu\na b", None), ("Menu\nc d", None), ("Menu\ne f", SITE), ("Menu\ng h", SITE)])
    found = table.look_up(lines(["Menu", "Menu"]), [SITE, None])
    assert found.pages.tolist() == [2, 0]
    assert found.site_pages.tolist() == [2, 0]
    assert found.sites.tolist() == [2, 2]


def test_copies_on_several_sites_are_one_site() -> None:
    story = "\n".join(f"{word} " * 60 + "." for word in ("stone", "river", "lamp"))
    table = count([(f"north\nNewsletter\n{story}", "north.example"), (f"south\nNewsletter\n{story}", "south.example")])
    assert table.look_up(lines([f"Newsletter\n{story}"]), ["south.example"]).sites.tolist() == [0, 0, 0, 0]


def test_a_folder_is_a_site_from_five_distinct_pages_on() -> None:
    small: Corpus = [(f"Menu\nArticle {'abcd'[number % 4]}", "folder:x") for number in range(9)]
    assert count(small).pages_by_site["folder:x"] == 0
    assert not count(small).look_up(lines(["Menu"]), ["folder:x"]).site_pages.any()
    assert count([*small, ("Menu\nArticle e", "folder:x")]).pages_by_site["folder:x"] == 5
    assert count([(text, SITE) for text, _ in small]).pages_by_site[SITE] == 4


def test_pages_without_lines_are_not_counted() -> None:
    assert count([("", SITE), (" \n ", SITE), ("Menu", SITE)]).pages_by_site[SITE] == 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.randoms(use_true_random=False), st.integers(1, 70))
def test_order_and_batches_do_not_show(seed: int, chance: random.Random, batch: int) -> None:
    pages = corpus(seed)
    shuffled = chance.sample(pages, len(pages))
    assert_equal(count(pages, mergeable=True), count(shuffled, batch=batch, mergeable=True))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 60), max_size=4))
def test_parts_merged_are_the_whole(seed: int, cuts: list[int]) -> None:
    pages = corpus(seed)
    parts = [count(pages[first:last], mergeable=True) for first, last in pairwise([0, *sorted(cuts), len(pages)])]
    assert_equal(RepetitionTable.merge(parts), count(pages, mergeable=True))


def test_a_merged_table_can_be_merged_again_in_any_order(tmp_path: Path) -> None:
    pages = corpus(3)
    first, second, third = (count(pages[start : start + 20], mergeable=True) for start in (0, 20, 40))
    whole = count(pages, mergeable=True)
    merged = RepetitionTable.merge([third, RepetitionTable.merge([second, first])])
    assert saved(merged, tmp_path) == saved(whole, tmp_path, "whole.npz")


def test_a_table_without_its_pages_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="build it mergeable"):
        RepetitionTable.merge([count(corpus(1))])


@pytest.mark.parametrize("memory", [1, 3_000, 40_000])
def test_spilling_does_not_show(memory: int) -> None:
    pages = corpus(5, 200)
    assert_equal(count(pages, memory=memory, batch=7), count(pages))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=60), st.integers(0, 10), st.integers(1, 400))
def test_partitions_hold_every_row_once_and_ascend(hashes: list[int], bits: int, memory: int) -> None:
    with Postings((np.uint64, np.int32), memory) as postings:
        for number, value in enumerate(hashes):
            postings.add(np.array([value], np.uint64), np.array([number], np.int32))
        found = [tuple(zip(*(column.tolist() for column in part), strict=True)) for part in postings.partitions(bits)]
    assert sorted(row for part in found for row in part) == sorted((value, row) for row, value in enumerate(hashes))
    tops = [{value >> (64 - bits) for value, _ in part} for part in found if part]
    assert all(len(top) == 1 for top in tops)
    assert [min(top) for top in tops] == sorted(min(top) for top in tops)


def test_a_table_without_single_lines_says_the_same_of_its_own_pages() -> None:
    pages = corpus(8)
    small, large = count(pages, single=False), count(pages)
    texts, sites = [text for text, _ in pages], [site for _, site in pages]
    for one, other in zip(small.look_up(lines(texts), sites), large.look_up(lines(texts), sites), strict=True):
        assert one.tolist() == other.tolist()


def test_counting_goes_on_after_a_table_was_made() -> None:
    pages = corpus(9)
    with RepetitionCounter() as counter:
        for part in (pages[:20], pages[20:]):
            counter.add(lines([text for text, _ in part]), [site for _, site in part])
            table = counter.finish()
    assert_equal(table, count(pages))
    assert table.card["pages"] == len(pages)


def test_no_pages_give_an_empty_table(tmp_path: Path) -> None:
    count([], mergeable=True).save(tmp_path / "empty.npz")
    table = RepetitionTable.open(tmp_path / "empty.npz")
    assert table.pages_by_site == {"": 0}
    assert not repetition_columns(table, read_texts(["Menu"]), [SITE]).any()
    assert table.find_copies(lines(["Menu"]), [SITE]).group.tolist() == [0]
    assert_equal(RepetitionTable.merge([table, table]), table)


def test_a_saved_table_says_what_it_said(tmp_path: Path) -> None:
    table = count(corpus(2), mergeable=True)
    table.save(tmp_path / "table.npz")
    opened = RepetitionTable.open(tmp_path / "table.npz")
    assert_equal(opened, table)
    assert saved(opened, tmp_path, "again.npz") == (tmp_path / "table.npz").read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".npz"] == []


def test_columns_are_zero_where_nothing_is_known() -> None:
    batch = read_texts(["Menu\nArticle a", "Menu\nArticle b"])
    table = count([("Menu\nArticle a", SITE), ("Menu\nArticle b", None)])
    assert not repetition_columns(None, batch, [SITE, None]).any()
    assert not repetition_columns(table, batch, [SITE, None]).any()
    assert not repetition_columns(table, batch, ["stranger.example", None]).any()


def test_columns_say_how_a_line_repeats() -> None:
    pages: Corpus = [(f"Menu\nSearch\nArticle {'abcde'[number]}\nFooter", SITE) for number in range(5)]
    batch = read_texts([pages[0][0]])
    columns = dict(zip(REPETITION_NAMES, repetition_columns(count(pages), batch, [SITE]).tolist(), strict=True))
    assert columns["repeated_share"] == [255, 255, 0, 255]
    assert columns["repeated_pages"] == logarithm(np.array([4, 4, 0, 4])).tolist()
    assert columns["repeated_sites"] == logarithm(np.zeros(4, np.int64)).tolist()
    assert columns["site_pages"] == logarithm(np.array([4, 4, 4, 4])).tolist()
    assert columns["site_known"] == [255] * 4
    assert columns["repeated_run_lines"] == logarithm(np.array([2, 2, 0, 1])).tolist()
    assert columns["repeated_run_weight"] == logarithm(np.array([10, 10, 0, 6]) // 4).tolist()


def test_a_folder_of_unrelated_pages_is_no_site() -> None:
    def known(furniture: list[str], others: int) -> bool:
        related = [("\n".join([*furniture, f"Article {letter}"]), SITE) for letter in "abcdefgh"[:others]]
        strangers = [(f"Stranger {letter}\nNotes {letter}\nPrices {letter}", SITE) for letter in "abcdefgh"[others:]]
        table = count([*related, *strangers])
        return bool(repetition_columns(table, read_texts([related[0][0]]), [SITE]).any())

    assert known(["Menu", "Search", "Imprint"], 8)
    assert known(["Menu", "Search", "Imprint"], 5)  # four of the seven other pages
    assert not known(["Menu", "Search", "Imprint"], 4)
    assert not known(["Menu", "Search"], 8)
    assert not known(["Menu", "Search", "Menu", "Search"], 8)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 40))
def test_columns_do_not_depend_on_the_batch(seed: int, size: int) -> None:
    pages, table = corpus(seed, 40), count(corpus(seed, 25))
    texts, sites = [text for text, _ in pages], [site for _, site in pages]
    parts = [
        repetition_columns(table, read_texts(texts[first : first + size]), sites[first : first + size])
        for first in range(0, 40, size)
    ]
    assert np.array_equal(np.hstack(parts), repetition_columns(table, read_texts(texts), sites))


def test_fingerprints_tell_the_order_of_lines() -> None:
    same, other, again = fingerprints(lines(["a\nb", "b\na", "A\n\nb"])).tolist()
    assert same == again != other


def test_the_same_line_has_another_key_on_another_site() -> None:
    keys = site_keys(np.arange(1000, dtype=np.uint64), np.repeat(np.arange(10, dtype=np.uint64), 100))
    assert len(np.unique(keys)) == 1000


def damaged(data: bytes) -> dict[str, bytes]:
    """Files that no table is, by what is wrong with them."""
    foreign = io.BytesIO()
    np.savez(foreign, weights=np.zeros(3))
    compressed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    middle = len(data) // 2
    inside = data.index(b"NUMPY", middle) + 130
    return {
        "empty": b"",
        "text": b"a repetition table",
        "cut short": data[:-100],
        "half": data[:middle],
        "one byte changed": data[:inside] + bytes([data[inside] ^ 1]) + data[inside + 1 :],
        "foreign": foreign.getvalue(),
        "compressed": compressed.getvalue(),
        "a card that is none": changed(data, "card", lambda _: np.frombuffer(b"[1, 2", np.uint8)),
        "a card of something else": changed(data, "card", lambda _: np.frombuffer(b"[]", np.uint8)),
        "another type": changed(data, "pages", lambda array: array.astype(np.uint64)),
        "another length": changed(data, "pages", lambda array: array[1:]),
        "out of order": changed(data, "repeated", lambda array: array[::-1].copy()),
        "no such site": changed(data, "stored_site", lambda array: array + np.uint32(99)),
        "objects": changed(data, "pages", lambda array: array.astype(object)),
    }


def changed(data: bytes, name: str, change: Callable[[Array], Array]) -> bytes:
    """The file with one array replaced."""
    with np.load(io.BytesIO(data)) as stored:
        arrays = dict(stored)
    file = io.BytesIO()
    np.savez(file, **{**arrays, name: change(arrays[name])})
    return file.getvalue()


def refusal(path: Path) -> str:
    """What opening the file says, or nothing if it opens."""
    try:
        RepetitionTable.open(path)
    except TableError as error:
        return str(error)
    return ""


def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path) -> None:
    for reason, data in damaged(saved(count(corpus(4), mergeable=True), tmp_path)).items():
        path = tmp_path / f"{reason}.npz"
        path.write_bytes(data)
        assert refusal(path).startswith(f"{path}: "), reason
        assert "extractor repetition build" in refusal(path), reason


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.npz", tmp_path):
        with pytest.raises(TableError, match="repetition table"):
            RepetitionTable.open(path)


@pytest.mark.parametrize("entry", ["version", "probe"])
def test_an_outdated_table_is_refused(tmp_path: Path, entry: str) -> None:
    def older(card: Array) -> Array:
        return np.frombuffer(json.dumps({**json.loads(card.tobytes()), entry: 0}).encode(), np.uint8)

    path = tmp_path / "old.npz"
    path.write_bytes(changed(saved(count(corpus(4)), tmp_path), "card", older))
    with pytest.raises(TableError, match=r"old\.npz: .*(made for version|outdated).*extractor repetition build"):
        RepetitionTable.open(path)


def test_an_array_that_claims_to_be_huge_is_refused_unread(tmp_path: Path) -> None:
    data = saved(count(corpus(4)), tmp_path)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<u8", "fortran_order": False, "shape": (1 << 60,)})
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(file, "w") as bomb:
        for name in archive.namelist():
            bomb.writestr(name, header.getvalue() if name == "repeated.npy" else archive.read(name))
    (tmp_path / "bomb.npz").write_bytes(file.getvalue())
    with pytest.raises(TableError, match="wrong type or length"):
        RepetitionTable.open(tmp_path / "bomb.npz")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_no_changed_byte_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, place: int, value: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "fuzzed.npz"
    data = bytearray(saved(count(corpus(6, 8), mergeable=True), folder, "whole.npz"))
    data[place % len(data)] = value
    path.write_bytes(data)
    try:
        RepetitionTable.open(path)
    except TableError:
        return


def assert_equal(one: RepetitionTable, other: RepetitionTable) -> None:
    """The two tables are equal to the bit."""
    card = one.card
    assert {name: card[name] for name in other.card if name in card} == {
        name: other.card[name] for name in card if name in other.card
    }
    assert one._arrays.keys() - {"card"} == other._arrays.keys() - {"card"}
    for name in one._arrays.keys() - {"card"}:
        assert one._arrays[name].dtype == other._arrays[name].dtype, name
        assert one._arrays[name].tolist() == other._arrays[name].tolist(), name
