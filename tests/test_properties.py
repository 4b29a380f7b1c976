"""What holds of any text, any bytes and any HTML that Hypothesis can think of."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from extractor import Label, Model, Page, label, label_many
from extractor.corpus.address import declared_url
from extractor.decoding import decode
from extractor.files import printable
from extractor.html import _parse_in_parts, parse_html
from extractor.listing import page_json
from extractor.plaintext import _UNSPACED
from extractor.sites import site_of_url
from promises import is_made_of_lines, words_stand_in_order
from random_models import make_random_model

MODEL: Model = make_random_model(seed=3)
settings.register_profile("pages", max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pages")

CHARACTERS = st.characters(codec="utf-8")
ODD = st.sampled_from(
    [
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\t",
        "\0",
        "\f",
        "\x85",
        "\u2028",
        "\u3000",
        "\u200b",
        "\ufeff",
        "  ",
        "灯",
        "😀",
        "\u0301" * 9,
        "\u202e",
        "\u2066",
        "\x1b[31m",
        "\x9b",
        "\x1c",
        "ß",
        "İ",
        "ﷺ",
        "\U000e0041",
        "\U0010ffff",
        "1:00",
    ]
)


def joined(parts: list[str]) -> str:
    """Without a byte order mark at its begin, which is no text."""
    return "".join(parts).lstrip("\ufeff")


DUMPS = st.lists(st.one_of(ODD, st.text(CHARACTERS, max_size=40)), max_size=30).map(joined)
TAGS = st.sampled_from(
    "p div span a b ul li ol table tr td th pre br hr h1 h2 form input button select option textarea script style"
    " title head body html noscript template svg dl dt dd article nav x-card iframe plaintext frameset".split()
)
ATTRIBUTES = st.sampled_from(["", " hidden", ' class="a-b cD"', " href=x", ' id="é"', " =", ' "', " a='"])
MARKUP = st.one_of(
    st.builds("<{}{}>".format, TAGS, ATTRIBUTES),
    st.builds("</{}>".format, TAGS),
    st.sampled_from(
        ["<!--", "-->", "<![CDATA[", "]]>", "<!doctype html>", "<?xml?>", "&amp;", "&#0;", "&#xD800;", "<", ">", "&"]
    ),
    ODD,
    st.text(CHARACTERS, max_size=15),
)
HTML = st.lists(MARKUP, max_size=40).map(joined)


@given(DUMPS)
def test_dumps(text: str) -> None:
    labelled = label(Page(text, kind="text"), model=MODEL)
    lines = text.split("\n")
    shown = [(number, line.removesuffix("\r")) for number, line in enumerate(lines, start=1) if line.strip()]
    assert [(line.number, line.text) for line in labelled.lines] == shown
    assert len(labelled.labels) == len(labelled.probabilities) == len(shown)
    assert words_stand_in_order([word for line in labelled.lines for word in line.text.split()], text)
    assert is_made_of_lines(labelled.text(), labelled)
    assert labelled.text(keep=()) == ""


@given(DUMPS)
@example("灯\n灯")
def test_keeping_every_label_keeps_every_word(text: str) -> None:
    labelled = label(Page(text, kind="text"), model=MODEL)
    assert labelled.text(keep=set(Label)).split() == text.split()
    unwrapped = labelled.text(keep=set(Label), unwrap=True)
    assert less_spaces_of_unspaced_scripts(unwrapped) == less_spaces_of_unspaced_scripts(text)


def less_spaces_of_unspaced_scripts(text: str) -> str:
    """Words with one space between them, none between characters of a script that is written without."""
    return re.sub(f"(?<={_UNSPACED}) (?={_UNSPACED})", "", " ".join(text.split()))


@given(HTML)
def test_html(text: str) -> None:
    labelled = label(Page(text, kind="html"), model=MODEL)
    texts = parse_html(text).texts
    assert [line.text for line in labelled.lines] == texts
    assert [line.number for line in labelled.lines] == [*range(1, len(texts) + 1)]
    assert all(line.strip() and "\n" not in line for line in texts)
    assert is_made_of_lines(labelled.text(), labelled)


@given(
    st.lists(
        st.tuples(
            TAGS.filter(lambda tag: tag in "p div li h1 h2 article nav td".split()), st.text("abc é灯", max_size=9)
        )
    )
)
def test_words_of_html_stand_in_order(blocks: list[tuple[str, str]]) -> None:
    page = "".join(f"<{tag}>{text}</{tag}>" for tag, text in blocks)
    words = [word for line in parse_html(page).texts for word in line.split()]
    assert words == [word for _, text in blocks for word in text.split()]


@given(st.one_of(st.binary(max_size=300), DUMPS.map(lambda text: text.encode("utf-16")), HTML.map(str.encode)))
def test_bytes_never_raise(content: bytes) -> None:
    labelled = label(Page(content), model=MODEL)
    text = decode(content)[0]
    if labelled.format == "text":
        assert len(labelled.labels) == sum(1 for line in text.split("\n") if line.strip())
    assert is_made_of_lines(labelled.text(), labelled)


@given(st.text(max_size=100))
def test_any_str_is_a_page(text: str) -> None:
    labelled = label(text, model=MODEL)
    assert isinstance(labelled.text(unwrap=True), str)
    assert labelled.encoding == "str"


@given(st.lists(st.one_of(DUMPS, HTML), max_size=6))
def test_pages_do_not_touch_each_other(texts: list[str]) -> None:
    together = list(label_many(texts, model=MODEL))
    assert [page.labels for page in together] == [label(text, model=MODEL).labels for text in texts]


@given(HTML)
def test_html_read_in_parts_is_read_as_in_one(text: str) -> None:
    data = text.encode("utf-8").replace(b"\0", b" ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extractor.html._BYTES_AT_ONCE", 8)
        in_parts, in_one = asdict(_parse_in_parts(data)), asdict(parse_html(text))
    # white space at the ends of a piece of text is not counted, and what is raw may come in more pieces
    spaces = sum(map(str.isspace, text))
    for name in ("link_characters", "strong_characters", "button_characters"):
        assert np.abs(np.subtract(in_parts.pop(name), in_one.pop(name))).max(initial=0) <= spaces
    assert in_parts == in_one


@given(st.lists(st.one_of(TAGS, st.text("abc é灯", min_size=1, max_size=9)), max_size=60))
def test_elements_closed_for_their_depth_lose_no_word(parts: list[str]) -> None:
    text = "".join(f"<{part}>" if part in ("p", "div", "b", "li") else f" {part} " for part in parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extractor.html._BYTES_AT_ONCE", 8)
        patch.setattr("extractor.html.DEEPEST", 4)
        words = [word for line in _parse_in_parts(text.encode()).texts for word in line.split()]
    assert words == [word for line in parse_html(text).texts for word in line.split()]


@given(st.binary(max_size=300))
def test_any_bytes_have_a_text_and_an_encoding(content: bytes) -> None:
    text, encoding = decode(content)
    assert codecs.lookup(encoding.removesuffix("!"))
    if encoding == "utf-8":
        assert text.encode() in (content, content.removeprefix(codecs.BOM_UTF8))


@given(DUMPS, st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_text_with_a_mark_comes_back(text: str, encoding: str) -> None:
    # the mark of UTF-16 and a null character are the bytes of the mark of UTF-32, with which pages likelier begin
    assume(encoding != "utf-16" or not text.startswith("\0"))
    assert decode(text.encode(encoding))[0] == text


@given(st.text(max_size=60))
def test_what_is_shown_steers_no_terminal(text: str) -> None:
    shown = printable(text)
    assert all(unicodedata.category(sign) not in ("Cc", "Cs") for sign in shown)
    assert printable(shown) == shown


@given(st.one_of(st.text(max_size=60), DUMPS))
def test_a_page_as_json_is_the_same_page(text: str) -> None:
    labelled = label(Page(text, kind="text"), model=MODEL)
    written = page_json(labelled)
    assert written.count("\n") == 1
    assert [line["text"] for line in json.loads(written.encode())["lines"]] == [line.text for line in labelled.lines]


@given(st.binary(max_size=300))
def test_any_bytes_have_an_address_or_none(content: bytes) -> None:
    url = declared_url(content)
    assert url is None or site_of_url(url) != ""


@given(st.text(max_size=80), DUMPS)
def test_any_text_has_a_site_or_none(url: str, dump: str) -> None:
    for text in (url, f"http://{url}", f"https://web.archive.org/web/2019/{url}", dump):
        assert site_of_url(text) != ""
