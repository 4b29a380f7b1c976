from __future__ import annotations

import codecs

import pytest

from extractor.decoding import declared_encoding, decode
from hostile import SCRIPTS

FRENCH = "Le phare s’éteint à l’aube — déjà vingt ans."
RUSSIAN = "Маяк на дальнем мысу снова горит, и лоцманы рады. " * 4
JAPANESE = "灯台の光が十年ぶりに海を照らした。船乗りたちは喜んでいる。" * 4
CHINESE = "灯塔十年来第一次照亮了海面，船员们都很高兴。" * 4


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_byte_order_mark_decides_and_is_no_text(mark: bytes, encoding: str) -> None:
    assert decode(mark + FRENCH.encode(encoding)) == (FRENCH, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_seen_without_a_mark(encoding: str) -> None:
    assert decode(FRENCH.encode(encoding)) == (FRENCH, encoding)


@pytest.mark.parametrize("text", [FRENCH, RUSSIAN, JAPANESE, CHINESE, "", "plain"])
def test_utf8_is_utf8(text: str) -> None:
    assert decode(text.encode()) == (text, "utf-8")


def test_utf8_wins_over_what_the_page_declares() -> None:
    page = f'<meta charset="iso-8859-1"><p>{FRENCH}'
    assert decode(page.encode()) == (page, "utf-8")


@pytest.mark.parametrize(
    ("declared", "codec", "text"),
    [
        ("iso-8859-1", "cp1252", FRENCH),
        ("windows-1251", "cp1251", RUSSIAN),
        ("Shift_JIS", "cp932", JAPANESE),
        ("gb2312", "gb18030", CHINESE),
        ("EUC-JP", "euc_jp", JAPANESE),
        ("koi8-r", "koi8-r", RUSSIAN),
    ],
)
def test_the_declared_charset_is_used_as_browsers_use_it(declared: str, codec: str, text: str) -> None:
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={declared}"></head>{text}'
    assert decode(page.encode(codec)) == (page, codec)


@pytest.mark.parametrize("lie", ["no-such-charset", "utf-8", "hex", "utf-16", "x" * 39])
def test_a_declared_charset_that_cannot_be_is_passed_over(lie: str) -> None:
    text, encoding = decode(f'<meta charset="{lie}"><p>{RUSSIAN}'.encode("cp1251"))
    assert RUSSIAN in text
    assert encoding == "cp1251"


def test_without_a_declaration_a_detector_looks() -> None:
    assert decode(RUSSIAN.encode("cp1251"))[0] == RUSSIAN


@pytest.mark.parametrize("text", [text for text in SCRIPTS if not text.isascii()])
@pytest.mark.parametrize("declared", ["", '<meta charset="utf-8">'])
def test_a_few_broken_bytes_do_not_spoil_utf8(text: str, declared: str) -> None:
    page = declared + text * 4
    assert decode(page.encode() + b"\xff" + page.encode()) == (f"{page}\ufffd{page}", "utf-8!")


@pytest.mark.parametrize("charset", ["iso-2022-jp", "hz"])
def test_what_escape_sequences_mean_is_told_by_what_the_page_declares(charset: str) -> None:
    page = f'<meta charset="{charset}"><p>{CHINESE if charset == "hz" else JAPANESE}'
    assert decode(page.encode(charset))[0] == page
    in_utf8 = page + "\x1b ~{"
    assert decode(in_utf8.encode()) == (in_utf8, "utf-8")


def test_utf8_cut_in_the_middle_of_a_character_is_utf8() -> None:
    text, encoding = decode(RUSSIAN.strip().encode()[:-2])
    assert encoding == "utf-8!"
    assert text.startswith(RUSSIAN[:100])


def test_declared_encoding_looks_at_the_head_only() -> None:
    assert declared_encoding(b"<meta charset=koi8-r>") == "koi8-r"
    assert declared_encoding(b'<?xml version="1.0" encoding="windows-1250"?>') == "cp1250"
    assert declared_encoding(b" " * 5000 + b"<meta charset=koi8-r>") is None
    assert declared_encoding(b"no tag: charset=koi8-r") is None


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\xff" * 99, b"\x00" * 99, b"\xff\xfe\x00", b"\xd8\x00" * 50])
def test_whatever_the_bytes_there_is_a_text(data: bytes) -> None:
    text, encoding = decode(data)
    assert isinstance(text, str)
    assert codecs.lookup(encoding.removesuffix("!"))


@pytest.mark.parametrize(
    "charset",
    ["undefined", "unicode_escape", "raw-unicode-escape", "utf-7", "cp037", "utf-16", "hex", "idna", "none", "a\x00b"],
)
def test_charsets_that_no_page_is_in_are_passed_over(charset: str) -> None:
    """Scripts that know of no charset declare "undefined", which Python has a codec for, to try how errors are met."""
    page = f"<meta charset={charset}><p>Le phare s'éteint à l'aube, déjà vingt ans. \\x41 +AD-".encode("cp1252")
    for sent in (None, charset):
        text, encoding = decode(page, sent)
        assert text == page.decode("cp1252")
        assert encoding == "cp1252"
