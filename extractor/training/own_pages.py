"""Labelled pages in files (training_data/pages, or a user's own) -> views, as the corpora give them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelled_pages import HandLabelledPage, read_labelled_pages
from extractor.labelling import html_text
from extractor.training.converters import extra_dump
from extractor.training.corpora import Source
from extractor.training.derivation import FOLDS, LabelledView, Tables, classes_read
from extractor.training.fitting import TRUST_IN_READING
from extractor.training.tables import LineTable, joined, line_table
from extractor.training.views import PageViews, label_codes, make_view, titles, views

OWN = "own"


def own_page_views(folder: Path) -> Iterator[PageViews]:
    """The views of each labelled page of a folder. The folder that a page lies in is its site."""
    for labelled in read_labelled_pages(folder):
        yield _dump_views(labelled) if labelled.path.suffix == ".txt" else _html_views(labelled)


def _source(labelled: HandLabelledPage, html: bytes) -> Source:
    site = f"{OWN}:{labelled.path.parent.name}"
    return Source(OWN, f"{labelled.path.parent.name}/{labelled.path.stem}", "train", None, site, None, html,
                  None, None, (), (), (), 0.0)  # fmt: skip


def _dump_views(labelled: HandLabelledPage) -> PageViews:
    text = labelled.path.read_text(encoding="utf-8")
    texts = [line for line in text.split("\n") if line.strip()]
    source = _source(labelled, b"")
    unknown = np.full(len(texts), -1, np.int64)
    dump = make_view(source, OWN, text, texts, [], unknown, label_codes(labelled.labels), None)
    none = np.zeros(0, np.int64)
    return PageViews(make_view(source, "html", "", [], [], none, none.astype(np.int8), parse_html("")), (dump,))


def _html_views(labelled: HandLabelledPage) -> PageViews:
    """The HTML page, and a dump of it whose lines take the labels of the HTML lines that they match."""
    html = labelled.path.read_bytes()
    source, markup = _source(labelled, html), parse_html(decode(html)[0])
    codes = label_codes(labelled.labels)
    own = make_view(
        source, "html", html_text(markup), markup.texts, titles(source, markup), np.arange(len(codes)), codes, markup
    )
    source.dumps.extend(filter(None, [extra_dump(source)]))
    dumps = views(source).dumps
    for dump in dumps:
        matched = dump.html_line >= 0
        dump.hand[matched] = codes[dump.html_line[matched]]
    return PageViews(own, dumps)


def add_pages(table: LineTable, folder: Path, words: Tables, weight: float) -> LineTable:
    """The table with the lines of the labelled pages of a folder added, each counting `weight`."""
    labelled = []
    for page in own_page_views(folder):
        for view in page.all():
            classes = classes_read(view)
            read = classes >= 0
            trust = np.where(read, weight / TRUST_IN_READING, 0.0)
            labelled.append(LabelledView(view, np.maximum(classes, 0), trust, read))
    labelled = [one for one in labelled if one.read.any()]
    if not any((one.view.converter == "html") == (table.format == "html") for one in labelled):
        return table
    return joined(table, line_table(table.format, labelled, dict.fromkeys((*range(FOLDS), None), words)))
