"""Dumps with most lines left out: what stays is in its order, under its label, and the text is never lost."""

from __future__ import annotations

import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.training.corpora import Dump, Source
from extractor.training.shortening import SHORTENED, shortened_dump, shortened_views

PARTS = {"header": 2, "nav": 9, "body": 12, "related-link": 7, "nav ": 5}
"""Runs of lines by their label, in their order."""
LABELS = tuple(label.strip() for label, count in PARTS.items() for _ in range(count))


def source(number: int) -> Source:
    """A page of a site of its own, read by hand; every third line has a blank one above it."""
    lines = [f"{chr(10) * (place % 3 == 2)}Line {place} of {number}, {label}" for place, label in enumerate(LABELS)]
    dumps = [Dump("bs4", "\n".join(lines) + "\n", LABELS)]
    return Source(
        "wcxb", f"page{number}", "train", None, f"site{number}.example", "article", b"<p>line</p>", None, None,
        (), (), (), 0.0, dumps,
    )  # fmt: skip


def test_the_first_lines_of_every_run_stay_in_order_with_the_blank_lines_above_them() -> None:
    lengths, without_menus = set(), 0
    for number in range(60):
        page = source(number)
        dump = shortened_dump(page)
        assert dump is not None
        assert dump.labels is not None
        assert dump.converter == SHORTENED
        texts = [line for line in dump.text.split("\n") if line]
        places = [int(text.split()[1]) for text in texts]
        assert places == sorted(places)
        assert dump.labels == tuple(LABELS[place] for place in places)
        firsts = {label: sum(list(PARTS.values())[:at]) for at, label in enumerate(PARTS)}
        for label, first in firsts.items():
            kept = [place for place in places if first <= place < first + PARTS[label]]
            assert kept == list(range(first, first + len(kept)))
            assert len(kept) <= (6 if label == "body" else 4)
            assert kept or label.strip() in ("nav", "header")
        blank = [place for place in places if f"\n\nLine {place} of" in f"\n{dump.text}"]
        assert blank == [place for place in places if place % 3 == 2]
        lengths.add(len(places))
        without_menus += "nav" not in dump.labels
        assert dump == shortened_dump(page)
    assert len(lengths) > 8
    assert 2 <= without_menus <= 15


def test_a_page_that_nobody_read_is_left_out() -> None:
    page = source(1)
    page.dumps[0] = Dump("bs4", page.dumps[0].text)
    assert shortened_dump(page) is None
    assert list(shortened_views([page])) == []


def test_views_know_the_label_of_every_line() -> None:
    (found,) = shortened_views([source(1)])
    dump = shortened_dump(source(1))
    assert dump is not None
    assert dump.labels is not None
    assert found.read.all()
    assert len(found.classes) == len(dump.labels) == found.view.own.shape[1]
