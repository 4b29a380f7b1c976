"""Pages in words that nobody has seen: everything but the words stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.characters import read_texts
from extractor.features import FEATURES, Lines
from extractor.training.corpora import Dump, Source
from extractor.training.derivation import LabelledView, classes_read
from extractor.training.unknown_words import delexicalised_views, in_unknown_words
from extractor.training.views import views

TEXTS = {
    "German": "Startseite\n\nDie Fähre fährt bis Mitternacht, sagt das Hafenamt. Die Karten kosten 3,50 €.\n",
    "Greek": "Αρχική | Επικοινωνία\n\nΤο πλοίο φεύγει στις 23:30, λέει το λιμεναρχείο.\n",
    "Chinese": "首页 新闻\n\n渡轮从周一起每半小时开出一班,直到午夜。\n",
    "Arabic": "الرئيسية\n\nتبحر العبارة كل نصف ساعة حتى منتصف الليل، بحسب مكتب الميناء.\n",
}
WORDLESS = [feature for feature in FEATURES if feature.name != "overlap"]  # in its slots words meet by chance


@pytest.mark.parametrize("language", TEXTS)
def test_all_columns_but_those_of_words_stay(language: str) -> None:
    text = TEXTS[language]
    exchanged = in_unknown_words(text)
    before, after = (Lines(read_texts([one])) for one in (text, exchanged))
    for feature in WORDLESS:
        assert feature.fill(before).tolist() == feature.fill(after).tolist(), feature.name
    assert not set(text.split()) & {word for word in exchanged.split() if any(map(str.isalpha, word))}


def test_equal_words_stay_equal_and_others_stay_others() -> None:
    text = "Die Fähre, die Fähre, DIE FÄHRE: bis Mitternacht"
    words, exchanged = text.split(), in_unknown_words(text).split()
    assert len(words) == len(exchanged)
    assert len(set(zip(words, exchanged, strict=True))) == len(set(exchanged)) == len(set(words))
    assert in_unknown_words(text) == in_unknown_words(text)
    assert exchanged[0].lower() == exchanged[2]
    assert exchanged[1].upper() == exchanged[5].replace(":", ",")


def test_letters_whose_other_case_is_no_one_letter_or_another_one_s_stay() -> None:
    assert in_unknown_words("ß İ ı ς 12\n\ud800") == "ß İ ı ς 12\n\ud800"
    assert in_unknown_words("") == ""
    assert in_unknown_words("a 1 A") == "a 1 A"
    turkish, greek = in_unknown_words("ISTANBUL ısı istanbul"), in_unknown_words("ΣΤΟΑ στοα")
    for exchanged in (turkish, greek):
        assert exchanged.split()[0] == exchanged.split()[-1].upper()


def labelled_views(pages: int) -> list[LabelledView]:
    found = []
    for number in range(pages):
        html = f"<div class='nav'><p>Home</p></div><article><p>The ferry {number} runs until midnight.</p></article>"
        dump = Dump("bs4", f"Home\n\nThe ferry {number} runs until midnight.\n", ("nav", "body"))
        source = Source(
            "wcxb", f"page{number}", "train", None, f"site{number}.example", "article", html.encode(), None, None,
            (), (), (), 0.0, [dump],
        )  # fmt: skip
        for view in views(source).all():
            lines = view.own.shape[1]
            found.append(LabelledView(view, classes_read(view), np.ones(lines), view.hand >= 0))
    return found


def test_views_are_learned_from_in_unknown_words() -> None:
    labelled = labelled_views(60)
    known = {(one.view.id, one.view.converter): one for one in labelled}
    found = list(delexicalised_views(labelled))
    assert len(found) == len(labelled)
    assert {id(one.view) for one in found}.isdisjoint(id(one.view) for one in labelled)
    assert 0.1 < sum(1 for _ in delexicalised_views(labelled, 4)) / len(labelled) < 0.4
    whole, cues = 0, 0
    for one in found:
        view, original = one.view, known[one.view.id, one.view.converter].view
        assert view.page_type is None
        assert view.own is original.own
        assert (view.token_offsets == original.token_offsets).all()
        pairs = dict(zip(original.tokens.tolist(), view.tokens.tolist(), strict=True))
        assert len(set(pairs.values())) == len(pairs)
        assert any(before != after for before, after in pairs.items())
        whole += all(before != after for before, after in pairs.items())
        if view.cue_tokens is not None and original.cue_tokens is not None:
            cues += bool((view.cue_tokens[0] != original.cue_tokens[0]).all())
    assert 0.3 < whole / len(found) < 0.7
    assert 0.2 < cues / sum(one.view.format == "html" for one in found) < 0.8
    again = [one.view.tokens.tolist() for one in delexicalised_views(labelled)]
    assert again == [one.view.tokens.tolist() for one in found]
    other = [one.view.tokens.tolist() for one in delexicalised_views(labelled, turn=1)]
    assert sum(map(list.__ne__, again, other)) > 0.9 * len(again)
    first, second = (
        {(one.view.id, one.view.converter) for one in delexicalised_views(labelled, 2, turn)} for turn in range(2)
    )
    assert first.isdisjoint(second)
    assert len(first | second) == len(labelled)
