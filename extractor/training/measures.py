"""Labelled pages against the truth -> scores with intervals.

A measure turns a page into a short vector, and sums of vectors into a value; so every measure, whether a
mean over pages or a ratio of counts, is resampled by site in the same way.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Integers

Vectors = NDArray[np.float64]
Aggregate = Callable[[Vectors], Vectors]
"""Sums of page vectors, (..., length of a vector), to values, (...)."""
RESAMPLES = 1000
CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class Score:
    """A value with the bounds of its 95 % interval, over so many pages of so many sites."""

    value: float
    low: float
    high: float
    pages: int
    sites: int

    def __str__(self) -> str:
        if self.sites < 2:  # nothing to draw from
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def mean(sums: Vectors) -> Vectors:
    """Vectors of (value, 1)."""
    return _ratio(sums[..., 0], sums[..., 1])


def shingle_f1(sums: Vectors) -> Vectors:
    """Vectors of (precision, has a prediction, recall, has a reference): F1 of the two means."""
    return _harmonic(_ratio(sums[..., 0], sums[..., 1]), _ratio(sums[..., 2], sums[..., 3]))


def count_f1(sums: Vectors) -> Vectors:
    """Vectors of (true positives, false positives, false negatives)."""
    return _ratio(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


def accuracy(sums: Vectors) -> Vectors:
    """Vectors of confusion counts, 4 x 4 in a row, truth by prediction."""
    confusion = sums.reshape(*sums.shape[:-1], 4, 4)
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), sums.sum(axis=-1))


def label_f1(label: int) -> Aggregate:
    """F1 of one label from vectors of confusion counts."""

    def aggregate(sums: Vectors) -> Vectors:
        confusion = sums.reshape(*sums.shape[:-1], 4, 4)
        right = confusion[..., label, label]
        return _ratio(2 * right, confusion[..., label, :].sum(axis=-1) + confusion[..., :, label].sum(axis=-1))

    return aggregate


def macro_f1(sums: Vectors) -> Vectors:
    """Mean F1 of the labels that lines have or were given: some pages have no line of one."""
    confusion = sums.reshape(*sums.shape[:-1], 4, 4)
    present = confusion.sum(axis=-1) + confusion.sum(axis=-2) > 0
    by_label = np.stack([label_f1(label)(sums) for label in range(4)])
    return _ratio(by_label.sum(axis=0), present.sum(axis=-1))


def score(vectors: Vectors, sites: Sequence[str], aggregate: Aggregate, seed: int = 0) -> Score:
    """The value over all pages, and its 95 % interval when sites are drawn with replacement."""
    values = _resampled(vectors, sites, aggregate, seed)
    low, high = np.quantile(values, (0.025, 0.975))
    value = float(aggregate(vectors.sum(axis=0)))
    return Score(value, float(low), float(high), len(vectors), len(set(sites)))


def difference(ours: Vectors, theirs: Vectors, sites: Sequence[str], aggregate: Aggregate, seed: int = 0) -> Score:
    """How far ours is above theirs on the same pages, resampled together."""
    values = _resampled(ours, sites, aggregate, seed) - _resampled(theirs, sites, aggregate, seed)
    low, high = np.quantile(values, (0.025, 0.975))
    value = float(aggregate(ours.sum(axis=0)) - aggregate(theirs.sum(axis=0)))
    return Score(value, float(low), float(high), len(ours), len(set(sites)))


def calibration_error(
    probabilities: NDArray[np.float64], truth: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """Mean distance between a probability and the share of lines that it holds for, in bins of equal mass."""
    one_page = np.zeros(len(truth), np.int64)
    return float(calibration(calibration_vectors(probabilities, truth, one_page, 1, bins)[0]))


def calibration_vectors(
    probabilities: NDArray[np.float64], truth: NDArray[np.bool_], page_of: Integers, pages: int,
    bins: int = CALIBRATION_BINS,
) -> Vectors:  # fmt: skip
    """A row for each of so many pages: of each bin its lines, their probabilities, those that came true.

    The bins hold equally many of all lines, in the order of their probability; resampling leaves their bounds.
    """
    order = np.argsort(probabilities, kind="stable")
    bin_of = np.empty(len(order), np.int64)
    for number, part in enumerate(np.array_split(order, bins)):
        bin_of[part] = number
    vectors = np.zeros((pages, bins, 3))
    np.add.at(vectors, (page_of, bin_of), np.stack([np.ones(len(order)), probabilities, truth], axis=1))
    return vectors.reshape(pages, bins * 3)


def calibration(sums: Vectors) -> Vectors:
    """The calibration error from vectors of calibration_vectors()."""
    bins = sums.reshape(*sums.shape[:-1], -1, 3)
    return _ratio(np.abs(bins[..., 1] - bins[..., 2]).sum(axis=-1), bins[..., 0].sum(axis=-1))


def reliability(sums: Vectors) -> tuple[list[float], list[float]]:
    """Of each bin the mean probability and the share of its lines that came true."""
    lines, probability, true = sums.reshape(-1, 3).T
    return _ratio(probability, lines).tolist(), _ratio(true, lines).tolist()


def label_precision(label: int) -> Aggregate:
    """Of the lines given a label the share that has it, from vectors of confusion counts."""
    return lambda sums: _share_of_label(np.swapaxes(sums.reshape(*sums.shape[:-1], 4, 4), -1, -2), label)


def label_recall(label: int) -> Aggregate:
    """Of the lines that have a label the share that was given it, from vectors of confusion counts."""
    return lambda sums: _share_of_label(sums.reshape(*sums.shape[:-1], 4, 4), label)


def _share_of_label(confusion: Vectors, label: int) -> Vectors:
    return _ratio(confusion[..., label, label], confusion[..., label, :].sum(axis=-1))


def load_metrics(shared: Path) -> ModuleType:
    """The metrics that the corpora come with (tools/metrics.py beside them)."""
    path = shared / "tools" / "metrics.py"
    spec = importlib.util.spec_from_file_location("shared_metrics", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the metrics are read from the folder given with --shared")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _resampled(vectors: Vectors, sites: Sequence[str], aggregate: Aggregate, seed: int) -> Vectors:
    names = {site: number for number, site in enumerate(dict.fromkeys(sites))}
    by_site = np.zeros((len(names), vectors.shape[1]))
    np.add.at(by_site, [names[site] for site in sites], vectors)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    values: Vectors = aggregate(draws @ by_site)
    return values


def _ratio(part: Vectors, whole: Vectors) -> Vectors:
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.asarray(whole) > 0)


def _harmonic(first: Vectors, second: Vectors) -> Vectors:
    return _ratio(2 * first * second, first + second)
