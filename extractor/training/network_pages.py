"""What networks learn from: pages as arrays, of which some are drawn at random, others for every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.training.fitting import TRUST_IN_READING, length_factors

EVERY = -1
"""Draw of pages that are learned from in every epoch."""


@dataclass(frozen=True, slots=True)
class NetworkPages:
    """What a network learns from. columns: (names, lines); tokens in runs by line (counts: of each line);
    classes, weights: of each line; lines, folds, draw (a number, or EVERY): of each page."""

    names: tuple[str, ...]
    columns: Bytes
    tokens: NDArray[np.uint32]
    counts: NDArray[np.int32]
    classes: NDArray[np.int8]
    weights: NDArray[np.float32]
    lines: Integers
    folds: Integers
    draw: Integers

    def of(self, pages: NDArray[np.bool_]) -> NetworkPages:
        """Some of the pages."""
        lines = np.repeat(pages, self.lines)
        return NetworkPages(
            self.names, self.columns[:, lines], self.tokens[np.repeat(lines, self.counts)], self.counts[lines],
            self.classes[lines], self.weights[lines], self.lines[pages], self.folds[pages], self.draw[pages],
        )  # fmt: skip

    def and_those_of(self, others: Sequence[NetworkPages]) -> NetworkPages:
        """These pages, and after them all others, which have the same columns."""
        parts = [self, *others]
        columns = np.concatenate([part.columns for part in parts], axis=1)
        rest: dict[str, Any] = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(self) if field.name not in ("names", "columns")
        }  # fmt: skip
        return replace(self, columns=columns, **rest)


def page_weights(lines: Integers, trust: NDArray[np.float64], read: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much each line counts, as for the trees: by trust, and long pages less than by their lines."""
    by_page = length_factors(np.repeat(lines, lines))
    weights: NDArray[np.float32] = (trust * by_page * np.where(read, TRUST_IN_READING, 1.0)).astype(np.float32)
    return weights
