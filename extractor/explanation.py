"""One line of a page -> why it has its label, as values: see explain().

What its columns add to the score of each class, what the classifier said before and after the lines that it belongs
with had their say, where the page's cut stands, the lines around it and the evidence of repetition. Every number is
the one that label() used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes
from extractor.classifier import (
    PROBABILITY_STEPS,
    STAGE_NAMES,
    LineClassifier,
    Stage,
    body_cuts,
    network_scores,
    softmax,
    stage_columns,
)
from extractor.context import Neighbourhood
from extractor.contributions import shapley_values
from extractor.features import CLASS_NAMES, FEATURES, REPETITION_NAMES
from extractor.labelling import BETAS, LinesRead, Preference, label, read_lines
from extractor.landmarks import LANDMARK_NAMES, LANDMARK_STEPS, NO_OPINION, SITE_CUE_NAMES, landmark_scores
from extractor.markup import CUE_NAMES, MARKUP_NAMES
from extractor.model_file import Model
from extractor.network import WORD_NAMES
from extractor.page import LABELS, Label, LabelledPage, Line, Page
from extractor.pooling import pool, template_keys

if TYPE_CHECKING:
    from extractor.repetition import RepetitionTable

_NOTHING = 1e-9
"""Log-odds below which a contribution is rounding."""
NEIGHBOURS = 3
"""Lines shown above and below."""
_GROUPS: Mapping[str, str] = {
    **{feature.name: feature.group for feature in FEATURES},
    **{f"wording_{name}": "wording" for name in CLASS_NAMES},
    **dict.fromkeys(STAGE_NAMES, "network's opinion"),
    **dict.fromkeys(WORD_NAMES, "words"),
    **dict.fromkeys(REPETITION_NAMES, "repetition across pages"),
    **dict.fromkeys(MARKUP_NAMES, "markup"),
    **dict.fromkeys(CUE_NAMES, "class names"),
    **dict.fromkeys(LANDMARK_NAMES, "landmarks of the site"),
    **dict.fromkeys(SITE_CUE_NAMES, "class names of the site"),
}


class Contribution(NamedTuple):
    """What one column adds to the score of each of CLASS_NAMES, in log-odds; value: what it holds, 0 to 255."""

    column: str
    group: str
    value: int
    scores: tuple[float, ...]


class StageExplanation(NamedTuple):
    """base: the mean scores of the page's lines; with all contributions it sums to scores, by class."""

    base: tuple[float, ...]
    contributions: tuple[Contribution, ...]
    scores: tuple[float, ...]

    def by_group(self) -> dict[str, tuple[float, ...]]:
        """The contributions of each group of columns, added up, the weightiest group first."""
        groups: dict[str, NDArray[np.float64]] = {}
        for one in self.contributions:
            groups[one.group] = groups.get(one.group, np.zeros(len(self.base))) + np.array(one.scores)
        ranked = sorted(groups.items(), key=lambda item: (-abs(item[1]).max(), item[0]))
        return {group: tuple(scores.tolist()) for group, scores in ranked}


