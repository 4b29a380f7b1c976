"""Short texts of web pages in many languages, and texts that look as if they were written in one of them.

training_data/phrases holds a file a language: what is printed on buttons and menus, above teasers and in bylines, and
the commonest words of prose, one concept a line. In a text of a language that is read, known phrases become those of
another, and all other words become made-up ones of its letters, as localisers test programs (pseudo-translation): what
changes with a language is what its pages can be told by, its script, the lengths of its words, whether it has capitals.
Phrases of a section can stand for each other: a page that says "Read also" becomes one that says "Most read".
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractor.characters import read_texts
from extractor.phrase_table import PhraseTable, tokens_of_phrase
from extractor.wording import line_tokens

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
PROSE_SECTIONS = frozenset(("dates", "words of prose"))
"""Sections whose phrases are looked for in prose too."""
EXCHANGED_SECTIONS = frozenset(("furniture", "topics", "what leads elsewhere", "headings"))
"""Sections whose phrases take each other's place: a page has few, and each is to be seen in every language."""
_AT_START = frozenset(("about the text", "what leads elsewhere"))
"""Sections whose phrases are known at the start of a line too: "By Ann", "Read also: Bridge closed"."""
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

    def forms(self, texts: Collection[str]) -> list[str]:
        """The texts as they may be written: Greek in capitals has no accents; where case is not folded as everywhere,
        in capitals, in small letters and with each word's first in capitals too."""
        if self.name == "el":
            return [*texts, *(unicodedata.normalize("NFD", text).replace("\u0301", "").upper() for text in texts)]
        if self.name not in _DOTLESS:
            return list(texts)
        titles = (" ".join(self.upper(word[0]) + self.lower(word[1:]) for word in text.split()) for text in texts)
        return [*texts, *map(self.upper, texts), *map(self.lower, texts), *titles]


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

    def __init__(self, wordings: Mapping[str, Sequence[Sequence[str]]], sections: Sequence[str]) -> None:
        """wordings: of each language, those of each concept, in the same order; none where a concept has none.
        sections: the section of each concept."""
        self._languages = {name: _language(name, some, wordings["en"]) for name, some in wordings.items()}
        self.languages = tuple(sorted(self._languages))
        self._sources = [_source(wordings[name], sections) for name in SOURCES if name in wordings]
        self._sections = sections

    def written_in(self, language: str, lines: Sequence[str], key: int) -> list[str]:
        """Lines of a page as if they were written in a language; no line becomes blank. Words that are no known phrase
        become the same made-up word wherever they stand. key: another one has other words and other wordings."""
        words = [word for line in lines for word in _words(line)]
        source = max(self._sources, key=lambda source: sum((word,) in source.in_prose for word in words))
        page = _Page(self._languages[language], source, key, self._sections)
        written = ("".join(page.line(line)) for line in lines)
        return [new if new.strip() else old for new, old in zip(written, lines, strict=True)]

    def table(self) -> PhraseTable:
        """By which tokens of a line each concept is known, in any language, but for those of prose: what reads alike
        in several languages is what it is in most of them."""
        votes: dict[int, Counter[int]] = {}
        shown = [concept for concept, section in enumerate(self._sections) if section not in PROSE_SECTIONS]
        for name in self.languages:
            language = self._languages[name]
            written = [(concept, form) for concept in shown for form in language.forms(language.wordings[concept])]
            tokens, offsets = line_tokens(read_texts(["\n".join(form for _, form in written)]))
            known_by = {
                (token, concept + 1)
                for (concept, _), (first, last) in zip(written, pairwise(offsets.tolist()), strict=True)
                for token in tokens_of_phrase(
                    tokens[first:last], at_start=self._sections[concept] in _AT_START and name not in UNSPACED
                )
            }
            for token, number in known_by:
                votes.setdefault(token, Counter())[number] += 1
        known = sorted(votes)
        numbers = [min(votes[token].items(), key=lambda item: (-item[1], item[0]))[0] for token in known]
        return PhraseTable(np.array(known, np.uint32), np.array(numbers, np.uint8))


class _Page:
    """A page that is written in a language."""

    def __init__(self, language: _Language, source: _Source, key: int, sections: Sequence[str]) -> None:
        self._language, self._source, self._key = language, source, key
        self._sections = sections
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
            whole = size == len(words) and not any(map(str.isdigit, line))
            if concept is not None and (whole or line[end:].lstrip().startswith(":")):
                concept = self._exchanged(concept)
            found = self._wording(concept, text, place, whole=whole)
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
        language, of_prose = self._language, self._sections[concept] in PROSE_SECTIONS
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

    def _exchanged(self, concept: int) -> int:
        """The concept, or on half of the pages another one of its section, the same one throughout the page."""
        section = self._sections[concept]
        drawn = zlib.crc32(f"{self._key} instead of {concept}".encode())
        if section not in EXCHANGED_SECTIONS or drawn & 1:
            return concept
        others = [at for at, other in enumerate(self._sections) if other == section and self._language.wordings[at]]
        return others[(drawn >> 1) % len(others)] if others else concept

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
    then further wordings, parted by tabs. In en.tsv a line `# SECTION` stands above the concepts of a section.

    FileNotFoundError where there is no en.tsv; ValueError for a file whose concepts are not those of en.tsv in their
    order, naming file and line.
    """
    english = folder / "en.tsv"
    concepts = _concepts(english)
    wordings: dict[str, list[Sequence[str]]] = {"en": [concept.row for concept in concepts]}
    for path in sorted({*folder.glob("*.tsv")} - {english}):
        found = _concepts(path)
        for concept, known in zip(found, concepts, strict=False):
            if concept.row[0] != known.row[0]:
                raise ValueError(f"{path}:{concept.line}: {concept.row[0]!r} where en.tsv has {known.row[0]!r}")
        if len(found) != len(concepts):
            raise ValueError(f"{path}: {len(found)} concepts where en.tsv has {len(concepts)}")
        wordings[path.stem] = [concept.row[1:] for concept in found]
    return Phrasebook(wordings, [concept.section for concept in concepts])


class _Concept(NamedTuple):
    """A line of a file of phrases, the section that it stands in, and its parts."""

    line: int
    section: str
    row: Sequence[str]


def _concepts(path: Path) -> list[_Concept]:
    found: list[_Concept] = []
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            section = line.removeprefix("#").strip()
        elif line:
            found.append(_Concept(number, section, line.split("\t")))
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(map(_folded, _WORD.findall(text)))


def _folded(word: str) -> str:
    return word.casefold().replace("’", "'")


def _source(wordings: Sequence[Sequence[str]], sections: Sequence[str]) -> _Source:
    source = _Source({}, {}, {}, {})
    for concept, texts in enumerate(wordings):
        for words in filter(None, map(_words, texts)):
            source.alone.setdefault(words, concept)
            source.within[words] = concept
            if sections[concept] in PROSE_SECTIONS:
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
