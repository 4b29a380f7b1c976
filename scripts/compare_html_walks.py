"""What other parsers, and other walks over lxml's tree, would cost an HTML page, and whether they give the same lines.

    python scripts/compare_html_walks.py             # every 8th of the newspaper and wcxb dev pages
    python scripts/compare_html_walks.py --every 1   # all of them

Of each way up to three steps are measured, each with the ones before it: the parse, a walk that sees the name or text
of every node, and the walk with attributes feeding the builder that `extractor.html.parse_html` feeds from lxml's
events, so nothing is left out of a page's lines and markup facts, and a way that has this step could replace the
present one. CPU time; the ways take turns, and of several rounds the quickest is taken, step by step. Decoding is left
out, being the same for all.

selectolax, resiliparse and turbohtml are compared where they are installed. docs/performance.md has the findings.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from lxml import etree

from extractor.decoding import decode
from extractor.html import TAG_CODES, MarkupPage, _Builder, parse_html
from extractor.training.corpora import read_corpora

ROOT = Path(__file__).parent.parent
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
BLOCKS = ("blocks", "parents", "tags", "first_lines", "last_lines")  # link characters hang on how text is cut


class Source(NamedTuple):
    """A decoded page, as text and in UTF-8: each parser is given what it reads faster."""

    text: str
    data: bytes


class Way(NamedTuple):
    """A way to read a page; None: a step that it does not have."""

    name: str
    parse: Callable[[Source], object] | None = None
    walk: Callable[[Source], object] | None = None
    page: Callable[[Source], MarkupPage] | None = None


def main() -> None:
    arguments = read_arguments()
    sources = list(islice(read_sources(arguments.shared), 0, None, arguments.every))
    ways = installed_ways()
    alike = {way.name: pages_alike(way.page, sources) for way in ways if way.page}  # warms everything up too
    seconds = least_seconds(ways, sources, arguments.rounds)
    size = sum(len(source.data) for source in sources) / len(sources)
    print(f"\n{len(sources)} pages of {size / 1e3:.0f} kB on average, {arguments.rounds} rounds; ms of CPU a page\n")
    print("| way | parse | and a walk | and the builder | equal lines | equal blocks |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for way in ways:
        costs = [f"{seconds[way.name, step] * 1e3:.2f}" if step else "" for step in (way.parse, way.walk, way.page)]
        print(f"| {' | '.join([way.name, *costs, *alike.get(way.name, ('', ''))])} |")


# --- the ways -------------------------------------------------------------------------------------
def installed_ways() -> list[Way]:
    ways = lxml_ways()
    for package, make in (
        ("selectolax", lexbor_ways),
        ("resiliparse", resiliparse_ways),
        ("turbohtml", turbohtml_ways),
    ):
        try:
            ways += make()
        except ModuleNotFoundError:
            print(f"{package} is not installed: left out")
    return ways


def lxml_ways() -> list[Way]:
    """The present way first."""
    plain_texts: Any = etree.XPath("//text()", smart_strings=False)
    texts: Any = etree.XPath("//text()")
    blocks = tuple(TAG_CODES)
    return [
        Way("lxml, events (parse_html)", lxml_events(_Deaf), lxml_events(_Silent), lambda page: parse_html(*page)),
        Way(
            "lxml, tree, `iterwalk`",
            lxml_tree,
            lambda page: [(node.tag, node.text, node.tail) for _, node in walk_all(lxml_tree(page))],
            partial(built, lxml_tree, feed_from_iterwalk),
        ),
        Way(
            "lxml, tree, `iterwalk` over block elements only",
            walk=lambda page: [node.tag for _, node in walk_all(lxml_tree(page), tag=blocks)],
        ),
        Way(
            "lxml, tree, `iter`",
            walk=lambda page: [(node.tag, node.text, node.tail) for node in lxml_tree(page).iter()],
            page=partial(built, lxml_tree, feed_from_iter),
        ),
        Way("lxml, tree, XPath `//text()`", walk=lambda page: plain_texts(lxml_tree(page))),
        Way(
            "lxml, tree, XPath `//text()` and where each stands",
            walk=lambda page: [(text, text.is_tail, text.getparent().tag) for text in texts(lxml_tree(page))],
        ),
    ]


def lexbor_ways() -> list[Way]:
    parser: Any = import_module("selectolax.lexbor").LexborHTMLParser
    return [
        Way(
            "selectolax (Lexbor)",
            lambda page: parser(page.data),
            lambda page: [(node.tag, node.text_content) for node in parser(page.data).root.traverse(include_text=True)],
            partial(built, lambda page: parser(page.data), feed_from_lexbor),
        )
    ]


def resiliparse_ways() -> list[Way]:
    html: Any = import_module("resiliparse.parse.html")
    parse = html.HTMLTree.parse

    return [
        Way(
            "resiliparse (Lexbor)",
            lambda page: parse(page.text),
            lambda page: html.traverse_dom(
                parse(page.text).document, lambda context: (context.node.node_name, context.node.value)
            ),
            partial(built, lambda page: parse(page.text), partial(feed_from_resiliparse, html)),
        )
    ]


def turbohtml_ways() -> list[Way]:
    html: Any = import_module("turbohtml")
    sax: Any = import_module("turbohtml.saxparse")
    layout = html.PlainText(layout="strict", table_cell_separator="\t", bullet="")
    rules = {tag: [tag] for tag in (*TAG_CODES, "a", "b", "strong", "button", "label")}
    return [
        Way(
            "turbohtml, events",
            walk=lambda page: sax.sax_parse(page.text, sax.SaxHandler()),
            page=partial(built, lambda page: page.text, partial(feed_from_sax, sax.sax_parse)),
        ),
        Way(
            "turbohtml, tree",
            lambda page: html.parse(page.text),
            lambda page: [(type(node), getattr(node, "tag", node.text)) for node in html.parse(page.text).descendants],
        ),
        Way(
            "turbohtml, annotated text (lines alone)",
            walk=lambda page: html.parse(page.text).to_annotated_text(rules, layout),
            page=lambda page: lines_of_text(html.parse(page.text).to_annotated_text(rules, layout)[0]),
        ),
        Way(
            "turbohtml, tokens (no tree)",
            lambda page: list(html.tokenize(page.text)),
            lambda page: [(token.type, token.tag, token.data) for token in html.tokenize(page.text)],
            partial(built, lambda page: html.tokenize(page.text), feed_from_tokens),
        ),
    ]


def built(parse: Callable[[Source], Any], feed: Callable[[Any, _Builder], None], source: Source) -> MarkupPage:
    """The page that the builder makes of a parsed page."""
    builder = _Builder()
    feed(parse(source), builder)
    return builder.finish()


# --- lxml -----------------------------------------------------------------------------------------
class _Deaf:
    """A target that no event is made for."""

    def close(self) -> None: ...


class _Silent(_Deaf):
    """A target that does nothing with its events."""

    def start(self, tag: str, attributes: dict[str, str]) -> None: ...

    def end(self, tag: str) -> None: ...

    def data(self, text: str) -> None: ...


def lxml_events(target: type[_Deaf]) -> Callable[[Source], None]:
    return lambda page: lxml_read(page, target=target())


def lxml_tree(page: Source) -> Any:
    """The root of lxml's tree; of an empty document, an element without anything in it."""
    root = lxml_read(page)
    return etree.Element("html") if root is None else root


