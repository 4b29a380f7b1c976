"""Counts and shares -> 8-bit columns. Integers only, so that a value never depends on the batch around it."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

import numpy as np

from extractor.characters import Array, Bytes

STEPS_PER_DOUBLING = 16
_LARGEST = 1 << 16


def logarithm(counts: Array) -> Bytes:
    """16 steps for each doubling of 1 + count, 0 for 0 or less, at most 255 (from 65,535 on)."""
    found: Bytes = _logarithms().take(counts, mode="clip")
    return found


def share(part: Array, whole: Array) -> Bytes:
    """255 x part / whole, rounded down; 0 where the whole is 0."""
    # a quotient of whole numbers below 2**53 is never rounded up to the next whole number
    shares = part.astype(np.float64)
    shares *= 255
    shares /= np.maximum(whole, 1)
    return _bytes(shares)


def capped(counts: Array) -> Bytes:
    """The count itself, from 0 up to 255."""
    return _bytes(counts)


def _bytes(values: Array) -> Bytes:
    # for the lines of one page half the time of np.clip()
    return np.minimum(np.maximum(values, 0), 255).astype(np.uint8)


@lru_cache(maxsize=1)
def _logarithms() -> Bytes:
    borders = [ceil(2 ** (step / STEPS_PER_DOUBLING) - 1e-9) for step in range(1, 256)]
    return np.repeat(np.arange(256, dtype=np.uint8), np.diff([1, *borders, _LARGEST + 1]))
