"""Labelled views -> the tables of what words say of a page's kind, by folds over sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
from joblib import Parallel, delayed

from extractor.characters import Bytes, Hashes, Integers
from extractor.classifier import BODY, HEADLINE
from extractor.kinds import KINDS
from extractor.training.derivation import LabelledView, Tables, fold_of, seen_by, tables_of
from extractor.training.fitting import THREADS, fit_kind_table
from extractor.training.views import View
from extractor.wording import MOST_WORDS

BUCKETS = 1 << 14


def kind_of(labelled: LabelledView) -> int:
    """The page's kind, as its corpus has it; "none" for a page read by hand that has no body; else -1."""
    if labelled.read.all() and not np.isin(labelled.classes, (HEADLINE, BODY)).any():
        return KINDS.index("none")
    return KINDS.index(labelled.view.page_type) if labelled.view.page_type in KINDS else -1


def add_kinds(labelled: Sequence[LabelledView], tables: Mapping[int | None, Tables]) -> dict[int | None, Tables]:
    """The tables with what words say of kinds, each learned from the sites that the table has seen."""
    kinds = np.array([kind_of(one) for one in labelled])
    known = [one for one, kind in zip(labelled, kinds, strict=True) if kind >= 0]
    kinds, folds = kinds[kinds >= 0], np.array([fold_of(one.view.site) for one in known])
    words = [page_words(one.view) for one in known]
    seen = {fold: seen_by(fold, folds) for fold in tables}
    fitted = Parallel(n_jobs=THREADS)(
        delayed(fit_kind_table)(*_in_runs(list(compress(words, chosen))), kinds[chosen], BUCKETS)
        for chosen in seen.values()
    )
    return {fold: replace(tables[fold], kinds=table) for fold, table in zip(seen, fitted, strict=True)}


def kind_columns(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """The columns of KIND_NAMES, the same for all lines, by the table that has not seen the site."""
    words = page_words(view)
    scores = tables_of(view, tables).kinds.score(words, np.array([0, len(words)]))
    return np.repeat(scores, view.own.shape[1], axis=1)


def page_words(view: View) -> Hashes:
    """The hashes of all words of a page: of the tokens of a line, words come first."""
    counts = np.minimum(view.weight, MOST_WORDS)
    starts = np.repeat(view.token_offsets[:-1] - _before(counts), counts)
    return view.tokens[starts + np.arange(len(starts))]


def _in_runs(words: Sequence[Hashes]) -> tuple[Hashes, Integers]:
    """All words, and where each page's begin."""
    return np.concatenate(words), np.concatenate(([0], np.cumsum([len(some) for some in words])))


def _before(counts: Integers) -> Integers:
    """How many come before each run."""
    before: Integers = np.cumsum(counts) - counts
    return before
