"""The whole way for a batch of pages: text or HTML in, labelled pages out."""

from __future__ import annotations

import ctypes
import sys
from array import array
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from extractor.characters import TextBatch, read_texts, run_lengths
from extractor.classifier import decide, merge_classes
from extractor.decoding import text_of
from extractor.features import OWN_NAMES, REPETITION_NAMES, Lines, own_columns
from extractor.kinds import KIND_NAMES, KINDS, MARKUP_KIND_NAMES
from extractor.model_file import Model
from extractor.page import LABELS, LabelledPage, Layout, Page, PageFormat, TextLines
from extractor.phrase_table import PHRASE_NAMES
from extractor.plaintext import looks_like_html
from extractor.pooling import pool
from extractor.wording import line_tokens

if TYPE_CHECKING:
    from extractor.characters import Bytes
    from extractor.html import MarkupPage
    from extractor.repetition import RepetitionTable

Preference: TypeAlias = Literal["precision", "recall"]
BATCH_CHARACTERS = 1 << 19
"""Characters of text that are labelled together: enough to hide the cost of a call, and few enough for the cache."""
HTML_PER_TEXT = 16
"""Characters of HTML for one of text, about."""
BATCH_PAGES = 256
KEPT_BYTES, KEPT_BLOCK = 1 << 25, 1 << 22
"""Freed memory at the top of the heap that the process keeps for the next batch, more than a batch takes; and the size
from which a block that finds no room there goes back once it is freed, larger than any of a batch of usual pages."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
BETAS: dict[PageFormat, dict[Preference | None, float]] = {
    "text": {None: 1.0, "precision": 0.5, "recall": 2.0},
    "html": {None: 0.85, "precision": 0.4, "recall": 1.7},
}
"""How many times more recall counts than precision in the page's decision. Below 1 for HTML: the more columns the
classifier knows, the more hopeful it is of lines that it has seen nothing like (EXPERIMENTS.md)."""


def label_many(
    pages: Iterable[Page | str | bytes],
    *,
    model: Model | None = None,
    repetition: RepetitionTable | None = None,
    prefer: Preference | None = None,
) -> Iterator[LabelledPage]:
    """Label pages as they come, in order, one result a page; the fast way, since pages share each call.

    pages: str or bytes (HTML or a plain-text dump, told apart by looking) or Page. model: the shipped one
    unless given. repetition: a table of the lines that repeat across the pages of a site, asked by each page's
    site, or the site of its url. prefer: "precision" or "recall" moves each page's decision, None maximises F1.
    TypeError for a page of any other type; no page, however broken, raises.
    """
    if prefer not in BETAS["text"]:
        raise TypeError(f'prefer is "precision", "recall" or None, not {prefer!r}')
    if model is not None and not isinstance(model, Model):
        raise TypeError(f"model is a Model, not {type(model).__name__}; read one with Model.load(path)")
    if repetition is not None and not hasattr(repetition, "look_up"):  # the class is not loaded where nobody needs it
        found = type(repetition).__name__
        raise TypeError(f"repetition is a RepetitionTable, not {found}; read one with RepetitionTable.open(path)")
    if not isinstance(pages, Iterable):
        raise TypeError(f"pages is an iterable of pages, not {type(pages).__name__}")
    if isinstance(pages, (str, bytes, Page)):
        raise TypeError("label_many() takes several pages; for a single one call label()")
    settings = _Settings(model or Model.default(), repetition, prefer)
    _keep_freed_memory()
    batch: list[_Decoded] = []
    size = 0
    for page in pages:
        batch.append(_Decoded.read(page))
        size += batch[-1].cost
        if size >= BATCH_CHARACTERS or len(batch) >= BATCH_PAGES:
            yield from _label_batch(batch, settings)
            batch, size = [], 0
    yield from _label_batch(batch, settings)


def label(
    page: Page | str | bytes,
    *,
    model: Model | None = None,
    repetition: RepetitionTable | None = None,
    prefer: Preference | None = None,
) -> LabelledPage:
    """Label the lines of one page. See label_many() for the arguments.

    >>> label("Menu | Search").lines[0].label
    <Label.NAV: 'nav'>
    """
    return next(label_many((page,), model=model, repetition=repetition, prefer=prefer))


@lru_cache(maxsize=1)
def _keep_freed_memory() -> None:
    """Have the next batch use the memory of the last, and no large page leave its own behind; once a process.

    Left alone, glibc gives the top of the heap back beyond twice the size of the largest block it freed: sometimes
    what each batch takes, which then costs a twentieth of all time to fetch again, page by page, and sometimes nothing
    of what a large page took. Which of these is chance, and looks like growth (docs/reliability.md).
    """
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):  # musl has none
            library.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
            library.mallopt(_M_MMAP_THRESHOLD, KEPT_BLOCK)


class _Settings(NamedTuple):
    """What is the same for all pages of a call."""

    model: Model
    repetition: RepetitionTable | None
    prefer: Preference | None

    def repetition_columns(self, batch: TextBatch, pages: Sequence[_Decoded]) -> dict[str, Bytes]:
        """The columns of REPETITION_NAMES, zeros without a table."""
        if self.repetition is None:
            return dict.fromkeys(REPETITION_NAMES, np.zeros(len(batch.page), np.uint8))
        from extractor.repetition_features import repetition_columns
        from extractor.sites import site_of_url

        sites = [decoded.page.site or site_of_url(decoded.page.url) for decoded in pages]
        return dict(zip(REPETITION_NAMES, repetition_columns(self.repetition, batch, sites), strict=True))


class _Decoded:
    """A page as text, with how it was decoded and which of both formats it is."""

    __slots__ = ("encoding", "format", "page", "text")

    def __init__(self, page: Page, text: str, encoding: str, format: PageFormat) -> None:
        self.page, self.text, self.encoding, self.format = page, text, encoding, format

    @property
    def cost(self) -> int:
        """Characters of text, about: most of HTML is markup."""
        return len(self.text) // (HTML_PER_TEXT if self.format == "html" else 1)

    @property
    def utf8(self) -> bytes | None:
        """The text in UTF-8, if the page came so: a copy saved."""
        content = self.page.content
        if isinstance(content, bytes) and self.encoding == "utf-8" and not content.startswith(BOM_UTF8):
            return content
        return None

    @classmethod
    def read(cls, page: Page | str | bytes) -> _Decoded:
        page = page if isinstance(page, Page) else Page(page)
        text, encoding = text_of(page.content)
        return cls(page, text, encoding, page.kind or ("html" if looks_like_html(text) else "text"))


def _label_batch(batch: Sequence[_Decoded], settings: _Settings) -> list[LabelledPage]:
    labelled: dict[int, LabelledPage] = {}
    for format in ("text", "html"):
        places = [place for place, decoded in enumerate(batch) if decoded.format == format]
        if places:
            pages = [batch[place] for place in places]
            labelled.update(zip(places, _labelled_pages(pages, _read_lines(pages, settings), settings), strict=True))
    return [labelled[place] for place in range(len(batch))]


class LinesRead(NamedTuple):
    """The lines of some pages of one format, their base columns by name, and the titles that HTML heads give."""

    format: PageFormat
    batch: TextBatch
    columns: dict[str, Bytes]
    titles: Sequence[str | None]


def read_lines(page: Page, model: Model, repetition: RepetitionTable | None = None) -> LinesRead:
    """The lines of one page as the classifier sees them."""
    return _read_lines([_Decoded.read(page)], _Settings(model, repetition, None))


def _read_lines(pages: Sequence[_Decoded], settings: _Settings) -> LinesRead:
    read = (_read_html if pages[0].format == "html" else _read_dumps)(pages, settings)
    read.columns.update(settings.repetition_columns(read.batch, pages))
    return read


def _read_dumps(pages: Sequence[_Decoded], settings: _Settings) -> LinesRead:
    batch = read_texts([decoded.text for decoded in pages])
    columns = _own_columns(Lines(batch), settings.model, "text")
    if "text" in settings.model.landmarks:
        columns |= settings.model.landmarks["text"].columns(batch.line_hashes, batch.page_offsets)
    return LinesRead("text", batch, columns, [None] * len(pages))


def _read_html(pages: Sequence[_Decoded], settings: _Settings) -> LinesRead:
    from extractor.html import page_title, parse_pages  # lxml is not loaded for plain text
    from extractor.markup import MARKUP_NAMES, markup_columns, read_cues, words_of_kind

    markups = parse_pages([(decoded.text, decoded.utf8) for decoded in pages])
    batch = read_texts([html_text(markup) for markup in markups])
    lines = Lines(batch)
    columns = _own_columns(lines, settings.model, "html")
    cues = read_cues(markups)
    columns |= zip(MARKUP_NAMES, markup_columns(markups, batch, cues, settings.model.cues, lines), strict=True)
    kinds = settings.model.markup_kinds.score_parts(words_of_kind(markups, cues))
    columns |= zip(MARKUP_KIND_NAMES, kinds.take(batch.page, axis=1), strict=True)
    if "html" in settings.model.landmarks:
        from extractor.landmarks import cue_tokens
        from extractor.markup import cue_line_tokens

        tokens = cue_tokens(*cue_line_tokens(markups, batch, cues))
        columns |= settings.model.landmarks["html"].columns(batch.line_hashes, batch.page_offsets, tokens)
    return LinesRead("html", batch, columns, [page_title(markup.meta) for markup in markups])


def _own_columns(lines: Lines, model: Model, format: PageFormat) -> dict[str, Bytes]:
    tokens = line_tokens(lines.batch)
    columns = dict(zip(OWN_NAMES, own_columns(lines.batch, model.wording, tokens, lines), strict=True))
    columns |= zip(PHRASE_NAMES, model.phrases.columns(*tokens), strict=True)
    columns |= zip(KIND_NAMES, _kind_columns(lines.batch, model), strict=True)
    return columns | model.classifiers[format].first.word_columns(*tokens)


def _kind_columns(batch: TextBatch, model: Model) -> Bytes:
    """What the words of its page say of its kind, for each line."""
    return model.kinds.score(batch.word_hash, batch.word_offsets[batch.page_offsets]).take(batch.page, axis=1)


def _labelled_pages(pages: Sequence[_Decoded], read: LinesRead, settings: _Settings) -> list[LabelledPage]:
    format, batch, columns, titles = read
    judgement = settings.model.classifiers[format].judge(columns, batch.page_offsets)
    probabilities = pool(judgement.probabilities, columns, batch.line_hashes, batch.page)
    kinds = judgement.kinds.argmax(axis=1).tolist()
    decision = decide(
        probabilities,
        run_lengths(batch.word_offsets),
        batch.line_hashes,
        batch.page_offsets,
        BETAS[format][settings.prefer],
    )
    merged = merge_classes(probabilities)
    labels = tuple(map(LABELS.__getitem__, decision.codes.tolist()))
    numbers = batch.number if format == "text" else np.arange(len(labels)) - batch.page_offsets[batch.page] + 1
    blank_before = (batch.blank_before > 0).tobytes()
    results = []
    for index, decoded in enumerate(pages):
        first, last = batch.page_offsets[index : index + 2].tolist()
        # of its own, so that a page that is kept does not keep its batch
        lines = TextLines(batch.texts[index], *(array("q", places.tobytes()) for places in batch.places(index)))
        layout = Layout(array("q", numbers[first:last].tobytes()), lines, blank_before[first:last])
        headline = int(decision.headlines[index])
        results.append(
            LabelledPage(
                decoded.page,
                layout,
                labels[first:last],
                merged[first:last].copy(),
                format=format,
                encoding=decoded.encoding,
                headline=headline - first if headline >= 0 else None,
                title=titles[index],
                kind=KINDS[kinds[index]],
                kind_probability=float(judgement.kinds[index, kinds[index]]),
            )
        )
    return results


def html_text(markup: MarkupPage) -> str:
    """The lines of an HTML page as one text: "\\n" between them, a blank line where blocks part."""
    joined = "\n".join(
        ["\n" + text if blank else text for text, blank in zip(markup.texts, markup.breaks, strict=True)]
    )
    return joined[1:] if markup.breaks[:1] == [True] else joined
