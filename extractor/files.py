"""Files written whole or not at all, names shown harmlessly, and what is no text told from what is."""

from __future__ import annotations

import errno
import secrets
import unicodedata
from pathlib import Path
from typing import BinaryIO

from extractor.decoding import decode

_BINARY_STARTS = (
    b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF", b"BZh", b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd", b"RIFF", b"OggS", b"ID3", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf", b"SQLite format 3\0",
    b"PAR1", b"wOFF", b"wOF2", b"\0asm", b"{\\rtf",
)  # fmt: skip
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors that say that a file system, or a part of it, is full."""
_SAMPLE = 8192
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b") + b"\x7f"
_MOST_CONTROLS = 0.02
_FEW_CONTROLS = 8
"""A file with a larger share of control characters, and more than a few, is not text; random bytes have a tenth."""
_UNSEEN = frozenset(("Cc", "Cs", "Zl", "Zp", "Co", "Cn"))
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it: nobody ever sees half of it.

    The folder must exist. OSError as from any write.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def open_new(path: Path) -> BinaryIO:
    """A file to write, in place of what had its name: a link there is not followed. OSError as from any write."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def looks_binary(data: bytes) -> bool:
    """Whether some bytes are no text at all, neither dump nor HTML, by how they begin.

    >>> looks_binary(b"%PDF-1.7 ..."), looks_binary("naïve".encode("utf-16")), looks_binary(b"")
    (True, False, False)
    """
    if data.startswith(_BINARY_STARTS):
        return True
    head = data[:_SAMPLE]
    if len(head) - len(head.translate(None, _CONTROLS)) <= _most_controls(len(head)):
        return False
    text = decode(head)[0]  # UTF-16 and UTF-32 are full of null bytes, and their text is not
    return sum(text.count(chr(code)) for code in _CONTROLS) > _most_controls(len(text))


def _most_controls(length: int) -> float:
    return max(_FEW_CONTROLS, _MOST_CONTROLS * length)


def printable(text: str) -> str:
    r"""A text as it may be shown on a terminal: what would steer it is written out, a tab is four spaces.

    >>> print(printable("red: \x1b[31m, backwards: \u202e"))
    red: \x1b[31m, backwards: \u202e
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\t", "    ")))


def _shown(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN or character in _DIRECTIONS:
        return character.encode("unicode_escape").decode("ascii")
    return character
