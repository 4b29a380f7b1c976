"""The URL that an HTML page says it has: its bytes in, the URL out. The head is searched, not parsed, as both
passes over a folder want it before any page is read in full."""

from __future__ import annotations

import html
import re

_HEAD = 1 << 16
"""Bytes that are searched: heads are shorter, but for large scripts before the lines that count."""
_TAGS = re.compile(rb"<(?:meta|link)\b[^<>]*>", re.IGNORECASE)
_ATTRIBUTES = re.compile(rb"""(?<![a-z:-])([a-z:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def declared_url(content: bytes) -> str | None:
    """What og:url says, else the canonical link; None for neither, or for a URL that names no host.

    >>> declared_url(b'<link rel="canonical" href="https://example.org/a?b=1&amp;c=2">')
    'https://example.org/a?b=1&c=2'
    """
    canonical = None
    for tag in _TAGS.findall(content[:_HEAD]):
        found = {name.lower(): value for name, *values in _ATTRIBUTES.findall(tag) for value in values if value}
        if found.get(b"property", b"").lower() == b"og:url" and _names_host(found.get(b"content", b"")):
            return _text(found[b"content"])
        if found.get(b"rel", b"").lower() == b"canonical" and _names_host(found.get(b"href", b"")):
            canonical = canonical or _text(found[b"href"])
    return canonical


def _names_host(url: bytes) -> bool:
    return url.strip().lower().startswith((b"http://", b"https://", b"//"))


def _text(url: bytes) -> str:
    return html.unescape(url.decode("utf-8", "replace")).strip()
