from __future__ import annotations

import pytest

from extractor import Label, Model, Page, label
from extractor.plaintext import continuations, joined, looks_like_html


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><p>one",
        "\ufeff\n\n <html lang=de>",
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
        "<!-- saved from a browser --><div>x</div>",
        "<p>A fragment without any head.</p>",
        "Words first, <b>then</b> <i>tags</i>, <a href='x'>many</a> of <em>them</em>.",
        "<table><tr><td>1</td></tr></table>",
        "<b>x</b> y",
    ],
)
def test_html_is_told_by_its_tags(page: str) -> None:
    assert looks_like_html(page)


@pytest.mark.parametrize(
    "page",
    [
        "",
        "Plain words.",
        "1 < 2 and 3 > 2, as everyone knows.",
        "To begin a paragraph of text in HTML write <p>, and nothing need end it; a page may hold thousands of them.",
        "<jane@example.org> wrote:\n> Are you coming on Friday?",
        "<3 this song",
        "<b>Note:</b> the shop is closed on Monday.\n" + "The museum and its garden are open as always.\n" * 3,
        "std::vector<int> numbers; // and a map<string, list<int>> beside it, which is all that the class has",
    ],
)
def test_a_dump_may_hold_angle_brackets(page: str) -> None:
    assert not looks_like_html(page)


def numbered_lines(text: str, model: Model) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in label(Page(text, kind="text"), model=model).lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", [(1, "one")]),
        ("one\ntwo\n", [(1, "one"), (2, "two")]),
        ("\n\n  one\n \t \n\ntwo", [(3, "  one"), (6, "two")]),
        ("one\r\n\r\ntwo\r\n", [(1, "one"), (3, "two")]),
        ("one\r\r\ntwo", [(1, "one\r"), (2, "two")]),
        ("old\rMac", [(1, "old\rMac")]),
        ("form\ffeed\vand\x85other\u2028breaks", [(1, "form\ffeed\vand\x85other\u2028breaks")]),
        ("trailing   \t", [(1, "trailing   \t")]),
        ("\u3000\n\xa0\n\u2003x", [(3, "\u2003x")]),
        ("\u200b", [(1, "\u200b")]),
        ("😀 𐐀\n𠀀", [(1, "😀 𐐀"), (2, "𠀀")]),
        ("a\0b", [(1, "a\0b")]),
        ("\ufeffone", [(1, "one")]),
        ("<b>tags stay</b>", [(1, "<b>tags stay</b>")]),
    ],
)
def test_lines_of_a_dump(text: str, lines: list[tuple[int, str]], random_model: Model) -> None:
    assert numbered_lines(text, random_model) == lines


def test_lines_go_on_where_the_next_word_would_not_have_fitted() -> None:
    texts = ["The first line is as long", "as the page is wide, near", "enough. This one is not.", "Short.", "New."]
    assert continuations(texts, [False] * 5) == [False, True, True, True, False]


def test_a_blank_line_and_a_bullet_begin_anew() -> None:
    texts = ["The first line is as long", "as the page is wide, near", "- enough to join", "* or not"]
    assert continuations(texts, [False, True, False, False]) == [False, False, False, False]


def test_a_long_address_does_not_make_the_page_wide() -> None:
    address = "  1. https://harbour.example/" + "a-long-way-down/" * 9
    texts = ["The first line is as long", "as the page is wide, near", "enough.", address, "Short."]
    assert continuations(texts, [False] * 5) == [False, True, True, False, False]
    assert continuations([address] * 3, [False] * 3) == [False] * 3


def test_a_script_without_spaces_is_joined_without_any(random_model: Model) -> None:
    lines = ["港口的工程比原来的计划提前了", "三个月完成，船员们都很高兴。", "灯塔也亮了。", "完"]
    assert continuations(lines, [False] * 4) == [False, True, True, False]
    page = label("\n".join(lines), model=random_model).with_labels([Label.BODY] * 4)
    assert page.text(unwrap=True) == f"{lines[0]}{lines[1]}{lines[2]}\n{lines[3]}"
    assert joined("the lamp is", "lit") == joined("等等 lamp", "灯") == " "


def test_pages_with_very_long_lines_are_not_wrapped() -> None:
    assert continuations(["word " * 40, "word " * 40], [False, False]) == [False, False]
    assert continuations([], []) == []
