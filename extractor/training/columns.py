"""Which columns the trees may ask for: a line's own, and the same of its neighbours, windows and page.

A name is what context.py reads; the trees that are fitted keep the few hundred that they ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from extractor.features import CLASS_NAMES, OWN_NAMES, REPETITION_NAMES
from extractor.markup import CUE_NAMES, MARKUP_NAMES


def _shifted(names: Iterable[str], offsets: Sequence[int]) -> list[str]:
    return [f"{name}[{offset:+}]" for name in names for offset in offsets]


def _averaged(names: Iterable[str], windows: Sequence[int]) -> list[str]:
    return [f"{name}~{window}" for name in names for window in windows]


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

REPETITION_CONTEXT: tuple[str, ...] = (
    *_shifted(("repeated_share", "repeated_run_weight"), (-1, 1)),
    *_averaged(("repeated_share",), _WINDOWS),
    "repeated_share@page",
)

TEXT_COLUMNS: tuple[str, ...] = (
    *OWN_NAMES, *OWN_CONTEXT, *WORDING_CONTEXT, *REPETITION_NAMES, *REPETITION_CONTEXT,
)  # fmt: skip
CANDIDATES: dict[str, tuple[str, ...]] = {
    "text": TEXT_COLUMNS,
    "html": (*TEXT_COLUMNS, *MARKUP_NAMES, *MARKUP_CONTEXT, *CUE_CONTEXT),
}
BASE_COLUMNS: dict[str, tuple[str, ...]] = {
    "text": (*OWN_NAMES, *REPETITION_NAMES),
    "html": (*OWN_NAMES, *REPETITION_NAMES, *MARKUP_NAMES),
}
"""What a table of lines stores; everything else is computed from it."""

_STAGE_NAMES = tuple(f"p_{name}" for name in CLASS_NAMES)
STAGE_COLUMNS: tuple[str, ...] = (
    *_STAGE_NAMES,
    *_shifted(_STAGE_NAMES, (-3, -2, -1, 1, 2, 3)),
    *_averaged(_STAGE_NAMES, _WINDOWS),
    *(f"{name}{suffix}" for name in _STAGE_NAMES for suffix in ("@page", "^", "_")),
)
"""What the second stage may ask of the first."""

KIND_COLUMNS: tuple[str, ...] = (
    *(name for name in OWN_NAMES if name.startswith("page_")),
    *(f"{name}@page" for name in (
        *_STAGE_NAMES, *WORDING_NAMES, "characters", "words", "sentence_ends", "capitalised", "digits", "number_words",
        "currency", "clock_times", "code_signs", "quotes", "brackets", "colons", "commas", "slashes", "at_signs",
        "alike_lines", "alike_weight", "block_lines", "block_weight", "copies", "prose", "longest_word", "ellipsis",
        "first_class", "last_class", "arrows", "indent", "gaps", "symbols",
    )),
)  # fmt: skip
"""What tells one kind of page from another."""
MARKUP_KIND_COLUMNS: tuple[str, ...] = tuple(
    f"{name}@page" for name in (
        *CUE_NAMES, "link_share", "links", "tag", "strong_share", "button_share", "alike_siblings", "siblings", "depth",
        "in_table", "in_li", "in_form", "in_article", "in_pre", "in_figure", "in_main", "in_section", "title_precision",
    )
)  # fmt: skip
