"""Numbers -> pictures: each function gives one `<figure>` of HTML with its SVG inside it, for a report in one file.

The ink is the page's own (`currentColor`) and the colours are readable on light and on dark; nothing is asked of
another place. Matplotlib draws; without pyplot, so that no state is left behind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from html import escape

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from extractor.page import LABELS, Label
from extractor.training.measures import Score

Points = tuple[Sequence[float], Sequence[float]]
"""A line: its x and its y."""
Numbers = NDArray[np.float64] | NDArray[np.int64]

LABEL_COLOURS: Mapping[Label, str] = dict(zip(LABELS, ("#009e73", "#d98200", "#7f8790", "#3f8fd0"), strict=True))
COLOURS = (*LABEL_COLOURS.values(), "#c2609b", "#d4552a", "#a08a3a", "#7a6ff0")
"""Told apart by people who do not see all colours, on white and on black (after Okabe and Ito)."""
_QUIET = "#8a9199"
_INK = "#010203"
"""Stands for the colour of the page's text until the picture is written."""
_STYLE = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
    "text.color": _INK, "axes.edgecolor": _INK, "axes.labelcolor": _INK, "xtick.color": _INK, "ytick.color": _INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "grid.color": _QUIET,
    "grid.alpha": 0.35, "legend.frameon": False, "figure.facecolor": "none", "axes.facecolor": "none",
}  # fmt: skip
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
PANELS_IN_A_ROW = 3


def confusion_matrix(title: str, counts: Numbers, names: Sequence[str]) -> str:
    """Counts, (truth, prediction): each cell with its count and its share of the truth's row."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with _style(title):
        figure = Figure(figsize=(1.4 + 1.05 * len(names), 0.9 + 0.62 * len(names)), layout="constrained")
        axes = figure.subplots()
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
        for row, column in np.ndindex(*shares.shape):
            _cell(axes, row, column, float(shares[row, column]), int(counts[row, column]))
        axes.set_xticks(range(len(names)), names)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        return _figure(figure, title)


def reliability_diagram(title: str, curves: Mapping[str, Points]) -> str:
    """For each name mean probability (x) against the share of lines that it came true for (y), bin by bin."""
    with _style(title):
        figure, axes = _square()
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
        for (name, (x, y)), colour in zip(curves.items(), _colours(curves), strict=True):
            axes.plot(x, y, color=colour, marker="o", markersize=3, linewidth=1.4, label=name)
        return _finished(figure, axes, title, "probability", "share it holds for")


def precision_recall_curves(title: str, curves: Mapping[str, Points]) -> str:
    """For each name recall (x) against precision (y) as the threshold falls."""
    with _style(title):
        figure, axes = _square()
        for (name, (x, y)), colour in zip(curves.items(), _colours(curves), strict=True):
            axes.plot(x, y, color=colour, linewidth=1.4, label=name)
        return _finished(figure, axes, title, "recall", "precision")


def grouped_bars(title: str, groups: Mapping[str, Mapping[str, Score]], ours: Sequence[str] = ()) -> str:
    """A panel for each group (a page type), in it a bar with its interval for each name; `ours` stand out.

    A name that a group does not have leaves its place empty, so that the panels of a row can be read across.
    """
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    columns = min(PANELS_IN_A_ROW, len(groups))
    rows = -(-len(groups) // columns)
    with _style(title):
        figure = Figure(figsize=(1.2 + 2.6 * columns, rows * (0.7 + 0.2 * len(names))), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (group, bars) in zip(panels, groups.items(), strict=False):
            _bars(axes, names, bars, ours)
            axes.set_title(group, fontsize=9, loc="left")
        for axes in panels[len(groups) - columns : len(groups)]:
            axes.tick_params(labelbottom=True)
        for axes in panels[len(groups) :]:
            axes.set_visible(False)
        panels[0].set(xlim=(0, 1.06), ylim=(len(names) - 0.4, -0.6))
        return _figure(figure, title)


def learning_curve(title: str, curves: Mapping[str, Sequence[tuple[float, Score]]], x_name: str, y_name: str) -> str:
    """For each name its score, with its interval as a band, against how much was learned from."""
    with _style(title):
        figure = Figure(figsize=(6.2, 3.4), layout="constrained")
        axes = figure.subplots()
        for (name, points), colour in zip(curves.items(), _colours(curves), strict=True):
            x, scores = [x for x, _ in points], [score for _, score in points]
            axes.plot(x, [score.value for score in scores], color=colour, marker="o", markersize=3, label=name)
            low, high = [score.low for score in scores], [score.high for score in scores]
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.grid(axis="y")
        return _finished(figure, axes, title, x_name, y_name)


def _style(title: str) -> AbstractContextManager[None]:
    """Matplotlib's settings for one picture; the title makes the ids inside it its own, and the same every time."""
    settings: AbstractContextManager[None] = mpl.rc_context({**_STYLE, "svg.hashsalt": title})
    return settings


def _cell(axes: Axes, row: int, column: int, share: float, count: int) -> None:
    colour = LABEL_COLOURS[Label.BODY] if row == column else COLOURS[5]
    axes.bar(column, 0.92, width=0.96, bottom=row - 0.46, color=colour, alpha=0.08 + 0.6 * share)
    if count:
        axes.text(column, row, f"{share:.1%}\n{count:,}", ha="center", va="center", fontsize=8)


def _square() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.6, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set_box_aspect(1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.01)
    axes.grid()
    return figure, axes


def _bars(axes: Axes, names: Sequence[str], bars: Mapping[str, Score], ours: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in bars:
            score = bars[name]
            axes.barh(place, score.value, color=COLOURS[0] if name in ours else _QUIET, height=0.72, alpha=0.6)
            axes.plot([score.low, score.high], [place, place], color=_INK, linewidth=1)
            axes.text(0.02, place, f"{score.value:.3f}", va="center", fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def _colours(names: Mapping[str, object]) -> list[str]:
    """A colour for each name: labels have their own."""
    own = {label.value: colour for label, colour in LABEL_COLOURS.items()}
    return [own.get(name, COLOURS[place % len(COLOURS)]) for place, name in enumerate(names)]


def _finished(figure: Figure, axes: Axes, title: str, x_name: str, y_name: str) -> str:
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return _figure(figure, title)


def _figure(figure: Figure, title: str) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata=_NO_METADATA)
    svg = file.getvalue().partition("<svg")[2]
    svg = re.sub(r'<g id="[^"]+"', "<g", svg).replace(_INK, "currentColor")  # a page holds each id once
    name = escape(title)
    return f'<figure><figcaption>{name}</figcaption><svg role="img" aria-label="{name}"{svg.rstrip()}</figure>\n'
