"""An explanation -> text for a terminal, with tables, or one JSON object."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from extractor.classifier import COPIES_POOLED
from extractor.corpus.records import line_record
from extractor.explanation import Explanation, StageExplanation
from extractor.features import CLASS_NAMES, REPETITION_NAMES
from extractor.files import printable
from extractor.listing import COLOURS, json_line, listing_row
from extractor.page import LABELS
from extractor.sites import FOLDER_PREFIX

MOST_COLUMNS = 8
"""Columns listed one by one, of those that speak most loudly."""
_LEAST = 0.005
"""What would read 0.00 is left out."""
_LINES_NAMED = 20


def explanation_listing(name: str, found: Explanation) -> str:
    """What decided, what spoke for and against each label, the lines around, the evidence of repetition."""
    line, label = found.line, found.line.label
    title = f"{printable(name)}, line {line.number}: {label}{' (the headline)' if found.is_headline else ''}"
    parts: list[RenderableType] = [
        Text(title, style=f"bold {COLOURS[label]}"), Text(printable(line.text)), Text(""),
        Text(f"Why {label}: {found.reason}."), Text(""), _heading("Probabilities"), _probabilities(found), Text(""),
        _heading("What spoke for and against each label, in log-odds"), _groups(found.second), Text(""),
        _heading(f"The columns (of 0 to 255) that say most of {_class(found)}"), _loudest(found), Text(""),
        *_moved(found),
        _heading("The lines around"), *_around(found), Text(""), *_repetition(found),
    ]  # fmt: skip
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text))
    return "\n".join(row.rstrip() for row in capture.get().split("\n"))


def explanation_json(name: str, found: Explanation) -> str:
    """The same, and every column, as one JSON object on one line; scores in full."""
    return json_line({
        "file": name,
        "line": line_record(found.line),
        "headline": found.is_headline,
        "reason": found.reason,
        "body": found.body,
        "cut": found.cut,
        "cut_decided": found.cut_decided,
        "classes": CLASS_NAMES,
        "own": found.own,
        "pooled": found.pooled,
        "network": found.network,
        "second": _stage_record(found.second),
        "moved_by_table": None if found.repetition is None else _stage_record(found.repetition),
        "neighbours": [line_record(line) for line in found.neighbours],
        "copies": found.copies,
        "template": found.template,
        "repetition": {name: found.columns[name] for name in REPETITION_NAMES} if found.table else None,
        "columns": found.columns,
    })  # fmt: skip


def _stage_record(stage: StageExplanation) -> dict[str, Any]:
    contributions = [one._asdict() for one in stage.contributions]
    return {"base": stage.base, "groups": stage.by_group(), "contributions": contributions, "scores": stage.scores}


def _probabilities(found: Explanation) -> Table:
    table = _table("", *CLASS_NAMES)
    table.add_row("by the network", *(f"{value:.3f}" for value in found.network))
    table.add_row("of the line by itself", *(f"{value:.3f}" for value in found.own))
    if found.pooled != found.own:
        table.add_row(f"among {_belonging(found)}", *(f"{value:.3f}" for value in found.pooled))
    return table


def _belonging(found: Explanation) -> str:
    """The lines that had a say in what is thought of it."""
    made_alike = [f"{len(found.template)} of its template"] if found.template else []
    copies = [f"{len(found.copies)} copies"] if len(found.copies) + 1 >= COPIES_POOLED else []
    return " and ".join(made_alike + copies)


def _groups(stage: StageExplanation) -> Table:
    table = _table("columns", *CLASS_NAMES)
    table.add_row("the page's lines on average", *map(_signed, stage.base))
    for group, scores in stage.by_group().items():
        if abs(max(scores, key=abs)) >= _LEAST:
            table.add_row(group, *map(_signed, scores))
    table.add_section()
    table.add_row("score: the sum", *map(_signed, stage.scores))
    return table


def _loudest(found: Explanation) -> Table:
    """Columns one by one, by what they say of the label that the line has."""
    chosen = CLASS_NAMES.index(_class(found))
    ranked = sorted(found.second.contributions, key=lambda one: (-abs(one.scores[chosen]), one.column))
    table = _table("column", "holds", _class(found))
    for one in ranked[:MOST_COLUMNS]:
        table.add_row(one.column, str(one.value), _signed(one.scores[chosen]))
    return table


def _moved(found: Explanation) -> list[RenderableType]:
    if found.repetition is None:
        return []
    return [_heading("What the repetition table adds, in log-odds"), _groups(found.repetition), Text("")]


def _around(found: Explanation) -> list[Text]:
    lines = sorted((*found.neighbours, found.line))
    width = len(str(lines[-1].number))
    rows = [listing_row(line, width, is_headline=line == found.line and found.is_headline) for line in lines]
    marks = ["> " if line == found.line else "  " for line in lines]
    return [Text(mark).append_text(row) for mark, row in zip(marks, rows, strict=True)]


def _repetition(found: Explanation) -> list[Text]:
    numbers = ", ".join(map(str, found.copies[:_LINES_NAMED])) + (", ..." if len(found.copies) > _LINES_NAMED else "")
    if not found.copies:
        on_page = "On this page no other line reads the same."
    elif len(found.copies) + 1 < COPIES_POOLED:
        on_page = f"On this page it stands {len(found.copies) + 1} times, also as {numbers}."
    else:
        on_page = (
            f"On this page it stands {len(found.copies) + 1} times, also as {numbers}: all share one opinion of body."
        )
    if not found.table:
        across = "Across pages: no repetition table was asked (--repetition TABLE --site SITE)."
    elif not found.columns["site_known"]:
        across = (
            "Across pages: the repetition table knows no site of that name whose pages share enough with this one "
            f"(--site takes a host, or {FOLDER_PREFIX}NAME for a folder)."
        )
    else:
        values = ", ".join(f"{name} {found.columns[name]}" for name in REPETITION_NAMES)
        across = f"Across pages, as columns from 0 to 255: {values}."
    return [Text(on_page), Text(across)]


def _class(found: Explanation) -> str:
    """The class that goes by the line's label."""
    return CLASS_NAMES[0 if found.is_headline else LABELS.index(found.line.label) + 1]


def _heading(text: str) -> Text:
    return Text(text, style="italic")


def _table(*heads: str) -> Table:
    table = Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _signed(value: float) -> str:
    return f"{value:+.2f}"
