"""A forest and a line's columns -> what each column adds to the line's scores, compared with the lines of its page.

Shapley values (Shapley 1953), computed exactly, with the page's other lines as what a column could have been
instead (Štrumbelj and Kononenko 2010; "interventional" in Lundberg et al. 2020, from local explanations to global
understanding with explainable AI for trees). They sum to the difference between the line's score and the mean
score of the page's lines. In a symmetric tree of six questions all 64 sets of questions can be gone through.
"""

from __future__ import annotations

from itertools import product
from math import factorial

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.forest import DEPTH, LEAVES, Forest

Scores = NDArray[np.float64]
_PLACES = 1 << np.arange(DEPTH)


def shapley_values(forest: Forest, columns: Bytes, line: int) -> tuple[Scores, Scores]:
    """The mean scores of all lines, (classes), and what each column adds for one of them, (rows, classes).

    columns: (rows, lines), as Forest.scores() takes them. Both together sum to the line's scores.
    """
    answers = (columns[forest.features] > forest.thresholds[:, :, None]).astype(np.int64)
    leaf = (answers * _PLACES[:, None]).sum(axis=1)
    trees = np.arange(len(leaf))
    shares = np.zeros((len(leaf), LEAVES))
    np.add.at(shares, (trees[:, None], leaf), 1.0 / columns.shape[1])
    players = _players(forest.features)
    base = forest.bias + forest.scale * np.einsum("tl,tlc->c", shares, forest.leaves)
    values = np.zeros((len(columns), forest.leaves.shape[2]))
    weights = _weights()
    for tree in trees.tolist():
        worth = _worth(forest.leaves[tree], int(leaf[tree, line]), shares[tree], players[tree])
        np.add.at(values, forest.features[tree], forest.scale * (weights @ worth))
    return base, values


def _players(features: NDArray[np.int32]) -> Integers:
    """For each question of a tree the first question that asks the same column, (trees, DEPTH): they go together."""
    same: Integers = (features[:, :, None] == features[:, None, :]).argmax(axis=2)
    return same


def _worth(leaves: NDArray[np.uint16], own: int, shares: Scores, players: Integers) -> Scores:
    """For each set of players, (sets, classes), the mean leaf value when the set answers for the line itself and
    every other question is answered as on the page's lines; shares: of these in each leaf."""
    sets = np.arange(LEAVES)[:, None]
    chosen = (sets & _PLACES[players] > 0) @ _PLACES
    met = np.flatnonzero(shares)
    there = (own & chosen)[:, None] | (met & ~chosen[:, None])
    worth: Scores = np.einsum("slc,l->sc", leaves[there].astype(float), shares[met])
    return worth


def _weights() -> Scores:
    """What the worth of each set shares for each player, (players, sets): the Shapley formula."""
    weights = np.zeros((DEPTH, LEAVES))
    for player, members in product(range(DEPTH), range(LEAVES)):
        others = (members & ~(1 << player)).bit_count()
        share = factorial(others) * factorial(DEPTH - 1 - others) / factorial(DEPTH)
        weights[player, members] = share if members >> player & 1 else -share
    return weights
