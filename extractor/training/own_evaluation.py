"""Labelled pages of one's own and a model -> how well its labels fit, over all and page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from extractor.labelled_pages import HandLabelledPage, read_checked_pages
from extractor.labelling import label_many
from extractor.model_file import Model
from extractor.page import LABELS
from extractor.training.hand_measures import CONFUSION_MEASURES, note_labelled_page
from extractor.training.label_reporting import label_sections
from extractor.training.report_page import Section, Table, as_html, as_markdown
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, Key, Place
from extractor.training.views import label_codes

ACCURACY = "label accuracy"
_WORST = 20


class PageScore(NamedTuple):
    """A page, its lines, and how many are labelled as they were read; confusion: truth by prediction, (4, 4)."""

    page: str
    lines: int
    right: int
    confusion: np.ndarray[tuple[int, ...], np.dtype[np.int64]]

    @property
    def share(self) -> float:
        """The share that is right."""
        return self.right / max(self.lines, 1)

    def mistake(self) -> str:
        """The commonest mistake, in words."""
        wrong = self.confusion * (1 - np.eye(len(LABELS), dtype=np.int64))
        truth, found = divmod(int(wrong.argmax()), len(LABELS))
        return f"{wrong.max()} x {LABELS[truth]} taken for {LABELS[found]}" if wrong.max() else ""


def judge_pages(result: Evaluation, pages: Sequence[HandLabelledPage], model: Model, *, by_site: bool = True) -> None:
    """Note what the model's labels are worth on labelled pages; by_site: the folder of a page is its site, else each
    page stands for itself."""
    for page, labelled in zip(pages, label_many((page.page for page in pages), model=model), strict=True):
        name = str(page.path)
        place = Place(name, str(page.path.parent) if by_site else name, {})
        input = "html" if labelled.format == "html" else "dump"
        note_labelled_page(result, place, labelled, label_codes(page.labels), input)


def several_sites(pages: Iterable[HandLabelledPage]) -> bool:
    """Whether the pages lie in more than one folder."""
    return len({page.path.parent for page in pages}) > 1


def page_scores(result: Evaluation) -> list[PageScore]:
    """The pages of an evaluation, the worst first."""
    found = []
    for input in INPUTS:
        sample = result.sample(ACCURACY, HAND, OURS, input)
        for place, vector in zip(sample.places, sample.vectors, strict=True) if sample else ():
            confusion = np.array(vector, np.int64).reshape(len(LABELS), len(LABELS))
            found.append(PageScore(place.page, int(confusion.sum()), int(np.trace(confusion)), confusion))
    return sorted(found, key=lambda page: (page.share, page.page))


def evaluate_pages(path: Path, model: Model, output: Path | None = None) -> str:
    """How well a model labels labelled pages, as Markdown; OUTPUT.md, .html and .json are written if asked for.

    LabelsError that names all pages that are not in order."""
    pages = read_checked_pages(path)
    result = Evaluation()
    judge_pages(result, pages, model, by_site=several_sites(pages))
    title, sections = str(path), [*label_sections(result)[:1], worst_pages(result)]
    report = as_markdown(title, sections)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.with_suffix(".md").write_text(report, encoding="utf-8")
        output.with_suffix(".html").write_text(as_html(title, sections), encoding="utf-8")
        output.with_suffix(".json").write_text(json.dumps(as_record(result), indent=1) + "\n", encoding="utf-8")
    return report


def worst_pages(result: Evaluation) -> Section:
    """The pages with the largest share of lines that are labelled otherwise than they were read."""
    wrong = [page for page in page_scores(result) if page.right < page.lines]
    rows = [[page.page, f"{page.right} of {page.lines}", f"{page.share:.3f}", page.mistake()] for page in wrong]
    table = Table(["page", "lines right", "share", "commonest mistake"], rows[:_WORST])
    every = "Every line of every page is labelled as it was read."
    more = f"The worst {_WORST} of {len(rows)} pages with mistakes." if len(rows) > _WORST else ""
    return Section("Pages with mistakes, the worst first", more if rows else every, [table])


def as_record(result: Evaluation) -> dict[str, Any]:
    """All scores by input and measure, and all pages, the worst first."""
    scores = {
        INPUTS[input]: {
            measure: asdict(score)
            for measure in CONFUSION_MEASURES
            if (score := result.score(measure, HAND, OURS, input)) is not None
        }
        for input in INPUTS
        if Key(ACCURACY, HAND, OURS, input) in result.samples
    }
    pages = [page._asdict() | {"confusion": page.confusion.tolist()} for page in page_scores(result)]
    return {"labels": [str(label) for label in LABELS], "scores": scores, "pages": pages}
