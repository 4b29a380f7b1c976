"""Labelled pages in files (training_data/pages, or a user's own) -> views, as the corpora give them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractor.decoding import decode
from extractor.errors import LabelsError
from extractor.html import parse_html
from extractor.labelled_pages import (
    LABELS_ENDING,
    HandLabelledPage,
    lines_of,
    pages_and_problems,
    read_labelled_pages,
)
from extractor.labelling import html_text
from extractor.training.converters import extra_dump
from extractor.training.corpora import Source
from extractor.training.derivation import LabelledView, classes_read
from extractor.training.views import PageViews, label_codes, make_view, titles, views

OWN = "own"
WEIGHTS_FILE = "weights.json"
WRITTEN_TRUST = 3.0


def own_page_views(folder: Path) -> Iterator[PageViews]:
    """The views of each labelled page of a folder. The folder that a page lies in is its site."""
    for labelled in read_labelled_pages(folder):
        yield _dump_views(labelled) if labelled.path.suffix == ".txt" else _html_views(labelled)


def _source(labelled: HandLabelledPage, html: bytes) -> Source:
    site = f"{OWN}:{labelled.path.parent.name}"
    return Source(OWN, f"{labelled.path.parent.name}/{labelled.path.stem}", "train", None, site, None, html,
                  None, None, (), (), (), 0.0)  # fmt: skip


def _dump_views(labelled: HandLabelledPage) -> PageViews:
    text, texts = decode(labelled.path.read_bytes())[0], lines_of(labelled.page)
    source = _source(labelled, b"")
    unknown = np.full(len(texts), -1, np.int64)
    dump = make_view(source, OWN, text, texts, [], unknown, label_codes(labelled.labels), None)
    none = np.zeros(0, np.int64)
    return PageViews(make_view(source, "html", "", [], [], none, none, parse_html("")), (dump,))


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


class OwnPage(NamedTuple):
    """A labelled page, and its views (a dump; or HTML, and a dump of it) with the classes of their lines.

    site: the folder that the page lies in. digest: of the page and its labels."""

    page: HandLabelledPage
    site: str
    digest: str
    labelled: tuple[LabelledView, ...]


def read_own_pages(folder: Path) -> list[OwnPage]:
    """The labelled pages of a folder. LabelsError that names all that is wrong with them, a line each."""
    pages, problems = pages_and_problems(folder)
    problems += contradictions(pages)
    if problems:
        raise LabelsError("\n".join(problems))
    return [_own_page(page) for page in pages]


def contradictions(pages: Iterable[HandLabelledPage]) -> list[str]:
    """Pages that read the same and are labelled differently: a message for each, none if all is well."""
    first: dict[tuple[str, ...], HandLabelledPage] = {}
    problems = []
    for page in pages:
        texts = tuple(lines_of(page.page))
        other = first.setdefault((page.path.suffix, *texts), page)
        wrong = [
            line for line, (label, known) in enumerate(zip(page.labels, other.labels, strict=True)) if label != known
        ]
        if wrong:
            line, labels = wrong[0], page.path.with_suffix(LABELS_ENDING)
            more = f" (and {len(wrong) - 1} lines more)" if len(wrong) > 1 else ""
            problems.append(
                f"{labels}, line {line + 1}: {page.labels[line]}, but {other.labels[line]} in {other.path}, which reads"
                f" the same{more}; label both alike"
            )
    return problems


def _own_page(labelled: HandLabelledPage) -> OwnPage:
    views = _dump_views(labelled) if labelled.path.suffix == ".txt" else _html_views(labelled)
    read = []
    for view in views.all():
        classes = classes_read(view)
        known = classes >= 0
        if known.any():
            read.append(LabelledView(view, np.maximum(classes, 0), known.astype(float), known))
    content = labelled.page.content
    digest = hashlib.sha256(content if isinstance(content, bytes) else content.encode("utf-8", "replace"))
    digest.update("\n".join(labelled.labels).encode())
    return OwnPage(labelled, str(labelled.path.parent), digest.hexdigest()[:16], tuple(read))


def trust_written_pages(labelled: Sequence[LabelledView], folder: Path) -> list[LabelledView]:
    """The views, those of pages written for training trusted more than others: they hold what the corpora lack.

    A site that WEIGHTS_FILE names counts as much as it says, the others WRITTEN_TRUST.
    """
    weights = json.loads((folder / WEIGHTS_FILE).read_text(encoding="utf-8"))["sites"]
    return [
        replace(one, trust=np.where(one.read, weights.get(one.view.site.removeprefix(f"{OWN}:"), WRITTEN_TRUST), 0.0))
        if one.view.corpus == OWN
        else one
        for one in labelled
    ]
