"""Further ways to turn HTML into text, so that the model does not learn the habits of a few converters.

The choice among them and their options follows from the page's id, so that a rebuild gives the same.
"""

from __future__ import annotations

import re
import zlib

import html2text

from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelling import html_text
from extractor.training.corpora import Dump, Source, dump_lines

_WIDTHS = (0, 72, 78, 0)
_REFERENCE = r"(?m)^ *\[(\d+)\]: (\S+).*$"
_MENTION = r"\[([^][\n]*)\]\[(\d+)\]"


def extra_dump(source: Source) -> Dump | None:
    """A dump of the page by Markdown rules, with links left out, kept or numbered; by our own lines; or by lines
    without any blank ones."""
    choice = zlib.crc32(source.id.encode()) % 12
    html = decode(source.html)[0]
    if choice < 4:
        text = _markdown(html, width=_WIDTHS[choice], emphasis=choice % 2 == 0)
        return None if text is None else Dump("markdown", text)
    if choice < 7:
        text = _markdown(html, links=True, address=source.url or "", numbered=choice > 4)
        return None if text is None else Dump("numbered", numbered(text)) if choice > 4 else Dump("linked", text)
    text = html_text(parse_html(html))
    if choice < 10:
        return Dump("lines", text)
    return Dump("dense", "\n".join(dump_lines(text)))


def numbered(text: str) -> str:
    """Markdown with its references at the end, as text browsers dump pages: a number before each link.

    >>> print(numbered("See [the map][1].\\n\\n   [1]: https://quay.example/map\\n"))
    See [1]the map.
    <BLANKLINE>
    References
    <BLANKLINE>
       1. https://quay.example/map
    <BLANKLINE>
    """
    mentions = re.sub(_MENTION, r"[\2]\1", text)
    headed = re.sub(_REFERENCE, r"References\n\n\g<0>", mentions, count=1)
    return re.sub(_REFERENCE, r"   \1. \2", headed)


def _markdown(
    html: str, width: int = 0, emphasis: bool = False, links: bool = False, address: str = "", numbered: bool = False
) -> str | None:
    """The page by Markdown rules; None where html2text gives up on it, as it does on some broken ones."""
    converter = html2text.HTML2Text(baseurl=address, bodywidth=width)
    converter.ignore_links, converter.inline_links = not links, not numbered
    converter.ignore_images, converter.ignore_emphasis = True, not emphasis
    try:
        text: str = converter.handle(html)
    except (AssertionError, IndexError, ValueError, TypeError, AttributeError):
        return None
    return text
