"""HTML -> lines and markup facts. The only module that knows the HTML parser.

Comes in: the text of a page. Goes out: a MarkupPage, its lines in order, for each the block it stands in,
and the tree of blocks with the range of lines that each spans.

A line is the text between two block boundaries or ``br``, white space folded; in ``pre`` every line
stands as written; a table row is one line, its cells joined by a tab, unless a cell holds several lines
(then the table is page layout, and its cells are blocks like any other).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from lxml import etree

_INLINE = frozenset(
    "a abbr acronym amp-img audio b bdi bdo big canvas cite code data del dfn em embed font i img ins kbd label map"
    " mark math meter nobr object output picture progress q rb rp rt ruby s samp small source span strike strong"
    " sub sup svg time track tt u var video wbr path g use rect circle line polygon defs symbol input button"
    " html body param area link meta base"
    " mi mn mo ms mtext mrow mfrac msqrt mroot msup msub msubsup munder mover munderover mmultiscripts mprescripts none"
    " mspace mstyle mpadded mphantom merror menclose maction mtable mtr mtd semantics".split()
)
_UNSEEN = frozenset(("head", "script", "style", "template", "noscript", "title", "annotation", "annotation-xml"))
_OF_ONE_LINE = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6"))
"""What an element that nobody knows stands within a line of: elsewhere it is taken for a block, as most are that
frameworks make up."""
# libxml2 does not know that these hold no content of their own, so no end tag ever closes them
_VOID = frozenset(("source", "track", "wbr", "embed", "param", "area", "link", "meta", "base", "input", "img", "hr"))
_STREAMED = re.compile(r".*S:[0-9a-f]+").fullmatch
"""Ids of what React streams: elements that carry `hidden` until a script of the page, as soon as it has read them,
moves what they hold to its place."""
_CELLS = frozenset(("td", "th"))
_ITEMS = frozenset(("li", "dt", "dd", "tr", "option"))
_LISTS = frozenset(("ul", "ol", "dl", "table", "select", "menu", "dir"))
_LIST_PARTS = frozenset(("tbody", "thead", "tfoot", "colgroup", "col", "td", "th", "br", "optgroup"))
_STRONG_TAGS = frozenset(("b", "strong", "em", "i", "u", "mark", "big"))
_BUTTONS = frozenset(("button", "label", "input"))
_CUES = (
    "id",
    "class",
    "role",
    "itemprop",
    "itemtype",
    "property",
    "rel",
    "aria-label",
    "data-testid",
    "data-component",
)

_CUES_BUT_CLASS = frozenset(_CUES) - {"class"}

TAGS = (
    "other", "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "tr", "table", "ul", "ol", "dl",
    "dt", "dd", "blockquote", "pre", "article", "main", "section", "header", "footer", "nav", "aside", "form",
    "figure", "figcaption", "caption", "fieldset", "legend", "option", "select", "textarea", "address", "details",
    "summary", "center", "body", "br", "tbody", "dialog", "hgroup", "iframe", "marquee",
)  # fmt: skip
TAG_CODES = {tag: code for code, tag in enumerate(TAGS)}
LANDMARKS = (
    "nav", "header", "footer", "aside", "main", "article", "form", "figure", "table", "li", "blockquote", "pre",
    "section", "button", "dialog", "address",
)  # fmt: skip
LANDMARK_BITS = {tag: 1 << bit for bit, tag in enumerate(LANDMARKS)}


# what a tag does, by one look
_NO_TEXT, _BLOCK, _PLAIN, _LINK, _STRONG, _BUTTON, _BODY, _SVG, _VOID_INLINE, _BREAK = range(10)
_LAST_INLINE = _SVG
_KINDS = (
    dict.fromkeys(_INLINE, _PLAIN)
    | dict.fromkeys(_STRONG_TAGS, _STRONG)
    | dict.fromkeys(_BUTTONS, _BUTTON)
    | {"a": _LINK, "body": _BODY, "svg": _SVG, "br": _BREAK}
    | dict.fromkeys(_UNSEEN, _NO_TEXT)
    | dict.fromkeys(_VOID & _INLINE, _VOID_INLINE)
)
# what a block does to the lines around it
_APART, _ITEM, _ROW, _PART, _LIST, _PRE, _CELL = range(7)
_ROLES = (
    dict.fromkeys(_LISTS, _LIST)
    | dict.fromkeys(_ITEMS, _ITEM)
    | dict.fromkeys(_LIST_PARTS, _PART)
    | dict.fromkeys(_CELLS, _CELL)
    | {"pre": _PRE, "textarea": _PRE, "tr": _ROW}
)
_ROWS_AROUND = 32
"""A row inside so many others is never joined: each joins all that the one inside it has joined."""
MOST_COMPARISONS = 1 << 28
"""libxml2 compares an end tag with all open elements: start tags times end tags, half a second at most."""
MOST_NAMES = 1 << 16
"""Names of tags and attributes, some fifty bytes each, that lxml may keep: it forgets none while a thread lives, and
some frameworks make up new ones for every page."""
DEEPEST = 1024
"""Elements within each other, on pages of more comparisons; browsers stop at 512."""
_BYTES_AT_ONCE = 1 << 14
"""Bytes of such a page that are read before its depth is looked at."""
_TAGS = {
    tag: (_KINDS.get(tag, _BLOCK), TAG_CODES.get(tag, 0), LANDMARK_BITS.get(tag, 0), _ROLES.get(tag, _APART))
    for tag in {*TAGS, *LANDMARKS, *_ROLES, *_KINDS}
}
"""What a tag does; of block elements the code, the landmark it is, its role."""
_OTHER, _OTHER_INLINE = (_BLOCK, 0, 0, _APART), (_PLAIN, 0, 0, _APART)

# what is known of a line and of a block, as both are noted: one list for all, as records of their own would have the
# garbage collector look at them again and again
_OF_LINE = ("breaks", "blocks", "link_characters", "strong_characters", "button_characters", "links", "inline_cues")
_OF_BLOCK = ("parents", "tags", "block_cues", "landmarks")


@dataclass(slots=True, eq=False, repr=False)
class MarkupPage:
    """The lines of an HTML page and its blocks; parallel lists, filled in document order.

    Of lines: texts; breaks (True: a blank line belongs before it); blocks (the index of the innermost block);
    link, strong and button characters; links; the cue index of its inline markup (0: none).
    Of blocks: parents (-1 for the root), tags (codes into TAGS), cues, first and last line (half open), and
    which LANDMARKS they are or stand in (as bits).
    cues: each distinct string of id, class, role and the like, the empty one first.
    meta: what the head says, by the names of its properties, and "title", "canonical" (an address), "h1".
    """

    texts: list[str] = field(default_factory=list)
    breaks: list[bool] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    link_characters: list[int] = field(default_factory=list)
    strong_characters: list[int] = field(default_factory=list)
    button_characters: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    inline_cues: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    block_cues: list[int] = field(default_factory=list)
    landmarks: list[int] = field(default_factory=list)
    first_lines: list[int] = field(default_factory=list)
    last_lines: list[int] = field(default_factory=list)
    cues: dict[str, int] = field(default_factory=lambda: {"": 0})
    meta: dict[str, str] = field(default_factory=dict)


def parse_html(text: str, data: bytes | None = None) -> MarkupPage:
    """The lines and markup facts of an HTML page. Broken HTML is read as libxml2 mends it; never raises.

    data: the text in UTF-8, where the caller has it. Where a page has so many tags that its depth could cost more than
    its length, all elements are closed once they are nested deeper than DEEPEST, and the rest is read as it comes.
    """
    return parse_pages([(text, data)])[0]


def parse_pages(pages: Sequence[tuple[str, bytes | None]]) -> list[MarkupPage]:
    """Several pages, each as parse_html() takes it: together, so that a thread that must be made is made once."""
    if etree.memory_debugger.dict_size() < MOST_NAMES:
        return _parse_all(pages)
    from concurrent.futures import ThreadPoolExecutor  # seldom needed

    with ThreadPoolExecutor(1) as thread:  # with which all names go that lxml keeps of these pages
        try:
            read = thread.submit(_parse_all, pages)
        except RuntimeError:  # no thread is to be had
            return _parse_all(pages)
        return read.result()


def _parse_all(pages: Sequence[tuple[str, bytes | None]]) -> list[MarkupPage]:
    encoded = (text.encode("utf-8", "replace") if data is None else data for text, data in pages)
    return [_parse(data.replace(b"\0", b" ")) for data in encoded]


def _parse(data: bytes) -> MarkupPage:
    if _may_compare_much(data):
        return _parse_in_parts(data)
    builder = _Builder()
    parser = _parser(builder)
    _feed(parser, data)
    _close(parser)
    return builder.finish()


def _feed(parser: etree.HTMLParser, data: bytes) -> None:
    """Read data. MemoryError where there was none: libxml2 notes that, and gives what it read until then."""
    with suppress(etree.LxmlError):  # an empty document, or one given up half way: what was read until then stands
        parser.feed(data)
    _check_memory(parser)


def _close(parser: etree.HTMLParser) -> None:
    with suppress(etree.LxmlError):
        parser.close()
    _check_memory(parser)


def _check_memory(parser: etree.HTMLParser) -> None:
    error = parser.feed_error_log.last_error
    if error is not None and error.type == etree.ErrorTypes.ERR_NO_MEMORY:
        raise MemoryError("a page was not read to its end")


def _may_compare_much(data: bytes) -> bool:
    """Whether so many elements may be open when so many end tags come that comparing them all takes long."""
    tags = int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("<")))  # bytes.count() is slow at what is frequent
    if tags * tags // 4 <= MOST_COMPARISONS:
        return False
    ends = data.count(b"</")
    return (tags - ends) * ends > MOST_COMPARISONS


def _parser(builder: _Builder) -> etree.HTMLParser:
    return etree.HTMLParser(  # the stubs want a target that takes bytes too, which lxml gives on Python 2
        target=builder,  # type: ignore[arg-type]
        encoding="utf-8",
        recover=True,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )


def _parse_in_parts(data: bytes) -> MarkupPage:
    """Read a page part by part, so that its depth is known in time."""
    builder = _DepthBuilder()
    parser = _parser(builder)
    first = 0
    while first < len(data):
        cut = data.find(b"<", first + _BYTES_AT_ONCE)
        last = cut if cut >= 0 else len(data)
        _feed(parser, data[first:last])
        first = last
        if builder.is_too_deep:
            _close(parser)
            parser = _parser(builder)
    _close(parser)
    return builder.finish()


class _Builder:
    """The target of the parser: turns its events into lines and blocks.

    Called for every tag and every piece of text, so start, end and data do the common cases themselves.
    """

    __slots__ = (
        "_around", "_blank", "_block", "_blocks", "_body_cue", "_button", "_button_chars", "_cues", "_first_lines",
        "_has_text", "_inline", "_inline_cue", "_item", "_landmarks", "_last_lines", "_lines", "_link", "_link_chars",
        "_links", "_lists", "_meta", "_meta_title", "_open", "_outer", "_parts", "_pre", "_rows", "_skip", "_skip_tag",
        "_strong", "_strong_chars", "_svg", "_texts",
    )  # fmt: skip

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._lines: list[int] = []  # see _OF_LINE
        self._blocks: list[int] = []  # see _OF_BLOCK
        self._first_lines: list[int] = []
        self._last_lines: list[int] = []
        self._cues: dict[str, int] = {"": 0}
        self._meta: dict[str, str] = {}
        self._open: list[str] = []  # tags of the open blocks; self._block is the innermost
        self._around: list[
            tuple[int, int, int]
        ] = []  # of each: its role, the block around it, what landmarks that is in
        self._block, self._landmarks, self._body_cue = -1, 0, 0
        self._skip = 0  # open elements whose text is not shown
        self._skip_tag = ""
        self._pre = self._link = self._strong = self._button = self._svg = self._lists = 0
        self._rows: list[_Row] = []
        self._parts: list[str] = []  # outside of pre: empty, or with something to see
        self._has_text = False
        self._blank = self._item = self._outer = False  # what stood between the last line and now
        self._link_chars = self._strong_chars = self._button_chars = self._links = self._inline_cue = 0
        self._inline: list[tuple[str, int]] = []  # open inline elements with a cue of their own
        self._meta_title: list[str] | None = None
        _Builder.start(self, "", {})  # the root

    # --- events -------------------------------------------------------------------------------
    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._skip:
            if not self._ends_head(tag):
                self._start_unseen(tag, attributes)
                return
            self._skip = 0
        kind, code, landmark, role = _TAGS.get(tag) or self._of_unknown_tag()
        cue = 0
        if attributes:
            if kind == _NO_TEXT or (
                "hidden" in attributes and tag not in _VOID and not _STREAMED(attributes.get("id", ""))
            ):
                self._start_skip(tag)
                return
            if kind < _VOID_INLINE:
                found = attributes.get("class")  # the only name of most
                if (found is None or len(attributes) > 1) and not _CUES_BUT_CLASS.isdisjoint(attributes):
                    found = " ".join(filter(None, map(attributes.get, _CUES)))
                if found:
                    cue = self._cues.setdefault(found, len(self._cues))
        if kind == _BLOCK:
            if self._parts:
                self._end_line()
            self._open.append(tag)
            self._around.append((role, self._block, self._landmarks))
            self._landmarks |= landmark
            self._blocks += (self._block, code, cue, self._landmarks)
            self._block = len(self._last_lines)
            self._first_lines.append(len(self._texts))
            self._last_lines.append(-1)
            if role == _APART:
                self._blank = True
            elif role == _ITEM:
                self._item = True
            elif role != _PART:
                self._start_special(role)
        elif kind == _NO_TEXT:
            self._start_skip(tag)
        elif kind <= _LAST_INLINE:
            if cue:
                self._inline.append((tag, cue))
            if kind == _LINK:
                self._link += 1
                self._links += 1
            elif kind != _PLAIN:
                self._start_inline(kind, cue)
        elif kind == _BREAK and self._parts:
            self._end_line()

    def end(self, tag: str) -> None:
        if self._skip:
            self._end_unseen(tag)
            return
        kind = (_TAGS.get(tag) or self._of_unknown_tag())[0]
        if kind <= _BLOCK:
            if self._parts:
                self._end_line()
            if self._open[-1] == tag:
                self._close()
            else:
                self._end_outer_block(tag)
        elif kind <= _LAST_INLINE:
            if self._inline and self._inline[-1][0] == tag:
                self._inline.pop()
            if kind == _PLAIN:
                return
            if kind == _LINK:
                if self._link:
                    self._link -= 1
            elif kind == _STRONG:
                self._strong = max(0, self._strong - 1)
            elif kind == _BUTTON:
                self._button = max(0, self._button - 1)
            elif kind == _SVG:
                self._svg = max(0, self._svg - 1)
        elif tag == "input":
            self._button = max(0, self._button - 1)

    def data(self, text: str) -> None:
        if self._skip:
            if self._meta_title is not None:
                self._meta_title.append(text)
        elif self._pre:
            self._add_written(text)
        elif self._has_text:
            self._parts.append(text)
            if self._link or self._strong or self._button:
                self._count(len(text))
        elif seen := text.strip():
            self._parts.append(text)
            self._has_text = True
            if self._inline:
                self._inline_cue = self._inline[-1][1]
            if self._link or self._strong or self._button:
                self._count(len(seen))

    def close(self) -> None: ...

    # --- text ---------------------------------------------------------------------------------
    def _add_written(self, text: str) -> None:
        """Text in pre, where every line stands as written."""
        first, *rest = text.split("\n")
        self._add_text(first)
        for line in rest:
            self._blank |= not self._has_text
            self._end_line()
            self._add_text(line)

    def _add_text(self, text: str) -> None:
        self._parts.append(text)
        if self._has_text:
            self._count(len(text))
        elif seen := text.strip():
            self._has_text = True
            if self._inline:
                self._inline_cue = self._inline[-1][1]
            self._count(len(seen))

    def _count(self, characters: int) -> None:
        if self._link:
            self._link_chars += characters
        if self._strong:
            self._strong_chars += characters
        if self._button:
            self._button_chars += characters

    def _end_line(self) -> None:
        if self._has_text:
            text = "".join(self._parts)
            self._texts.append(text.rstrip() if self._pre else " ".join(text.split()))
            self._lines += (
                self._outer or (self._blank and not self._item), self._block,
                self._link_chars, self._strong_chars, self._button_chars, self._links, self._inline_cue,
            )  # fmt: skip
            self._has_text = self._blank = self._item = self._outer = False
            self._link_chars = self._strong_chars = self._button_chars = self._inline_cue = 0
            self._links = 1 if self._link else 0
        self._parts.clear()

    def _of_unknown_tag(self) -> tuple[int, int, int, int]:
        return _OTHER_INLINE if self._open and self._open[-1] in _OF_ONE_LINE else _OTHER

    def _start_inline(self, kind: int, cue: int) -> None:
        if kind == _STRONG:
            self._strong += 1
        elif kind == _BUTTON:
            self._button += 1
        elif kind == _SVG:
            self._svg += 1
        elif cue:
            self._body_cue = cue

    # --- what is not shown --------------------------------------------------------------------
    def _start_skip(self, tag: str) -> None:
        self._skip, self._skip_tag = 1, tag
        if tag == "title" and not self._svg and "title" not in self._meta:
            self._meta_title = []
        if tag not in _INLINE and self._parts:
            self._parts.append(" ")

    def _ends_head(self, tag: str) -> bool:
        """Whether the head is over: no head has such an element, though libxml2 would go on with it."""
        return self._skip == 1 and self._skip_tag == "head" and tag not in _TAGS

    def _counts_unseen(self, tag: str) -> bool:
        """Whether the element must be closed before text is shown again; in a head also what is unseen by itself."""
        return tag == self._skip_tag or (self._skip_tag == "head" and tag in _UNSEEN)

    def _start_unseen(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._counts_unseen(tag):
            self._skip += 1
        if tag == "meta":
            self._note_meta(attributes)
        elif tag == "link" and self._skip_tag == "head":
            self._note_link(attributes)
        elif tag == "title" and self._skip_tag == "head" and "title" not in self._meta:
            self._meta_title = []

    def _end_unseen(self, tag: str) -> None:
        if tag == "title":
            self._end_title()
        if self._counts_unseen(tag):
            self._skip -= 1

    # --- blocks -------------------------------------------------------------------------------
    def _start_special(self, role: int) -> None:
        """What starts with a block that is more than a block."""
        if role == _PRE:
            self._pre += 1
            self._blank = True
        elif role == _LIST:
            self._outer |= not self._lists
            self._lists += 1
        elif role == _ROW:
            self._rows.append(_Row(len(self._texts)))
            self._item = True
        elif self._rows:
            self._rows[-1].cells.append(len(self._texts))

    def _end_outer_block(self, tag: str) -> None:
        """An end tag that is not the innermost block's: closes all blocks within its own, if there is one."""
        if tag not in self._open:
            self._note_boundary(tag)
            return
        while self._open[-1] != tag:
            self._close()
        self._close()

    def _close(self) -> None:
        """Close the innermost block."""
        block = self._block
        self._open.pop()
        role, self._block, self._landmarks = self._around.pop()
        if role == _ROW and self._rows:
            self._join_row(self._rows.pop(), block)
        self._last_lines[block] = len(self._texts)
        if role == _APART:
            self._blank = True
        elif role <= _ROW:
            self._item = True
        elif role == _LIST:
            self._lists -= 1
            if not self._lists:
                self._outer = self._blank = True
        elif role == _PRE:
            self._pre -= 1
            self._blank = True

    def _note_boundary(self, tag: str) -> None:
        """An end tag without a start."""
        role = _TAGS.get(tag, _OTHER)[3]
        if role in (_ITEM, _ROW):
            self._item = True
        elif role in (_APART, _PRE) or (role == _LIST and not self._lists):
            self._blank = True

    def _join_row(self, row: _Row, block: int) -> None:
        """A row whose cells hold one line each becomes one line; any other row, or one in many rows, is page layout."""
        first = row.first
        count = len(self._texts) - first
        if (
            count < 2
            or len(self._rows) >= _ROWS_AROUND
            or len(row.cells) < count
            or any(after - before > 1 for before, after in pairwise([*row.cells, len(self._texts)]))
        ):
            return
        width = len(_OF_LINE)
        of_first = first * width
        sums = [sum(self._lines[of_first + place :: width]) for place in range(2, 6)]
        self._lines[of_first:] = [self._lines[of_first], block, *sums, self._lines[of_first + width - 1]]
        self._texts[first:] = ["\t".join(self._texts[first:])]
        inner = len(self._first_lines) - block - 1
        self._first_lines[block + 1 :] = [first] * inner
        self._last_lines[block + 1 :] = [first + 1] * inner

    # --- the head -----------------------------------------------------------------------------
    def _note_meta(self, attributes: Mapping[str, str]) -> None:
        name = attributes.get("property") or attributes.get("name")
        content = attributes.get("content")
        if name and content and name.lower() in ("og:title", "og:site_name", "og:type", "og:url", "twitter:title"):
            self._meta.setdefault(name.lower(), " ".join(content.split()))

    def _note_link(self, attributes: Mapping[str, str]) -> None:
        address = attributes.get("href", "").strip()
        if address and "canonical" in attributes.get("rel", "").lower().split():
            self._meta.setdefault("canonical", address)

    def _end_title(self) -> None:
        if self._meta_title is not None:
            self._meta.setdefault("title", " ".join("".join(self._meta_title).split()))
            self._meta_title = None

    def finish(self) -> MarkupPage:
        while self._open:
            self._end_line()
            self._close()
        breaks, blocks, link, strong, button, links, cues = _columns(self._lines, _OF_LINE)
        parents, tags, block_cues, landmarks = _columns(self._blocks, _OF_BLOCK)
        block_cues[0] = self._body_cue
        return MarkupPage(
            self._texts, list(map(bool, breaks)), blocks, link, strong, button, links, cues, parents, tags, block_cues,
            landmarks, self._first_lines, self._last_lines, self._cues, self._meta,
        )  # fmt: skip


