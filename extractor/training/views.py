"""Sources -> views: the lines of a page as HTML or as one dump, with every number that training needs.

A view holds no text, only what is computed from it: columns, hashed tokens, how the gold text matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Hashes, Integers, read_texts
from extractor.counting import PageLines
from extractor.decoding import decode
from extractor.features import FEATURES, REPETITION_NAMES, own_columns
from extractor.html import MarkupPage, parse_html
from extractor.labelling import html_text
from extractor.markup import CUE_NAMES, cue_line_tokens, markup_columns, read_cues, words_of_kind
from extractor.page import LABELS, Label
from extractor.training.alignment import match, matched_lines, matched_shares, tokenize, tokens_of_lines
from extractor.training.corpora import Dump, Source, dump_lines
from extractor.wording import WordingTable, line_tokens

SEGMENTS = ("boilerplate", "headline", "body", "supplemental", "related", "comment")
_NO_WORDING = WordingTable(np.zeros((1, 5), np.int8))


@dataclass(slots=True)
class View:
    """One page as HTML or as a dump.

    own: (FEATURES, lines); tokens and their offsets by line; for HTML markup (MARKUP_NAMES, lines), the
    near and far tokens of its class names, and what says of its kind (see markup.words_of_kind()). weight: words of
    each line. gold: percent of a line's tokens in the gold text (-1: unknown), covered: share of the gold
    matched. segment: index into SEGMENTS or -1.
    html_line: of a dump's line the line of the HTML view that matches, or -1. hand: index into LABELS or -1.
    title: percent of the title's tokens that the line holds, if it holds little else. snippet: 1 or 0 where
    the line holds a snippet that belongs or does not belong to the main text, else -1. page_lines: what a
    repetition table counts; repetition: (REPETITION_NAMES, lines), zeros until a table is asked.
    """

    corpus: str
    id: str
    split: str
    site: str
    page_type: str | None
    converter: str
    own: Bytes
    tokens: NDArray[np.uint32]
    token_offsets: Integers
    markup: Bytes | None
    cue_tokens: tuple[Array, Integers, Array, Integers] | None
    words_of_kind: tuple[Hashes, ...] | None
    weight: Integers
    gold: NDArray[np.int8]
    covered: float
    segment: NDArray[np.int8]
    html_line: Integers
    hand: NDArray[np.int8]
    title: NDArray[np.int8]
    snippet: NDArray[np.int8]
    page_lines: PageLines
    repetition: Bytes

    @property
    def format(self) -> str:
        """ "html" or "text"."""
        return "html" if self.converter == "html" else "text"

    def plain_markup(self) -> Bytes:
        """The markup columns that need no table of class names."""
        if self.markup is None:
            raise ValueError("a dump has no markup")
        return self.markup[: -len(CUE_NAMES)]


@dataclass(frozen=True, slots=True)
class PageViews:
    """The views of one page."""

    html: View
    dumps: tuple[View, ...]

    def all(self) -> tuple[View, ...]:
        """The HTML view, then the dumps."""
        return (self.html, *self.dumps)


def views(source: Source) -> PageViews:
    """The views of a source: its HTML, and each of its dumps."""
    first, *others = _views(source)
    return PageViews(first, tuple(others))


def _views(source: Source) -> Iterator[View]:
    markup = parse_html(decode(source.html)[0])
    named = titles(source, markup)
    hand = html_labels(source, markup)
    html_lines = np.arange(len(markup.texts))
    yield make_view(source, "html", html_text(markup), markup.texts, named, html_lines, hand, markup)
    for dump in source.dumps:
        yield dump_view(source, dump, markup, named)


def dump_view(source: Source, dump: Dump, markup: MarkupPage, named: Sequence[str]) -> View:
    """The view of a dump of a page; named: what the headline may read."""
    texts = dump_lines(dump.text)
    hand = label_codes(dump.labels) if dump.labels is not None else np.full(len(texts), -1)
    html_lines = matched_lines(texts, markup.texts)
    return make_view(source, dump.converter, dump.text, texts, named, html_lines, hand, None)


def make_view(
    source: Source, converter: str, text: str, texts: Sequence[str], named: Sequence[str], html_line: Integers,
    hand: Array, markup: MarkupPage | None,
) -> View:  # fmt: skip
    """One view; named: what the headline may read; html_line and hand: see View."""
    batch = read_texts([text])
    if len(batch.page) != len(texts):
        name = f"{source.corpus} {source.id} {converter}"
        raise ValueError(f"{name}: {len(batch.page)} lines read, {len(texts)} expected")
    gold, covered = np.full(len(texts), -1, np.int64), 0.0
    if source.gold is not None:
        gold, covered = matched_shares(texts, source.gold)
    tokens, offsets = line_tokens(batch)
    cues = read_cues([markup]) if markup else None
    return View(
        source.corpus, source.id, source.split, source.site, source.page_type, converter,
        own_columns(batch, _NO_WORDING, (tokens, offsets))[: len(FEATURES)], tokens, offsets,
        markup_columns([markup], batch, cues, _NO_WORDING) if markup and cues else None,
        cue_line_tokens([markup], batch, cues) if markup and cues else None,
        tuple(words for words, _ in words_of_kind([markup], cues)) if markup and cues else None,
        np.diff(batch.word_offsets), gold.astype(np.int8), covered, _segments(source, texts), html_line,
        hand.astype(np.int8), _title_shares(texts, named), _snippets(source, texts), PageLines.of(batch),
        np.zeros((len(REPETITION_NAMES), len(texts)), np.uint8),
    )  # fmt: skip


def label_codes(labels: Sequence[str]) -> Integers:
    """Labels, or their names, as indices into LABELS."""
    codes = {label.value: code for code, label in enumerate(LABELS)}
    return np.array([codes[Label(label).value] for label in labels], np.int64)


def html_labels(source: Source, markup: MarkupPage) -> Integers:
    """Labels read on dumps, carried to the HTML lines that match their lines; -1 for all others."""
    carried = np.full(len(markup.texts), -1)
    for dump, labels in source.read_dumps:
        lines = matched_lines(markup.texts, dump_lines(dump.text))
        carried = np.where(lines >= 0, label_codes(labels)[lines], carried)
    return carried


def _segments(source: Source, texts: Sequence[str]) -> NDArray[np.int8]:
    """The label that most of a line's tokens have in the labelled text nodes."""
    labels = np.full(len(texts), -1, np.int8)
    if not source.segments:
        return labels
    tokens, lines = tokens_of_lines(texts)
    others, nodes = tokens_of_lines([text for _, text in source.segments])
    codes = np.array([SEGMENTS.index(label) for label, _ in source.segments])
    matched = match(tokens, others)
    hit = matched >= 0
    votes = np.zeros((len(texts), len(SEGMENTS)), np.int64)
    np.add.at(votes, (lines[hit], codes[nodes[matched[hit]]]), 1)
    return np.where(votes.sum(axis=1) > 0, votes.argmax(axis=1), -1).astype(np.int8)


