"""Labelled pages as if they were written in other languages: every line keeps its label and its markup."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text", "joblib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.features import FEATURES
from extractor.html import parse_html
from extractor.training.corpora import Dump, Source
from extractor.training.derivation import LabelledView
from extractor.training.phrases import read_phrasebook
from extractor.training.translation import translated_markup, translated_views
from extractor.training.views import label_codes, views

BOOK = read_phrasebook(Path(__file__).parent.parent / "training_data" / "phrases")
HTML = """<html><head><title>The ferry runs until midnight</title></head><body class=page>
<nav><ul><li><a href=/>Home</a><li><a href=/p>Politics</a></ul></nav>
<article><h1>The ferry runs until midnight</h1><p class=by>By <b>Ann Quay</b></p>
<p>From Monday the ferry runs <a href=/x>every half hour</a>, the harbour office says.</p></article>
<aside><h2>Read also</h2><a href=/m>Market moves to the pier</a></aside></body></html>"""
LABELS = ("nav", "nav", "body", "header", "body", "related-link", "related-link")


def labelled_pages(number: int, corpus: str = "wcxb") -> tuple[list[Source], list[LabelledView]]:
    sources, labelled = [], []
    for page in range(number):
        texts = parse_html(HTML).texts
        dumps = [Dump("bs4", "\n\n".join(texts), LABELS), Dump("w3m", "\n".join(texts))]
        source = Source(
            corpus, f"page{page}", "train", None, f"site{page}.example", "article", HTML.encode(), None, None, (), (),
            (), 0.0, dumps,
        )  # fmt: skip
        sources.append(source)
        for view in views(source).all():
            classes = label_codes(LABELS).astype(int) + 1
            labelled.append(LabelledView(view, classes, np.full(len(LABELS), 0.75), view.hand >= 0))
    return sources, labelled


def test_lines_keep_their_labels_and_what_is_known_of_them() -> None:
    sources, labelled = labelled_pages(40)
    found = translated_views(sources, labelled, BOOK, [0])
    assert [one.view.converter for one in found] == ["html", "bs4"] * 40  # no dump that nobody read
    known = {(one.view.id, one.view.converter): one for one in labelled}
    changed = 0
    for one in found:
        original = known[one.view.id, one.view.converter]
        assert one.classes.tolist() == original.classes.tolist()
        assert one.trust.tolist() == original.trust.tolist()
        assert one.view.site == original.view.site
        assert one.view.page_type is None
        changed += not set(one.view.tokens.tolist()) & set(original.view.tokens.tolist())
    assert changed > 70  # but for those in English
    assert len({one.view.tokens.tobytes() for one in found}) > 70
    again = [one.view.tokens.tolist() for one in translated_views(sources, labelled, BOOK, [0, 1])]
    first, second = again[:80], again[80:]
    assert [one.view.tokens.tolist() for one in found] == first
    assert not any(one == other for one, other in zip(first, second, strict=True))


def test_pages_without_capitals_have_none_and_all_keep_their_blank_lines() -> None:
    names = [feature.name for feature in FEATURES]
    sources, labelled = labelled_pages(60)
    dumps = [one.view.own for one in translated_views(sources, labelled, BOOK, [0]) if one.view.converter == "bs4"]
    original = labelled[1].view.own
    for column in ("blank_before", "blank_after"):
        row = names.index(column)
        assert all((own[row] == original[row]).all() for own in dumps)
    uncased = [own for own in dumps if not own[names.index("capitalised")].any()]
    assert 0.1 < len(uncased) / len(dumps) < 0.6


def test_pages_of_unspaced_corpora_are_left_out() -> None:
    assert translated_views(*labelled_pages(3, "chinese-news"), BOOK, [0]) == []


@pytest.mark.parametrize("language", ["ar", "de", "hi", "ja", "ko", "ru", "th", "zh"])
def test_of_a_line_as_much_is_link_as_before(language: str) -> None:
    before = parse_html(HTML)
    after = translated_markup(before, BOOK, language, 1)
    assert after.texts != before.texts
    assert (after.blocks, after.block_cues, after.links) == (before.blocks, before.block_cues, before.links)
    assert after.meta["title"] == after.texts[2]
    for old, new, text in zip(before.link_characters, after.link_characters, after.texts, strict=True):
        assert (old > 0) == (new > 0)
        assert new <= len(text)
    assert after.link_characters[0] >= len("".join(after.texts[0].split()))
    assert 0 < after.strong_characters[3] < len(after.texts[3])
    assert 0 < after.link_characters[4] < len(after.texts[4]) / 2
