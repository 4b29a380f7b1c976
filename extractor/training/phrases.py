"""Short texts of web pages in many languages, and texts that look as if they were written in one of them.

training_data/phrases holds a file a language: what is printed on buttons and menus, above teasers and in bylines, and
the commonest words of prose, one concept a line. In a text of a language that is read, known phrases become those of
another, and all other words become made-up ones of its letters, as localisers test programs (pseudo-translation): what
changes with a language is what its pages can be told by, its script, the lengths of its words, whether it has capitals.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

SOURCES = ("en", "de")
"""Languages whose wordings are looked for in texts."""
UNSPACED = frozenset(("ja", "th", "zh", "zh-hant"))
"""Languages that put no spaces between words."""
_DOTLESS = frozenset(("az", "tr"))
"""Languages in which the capital of i is another letter than I."""
_WIDE = {".": "。", ",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}
_ARABIC = {",": "،", ";": "؛", "?": "؟"}
_DANDA = {".": "।"}
_SIGNS: Mapping[str, Mapping[str, str]] = {
    "ar": _ARABIC, "bn": _DANDA, "el": {"?": ";"}, "fa": _ARABIC, "hi": _DANDA, "hy": {".": "։"},
    "ja": {**_WIDE, ",": "、"}, "th": {".": " ", ",": " "}, "ur": {**_ARABIC, ".": "۔"}, "zh": _WIDE, "zh-hant": _WIDE,
}  # fmt: skip
"""What a language has for a sign that ends what stands before it."""
_SIGN = re.compile(r"(?<![.,;:?!])([.,;:?!])( |(?=\s)|$)")
"""Such a sign, and the space behind it: not one in a number or an address."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_WITHIN = re.compile(r"[ -]{1,2}").fullmatch
"""What may stand between the words of a phrase."""
_FIRST_OF_PROSE = "January"
"""From this concept on, phrases are looked for in prose too: dates and the commonest words."""
_SHORT_LINE = 8
"""Words of a line that all phrases are looked for in."""


class _Language(NamedTuple):
    """wordings: of each concept. pieces: what words are made up of. scale: letters for each of English.

    cased: whether it has capital letters.
    """

    name: str
    wordings: Sequence[Sequence[str]]
    pieces: Sequence[str]
    scale: float
    cased: bool

    def upper(self, text: str) -> str:
        return text.replace("i", "İ").upper() if self.name in _DOTLESS else text.upper()

    def lower(self, text: str) -> str:
        return text.replace("İ", "i").replace("I", "ı").lower() if self.name in _DOTLESS else text.lower()


class _Source(NamedTuple):
    """Concepts by the words of their wordings. alone: of a line of its own, the first of concepts that read alike;
    within: of a part of a short line, the last; in_prose: of a part of a longer one. longest: words of the longest
    wording that begins with a word."""

    alone: dict[tuple[str, ...], int]
    within: dict[tuple[str, ...], int]
    in_prose: dict[tuple[str, ...], int]
    longest: dict[str, int]


class Phrasebook:
    """What is written for a concept in each language, and which concepts a text's words are."""

    def __init__(self, wordings: Mapping[str, Sequence[Sequence[str]]], first_of_prose: int) -> None:
        """wordings: of each language, those of each concept, in the same order; none where a concept has none.

        Concepts from first_of_prose on are looked for in prose too.
        """
        self._languages = {name: _language(name, some, wordings["en"]) for name, some in wordings.items()}
        self.languages = tuple(sorted(self._languages))
        self._sources = [_source(wordings[name], first_of_prose) for name in SOURCES if name in wordings]
        self._first_of_prose = first_of_prose

    def written_in(self, language: str, lines: Sequence[str], key: int) -> list[str]:
        """Lines of a page as if they were written in a language; no line becomes blank. Words that are no known phrase
        become the same made-up word wherever they stand. key: another one has other words and other wordings."""
        words = [word for line in lines for word in _words(line)]
        source = max(self._sources, key=lambda source: sum((word,) in source.in_prose for word in words))
        page = _Page(self._languages[language], source, key, self._first_of_prose)
        written = ("".join(page.line(line)) for line in lines)
        return [new if new.strip() else old for new, old in zip(written, lines, strict=True)]


