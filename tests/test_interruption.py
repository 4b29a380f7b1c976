"""Dumps with furniture put between their lines: no line is lost, and what is added is known for what it is."""

from __future__ import annotations

import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.classifier import HEADLINE, NAV
from extractor.training.corpora import Dump, Source
from extractor.training.interruption import INTERRUPTED, furniture, interrupted_dump, interrupted_views, mastheads

LABELS = ("header", "nav", "nav", "nav", "body", "body", "related-link", "related-link", "related-link", "nav")


def source(number: int) -> Source:
    """A page of a site of its own, read by hand."""
    text = (
        f"Hafenblatt {number}\n\nMenu\nShare\n0:00\n\nThe ferry now runs until midnight\n\n"
        f"From Monday on, boat {number} leaves the pier every half hour until midnight, says the harbour office.\n\n"
        f"Also of interest\nMarket moves to the quay {number}\nOld crane is to be painted {number}\nShare\n"
    )
    dumps = [Dump("bs4", text, LABELS)]
    title = "The ferry now runs until midnight"
    return Source(
        "wcxb", f"page{number}", "train", None, f"site{number}.example", "article", b"<p>ferry</p>", None, title,
        (), (), (), 0.0, dumps,
    )  # fmt: skip


def lines_of(dump: Dump) -> list[tuple[str, str]]:
    assert dump.labels is not None
    return list(zip([line for line in dump.text.split("\n") if line.strip()], dump.labels, strict=True))


def test_furniture_is_what_several_sites_have_as_nav() -> None:
    assert furniture([source(1)]) == []
    assert furniture([source(1), source(2)]) == [["Menu", "Share"], ["0:00"]]


def test_every_line_stays_and_what_is_added_is_furniture_or_a_copy_of_the_headline() -> None:
    pieces = [["Menu", "Share"], ["0:00"]]
    added, doubled = 0, 0
    for number in range(60):
        page = source(number)
        dump = interrupted_dump(page, pieces, [])
        assert dump is not None
        assert dump.converter == INTERRUPTED
        rest, own = lines_of(dump), lines_of(page.dumps[0])
        for line in own:
            rest.remove(line)
        assert [line for line in lines_of(dump) if line in own and line not in rest][:1] == own[:1]
        for text, label in rest:
            is_copy = (text, label) == ("The ferry now runs until midnight", "header")
            assert is_copy or (label == "nav" and text in ("Menu", "Share", "0:00", f"Hafenblatt {number}"))
            doubled += is_copy
        added += len(rest)
        assert dump == interrupted_dump(page, pieces, [])
    assert added > 180
    assert 10 <= doubled <= 30


def test_a_page_without_a_name_of_its_own_has_that_of_another_site_among_its_teasers() -> None:
    names = mastheads([source(1), source(2)])
    assert names == ["Hafenblatt 1", "Hafenblatt 2"]
    named, below_heading = 0, 0
    for number in range(60):
        page = source(number)
        page.dumps[0] = Dump("bs4", page.dumps[0].text, ("nav", *LABELS[1:]))
        dump = interrupted_dump(page, [["Menu", "Share"]], names)
        assert dump is not None
        lines = lines_of(dump)
        places = [place for place, (text, label) in enumerate(lines) if place and text in names]
        assert len(places) <= 1
        for place in places:
            assert lines[place][1] == "nav"
            named += 1
            below_heading += lines[place - 1] == ("Also of interest", "related-link")
    assert 20 <= named <= 40
    assert below_heading >= 5


def test_a_page_without_a_block_of_teasers_is_left_out() -> None:
    page = source(1)
    page.dumps[0] = Dump("bs4", page.dumps[0].text, ("nav",) * len(LABELS))
    assert interrupted_dump(page, [["Menu"]], []) is None
    page.dumps[0] = Dump("bs4", page.dumps[0].text)
    assert interrupted_dump(page, [["Menu"]], []) is None


def test_views_know_the_label_of_every_line() -> None:
    sources = [source(1), source(2)]
    found = list(interrupted_views(sources))
    assert [one.view.id for one in found] == ["page1", "page2"]
    for one in found:
        assert one.read.all()
        assert (one.classes == HEADLINE).sum() == 1
        assert (one.classes == NAV).sum() > LABELS.count("nav")
