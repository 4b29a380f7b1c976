"""Labelled pages -> what a model taught on some of them makes of the others, beside the model as it was.

Pages of every site are held out in turn, so that each page is judged by a model that was taught other pages of its
site. The learning curve is that of the same pages, after a part of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from extractor.model_file import Model
from extractor.training import measures
from extractor.training.hand_measures import measures_told
from extractor.training.measures import Score
from extractor.training.own_evaluation import ACCURACY, judge_pages
from extractor.training.own_pages import OwnPage
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, Sample
from extractor.training.teaching import TeachingSettings, teach

MOST_FOLDS = 3
SHARES = (0.25, 0.5, 1.0)
"""Of the pages that are not held out, what the models of the learning curve learn from."""


@dataclass(slots=True)
class Trial:
    """Pages that were held out, as labelled by the model as it was, and by taught ones, the last from all the others.

    by_site: whether they are of several sites, by which intervals are drawn then; learned: how many pages each of the
    taught models had, on average."""

    by_site: bool
    current: Evaluation = field(default_factory=Evaluation)
    taught: dict[float, Evaluation] = field(default_factory=lambda: {share: Evaluation() for share in SHARES})
    learned: dict[float, list[int]] = field(default_factory=lambda: {share: [] for share in SHARES})

    @property
    def best(self) -> Evaluation:
        """The models taught on all pages that were not held out."""
        return self.taught[SHARES[-1]]

    def curve(self, input: str) -> list[tuple[float, Score]]:
        """Accuracy against the number of pages learned from."""
        points = [(0.0, self.current), *((float(np.mean(self.learned[share])), self.taught[share]) for share in SHARES)]
        scores = [(pages, result.score(ACCURACY, HAND, OURS, input)) for pages, result in points]
        return [(pages, score) for pages, score in scores if score is not None]


def all_lines(result: Evaluation, measure: str = ACCURACY) -> Sample:
    """The sample of a measure over HTML and dumps together."""
    found = Sample(measures.accuracy)
    for input in INPUTS:
        sample = result.sample(measure, HAND, OURS, input)
        if sample:
            found.aggregate = sample.aggregate
            found.extend(sample)
    return found


def scores(result: Evaluation) -> dict[str, float]:
    """Accuracy, macro F1 and the F1 of each label that is there, over HTML and dumps together, to four digits."""
    named = (name for name in measures_told(result) if not name.startswith(("precision", "recall")))
    return {name: round(all_lines(result, name).score().value, 4) for name in named}


def lessons(pages: Sequence[OwnPage]) -> int:
    """How often try_out() teaches a model."""
    return _folds(pages) * len(SHARES)


def try_out(
    model: Model, pages: Sequence[OwnPage], settings: TeachingSettings, progress: Callable[[str], None]
) -> Trial:
    """Hold pages out, teach a model on the others, and judge it on those. ValueError for a single page."""
    folds = _folds(pages)
    if folds < 2:
        raise ValueError("a single labelled page is too few: none can be held out to judge the model by; label another")
    held_in = _held_in(pages, folds)
    trial = Trial(len({page.site for page in pages}) > 1)
    for fold in range(folds):
        held = [page.page for page, part in zip(pages, held_in, strict=True) if part == fold]
        others = [page for page, part in zip(pages, held_in, strict=True) if part != fold]
        order = np.random.default_rng(fold).permutation(len(others)).tolist()
        judge_pages(trial.current, held, model, by_site=trial.by_site)
        for share in SHARES:
            chosen = sorted(order[: max(1, round(share * len(others)))])
            trial.learned[share].append(len(chosen))
            say = f"held-out part {fold + 1} of {folds}, {len(chosen)} pages learned"
            taught = teach(model, [others[place] for place in chosen], settings, _prefixed(say, progress))
            judge_pages(trial.taught[share], held, taught, by_site=trial.by_site)
    return trial


def _held_in(pages: Sequence[OwnPage], folds: int) -> list[int]:
    """The part that each page is held out in: the pages of a site go round the parts."""
    found, turn, of_site = [], 0, Counter[str]()
    first: dict[str, int] = {}
    for page in pages:
        if page.site not in first:
            first[page.site], turn = turn, turn + 1
        found.append((first[page.site] + of_site[page.site]) % folds)
        of_site[page.site] += 1
    return found


def _prefixed(text: str, progress: Callable[[str], None]) -> Callable[[str], None]:
    return lambda step: progress(f"{text}, {step}")


def _folds(pages: Sequence[OwnPage]) -> int:
    return min(MOST_FOLDS, len(pages))
