"""Labelled pages against labels read by hand -> confusions, probabilities, and which short body lines were found.

Short body lines are what a cleaner that looks for prose loses. A line counts when it was read as body and is

- a list item: in li, dt or dd (of three lines at most: whole articles stand in li too);
- a sub-heading: in h2 to h6;
- a one-line answer: in any other element, with at most SHORT characters.

The element is that of the HTML line which holds most of its tokens. A dump's line that no HTML line matches is told
by its looks: a list item behind a bullet or number, a one-line answer if it is short and no part of a hard-wrapped
paragraph. The headline (in h1, or reading as the page's title) does not count. On HTML the labels are those of the
dump lines that its lines match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Integers
from extractor.decoding import decode
from extractor.html import TAGS, MarkupPage, page_title, parse_html
from extractor.page import LABELS, LabelledPage
from extractor.plaintext import continuations
from extractor.training import measures
from extractor.training.alignment import matched_lines, tokenize
from extractor.training.corpora import Source, dump_lines
from extractor.training.measures import Aggregate, Score
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, JudgedLines, Key, Place
from extractor.training.views import html_labels, label_codes

SHORT = 80
"""Most characters of a one-line answer."""
ELEMENTS = ("list items", "sub-headings", "one-line answers")
_ITEM, _HEADING, _ANSWER = range(len(ELEMENTS))
_ITEM_LINES = 3
_BULLET = re.compile(r"\s*(?:[-*•·▪●■◦‣–—+]|\(?\d{1,3}[.)])\s")
_HEADLINE_TAG = "h1"
_SUB_HEADINGS = frozenset(("h2", "h3", "h4", "h5", "h6"))
_LIST_ITEMS = frozenset(("li", "dt", "dd"))

CONFUSION_MEASURES: Mapping[str, Aggregate] = {
    "label accuracy": measures.accuracy,
    "label macro F1": measures.macro_f1,
    **{f"F1 of {label.value}": measures.label_f1(code) for code, label in enumerate(LABELS)},
    **{f"precision of {label.value}": measures.label_precision(code) for code, label in enumerate(LABELS)},
    **{f"recall of {label.value}": measures.label_recall(code) for code, label in enumerate(LABELS)},
}
UNKNOWN_WORDS = "words unknown"
UNKNOWN_WORDS_MEASURES: Mapping[str, str] = {
    f"{measure}, {UNKNOWN_WORDS}": measure for measure in ("label accuracy", "label macro F1")
}
"""Of the same dumps with their letters exchanged (unknown_words.py), and what is measured as they are."""
SHORT_LINES = "recall of short body lines"
SHORT_MEASURES = (SHORT_LINES, *(f"recall of {element}" for element in ELEMENTS))


def note_labelled_page(
    result: Evaluation, place: Place, labelled: LabelledPage, truth: Integers, input: str = "dump"
) -> Integers:
    """Compare a page's labels with the true ones, one for each line (-1: not known); gives the page's own codes."""
    codes = label_codes(labelled.labels)
    probabilities = np.array(labelled.probabilities, float).reshape(-1, len(LABELS))
    note_labels(result, place, codes, probabilities, truth, input)
    return codes


def note_labels(
    result: Evaluation, place: Place, codes: Integers, probabilities: NDArray[np.float64], truth: Integers, input: str
) -> None:
    """Note the labels given, codes, and the probabilities, (lines, 4), of lines whose true labels are known."""
    known = truth >= 0
    note_confusion(result, place, codes[known], truth[known], CONFUSION_MEASURES, input)
    result.judged[input].append(JudgedLines(place, probabilities[known], truth[known]))


def note_confusion(
    result: Evaluation, place: Place, codes: Integers, truth: Integers, named: Mapping[str, Aggregate], input: str
) -> None:
    """Note how many lines of each true label were given each label, for each of the named measures."""
    counts = np.bincount(truth * len(LABELS) + codes, minlength=len(LABELS) ** 2).astype(float).tolist()
    for measure, aggregate in named.items():
        result.add(Key(measure, HAND, OURS, input), aggregate, place, counts)


def note_short_lines(
    result: Evaluation, place: Place, codes: Integers, truth: Integers, elements: Integers, input: str
) -> None:
    """Note which of a page's short body lines were found; elements: indices into ELEMENTS, -1 for all other lines."""
    short = (truth == 0) & (elements >= 0)
    for measure, chosen in zip(SHORT_MEASURES, (short, *(short & (elements == n) for n in range(3))), strict=True):
        if chosen.any():
            vector = (float((codes[chosen] == 0).sum()), float(chosen.sum()))
            result.add(Key(measure, HAND, OURS, input), measures.mean, place, vector)


