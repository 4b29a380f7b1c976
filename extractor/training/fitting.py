"""Rows and labels -> what the model consists of: tables of word weights, stages of symmetric trees, calibration.

scikit-learn fits the linear tables, CatBoost the trees; both are exported to plain integer arrays.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from catboost import CatBoostClassifier, Pool
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from extractor.characters import Array, Bytes, Hashes, Integers, sum_runs
from extractor.classifier import Stage
from extractor.features import CLASS_NAMES
from extractor.forest import DEPTH, LEAF_VALUES, LEAVES, Forest
from extractor.kinds import (
    KIND_NAMES,
    KIND_STEPS,
    KIND_WEIGHT_STEPS,
    KINDS,
    UNKNOWN_BUCKETS,
    KindTable,
    KindWeights,
    is_known,
    known_words,
    word_levels,
)
from extractor.wording import WordingTable

WEIGHT_STEPS = 32
"""Steps of a stored word weight to one unit of log-odds."""
KIND_STRENGTH = 50.0
"""Inverse of the L2 penalty on what words say of kinds."""
SITES_OF_WORD = 3
"""A word that fewer sites have says nothing of kinds."""
_WITHOUT_WORDS = 8
"""One of so many pages is learned from once more as if none of its words were known, as in another language."""
KIND_WEIGHTS_STRENGTH = 0.1
"""The same on what the scores of kinds, in log-odds, say of kinds."""
TRUST_IN_READING = 3.0
"""A line read by hand counts so many times one whose label was derived."""
_NEVER = -50.0
"""Log-odds of a class that was not seen in training."""
THREADS = 2
"""Fixed: the order of sums in CatBoost, and with it the last bits of a model, follow from it."""


def length_factors(lines: Integers) -> NDArray[np.float64]:
    """What a line of a page of so many lines counts: a long page counts for less than by its lines."""
    factors: NDArray[np.float64] = np.clip(np.sqrt(200 / np.maximum(lines, 1)), 0.3, 2.0)
    return factors


def fit_table(
    tokens: Array, offsets: Integers, labels: Integers, weights: NDArray[np.float64], buckets: int, strength: float
) -> WordingTable:
    """Weights of hashed tokens, by multinomial logistic regression on lines of unit length.

    tokens in runs by line; labels: indices into CLASS_NAMES; strength: inverse of the L2 penalty.
    """
    counts = np.diff(offsets)
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    columns = (tokens & np.uint32(buckets - 1)).astype(np.int32)
    rows = csr_matrix((values, columns, offsets), shape=(len(counts), buckets))
    rows.sum_duplicates()
    model = LogisticRegression(C=strength, max_iter=40, tol=1e-3, solver="lbfgs")
    model.fit(rows, labels, sample_weight=weights)
    found = np.zeros((buckets, len(CLASS_NAMES)))
    found[:, model.classes_] = _of_each_class(model.coef_).T
    found -= found.mean(axis=1, keepdims=True)
    return WordingTable(np.clip(np.rint(found * WEIGHT_STEPS), -127, 127).astype(np.int8))


def fit_kind_table(
    parts: Sequence[tuple[Hashes, Integers]], kinds: Integers, sites: Integers, buckets: int
) -> KindTable:
    """Weights of the hashed words of pages, by multinomial logistic regression on vectors of unit length, one for each
    part of a page; parts: words in runs by page; kinds: indices into KINDS, one a page; sites: a number each."""
    known = known_words(_words_of_sites(parts, sites))
    rows = csr_matrix((len(kinds), buckets))
    for words, offsets in parts:
        columns, levels, bounds = word_levels(words, offsets, buckets, is_known(known))
        lengths = np.repeat(np.sqrt(np.maximum(sum_runs(levels * levels, bounds), 1)), np.diff(bounds))
        rows += csr_matrix((levels / lengths, columns, bounds), shape=(len(kinds), buckets + UNKNOWN_BUCKETS))[
            :, :buckets
        ]
    model = LogisticRegression(C=KIND_STRENGTH, max_iter=80, tol=1e-3, solver="lbfgs").fit(rows, kinds)
    found = np.zeros((buckets, len(KINDS)))
    found[:, model.classes_] = _of_each_class(model.coef_).T
    return KindTable(np.clip(np.rint(found * KIND_STEPS), -127, 127).astype(np.int8), known)


def _words_of_sites(parts: Sequence[tuple[Hashes, Integers]], sites: Integers) -> Hashes:
    """The words that SITES_OF_WORD sites have at least."""
    keys = [
        words.astype(np.int64) << 32 | np.repeat(np.unique(sites, return_inverse=True)[1], np.diff(offsets))
        for words, offsets in parts
    ]
    words, counts = np.unique(np.unique(np.concatenate(keys)) >> 32, return_counts=True)
    found: Hashes = words[counts >= SITES_OF_WORD].astype(np.uint32)
    return found


def fit_kind_weights(columns: Bytes, kinds: Integers) -> KindWeights:
    """How much the columns of one of KIND_COLUMNS, (columns, pages), speak for each kind, by multinomial logistic
    regression; kinds: indices into KINDS. Kinds that no page is of stay so unlikely that they are never chosen."""
    seen, codes = np.unique(kinds, return_inverse=True)
    found = np.zeros((len(KINDS), len(columns) + 1))
    found[:, -1] = _NEVER
    found[seen] = 0.0
    if len(seen) > 1:
        rows = (columns.T.astype(float) - 128) / KIND_STEPS
        without_words = rows[::_WITHOUT_WORDS].copy()
        without_words[:, : len(KIND_NAMES)] = 0.0
        model = LogisticRegression(C=KIND_WEIGHTS_STRENGTH, max_iter=1_000, solver="lbfgs").fit(
            np.concatenate((rows, without_words)), np.concatenate((codes, codes[::_WITHOUT_WORDS]))
        )
        fitted = np.column_stack((model.coef_ / KIND_STEPS, model.intercept_))
        found[seen] = _of_each_class(fitted)
    return KindWeights(np.rint(found * KIND_WEIGHT_STEPS).astype(np.int32))


def _of_each_class(fitted: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a logistic regression has fitted, one row a class: of two classes it has the second alone."""
    return fitted if len(fitted) > 1 else np.concatenate((-fitted, fitted)) / 2