class _Page:
    """A page that is written in a language."""

    def __init__(self, language: _Language, source: _Source, key: int, first_of_prose: int) -> None:
        self._language, self._source, self._key = language, source, key
        self._first_of_prose = first_of_prose
        self._signs = _SIGNS.get(language.name, {})
        self._joined = language.name in UNSPACED
        self._words: dict[str, str] = {}

    def line(self, line: str) -> Iterator[str]:
        """The pieces of a line."""
        words = list(_WORD.finditer(line))
        folded = [_folded(word.group()) for word in words]
        place, end, dropped = 0, 0, ""
        while place < len(words):
            size, concept = self._phrase(line, words, folded, place)
            start, begin = end, words[place].start()
            end = words[place + size - 1].end()
            between = line[start:begin]
            # a word that the language does not have is left out with its space, and leaves its capital
            yield self._between(between.removeprefix(" ") if dropped else between, inside=place > 0)
            text = line[begin:end].capitalize() if dropped[:1].isupper() else line[begin:end]
            found = self._wording(concept, text, place, whole=size == len(words))
            yield self._word(folded[place], text) if found is None else found
            dropped = text if found == "" else ""
            place += size
        yield self._between(line[end:], inside=False)

    def _phrase(
        self, line: str, words: Sequence[re.Match[str]], folded: Sequence[str], place: int
    ) -> tuple[int, int | None]:
        """How many words from a place on are a phrase, the most there are, and of which concept; one word of none."""
        source, count = self._source, len(words)
        first = place == 0 and (count <= _SHORT_LINE or words[1].group()[0].isupper())  # as in "By Ann"
        within = source.within if count <= _SHORT_LINE else source.in_prose
        for size in range(min(source.longest.get(folded[place], 0), count - place), 0, -1):
            known = source.alone if first or size == count else within
            concept = known.get(tuple(folded[place : place + size]))
            if concept is not None and all(
                _WITHIN(line[words[at].end() : words[at + 1].start()]) for at in range(place, place + size - 1)
            ):
                return size, concept
        return 1, None

    def _between(self, text: str, *, inside: bool) -> str:
        """What stands between words; inside: of a line."""
        if self._joined and inside and text == " ":
            return ""
        if inside and not text[-1:].isspace():
            return text  # the last sign is within an address

        def exchanged(sign: re.Match[str]) -> str:
            return self._signs.get(sign[1], sign[1]) + ("" if self._joined else sign[2])

        return _SIGN.sub(exchanged, text) if self._signs else text

    def _wording(self, concept: int | None, text: str, place: int, *, whole: bool) -> str | None:
        """What a phrase becomes, nothing for a word of prose that the language does not have, None for what is no
        phrase; place: of its first word; whole: where it is the line."""
        if concept is None:
            return None
        language, of_prose = self._language, concept >= self._first_of_prose
        wordings = language.wordings[concept]
        if not whole:  # "5 hours ago" has its own number
            wordings = [wording for wording in wordings if not any(map(str.isdigit, wording))] or wordings
        if not wordings:
            return "" if of_prose and not whole else None
        chosen = wordings[zlib.crc32(f"{self._key} {concept}".encode()) % len(wordings)]
        if not language.cased:
            return chosen
        if text.isupper() and len(text) > 1:
            return language.upper(chosen)
        if whole or (of_prose and place > 0):
            return chosen
        change = language.upper if text[0].isupper() else language.lower
        return change(chosen[0]) + chosen[1:]

    def _word(self, folded: str, text: str) -> str:
        """What any other word becomes."""
        language = self._language
        made = self._words.get(folded)
        if made is None:
            made = self._words[folded] = self._made_up(folded)
        if not language.cased or text.islower():
            return made
        return language.upper(made) if text.isupper() and len(text) > 1 else language.upper(made[0]) + made[1:]

    def _made_up(self, folded: str) -> str:
        drawn = zlib.crc32(f"{self._key} {folded}".encode())
        # up to a letter more at random, as lengths are whole and scales are not
        length = max(1, int(len(folded) * self._language.scale + drawn % 64 / 64))
        made = ""
        while len(made) < length:
            drawn = (drawn * 0x19660D + 0x3C6EF35F) % (1 << 32)
            made += self._language.pieces[(drawn >> 8) % len(self._language.pieces)]
        return made[:length]


