"""A source -> the groups it is scored in: corpus, page type, writing system and language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError
from fontTools import unicodedata

from extractor.training.corpora import Source

LOOKED_AT = 5_000
"""Characters of a page's text that its writing system is told by."""
CORPUS_LANGUAGES: Mapping[str, str] = {
    "wcxb": "en", "dragnet": "en", "l3s-gn1": "en", "cleaneval": "en", "chinese-news": "zh",
}  # fmt: skip
"""The language of pages that do not declare one, where their corpus has but one."""
UNKNOWN = "unknown"
_KANA = ("Hira", "Kana")
_DECLARED = re.compile(rb"<html\b[^>]*?\blang\s*=\s*[\"']?\s*([A-Za-z]{2,3})\b", re.I)


def page_groups(source: Source) -> dict[str, str]:
    """The groups of a source, by their names."""
    return {
        "corpus": source.corpus,
        "type": source.page_type or UNKNOWN,
        "script": writing_system(source.gold or "".join(source.must_have)),
        "language": language_name(declared_language(source.html) or CORPUS_LANGUAGES.get(source.corpus)),
    }


def writing_system(text: str) -> str:
    """The script that most letters of a text are of, by its name in Unicode; "Japanese" where kana stand among them.

    >>> writing_system("Добрый день, Anna"), writing_system("東京の朝"), writing_system("12:30")
    ('Cyrillic', 'Japanese', 'unknown')
    """
    letters = Counter(unicodedata.script(letter) for letter in text[:LOOKED_AT] if letter.isalpha())
    if not letters:
        return UNKNOWN
    if sum(letters[kana] for kana in _KANA) * 20 > letters.total():
        return "Japanese"
    return str(unicodedata.script_name(letters.most_common(1)[0][0]))


def declared_language(html: bytes) -> str | None:
    """The language that an HTML page says it is in, as its code; None where it does not."""
    found = _DECLARED.search(html[: 4 * LOOKED_AT])
    return found[1].decode().lower() if found else None


def language_name(code: str | None) -> str:
    """A language's English name.

    >>> language_name("cs"), language_name("xx"), language_name(None)
    ('Czech', 'xx', 'unknown')
    """
    try:
        return str(Locale.parse(code).english_name) if code else UNKNOWN
    except (UnknownLocaleError, ValueError):
        return code or UNKNOWN


def never_measured(written: Iterable[str], measured: Iterable[str]) -> list[str]:
    """The languages of pages written for training (by their codes) that no measured page is in, by name."""
    return sorted({language_name(code) for code in written} - set(measured))
