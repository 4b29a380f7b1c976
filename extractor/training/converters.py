"""Further ways to turn HTML into text, so that the model does not learn the habits of a few converters.

The choice among them and their options follows from the page's id, so that a rebuild gives the same.
"""

from __future__ import annotations

import zlib

import html2text

from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelling import html_text
from extractor.training.corpora import Dump, Source


def extra_dump(source: Source) -> Dump | None:
    """A dump of the page by Markdown rules, by our own lines, or by lines without any blank ones."""
    choice = zlib.crc32(source.id.encode()) % 8
    html = decode(source.html)[0]
    if choice < 4:
        return _markdown(html, width=(0, 72, 78, 0)[choice], emphasis=choice % 2 == 0)
    text = html_text(parse_html(html))
    if choice < 6:
        return Dump("lines", text)
    return Dump("dense", "\n".join(line for line in text.split("\n") if line.strip()))


def _markdown(html: str, width: int, emphasis: bool) -> Dump | None:
    converter = html2text.HTML2Text(bodywidth=width)
    converter.ignore_links = converter.ignore_images = True
    converter.ignore_emphasis = not emphasis
    try:
        return Dump("markdown", converter.handle(html))
    except (AssertionError, IndexError, ValueError, TypeError, AttributeError):
        return None  # html2text gives up on some broken pages
