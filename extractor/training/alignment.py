"""Gold text, labelled text nodes and other versions of a page -> which of a page's lines they match.

Both sides are taken as sequences of tokens, and matched by their longest common subsequence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from rapidfuzz.distance import LCSseq

from extractor.characters import Integers

_TOKEN = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\u0e01-\u0e5b]|[^\W\u3041-\u30ff\u3400-\u9fff\u0e01-\u0e5b]+")
LARGEST = 400_000_000
"""Pairs of tokens above which two texts are not aligned: the matrix would not fit the memory."""


def tokenize(text: str) -> list[str]:
    """Words in lower case; an ideograph, a kana and a Thai letter is a word of its own."""
    return _TOKEN.findall(text.lower())


def tokens_of_lines(texts: Sequence[str]) -> tuple[list[str], Integers]:
    """All tokens of some lines and the line of each."""
    by_line = [tokenize(text) for text in texts]
    lines = np.repeat(np.arange(len(texts)), [len(tokens) for tokens in by_line]).astype(np.int64)
    return [token for tokens in by_line for token in tokens], lines


def match(left: Sequence[str], right: Sequence[str]) -> Integers:
    """For each token of `left` the index of the token of `right` it matches, or -1.

    >>> match(["a", "b", "c"], ["x", "b", "c"]).tolist()
    [-1, 1, 2]
    """
    matched = np.full(len(left), -1, np.int64)
    if not left or not right or len(left) * len(right) > LARGEST:
        return matched
    numbers = {token: number for number, token in enumerate(dict.fromkeys((*left, *right)))}
    for block in LCSseq.opcodes([numbers[t] for t in left], [numbers[t] for t in right]):
        if block.tag == "equal":
            matched[block.src_start : block.src_end] = np.arange(block.dest_start, block.dest_end)
    return matched


def matched_shares(texts: Sequence[str], gold: str) -> tuple[Integers, float]:
    """For each line the share of its tokens that the gold text matches, in percent (-1: no tokens), and the
    share of the gold's tokens that are matched."""
    tokens, lines = tokens_of_lines(texts)
    gold_tokens = tokenize(gold)
    hits = match(tokens, gold_tokens) >= 0
    counts = np.bincount(lines, minlength=len(texts))
    shares = np.bincount(lines, weights=hits, minlength=len(texts)) * 100 // np.maximum(counts, 1)
    shares[counts == 0] = -1
    return shares.astype(np.int64), float(hits.sum() / max(len(gold_tokens), 1))


def matched_lines(texts: Sequence[str], others: Sequence[str]) -> Integers:
    """For each line of `texts` the line of `others` that most of its tokens match, or -1."""
    tokens, lines = tokens_of_lines(texts)
    other_tokens, other_lines = tokens_of_lines(others)
    matched = match(tokens, other_tokens)
    hit = matched >= 0
    found = np.full(len(texts), -1, np.int64)
    if hit.any():
        pairs, votes = np.unique(lines[hit] * (len(others) + 1) + other_lines[matched[hit]], return_counts=True)
        order = np.argsort(votes, kind="stable")
        line = pairs[order] // (len(others) + 1)
        sizes = np.bincount(lines, minlength=len(texts))
        enough = votes[order] * 2 >= sizes[line]
        found[line[enough]] = pairs[order][enough] % (len(others) + 1)
    return found
