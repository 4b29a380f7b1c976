"""Labelled views -> the tables of what words and markup say of a page's kind, by folds over sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np
from joblib import Parallel, delayed

from extractor.characters import Bytes, Hashes, Integers
from extractor.classifier import BODY, HEADLINE
from extractor.kinds import KINDS, KindTable
from extractor.training.derivation import LabelledView, Tables, fold_of, seen_by, site_number, tables_of
from extractor.training.fitting import THREADS, fit_kind_table
from extractor.training.views import View
from extractor.wording import MOST_WORDS

BUCKETS, MARKUP_BUCKETS = 1 << 14, 1 << 13


def kind_of(labelled: LabelledView) -> int:
    """The page's kind, as its corpus has it; "none" for a page read by hand that has no body; else -1."""
    if len(labelled.classes) and labelled.read.all() and not np.isin(labelled.classes, (HEADLINE, BODY)).any():
        return KINDS.index("none")
    return KINDS.index(labelled.view.page_type) if labelled.view.page_type in KINDS else -1


def add_kinds(labelled: Sequence[LabelledView], tables: Mapping[int | None, Tables]) -> dict[int | None, Tables]:
    """The tables with what words and markup say of kinds, each learned from the sites that the table has seen."""
    known = [one for one in labelled if kind_of(one) >= 0]
    words = _fitted(known, [(page_words(one.view),) for one in known], tables, BUCKETS)
    of_html = [one for one in known if one.view.words_of_kind is not None]
    markup = _fitted(of_html, [one.view.words_of_kind or () for one in of_html], tables, MARKUP_BUCKETS)
    return {fold: replace(tables[fold], kinds=words[fold], markup_kinds=markup[fold]) for fold in tables}


def _fitted(
    labelled: Sequence[LabelledView], parts: Sequence[Sequence[Hashes]], folds: Iterable[int | None], buckets: int
) -> dict[int | None, KindTable]:
    """For each fold the table of what these pages' words say; parts: the words of each part of a page."""
    kinds = np.array([kind_of(one) for one in labelled])
    fold_of_page = np.array([fold_of(one.view.site) for one in labelled])
    sites = np.array([site_number(one.view.site) for one in labelled])
    seen = {fold: seen_by(fold, fold_of_page) for fold in folds}
    tables = Parallel(n_jobs=THREADS)(
        delayed(fit_kind_table)(
            list(map(_in_runs, zip(*compress(parts, chosen), strict=True))), kinds[chosen], sites[chosen], buckets
        )
        for chosen in seen.values()
    )
    return dict(zip(seen, tables, strict=True))


def kind_columns(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """The columns of KIND_COLUMNS of the view's format, the same for all lines, by tables that have not seen the
    site."""
    known = tables_of(view, tables)
    scores = [known.kinds.score(*_in_runs([page_words(view)]))]
    if view.words_of_kind is not None:
        scores.append(known.markup_kinds.score_parts(_in_runs([words]) for words in view.words_of_kind))
    return np.repeat(np.concatenate(scores), view.own.shape[1], axis=1)


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