def lxml_read(page: Source, **settings: Any) -> Any:
    """What the parser returns, told what `parse_html` tells it."""
    parser = etree.HTMLParser(
        encoding="utf-8", recover=True, huge_tree=True, remove_comments=True, remove_pis=True, **settings
    )
    with suppress(etree.LxmlError):
        parser.feed(page.data)
        return parser.close()


def walk_all(root: Any, **settings: Any) -> Any:
    return etree.iterwalk(root, events=("start", "end"), **settings)


def feed_from_iterwalk(root: Any, builder: _Builder) -> None:
    for event, element in walk_all(root):
        if event == "start":
            builder.start(element.tag, dict(element.items()))
            if text := element.text:
                builder.data(text)
        else:
            builder.end(element.tag)
            if tail := element.tail:
                builder.data(tail)


def feed_from_iter(root: Any, builder: _Builder) -> None:
    """`iter` tells no ends: an element ends when the next one's parent is not it."""
    inside: list[Any] = []
    for element in root.iter():
        parent = element.getparent()
        while inside and inside[-1] is not parent:
            end_with_tail(inside.pop(), builder)
        inside.append(element)
        builder.start(element.tag, dict(element.items()))
        if text := element.text:
            builder.data(text)
    while inside:
        end_with_tail(inside.pop(), builder)


