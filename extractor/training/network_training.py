"""Labelled views -> networks: the first stage of the classifier, and what it says of sites it was not trained on.

Fitted with PyTorch in floating point, then exported as whole numbers (network.py). The seed is fixed, and one thread
does it all: the same views give the same network on the same versions and processor family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from extractor.characters import Array, Bytes, Integers
from extractor.features import CLASS_NAMES
from extractor.network import EXACT, KINDS_AT_MOST, STATE, SWEPT, TAPS, WORD_NAMES, WORD_OUTPUTS, Block, Dense, Network
from extractor.training.columns import KIND_VALUED, read_of
from extractor.training.fitting import TRUST_IN_READING
from extractor.wording import WordingTable

WORD_BUCKETS = 1 << 16
WORD_STEPS = 63
"""Steps of a learned word weight to one; sums beyond 2 are cut, in training as in use."""
DILATIONS = (1, 2, 4)
EVERY = -1
"""Of the epochs that a page is learned from in."""
_LINES_A_BATCH = 6_000
_LONGEST_PAGE = 4_000
"""Lines; longer pages are left out of training, as they would fill a batch alone."""
_PAGES_SORTED = 400
_LEAST_SPREAD = 8.0
"""Steps of a column that count as one at least: what hardly ever differs would outweigh all else."""
_CALIBRATION_PAGES = 400


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How wide a network is, how long and how fast it learns, and what share of tokens, word outputs and channels is
    left out at random."""

    channels: int = 96
    epochs: int = 3
    rate: float = 0.003
    token_dropout: float = 0.1
    word_dropout: float = 0.5
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class NetworkPages:
    """What a network learns from. columns: (names, lines); tokens in runs by line (counts: of each line);
    classes, weights: of each line; lines, folds: of each page, and the epoch in which it is learned from, or EVERY."""

    names: tuple[str, ...]
    columns: Bytes
    tokens: NDArray[np.uint32]
    counts: NDArray[np.int32]
    classes: NDArray[np.int8]
    weights: NDArray[np.float32]
    lines: Integers
    folds: Integers
    epochs: Integers

    def of(self, pages: NDArray[np.bool_]) -> NetworkPages:
        """Some of the pages."""
        lines = np.repeat(pages, self.lines)
        return NetworkPages(
            self.names, self.columns[:, lines], self.tokens[np.repeat(lines, self.counts)], self.counts[lines],
            self.classes[lines], self.weights[lines], self.lines[pages], self.folds[pages], self.epochs[pages],
        )  # fmt: skip

    def and_those_of(self, others: Sequence[NetworkPages]) -> NetworkPages:
        """These pages, and after them all others, which have the same columns."""
        parts = [self, *others]
        columns = np.concatenate([part.columns for part in parts], axis=1)
        rest: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in self.__slots__[2:]
        }
        return replace(self, columns=columns, **rest)


