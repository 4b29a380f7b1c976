"""Columns of lines -> what a small convolutional network thinks of each: the first stage of the classifier.

Two dense layers read a line alone. What its page's mean says is added, and what the largest values above it and
below it say: that somewhere above a heading of comments stands, say. Blocks of depthwise and pointwise convolution
(Chollet 2017) look at the lines around, farther from block to block. All sums are of whole numbers small enough
for float32 to hold exactly, so that what is thought of a line depends on its page alone and on no batch, thread or
matrix library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers
from extractor.wording import WordingTable, table_of

KINDS_AT_MOST = 256
"""Kinds that a column of 8 bits may hold."""
STATE = 1023
"""Largest value of what passes from layer to layer."""
EXACT = (1 << 24) - 1
"""Whole numbers up to here are exact in float32."""
TAPS = 5
SWEPT = 32
"""Channels whose largest values above and below are looked at; half of them, where a network has fewer than 64."""
_ROWS = 16
"""Lines multiplied at once: so few that no matrix library starts threads for them."""
_LINES_AT_ONCE = 128 * _ROWS

WORD_OUTPUTS = 16
WORD_NAMES = tuple(f"word_{output}" for output in range(WORD_OUTPUTS))
"""Columns of what the words of a line say, by a network's own table."""

Floats = NDArray[np.float32]


class Dense(NamedTuple):
    """Whole weights, (inputs, outputs), and for each output the worth of a unit of the sum, and what is added."""

    weights: Floats
    scale: Floats
    bias: Floats

    def apply(self, inputs: Floats) -> Floats:
        """(lines, inputs) -> (lines, outputs); lines: a multiple of _ROWS."""
        return self.worth(self.sums(inputs))

    def sums(self, inputs: Floats) -> Floats:
        """The whole sums of weighted inputs, which may stand column by column in memory as well as row by row."""
        sums: Floats = np.matmul(inputs.reshape(-1, _ROWS, inputs.shape[1]), self.weights)
        return sums.reshape(len(inputs), self.weights.shape[1])

    def worth(self, sums: Floats) -> Floats:
        """What sums are worth, in place."""
        sums *= self.scale
        sums += self.bias
        return sums


