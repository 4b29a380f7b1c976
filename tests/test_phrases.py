"""Phrases of many languages, and texts that look as if they were written in one of them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.characters import read_texts
from extractor.training.phrases import (
    EXCHANGED_SECTIONS,
    PROSE_SECTIONS,
    SOURCES,
    UNSPACED,
    Phrasebook,
    read_phrasebook,
)
from extractor.wording import line_tokens

FOLDER = Path(__file__).parent.parent / "training_data" / "phrases"
SHARED = read_phrasebook(FOLDER)
WORDINGS = {
    "en": "Read more/Continue reading|By|Home|hours ago|may/May|and|the/a|by",
    "de": "Mehr lesen|Von|Startseite|vor Stunden|Mai|und/also|die/das|a",
    "it": "Leggi tutto|Autore|Prima pagina|ore fa/5 ore fa|può|e||da",
    "ja": "続きを読む|執筆者|ホーム|||||",
    "tr": "İncele|Yazan|iz|||||",
}
BOOK = Phrasebook(
    {name: [list(filter(None, of_one.split("/"))) for of_one in all_.split("|")] for name, all_ in WORDINGS.items()},
    ["about the text"] * 4 + ["words of prose"] * 4,
)


def written(*lines: str, language: str = "it", key: int = 0) -> list[str]:
    return BOOK.written_in(language, lines, key)


def test_phrases_are_exchanged_with_the_capitals_of_the_text() -> None:
    assert written("Read more", "HOME", "  * Home | READ MORE »", "12.") == [
        "Leggi tutto", "PRIMA PAGINA", "  * Prima pagina | LEGGI TUTTO »", "12.",
    ]  # fmt: skip
    assert written("It may, read more and home")[0].split()[1:] == ["può,", "leggi", "tutto", "e", "prima", "pagina"]
    assert written("HOME", "home", language="tr") == ["İZ", "iz"]


def test_the_longest_phrase_is_taken_and_none_across_signs_or_lines() -> None:
    for line in ("read; more", "read  -  more", "read\tmore", "read 3 more"):
        assert "leggi" not in written(line)[0].lower(), line
    assert written("continue reading more")[0].startswith("leggi tutto ")
    assert not any("leggi" in line.lower() for line in written("Read", "more"))


def test_a_phrase_is_any_of_its_section_on_some_pages_the_same_one_throughout_the_page() -> None:
    def teasers(key: int) -> list[str]:
        lines = ["Read also", "Comments", "READ ALSO", "Read also: more", "More to read also", "Written by"]
        return SHARED.written_in("it", lines, key)

    wordings = {
        row[0]: row[1:]
        for row in (line.split("\t") for line in (FOLDER / "it.tsv").read_text(encoding="utf-8").splitlines())
    }
    found = [teasers(key) for key in range(40)]
    assert len({lines[0] for lines in found} - {*wordings["Read also"]}) > 8
    assert {lines[1] for lines in found} <= {*wordings["Comment"]}
    assert {lines[5] for lines in found} <= {*wordings["By"]}
    for first, _, third, fourth, fifth, _ in found:
        assert third == first.upper()
        assert fourth.lower().startswith(f"{first.lower()}: ")
        assert fifth.lower().endswith(tuple(text.lower() for text in wordings["Read also"]))


def test_bylines_are_told_from_prose_and_menus_are_not_looked_for_in_it() -> None:
    assert written("By Ann Quay")[0].startswith("Autore ")
    assert written("By")[0] == "Autore"
    assert written("Seen by nobody")[0].split()[1] == "da"
    prose = "The boat that may leave for home by noon and return is read more than it sails"
    assert written(prose)[0].split()[2] == "può"
    assert "prima pagina" not in written(prose)[0]
    assert "leggi tutto" not in written(prose)[0]


FOUND = {
    "en": ["Read also", "READ ALSO:", "» read also", "By Ann Quay", "Home"],
    "tr": ["İlgili haberler", "İLGİLİ HABERLER", "ilgili haberler", "İlgili Haberler"],
    "no": ["Les også", "LES OGSÅ: Brua stengt"], "de": ["Lesen Sie auch", "Von Ann Quay"],
    "ja": ["あわせて読みたい"], "ar": ["اقرأ أيضا"], "th": ["ข่าวที่เกี่ยวข้อง"],
    "el": ["Διαβάστε επίσης", "ΔΙΑΒΑΣΤΕ ΕΠΙΣΗΣ"],
}  # fmt: skip
NOT_FOUND = ["The", "January", "Home grown leeks", "Gulls", "7", "Because of the tide"]


def test_lines_are_known_by_what_they_say_in_any_language() -> None:
    table = SHARED.table()
    lines = [line for some in FOUND.values() for line in some]
    known, unknown = (table.columns(*line_tokens(read_texts(["\n".join(some)]))) for some in (lines, NOT_FOUND))
    assert dict(zip(lines, known.max(axis=0) > 0, strict=True)) == dict.fromkeys(lines, True)
    assert dict(zip(NOT_FOUND, unknown.max(axis=0) > 0, strict=True)) == dict.fromkeys(NOT_FOUND, False)
    for language in ("tr", "el"):
        (number,) = {known[0, lines.index(line)] for line in FOUND[language]}
        assert number > 0


def test_what_reads_alike_is_what_it_is_in_most_languages() -> None:
    wordings = {"en": [["Home"], ["Start"]], "de": [["Start"], ["Beginn"]], "sv": [["Start"], ["Början"]]}
    table = Phrasebook(wordings, ["furniture"] * 2).table()
    assert table.columns(*line_tokens(read_texts(["Start\nBeginn\nHome"])))[0].tolist() == [1, 2, 1]


def test_words_of_one_language_are_not_taken_for_those_of_another() -> None:
    english = written("a boat and a crane and also the pier")[0].split()
    assert english[1] == english[3] == "e"  # no article in this Italian, and "also" is no German "und"
    assert len(english) == 6
    german = written("das Boot und also die Pier")[0].split()
    assert german[1:3] == ["e", "e"]


def test_numbers_stand_once() -> None:
    assert {*written("5 hours ago", key=0), *written("5 hours ago", key=1)} == {"5 ore fa"}
    for key in range(20):
        assert SHARED.written_in("cs", ["5 hours ago"], key)[0].count("2") == 0


def test_other_words_are_made_up_and_equal_ones_stay_equal() -> None:
    first, second, third = written("Old ferry waits", "old FERRY'S", "FERRY wait")
    old, ferry, _ = first.split()
    assert second.split()[0] == old.lower()
    assert third.split()[0] == ferry.upper() != second.split()[1]
    assert old[0].isupper()
    assert ferry.islower()
    assert set(ferry) <= set("leggi tutto autore prima pagina ore fa può e da")
    assert written("Old ferry waits", key=1) != [first]
    assert written("Old ferry waits") == [first]


def test_languages_without_spaces_and_capitals() -> None:
    text = "Ferry and pier, 12 boats at 3.50 on quay.example: old... new."
    home, prose = written("HOME  Read more", text, language="ja")
    assert home == "ホーム  続きを読む"
    assert prose.endswith("。")
    assert "、12 " in prose
    assert " 3.50 " in prose
    assert prose.count(".") == 5  # of the number, the address and the ellipsis
    assert "：" in prose


def test_nothing_stays_and_no_line_becomes_blank() -> None:
    assert written("", "   ", "---") == ["", "   ", "---"]
    assert SHARED.written_in("th", [".", "Home.", "\t"], 0)[::2] == [".", "\t"]
    assert SHARED.written_in("th", ["Home."], 0)[0].strip()


SCRIPTS = {
    **dict.fromkeys(("ar", "fa", "ur"), "ARABIC"), **dict.fromkeys(("hi", "mr"), "DEVANAGARI"),
    **dict.fromkeys(("bg", "kk", "mk", "ru", "sr", "uk"), "CYRILLIC"), **dict.fromkeys(("zh", "zh-hant"), "CJK"),
    "bn": "BENGALI", "el": "GREEK", "gu": "GUJARATI", "he": "HEBREW", "hy": "ARMENIAN", "ka": "GEORGIAN",
    "ko": "HANGUL", "ml": "MALAYALAM", "ta": "TAMIL", "te": "TELUGU", "th": "THAI",
}  # fmt: skip
"""Of the languages that are not written in Latin letters; Japanese has three."""


@pytest.mark.parametrize("language", SHARED.languages)
def test_every_language_is_written_in_its_script(language: str) -> None:
    lines = ["The lighthouse keeper counted seventeen gulls on the northern breakwater.", "Read more", "Home", "7"]
    prose, more, home, number = SHARED.written_in(language, lines, 3)
    assert number == "7"
    scripts = [unicodedata.name(letter).split(" ")[0] for letter in prose if letter.isalpha()]
    if language == "ja":
        assert {*scripts} <= {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
    else:
        assert {*scripts} - {"MODIFIER"} == {SCRIPTS.get(language, "LATIN")}
    assert (" " not in prose.strip()) == (language in UNSPACED)
    assert more != lines[1] or language == "en"
    assert home
    assert 0.2 < sum(map(str.isalpha, prose)) / sum(map(str.isalpha, lines[0])) < 2


def test_every_file_has_the_concepts_of_english() -> None:
    assert len(SHARED.languages) >= 60
    assert {*SOURCES, *UNSPACED} < {*SHARED.languages}
    for path in FOLDER.glob("*.tsv"):
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert all(text == text.strip() and text for row in rows for text in row), path.name
        assert sum(len(row) > 1 or path.stem == "en" for row in rows) > 0.9 * len(rows), path.name


def test_the_sections_that_mean_something_are_there() -> None:
    lines = (FOLDER / "en.tsv").read_text(encoding="utf-8").splitlines()
    sections = {line.removeprefix("# ") for line in lines if line.startswith("#")}
    assert sections > PROSE_SECTIONS | EXCHANGED_SECTIONS
    assert not PROSE_SECTIONS & EXCHANGED_SECTIONS


def test_a_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"en\.tsv"):
        read_phrasebook(tmp_path)
    (tmp_path / "en.tsv").write_text("# menus\nHome\nSearch\nJanuary\n", encoding="utf-8")
    (tmp_path / "it.tsv").write_text("Home\tPrima pagina\nSeek\tCerca\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"it\.tsv:2: 'Seek' where en\.tsv has 'Search'"):
        read_phrasebook(tmp_path)
    (tmp_path / "it.tsv").write_text("Home\tPrima pagina\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"it\.tsv: 1 concepts where en\.tsv has 3"):
        read_phrasebook(tmp_path)