def page_weights(lines: Integers, trust: NDArray[np.float64], read: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much each line counts, as for the trees: by trust, and long pages less than by their lines."""
    by_page = np.clip(np.sqrt(200 / np.maximum(np.repeat(lines, lines), 1)), 0.3, 2.0)
    weights: NDArray[np.float64] = trust * by_page * np.where(read, TRUST_IN_READING, 1.0)
    return weights


def fit_network(pages: NetworkPages, settings: NetworkSettings | None = None, seed: int = 0) -> Network:
    """A network of these pages, in whole numbers."""
    settings = settings or NetworkSettings()
    torch.set_num_threads(1)  # two would wait for each other longer than they work, where others work too
    torch.manual_seed(seed)
    inputs = _Inputs(pages)
    module = _Module(inputs, settings, seed)
    random = np.random.default_rng(seed)
    steps = sum(len(inputs.groups(np.random.default_rng(seed), epoch)) for epoch in range(settings.epochs))
    optimiser = torch.optim.Adam(module.parameters(), lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.rate, total_steps=int(steps * 1.1) + 50, pct_start=0.1
    )
    for epoch in range(settings.epochs):
        for group in inputs.groups(random, epoch):
            batch = inputs.batch(group)
            loss = functional.cross_entropy(module(batch), batch.classes, reduction="none")
            optimiser.zero_grad()
            ((loss * batch.weights).sum() / batch.weights.sum()).backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    module.eval()
    return _Export(module, inputs).network()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some pages: lines one after the other; places: where they stand, pages by lines; rows: the same as numbers."""

    columns: Any
    kinds: Any
    tokens: Any
    offsets: Any
    places: Any
    rows: Any
    classes: Any
    weights: Any


class _Inputs:
    """The pages as a network reads them."""

    def __init__(self, pages: NetworkPages) -> None:
        self.pages = pages
        sized = [pages.names.index(name) for name in read_of(pages.names) if name not in KIND_VALUED]
        self.kind_names = tuple(name for name in pages.names if name in KIND_VALUED)
        self.names = tuple(pages.names[row] for row in sized)
        self.sized = np.ascontiguousarray(pages.columns[sized].T)
        self.kinds = np.ascontiguousarray(pages.columns[[pages.names.index(name) for name in self.kind_names]].T)
        self.line_offsets = np.concatenate(([0], np.cumsum(pages.lines)))
        self.token_offsets = np.concatenate(([0], np.cumsum(pages.counts)))
        part = self.sized[:: max(1, len(self.sized) // 200_000)].astype(np.float32)
        self.mean, self.spread = part.mean(axis=0), np.maximum(part.std(axis=0), _LEAST_SPREAD)

    def groups(self, random: np.random.Generator, epoch: int) -> list[list[int]]:
        """All pages of an epoch in random order, those of like length together, in groups that are a batch each."""
        pages = self.pages
        chosen = (pages.lines > 0) & (pages.lines <= _LONGEST_PAGE) & np.isin(pages.epochs, (EVERY, epoch))
        order = random.permutation(np.flatnonzero(chosen))
        groups: list[list[int]] = []
        for first in range(0, len(order), _PAGES_SORTED):
            some = order[first : first + _PAGES_SORTED]
            group: list[int] = []
            for page in some[np.argsort(pages.lines[some], kind="stable")].tolist():
                if group and pages.lines[page] * (len(group) + 1) > _LINES_A_BATCH:
                    groups.append(group)
                    group = []
                group.append(page)
            groups.append(group)
        return [groups[place] for place in random.permutation(len(groups)).tolist()]

    def batch(self, pages: Sequence[int]) -> _Batch:
        """These pages."""
        bounds = [(int(self.line_offsets[page]), int(self.line_offsets[page + 1])) for page in pages]
        lines = np.concatenate([np.arange(first, last) for first, last in bounds])
        places = np.zeros((len(bounds), max(last - first for first, last in bounds)), bool)
        for row, (first, last) in enumerate(bounds):
            places[row, : last - first] = True
        tokens = np.concatenate(
            [self.pages.tokens[self.token_offsets[first] : self.token_offsets[last]] for first, last in bounds]
        )
        offsets = np.concatenate(([0], np.cumsum(self.pages.counts[lines])))
        return _Batch(
            torch.from_numpy((self.sized[lines] - self.mean) / self.spread),
            torch.from_numpy(self.kinds[lines].astype(np.int64) + np.arange(self.kinds.shape[1]) * KINDS_AT_MOST),
            torch.from_numpy((tokens & np.uint32(WORD_BUCKETS - 1)).astype(np.int64)),
            torch.from_numpy(offsets), torch.from_numpy(places), torch.from_numpy(np.flatnonzero(places)),
            torch.from_numpy(self.pages.classes[lines].astype(np.int64)), torch.from_numpy(self.pages.weights[lines]),
        )  # fmt: skip


class _Module(nn.Module):
    """The network in floating point; `seen` keeps what passes through it, when it is a list."""

    def __init__(self, inputs: _Inputs, settings: NetworkSettings, seed: int) -> None:
        super().__init__()
        channels = settings.channels
        self.words = nn.EmbeddingBag(WORD_BUCKETS, WORD_OUTPUTS, mode="sum", include_last_offset=True)
        nn.init.normal_(self.words.weight, 0, 0.05)
        self.kinds = nn.Embedding(KINDS_AT_MOST * max(len(inputs.kind_names), 1), channels)
        nn.init.zeros_(self.kinds.weight)
        self.reading = nn.Linear(len(inputs.names) + WORD_OUTPUTS, channels)
        self.understanding, self.page = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.swept = min(SWEPT, channels // 2)
        self.sweep, self.sweep_norm = nn.Linear(2 * self.swept, channels), nn.BatchNorm1d(channels)
        self.taps = nn.ParameterList(
            nn.Parameter(torch.empty(TAPS, channels).uniform_(-1, 1) * TAPS**-0.5) for _ in DILATIONS
        )
        self.dense = nn.ModuleList(nn.Linear(channels, channels) for _ in DILATIONS)
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(2 + len(DILATIONS)))
        self.deciding = nn.Linear(channels, len(CLASS_NAMES))
        random = np.random.default_rng(seed)
        self.token_dropout = _Dropout(settings.token_dropout, random)
        self.word_dropout, self.dropout = (
            _Dropout(share, random) for share in (settings.word_dropout, settings.dropout)
        )
        self.seen: list[tuple[str, Any]] | None = None

    def forward(self, batch: _Batch) -> Any:
        """Log-odds, (lines, classes)."""
        lengths = (batch.offsets[1:] - batch.offsets[:-1]).clamp(min=1).float()
        # a token that is left out counts for nothing, those kept for more
        kept = self.token_dropout(torch.ones(len(batch.tokens)))
        words = (self.words(batch.tokens, batch.offsets, per_sample_weights=kept) * lengths.rsqrt()[:, None]).clamp(
            -2.0, 2.0
        )
        sums = self.reading(torch.cat([batch.columns, self.word_dropout(words)], 1))
        if batch.kinds.shape[1]:
            sums = sums + self.kinds(batch.kinds).sum(1)
        read = self._note("read", functional.relu(self.norms[0](sums)))
        own = self._note("state", functional.relu(self.norms[1](self.understanding(self.dropout(read)))))
        mean = _in_pages(own, batch).sum(1) / batch.places.sum(1)[:, None]
        largest = _of_lines(_largest(_in_pages(own[:, : self.swept], batch)), batch)
        swept = functional.relu(self.sweep_norm(self.sweep(largest)))
        of_page = functional.relu(self.page(mean)).index_select(0, batch.rows // batch.places.shape[1])
        state = self._note("state", own + of_page + self.dropout(swept))
        for taps, dilation, dense, norm in zip(self.taps, DILATIONS, self.dense, self.norms[2:], strict=True):
            seen = self._note("seen", _of_lines(_Taps.apply(_in_pages(state, batch), taps, dilation), batch))
            state = self._note("state", state + self.dropout(functional.relu(norm(dense(seen)))))
        return self.deciding(state)

    def _note(self, name: str, values: Any) -> Any:
        if self.seen is not None:
            self.seen.append((name, values.abs().max(0).values.detach().numpy()))
        return values


def _in_pages(values: Any, batch: _Batch) -> Any:
    """(lines, channels) -> (pages, lines of the longest, channels), 0 where a page has no more lines."""
    pages = values.new_zeros(batch.places.numel(), values.shape[1]).index_copy(0, batch.rows, values)
    return pages.view(*batch.places.shape, values.shape[1])


def _of_lines(values: Any, batch: _Batch) -> Any:
    """(pages, lines of the longest, channels) -> (lines, channels)."""
    return values.view(-1, values.shape[2]).index_select(0, batch.rows)


class _Dropout(nn.Module):
    """As nn.Dropout, with shares in steps of 1/256, which take a tenth of the time to draw."""

    def __init__(self, share: float, random: np.random.Generator) -> None:
        super().__init__()
        self._left_out, self._random = round(share * 256), random

    def forward(self, values: Any) -> Any:
        """The values; in training some are 0, and the others larger."""
        if not self.training or not self._left_out:
            return values
        drawn = np.frombuffer(self._random.bytes(values.numel()), np.uint8)
        factors = (drawn >= self._left_out) * np.float32(256 / (256 - self._left_out))
        return values * torch.from_numpy(factors.reshape(values.shape))


class _Taps(torch.autograd.Function):
    """A depthwise convolution as sums of shifted states, in a third of the time of nn.Conv1d."""

    @staticmethod
    def forward(ctx: Any, state: Any, taps: Any, dilation: int) -> Any:
        """(pages, lines, channels), (TAPS, channels) -> (pages, lines, channels); beyond the edges all is 0."""
        ctx.save_for_backward(state, taps)
        ctx.dilation = dilation
        return _tapped(state, taps, dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients of state and taps."""
        (state, taps), (gradient,) = ctx.saved_tensors, gradients
        of_taps = [
            (gradient[:, to] * state[:, of]).sum((0, 1))
            for to, of in (_shift(tap, ctx.dilation, state.shape[1]) for tap in range(TAPS))
        ]
        return _tapped(gradient, taps.flip(0), ctx.dilation), torch.stack(of_taps), None


def _tapped(state: Any, taps: Any, dilation: int) -> Any:
    found = state * taps[TAPS // 2]
    for tap in range(TAPS):
        if tap != TAPS // 2:
            to, of = _shift(tap, dilation, state.shape[1])
            found[:, to] += state[:, of] * taps[tap]
    return found


def _shift(tap: int, dilation: int, lines: int) -> tuple[slice, slice]:
    """To which lines of a page a tap adds, and from which lines."""
    away = (tap - TAPS // 2) * dilation
    of = slice(max(away, 0), max(lines + min(away, 0), 0))
    return slice(max(-away, 0), max(lines - max(away, 0), 0)), of


def _largest(state: Any) -> Any:
    """As Network has it: (pages, lines, channels) -> the largest values above, then below; no value is below 0."""
    nothing = torch.zeros_like(state[:, :1])
    above = torch.cat([nothing, torch.cummax(state, 1).values[:, :-1]], 1)
    below = torch.cummax(state.flip(1), 1).values.flip(1)
    return torch.cat([above, torch.cat([below[:, 1:], nothing], 1)], 2)


class _Export:
    """A trained module as whole numbers: what passes through it is measured on some pages, and parted in steps."""

    def __init__(self, module: _Module, inputs: _Inputs) -> None:
        self._module, self._inputs = module, inputs
        self._read, self._state, self._seen = self._steps()

    def _steps(self) -> tuple[Array, Array, list[Array]]:
        """What one step is worth, by channel: of a line as read, of the state, and of what each block sees."""
        found: list[list[tuple[str, Array]]] = []
        chosen = np.random.default_rng(0).permutation(len(self._inputs.pages.lines))[:_CALIBRATION_PAGES].tolist()
        with torch.no_grad():
            for page in chosen:
                if 0 < self._inputs.pages.lines[page] <= _LONGEST_PAGE:
                    self._module.seen = []
                    self._module(self._inputs.batch([page]))
                    found.append(self._module.seen)
        self._module.seen = None
        named = [[values for name, values in page if name == "seen"] for page in found]
        seen = [_highest([page[block] for page in named]) / STATE for block in range(len(DILATIONS))]
        largest = {
            name: _highest([values for page in found for noted, values in page if noted == name])
            for name in ("read", "state")
        }
        return largest["read"] / STATE, largest["state"] / STATE, seen

    def network(self) -> Network:
        """The network in whole numbers."""
        module, inputs = self._module, self._inputs
        weights, bias = _folded(module.reading, module.norms[0])
        factor = np.concatenate([1.0 / inputs.spread, np.full(WORD_OUTPUTS, 1.0 / WORD_STEPS)])
        middle = np.concatenate([inputs.mean, np.full(WORD_OUTPUTS, 127.5)])
        reading_weights = weights * factor[:, None]
        by_kind = self._kind_weights()
        beside = sum((np.abs(weights).max(axis=0) for weights in by_kind.values()), start=np.zeros(weights.shape[1]))
        reading, unit = _dense(reading_weights, bias - middle @ reading_weights, self._read, 255, beside)
        kinds = {name: np.rint(weights / unit).astype(np.float32) for name, weights in by_kind.items()}
        understood, understood_bias = _folded(module.understanding, module.norms[1])
        understanding, _ = _dense(understood * self._read[:, None], understood_bias, self._state, STATE)
        page_weights_, page_bias = _folded(module.page)
        page, _ = _dense(page_weights_ * self._state[:, None], page_bias, self._state, STATE)
        swept, swept_bias = _folded(module.sweep, module.sweep_norm)
        sweep, _ = _dense(swept * np.tile(self._state[: module.swept], 2)[:, None], swept_bias, self._state, STATE)
        decided, decided_bias = _folded(module.deciding)
        deciding, _ = _dense(decided * self._state[:, None], decided_bias, np.ones(len(CLASS_NAMES)), STATE)
        blocks = tuple(self._block(number) for number in range(len(DILATIONS)))
        words = np.clip(np.rint(module.words.weight.detach().numpy() * WORD_STEPS), -127, 127).astype(np.int8)
        names = (*inputs.names, *WORD_NAMES)
        return Network(names, WordingTable(words), reading, kinds, understanding, page, sweep, blocks, deciding)

    def _kind_weights(self) -> dict[str, Array]:
        norm: Any = self._module.norms[0]
        factor = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy().astype(np.float64)
        weights = self._module.kinds.weight.detach().numpy() * factor
        return {
            name: weights[number * KINDS_AT_MOST : (number + 1) * KINDS_AT_MOST]
            for number, name in enumerate(self._inputs.kind_names)
        }

    def _block(self, number: int) -> Block:
        taps = self._module.taps[number].detach().numpy() * self._state
        unit = np.maximum(np.abs(taps).max(axis=0), 1e-9) / 127
        weights, bias = _folded(self._module.dense[number], self._module.norms[2 + number])
        dense, _ = _dense(weights * self._seen[number][:, None], bias, self._state, STATE)
        return Block(
            DILATIONS[number], np.rint(taps / unit).astype(np.float32),
            (unit / self._seen[number]).astype(np.float32), dense,
        )  # fmt: skip


def _highest(values: Sequence[Array]) -> Array:
    """The largest value of each channel, but for the highest of two hundred pages."""
    largest: Array = np.maximum(np.quantile(np.stack(values), 0.995, axis=0), 1e-3)
    return largest


def _folded(linear: Any, norm: Any = None) -> tuple[Array, Array]:
    """Weights, (inputs, outputs), and bias of a dense layer, with the batch norm after it."""
    weights, bias = linear.weight.detach().numpy().T.astype(np.float64), linear.bias.detach().numpy().astype(float)
    if norm is None:
        return weights, bias
    factor = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy().astype(np.float64)
    mean, added = norm.running_mean.numpy(), norm.bias.detach().numpy()
    return weights * factor, (bias - mean) * factor + added


def _dense(
    weights: Array, bias: Array, steps: Array, largest: int, beside: Array | float = 0.0
) -> tuple[Dense, Array]:  # fmt: skip
    """A dense layer in whole numbers, and what a unit of its sums is worth. weights: of one step of each input;
    steps: of each output; largest: value of an input; beside: the most that is added to a sum."""
    # no sum, whatever the inputs, leaves what float32 holds exactly; rounding may add half a unit to each weight
    most = np.maximum(np.abs(weights).sum(axis=0), 1e-6) * largest + beside
    unit = most / (EXACT - largest * len(weights) / 2 - 8)
    whole = np.rint(weights / unit).astype(np.float32)
    return Dense(whole, (unit / steps).astype(np.float32), (bias / steps).astype(np.float32)), unit
