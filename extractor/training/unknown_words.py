"""Pages -> the same in unknown words: what a page looks like whose language no training page is in.

Networks learn from such pages too (delexicalised training, McDonald, Petrov and Hall 2011), so that they lean on layout
where words tell them nothing; and dumps read by hand are judged in unknown words beside their own.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from extractor.characters import Hashes
from extractor.training.derivation import LabelledView


def delexicalised_views(labelled: Iterable[LabelledView], one_of: int = 1, turn: int = 0) -> Iterator[LabelledView]:
    """The views, or one of so many, in every turn other ones, with their tokens exchanged for others, the same in every
    run; equal tokens of a page stay equal. In half of these views only half of the tokens are exchanged, in half the
    class names are too. They are of no page type: their words say nothing of it."""
    for one in labelled:
        key = zlib.crc32(one.view.tokens.tobytes(), zlib.crc32(f"{one.view.id}/{one.view.converter}".encode()))
        if (key + turn) % one_of == 0:
            yield _delexicalised(one, np.random.default_rng((key, turn)))


def _delexicalised(one: LabelledView, random: np.random.Generator) -> LabelledView:
    view = one.view
    some, cues_too = random.integers(2, size=2).tolist()
    cues = view.cue_tokens
    if cues is not None and cues_too:
        near, near_offsets, far, far_offsets = cues
        key = _key(random)
        cues = (near ^ key, near_offsets, far ^ key, far_offsets)
    tokens = _exchanged(view.tokens, random, some=bool(some))
    kinds = None if view.words_of_kind is None else tuple(words ^ _key(random) for words in view.words_of_kind)
    return replace(one, view=replace(view, tokens=tokens, cue_tokens=cues, words_of_kind=kinds, page_type=None))


def _exchanged(tokens: Hashes, random: np.random.Generator, *, some: bool) -> Hashes:
    key, drawn = _key(random), _key(random)
    exchanged: Hashes = tokens ^ key
    if not some:
        return exchanged
    chosen = ((tokens ^ drawn) * np.uint32(0x9E3779B1)) >> np.uint32(31)
    return np.where(chosen > 0, exchanged, tokens)


def _key(random: np.random.Generator) -> np.uint32:
    return np.uint32(random.integers(1, 1 << 32))


def in_unknown_words(text: str) -> str:
    """A text whose letters are exchanged, each kind (small Latin letters, ideographs, ...) among those of its kind that
    the text holds: words keep their lengths and capitals, equal words stay equal, and nothing else changes. Where a
    letter is a word, as in Chinese, its words are other ones, but not unknown.

    >>> in_unknown_words("Anna, 12:30")
    'Naan, 12:30'
    """
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for letter in {letter.lower() for letter in text if letter.isalpha()}:
        if len(letter) == 1 and letter.upper().lower() == letter:
            script = unicodedata.name(letter, "").split(" ")[0].split("-")[0]
            kinds[unicodedata.category(letter), script].append(letter)
    seed = zlib.crc32(text.encode("utf-8", "replace"))
    exchanged: dict[str, str] = {}
    for letters in kinds.values():
        # one after the other in an order that looks random: no letter stays, where there are two
        letters.sort(key=lambda letter: (zlib.crc32(f"{seed} {letter}".encode()), letter))
        exchanged |= zip(letters, [*letters[1:], letters[0]], strict=True)
    exchanged |= {small.upper(): other.upper() for small, other in exchanged.items() if small.upper() != small}
    return text.translate(str.maketrans("".join(exchanged), "".join(exchanged.values())))