class Explanation(NamedTuple):
    """Why a line has its label.

    own: the probabilities of CLASS_NAMES before the lines that it belongs with had their say; pooled: after, which is
    line.probabilities with the headline apart. body: the probability of being body, cut: the least that is kept on
    this page (above 1 if nothing is). copies: the numbers of the other lines of the page that read the same; template:
    of those that the same template has made, as far as HTML shows it. columns: the line's base columns. table: whether
    a repetition table was asked. network: the probabilities that the network gives, which are one of the second
    stage's groups of columns. repetition: what a table adds, or None where it knows nothing of the page's site.
    """

    line: Line
    is_headline: bool
    neighbours: tuple[Line, ...]
    own: tuple[float, ...]
    pooled: tuple[float, ...]
    body: float
    cut: float
    copies: tuple[int, ...]
    template: tuple[int, ...]
    columns: Mapping[str, int]
    table: bool
    network: tuple[float, ...]
    second: StageExplanation
    repetition: StageExplanation | None

    @property
    def most_probable(self) -> Label:
        """The label that is likeliest for the line by itself."""
        return LABELS[int(np.argmax(self.line.probabilities))]

    @property
    def cut_decided(self) -> bool:
        """Whether the page's cut, and not the line's most probable label, made it body or kept it from being body."""
        return (self.body >= self.cut) != (self.most_probable is Label.BODY)

    @property
    def reason(self) -> str:
        """What decided, in words."""
        label, reached = self.line.label, self.body >= self.cut
        if reached and label is not Label.BODY:
            return f"it reads as the headline does, and a copy of the headline is {label}"
        if self.cut > 1.0:
            return f"that no line of the page is body is likelier than not: this one is with {self.body:.3f}"
        side = "reaches" if reached else "is below"
        stands = f"its probability of being body, {self.body:.3f}, {side} the page's cut, {self.cut:.3f}"
        return f"the cut decided: {stands}" if self.cut_decided else f"it is the most probable label, and {stands}"


def explain(
    page: Page | str | bytes, number: int, *, model: Model | None = None,
    repetition: RepetitionTable | None = None, prefer: Preference | None = None,
) -> Explanation:  # fmt: skip
    """Why line `number` of a page, as label() counts them, has its label; the arguments are those of label().

    ValueError for a number that no line has, saying which do.
    """
    page = page if isinstance(page, Page) else Page(page)
    model = model or Model.default()
    labelled = label(page, model=model, repetition=repetition, prefer=prefer)
    place = _place(labelled, number)
    read = read_lines(page, model, repetition)
    return _explained(labelled, read, model, place, BETAS[read.format][prefer], repetition is not None)


def _place(labelled: LabelledPage, number: int) -> int:
    """Which of the page's lines has the number. ValueError if none has."""
    numbers = [line.number for line in labelled.lines]
    if number in numbers:
        return numbers.index(number)
    if not numbers:
        raise ValueError("the page has no lines")
    if not numbers[0] <= number <= numbers[-1]:
        raise ValueError(f"no line {number}: the lines of the page have the numbers {numbers[0]} to {numbers[-1]}")
    after = next(place for place, other in enumerate(numbers) if other > number)
    raise ValueError(f"line {number} is blank; the lines next to it are {numbers[after - 1]} and {numbers[after]}")


def _explained(
    labelled: LabelledPage, read: LinesRead, model: Model, place: int, beta: float, asked: bool
) -> Explanation:
    batch, columns, lines = read.batch, read.columns, labelled.lines
    classifier = model.classifiers[read.format]
    own = classifier.judge(columns, batch.page_offsets).probabilities
    pooled = pool(own, columns, batch.line_hashes, batch.page)
    body, cut = body_cuts(pooled, np.diff(batch.word_offsets), batch.page, batch.page_offsets, beta)
    network = softmax(classifier.first.scores(columns, batch.page_offsets))
    around = Neighbourhood({**columns, **stage_columns(network)}, batch.page_offsets)
    second = _with_landmarks(_second(classifier, around, place), columns, place)
    table = None
    if columns["site_known"][place]:
        scores = classifier.second_scores(around)
        before = softmax(scores + landmark_scores(columns) if LANDMARK_NAMES[0] in columns else scores)
        around = Neighbourhood({**columns, **stage_columns(before)}, batch.page_offsets)
        table = _of_trees(classifier.repetition, around, place).told()

    def like_it(keys: NDArray[np.uint64]) -> tuple[int, ...]:
        same = np.flatnonzero(keys == keys[place]).tolist()
        return tuple(lines[other].number for other in same if other != place)

    return Explanation(
        lines[place], lines[place] == labelled.headline,
        (*lines[max(place - NEIGHBOURS, 0) : place], *lines[place + 1 : place + 1 + NEIGHBOURS]),
        tuple(own[place].tolist()), tuple(pooled[place].tolist()),
        int(body[place]) / PROBABILITY_STEPS, int(cut[0]) / PROBABILITY_STEPS,
        like_it(batch.line_hashes), like_it(template_keys(columns)) if read.format == "html" else (),
        {name: int(column[place]) for name, column in columns.items()}, asked,
        tuple(network[:, place].tolist()), second, table,
    )  # fmt: skip


