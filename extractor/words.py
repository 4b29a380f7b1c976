"""Characters of a batch -> its words: where they stand, and a hash of each (case folded, digits as 0)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractor.characters import Hashes, Integers

LONGEST_WORD = 64
"""Characters after this many do not count for a word's hash."""
_MULTIPLIER = 0x01000193
_STRETCH = 1 << 14
"""Characters that are weighed by the powers of the multiplier before these begin anew: so many stay in the cache."""
_BITS = 32


class Words(NamedTuple):
    """Of each word: the place of its first character, its length, its hash."""

    start: Integers
    length: Integers
    hash: Hashes


def read_words(
    letters: Hashes, inside: NDArray[np.bool_], alone: NDArray[np.bool_], anew: NDArray[np.bool_] | None
) -> Words:
    """The words of a text. Of each character: what it counts for in a hash, whether it is part of a word, whether it is
    one by itself, and whether one begins with it in any case; the last character must be none of a word."""
    before = np.zeros(len(inside) + 1, bool)
    before[1:] = inside
    if anew is not None or alone.any():
        first, last = inside > before[:-1], inside.copy()
        if anew is not None:
            first |= inside & anew
        first[1:] |= inside[1:] & (alone[1:] | alone[:-1])
        last[:-1] = first[1:] | (inside[:-1] > inside[1:])
        last &= inside
        starts, ends = np.flatnonzero(first), np.flatnonzero(last) + 1
    else:
        edges = np.flatnonzero(inside != before[:-1])
        starts, ends = edges[::2], edges[1::2]
    return Words(starts, ends - starts, mix(_sums(letters, starts, np.minimum(ends, starts + LONGEST_WORD))))


def mix(hashes: Hashes) -> Hashes:
    """Spread 32-bit hashes over all their bits (the finaliser of MurmurHash3)."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def _sums(letters: Hashes, starts: Integers, ends: Integers) -> Hashes:
    """For each word the sum of letter times multiplier ** (place in the word + 1), modulo 2 ** 32.

    Letters are weighed by their place in the text, running totals taken, and the power of a word's first place
    divided out of it, which a multiplication does as the multiplier is odd.
    """
    powers, inverse = _powers()
    totals = np.zeros(len(letters) + 1, np.uint32)
    weighed = totals[1:]
    whole = len(letters) // _STRETCH * _STRETCH
    np.multiply(letters[:whole].reshape(-1, _STRETCH), powers, out=weighed[:whole].reshape(-1, _STRETCH))
    np.multiply(letters[whole:], powers[: len(letters) - whole], out=weighed[whole:])
    np.cumsum(weighed, dtype=np.uint32, out=weighed)
    sums: Hashes = totals.take(ends) - totals.take(starts)
    sums *= inverse.take(starts & (_STRETCH - 1))
    borders = np.arange(_STRETCH, len(letters), _STRETCH)
    over = np.searchsorted(starts, borders) - 1  # the last words that begin before a border
    over = over[(over >= 0) & (ends[over] > borders)] if len(starts) else over[:0]
    if over.size:
        places = starts[over, None] + np.arange(LONGEST_WORD)
        held = np.where(places < ends[over, None], letters.take(places, mode="clip"), np.uint32(0))
        sums[over] = (held * powers[:LONGEST_WORD]).sum(axis=1, dtype=np.uint32)
    return sums


@lru_cache(maxsize=1)
def _powers() -> tuple[Hashes, Hashes]:
    """multiplier ** (place + 1) for each place in a stretch, and multiplier ** -place, modulo 2 ** 32."""
    powers = np.cumprod(np.full(_STRETCH, _MULTIPLIER, np.uint32), dtype=np.uint32)
    inverse = np.cumprod(np.full(_STRETCH, pow(_MULTIPLIER, -1, 1 << _BITS), np.uint32), dtype=np.uint32)
    return powers, np.concatenate((np.ones(1, np.uint32), inverse[:-1]))
