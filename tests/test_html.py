from __future__ import annotations

import pytest
from lxml import etree

from extractor import Label, Model, Page, html, label
from extractor.html import page_title, parse_html
from extractor.labelling import html_text

# page, and its lines as one text: "\n\n" where text() puts a blank line, "\n" where it puts none
GOLDEN = {
    "blocks": ("<p>one<p>two<div>three</div>", "one\n\ntwo\n\nthree"),
    "text outside of any block": ("zero<p>one</p>two<p>three", "zero\n\none\n\ntwo\n\nthree"),
    "headings": ("<h1>Title</h1>lead<h2>Part</h2><p>text", "Title\n\nlead\n\nPart\n\ntext"),
    "white space is folded": ("<p> one  \n\t two&nbsp;&nbsp;three\n</p>", "one two three"),
    "inline tags do not part": (
        "<a href=/>link</a>, <b>bold</b> and <i>it</i>al<span>ic</span>.",
        "link, bold and italic.",
    ),
    "br": ("<p>one<br>two<br/><br>three</p><p>four", "one\ntwo\nthree\n\nfour"),
    "a rule parts blocks": ("<p>one</p><hr><p>two", "one\n\ntwo"),
    "list items": ("<p>x</p><ul><li>one<li>two</ul><p>y", "x\n\none\ntwo\n\ny"),
    "lists in lists": ("<ol><li>one<ul><li>in</ul><li>two</ol>y", "one\nin\ntwo\n\ny"),
    "definitions": ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd"),
    "options": ("<select><option>one<option>two</select>", "one\ntwo"),
    "pre": ("<pre>  a\n\n    b\tc  \n</pre>d", "  a\n\n    b\tc\n\nd"),
    "code in pre": ("<pre><code>if x:\n    <b>y</b> = 2</code></pre>", "if x:\n    y = 2"),
    "br in pre": ("<pre>a<br>  b</pre>", "a\n  b"),
    "Windows line ends in pre": ("<pre>a\r\nb</pre>", "a\nb"),
    "table rows": ("<table><tr><th>a<th>b<tr><td>1<td>2</table>c", "a\tb\n1\t2\n\nc"),
    "table parts": (
        "<table><caption>t</caption><thead><tr><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td>1</td><td><a>2</a></td></tr></tbody></table>",
        "t\na\tb\n1\t2",
    ),
    "parts of a table within a row are no cells of it": (
        "<table><tr><td>Name<table><tbody><tr><td>inner</table></table>",
        "Name\ninner",
    ),
    "groups of options within a row are no cells of it": (
        "<table><tr><td>Choose<select><optgroup><option>one</select></table>",
        "Choose\none",
    ),
    "a table for layout is no table": (
        "<table><tr><td><p>one<p>two</td><td>three</td></tr></table>",
        "one\n\ntwo\n\nthree",
    ),
    "nothing from the head": ("<head><title>t</title><style>s</style></head><body>text", "text"),
    "nothing that is not shown": (
        "<script>x</script><style>y</style><template><p>z</p></template><noscript><p>w</p></noscript>text",
        "text",
    ),
    "nothing hidden": (
        "<div hidden><p>a</p><div>b</div></div>c<p hidden=until-found>d</p><p>e<span hidden>f</span>",
        "c\n\ne",
    ),
    "what React streams is shown once it is there": (
        '<template id="B:0"></template><div hidden id="S:0"><p>a</p></div><div hidden id=":rS:1f"><p>b</p></div>'
        '<div hidden id="S:x">c</div>',
        "a\n\nb",
    ),
    "an element that no head has ends the head": (
        "<head><title>t</title><mbox><p>a</p></head><body><p>b",
        "a\n\nb",
    ),
    "unless it stands in what is not shown": (
        "<head><noscript><x-pixel>a</x-pixel></noscript><template><x-card>b</x-card></template><title>t</title></head>c",
        "c",
    ),
    "what is not shown within a line does not part it": (
        "<p>A lake of <style>x</style>the north<script>y</script> and <template>z</template>its ice",
        "A lake of the north and its ice",
    ),
    "the name of an icon": ("<a>one<svg><title>arrow</title><path/></svg></a>", "one"),
    "what a formula is made of is no block": (
        "<div>Its mass <math><semantics><mrow><mi>m</mi><mo>+</mo><mn>1</mn></mrow>"
        "<annotation>{m+1}</annotation></semantics></math> is known</div>",
        "Its mass m+1 is known",
    ),
    "unknown elements in a paragraph or heading are no blocks": (
        "<h2>The <x-term>kettle hole</x-term></h2><p>Left <x-time>in <b>May</b></x-time> by ice.<x-card>one</x-card>",
        "The kettle hole\n\nLeft in May by ice.one",
    ),
    "a title among what is not shown": (
        "<head><noscript><title>t</title><x-pixel>a</x-pixel></noscript><title>u</title></head>b",
        "b",
    ),
    "a hidden field does not hide what follows": ("<input type=hidden hidden>after", "after"),
    "comments": ("<p>a<!-- <p>no -->b", "ab"),
    "entities": ("<p>a &lt; b &amp; c &#8211; d &eacute;", "a < b & c – d é"),
    "no tags": ("text", "text"),
    "nothing": ("", ""),
    "only tags": ("<p></p><div><br></div>", ""),
    "null bytes": ("<p>a\0b", "a b"),
    "tags never closed": ("<div><div><p>one<b>two<div>three", "onetwo\n\nthree"),
    "tags closed that were never open": ("</div></p>one</section></table>two", "onetwo"),
    "unknown elements are blocks": ("<x-card>one</x-card><x-card>two</x-card>", "one\n\ntwo"),
    "XML": ('<?xml version="1.0"?><root><item>a</item><item>b</item></root>', "a\n\nb"),
}


