"""Labelled pages of some sites, and what the model thinks of their lines -> landmarks: what it does not know of them.

Learned is what is missing from the model's scores, so that landmarks say little where the model is right. Each page
is learned twice, at half the weight: as a page yet to come, whose landmarks are the lines that stand on other pages of
its site too; and as the page that it is, of which all lines are landmarks. So it will be labelled as it was taught, and
a line that was seen on one page alone says something too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, vstack

from extractor.characters import Hashes, Integers
from extractor.features import CLASS_NAMES
from extractor.landmarks import LANDMARK_STEPS, Landmarks, Runs, landmark_tokens, salted
from extractor.wording import WordingTable

STRENGTH = 2.0
"""Inverse of the L2 penalty, as of the tables of words (derivation.TABLE_STRENGTH)."""
MOST_BUCKETS = 1 << 20
_BUCKETS_FOR_A_TOKEN = 4
_ITERATIONS = 40


class TaughtPage(NamedTuple):
    """A labelled page in one format: its site, the hashes of its lines (see landmarks.short_hashes()), the names of
    classes around each line (HTML), the lines' classes, the weight of each, and the scores, (CLASS_NAMES, lines), that
    the model gives them."""

    site: str
    lines: Hashes
    cues: Runs | None
    classes: Integers
    weights: NDArray[np.float64]
    scores: NDArray[np.float64]


def fit_landmarks(pages: Sequence[TaughtPage]) -> Landmarks | None:
    """The landmarks of the pages' sites; None where no site has two pages that share lines."""
    numbers = {site: number for number, site in enumerate(dict.fromkeys(page.site for page in pages))}
    by_site: list[list[TaughtPage]] = [[] for _ in numbers]
    for page in pages:
        by_site[numbers[page.site]].append(page)
    seen = [
        (page._replace(weights=page.weights / 2), runs)
        for site, some in enumerate(by_site)
        for page in some
        if (known := _lines_of_others(page, some)) is not None
        for runs in (_runs(page, known, site), _runs(page, np.ones(len(page.lines), bool), site))
    ]
    if not seen:
        return None
    return _known_lines(by_site)._replace(table=_table([page for page, _ in seen], [runs for _, runs in seen]))


def _known_lines(by_site: Sequence[Sequence[TaughtPage]]) -> Landmarks:
    """The lines of each site, in order, and no opinion of any."""
    lines = [np.unique(np.concatenate([page.lines for page in some])) for some in by_site]
    sites = np.repeat(np.arange(len(lines)), [len(some) for some in lines])
    order = np.argsort(np.concatenate(lines), kind="stable")
    nothing = WordingTable(np.zeros((1, len(CLASS_NAMES)), np.int8))
    return Landmarks(np.concatenate(lines)[order], sites[order], nothing)


def _lines_of_others(page: TaughtPage, pages: Sequence[TaughtPage]) -> NDArray[np.bool_] | None:
    """Which lines of a page stand on other pages of its site; None if it would not be known as one of them."""
    others = [other for other in pages if other is not page]
    if not others or _known_lines([others]).site_of_pages(page.lines, np.array([0, len(page.lines)]))[0] < 0:
        return None
    return np.isin(page.lines, np.concatenate([other.lines for other in others]))


def _runs(page: TaughtPage, known: NDArray[np.bool_], site: int) -> list[Runs]:
    """What the lines of a page are told by, some of them known."""
    runs = [landmark_tokens(page.lines, known, np.array([0, len(page.lines)]), site)]
    return runs if page.cues is None else [*runs, salted(page.cues, site)]


def _table(pages: Sequence[TaughtPage], runs: Sequence[Sequence[Runs]]) -> WordingTable:
    """What tokens say. runs: of each page one for each kind of tokens, each kind of unit length."""
    tokens = np.concatenate([tokens for some in runs for tokens, _ in some])
    buckets = 1 << int(np.ceil(np.log2(min(_BUCKETS_FOR_A_TOKEN * max(len(np.unique(tokens)), 1), MOST_BUCKETS))))
    used = np.unique(tokens & np.uint32(buckets - 1))
    rows = [sum(_rows(one, used, buckets) for one in some) for some in runs]
    learned = _regress(pages, rows)
    table = np.zeros((buckets, len(CLASS_NAMES)), np.int8)
    table[used] = np.clip(np.rint(learned * LANDMARK_STEPS), -127, 127).astype(np.int8)
    return WordingTable(table)


def _rows(runs: Runs, used: Hashes, buckets: int) -> Any:
    """Lines by tokens, (lines, used), each line of unit length."""
    tokens, offsets = runs
    counts = np.diff(offsets)
    values = np.repeat(1.0 / np.sqrt(np.maximum(counts, 1)), counts)
    places = np.searchsorted(used, tokens & np.uint32(buckets - 1))
    return csr_matrix((values, places, offsets), shape=(len(counts), len(used)))


def _regress(pages: Sequence[TaughtPage], parts: Sequence[Any]) -> NDArray[np.float64]:
    """Weights, (columns, classes), that make the classes of the lines likely when they are added to the model's scores:
    multinomial logistic regression, without what the classes are in general."""
    rows = vstack(parts, format="csr")
    turned = rows.T.tocsr()
    start = np.concatenate([page.scores for page in pages], axis=1).T
    weights = np.concatenate([page.weights for page in pages])
    columns, number = rows.shape[1], start.shape[1]
    wanted = np.eye(number)[np.concatenate([page.classes for page in pages])]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        added = parameters[:-number].reshape(columns, number)
        logits = start + rows @ added + parameters[-number:]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = odds / odds.sum(axis=1, keepdims=True)
        value = -(weights * np.log(np.maximum((shares * wanted).sum(axis=1), 1e-12))).sum()
        error = (shares - wanted) * weights[:, None]
        gradient = np.concatenate(((turned @ error + added / STRENGTH).ravel(), error.sum(axis=0)))
        return float(value + (added**2).sum() / (2 * STRENGTH)), gradient

    options = {"maxiter": _ITERATIONS}
    best = minimize(loss, np.zeros(columns * number + number), jac=True, method="L-BFGS-B", options=options).x
    learned: NDArray[np.float64] = best[:-number].reshape(columns, number)
    learned -= learned.mean(axis=1, keepdims=True)
    return learned
