"""Dumps with most lines left out: what stays is in its order, under its label, and the text is never lost."""

from __future__ import annotations

import numpy as np
import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.training.corpora import Dump, Source
from extractor.training.shortening import (
    EXCERPT,
    SHORTENED,
    excerpt_dump,
    shortened_dump,
    shortened_views,
)

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
    assert shortened_dump(page) is excerpt_dump(page) is None
    assert list(shortened_views([page])) == []


def test_views_know_the_label_of_every_line() -> None:
    for found, made in zip(shortened_views([source(1)]), (shortened_dump, excerpt_dump), strict=True):
        dump = made(source(1))
        assert dump is not None
        assert dump.labels is not None
        assert found.read.all()
        assert np.allclose(found.trust, 1.0 if made is shortened_dump else 1 / 3)
        assert len(found.classes) == len(dump.labels) == found.view.own.shape[1]


def test_an_excerpt_is_the_text_alone_or_lines_that_follow_each_other() -> None:
    kinds = {"text": 0, "of text": 0, "of all": 0}
    text = [place for place, label in enumerate(LABELS) if label == "body"]
    for number in range(200):
        page = source(number)
        dump = excerpt_dump(page)
        assert dump is not None
        assert dump.converter == EXCERPT
        assert dump == excerpt_dump(page)
        places = [int(line.split()[1]) for line in dump.text.split("\n") if line]
        assert dump.labels == tuple(LABELS[place] for place in places)
        assert places == list(range(places[0], places[-1] + 1))
        kind = "text" if places == text else "of text" if set(places) <= {*text} else "of all"
        assert len(places) <= 12
        kinds[kind] += 1
    assert 75 <= kinds["text"] <= 125
    assert 30 <= kinds["of text"] <= 70
    assert 25 <= kinds["of all"] <= 65
