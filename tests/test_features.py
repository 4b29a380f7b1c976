"""Columns of lines, as the table FEATURES fills them."""

from __future__ import annotations

from extractor.characters import read_texts
from extractor.features import FEATURES, Lines

TITLED = (
    "Neue Fähre fährt bis Mitternacht | Hafenblatt\n\nStartseite\nAlter Kran wird gestrichen\n\n"
    "Neue Fähre fährt bis Mitternacht\n\nAb Montag legt das Boot jede halbe Stunde ab, sagt das Hafenamt.\n"
)


def column(texts: list[str], name: str) -> list[int]:
    lines = Lines(read_texts(texts))
    values: list[int] = next(feature for feature in FEATURES if feature.name == name).fill(lines).tolist()
    return values


def test_the_headline_holds_nothing_but_words_of_the_title_that_a_dump_begins_with() -> None:
    assert column([TITLED], "first_line_precision")[:4] == [255, 0, 0, 255]
    assert column([TITLED], "first_line_recall")[:4] == [255, 0, 0, 255 * 5 // 6]


def test_columns_of_a_page_do_not_depend_on_the_pages_beside_it() -> None:
    other = "Hafenblatt\n\n码头新渡轮运行到午夜\n\nStartseite\n"
    for feature in FEATURES:
        alone = column([TITLED], feature.name) + column([other], feature.name)
        assert column([TITLED, other], feature.name) == alone, feature.name
    assert column(["\n", TITLED], "first_line_recall") == column([TITLED], "first_line_recall")
