"""Pages -> batches of pages of like length, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from extractor.network import KINDS_AT_MOST
from extractor.training.columns import KIND_VALUED, read_of
from extractor.training.network_pages import EVERY, NetworkPages

WORD_BUCKETS = 1 << 16
_LINES_A_BATCH = 6_000
LONGEST_PAGE = 4_000
"""Lines; longer pages are left out of training, as they would fill a batch alone."""
_PAGES_SORTED = 400
_LEAST_SPREAD = 8.0
"""Steps of a column that count as one at least: what hardly ever differs would outweigh all else."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some pages: lines one after the other; places: where they stand, pages by lines; cells: the same as numbers."""

    columns: Any
    kinds: Any
    tokens: Any
    offsets: Any
    places: Any
    cells: Any
    classes: Any
    weights: Any


class Batches:
    """The pages as a network reads them."""

    def __init__(self, pages: NetworkPages) -> None:
        self.pages = pages
        self.draws = int(pages.draw.max(initial=0)) + 1
        sized = [pages.names.index(name) for name in read_of(pages.names) if name not in KIND_VALUED]
        self.kind_names = tuple(name for name in pages.names if name in KIND_VALUED)
        self.names = tuple(pages.names[row] for row in sized)
        self.sized = np.ascontiguousarray(pages.columns[sized].T)
        self.kinds = np.ascontiguousarray(pages.columns[[pages.names.index(name) for name in self.kind_names]].T)
        self.line_offsets = np.concatenate(([0], np.cumsum(pages.lines)))
        self.token_offsets = np.concatenate(([0], np.cumsum(pages.counts)))
        part = self.sized[:: max(1, len(self.sized) // 200_000)].astype(np.float32)
        self.mean, self.spread = part.mean(axis=0), np.maximum(part.std(axis=0), _LEAST_SPREAD)

    def groups(self, random: np.random.Generator, draw: int) -> list[list[int]]:
        """The pages of a draw and of every one in random order, those of like length together, in groups of a batch."""
        pages = self.pages
        chosen = (pages.lines > 0) & (pages.lines <= LONGEST_PAGE) & np.isin(pages.draw, (EVERY, draw))
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

    def batch(self, pages: Sequence[int]) -> Batch:
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
        return Batch(
            torch.from_numpy((self.sized[lines] - self.mean) / self.spread),
            torch.from_numpy(self.kinds[lines].astype(np.int64) + np.arange(self.kinds.shape[1]) * KINDS_AT_MOST),
            torch.from_numpy((tokens & np.uint32(WORD_BUCKETS - 1)).astype(np.int64)),
            torch.from_numpy(offsets), torch.from_numpy(places), torch.from_numpy(np.flatnonzero(places)),
            torch.from_numpy(self.pages.classes[lines].astype(np.int64)), torch.from_numpy(self.pages.weights[lines]),
        )  # fmt: skip