def titles(source: Source, markup: MarkupPage) -> list[str]:
    """What the headline of a page may read, as its corpus, its head and its labelled nodes have it."""
    found = [source.title, markup.meta.get("og:title"), markup.meta.get("title"), markup.meta.get("twitter:title")]
    found += [text for label, text in source.segments if label == "headline"][:1]
    return [title for title in found if title]


def _title_shares(texts: Sequence[str], titles: Sequence[str]) -> NDArray[np.int8]:
    best = np.zeros(len(texts), np.int64)
    named = [set(tokenize(title)) for title in titles]
    for index, text in enumerate(texts):
        if len(text) > 400:
            continue
        words = set(tokenize(text))
        for title in named:
            common = len(words & title)
            if words and title and common * 10 >= len(words) * 7:
                best[index] = max(best[index], common * 100 // len(title))
    return best.astype(np.int8)


def _snippets(source: Source, texts: Sequence[str]) -> NDArray[np.int8]:
    """1 where the line holds a snippet that belongs to the main text, 0 one that does not, else -1."""
    found = np.full(len(texts), -1, np.int8)
    folded = [" ".join(text.split()) for text in texts]
    for code, snippets in ((1, source.must_have), (0, source.must_not_have)):
        for snippet in (" ".join(s.split()) for s in snippets):
            for index, text in enumerate(folded):
                if snippet in text or (len(text) > 30 and text in snippet):
                    found[index] = code
    return found
