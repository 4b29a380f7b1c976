"""A table of words (or class names) and labelled lines of one's own -> the table with weights for what it did not know.

Only tokens of which the table has no opinion are learned: the names, phrases and whole lines of a site. What all
other pages are judged by stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from extractor.characters import Array, Integers
from extractor.training.derivation import LabelledView, Tables
from extractor.training.fitting import WEIGHT_STEPS
from extractor.wording import WordingTable

STRENGTH = 2.0
"""Inverse of the L2 penalty, as of the whole tables (derivation.TABLE_STRENGTH)."""
NO_OPINION = 2
"""Weights up to here, in steps, are none."""
_LINES_OF_A_PAGE = 64.0
"""Class names: a page counts as so many lines at most, by the square root of its number of lines."""
_ITERATIONS = 30


def tune_tables(tables: Tables, labelled: Sequence[LabelledView], weight: float) -> Tables:
    """The tables with what the labelled views teach them; weight: how much a line counts beside one that the tables
    were learned from. A line that stands many times counts by the square root of its copies."""
    chosen = [one for one in labelled if len(one.classes)]
    if not chosen:
        return tables
    tokens = np.concatenate([one.view.tokens for one in chosen])
    counts = np.concatenate([np.diff(one.view.token_offsets) for one in chosen])
    whole_lines = tokens[np.cumsum(counts) - 1]
    _, line, copies = np.unique(whole_lines, return_inverse=True, return_counts=True)
    classes = np.concatenate([one.classes for one in chosen])
    read = np.concatenate([one.read for one in chosen])
    words = tune(tables.words, tokens, counts, classes, weight * read * copies[line] ** -0.5)
    return Tables(words, _tuned_cues(tables, chosen, weight), tables.networks)


def _tuned_cues(tables: Tables, labelled: Sequence[LabelledView], weight: float) -> WordingTable:
    rows = [(one, one.view.cue_tokens) for one in labelled if one.view.cue_tokens is not None]
    if not rows:
        return tables.cues
    tokens, counts = [], []
    for _, (near, near_offsets, far, far_offsets) in rows:
        tokens += [_by_line(near, near_offsets, far, far_offsets)]
        counts += [np.diff(near_offsets) + np.diff(far_offsets)]
    weights = [one.read * (_LINES_OF_A_PAGE / len(one.classes)) ** 0.5 for one, _ in rows]
    classes = np.concatenate([one.classes for one, _ in rows])
    return tune(tables.cues, np.concatenate(tokens), np.concatenate(counts), classes, weight * np.concatenate(weights))


def _by_line(near: Array, near_offsets: Integers, far: Array, far_offsets: Integers) -> Array:
    """Near and far tokens of each line in one run."""
    lines = [np.repeat(np.arange(len(runs) - 1), np.diff(runs)) for runs in (near_offsets, far_offsets)]
    tokens: Array = np.concatenate([near, far])[np.argsort(np.concatenate(lines), kind="stable")]
    return tokens


def tune(
    table: WordingTable, tokens: Array, counts: Integers, classes: Integers, weights: NDArray[np.float64]
) -> WordingTable:
    """A table whose weights of unknown tokens make the classes of the lines likely, on top of what is known.

    tokens in runs by line, counts: of each line; classes, weights: of each line. Multinomial logistic regression on
    lines of unit length, started from, and penalised for leaving, the weights that are there.
    """
    used, columns = np.unique(tokens & np.uint32(len(table.weights) - 1), return_inverse=True)
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts)
    rows = csr_matrix((values, columns, np.concatenate(([0], np.cumsum(counts)))), shape=(len(counts), len(used)))
    known = table.weights[used].astype(float) / WEIGHT_STEPS
    unknown = np.flatnonzero(abs(table.weights[used].astype(int)).max(axis=1) <= NO_OPINION)
    if not len(unknown):
        return table
    learned = _regress(rows[:, unknown], rows @ known, classes, weights)
    found = table.weights.copy()
    steps = np.rint((known[unknown] + learned) * WEIGHT_STEPS)
    found[used[unknown]] = np.clip(steps, -127, 127).astype(np.int8)
    return WordingTable(found)


def _regress(
    rows: Any, start: NDArray[np.float64], classes: Integers, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights, (columns, classes), to be added; what the classes are in general is not put down to tokens."""
    columns, number = rows.shape[1], start.shape[1]
    wanted = np.eye(number)[classes]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        added = parameters[:-number].reshape(columns, number)
        logits = start + rows @ added + parameters[-number:]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        value = -(weights * np.log(np.maximum((shares * wanted).sum(axis=1), 1e-12))).sum()
        error = (shares - wanted) * weights[:, None]
        gradient = np.concatenate(((rows.T @ error + added / STRENGTH).ravel(), error.sum(axis=0)))
        return float(value + (added**2).sum() / (2 * STRENGTH)), gradient

    options = {"maxiter": _ITERATIONS}
    best = minimize(loss, np.zeros(columns * number + number), jac=True, method="L-BFGS-B", options=options).x
    learned: NDArray[np.float64] = best[:-number].reshape(columns, number)
    return learned
