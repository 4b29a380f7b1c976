"""Matrix -> probabilities of each line, with its neighbours' say, and the decision for the page.

A small network judges a line by its columns, its words and the lines around. Symmetric trees move its scores: they see
the same columns and, as further ones, what the network said of the line, of those around and of the page. Where the
model was taught pages of the page's site, their landmarks move what both say; where a repetition table knows the site,
a third stage does. Probabilities are passed on, never labels, so one sure mistake cannot spread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers, count_runs, run_lengths, sum_runs
from extractor.context import Neighbourhood
from extractor.equal_lines import equal_lines
from extractor.features import CLASS_NAMES
from extractor.forest import Forest
from extractor.kinds import KINDS, KindWeights
from extractor.landmarks import LANDMARK_NAMES, landmark_scores
from extractor.network import Network

HEADLINE, BODY, HEADER, NAV, RELATED = range(len(CLASS_NAMES))
PROBABILITY_STEPS = 1 << 12
BODY_AT_LEAST = 0.05
"""No line is body below this probability: a page may have no body at all, which the expected F does not know."""
FEW_WORDS = 3
"""Words of a page that may be a button or a menu alone; a sentence is text, whatever its probability."""
COPIES_POOLED = 4
"""So many equal lines on a page share one opinion; fewer may be copies of the headline."""
STAGE_NAMES = tuple(f"p_{name}" for name in CLASS_NAMES)
"""Columns of what a stage says of the classes, for the next one."""
_STAGE_STEPS = 63
_LOG_ODDS = np.array([math.log(step + 0.5) for step in range(_STAGE_STEPS + 1)])
"""Of the steps that such a column has: a probability of none is half a step."""
_POOLING_STEPS = 1 << 20
_LOG_OF_OTHERS = np.rint(
    np.log1p(-np.minimum(np.arange(PROBABILITY_STEPS + 1), PROBABILITY_STEPS - 0.5) / PROBABILITY_STEPS)
    * _POOLING_STEPS
).astype(np.int64)
"""Of the steps that a probability of body has: the logarithm of that of all else, in whole numbers."""
_LOG_OF_HALF = round(math.log(0.5) * _POOLING_STEPS)
HEADLINE_AT_LEAST = 0.25
"""The likeliest headline of a page is its headline from this probability on, that of its copies added."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stage:
    """A forest and the names of the columns that its features count off."""

    names: tuple[str, ...]
    forest: Forest
    _packed: NDArray[np.uint64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_packed", self.forest.packed())

    def scores(self, matrix: Bytes) -> NDArray[np.float64]:
        """Log-odds, (classes, lines), from the columns of names, (names, lines)."""
        return self.forest.scores(matrix, self._packed)


class Judgement(NamedTuple):
    """probabilities: calibrated, (lines, CLASS_NAMES). kinds: (pages, KINDS)."""

    probabilities: NDArray[np.float64]
    kinds: NDArray[np.float64]


def _no_lines(pages: int) -> NDArray[np.float64]:
    """A page without lines has no text of its own."""
    kinds = np.zeros((pages, len(KINDS)))
    kinds[:, KINDS.index("none")] = 1.0
    return kinds


class LineClassifier(NamedTuple):
    """The stages for one format of pages, the calibration of the first two together (scores times slopes plus
    intercepts, by class), and what tells kinds of pages by what their words, and their markup, say."""

    first: Network
    second: Stage
    repetition: Stage
    kind: KindWeights
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]

    def judge(self, columns: Mapping[str, Bytes], page_offsets: Integers) -> Judgement:
        """What is thought of the lines of some pages; columns: the base columns of the format, by name."""
        pages = len(page_offsets) - 1
        if not page_offsets[-1]:
            return Judgement(np.zeros((0, len(CLASS_NAMES))), _no_lines(pages))
        return self.judge_again(
            {**columns, **stage_columns(softmax(self.first.scores(columns, page_offsets)))}, page_offsets
        )

    def judge_again(self, columns: Mapping[str, Bytes], page_offsets: Integers) -> Judgement:
        """The same of pages with lines, where the columns of the first stage are known."""
        pages = len(page_offsets) - 1
        around = Neighbourhood(columns, page_offsets)
        scores = self.second_scores(around)
        if LANDMARK_NAMES[0] in columns:  # those of a model that was taught sites
            scores = scores + landmark_scores(columns)
        scores = self._with_repetition(scores, columns, page_offsets)
        filled = np.flatnonzero(run_lengths(page_offsets))
        kinds = _no_lines(pages)
        said = np.stack([columns[name][page_offsets[filled]] for name in self.kind.names])
        kinds[filled] = softmax(self.kind.scores(said)).T
        return Judgement(np.ascontiguousarray(softmax(scores).T), kinds)

    def second_scores(self, around: Neighbourhood) -> NDArray[np.float64]:
        """Calibrated scores, (classes, lines), of network and trees, where the columns of the first stage are known."""
        said = network_scores(around.matrix(STAGE_NAMES))
        return self.calibrated(said + self.second.scores(around.matrix(self.second.names)))

    def calibrated(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of network and trees, (classes, lines), as log-odds that can be believed."""
        return scores * self.slopes[:, None] + self.intercepts[:, None]

    def _with_repetition(
        self, scores: NDArray[np.float64], columns: Mapping[str, Bytes], page_offsets: Integers
    ) -> NDArray[np.float64]:
        """Calibrated scores, moved on the pages whose site a repetition table knows; all others stay to the bit."""
        known = columns["site_known"] > 0
        if not known.any():
            return scores
        around = Neighbourhood({**columns, **stage_columns(softmax(scores))}, page_offsets)
        return np.where(known, scores + self.repetition.scores(around.matrix(self.repetition.names)), scores)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores, (classes, lines), to probabilities."""
    exponents = np.exp(scores - scores.max(axis=0))
    total = exponents[0].copy()
    for row in exponents[1:]:
        total += row
    shares: NDArray[np.float64] = exponents / total
    return shares


def stage_columns(probabilities: NDArray[np.float64]) -> dict[str, Bytes]:
    """First-stage probabilities, (classes, lines), as 8-bit columns for the second, in steps of four: tables of
    them are stored, and finer ones would hold little but noise."""
    rows = np.rint(probabilities * _STAGE_STEPS).astype(np.uint8) << 2
    return dict(zip(STAGE_NAMES, rows, strict=True))


def network_scores(said: Bytes) -> NDArray[np.float64]:
    """Log-odds, (classes, lines), of the columns of STAGE_NAMES: what the second stage's trees are added to."""
    found: NDArray[np.float64] = _LOG_ODDS[said >> 2]
    return found


class Decision(NamedTuple):
    """For each line the code of its label in page.LABELS; for each page its headline, a line or -1."""

    codes: NDArray[np.int64]
    headlines: Integers


def decide(
    probabilities: NDArray[np.float64], words: Integers, line_hashes: NDArray[np.uint64], page_offsets: Integers,
    beta: float = 1.0,
) -> Decision:  # fmt: skip
    """Labels of lines and the headline of each page.

    probabilities: (lines, CLASS_NAMES). Body is cut where the expected F of the page's body words is largest:
    lines sorted by their probability p of being body, w words each, kept while
    (1 + b) sum(p w, kept) / (sum(w, kept) + b sum(p w, all)) grows, b the square of beta (Lewis 1995). beta is how
    many times more recall counts than precision. A page of FEW_WORDS at most has no body where that is likelier than
    not, which the expected F does not weigh. Of equal lines that could be the headline the one nearest to the
    text is it, and the others are header, as the labels are defined.
    """
    pages = len(page_offsets) - 1
    page = np.repeat(np.arange(pages), run_lengths(page_offsets))
    body, cut = body_cuts(probabilities, words, page, page_offsets, beta)
    others = probabilities[:, HEADER : RELATED + 1].argmax(axis=1) + 1
    codes = np.where(body >= cut[page], 0, others)
    headline = _pooled_headline(probabilities[:, HEADLINE], codes, line_hashes, page)
    headlines = _likeliest_headlines(headline, page_offsets)
    for number in _with_copies(headlines, codes, line_hashes, page_offsets).tolist():
        first, last = int(page_offsets[number]), int(page_offsets[number + 1])
        chosen = headlines[number]
        copies = first + np.flatnonzero(line_hashes[first:last] == line_hashes[chosen])
        copies = copies[codes[copies] == 0]
        headlines[number] = _nearest_to_text(copies, codes, last)
        codes[copies[copies != headlines[number]]] = HEADER - 1
    return Decision(codes, headlines)


def body_cuts(
    probabilities: NDArray[np.float64], words: Integers, page: Integers, page_offsets: Integers, beta: float = 1.0
) -> tuple[Integers, Integers]:
    """The probability of each line of being body, and of each page the least that is body on it, as decide() has them:
    both in PROBABILITY_STEPS; one step above them all where nothing is."""
    body = np.rint((probabilities[:, HEADLINE] + probabilities[:, BODY]) * PROBABILITY_STEPS).astype(np.int64)
    cut = expected_f_cut(body, np.maximum(words, 1), page, page_offsets, beta)
    cut = np.maximum(cut, round(BODY_AT_LEAST * PROBABILITY_STEPS))
    cut[_without_body(body, words, page_offsets)] = PROBABILITY_STEPS + 1
    return body, cut


def _pooled_headline(
    headline: NDArray[np.float64], codes: NDArray[np.int64], line_hashes: NDArray[np.uint64], page: Integers
) -> NDArray[np.float64]:
    """For each body line the probability that the headline reads like it: the sum of those of its copies, which share
    it where it is not plain which of them is the headline. Lines that stand there COPIES_POOLED times or more are no
    copies of a headline, and keep their own. Sums are of integers."""
    pooled = np.zeros(len(headline))
    body = np.flatnonzero(codes == 0)
    group, sizes = equal_lines(line_hashes[body], page[body]).groups()
    steps = np.rint(headline[body] * _POOLING_STEPS)
    sums = np.bincount(group, steps)
    pooled[body] = np.where(sizes[group] < COPIES_POOLED, sums[group], steps) / _POOLING_STEPS
    return pooled


def _likeliest_headlines(headline: NDArray[np.float64], page_offsets: Integers) -> Integers:
    """The line of each page that is its headline with the highest probability, the first of equal ones; or -1."""
    found = np.full(len(page_offsets) - 1, -1, np.int64)
    page = np.repeat(np.arange(len(found)), run_lengths(page_offsets))
    best = np.full(len(found), HEADLINE_AT_LEAST)
    np.maximum.at(best, page, headline)
    at = np.flatnonzero(headline == best[page])[::-1]
    found[page[at]] = at
    return found


def _with_copies(
    headlines: Integers, codes: NDArray[np.int64], line_hashes: NDArray[np.uint64], page_offsets: Integers
) -> Integers:
    """The pages that have several body lines that read like their headline."""
    filled = np.flatnonzero(headlines >= 0)
    lengths = run_lengths(page_offsets)
    hashes = np.zeros(len(lengths), np.uint64)
    hashes[filled] = line_hashes.take(headlines[filled])
    alike = (line_hashes == np.repeat(hashes, lengths)) & (codes == 0)
    return filled[count_runs(alike, page_offsets)[filled] > 1]


def _nearest_to_text(copies: Integers, codes: NDArray[np.int64], last: int) -> int:
    """The copy with the fewest lines between it and the body line after it; of equal ones the last."""
    first = copies[0]
    body = np.setdiff1d(first + np.flatnonzero(codes[first:last] == 0), copies)
    text = np.append(body, np.iinfo(np.int64).max)[np.searchsorted(body, copies)]
    distance = text - copies
    return int(copies[np.flatnonzero(distance == distance.min())[-1]])


def expected_f_cut(
    body: Integers, words: Integers, page: Integers, page_offsets: Integers, beta: float = 1.0
) -> Integers:
    """The smallest probability, in PROBABILITY_STEPS, that is kept on each page."""
    # a probability is at most PROBABILITY_STEPS; the order of equal ones does not matter
    low = len(page).bit_length()
    keys = ((page + 1) * (2 * PROBABILITY_STEPS) - body << low) + np.arange(len(page))
    keys.sort()  # many times as fast as argsort()
    order = keys & ((1 << low) - 1)
    p, w = body[order], words[order]
    kept_hits, kept_words = np.cumsum(p * w), np.cumsum(w) * PROBABILITY_STEPS
    first = page_offsets[:-1][page]
    hits_above = np.concatenate(([0], kept_hits))[first]
    words_above = np.concatenate(([0], kept_words))[first]
    all_hits = np.concatenate(([0], kept_hits))[page_offsets[1:]][page] - hits_above
    square = beta * beta
    gain = (1.0 + square) * (kept_hits - hits_above) / (kept_words - words_above + square * all_hits)
    # lines of one probability stand or fall together
    ends = np.ones(len(p), bool)
    ends[:-1] = (p[1:] != p[:-1]) | (page[1:] != page[:-1])
    gain = np.where(ends, gain, -1.0)
    best = np.zeros(len(page_offsets) - 1)
    np.maximum.at(best, page, gain)
    cut = np.full(len(page_offsets) - 1, PROBABILITY_STEPS + 1, np.int64)
    chosen = (gain == best[page]) & (gain > 0)
    np.minimum.at(cut, page[chosen], p[chosen])
    return cut


def _without_body(body: Integers, words: Integers, page_offsets: Integers) -> NDArray[np.bool_]:
    """Of each page whether it has few words and is likelier than not to have no body, by its lines' probabilities."""
    likelier: NDArray[np.bool_] = sum_runs(_LOG_OF_OTHERS[body], page_offsets) > _LOG_OF_HALF
    return likelier & (sum_runs(words, page_offsets) <= FEW_WORDS)


def merge_classes(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of CLASS_NAMES -> of page.LABELS: the headline is body."""
    merged = probabilities[:, 1:].copy()
    merged[:, 0] += probabilities[:, HEADLINE]
    return merged