class _Parts(NamedTuple):
    """Of a line the mean scores of its page, what each column adds for it, what the column holds, and the sum."""

    base: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    held: dict[str, int]
    scores: NDArray[np.float64]

    def told(self) -> StageExplanation:
        order = sorted(self.values, key=lambda name: -abs(self.values[name]).max())
        contributions = tuple(
            Contribution(name, group_of(name), self.held[name], tuple(self.values[name].tolist()))
            for name in order
            if abs(self.values[name]).max() > _NOTHING
        )
        return StageExplanation(tuple(self.base.tolist()), contributions, tuple(self.scores.tolist()))


def _of_trees(stage: Stage, around: Neighbourhood, place: int) -> _Parts:
    matrix = around.matrix(stage.names)
    base, values = shapley_values(stage.forest, matrix, place)
    scores = stage.forest.scores(matrix[:, place : place + 1])[:, 0]
    return _Parts(
        base, dict(zip(stage.names, values, strict=True)),
        dict(zip(stage.names, matrix[:, place].tolist(), strict=True)), scores,
    )  # fmt: skip


def _second(classifier: LineClassifier, around: Neighbourhood, place: int) -> StageExplanation:
    """Network and trees together: what the network says of a class is a column, which the trees may ask for too."""
    trees, said = _of_trees(classifier.second, around, place), around.matrix(STAGE_NAMES)
    network = network_scores(said)
    mean, own = network.mean(axis=1), network[:, place]
    base, scores, values = trees.base + mean, trees.scores + own, dict(trees.values)
    for name, added in zip(STAGE_NAMES, np.diag(own - mean), strict=True):
        values[name] = added + values.get(name, 0.0)
    held = {**trees.held, **dict(zip(STAGE_NAMES, said[:, place].tolist(), strict=True))}
    return _Parts(
        classifier.calibrated(base[:, None])[:, 0], {name: value * classifier.slopes for name, value in values.items()},
        held, classifier.calibrated(scores[:, None])[:, 0],
    ).told()  # fmt: skip


def _with_landmarks(stage: StageExplanation, columns: Mapping[str, Bytes], place: int) -> StageExplanation:
    """What was taught of the page's site besides; each of its columns speaks for one class."""
    said = [
        Contribution(name, group_of(name), int(columns[name][place]), tuple(scores.tolist()))
        for names in (LANDMARK_NAMES, SITE_CUE_NAMES)
        for name, scores in zip(names, np.eye(len(names)), strict=True)
        if name in columns and columns[name][place] != NO_OPINION
    ]
    said = [
        one._replace(scores=tuple((one.value - NO_OPINION) / LANDMARK_STEPS * score for score in one.scores))
        for one in said
    ]
    found = sorted((*stage.contributions, *said), key=lambda one: -max(map(abs, one.scores)))
    sums = np.array(stage.scores) + np.sum([one.scores for one in said], axis=0) if said else np.array(stage.scores)
    return StageExplanation(stage.base, tuple(found), tuple(sums.tolist()))


def group_of(column: str) -> str:
    """The group that a column of a stage belongs to: what it tells, and of which lines.

    >>> group_of("words"), group_of("words[-1]"), group_of("p_body@page")
    ('size', 'size, lines around', "network's opinion, whole page")
    """
    own = re.match(r"\w*[^\W_]", column)
    name = own.group() if own else column
    where = "" if name == column else ", whole page" if column.endswith("@page") else ", lines around"
    return _GROUPS[name] + where