def end_with_tail(element: Any, builder: _Builder) -> None:
    builder.end(element.tag)
    if tail := element.tail:
        builder.data(tail)


# --- the others -----------------------------------------------------------------------------------
def feed_from_lexbor(parser: Any, builder: _Builder) -> None:
    """Children, siblings and parents in turn: `traverse` tells neither ends nor depths."""
    node, inside = parser.root, []
    while node is not None:
        tag = node.tag
        if tag == "-text":
            builder.data(node.text_content)
        elif tag and tag[0] != "-":
            builder.start(tag, node.attributes)
            if child := node.first_child:
                inside.append((tag, node))
                node = child
                continue
            builder.end(tag)
        while (following := node.next) is None and inside:
            tag, node = inside.pop()
            builder.end(tag)
        node = following


def feed_from_resiliparse(html: Any, tree: Any, builder: _Builder) -> None:
    """The walk tells how deep a node is, and the end of an element only if it holds something."""
    inside: list[tuple[int, str]] = []

    def see(context: Any) -> None:
        node, depth = context.node, context.depth
        while inside and inside[-1][0] >= depth:
            builder.end(inside.pop()[1])
        kind = node.type
        if kind == html.TEXT:
            builder.data(node.value)
        elif kind == html.ELEMENT:
            builder.start(tag := node.tag, {name: node.getattr(name) for name in node.attrs})
            inside.append((depth, tag))

    html.traverse_dom(tree.document, see)
    while inside:
        builder.end(inside.pop()[1])


def feed_from_sax(sax_parse: Any, text: str, builder: _Builder) -> None:
    """turbohtml's events, which are those of its finished tree; attributes come as pairs."""
    handler = SimpleNamespace(
        start_element=lambda tag, pairs: builder.start(tag, dict(pairs)),
        end_element=builder.end,
        characters=builder.data,
    )
    for unused in ("comment", "doctype", "processing_instruction"):
        setattr(handler, unused, lambda *_: None)
    sax_parse(text, handler)


def lines_of_text(text: str) -> MarkupPage:
    """A page of the lines of a text, without any markup."""
    return MarkupPage([" ".join(line.split()) for line in text.split("\n") if not line.isspace() and line])


def feed_from_tokens(tokens: Any, builder: _Builder) -> None:
    """No tree is made, so tags that the page leaves out (of head, p, li and the like) stay out."""
    text, start, end = 0, 1, 2  # numbers, as members of an IntEnum compare slowly
    for token in tokens:
        kind = token.type
        if kind == text:
            builder.data(token.data)
        elif kind == start:
            tag = token.tag
            builder.start(tag, dict(token.attrs))
            if tag in VOID or token.self_closing:
                builder.end(tag)
        elif kind == end:
            builder.end(token.tag)


# --- measuring ------------------------------------------------------------------------------------
def pages_alike(read: Callable[[Source], MarkupPage], sources: list[Source]) -> tuple[str, str]:
    """Shares of the pages that have the lines of `parse_html`; and its blocks, with the same lines in each."""
    same = alike = 0
    for source in sources:
        expected, page = parse_html(*source), read(source)
        same += page.texts == expected.texts
        alike += all(getattr(page, name) == getattr(expected, name) for name in BLOCKS)
    return f"{same / len(sources):.1%}", f"{alike / len(sources):.1%}"


def least_seconds(ways: list[Way], sources: list[Source], rounds: int) -> dict[tuple[str, object], float]:
    """Seconds of CPU a page of each step of each way, the quickest round of each."""
    least: dict[tuple[str, object], float] = {}
    for _ in range(rounds):
        for way in ways:
            for step in filter(None, (way.parse, way.walk, way.page)):
                started = time.process_time()
                for source in sources:
                    step(source)
                took = (time.process_time() - started) / len(sources)
                least[way.name, step] = min(took, least.get((way.name, step), took))
    return least


def read_sources(shared: Path) -> Iterator[Source]:
    for source in read_corpora(shared, ("newspaper", "wcxb"), "dev"):
        data = decode(source.html)[0].encode("utf-8", "replace").replace(b"\0", b" ")
        yield Source(data.decode("utf-8"), data)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of the corpora")
    parser.add_argument("--every", type=int, default=8, help="take every so many-th page only")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
