"""What the repetition table says of a batch's lines -> 8-bit columns, zeros where it says nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers, TextBatch
from extractor.counting import PageLines
from extractor.equal_lines import equal_lines
from extractor.features import REPETITION_NAMES
from extractor.quantise import logarithm, share
from extractor.repetition import Repetition, RepetitionTable

COMMON_LINES, COMMON_PAGES = 3, 2
"""The pages of a site have lines in common: so many of a page, all different, each on one of so many of the others or
more. Else what passes for a site is none, as a folder of unrelated pages ("Imprint" and "Contact" stand on many)."""


def repetition_columns(table: RepetitionTable | None, batch: TextBatch, sites: Sequence[str | None]) -> Bytes:
    """The columns of a batch, (len(REPETITION_NAMES), lines) in 8 bits.

    sites: of each page, None for unknown. All zero without a table, and for the lines of a page whose site is unknown,
    has no other page in the table, or too little in common with it. Integers only; a page's values do not depend on
    the batch.
    """
    if table is None:
        return np.zeros((len(REPETITION_NAMES), len(batch.page)), np.uint8)
    return columns_of_lines(table, PageLines.of(batch), sites)


def columns_of_lines(table: RepetitionTable, lines: PageLines, sites: Sequence[str | None]) -> Bytes:
    """Share of the site's other pages with the line; log of their number; log of the number of other sites
    with it; log of the number of the site's other pages known; 255 if there is one; log of the lines, and of a
    quarter of the characters, of the unbroken run of repeated lines that the line stands in."""
    found = table.look_up(lines, sites)
    page = lines.pages_of_lines()
    known = _common(found, lines, page) >= COMMON_LINES
    run_lines, run_weight = _runs(found.pages > 0, lines.weights.astype(np.int64), page)
    columns = (
        share(found.pages, found.site_pages),
        logarithm(found.pages),
        logarithm(found.sites),
        logarithm(found.site_pages),
        known * np.uint8(255),
        logarithm(run_lines),
        logarithm(run_weight // 4),
    )
    return np.stack([np.where(known, column, 0).astype(np.uint8) for column in columns])


def _common(found: Repetition, lines: PageLines, page: Integers) -> Integers:
    """For each line how many different lines of its page are common on the site."""
    common = np.flatnonzero((found.pages > 0) & (found.pages * COMMON_PAGES >= found.site_pages))
    order, begins = equal_lines(lines.hashes[common], page[common])
    numbers: Integers = np.bincount(page[common[order[begins]]], minlength=len(lines.offsets) - 1)
    return numbers[page]


def _runs(repeated: NDArray[np.bool_], weights: Integers, page: Integers) -> tuple[Integers, Integers]:
    """For each line the lines and the weight of the run of repeated lines that it stands in, 0 for none."""
    begins = np.ones(len(page), bool)
    begins[1:] = (page[1:] != page[:-1]) | (repeated[1:] != repeated[:-1])
    starts = np.flatnonzero(begins)
    if not len(starts):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    run = np.cumsum(begins) - 1
    length = np.diff(starts, append=len(page))
    weight = np.add.reduceat(weights, starts)
    return length[run] * repeated, weight[run] * repeated
