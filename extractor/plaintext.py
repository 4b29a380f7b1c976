"""Plain-text dumps: telling them from HTML, and which lines of a hard-wrapped dump go on with a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

# compiled, and kept, by re when a page first needs them
_HTML_START = (
    r"(?i)\s*(?:<!--|<!doctype\b|<\?xml\b|<(?:html|head|body|meta|title|script|style|link|div|p|span|table|article"
    r"|section|main|header|nav|ul|ol|h[1-6]|a|b|i|br|img|form|center|font|rss|feed)(?=[\s>/]))"
)
_TAG = (
    r"(?i)</?(?:html|head|body|meta|title|script|style|link|div|p|span|table|t[rdh]|article|section|main|header"
    r"|footer|nav|aside|[uod]l|li|h[1-6]|a|b|i|em|strong|br|img|form|input|center|font|figure)(?:\s[^<>]*)?/?>"
)
_LOOKED_AT = 20_000
_TAG_SHARE = 0.08
_BULLET = r"\s*(?:[-*•·▪●■◦‣–—+]|\(?\d{1,3}[.)]|#+)\s"
WIDEST_WRAP = 140


def looks_like_html(text: str) -> bool:
    """Whether a page is HTML: it begins with a tag, or tags make up a good part of it.

    >>> looks_like_html("<!DOCTYPE html><p>one"), looks_like_html("In HTML, <p> begins a paragraph of text.")
    (True, False)
    """
    head = text[:_LOOKED_AT]
    if "<" not in head:
        return False
    if re.match(_HTML_START, head.lstrip("\ufeff")):
        return True
    return sum(len(tag.group()) for tag in re.finditer(_TAG, head)) >= max(_TAG_SHARE * len(head), 8)


def continuations(texts: Sequence[str], blank_before: Sequence[int]) -> list[bool]:
    """For each line whether it goes on with the line above, which was broken to fit the width of the page.

    A line was broken where the next line's first word would not have fitted on it.
    """
    width = max((len(text.rstrip()) for text in texts), default=0)
    if width > WIDEST_WRAP:
        return [False] * len(texts)
    broken = [False]
    for above, text, blank in zip(texts, texts[1:], blank_before[1:], strict=False):
        first_word = text.split(None, 1)[0]
        fits = len(above.rstrip()) + 1 + len(first_word) <= width
        broken.append(not (blank or fits or re.match(_BULLET, text)))
    return broken[: len(texts)]
