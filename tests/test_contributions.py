"""Contributions are Shapley values: they sum to the score, and agree with the definition."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from extractor.contributions import shapley_values
from extractor.forest import Forest
from random_models import random_forest


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("lines", [1, 2, 40])
def test_base_and_contributions_sum_to_the_score(random: np.random.Generator, lines: int) -> None:
    forest = random_forest(random, 30, 24)
    columns = random.integers(0, 256, (30, lines), np.uint8)
    scores = forest.scores(columns)
    for line in range(0, lines, 7):
        base, values = shapley_values(forest, columns, line)
        np.testing.assert_allclose(base + values.sum(axis=0), scores[:, line], atol=1e-9)
        np.testing.assert_allclose(base, scores.mean(axis=1), atol=1e-9)


def test_they_are_the_mean_over_all_orders_in_which_columns_become_known(random: np.random.Generator) -> None:
    """The definition, on one tree that asks three columns, two of them twice or more."""
    whole = random_forest(random, 3, 1)
    forest = Forest(np.array([[0, 1, 2, 1, 0, 1]], np.int32), whole.thresholds, whole.leaves, whole.scale, whole.bias)
    columns = random.integers(0, 256, (3, 9), np.uint8)
    wanted = np.zeros((3, forest.leaves.shape[2]))
    orders = list(permutations(range(3)))
    for order in orders:
        mixed = columns.copy()
        before = forest.scores(mixed).mean(axis=1)
        for column in order:
            mixed[column] = columns[column, 4]
            after = forest.scores(mixed).mean(axis=1)
            wanted[column] += (after - before) / len(orders)
            before = after
    np.testing.assert_allclose(shapley_values(forest, columns, 4)[1], wanted, atol=1e-9)


def test_a_column_that_no_tree_asks_or_that_is_the_same_everywhere_adds_nothing(random: np.random.Generator) -> None:
    forest = random_forest(random, 5, 8)
    columns = random.integers(0, 256, (7, 12), np.uint8)
    columns[2] = 90
    values = shapley_values(forest, columns, 0)[1]
    assert abs(values[[2, 5, 6]]).max() < 1e-12
    assert abs(values[[0, 1, 3, 4]]).max() > 1e-3
