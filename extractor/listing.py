"""Labelled pages and summaries -> what a terminal shows, coloured where it can show colours, plain elsewhere."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from extractor.corpus.records import line_record
from extractor.files import printable
from extractor.page import LABELS, Label, LabelledPage, Line

if TYPE_CHECKING:
    from extractor.corpus.records import Summary
    from extractor.repetition import RepetitionTable

COLOURS = {Label.BODY: "green", Label.HEADER: "cyan", Label.NAV: "bright_black", Label.RELATED_LINK: "magenta"}
_LABEL_WIDTH = max(map(len, LABELS))
_ROWS_AT_ONCE = 500
_SITES_SHOWN = 30
PAGES_SHOWN = 100
"""Pages that are named on the terminal, of those that failed or were left out; all stand in a file."""
_STEERING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON may hold raw, but a terminal must not see, or UTF-8 cannot say."""


def listing(labelled: LabelledPage) -> str:
    """One row a line: number, label ("*" marks the headline), the label's probability, the line."""
    lines = labelled.lines
    if not lines:
        return "no lines: the page is empty\n"
    headline = labelled.headline
    width = len(str(lines[-1].number))
    rows = (listing_row(line, width, is_headline=line == headline) for line in lines)
    return rendered(rows)


def listing_row(line: Line, width: int, *, is_headline: bool = False) -> Text:
    """A row of a listing whose line numbers have `width` digits."""
    probability = line.probabilities[LABELS.index(line.label)]
    mark = "*" if is_headline else " "
    start = f"{line.number:>{width}} {line.label:<{_LABEL_WIDTH}}{mark} {probability:.2f}  "
    return Text(start + printable(line.text), style=COLOURS[line.label])


def rendered(rows: Iterable[Text]) -> str:
    """Rows of text, never broken, with the colours that standard output can show."""
    stream = iter(rows)
    console = _console()
    with console.capture() as capture:
        while group := list(islice(stream, _ROWS_AT_ONCE)):
            console.print(Text("\n").join(group), soft_wrap=True)
    return capture.get()


def page_json(labelled: LabelledPage) -> str:
    """A page and its lines as one JSON object on one line."""
    headline = labelled.headline
    return json_line({
        "id": labelled.id,
        "format": labelled.format,
        "encoding": labelled.encoding,
        "title": labelled.title,
        "headline": headline.number if headline is not None else None,
        "kind": labelled.kind,
        "kind_probability": round(labelled.kind_probability, 4),
        "lines": [line_record(line) for line in labelled.lines],
    })  # fmt: skip


def json_line(record: Mapping[str, Any]) -> str:
    """A record as JSON on one line, with nothing raw that a terminal must not see."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(record, ensure_ascii=False)) + "\n"


def summary_table(summary: Summary) -> str:
    """What became of a folder: pages, lines by label, share of the text kept, failures."""
    table = Table("", "kept", "dropped", box=None, title_justify="left", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, kept, dropped in zip(LABELS, summary.kept, summary.dropped, strict=True):
        table.add_row(Text(f"{label} lines", style=COLOURS[label]), f"{kept:,}", f"{dropped:,}")
    table.add_row("all lines", f"{sum(summary.kept):,}", f"{sum(summary.dropped):,}")
    console = _console()
    with console.capture() as capture:
        console.print(_sentence(summary), soft_wrap=True)
        console.print(table)
    return capture.get()


def left_out_listing(pages: Iterator[dict[str, Any]]) -> str:
    """A row for each page that is not written since it was not wanted; of many, the first."""
    rows = [f"left out: {printable(page['name'])}: {printable(page['reason'])}" for page in islice(pages, PAGES_SHOWN)]
    more = sum(1 for _ in pages)
    rows += [f"and {more:,} more left out"] if more else []
    return rendered(map(Text, rows)) if rows else ""


def table_listing(name: str, table: RepetitionTable, *, all_sites: bool = False) -> str:
    """What a table of repeated lines knows: its card, and the pages of each site, most first."""
    pages = {site: count for site, count in table.pages_by_site.items() if site}
    unknown = table.pages_by_site[""]
    facts = [
        f"{printable(name)}: a table of repeated lines",
        f"{table.card['pages']:,} pages counted, {table.card['distinct_pages']:,} distinct (copies on a site are one)",
        f"{sum(count > 0 for count in pages.values()):,} sites known, {unknown:,} pages of unknown site",
        "for pages that were not counted too" if table.card["single"] else "for the pages that were counted only",
        "can be merged" if table.mergeable else "cannot be merged (build it with --mergeable)",
    ]
    ranked = sorted(((count, site) for site, count in pages.items() if count), key=lambda row: (-row[0], row[1]))
    shown = ranked if all_sites else ranked[:_SITES_SHOWN]
    width = max((len(f"{count:,}") for count, _ in shown), default=0)
    rows = [f"{count:>{width},}  {printable(site)}" for count, site in shown]
    rows += [f"and {len(ranked) - len(shown):,} more sites (--all shows them)"] if len(ranked) > len(shown) else []
    return rendered(map(Text, [*facts, *(["", "pages by site", *rows] if rows else [])]))


def _sentence(summary: Summary) -> str:
    lines = sum(summary.kept) + sum(summary.dropped)
    kept = sum(summary.kept) / max(lines, 1)
    text = summary.characters_out / max(summary.characters_in, 1)
    parts = [
        f"{summary.pages:,} {_pages(summary.pages)} cleaned",
        f"{kept:.0%} of the lines and {min(text, 1):.0%} of the text kept",
    ]
    parts += [f"{summary.empty:,} {_pages(summary.empty)} with nothing to keep"] if summary.empty else []
    parts += [f"{summary.left_out:,} left out"] if summary.left_out else []
    return ", ".join([*parts, f"{summary.failed:,} failed"])


def _pages(count: int) -> str:
    return "page" if count == 1 else "pages"


def _console() -> Console:
    """A console that colours as standard output allows; what it prints is captured and written in UTF-8."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
