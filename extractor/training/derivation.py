"""Views of pages -> a label and a trust for every line, where only some were read by hand.

A teacher, trained on the lines read by hand, sees what no extractor can: the gold text, the labelled text
nodes, the titles, and on dumps the markup of the same line in HTML. It labels all other pages. A first
round knows no wording; from its labels the tables of words and class names are learned, by folds over
sites, and a second round knows those too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import lightgbm
import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, CharacterClass, Integers
from extractor.classifier import BODY, HEADER, HEADLINE
from extractor.context import Neighbourhood
from extractor.decoding import decode
from extractor.features import FEATURES
from extractor.html import parse_html
from extractor.kinds import KINDS, KindTable
from extractor.markup import CUE_NAMES, MARKUP_NAMES
from extractor.network import Network
from extractor.phrase_table import PhraseTable
from extractor.training.columns import CUE_CONTEXT, MARKUP_CONTEXT, OWN_CONTEXT, WORDING_CONTEXT, WORDING_NAMES
from extractor.training.corpora import CORPORA, Dump, Source
from extractor.training.fitting import THREADS, fit_table
from extractor.training.views import PageViews, View, dump_view, titles
from extractor.wording import WordingTable

FOLDS = 5
SITE_NUMBERS = FOLDS * 13_107
WORD_BUCKETS, CUE_BUCKETS = 1 << 17, 1 << 15
TABLE_STRENGTH = 2.0
COVERED_AT_LEAST = 0.9
"""Share of the gold text that a page must hold for its labels to be bound by it."""
GOLD_AT_LEAST = 60
"""Percent of a line's tokens in the gold text from which on it belongs to it."""
TRUST_IN_CONTRADICTED = 1 / 3
"""In a label carried to a line of HTML, where a gold text that is found in full says otherwise of body."""
TITLE_AT_LEAST = 60
"""Percent of a title's words from which on a body line read by hand is taken for the headline."""
_ROUNDS = {"first": 120, "second": 250}
_AT_ONCE = 200
_PLAIN_MARKUP = MARKUP_NAMES[: -len(CUE_NAMES)]
_OWN_NAMES = tuple(feature.name for feature in FEATURES)
_KNOWN_NAMES = ("mapped", "gold", "in_gold", "covered", "corpus", "segment", "title", "is_title", "snippet", "dump")
_KNOWN_CONTEXT = (
    *(f"gold[{offset:+}]" for offset in (-2, -1, 1, 2)), *(f"in_gold~{window}" for window in (2, 5, 12)),
    "in_gold^", "in_gold_", "is_title^", "is_title_", "in_gold@page", "segment[-1]", "segment[+1]",
    "title[-1]", "title[+1]", "title[+2]",
)  # fmt: skip
_TEACHER_NAMES = (*_OWN_NAMES, *OWN_CONTEXT, *_PLAIN_MARKUP, *MARKUP_CONTEXT, *_KNOWN_NAMES, *_KNOWN_CONTEXT)
_WORDED_NAMES = (*_TEACHER_NAMES, *WORDING_NAMES, *WORDING_CONTEXT, *CUE_NAMES, *CUE_CONTEXT)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of words and of class names; the networks by format and the tables of kinds, once they are learned.
    phrases: those known in many languages."""

    words: WordingTable
    cues: WordingTable
    networks: Mapping[str, Network] = field(default_factory=dict)
    kinds: KindTable = field(default_factory=lambda: KindTable(np.zeros((1, len(KINDS)), np.int8)))
    markup_kinds: KindTable = field(default_factory=lambda: KindTable(np.zeros((1, len(KINDS)), np.int8)))
    phrases: PhraseTable = field(default_factory=PhraseTable.none)


def site_number(site: str) -> int:
    """What a site is known by in tables, in 16 bits; its rest by FOLDS is the site's fold."""
    return zlib.crc32(site.encode()) % SITE_NUMBERS


def fold_of(site: str) -> int:
    """The fold that a site belongs to, the same in every run."""
    return site_number(site) % FOLDS


