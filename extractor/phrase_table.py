"""Lines -> which of some well-known phrases they are, in any of many languages: "Read also" or "Les også".

What sites print on menus, in bylines and above teasers is the same few things everywhere. A network that sees which of
them a line is need not have seen its wording. Phrases are known by the tokens of wording.line_tokens(): a line as a
whole, and for some of them its first word or its first two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Hashes, Integers, run_lengths
from extractor.wording import words_of_run

PHRASE_NAMES = ("phrase", "first_phrase")
"""Columns of the number of the phrase that a line is, and of the one that it begins with; 0 for none."""


class PhraseTable:
    """Tokens in ascending order, uint32, and for each the number of its phrase, uint8, from 1 on."""

    __slots__ = ("phrases", "tokens")

    def __init__(self, tokens: NDArray[np.uint32], phrases: NDArray[np.uint8]) -> None:
        if tokens.shape != phrases.shape or tokens.dtype != np.uint32 or phrases.dtype != np.uint8:
            raise ValueError(f"a table of phrases of shapes {tokens.shape} and {phrases.shape}")
        if (tokens[1:] <= tokens[:-1]).any() or not phrases.all():
            raise ValueError("a table of phrases that is not in order, or has one without a number")
        self.tokens, self.phrases = tokens, phrases

    @classmethod
    def none(cls) -> PhraseTable:
        """A table that knows no phrase."""
        return cls(np.zeros(0, np.uint32), np.zeros(0, np.uint8))

    def columns(self, tokens: Hashes, offsets: Integers) -> Bytes:
        """The columns of PHRASE_NAMES, (2, lines), from the tokens of lines in runs."""
        counts = run_lengths(offsets)
        words = words_of_run(counts)
        last = offsets[1:] - 1
        found = np.zeros((len(PHRASE_NAMES), len(counts)), np.uint8)
        found[0] = self._numbers(tokens.take(last))
        longer = np.flatnonzero(words > 1)
        found[1, longer] = self._numbers(tokens.take(last[longer] - 2))
        longer = np.flatnonzero(words > 2)
        pairs = self._numbers(tokens.take(offsets[longer] + words[longer]))
        found[1, longer] = np.where(pairs > 0, pairs, found[1, longer])
        return found

    def _numbers(self, tokens: Hashes) -> Bytes:
        if not len(self.tokens):
            return np.zeros(len(tokens), np.uint8)
        places = np.minimum(np.searchsorted(self.tokens, tokens), len(self.tokens) - 1)
        numbers: Bytes = np.where(self.tokens.take(places) == tokens, self.phrases.take(places), np.uint8(0))
        return numbers


def tokens_of_phrase(tokens: Hashes, *, at_start: bool) -> list[int]:
    """By which tokens a phrase is known, of all tokens of its line; at_start: also where more follows it, if it is of
    one word or two."""
    words = words_of_run(len(tokens))
    found = [int(tokens[-1])]
    if at_start and words == 1:
        found.append(int(tokens[-3]))
    elif at_start and words == 2:
        found.append(int(tokens[words]))
    return found
