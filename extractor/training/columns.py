"""Which columns the trees may ask for: a line's own, and the same of its neighbours, windows and page.

A name is what context.py reads; the trees that are fitted keep the few hundred that they ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.classifier import STAGE_NAMES
from extractor.features import CLASS_NAMES, OWN_NAMES, REPETITION_NAMES
from extractor.kinds import KIND_COLUMNS
from extractor.markup import CUE_NAMES, MARKUP_NAMES
from extractor.phrase_table import PHRASE_NAMES


def _shifted(names: Iterable[str], offsets: Sequence[int]) -> list[str]:
    return [f"{name}[{offset:+}]" for name in names for offset in offsets]


def _averaged(names: Iterable[str], windows: Sequence[int]) -> list[str]:
    return [f"{name}~{window}" for name in names for window in windows]


def _over_runs(names: Iterable[str], runs: Sequence[str]) -> list[str]:
    return [f"{name}={run}" for name in names for run in runs]


KIND_VALUED = frozenset(("first_class", "last_class", "tag", "parent_tag", "container_tag", *PHRASE_NAMES))
"""Columns whose values are kinds, not sizes."""
_WINDOWS = (2, 5, 12)
_SHAPE = (
    "characters", "words", "capitalised", "digits", "sentence_ends", "last_class", "first_class", "blank_before",
    "indent", "prose", "copies", "copy_below", "overlap", "bullets",
)  # fmt: skip
OWN_CONTEXT: tuple[str, ...] = (
    *_shifted(_SHAPE, (-3, -2, -1, 1, 2, 3)),
    *_averaged(
        ("characters", "prose", "sentence_ends", "capitalised", "digits", "bullets", "copies", "words"), _WINDOWS
    ),
    "prose^",
    "prose_",
)
WORDING_NAMES: tuple[str, ...] = tuple(name for name in OWN_NAMES if name.startswith("wording_"))
WORDING_CONTEXT: tuple[str, ...] = (
    *_shifted(WORDING_NAMES, (-2, -1, 1, 2)),
    *_averaged(WORDING_NAMES, _WINDOWS),
    *(f"{name}@page" for name in WORDING_NAMES),
)
MARKUP_CONTEXT: tuple[str, ...] = (
    *_shifted(("link_share", "tag", "alike_siblings", "container1_link_share"), (-2, -1, 1, 2)),
    *_averaged(("link_share",), _WINDOWS),
    "link_share@page",
)
CUE_CONTEXT: tuple[str, ...] = tuple(_shifted(CUE_NAMES[: len(CLASS_NAMES)], (-1, 1)))

TEXT_COLUMNS: tuple[str, ...] = (*OWN_NAMES, *OWN_CONTEXT, *WORDING_CONTEXT)
NETWORK_COLUMNS: dict[str, tuple[str, ...]] = {
    "text": (*OWN_NAMES, *PHRASE_NAMES),
    "html": (*OWN_NAMES, *PHRASE_NAMES, *MARKUP_NAMES),
}
"""What the network may read, beside the words of a line."""
_FIRST_LINE = frozenset(("first_line_precision", "first_line_recall"))


def read_of(names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that are read: what a line shares with the first line only where no column says what the head
    of HTML calls the title."""
    return tuple(name for name in names if name not in _FIRST_LINE or "title_precision" not in names)


BASE_COLUMNS: dict[str, tuple[str, ...]] = {
    format: (*names, *KIND_COLUMNS[format], *REPETITION_NAMES, *STAGE_NAMES)
    for format, names in NETWORK_COLUMNS.items()
}
"""What a table of lines stores; everything else is computed from it."""

STAGE_COLUMNS: tuple[str, ...] = (
    *STAGE_NAMES,
    *_shifted(STAGE_NAMES, (-3, -2, -1, 1, 2, 3)),
    *_averaged(STAGE_NAMES, _WINDOWS),
    *(f"{name}{suffix}" for name in STAGE_NAMES for suffix in ("@page", "^", "_")),
    *_over_runs(STAGE_NAMES, ("block", "alike")),
)
"""What the second stage may ask of the first."""
CONTAINER_COLUMNS: tuple[str, ...] = tuple(_over_runs(STAGE_NAMES, ("container1", "container2", "container3")))
"""The same of the containers around a line."""
CANDIDATES: dict[str, tuple[str, ...]] = {
    "text": (*TEXT_COLUMNS, *STAGE_COLUMNS),
    "html": read_of((*TEXT_COLUMNS, *MARKUP_NAMES, *MARKUP_CONTEXT, *CUE_CONTEXT, *STAGE_COLUMNS, *CONTAINER_COLUMNS)),
}
"""What the second stage may ask for."""
REPETITION_COLUMNS: tuple[str, ...] = (
    *REPETITION_NAMES,
    *_shifted(("repeated_share", "repeated_run_weight"), (-2, -1, 1, 2)),
    *_averaged(("repeated_share",), _WINDOWS),
    "repeated_share@page",
    *STAGE_NAMES,
    *_shifted(STAGE_NAMES, (-1, 1)),
    *_averaged(STAGE_NAMES, _WINDOWS),
    *(f"{name}@page" for name in STAGE_NAMES),
    "weight", "prose", "copies", "place_share", "page_lines",
)  # fmt: skip
"""What the stage may ask that moves the second where a site is known: no wording, so that it is the same in all
languages."""