def seen_by(fold: int | None, folds: Integers) -> NDArray[np.bool_]:
    """Of things whose sites are of these folds, those that the tables of a fold are learned from: None has seen all."""
    return folds != fold if fold is not None else np.ones(len(folds), bool)


@dataclass(frozen=True, slots=True)
class LabelledView:
    """A view, the class of each line (index into CLASS_NAMES), how far to trust it, and if it was read by hand."""

    view: View
    classes: Integers
    trust: NDArray[np.float64]
    read: NDArray[np.bool_]


def derive_labels(
    pages: Sequence[PageViews], progress: Callable[[str], None] = lambda step: None
) -> tuple[list[LabelledView], dict[int | None, Tables]]:
    """Labels for all views of the pages, and the tables: those of None saw all pages, those of a fold k all
    but the sites of fold k."""
    progress("teacher, first round")
    blind = _Teacher({}, _TEACHER_NAMES)
    blind.fit(pages, _ROUNDS["first"])
    some = [pair for page in pages for pair in _for_tables(page)]
    first = list(blind.label(some))
    progress("words and class names")
    tables = fit_tables(first)
    progress("teacher, second round")
    worded = _Teacher(tables, _WORDED_NAMES)
    worded.fit(pages, _ROUNDS["second"])
    return list(worded.label([(view, page.html) for page in pages for view in page.all()])), tables


def classes_read(view: View) -> Integers:
    """The classes of lines read by hand, -1 for all others: the body line most like the title is the headline."""
    classes = np.where(view.hand >= 0, view.hand.astype(np.int64) + 1, -1)
    body = np.flatnonzero(classes == BODY)
    titled = body[view.title[body] >= TITLE_AT_LEAST]
    if len(titled):
        # of equal copies the one nearest to the text is the headline, and that is what was read as body
        classes[titled[view.title[titled] == view.title[titled].max()][-1]] = HEADLINE
    elif view.html_line.max(initial=-1) < 0 and len(body) and _looks_like_headline(view, int(body[0])):
        classes[body[0]] = HEADLINE
    return classes


def read_view(source: Source, dump: Dump) -> LabelledView:
    """The view of a dump of a page, all of whose lines are known."""
    markup = parse_html(decode(source.html)[0])
    view = dump_view(source, dump, markup, titles(source, markup))
    classes = classes_read(view)
    return LabelledView(view, classes, np.ones(len(classes)), np.ones(len(classes), bool))


def _looks_like_headline(view: View, line: int) -> bool:
    last_class = view.own[_OWN_NAMES.index("last_class"), line]
    return bool(view.weight[line] <= 30 and last_class != CharacterClass.SENTENCE_END)


class _Teacher:
    """Gradient boosting on everything that is known of a line; tables: those that word columns come from."""

    def __init__(self, tables: Mapping[int | None, Tables], names: Sequence[str]) -> None:
        self._tables, self._names = tables, names
        self._model = lightgbm.LGBMClassifier()

    def fit(self, pages: Sequence[PageViews], rounds: int) -> None:
        rows, classes = [], []
        for page in pages:
            for view in page.all():
                read = classes_read(view)
                if (read >= 0).any():
                    rows.append(self._matrix(view, page.html)[:, read >= 0])
                    classes.append(read[read >= 0])
        self._model = lightgbm.LGBMClassifier(
            objective="multiclass", n_estimators=rounds, num_leaves=15, learning_rate=0.08, max_bin=63,
            min_child_samples=40, colsample_bytree=0.3, subsample=0.7, subsample_freq=1, reg_lambda=5.0,
            n_jobs=THREADS, random_state=0, deterministic=True, force_col_wise=True, verbosity=-1,
        )  # fmt: skip
        self._model.fit(np.concatenate(rows, axis=1).T.copy(), np.concatenate(classes))

    def label(self, pairs: Sequence[tuple[View, View]]) -> Iterator[LabelledView]:
        """Label views, each given with the HTML view of its page."""
        for first in range(0, len(pairs), _AT_ONCE):
            part = pairs[first : first + _AT_ONCE]
            rows = np.concatenate([self._matrix(view, html) for view, html in part], axis=1)
            chances = np.asarray(self._model.booster_.predict(rows.T.copy(), num_threads=THREADS))
            line = 0
            for view, _ in part:
                own = chances[line : line + view.own.shape[1]]
                line += view.own.shape[1]
                yield labelled_view(view, own)

    def _matrix(self, view: View, html: View) -> Bytes:
        lines = view.own.shape[1]
        columns = dict(zip(_OWN_NAMES, view.own, strict=True))
        columns.update(_carried(_PLAIN_MARKUP, html.plain_markup(), view))
        columns.update(_known_columns(view))
        if self._tables:
            columns.update(zip(WORDING_NAMES, word_columns(view, self._tables), strict=True))
            columns.update(_carried(CUE_NAMES, cue_columns(html, self._tables), view))
        return Neighbourhood(columns, np.array([0, lines])).matrix(self._names)