def read_phrasebook(folder: Path) -> Phrasebook:
    """The phrases of a folder, a file `LANGUAGE.tsv` a language: the concept's name, which is its wording in English,
    then further wordings, parted by tabs.

    FileNotFoundError where there is no en.tsv; ValueError for a file whose concepts are not those of en.tsv in their
    order, naming file and line.
    """
    names: list[str] = []
    wordings: dict[str, list[Sequence[str]]] = {}
    english = folder / "en.tsv"
    for path in (english, *sorted({*folder.glob("*.tsv")} - {english})):
        rows = [
            (number, line.split("\t"))
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if line and not line.startswith("#")
        ]
        names = names or [row[0] for _, row in rows]
        for (number, row), name in zip(rows, names, strict=False):
            if row[0] != name:
                raise ValueError(f"{path}:{number}: {row[0]!r} where en.tsv has {name!r}")
        if len(rows) != len(names):
            raise ValueError(f"{path}: {len(rows)} concepts where en.tsv has {len(names)}")
        wordings[path.stem] = [row if path == english else row[1:] for _, row in rows]
    return Phrasebook(wordings, names.index(_FIRST_OF_PROSE))


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(_folded, _WORD.findall(text)))


def _folded(word: str) -> str:
    return word.casefold().replace("’", "'")


def _source(wordings: Sequence[Sequence[str]], first_of_prose: int) -> _Source:
    source = _Source({}, {}, {}, {})
    for concept, texts in enumerate(wordings):
        for words in filter(None, map(_words, texts)):
            source.alone.setdefault(words, concept)
            source.within[words] = concept
            if concept >= first_of_prose:
                source.in_prose[words] = concept
            source.longest[words[0]] = max(source.longest.get(words[0], 0), len(words))
    return source


def _language(name: str, wordings: Sequence[Sequence[str]], english: Sequence[Sequence[str]]) -> _Language:
    texts = [text for of_concept in wordings for text in of_concept]
    scripts = Counter(_script(letter) for text in texts for letter in text)
    language = _Language(name, wordings, (), 1.0, 4 * sum(text[0].isupper() for text in texts) > len(texts))
    # str.split(), as combining marks are no letters to regular expressions
    words = {language.lower(word) for text in texts for word in text.split()}
    pieces = [
        piece for piece in sorted({word[at : at + 2] for word in words for at in range(len(word) - 1)})
        if None not in {_script(letter) for letter in piece}
        and ("LATIN" not in map(_script, piece) or scripts["LATIN"] * 2 > scripts.total())
        and not unicodedata.category(piece[0]).startswith("M")
    ]  # fmt: skip
    both = [(some[0], of_english[0]) for some, of_english in zip(wordings, english, strict=True) if some]
    letters, english_letters = (sum(len("".join(text.split())) for text in some) for some in zip(*both, strict=True))
    return language._replace(pieces=pieces, scale=letters / english_letters)


def _script(letter: str) -> str | None:
    """The script of a letter or of a mark on one, None of a sign."""
    if unicodedata.category(letter)[0] not in "LM":
        return None
    return unicodedata.name(letter, " ").split(" ")[0]