@pytest.mark.parametrize(("page", "lines"), GOLDEN.values(), ids=GOLDEN)
def test_lines_of_html(page: str, lines: str) -> None:
    assert html_text(parse_html(page)) == lines


def test_numbers_count_the_lines_and_text_parts_the_blocks(random_model: Model) -> None:
    page = Page("<ul><li>one<li>two</ul><pre>a\n\nb</pre><p>c", kind="html")
    labelled = label(page, model=random_model)
    assert [(line.number, line.text) for line in labelled.lines] == [*enumerate(("one", "two", "a", "b", "c"), start=1)]
    assert labelled.text(keep=set(Label)) == "one\ntwo\n\na\n\nb\n\nc"
    assert labelled.format == "html"


def test_blocks_span_their_lines() -> None:
    page = parse_html("<div><p>one</p><p>two</p></div><p>three")
    spans = {(first, last) for first, last in zip(page.first_lines, page.last_lines, strict=True)}
    assert {(0, 3), (0, 2), (0, 1), (1, 2), (2, 3)} <= spans
    assert all(first <= last for first, last in spans)
    assert len({len(column) for column in (page.texts, page.breaks, page.blocks, page.links, page.inline_cues)}) == 1


def test_markup_facts_of_a_line() -> None:
    page = parse_html('<p class="lead">See <a href="/x">the list</a> and <b>act</b>.')
    assert page.texts == ["See the list and act."]
    assert (page.links, page.link_characters, page.strong_characters) == ([1], [8], [3])
    assert "lead" in page.cues


def test_cells_of_a_row_add_up() -> None:
    page = parse_html("<table><tr><td><a>one</a><td><a>three</a></table>")
    assert (page.texts, page.links, page.link_characters) == (["one\tthree"], [2], [8])


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (
            "<title>After a year of dark nights the lamp is lit again - The Daily Lantern</title>",
            "After a year of dark nights the lamp is lit again",
        ),
        ("<title>Lamp lit again</title>", "Lamp lit again"),
        ('<title>Lamp lit | Lantern</title><meta property="og:title" content="Lamp lit again">', "Lamp lit again"),
        ('<title>A - B</title><meta property="og:site_name" content="C">', "A - B"),
        (
            '<meta property="og:title" content="A short history of the crane - Part 2">',
            "A short history of the crane - Part 2",
        ),
        ("<body><svg><title>Menu</title></svg><title>Lamp lit again</title>", "Lamp lit again"),
        ('<meta property="og:title" content="A - B"><meta property="og:site_name" content="b">', "A"),
        ("", None),
    ],
)
def test_the_title_in_the_head(head: str, title: str | None) -> None:
    assert page_title(parse_html(f"<html><head>{head}</head><body>text").meta) == title


def test_the_names_that_pages_make_up_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """lxml keeps every name of a tag or attribute that a thread has met; past MOST_NAMES pages are read in another."""
    monkeypatch.setattr(html, "MOST_NAMES", etree.memory_debugger.dict_size() + 100)
    for page in range(20):
        names = [f"made-up-{page}-{number}" for number in range(60)]
        read = parse_html("".join(f"<{name} x{name}=1>{name}</{name}>" for name in names))
        assert read.texts == names
    assert etree.memory_debugger.dict_size() < html.MOST_NAMES + 120


def test_a_page_is_read_where_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(html, "MOST_NAMES", 0)
    monkeypatch.setattr("threading.Thread.start", refuse)
    assert parse_html("<p>The lamp is lit.").texts == ["The lamp is lit."]
