"""The network in floating point, as PyTorch fits it: what extractor/network.py computes in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from extractor.features import CLASS_NAMES
from extractor.network import KINDS_AT_MOST, SWEPT, TAPS, WORD_OUTPUTS
from extractor.training.network_batches import WORD_BUCKETS, Batch


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How wide a network is, how many lines apart the lines are that each block looks at, how long and how fast it
    learns, and what share of tokens, word outputs and channels is left out at random."""

    channels: int = 96
    dilations: tuple[int, ...] = (1, 2, 4)
    epochs: int = 3
    rate: float = 0.003
    token_dropout: float = 0.1
    word_dropout: float = 0.5
    dropout: float = 0.2


class NetworkModule(nn.Module):
    """The network of so many columns of sizes and of kinds; `seen` keeps what passes through it, when it is a list."""

    def __init__(self, sizes: int, kinds: int, settings: NetworkSettings, random: np.random.Generator) -> None:
        super().__init__()
        channels, self.dilations = settings.channels, settings.dilations
        self.words = nn.EmbeddingBag(WORD_BUCKETS, WORD_OUTPUTS, mode="sum", include_last_offset=True)
        nn.init.normal_(self.words.weight, 0, 0.05)
        self.kinds = nn.Embedding(KINDS_AT_MOST * max(kinds, 1), channels)
        nn.init.zeros_(self.kinds.weight)
        self.reading = nn.Linear(sizes + WORD_OUTPUTS, channels)
        self.understanding, self.page = nn.Linear(channels, channels), nn.Linear(channels, channels)
        self.swept = min(SWEPT, channels // 2)
        self.sweep, self.sweep_norm = nn.Linear(2 * self.swept, channels), nn.BatchNorm1d(channels)
        self.taps = nn.ParameterList(
            nn.Parameter(torch.empty(TAPS, channels).uniform_(-1, 1) * TAPS**-0.5) for _ in self.dilations
        )
        self.dense = nn.ModuleList(nn.Linear(channels, channels) for _ in self.dilations)
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(2 + len(self.dilations)))
        self.deciding = nn.Linear(channels, len(CLASS_NAMES))
        shares = settings.token_dropout, settings.word_dropout, settings.dropout
        self.token_dropout, self.word_dropout, self.dropout = (_Dropout(share, random) for share in shares)
        self.seen: list[tuple[str, Any]] | None = None

    def forward(self, batch: Batch) -> Any:
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
        of_page = functional.relu(self.page(mean)).index_select(0, batch.cells // batch.places.shape[1])
        state = self._note("state", own + of_page + self.dropout(swept))
        for taps, dilation, dense, norm in zip(self.taps, self.dilations, self.dense, self.norms[2:], strict=True):
            seen = self._note("seen", _of_lines(_Taps.apply(_in_pages(state, batch), taps, dilation), batch))
            state = self._note("state", state + self.dropout(functional.relu(norm(dense(seen)))))
        return self.deciding(state)

    def _note(self, name: str, values: Any) -> Any:
        if self.seen is not None:
            self.seen.append((name, values.abs().max(0).values.detach().numpy()))
        return values


def _in_pages(values: Any, batch: Batch) -> Any:
    """(lines, channels) -> (pages, lines of the longest, channels), 0 where a page has no more lines."""
    pages = values.new_zeros(batch.places.numel(), values.shape[1]).index_copy(0, batch.cells, values)
    return pages.view(*batch.places.shape, values.shape[1])


def _of_lines(values: Any, batch: Batch) -> Any:
    """(pages, lines of the longest, channels) -> (lines, channels)."""
    return values.view(-1, values.shape[2]).index_select(0, batch.cells)


class _Dropout(nn.Module):
    """As nn.Dropout, in a tenth of its time, as a byte is drawn for each value: the share is a multiple of 1/256."""

    def __init__(self, share: float, random: np.random.Generator) -> None:
        super().__init__()
        self._left_out, self._random = round(share * 256), random
        if not 0 <= self._left_out < 256:
            raise ValueError(f"a share of {share} to leave out")

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
