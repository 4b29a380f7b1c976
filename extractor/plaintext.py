"""Plain-text dumps: telling them from HTML, and which lines of a hard-wrapped dump go on with a sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

# compiled, and kept, by re when a page first needs them
_HTML_START = (
    r"(?i)\s*(?:<!--|<!doctype\b|<\?xml\b|<(?:html|head|body|meta|title|script|style|link|div|p|table|article"
    r"|section|main|header|nav|ul|ol|h[1-6]|form|center|rss|feed)(?=[\s>/]))"
)
_TAG = (
    r"(?i)</?(?:html|head|body|meta|title|script|style|link|div|p|span|table|t[rdh]|article|section|main|header"
    r"|footer|nav|aside|[uod]l|li|h[1-6]|a|b|i|em|strong|br|img|form|input|center|font|figure)(?:\s[^<>]*)?/?>"
)
_LOOKED_AT = 20_000
_TAG_SHARE = 0.08
_BULLET = r"\s*(?:[-*•·▪●■◦‣–—+]|\(?\d{1,3}[.)]|#+)\s"
_UNSPACED = r"[\u2e80-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\U00020000-\U0003ffff]"
"""Chinese and Japanese, with their punctuation."""
_LONG_WORD = 40
"""Characters of a line that is ended by a word too long to be broken, at least."""
WIDEST_WRAP = 140


def looks_like_html(text: str) -> bool:
    """Whether a page is HTML: it begins with the tag of a block, or tags make up a good part of it.

    >>> looks_like_html("<!DOCTYPE html><p>one"), looks_like_html("In HTML, <p> begins a paragraph of text.")
    (True, False)
    """
    head = text[:_LOOKED_AT]
    if "<" not in head:
        return False
    if re.match(_HTML_START, head.lstrip("\ufeff")):
        return True
    return sum(len(tag.group()) for tag in re.finditer(_TAG, head)) >= max(_TAG_SHARE * len(head), 7)


def continuations(texts: Sequence[str], blank_before: Sequence[int]) -> list[bool]:
    """For each line whether it goes on with the line above, which was broken to fit the width of the page.

    A line was broken where the next line's first word, or of a script without spaces its first character, would not
    have fitted on it. The width is that of the longest line, but for those that a long address or the like stands on.
    """
    width = max((len(text.rstrip()) for text in texts if not _holds_a_long_word(text)), default=0)
    if not 0 < width <= WIDEST_WRAP:
        return [False] * len(texts)
    broken = [False]
    for above, text, blank in zip(texts, texts[1:], blank_before[1:], strict=False):
        first_word = text.split(None, 1)[0]
        first = 1 if re.match(_UNSPACED, first_word) else 1 + len(first_word)
        full = len(above.rstrip()) <= width < len(above.rstrip()) + first
        broken.append(full and not blank and not re.match(_BULLET, text))
    return broken[: len(texts)]


def joined(above: str, text: str) -> str:
    """What stands between a line and the one that goes on with it: a space, but not within a script without any."""
    return "" if re.match(_UNSPACED, above.rstrip()[-1:]) and re.match(_UNSPACED, text.lstrip()) else " "


def _holds_a_long_word(text: str) -> bool:
    """Whether a word without which the line would be half as long ends it."""
    words = text.split()
    return bool(words) and 2 * len(words[-1]) > len(text.strip()) > _LONG_WORD and not re.match(_UNSPACED, words[-1])
