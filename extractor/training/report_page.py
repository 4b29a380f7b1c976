"""Sections of a report -> one Markdown file, or one HTML file that asks nothing of another place.

A cell of a table is plain text; pictures and other HTML of a section come ready made (charts.py), and stand in the
HTML file only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-top: .5rem; border-top: 1px solid #8886; }
nav a { margin-right: 1em; white-space: nowrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #8884; white-space: nowrap; }
th:first-child, td:first-child { position: sticky; left: 0; background: Canvas; }
figure { display: inline-block; margin: 1rem 1.5rem 1rem 0; vertical-align: top; max-width: 100%; }
figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; }
"""


class Table(NamedTuple):
    """A head and rows of as many cells each."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """As a Markdown table."""
        return "\n".join([_row(self.head), "|" + " --- |" * len(self.head), *(_row(row) for row in self.rows)])

    def html(self) -> str:
        """As an HTML table that scrolls where it is too wide."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in self.rows)
        return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a plain paragraph, tables, and for the HTML file pictures and other HTML; style: CSS of that.

    draw: gives the pictures, asked only where they are shown."""

    heading: str
    text: str = ""
    tables: Sequence[Table] = ()
    draw: Callable[[], Iterable[str]] = tuple
    html: str = ""
    style: str = ""

    def filled(self) -> bool:
        """Whether there is more to it than its heading."""
        return bool(self.text or self.html or any(table.rows for table in self.tables))


def as_markdown(title: str, sections: Iterable[Section]) -> str:
    """The text and the tables of the sections."""
    parts = [f"# {title}"]
    for section in sections:
        tables = [table.markdown() for table in section.tables if table.rows]
        if section.text or tables:
            parts += [f"## {section.heading}", *filter(None, [section.text]), *tables]
    return "\n\n".join(parts) + "\n"


def as_html(title: str, sections: Iterable[Section]) -> str:
    """One HTML page of all sections that are not empty."""
    filled = [section for section in sections if section.filled()]
    links = "".join(f'<a href="#s{number}">{escape(one.heading)}</a> ' for number, one in enumerate(filled))
    style = _STYLE + "".join(section.style for section in filled)
    body = "".join(_section(number, section) for number, section in enumerate(filled))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n<nav>{links}</nav>\n{body}</body>\n</html>\n"
    )


def _section(number: int, section: Section) -> str:
    text = f"<p>{escape(section.text)}</p>\n" if section.text else ""
    tables = "".join(table.html() for table in section.tables if table.rows)
    pictures = "".join(section.draw())
    return f'<h2 id="s{number}">{escape(section.heading)}</h2>\n{text}{tables}{pictures}{section.html}\n'


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