def labelled_view(view: View, chances: NDArray[np.float64]) -> LabelledView:
    """What was read by hand, else what the teacher says (chances: lines, classes), within what the gold text allows.

    A line outside a gold text that is found in full is no body, unless it is the headline; one inside it is
    body, unless the teacher is sure that its words stand there by chance. On HTML, to which labels are carried from the
    dump that was read, they are trusted less where that gold text says otherwise.
    """
    classes, trust = chances.argmax(axis=1), chances.max(axis=1)
    body = chances[:, HEADLINE] + chances[:, BODY]
    read = classes_read(view)
    known, trust_read = read >= 0, np.ones(len(read))
    if view.covered >= COVERED_AT_LEAST:
        in_gold, not_in_gold = view.gold >= GOLD_AT_LEAST, (view.gold >= 0) & (view.gold < GOLD_AT_LEAST)
        outside = not_in_gold & (classes == BODY)
        inside = in_gold & (classes > BODY) & (body >= 0.15)
        if view.format == "html":
            trust_read[(not_in_gold & (read == BODY)) | (in_gold & (read > BODY))] = TRUST_IN_CONTRADICTED
        others = chances[:, HEADER:].argmax(axis=1) + HEADER
        classes = np.where(outside, others, np.where(inside, BODY, classes))
        trust = np.where(outside | inside, 0.5, trust)
    headlines = np.flatnonzero(classes == HEADLINE)
    if len(headlines) > 1:
        classes[headlines[headlines != headlines[chances[headlines, HEADLINE].argmax()]]] = HEADER
    return LabelledView(view, np.where(known, read, classes), np.where(known, trust_read, trust), known)


def _carried(names: Sequence[str], markup: Bytes, view: View) -> Iterator[tuple[str, Bytes]]:
    """Columns of HTML lines, at the lines of a view that match them, else 0."""
    found = view.html_line >= 0
    for name, row in zip(names, markup, strict=True):
        carried = np.zeros(len(found), np.uint8)
        carried[found] = row[view.html_line[found]]
        yield name, carried


def _known_columns(view: View) -> dict[str, Bytes]:
    gold = view.gold.astype(np.int64)
    lines = len(gold)
    columns: dict[str, Array] = {
        "mapped": view.html_line >= 0,
        "gold": np.where(gold < 0, 0 if view.covered > 0 else 255, gold),
        "in_gold": np.where(gold >= GOLD_AT_LEAST, 255, 0),
        "covered": np.full(lines, min(255, int(view.covered * 200))),
        "corpus": np.full(lines, (*CORPORA, view.corpus).index(view.corpus)),
        "segment": view.segment + 1,
        "title": np.maximum(view.title, 0),
        "is_title": np.where(view.title >= 70, 255, 0),
        "snippet": view.snippet + 1,
        "dump": np.full(lines, view.converter != "html"),
    }
    return {name: column.astype(np.uint8) for name, column in columns.items()}


