"""bytes -> str, and which encoding was used.

In this order: byte order mark, UTF-16 or UTF-32 seen from where the null bytes stand, a charset of escape
sequences that the page was sent with or declares, UTF-8 with few broken bytes, what else it was sent with or
declares, a detector on a sample, what it declares or Windows-1252 with replacements. Nothing raises.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from extractor.latin import is_latin, latin_encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = rb"""(?i)<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})"""
_DECLARED_WITHIN = 4096
_SAMPLE = 65536
_SEVEN_BIT = ("iso2022", "hz")
"""Encodings whose bytes are all valid UTF-8, and mean something else."""
_ESCAPES = (b"\x1b", b"~{")
"""What begins a stretch of it that is not Latin."""
_LEAD_BYTES = bytes(range(0xC2, 0xF5))
"""What a UTF-8 sequence of more than one byte begins with."""
_NOT_OF_PAGES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7")
"""Codecs that no browser has, and that make other text of what is ASCII."""
# https://encoding.spec.whatwg.org/#names-and-labels: what pages call by a narrower name than they use
_WIDER = {
    "iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "windows-1252": "cp1252", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "big5": "big5hkscs",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949",
}  # fmt: skip


def text_of(content: str | bytes) -> tuple[str, str]:
    """The text of a page as it came, without a byte order mark, and how it was decoded ("str": it came so)."""
    return (content.removeprefix("\ufeff"), "str") if isinstance(content, str) else decode(content)


def decode(data: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text of `data` and the name of the encoding used, a trailing "!" where bytes were replaced.

    charset: what the headers say that the page was sent with.

    >>> decode("naïve".encode("utf-8"))
    ('naïve', 'utf-8')
    >>> decode(codecs.BOM_UTF16_LE + "naïve".encode("utf-16-le"))
    ('naïve', 'utf-16-le')
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], name)
    wide = _wide_encoding(data[:_DECLARED_WITHIN])
    if wide is not None:
        return _decode_as(data, wide)
    sent = _text_codec(charset) if charset else None
    escaped = sent or (declared_encoding(data) if any(map(data.count, _ESCAPES)) and data.isascii() else None)
    if escaped is not None and escaped.startswith(_SEVEN_BIT):
        return _decode_as(data, escaped)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        truncated_end = error.start >= len(data) - 3 and error.reason == "unexpected end of data"
    if truncated_end or _is_mostly_utf8(data):
        return _decode_as(data, "utf-8")
    for candidate in _candidates(data, sent):
        if candidate is not None:
            try:
                return data.decode(candidate), candidate
            except UnicodeDecodeError:
                continue
    declared = declared_encoding(data)
    return _decode_as(data, declared if declared not in (None, "utf-8") else "cp1252")


def _candidates(data: bytes, sent: str | None) -> Iterator[str | None]:
    yield sent
    yield declared_encoding(data)
    yield _detected_encoding(data)  # asked last: it takes long


def declared_encoding(data: bytes) -> str | None:
    """The Python codec of the charset that an HTML page declares in its first 4,096 bytes, or None."""
    match = re.search(_DECLARED, data[:_DECLARED_WITHIN])
    return _text_codec(match.group(1).decode("ascii", "replace")) if match else None


def _decode_as(data: bytes, encoding: str | None) -> tuple[str, str]:
    encoding = encoding or "cp1252"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), encoding + "!"


def _is_mostly_utf8(data: bytes) -> bool:
    """A few broken bytes in a text that is UTF-8 otherwise: at most one in fifty of its sequences."""
    broken = data.decode("utf-8", "replace").count("�")
    return broken * 50 <= len(data) - len(data.translate(None, _LEAD_BYTES))


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, told by null bytes at every other place of mostly Latin text."""
    if len(head) < 4 or head.count(0) * 4 < len(head):
        return None
    if head.count(0) * 2 > len(head) * 1.2:
        return "utf-32-le" if head[0] else "utf-32-be"
    odd, even = head[1::2].count(0), head[::2].count(0)
    if max(odd, even) < 4 * min(odd, even):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _detected_encoding(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # a tenth of a second to import, and seldom needed

    best = from_bytes(data[:_SAMPLE], cp_exclusion=["utf_7"]).best()
    found = _text_codec(best.encoding) if best is not None else None
    return (latin_encoding(data[:_SAMPLE]) or found) if found is None or is_latin(found) else found


def _text_codec(name: str) -> str | None:
    try:
        found = codecs.lookup(_WIDER.get(name.lower(), name))
        # codecs such as "hex" or "zip" are no text encodings, and "undefined" decodes nothing; what is read here has
        # its tags in ASCII, so that a declared UTF-16 or EBCDIC is a lie
        fits = getattr(found, "_is_text_encoding", True) and found.decode(b"<p>")[0] == "<p>"
    except (LookupError, ValueError):
        return None
    return found.name if fits and not found.name.startswith(_NOT_OF_PAGES) else None
