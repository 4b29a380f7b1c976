"""Labelled pages -> the same as if they were written in other languages (see phrases.py).

Nearly all pages of the shared corpora are English, Chinese or German, but a page without spaces or without capitals has
other columns than these in every line.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from extractor.decoding import decode
from extractor.html import MarkupPage, parse_html
from extractor.labelling import html_text
from extractor.training.corpora import UNSPACED_CORPORA, Source, dump_lines
from extractor.training.derivation import LabelledView
from extractor.training.fitting import THREADS
from extractor.training.phrases import Phrasebook
from extractor.training.views import make_view

_AT_ONCE = 50


def translated_views(
    sources: Sequence[Source], labelled: Sequence[LabelledView], phrasebook: Phrasebook, turns: Iterable[int]
) -> list[LabelledView]:
    """The HTML of these sources and their dumps that were read by hand, as they are labelled, in every turn in another
    language; the same in every run."""
    known = {(one.view.corpus, one.view.id, one.view.converter): one for one in labelled}
    pages = list(_with_labels(sources, known))
    found: list[LabelledView] = Parallel(n_jobs=THREADS, batch_size=_AT_ONCE)(
        delayed(_translated)(*page, phrasebook, turn) for turn in turns for page in pages
    )
    return found


def _with_labels(
    sources: Sequence[Source], known: dict[tuple[str, str, str], LabelledView]
) -> Iterator[tuple[Source, str | None, LabelledView]]:
    """HTML, for which None stands, and dumps that were read."""
    for source in sources:
        if source.corpus in UNSPACED_CORPORA:
            continue
        read = [(dump.converter, dump.text) for dump, _ in source.read_dumps]
        for converter, text in (("html", None), *read):
            one = known.get((source.corpus, source.id, converter))
            if one is not None:
                yield source, text, one


def _translated(source: Source, text: str | None, one: LabelledView, phrasebook: Phrasebook, turn: int) -> LabelledView:
    key = zlib.crc32(f"{source.corpus} {source.id} {one.view.converter}".encode())
    languages = phrasebook.languages
    language = languages[(key + turn * (len(languages) // 2 + 1)) % len(languages)]
    key = zlib.crc32(f"{key} {language}".encode())
    markup = None
    if text is None:
        markup = translated_markup(parse_html(decode(source.html)[0]), phrasebook, language, key)
        text, texts = html_text(markup), markup.texts
    else:
        text = "\n".join(phrasebook.written_in(language, text.split("\n"), key))
        texts = dump_lines(text)
    bare = replace(source.without_page(), page_type=None)
    unknown = np.full(len(texts), -1, np.int8)
    nowhere = np.full(len(texts), -1, np.int64)
    view = make_view(bare, one.view.converter, text, texts, [], nowhere, unknown, markup)
    return replace(one, view=view)


def translated_markup(markup: MarkupPage, phrasebook: Phrasebook, language: str, key: int) -> MarkupPage:
    """An HTML page as if it were written in a language: what is in links, strong or buttons is as much of a line."""
    texts = phrasebook.written_in(language, markup.texts, key)
    shares = [len(after) / len(before) for before, after in zip(markup.texts, texts, strict=True)]

    def scaled(characters: list[int]) -> list[int]:
        return [round(count * share) for count, share in zip(characters, shares, strict=True)]

    meta = zip(markup.meta, phrasebook.written_in(language, list(markup.meta.values()), key), strict=True)
    return replace(
        markup, texts=texts, link_characters=scaled(markup.link_characters),
        strong_characters=scaled(markup.strong_characters), button_characters=scaled(markup.button_characters),
        meta=dict(meta),
    )  # fmt: skip
