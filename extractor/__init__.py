"""Strip boilerplate from web pages and from plain-text dumps of web pages.

>>> from extractor import extract, label
>>> extract("")
''
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from extractor.errors import LabelsError, ModelError, TableError
from extractor.labelling import Preference, label, label_many
from extractor.model_file import Model
from extractor.page import BODY_ONLY, Label, LabelledPage, Line, Page

__all__ = [
    "Label", "LabelledPage", "LabelsError", "Line", "Model", "ModelError", "Page", "RepetitionTable", "TableError",
    "extract", "label", "label_many",
]  # fmt: skip
__version__ = "0.1.0"

if TYPE_CHECKING:
    from extractor.repetition import RepetitionTable as RepetitionTable


def __getattr__(name: str) -> Any:
    if name == "RepetitionTable":  # it loads what labelling a page does without
        from extractor.repetition import RepetitionTable

        return RepetitionTable
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def extract(
    page: Page | str | bytes,
    *,
    model: Model | None = None,
    repetition: RepetitionTable | None = None,
    prefer: Preference | None = None,
    headline: bool = True,
    keep: Collection[Label] = BODY_ONLY,
    unwrap: bool = False,
) -> str:
    """The clean text of a page: its body lines, in order, each as it stood; "" where it has none.

    page: str or bytes (HTML or a plain-text dump, told apart by looking) or Page. model, repetition, prefer: see
    label_many(). headline, keep, unwrap: see LabelledPage.text(). TypeError for a page of another type.
    """
    return label(page, model=model, repetition=repetition, prefer=prefer).text(
        headline=headline, keep=keep, unwrap=unwrap
    )
