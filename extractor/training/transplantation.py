"""Labelled pages -> labelled views of pages that hold the text of one and the furniture of another.

What stands around a text says little of what it is about, so that the article of one site may stand among the menus,
comments and teasers of any other: pages that nobody made, of which every label is known (CutMix does so with pictures,
Yun et al. 2019). Pages are put together within folds of sites, so that no network sees a site that is held out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import count
from typing import NamedTuple, TypeVar

import numpy as np
from joblib import Parallel, delayed

from extractor.characters import Array
from extractor.classifier import BODY, HEADLINE
from extractor.decoding import decode
from extractor.html import MarkupPage, parse_html
from extractor.labelling import html_text
from extractor.training.corpora import UNSPACED_CORPORA, Dump, Source
from extractor.training.derivation import LabelledView, fold_of, read_view
from extractor.training.fitting import THREADS
from extractor.training.splicing import Place, place_of, spliced_dump, spliced_markup
from extractor.training.views import make_view

_INSIDE = 0.95
"""Share of the body's words that a block must hold to be the one that holds the text."""
_WORDS_AT_LEAST = 40
"""Words of body that a page must have for that block to be found."""
_AT_ONCE = 50


class _ReadDump(NamedTuple):
    source: Source
    dump: Dump


class _HtmlText(NamedTuple):
    """An HTML page, the labels of its lines, and the block that holds its text."""

    source: Source
    markup: MarkupPage
    labelled: LabelledView
    place: Place


_Some = TypeVar("_Some", _ReadDump, _HtmlText)


def transplanted_views(
    sources: Sequence[Source], labelled: Sequence[LabelledView], *, of_a_kind: bool = False
) -> Iterator[list[LabelledView]]:
    """The text of each page in the furniture of another, drawn anew in every turn, of which there is no end: of the
    dumps of these sources that were read by hand, and of their HTML as it is labelled; the same in every run.

    of_a_kind: of pages that are known to be no articles alone, each with pages of its own kind. What stands around an
    article stands around articles everywhere; a shop's other products stand around products.
    """
    if of_a_kind:
        sources = [source for source in sources if source.page_type not in (None, "article")]
    dumps = [_ReadDump(source, dump) for source in sources for dump, labels in source.read_dumps if "body" in labels]
    html = {(one.view.corpus, one.view.id): one for one in labelled if one.view.format == "html"}
    run = Parallel(n_jobs=THREADS, batch_size=_AT_ONCE)
    pages = [(source, html[source.corpus, source.id]) for source in sources if (source.corpus, source.id) in html]
    texts = [text for text in run(delayed(_html_text)(source, one) for source, one in pages) if text is not None]
    for turn in count():
        random = np.random.default_rng(turn)
        of_dumps = [delayed(_dump_view)(*some) for some in _in_threes(dumps, random, of_a_kind)]
        of_html = [delayed(_html_view)(inner, outer) for inner, outer, _ in _in_threes(texts, random, of_a_kind)]
        yield run([*of_dumps, *of_html])


def _in_threes(
    pages: Sequence[_Some], random: np.random.Generator, of_a_kind: bool
) -> Iterator[tuple[_Some, _Some, _Some]]:
    """Each page with two others, every second one with the same one twice: of its fold, of other sites, and alike in
    script, converter, and in kind or at least in what comments are (see LABELS.md: posts of a forum are its text)."""
    groups: dict[Hashable, list[_Some]] = defaultdict(list)
    for page in pages:
        source = page.source
        converter = page.dump.converter.removesuffix("-hand") if isinstance(page, _ReadDump) else ""
        kind = source.page_type if of_a_kind else source.page_type == "forum"
        groups[fold_of(source.site), source.corpus in UNSPACED_CORPORA, kind, converter].append(page)
    for group in groups.values():
        order = [group[place] for place in random.permutation(len(group)).tolist()]
        for number, page in enumerate(order):
            rest = order[number + 1 :] + order[:number]
            others = [other for other in rest if other.source.site != page.source.site][:2]
            if others:
                yield page, others[0], others[-1 if number % 2 else 0]


def _dump_view(inner: _ReadDump, above: _ReadDump, below: _ReadDump) -> LabelledView:
    return read_view(inner.source, spliced_dump(inner.dump, above.dump, below.dump))


def _html_text(source: Source, one: LabelledView) -> _HtmlText | None:
    """The innermost block that holds the headline and nearly all of the body; None where that is the whole page, and
    for a page with little text."""
    body, headline = np.where(one.classes == BODY, one.view.weight, 0), one.classes == HEADLINE
    if body.sum() < _WORDS_AT_LEAST:
        return None
    markup = parse_html(decode(source.html)[0])
    first, last = np.array(markup.first_lines), np.array(markup.last_lines)
    words, headlines = (np.concatenate(([0], np.cumsum(values))) for values in (body, headline))
    holds = (words[last] - words[first] >= _INSIDE * words[-1]) & (headlines[last] - headlines[first] == headlines[-1])
    block = int(np.flatnonzero(holds)[-1])
    place = place_of(markup, block) if last[block] - first[block] < len(markup.texts) else None
    return None if place is None else _HtmlText(source.without_page(), markup, one, place)


def _html_view(inner: _HtmlText, outer: _HtmlText) -> LabelledView:
    markup = spliced_markup(outer.markup, outer.place, inner.markup, inner.place)
    old, new = outer.place.lines, inner.place.lines

    def of_lines(outer_values: Array, inner_values: Array) -> Array:
        return np.concatenate([outer_values[: old.start], inner_values[new], outer_values[old.stop :]])

    classes = of_lines(outer.labelled.classes, inner.labelled.classes)
    # what is left of the other page's text is no part of this one's
    trust_outside = np.where(outer.labelled.classes <= BODY, 0.0, outer.labelled.trust)
    unknown = np.full(len(classes), -1, np.int8)
    view = make_view(
        inner.source, "html", html_text(markup), markup.texts, [], np.arange(len(classes)), unknown, markup
    )
    return LabelledView(
        view, classes, of_lines(trust_outside, inner.labelled.trust),
        of_lines(outer.labelled.read, inner.labelled.read),
    )  # fmt: skip