def _columns(rows: list[int], names: tuple[str, ...]) -> list[list[int]]:
    """One list a name, of rows that stand one after the other."""
    return [rows[place :: len(names)] for place in range(len(names))]


class _DepthBuilder(_Builder):
    """A builder that knows how many elements are open, inline ones too."""

    __slots__ = ("_depth",)

    def __init__(self) -> None:
        self._depth = 0
        super().__init__()

    @property
    def is_too_deep(self) -> bool:
        """Whether to close all elements here; not in a script, whose rest would be taken for text."""
        return self._depth > DEEPEST and not (self._skip and self._skip_tag in ("script", "style"))

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        super().start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        super().end(tag)


@dataclass(slots=True, eq=False, repr=False)
class _Row:
    first: int
    cells: list[int] = field(default_factory=list)


def page_title(meta: Mapping[str, str]) -> str | None:
    """og:title, or the title, as the head of an HTML page gives them, less the name of the site: og:site_name, or where
    there is none what ends the title, is less than half as long as the rest and ends in no number, as a part does."""
    title = meta.get("og:title") or meta.get("twitter:title") or meta.get("title")
    if not title:
        return None
    site = meta.get("og:site_name", "").casefold()
    for separator in (" | ", " - ", " – ", " — ", " :: ", " » ", " · "):
        head, found, tail = title.rpartition(separator)
        named = tail.casefold() == site if site else len(tail) < len(head) / 2 and not tail[-1:].isdigit()
        if found and head and named:
            return head
    return title
