"""Fitting a network: the same one each time, and in whole numbers what it was in floating point."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the network extra: pip install 'extractor[network]'")

import torch
from torch.nn import functional

from extractor.network import TAPS, WORD_NAMES
from extractor.training.network_batches import Batches
from extractor.training.network_module import NetworkModule, NetworkSettings, _Dropout, _Taps
from extractor.training.network_pages import EVERY, NetworkPages, page_weights
from extractor.training.network_training import fit_network

NAMES = ("weight", "prose", "first_class")
LINES = np.full(60, 25)


@pytest.fixture(scope="module")
def pages() -> NetworkPages:
    """Lines whose class follows from a column (long or not), a kind and a token, and from the line above."""
    random = np.random.default_rng(0)
    lines = int(LINES.sum())
    columns = random.integers(0, 256, (3, lines), np.uint8)
    columns[2] %= 4
    tokens = random.integers(0, 50, lines * 3).astype(np.uint32)
    classes = np.where(columns[0] > 128, 1, np.where(columns[2] == 3, 2, np.where((tokens[::3] & 1) == 1, 3, 4)))
    weights = page_weights(LINES, np.ones(lines), np.zeros(lines, bool))
    each, zeros = np.full(lines, 3, np.int32), np.zeros(len(LINES), np.int64)
    return NetworkPages(NAMES, columns, tokens, each, classes.astype(np.int8), weights, LINES, zeros, zeros + EVERY)


def scored(network, pages: NetworkPages, names: tuple[str, ...] = NAMES) -> np.ndarray:
    columns = dict(zip(names, pages.columns, strict=True))
    offsets = np.concatenate(([0], np.cumsum(pages.counts)))
    columns |= network.word_columns(pages.tokens, offsets)
    return network.scores(columns, np.concatenate(([0], np.cumsum(pages.lines))))


def test_it_learns_sizes_kinds_and_words(pages: NetworkPages) -> None:
    network = fit_network(pages, NetworkSettings(epochs=20, rate=0.02, word_dropout=0.0, dropout=0.0))
    assert (scored(network, pages).argmax(axis=0) == pages.classes).mean() > 0.9


def test_the_same_pages_give_the_same_network(pages: NetworkPages) -> None:
    first, second = (fit_network(pages, NetworkSettings(epochs=1)).arrays() for _ in range(2))
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_first_line_is_read_of_dumps_alone(pages: NetworkPages) -> None:
    beside = ("first_line_recall", "first_class")
    named = [replace(pages, names=(name, *beside)) for name in ("weight", "title_precision")]
    of_dumps, of_html = (fit_network(one, NetworkSettings(epochs=1)) for one in named)
    assert "first_line_recall" in of_dumps.names
    assert "first_line_recall" not in of_html.names
    assert scored(of_html, pages, named[1].names).shape == (5, LINES.sum())


def test_pages_of_one_draw_stand_beside_those_of_every_one(pages: NetworkPages) -> None:
    draws = np.arange(len(LINES)) % 3 - 1
    batches = Batches(replace(pages, draw=draws))
    for draw in (0, 1):
        chosen = sorted(chain.from_iterable(batches.groups(np.random.default_rng(0), draw)))
        assert chosen == np.flatnonzero((draws == EVERY) | (draws == draw)).tolist()


def test_each_epoch_learns_from_another_draw(pages: NetworkPages, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[int] = []
    groups = Batches.groups
    monkeypatch.setattr(Batches, "groups", lambda *given: learned.append(given[2]) or groups(*given))
    fit_network(replace(pages, draw=np.arange(len(LINES)) % 3 - 1), NetworkSettings(epochs=4))
    assert learned[-4:] == [0, 1, 0, 1]


def test_pages_of_a_batch_are_judged_each_by_itself(pages: NetworkPages) -> None:
    lines = np.array([3, 25, 1, 7])
    some = replace(pages.of(LINES < 0), lines=lines, folds=lines * 0, draw=lines * 0)
    some = replace(some, **{name: getattr(pages, name)[: lines.sum()] for name in ("counts", "classes", "weights")})
    some = replace(some, columns=pages.columns[:, : lines.sum()], tokens=pages.tokens[: 3 * lines.sum()])
    batches = Batches(some)
    torch.manual_seed(0)
    module = NetworkModule(len(batches.names), len(batches.kind_names), NetworkSettings(), np.random.default_rng(0))
    module.eval()
    with torch.no_grad():
        together = module(batches.batch([0, 1, 2, 3]))
        alone = torch.cat([module(batches.batch([page])) for page in range(4)])
    assert together.shape == (lines.sum(), 5)
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_share_is_left_out_in_training_and_the_mean_stays() -> None:
    dropout, ones = _Dropout(0.25, np.random.default_rng(0)), torch.ones(100, 100)
    first, second = dropout(ones), dropout(ones)
    assert abs(float((first == 0).float().mean()) - 0.25) < 0.02
    assert abs(float(first.mean()) - 1.0) < 0.03
    assert not torch.equal(first, second)
    assert torch.equal(dropout.eval()(ones), ones)
    with pytest.raises(ValueError, match="share of 1"):
        _Dropout(1.0, np.random.default_rng(0))


def test_pages_in_parts_are_the_same_pages(pages: NetworkPages) -> None:
    first = np.arange(len(LINES)) < 20
    joined = pages.of(first).and_those_of([pages.of(~first), pages.of(~first & first)])
    assert all(np.array_equal(getattr(joined, name), getattr(pages, name)) for name in pages.__slots__)


@pytest.mark.parametrize("lines", [1, 2, 5, 40])
@pytest.mark.parametrize("dilation", [1, 4])
def test_taps_are_a_depthwise_convolution(lines: int, dilation: int) -> None:
    state, taps = (torch.rand(shape, dtype=torch.double, requires_grad=True) for shape in ((3, lines, 8), (TAPS, 8)))
    weights, away = taps.T[:, None], TAPS // 2 * dilation
    convolved = functional.conv1d(state.transpose(1, 2), weights, padding=away, dilation=dilation, groups=8)
    assert torch.allclose(_Taps.apply(state, taps, dilation), convolved.transpose(1, 2))
    assert torch.autograd.gradcheck(_Taps.apply, (state, taps, dilation))


def test_no_sum_can_leave_what_float32_holds_exactly(pages: NetworkPages) -> None:
    network = fit_network(pages, NetworkSettings(epochs=1))
    inputs = np.abs(network.reading.weights).sum(axis=0) * 255
    kinds = sum(np.abs(weights).max(axis=0) for weights in network.kinds.values())
    assert (inputs + kinds).max() < 1 << 24
    for layer in (network.understanding, network.page, network.deciding, *(block.dense for block in network.blocks)):
        assert (np.abs(layer.weights).sum(axis=0) * 1023).max() < 1 << 24
    assert set(WORD_NAMES) <= set(network.names)