def word_columns(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """Columns of WORDING_NAMES by the table that has not seen the site."""
    return tables_of(view, tables).words.score(view.tokens, view.token_offsets)


def cue_columns(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """Columns of CUE_NAMES by the table that has not seen the site."""
    if view.cue_tokens is None:
        return np.zeros((len(CUE_NAMES), 0), np.uint8)
    near, near_offsets, far, far_offsets = view.cue_tokens
    cues = tables_of(view, tables).cues
    return np.concatenate([cues.score(near, near_offsets), cues.score(far, far_offsets)])


def tables_of(view: View, tables: Mapping[int | None, Tables]) -> Tables:
    """Those that have not seen the view's site."""
    return tables[None if view.split == "dev" else fold_of(view.site)]


def _for_tables(page: PageViews) -> Iterator[tuple[View, View]]:
    """The views that words are learned from: HTML, what was read by hand, and a quarter of the other dumps."""
    yield page.html, page.html
    for dump in page.dumps:
        if (dump.hand >= 0).any() or zlib.crc32(dump.id.encode()) % 4 == 0:
            yield dump, page.html


# --- the tables of words and class names ------------------------------------------------------------


def fit_tables(labelled: Sequence[LabelledView]) -> dict[int | None, Tables]:
    """Tables that saw all sites (None) and all but those of each fold."""
    words, cues = _word_rows(labelled), _cue_rows(labelled)
    folds = (*range(FOLDS), None)
    fitted = Parallel(n_jobs=THREADS)(delayed(_fit_without)(words, cues, fold) for fold in folds)
    return dict(zip(folds, fitted, strict=True))


def _fit_without(words: _TokenRows, cues: _TokenRows, fold: int | None) -> Tables:
    return Tables(words.without(fold).fit(WORD_BUCKETS), cues.without(fold).fit(CUE_BUCKETS))


@dataclass(frozen=True, slots=True)
class _TokenRows:
    tokens: Array
    counts: Integers
    classes: Integers
    weights: NDArray[np.float64]
    folds: Integers

    def without(self, fold: int | None) -> _TokenRows:
        kept = seen_by(fold, self.folds)
        return _TokenRows(
            self.tokens[np.repeat(kept, self.counts)], self.counts[kept], self.classes[kept], self.weights[kept],
            self.folds[kept],
        )  # fmt: skip

    def fit(self, buckets: int) -> WordingTable:
        offsets = np.concatenate(([0], np.cumsum(self.counts)))
        return fit_table(self.tokens, offsets, self.classes, self.weights, buckets, TABLE_STRENGTH)


def _word_rows(labelled: Sequence[LabelledView]) -> _TokenRows:
    """A line that stands many times on a site counts little more than once."""
    tokens = np.concatenate([one.view.tokens for one in labelled])
    counts = np.concatenate([np.diff(one.view.token_offsets) for one in labelled])
    sites = np.concatenate([np.full(len(one.classes), zlib.crc32(one.view.site.encode())) for one in labelled])
    whole_line = tokens[np.cumsum(counts) - 1].astype(np.int64)
    _, copy, copies = np.unique(sites.astype(np.int64) << 32 ^ whole_line, return_inverse=True, return_counts=True)
    return _TokenRows(
        tokens, counts, np.concatenate([one.classes for one in labelled]), (copies[copy] ** -0.8).astype(np.float64),
        np.concatenate([np.full(len(one.classes), fold_of(one.view.site)) for one in labelled]),
    )  # fmt: skip


def _cue_rows(labelled: Sequence[LabelledView]) -> _TokenRows:
    """Near and far tokens of each HTML line in one run; a page counts by the square root of its lines."""
    tokens, counts, kept = [], [], []
    for one in labelled:
        if one.view.cue_tokens is not None:
            near, near_offsets, far, far_offsets = one.view.cue_tokens
            order = np.argsort(np.concatenate([_runs(near_offsets), _runs(far_offsets)]), kind="stable")
            tokens.append(np.concatenate([near, far])[order])
            counts.append(np.diff(near_offsets) + np.diff(far_offsets))
            kept.append(one)
    weights = [np.full(len(one.classes), float(max(len(one.classes), 1)) ** -0.5) for one in kept]
    folds = [np.full(len(one.classes), fold_of(one.view.site)) for one in kept]
    return _TokenRows(
        np.concatenate(tokens), np.concatenate(counts), np.concatenate([one.classes for one in kept]),
        np.concatenate(weights), np.concatenate(folds),
    )  # fmt: skip


def _runs(offsets: Integers) -> Integers:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
