"""Strip boilerplate from web pages and from plain-text dumps of web pages.

>>> from extractor import extract, label
>>> extract("")
''
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy  # noqa: F401  nothing is labelled without it: loaded here, so that the first page need not wait for it

from extractor.errors import LabelsError, ModelError, TableError
from extractor.page import BODY_ONLY, Label, LabelledPage, Line, Page

if TYPE_CHECKING:
    from extractor.labelling import Preference, label, label_many
    from extractor.model_file import Model
    from extractor.repetition import RepetitionTable

__all__ = [
    "Label", "LabelledPage", "LabelsError", "Line", "Model", "ModelError", "Page", "RepetitionTable", "TableError",
    "extract", "label", "label_many",
]  # fmt: skip
__version__ = "0.1.0"
_LOADED_WHEN_ASKED_FOR = {
    "Model": "extractor.model_file",
    "RepetitionTable": "extractor.repetition",
    "label": "extractor.labelling",
    "label_many": "extractor.labelling",
}
"""Names that are here for the users, and where they are: whoever only imports the package need not wait for them."""

if not TYPE_CHECKING:  # type checkers would take any name for one that is here

    def __getattr__(name: str) -> Any:
        if name not in _LOADED_WHEN_ASKED_FOR:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(_LOADED_WHEN_ASKED_FOR[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


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
    from extractor.labelling import label

    return label(page, model=model, repetition=repetition, prefer=prefer).text(
        headline=headline, keep=keep, unwrap=unwrap
    )
