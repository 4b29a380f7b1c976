"""Pictures for reports: well-formed, one colour scheme for light and dark, nothing asked of another place."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install '.[train]')")


from extractor.training import charts
from extractor.training.measures import Score

NAMES = ("body", "header", "nav", "related-link")
LINE = ([0.1, 0.5, 0.9], [0.2, 0.4, 1.0])


def _score(value: float) -> Score:
    return Score(value, value - 0.1, min(1.0, value + 0.05), 20, 9)


PICTURES = {
    "Labels, true & predicted": lambda title: charts.confusion_matrix(title, np.eye(4, dtype=int) * 1234, NAMES),
    "Reliability": lambda title: charts.reliability_diagram(title, {"nav": LINE, "body": LINE}),
    "Precision and recall": lambda title: charts.precision_recall_curves(title, {"body": LINE, "header": LINE}),
    "F1 by page type": lambda title: charts.grouped_bars(
        title, {kind: {"ours": _score(0.9), "<peer>": _score(0.625)} for kind in "abcd"}, ours=["ours"]
    ),
    "Learning": lambda title: charts.learning_curve(
        title, {"accuracy": [(0.1, _score(0.6)), (1.0, _score(0.8))]}, "share of the lines", "accuracy"
    ),
}


@pytest.mark.parametrize("title", PICTURES)
def test_a_picture_is_well_formed_and_names_itself(title: str) -> None:
    figure = ElementTree.fromstring(PICTURES[title](title))
    assert figure.tag == "figure"
    assert figure[0].text == title
    assert figure[1].get("aria-label") == title


@pytest.mark.parametrize("title", PICTURES)
def test_a_picture_takes_the_ink_of_its_page_and_asks_nothing_of_others(title: str) -> None:
    drawn = PICTURES[title](title)
    assert "currentColor" in drawn
    assert not re.findall(r"fill: ?#000000|#ffffff|<image|<script|url\((?!#)", drawn)
    assert {link[:1] for link in re.findall(r'href="([^"]*)"', drawn)} <= {"#"}


def test_pictures_of_one_page_share_no_id_and_are_the_same_every_time() -> None:
    drawn = [draw(title) for title, draw in PICTURES.items()]
    ids = re.findall(r' id="([^"]*)"', "".join(drawn))
    assert ids
    assert len(ids) == len(set(ids))
    assert drawn == [draw(title) for title, draw in PICTURES.items()]


def test_a_cell_tells_its_count_and_its_share_of_the_true_label() -> None:
    drawn = charts.confusion_matrix("t", np.array([[30, 10], [0, 1500]]), ("body", "rest"))
    assert all(f">{text}<" in drawn for text in ("75.0%", "25.0%", "30", "1,500"))


def test_bars_of_other_extractors_stand_back() -> None:
    groups = {"forum": {"ours": _score(0.75), "peer": _score(0.5)}}
    drawn = charts.grouped_bars("t", groups, ours=["ours"])
    assert drawn.count(f"fill: {charts.COLOURS[0]}") == 1
    assert all(f">{text}<" in drawn for text in ("0.750", "0.500", "forum", "peer"))
