"""A network in floating point -> the same in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from extractor.characters import Array
from extractor.features import CLASS_NAMES
from extractor.network import EXACT, KINDS_AT_MOST, STATE, WORD_NAMES, WORD_OUTPUTS, Block, Dense, Network
from extractor.training.network_batches import LONGEST_PAGE, Batches
from extractor.training.network_module import NetworkModule
from extractor.wording import WordingTable

WORD_STEPS = 63
"""Steps of a learned word weight to one; sums beyond 2 are cut, in training as in use."""
_CALIBRATION_PAGES = 400


def exported(module: NetworkModule, batches: Batches) -> Network:
    """A trained module in whole numbers: what passes through it is measured on some pages, and parted in steps."""
    return _Export(module, batches).network()


class _Export:
    def __init__(self, module: NetworkModule, batches: Batches) -> None:
        self._module, self._batches = module, batches
        self._read, self._state, self._seen = self._steps()

    def _steps(self) -> tuple[Array, Array, list[Array]]:
        """What one step is worth, by channel: of a line as read, of the state, and of what each block sees."""
        found: list[list[tuple[str, Array]]] = []
        chosen = np.random.default_rng(0).permutation(len(self._batches.pages.lines))[:_CALIBRATION_PAGES].tolist()
        with torch.no_grad():
            for page in chosen:
                if 0 < self._batches.pages.lines[page] <= LONGEST_PAGE:
                    self._module.seen = []
                    self._module(self._batches.batch([page]))
                    found.append(self._module.seen)
        self._module.seen = None
        named = [[values for name, values in page if name == "seen"] for page in found]
        seen = [_highest([page[block] for page in named]) / STATE for block in range(len(self._module.dilations))]
        largest = {
            name: _highest([values for page in found for noted, values in page if noted == name])
            for name in ("read", "state")
        }
        return largest["read"] / STATE, largest["state"] / STATE, seen

    def network(self) -> Network:
        """The network in whole numbers."""
        module, batches = self._module, self._batches
        weights, bias = _folded(module.reading, module.norms[0])
        factor = np.concatenate([1.0 / batches.spread, np.full(WORD_OUTPUTS, 1.0 / WORD_STEPS)])
        middle = np.concatenate([batches.mean, np.full(WORD_OUTPUTS, 127.5)])
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
        blocks = tuple(self._block(number) for number in range(len(module.dilations)))
        words = np.clip(np.rint(module.words.weight.detach().numpy() * WORD_STEPS), -127, 127).astype(np.int8)
        names = (*batches.names, *WORD_NAMES)
        return Network(names, WordingTable(words), reading, kinds, understanding, page, sweep, blocks, deciding)

    def _kind_weights(self) -> dict[str, Array]:
        norm: Any = self._module.norms[0]
        factor = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().numpy().astype(np.float64)
        weights = self._module.kinds.weight.detach().numpy() * factor
        return {
            name: weights[number * KINDS_AT_MOST : (number + 1) * KINDS_AT_MOST]
            for number, name in enumerate(self._batches.kind_names)
        }

    def _block(self, number: int) -> Block:
        taps = self._module.taps[number].detach().numpy() * self._state
        unit = np.maximum(np.abs(taps).max(axis=0), 1e-9) / 127
        weights, bias = _folded(self._module.dense[number], self._module.norms[2 + number])
        dense, _ = _dense(weights * self._seen[number][:, None], bias, self._state, STATE)
        return Block(
            self._module.dilations[number], np.rint(taps / unit).astype(np.float32),
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
