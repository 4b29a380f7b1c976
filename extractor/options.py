"""Options that several commands have, and what their values mean."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from extractor.corpus.folder import ENDINGS
from extractor.labelling import Preference
from extractor.page import Label, PageFormat


class FormatChoice(str, Enum):
    """--format: how a page is read."""

    TEXT = "text"
    HTML = "html"


class PreferChoice(str, Enum):
    """--prefer: which way an uncertain line falls."""

    PRECISION = "precision"
    RECALL = "recall"


FileArgument = Annotated[str, typer.Argument(metavar="FILE|-", help="A page, HTML or plain text; - is standard input.")]
NoHeadline = Annotated[bool, typer.Option("--no-headline", help="Leave the headline out.")]
Keep = Annotated[
    list[Label] | None, typer.Option("--keep", help="Keep the lines of this label (repeatable); body unless given.")
]
TablePath = Annotated[
    Path | None,
    typer.Option("--repetition", metavar="TABLE", help="Take the repeated lines of this table as evidence."),
]
Unwrap = Annotated[bool, typer.Option("--unwrap", help="Join the lines of hard-wrapped paragraphs.")]
Format = Annotated[
    FormatChoice | None,
    typer.Option("--format", help="Read the page so; if not given, as its name ends, or found by looking."),
]
ModelPath = Annotated[Path | None, typer.Option("--model", help="A model file (.npz) in place of the shipped one.")]
Prefer = Annotated[
    PreferChoice | None, typer.Option("--prefer", help="Drop more (precision) or keep more (recall) than F1 asks for.")
]


def page_format(format: FormatChoice | None, file: str) -> PageFormat | None:
    """How the page in a file is to be read, as Page has it: as asked, or as `clean` reads what ends so."""
    if format is not None:
        return "text" if format is FormatChoice.TEXT else "html"
    return ENDINGS.get(Path(file).suffix.lower())


def preference(prefer: PreferChoice | None) -> Preference | None:
    """What label() and its like take."""
    return None if prefer is None else "precision" if prefer is PreferChoice.PRECISION else "recall"