def measures_told(*results: Evaluation) -> list[str]:
    """The names of CONFUSION_MEASURES, without those of labels that no line has or was given: their F1 says nothing."""
    counts = np.zeros((len(LABELS), len(LABELS)))
    for key in (Key("label accuracy", HAND, OURS, input) for input in INPUTS):
        for result in results:
            if key in result.samples:
                counts += np.sum(result.samples[key].vectors, axis=0).reshape(counts.shape)
    there = counts.sum(axis=0) + counts.sum(axis=1) > 0
    absent = {label.value for label, found in zip(LABELS, there.tolist(), strict=True) if not found}
    return [name for name in CONFUSION_MEASURES if name.rpartition(" of ")[2] not in absent]


def calibration_vectors(judged: Sequence[JudgedLines], label: int) -> measures.Vectors:
    """Of one label, a row for each page: see measures.calibration_vectors()."""
    probabilities = np.concatenate([lines.probabilities[:, label] for lines in judged])
    truth = np.concatenate([lines.truth for lines in judged]) == label
    page_of = np.repeat(np.arange(len(judged)), [len(lines.truth) for lines in judged])
    return measures.calibration_vectors(probabilities, truth, page_of, len(judged))


def calibration_score(judged: Sequence[JudgedLines], label: int) -> Score:
    """The calibration error of one label. It is a sum of distances, so resampling draws it upwards."""
    sites = [lines.place.site for lines in judged]
    return measures.score(calibration_vectors(judged, label), sites, measures.calibration)


class HandRead:
    """A source some of whose dumps were read by hand, with what its HTML says of their lines."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._markup = parse_html(decode(source.html)[0])
        self._elements = html_elements(self._markup, {source.title, page_title(self._markup.meta)})

    def dump_elements(self, text: str) -> Integers:
        """The elements of a dump's non-blank lines: see the module."""
        texts = dump_lines(text)
        lines = matched_lines(texts, self._markup.texts)
        found = by_looks(text)
        found[lines >= 0] = self._elements[lines[lines >= 0]]
        return found

    def html_elements(self) -> Integers:
        """The elements of the HTML lines."""
        return self._elements

    def html_labels(self) -> Integers:
        """The labels of the HTML lines, -1 where no line that was read matches."""
        return html_labels(self._source, self._markup)


def html_elements(markup: MarkupPage, titles: set[str | None]) -> Integers:
    """The element of each HTML line, an index into ELEMENTS; -1 for a headline and for longer text."""
    headlines = {" ".join(tokenize(title)) for title in titles if title}
    found = np.full(len(markup.texts), -1, np.int64)
    for line, (text, block) in enumerate(zip(markup.texts, markup.blocks, strict=True)):
        tags = _tags_around(markup, block)
        if _HEADLINE_TAG in tags or " ".join(tokenize(text)) in headlines:
            continue
        if tags & _SUB_HEADINGS:
            found[line] = _HEADING
        elif tags & _LIST_ITEMS:
            found[line] = _ITEM
        elif len(text) <= SHORT:
            found[line] = _ANSWER
    return found


def by_looks(text: str) -> Integers:
    """The element of each non-blank line of a dump, told without its HTML."""
    rows = text.split("\n")
    places = [place for place, row in enumerate(rows) if row.strip()]
    texts = [rows[place] for place in places]
    continued = continuations(texts, [place > 0 and not rows[place - 1].strip() for place in places])
    wrapped = [here or after for here, after in zip(continued, [*continued[1:], False], strict=True)]
    return np.array(
        [
            _ITEM if _BULLET.match(line) else _ANSWER if len(line.strip()) <= SHORT and not part else -1
            for line, part in zip(texts, wrapped, strict=True)
        ],
        np.int64,
    )


def _tags_around(markup: MarkupPage, block: int) -> set[str]:
    """The tags of a block and of the blocks around it that hold few lines."""
    tags = set()
    while block >= 0 and markup.last_lines[block] - markup.first_lines[block] <= _ITEM_LINES:
        tags.add(TAGS[markup.tags[block]])
        block = markup.parents[block]
    return tags
