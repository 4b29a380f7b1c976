from __future__ import annotations

import dataclasses
from itertools import accumulate

import numpy as np
import pytest

from extractor import Label, LabelledPage, Page
from extractor.page import LABELS, Layout, Line, TextLines

BODY, HEADER, NAV, RELATED = LABELS
CERTAIN = {label: tuple(float(other is label) for other in LABELS) for label in LABELS}


def labelled_page(
    *rows: tuple[Label, str], blank_before: str = "", headline: int | None = None, **facts
) -> LabelledPage:
    """Rows of label and text; blank_before: "_" for each row with a blank line above, "." for the others."""
    labels = tuple(label for label, _ in rows)
    blanks = [mark == "_" for mark in blank_before or "." * len(rows)]
    ends = list(accumulate(len(text) + 1 for _, text in rows))
    lines = TextLines("\n".join(text for _, text in rows), [0, *ends[:-1]], [end - 1 for end in ends])
    layout = Layout(list(range(1, len(rows) + 1)), lines, bytes(blanks))
    given = {"format": "text", "encoding": "str", "kind": "article", "kind_probability": 0.9, **facts}
    certain = np.array([CERTAIN[label] for label in labels])
    return LabelledPage(Page(""), layout, labels, certain, headline=headline, **given)


ARTICLE = labelled_page(
    (NAV, "Home | News"),
    (HEADER, "The Daily Lantern"),
    (BODY, "Lamp lit again"),
    (HEADER, "By A. Wick"),
    (BODY, "The lamp on the quay burns again."),
    (RELATED, "Read more: Harbour dredged"),
    (BODY, "It had been dark for a year."),
    (NAV, "Share"),
    blank_before="._____..",
    headline=2,
)


def test_labels_are_strings_in_a_fixed_order() -> None:
    assert [*LABELS] == ["body", "header", "nav", "related-link"]
    assert str(Label.RELATED_LINK) == f"{Label.RELATED_LINK}" == "related-link"


def test_the_text_is_the_body_lines() -> None:
    assert ARTICLE.text() == "Lamp lit again\n\nThe lamp on the quay burns again.\n\nIt had been dark for a year."


def test_the_headline_can_be_left_out() -> None:
    assert ARTICLE.text(headline=False).startswith("The lamp on the quay")
    assert ARTICLE.headline is not None
    assert ARTICLE.headline.text == ARTICLE.title == "Lamp lit again"


def test_other_labels_can_be_kept() -> None:
    assert ARTICLE.text(keep={Label.HEADER}) == "The Daily Lantern\n\nBy A. Wick"
    assert ARTICLE.text(keep={"nav"}) == "Home | News\n\nShare"  # type: ignore[arg-type]
    assert ARTICLE.text(keep=()) == ""


def test_a_label_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="footer"):
        ARTICLE.text(keep={"footer"})  # type: ignore[arg-type]


def test_several_blank_lines_become_one_and_the_first_line_has_none_above() -> None:
    page = labelled_page(
        (NAV, "x"), (BODY, "one"), (NAV, "y"), (BODY, "two"), (BODY, "three"), blank_before="._..."[:5]
    )
    assert page.text() == "one\ntwo\nthree"
    page = labelled_page((BODY, "one"), (NAV, "y"), (BODY, "two"), blank_before="__.")
    assert page.text() == "one\n\ntwo"


def test_lines_stand_as_they_stood() -> None:
    page = labelled_page((BODY, "    indented, with a trailing tab\t"), (BODY, "  * item"))
    assert page.text() == "    indented, with a trailing tab\t\n  * item"


def test_unwrap_joins_the_lines_of_a_hard_wrapped_paragraph() -> None:
    page = labelled_page(
        (BODY, "A lighthouse keeper who has nothing to do"),
        (BODY, "counts ships. One who has much to do has"),
        (BODY, "no time to, and there are none."),
        (BODY, "The next paragraph."),
        blank_before="..._",
    )
    assert page.text(unwrap=True) == (
        "A lighthouse keeper who has nothing to do counts ships. One who has much to do has no time to, and there"
        " are none.\n\nThe next paragraph."
    )


def test_unwrap_never_joins_over_a_dropped_line() -> None:
    page = labelled_page(
        (BODY, "A lighthouse keeper who has nothing to do"),
        (NAV, "Advertisement: ships in bottles, any size"),
        (BODY, "counts ships."),
    )
    assert page.text(unwrap=True) == "A lighthouse keeper who has nothing to do\ncounts ships."


def test_lines_carry_number_text_label_and_probabilities() -> None:
    assert ARTICLE.lines[1] == Line(2, "The Daily Lantern", HEADER, (0.0, 1.0, 0.0, 0.0))
    assert ARTICLE.lines is ARTICLE.lines
    assert "8 lines, 3 body" in repr(ARTICLE)


def test_the_title_falls_back_on_the_head_of_the_page() -> None:
    assert labelled_page((BODY, "text"), title="From the head").title == "From the head"
    assert labelled_page((BODY, "text")).title is None
    assert labelled_page((BODY, "text")).headline is None


@pytest.mark.parametrize("line", ["Lamp lit", "## Lamp lit", "  Lamp lit¶", "# Lamp lit ¶"])
def test_the_marks_of_a_heading_are_no_part_of_the_title(line: str) -> None:
    page = labelled_page((BODY, line), headline=0)
    assert (page.title, page.text()) == ("Lamp lit", line)


def test_a_page_with_other_labels() -> None:
    others = (NAV, BODY, HEADER, *ARTICLE.labels[3:])
    changed = ARTICLE.with_labels(others)
    assert [line.label for line in changed.lines] == [*others]
    assert changed.text().startswith("The Daily Lantern\n\nThe lamp on the quay")
    assert changed.headline is None
    assert ARTICLE.with_labels((BODY, *ARTICLE.labels[1:])).headline == ARTICLE.headline
    assert ARTICLE.text().startswith("Lamp lit again")  # the page itself is as it was
    assert list(changed.blanks) == [False, *[True] * 5, False, False]
    with pytest.raises(ValueError, match="give one for each"):
        ARTICLE.with_labels(others[1:])
    with pytest.raises(ValueError, match="boddy"):
        ARTICLE.with_labels(["boddy"] * len(others))
    named = ARTICLE.with_labels([str(label) for label in ARTICLE.labels])
    assert (named.labels, named.headline) == (ARTICLE.labels, ARTICLE.headline)


def test_a_page_takes_text_and_bytes_and_nothing_else() -> None:
    assert Page("text") == Page("text", None, None, None, None)
    assert Page(b"bytes", id="1", url="https://example.org/", site="example.org", kind="text").kind == "text"
    for wrong in (None, 3, ["text"], bytearray(b"text")):
        with pytest.raises(TypeError, match="a page is str or bytes"):
            Page(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="pdf"):
        Page("text", kind="pdf")  # type: ignore[arg-type]


def test_records_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Page("text").content = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        ARTICLE.lines[0].label = BODY  # type: ignore[misc]