class Block(NamedTuple):
    """Depthwise taps, (TAPS, channels), `dilation` lines apart, the worth of their sums, and a dense layer."""

    dilation: int
    taps: Floats
    scale: Floats
    dense: Dense

    def apply(self, state: Floats) -> Floats:
        """The state of some lines, (lines, channels), as it is after the block; beyond the edges all is 0."""
        seen = state * self.taps[TAPS // 2]
        product = np.empty_like(state)
        for away in range(1, TAPS // 2 + 1):
            shift = away * self.dilation
            np.multiply(state, self.taps[TAPS // 2 - away], out=product)
            seen[shift:] += product[:-shift]
            np.multiply(state, self.taps[TAPS // 2 + away], out=product)
            seen[:-shift] += product[shift:]
        seen *= self.scale
        found = _whole(self.dense.apply(_whole(seen, -STATE, STATE)), 0, STATE)
        found += state
        return np.clip(found, 0, STATE, out=found)  # faster than np.minimum


class Network(NamedTuple):
    """Reads columns by name; the columns of WORD_NAMES among them are what `words` gives the tokens of a line.
    kinds: columns whose values are kinds, not sizes, each with weights, (KINDS_AT_MOST, outputs), by kind. sweep: reads
    the largest values of the first half of the channels above a line, then those below it."""

    names: tuple[str, ...]
    words: WordingTable
    reading: Dense
    kinds: Mapping[str, Floats]
    understanding: Dense
    page: Dense
    sweep: Dense
    blocks: Sequence[Block]
    deciding: Dense

    def scores(self, columns: Mapping[str, Bytes], page_offsets: Integers) -> NDArray[np.float64]:
        """Log-odds, (classes, lines), of the lines of some pages, from their columns by name."""
        lines = int(page_offsets[-1])
        state = np.empty((lines, self.page.weights.shape[0]), np.uint16)
        for first in range(0, lines, _LINES_AT_ONCE):
            part = slice(first, min(first + _LINES_AT_ONCE, lines))
            state[part] = self._read(columns, part)
        pages = self._page_states(state, page_offsets)
        largest = self._largest(state, page_offsets)
        scores = np.empty((self.deciding.weights.shape[1], lines), np.float64)
        for stretch in _stretches(page_offsets, self._gap(), self._halo()):
            swept = _rows(stretch.length, largest.shape[1])
            for _, place, last, line in stretch.parts:
                swept[place:last] = largest[line : line + last - place]
            around = _whole(self.sweep.apply(swept), 0, STATE)
            for page, place, last, line in stretch.parts:
                around[place:last] += state[line : line + last - place]
                around[place:last] += pages[page]
            np.clip(around, 0, STATE, out=around)
            stretch.clear_gaps(around)
            for block in self.blocks:
                around = block.apply(around)
                stretch.clear_gaps(around)
            decided = self.deciding.apply(around)
            for _, place, last, line in stretch.own_parts():
                scores[:, line : line + last - place] = decided[place:last].T
        return scores

    def word_columns(self, tokens: Hashes, offsets: Integers) -> dict[str, Bytes]:
        """The columns of WORD_NAMES, from the tokens of lines in runs."""
        return dict(zip(WORD_NAMES, self.words.score(tokens, offsets), strict=True))

    def arrays(self) -> dict[str, Array]:
        """All that it consists of, by name."""
        found: dict[str, Array] = {
            "names": _text(self.names),
            "kinds": _text(tuple(self.kinds)), "words": self.words.weights,
            "words_total": np.array([self.words.weights.sum(dtype=np.int64)]),
            "dilations": np.array([block.dilation for block in self.blocks]),
        }  # fmt: skip
        used = [weights[: _rows_used(weights)] for weights in self.kinds.values()]
        found |= {"kind_rows": np.array(list(map(len, used))), "kind_weights": np.concatenate(used).astype(np.int32)}
        for name in _LAYERS:
            found |= _dense_arrays(name, getattr(self, name))
        for number, block in enumerate(self.blocks):
            found |= {f"block{number}.taps": block.taps.astype(np.int32), f"block{number}.scale": block.scale}
            found |= _dense_arrays(f"block{number}.dense", block.dense)
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array]) -> Network:
        """The network that arrays() gave. KeyError or ValueError where parts are missing or do not fit."""
        names, kinds = (tuple(arrays[part].tobytes().decode().split("\n")) for part in ("names", "kinds"))
        layers = {name: _dense(name, arrays) for name in _LAYERS}
        blocks = tuple(
            Block(int(dilation), _floats(arrays[f"block{number}.taps"]), arrays[f"block{number}.scale"],
                  _dense(f"block{number}.dense", arrays))
            for number, dilation in enumerate(arrays["dilations"].tolist())
        )  # fmt: skip
        ends = np.cumsum(arrays["kind_rows"])
        used = np.split(arrays["kind_weights"], ends[:-1])
        weights = {name: _of_all_kinds(some) for name, some in zip(kinds, used, strict=True)}
        if arrays["words"].sum(dtype=np.int64) != arrays["words_total"][0]:
            raise ValueError("not the table of words that was saved")
        channels = layers["page"].weights.shape[0]
        fits = layers["reading"].weights.shape == (len(names), channels) and all(
            block.taps.shape == (TAPS, channels) and block.dilation > 0 for block in blocks
        )
        fits &= layers["sweep"].weights.shape == (2 * min(SWEPT, channels // 2), channels)
        fits &= len(blocks) == sum(name.endswith(".taps") for name in arrays)
        fits &= len(arrays["kind_weights"]) == ends[-1]
        if not fits or any(table.shape != (KINDS_AT_MOST, channels) for table in weights.values()):
            raise ValueError("layers of a network that do not fit each other")
        return cls(names=names, words=table_of(arrays["words"], WORD_OUTPUTS), kinds=weights, blocks=blocks, **layers)

    def _read(self, columns: Mapping[str, Bytes], part: slice) -> Floats:
        """The state of some lines, each by itself."""
        lines = part.stop - part.start
        # a matrix library reads the transpose of a matrix as it stands: quicker than to turn 8-bit columns into rows
        inputs = _rows(lines, len(self.names), "F")
        for row, name in zip(inputs.T, self.names, strict=True):
            row[:lines] = columns[name][part]
        sums = self.reading.sums(inputs)
        for name, weights in self.kinds.items():
            sums[:lines] += weights.take(columns[name][part], axis=0)
        read = _whole(self.reading.worth(sums), 0, STATE)
        return _whole(self.understanding.apply(read), 0, STATE)[:lines]

    def _page_states(self, state: NDArray[np.uint16], page_offsets: Integers) -> Floats:
        """What the mean of a page's lines adds to each of them, (pages, channels)."""
        rows = _rows(len(page_offsets) - 1, state.shape[1])
        bounds = page_offsets.tolist()
        for page, (first, last) in enumerate(pairwise(bounds)):
            if last > first:
                rows[page] = state[first:last].sum(axis=0, dtype=np.int64) // (last - first)
        return _whole(self.page.apply(rows), 0, STATE)[: len(bounds) - 1]

    def _largest(self, state: NDArray[np.uint16], page_offsets: Integers) -> NDArray[np.uint16]:
        """Of each swept channel the largest value above each line, then the largest below it; 0 where no line is."""
        width = self.sweep.weights.shape[0] // 2
        largest = np.zeros((len(state), 2 * width), np.uint16)
        for first, last in pairwise(page_offsets.tolist()):
            own = state[first:last, :width]
            above, below = largest[first:last, :width], largest[first:last, width:]
            np.maximum.accumulate(own[:-1], axis=0, out=above[1:])
            np.maximum.accumulate(own[:0:-1], axis=0, out=below[-2::-1])
        return largest

    def _gap(self) -> int:
        """Lines that a block may look beyond the edge of a page."""
        return max(block.dilation for block in self.blocks) * (TAPS // 2)

    def _halo(self) -> int:
        """Lines on either side that all blocks together look at."""
        return sum(block.dilation for block in self.blocks) * (TAPS // 2)


_LAYERS = ("reading", "understanding", "page", "sweep", "deciding")


def _dense_arrays(name: str, layer: Dense) -> dict[str, Array]:
    whole = layer.weights.astype(np.int32)
    return {f"{name}.weights": whole, f"{name}.scale": layer.scale, f"{name}.bias": layer.bias}


def _dense(name: str, arrays: Mapping[str, Array]) -> Dense:
    return Dense(_floats(arrays[f"{name}.weights"]), arrays[f"{name}.scale"], arrays[f"{name}.bias"])


def _floats(array: Array) -> Floats:
    """Row by row in memory: NumPy would keep a stored order that halves the speed of all that is done with it."""
    return np.ascontiguousarray(array, np.float32)


def _rows_used(weights: Floats) -> int:
    """How many kinds there are up to the last that has any weight."""
    return int(np.flatnonzero(np.any(weights, axis=1)).max(initial=-1)) + 1


def _of_all_kinds(weights: Array) -> Floats:
    """Weights by kind, nothing for the kinds beyond those stored. ValueError where there are too many."""
    return _floats(np.pad(weights, ((0, KINDS_AT_MOST - len(weights)), (0, 0))))


def _text(names: tuple[str, ...]) -> Array:
    return np.frombuffer("\n".join(names).encode(), np.uint8)


class _Part(NamedTuple):
    """Lines of a page, from `line` on, that stand at the places first to last (half open) of a stretch."""

    page: int
    first: int
    last: int
    line: int


class _Stretch(NamedTuple):
    """Lines in order, pages parted by gaps, that blocks look at together; inner: the places whose lines are its own."""

    length: int
    inner: tuple[int, int]
    parts: list[_Part]

    def clear_gaps(self, rows: Floats) -> None:
        """Nothing stands at the places without lines."""
        last = 0
        for part in self.parts:
            rows[last : part.first] = 0
            last = part.last
        rows[last:] = 0

    def own_parts(self) -> Iterator[_Part]:
        """The parts, as far as they stand within the inner places."""
        for page, first, last, line in self.parts:
            start, stop = max(first, self.inner[0]), min(last, self.inner[1])
            if stop > start:
                yield _Part(page, start, stop, line + start - first)


def _stretches(page_offsets: Integers, gap: int, halo: int) -> Iterator[_Stretch]:
    """The lines of all pages with gaps between, in overlapping stretches."""
    begins = page_offsets[:-1] + gap * np.arange(len(page_offsets) - 1)
    ends = begins + np.diff(page_offsets)
    for first in range(0, int(ends[-1]), _LINES_AT_ONCE):
        start, stop = max(first - halo, 0), min(first + _LINES_AT_ONCE + halo, int(ends[-1]))
        pages = range(int(np.searchsorted(ends, start, "right")), int(np.searchsorted(begins, stop)))
        parts = []
        for page in pages:
            begin, end = max(int(begins[page]), start), min(int(ends[page]), stop)
            if end > begin:
                parts.append(
                    _Part(page, begin - start, end - start, int(page_offsets[page]) + begin - int(begins[page]))
                )
        yield _Stretch(stop - start, (first - start, min(first + _LINES_AT_ONCE, stop) - start), parts)


def _rows(lines: int, width: int, order: Literal["C", "F"] = "C") -> Floats:
    """Zeros for some lines, and for as many more as make whole groups of _ROWS."""
    return np.zeros((-(-lines // _ROWS) * _ROWS, width), np.float32, order)


def _whole(values: Floats, least: int, most: int) -> Floats:
    """Values rounded to whole numbers between both, in place."""
    np.clip(values, least, most, out=values)
    return np.rint(values, out=values)
