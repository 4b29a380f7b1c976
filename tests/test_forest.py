from __future__ import annotations

import numpy as np
import pytest

from extractor.forest import DEPTH, LEAF_VALUES, LEAVES, MOST_TREES, Forest
from random_models import random_forest


def score(forest: Forest, line: list[int]) -> list[float]:
    """The definition, one tree and one question at a time."""
    classes = forest.leaves.shape[2]
    totals = [0] * classes
    for tree in range(len(forest.features)):
        leaf = 0
        for question in range(DEPTH):
            if line[forest.features[tree, question]] > forest.thresholds[tree, question]:
                leaf |= 1 << question
        for number in range(classes):
            totals[number] += int(forest.leaves[tree, leaf, number])
    return [total * forest.scale + float(bias) for total, bias in zip(totals, forest.bias, strict=True)]


@pytest.mark.parametrize("classes", [1, 3, 4, 5, 7])
@pytest.mark.parametrize("trees", [1, 40])
def test_scores_equal_the_definition(trees: int, classes: int) -> None:
    random = np.random.default_rng(trees + classes)
    forest = random_forest(random, columns=9, trees=trees, classes=classes)
    columns = random.integers(0, 256, (9, 50), np.uint8)
    expected = [score(forest, line) for line in columns.T.tolist()]
    assert forest.scores(columns).T.tolist() == expected


def test_sums_do_not_overflow_at_their_largest() -> None:
    random = np.random.default_rng(1)
    forest = random_forest(random, columns=3, trees=MOST_TREES)
    full = Forest(forest.features, forest.thresholds, np.full_like(forest.leaves, LEAF_VALUES - 1), 1.0, np.zeros(5))
    assert (full.scores(np.zeros((3, 2), np.uint8)) == MOST_TREES * (LEAF_VALUES - 1)).all()


def test_scores_do_not_depend_on_the_batch() -> None:
    random = np.random.default_rng(2)
    forest = random_forest(random, columns=20, trees=300)
    columns = random.integers(0, 256, (20, 3000), np.uint8)
    whole = forest.scores(columns)
    for size in (1, 7, 1000):
        parts = [forest.scores(columns[:, first : first + size]) for first in range(0, 300, size)]
        found = np.concatenate(parts, axis=1)
        assert np.array_equal(found, whole[:, : found.shape[1]])


def test_no_lines() -> None:
    forest = random_forest(np.random.default_rng(3), columns=3, trees=2)
    assert forest.scores(np.zeros((3, 0), np.uint8)).shape == (5, 0)


def test_a_forest_of_wrong_parts_is_refused() -> None:
    forest = random_forest(np.random.default_rng(4), columns=3, trees=2)
    parts = (forest.features, forest.thresholds, forest.leaves)
    with pytest.raises(ValueError, match="unequal parts"):
        Forest(parts[0][:1], *parts[1:], 1.0, forest.bias)
    with pytest.raises(ValueError, match="unequal parts"):
        Forest(parts[0], parts[1], parts[2][:, : LEAVES // 2], 1.0, forest.bias)
    with pytest.raises(ValueError, match="12 bits"):
        Forest(*parts[:2], np.full_like(parts[2], LEAF_VALUES), 1.0, forest.bias)
    many = [np.repeat(part, MOST_TREES, axis=0) for part in parts]
    with pytest.raises(ValueError, match=f"more than {MOST_TREES} trees"):
        Forest(many[0], many[1], many[2], 1.0, forest.bias)
