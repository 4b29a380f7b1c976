"""Why a line has its label: what is said adds up to what label() decides with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from extractor import Label, Model, Page, RepetitionTable, label
from extractor.characters import read_texts
from extractor.classifier import softmax
from extractor.cli import app
from extractor.counting import PageLines
from extractor.explanation import Explanation, explain, group_of
from extractor.explanation_listing import explanation_listing
from extractor.features import CLASS_NAMES
from extractor.labelling import read_lines
from extractor.landmarks import Landmarks
from extractor.repetition import RepetitionCounter
from extractor.wording import WordingTable

DUMP = """Start | Harbour | Weather | Contact

Night ferry to run until October

Published on 4 May, 07:12

The night ferry between the two harbours will keep running until the middle of October, the council said on Monday.
Last year it stopped in August, and many who work late had to walk the long way round.

Share

The last boat leaves at ten past one. Tickets cost the same as by day.

Share
Share
Share

More stories
Fog closes the bridge
Who paints the lighthouse?
© 2021 Harbour Post
"""
HTML = (
    "<html><head><title>Night ferry</title></head><body><ul class='menu'><li><a href='/'>Start</a>"
    "<li><a href='/w'>Weather</a></ul><article><h1>Night ferry to run until October</h1>"
    "<p>The night ferry between the two harbours will keep running until the middle of October, said the council."
    "<p>Last year it stopped in August, and many who work late had to walk the long way round.</article>"
    "<div class='teasers'><a href='/fog'>Fog closes the bridge</a></div></body></html>"
)


def lines_of(page: str) -> list[int]:
    return [line.number for line in label(page).lines]


@pytest.mark.parametrize("page", [DUMP, HTML], ids=["dump", "html"])
def test_contributions_and_base_sum_to_the_score(model: Model, page: str) -> None:
    for number in lines_of(page)[::3]:
        found = explain(page, number, model=model)
        for stage in filter(None, (found.second, found.repetition)):
            parts = np.array([one.scores for one in stage.contributions]).reshape(-1, len(CLASS_NAMES))
            np.testing.assert_allclose(np.array(stage.base) + parts.sum(axis=0), stage.scores, atol=1e-6)
            groups = np.array(list(stage.by_group().values())).reshape(-1, len(CLASS_NAMES))
            np.testing.assert_allclose(groups.sum(axis=0), parts.sum(axis=0), atol=1e-9)
        np.testing.assert_allclose(softmax(np.array(found.second.scores)[:, None])[:, 0], found.own, atol=1e-9)


@pytest.mark.parametrize("page", [DUMP, HTML], ids=["dump", "html"])
def test_it_is_the_decision_that_label_makes(model: Model, page: str) -> None:
    labelled = label(page, model=model)
    for line in labelled.lines:
        found = explain(page, line.number, model=model)
        assert found.line == line
        assert found.is_headline == (line == labelled.headline)
        np.testing.assert_allclose(found.pooled[0] + found.pooled[1], line.probabilities[0], atol=1e-12)
        assert (line.label is Label.BODY) <= (found.body >= found.cut)
        assert found.cut_decided == ((found.body >= found.cut) != (line.probabilities[0] == max(line.probabilities)))


def test_copies_share_one_opinion_and_are_named() -> None:
    numbers = [line.number for line in label(DUMP).lines if line.text == "Share"]
    found = explain(DUMP, numbers[1])
    assert found.copies == tuple(number for number in numbers if number != numbers[1])
    assert found.pooled != found.own
    assert "all share one opinion" in explanation_listing("page", found)
    assert explain(DUMP, 1).copies == ()


def test_lines_of_a_template_have_a_say_and_are_named() -> None:
    teasers = "".join(f"<li class=teaser><a href=/{n}>Story number {n} of many</a></li>" for n in range(5))
    page = f"<html><body><p>The bridge reopened on Monday.</p><ul>{teasers}</ul></body></html>"
    found = explain(page, 3)
    assert found.template == (2, 4, 5, 6)
    assert found.pooled != found.own
    assert "among 4 of its template" in explanation_listing("page", found)
    assert explain(page, 1).template == ()


def test_the_neighbours_are_the_lines_around() -> None:
    found = explain(DUMP, 3)
    numbers = lines_of(DUMP)
    assert [line.number for line in found.neighbours] == [numbers[0], *numbers[2:5]]


@pytest.mark.parametrize(
    ("number", "message"),
    [(2, "line 2 is blank; the lines next to it are 1 and 3"), (0, "numbers 1 to 21"), (99, "numbers 1 to 21")],
)
def test_a_number_that_no_line_has(number: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explain(DUMP, number)


def test_a_page_without_lines() -> None:
    with pytest.raises(ValueError, match="no lines"):
        explain(" \n\n", 1)


def test_the_only_line_of_a_page_is_all_base(model: Model) -> None:
    found = explain("Menu | Search", 1, model=model)
    assert not found.second.contributions
    assert found.second.base == pytest.approx(found.second.scores)


def test_a_page_of_few_words_that_has_no_body(shipped_model: Model) -> None:
    found = explain("Menu | Search", 1, model=shipped_model)
    assert found.line.label is not Label.BODY
    assert found.cut > 1.0 > found.body
    assert "no line of the page is body" in found.reason
    assert "no line of the page is body" not in explain("The lamp is lit again.", 1, model=shipped_model).reason


def test_groups_say_what_a_column_tells_and_of_which_lines() -> None:
    assert group_of("wording_nav") == "wording"
    assert group_of("prose_") == group_of("prose^") == "layout, lines around"
    assert group_of("near_cue_body[-1]") == "class names, lines around"
    assert group_of("link_share@page") == "markup, whole page"


def test_every_column_of_the_shipped_model_has_a_group(shipped_model: Model) -> None:
    for classifier in shipped_model.classifiers.values():
        for name in (*classifier.second.names, *classifier.repetition.names):
            assert group_of(name)


def test_a_table_is_evidence_that_is_shown() -> None:
    with RepetitionCounter() as counter:
        for number in range(6):
            counter.add(PageLines.of(read_texts([DUMP.replace("October", f"week {number}")])), ["harbour"])
        table: RepetitionTable = counter.finish(single=True)
    found = explain(Page(DUMP, site="harbour"), 1, repetition=table)
    assert found.columns["repeated_share"] > 200
    assert "repeated_share" in explanation_listing("page", found)
    assert "knows no site of that name" in explanation_listing("page", explain(Page(DUMP), 1, repetition=table))


# --- the command ------------------------------------------------------------------------------------


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.txt"
    path.write_text(DUMP, encoding="utf-8")
    return path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_says_what_decided(dump: Path) -> None:
    code, output, _ = run(str(dump), "7")
    assert code == 0
    assert "line 7: body" in output
    assert "score: the sum" in output
    assert ">  7 body" in output


def test_json_holds_all_of_it(dump: Path) -> None:
    _, output, _ = run(str(dump), "7", "--json")
    record = json.loads(output)
    found: Explanation = explain(DUMP, 7)
    assert record["second"]["scores"] == list(found.second.scores)
    assert record["line"]["label"] == "body"
    assert record["repetition"] is None
    assert len(record["columns"]) == len(found.columns)


@pytest.mark.parametrize(("line", "message"), [("2", "is blank"), ("500", "numbers 1 to 21"), ("x", "LINE")])
def test_a_wrong_line_is_refused(dump: Path, line: str, message: str) -> None:
    code, output, error = run(str(dump), line)
    assert code == 2
    assert not output
    assert message in error


def test_terminal_codes_of_a_page_are_shown_not_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("\x1b[2Jgone\n\nThe tide was out.\n", encoding="utf-8")
    code, output, _ = run(str(path), "1")
    assert code == 0
    assert "\x1b" not in output


# --- a taught model ---------------------------------------------------------------------------------


def test_landmarks_are_among_what_sums_to_the_score(random_model: Model) -> None:
    text = "Home\nPrint this page\nA sentence of the text, long enough to be one.\nLeave a reply\nFooter"
    hashes = np.unique(read_lines(Page(text), random_model).batch.line_hashes >> np.uint64(32)).astype(np.uint32)
    weights = np.random.default_rng(0).integers(-90, 90, (256, len(CLASS_NAMES))).astype(np.int8)
    landmarks = Landmarks(hashes, np.zeros(len(hashes), np.int64), WordingTable(weights))
    found = explain(text, 3, model=replace(random_model, landmarks={"text": landmarks}))
    assert "landmarks of the site" in found.second.by_group()
    total = np.array(found.second.base) + np.sum([one.scores for one in found.second.contributions], axis=0)
    np.testing.assert_allclose(total, found.second.scores, atol=1e-9)
    np.testing.assert_allclose(softmax(np.array(found.second.scores)[:, None])[:, 0], found.own, atol=1e-9)
