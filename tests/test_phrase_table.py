"""Well-known phrases: whole lines and beginnings, found by the tokens of a line."""

from __future__ import annotations

import numpy as np
import pytest

from extractor import Label, Model, label
from extractor.characters import read_texts
from extractor.phrase_table import PHRASE_NAMES, PhraseTable, tokens_of_phrase
from extractor.wording import MOST_WORDS, line_tokens

READ_ALSO, BY, HOME = 7, 9, 200
PHRASES = {"Read also": (READ_ALSO, True), "By": (BY, True), "Home": (HOME, False), "関連記事": (READ_ALSO, False)}


@pytest.fixture(scope="module")
def table() -> PhraseTable:
    tokens, offsets = line_tokens(read_texts(["\n".join(PHRASES)]))
    known = {
        token: number
        for place, (number, at_start) in enumerate(PHRASES.values())
        for token in tokens_of_phrase(tokens[offsets[place] : offsets[place + 1]], at_start=at_start)
    }
    return PhraseTable(np.array(sorted(known), np.uint32), np.array([known[one] for one in sorted(known)], np.uint8))


LINES = {
    "Read also": (READ_ALSO, 0),
    "  » READ ALSO:": (READ_ALSO, 0),
    "Read also: Bridge closed": (0, READ_ALSO),
    "You can read also": (0, 0),
    "Read": (0, 0),
    "By": (BY, 0),
    "By Ann": (0, BY),
    "By Ann Quay, in Thorne": (0, BY),
    "Home": (HOME, 0),
    "Home grown": (0, 0),
    "関連記事": (READ_ALSO, 0),
    "関連記事一覧": (0, 0),
    "12": (0, 0),
    "---": (0, 0),
    "By " + "word " * (MOST_WORDS + 5): (0, BY),
}


def test_lines_and_their_beginnings_are_known(table: PhraseTable) -> None:
    found = table.columns(*line_tokens(read_texts(["\n".join(LINES)])))
    assert found.shape == (len(PHRASE_NAMES), len(LINES))
    assert dict(zip(LINES, zip(*found.tolist(), strict=True), strict=True)) == LINES


def test_a_line_alone_is_what_it_is_among_others(table: PhraseTable) -> None:
    together = table.columns(*line_tokens(read_texts(["\n".join(LINES)])))
    for place, line in enumerate(LINES):
        assert np.array_equal(table.columns(*line_tokens(read_texts([line])))[:, 0], together[:, place])


def test_no_line_and_no_phrase(table: PhraseTable) -> None:
    assert table.columns(*line_tokens(read_texts([""]))).shape == (2, 0)
    assert not PhraseTable.none().columns(*line_tokens(read_texts(["By\nBy Ann Quay"]))).any()


WRONG = {"order": ([5, 3], [1, 1]), "twice": ([3, 3], [1, 2]), "no number": ([3, 5], [1, 0]), "lengths": ([3], [1, 1])}


@pytest.mark.parametrize(("tokens", "numbers"), WRONG.values(), ids=WRONG)
def test_a_table_that_is_none_is_refused(tokens: list[int], numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="a table of phrases"):
        PhraseTable(np.array(tokens, np.uint32), np.array(numbers, np.uint8))


HEADINGS = {
    "no": ("Les også", "Broen over elva blir stengt i to uker", "Skolen på nesset får nytt tak før vinteren"),
    "ja": ("あわせて読みたい", "川沿いの橋、二週間の通行止めに", "岬の小学校、冬を前に屋根をふき替え"),
    "fi": ("Lue myös", "Joen ylittävä silta suljetaan kahdeksi viikoksi", "Niemen koulu saa uuden katon ennen talvea"),
}
PROSE = {
    "no": (
        "Ferga gikk som vanlig klokka sju, men denne gangen var det bare tre passasjerer om bord, og ingen snakket.",
        "Skipperen hadde fått beskjed kvelden før: Fra mandag skal ruten bare gå to ganger i uken, resten av vinteren.",
        "«Vi visste at det kom», sier Berit Moen, som har pendlet til sykehuset på fastlandet i nitten år.",
        "Kommunen svarer at pengene er brukt opp, og at en ny avtale tidligst kan være på plass til påske.",
    ),
    "ja": (
        "渡し船はいつものように七時に出たが、その朝の乗客は三人だけで、だれも口をきこうとはしなかった。",
        "船長は前の晩に知らせを受けていた。月曜からは週に二便だけになり、冬の間はずっとそのままだという。",
        "「いつか来ると思っていました」と、十九年間この船で対岸の病院に通ってきた森さんは話す。",
        "町は予算を使い切ったとし、新しい契約は早くても春になると説明している。",
    ),
    "fi": (
        "Lautta lähti tapansa mukaan seitsemältä, mutta kyydissä oli vain kolme matkustajaa, eikä kukaan puhunut.",
        "Kippari oli kuullut asiasta edellisenä iltana: maanantaista alkaen vuoroja on vain kaksi viikossa.",
        "”Tiesimme, että näin käy”, sanoo Aino Lehto, joka on käynyt mantereella töissä yhdeksäntoista vuotta.",
        "Kunnan mukaan rahat on käytetty loppuun, ja uusi sopimus voi olla valmis aikaisintaan pääsiäisenä.",
    ),
}


# of four lines of text and nothing else around, the Japanese heading is taken for one of the text
@pytest.mark.parametrize("language", ["no", "fi", pytest.param("ja", marks=pytest.mark.xfail)])
def test_the_heading_of_teasers_is_known_in_languages_with_few_pages(shipped_model: Model, language: str) -> None:
    heading, *teasers = HEADINGS[language]
    lines = label("\n\n".join([*PROSE[language], heading, *teasers]), model=shipped_model).lines
    assert [line.label for line in lines[:5]] == [*[Label.BODY] * 4, Label.RELATED_LINK]
    assert Label.BODY not in {line.label for line in lines[5:]}