def fit_stage(
    columns: Bytes, names: Sequence[str], labels: Integers, weights: NDArray[np.float64], *,
    trees: int, rate: float, seed: int, start: NDArray[np.float64] | None = None,
) -> Stage:  # fmt: skip
    """Symmetric trees on 8-bit columns, (names, rows); only the columns that a tree asks for are kept.

    Classes that no label is of stay so unlikely that they are never chosen. start: scores, (classes, rows), that
    the trees are to be added to; they learn what is missing.
    """
    seen, codes = np.unique(labels, return_inverse=True)
    if len(seen) < 2:
        raise ValueError("the training pages are all of one kind: there is nothing to learn from them")
    model = CatBoostClassifier(
        iterations=trees, depth=DEPTH, learning_rate=rate, loss_function="MultiClass", classes_count=len(seen),
        border_count=64, l2_leaf_reg=6.0, bootstrap_type="Bernoulli", subsample=0.66, rsm=0.3,
        thread_count=THREADS, random_seed=seed, verbose=0, allow_writing_files=False,
    )  # fmt: skip
    baseline = None if start is None else np.ascontiguousarray(start[seen].T)
    model.fit(Pool(np.ascontiguousarray(columns.T, np.float32), codes, weight=weights, baseline=baseline))
    return export_stage(model, names, seen)


def export_stage(model: CatBoostClassifier, names: Sequence[str], seen: Integers) -> Stage:
    """A CatBoost model of symmetric trees as a Stage, its leaves rounded to 12 bits; seen: its classes' numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        document = json.loads(path.read_text())
    trees = document["oblivious_trees"]
    features = np.zeros((len(trees), DEPTH), np.int32)
    thresholds = np.full((len(trees), DEPTH), 255, np.uint8)  # a question that is never answered yes
    leaves = np.zeros((len(trees), LEAVES, len(CLASS_NAMES)))
    for number, tree in enumerate(trees):
        for place, split in enumerate(tree["splits"] or ()):
            features[number, place] = split["float_feature_index"]
            thresholds[number, place] = int(split["border"])
        values = np.array(tree["leaf_values"]).reshape(-1, len(seen))
        leaves[number, : len(values), seen] = values.T
    scale, bias = document["scale_and_bias"]
    full_bias = np.full(len(CLASS_NAMES), _NEVER)
    full_bias[seen] = bias if len(bias) else 0.0
    used, rows = np.unique(features, return_inverse=True)
    forest = quantise_leaves(rows.reshape(features.shape).astype(np.int32), thresholds, leaves * scale, full_bias)
    return Stage(tuple(names[column] for column in used), forest)


def silent_stage(name: str) -> Stage:
    """A stage that says nothing: for what the training pages hold no example of. name: any column."""
    leaves, bias = np.zeros((1, LEAVES, len(CLASS_NAMES)), np.uint16), np.zeros(len(CLASS_NAMES))
    nothing = Forest(np.zeros((1, DEPTH), np.int32), np.full((1, DEPTH), 255, np.uint8), leaves, 1.0, bias)
    return Stage((name,), nothing)


def quantise_leaves(features: NDArray[np.int32], thresholds: Bytes, leaves: Array, bias: Array) -> Forest:
    """A forest whose leaf values are rounded to LEAF_VALUES equal steps."""
    floor = leaves.min()
    scale = float((leaves.max() - floor) / (LEAF_VALUES - 1)) or 1.0
    steps = np.rint((leaves - floor) / scale).astype(np.uint16)
    return Forest(features, thresholds, steps, scale, np.asarray(bias, float) + floor * len(leaves))


def fit_calibration(
    scores: NDArray[np.float64], labels: Integers, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slope and intercept for each class's score, (classes, rows), that make the likelihood largest."""
    classes = len(scores)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = scores * parameters[:classes, None] + parameters[classes:, None]
        logits = logits - logits.max(axis=0)
        odds = np.exp(logits)
        shares = odds / odds.sum(axis=0)
        error = shares.copy()
        error[labels, np.arange(len(labels))] -= 1.0
        error *= weights / weights.sum()
        value = -(weights * np.log(np.maximum(shares[labels, np.arange(len(labels))], 1e-12))).sum() / weights.sum()
        return value, np.concatenate(((error * scores).sum(axis=1), error.sum(axis=1)))

    start: Any = np.concatenate((np.ones(classes), np.zeros(classes)))
    best = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return best[:classes], best[classes:]
