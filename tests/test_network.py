"""The network: one result for a line whatever stands around its page, in whole numbers that float32 holds exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from extractor.features import OWN_NAMES
from extractor.network import STATE, WORD_NAMES, Dense, Network
from random_models import random_network


def columns_of(random: np.random.Generator, lines: int) -> dict[str, np.ndarray]:
    return {name: random.integers(0, 256, lines, np.uint8) for name in (*OWN_NAMES, *WORD_NAMES)}


def part(columns: dict[str, np.ndarray], first: int, last: int) -> dict[str, np.ndarray]:
    return {name: column[first:last] for name, column in columns.items()}


@pytest.fixture(scope="module")
def network() -> Network:
    return random_network(np.random.default_rng(7), OWN_NAMES)


def test_a_page_is_judged_the_same_alone_and_among_others(network: Network) -> None:
    sizes = [1, 300, 3, 0, 5_000, 40, 2_100, 7]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    columns = columns_of(np.random.default_rng(1), int(offsets[-1]))
    together = network.scores(columns, offsets)
    for first, last in itertools.pairwise(offsets.tolist()):
        if last > first:
            alone = network.scores(part(columns, first, last), np.array([0, last - first]))
            assert np.array_equal(alone, together[:, first:last])
    assert together.std() > 0


def test_a_line_is_judged_by_lines_as_far_as_all_blocks_reach_and_by_its_page(network: Network) -> None:
    columns = columns_of(np.random.default_rng(2), 60)
    before = network.scores(columns, np.array([0, 60]))
    changed = {name: column.copy() for name, column in columns.items()}
    for column in changed.values():
        column[30] ^= 255
    moved = (network.scores(changed, np.array([0, 60])) != before).any(axis=0)
    assert moved[30 - 2 : 30 + 3].all()
    other_page = network.scores(changed, np.array([0, 30, 60]))[:, :30]
    assert np.array_equal(other_page, network.scores(columns, np.array([0, 30, 60]))[:, :30])


def test_sums_are_whole_and_exact() -> None:
    random = np.random.default_rng(3)
    inputs = random.integers(0, STATE + 1, (64, 64)).astype(np.float32)
    weights = random.integers(-250, 250, (64, 64)).astype(np.float32)
    layer = Dense(weights, np.ones(64, np.float32), np.zeros(64, np.float32))
    assert np.array_equal(layer.apply(inputs), inputs.astype(np.int64) @ weights.astype(np.int64))


def test_it_comes_back_from_its_arrays(network: Network) -> None:
    again = Network.of_arrays(network.arrays())
    columns, offsets = columns_of(np.random.default_rng(4), 50), np.array([0, 20, 50])
    assert np.array_equal(again.scores(columns, offsets), network.scores(columns, offsets))


def test_kinds_are_stored_as_far_as_they_are_known(network: Network) -> None:
    unknown = network._replace(kinds={**network.kinds, "first_class": np.zeros_like(network.kinds["first_class"])})
    assert network.arrays()["kind_rows"].tolist() == [200, 200]
    assert unknown.arrays()["kind_rows"].tolist() == [0, 200]
    for one in (network, unknown):
        again = Network.of_arrays(one.arrays())
        assert all(np.array_equal(again.kinds[name], weights) for name, weights in one.kinds.items())


@pytest.mark.parametrize("rows", [[200, 199], [200, 201], [0, 400], [400], [200, 100, 100]])
def test_kinds_that_are_not_as_many_as_said_are_refused(network: Network, rows: list[int]) -> None:
    with pytest.raises(ValueError, match=r"fit|negative|shorter|longer"):
        Network.of_arrays(network.arrays() | {"kind_rows": np.array(rows)})


@pytest.mark.parametrize("missing", ["names", "words", "page.weights", "block1.taps"])
def test_arrays_that_lack_a_part_are_refused(network: Network, missing: str) -> None:
    arrays = network.arrays()
    del arrays[missing]
    with pytest.raises(KeyError, match=missing):
        Network.of_arrays(arrays)


def test_layers_that_do_not_fit_are_refused(network: Network) -> None:
    arrays = network.arrays() | {"reading.weights": np.zeros((3, 8), np.int32)}
    with pytest.raises(ValueError, match="do not fit"):
        Network.of_arrays(arrays)


def test_the_largest_values_above_and_below_reach_over_the_whole_page(network: Network) -> None:
    nothing = network.page._replace(weights=np.zeros_like(network.page.weights))
    network, lines = network._replace(page=nothing), 200
    columns = {name: np.repeat(column, lines) for name, column in columns_of(np.random.default_rng(5), 1).items()}
    before = network.scores(columns, np.array([0, lines]))
    for place, far in ((0, lines - 1), (lines - 1, 0)):
        changed = {name: column.copy() for name, column in columns.items()}
        for column in changed.values():
            column[place] ^= 255
        assert not np.array_equal(network.scores(changed, np.array([0, lines]))[:, far], before[:, far])
