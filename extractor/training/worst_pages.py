"""The pages that an evaluation found worst -> HTML in which every line has the colour of its label.

It holds the text of others: it belongs into a report on the own machine, never into the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from extractor.labelling import label
from extractor.model_file import Model
from extractor.page import LABELS, Label, LabelledPage, Page
from extractor.training.alignment import matched_shares
from extractor.training.charts import LABEL_COLOURS
from extractor.training.corpora import Dump, Source
from extractor.training.derivation import GOLD_AT_LEAST
from extractor.training.hand_measures import HandRead
from extractor.training.report_page import Section
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, Sample

MOST_PAGES = 8
"""Of one measure and input."""
MOST_LINES, MOST_CHARACTERS = 300, 240
_MEASURES = (("label accuracy", HAND), ("word F1", "wcxb"), ("shingle F1", "newspaper"), ("word F1", "dragnet"))
_STYLE = """
.lines { list-style: none; padding: 0; font-size: 13px; }
.lines li { border-left: 6px solid var(--label); padding: .05rem .6rem; margin: 1px 0; overflow-wrap: anywhere; }
.lines li.wrong { background: #d4552a2e; }
.lines b { font-weight: 600; font-size: 11px; margin-right: .6em; color: #d4552a; }
.key span { border-left: 6px solid var(--label); padding: 0 .5rem; margin-right: 1rem; }
summary { cursor: pointer; padding: .2rem 0; }
"""


class WorstPage(NamedTuple):
    """A page and how bad it is; converter: of its dump, None for its HTML."""

    page: str
    value: float
    converter: str | None


def worst_pages(sample: Sample, most: int = MOST_PAGES) -> list[WorstPage]:
    """The pages with the lowest scores of their own, the worst first."""
    values = sample.aggregate(np.array(sample.vectors, float))
    order = np.argsort(values, kind="stable")[:most]
    places = [sample.places[row] for row in order]
    return [
        WorstPage(place.page, float(value), place.groups.get("converter"))
        for place, value in zip(places, values[order], strict=True)
    ]


def worst_section(result: Evaluation, sources: Sequence[Source], model: Model) -> Section:
    """The worst pages of the main measures, labelled once more to show their lines."""
    by_page = {f"{source.corpus}/{source.id}": source for source in sources}
    parts = [_key()]
    for measure, corpus in _MEASURES:
        for input, name in INPUTS.items():
            sample = result.sample(measure, corpus, OURS, input)
            if sample is not None:
                parts.append(f"<h3>{escape(corpus)}, {escape(measure)}, {name}</h3>\n")
                parts += [_page_html(by_page[one.page], one, model) for one in worst_pages(sample)]
    text = "For reading here only: the text belongs to others. Lines with a word in front were labelled wrong."
    return Section("The worst pages", html="".join(parts) if len(parts) > 1 else "", style=_STYLE, text=text)


def _key() -> str:
    spans = "".join(f'<span style="--label: {colour}">{label}</span>' for label, colour in LABEL_COLOURS.items())
    return f'<p class="key">{spans}</p>\n'


def _page_html(source: Source, worst: WorstPage, model: Model) -> str:
    dump = next((one for one in source.dumps if one.converter.removesuffix("-hand") == worst.converter), None)
    page = Page(source.html, kind="html") if dump is None else Page(dump.text, kind="text")
    labelled = label(page, model=model)
    truth = list(_truth(source, dump, labelled))
    name = " · ".join(filter(None, [worst.page, worst.converter, source.page_type, f"{worst.value:.3f}"]))
    shown = zip(labelled.lines[:MOST_LINES], truth[:MOST_LINES], strict=True)
    lines = "".join(_line_html(line.text, str(line.label), wanted) for line, wanted in shown)
    left = len(labelled.lines) - MOST_LINES
    more = f"<li>and {left} lines more</li>" if left > 0 else ""
    summary = f"{escape(name)}, found {labelled.kind}, {len(labelled.lines)} lines"
    return f'<details><summary>{summary}</summary><ul class="lines">{lines}{more}</ul></details>\n'


def _truth(source: Source, dump: Dump | None, labelled: LabelledPage) -> Iterator[str | None]:
    """What each line should have been: a label where it was read, else what the gold text says of body, where our
    label contradicts it; None where nothing is known or nothing is wrong."""
    ours = [line.label.value for line in labelled.lines]
    if dump is not None and dump.labels is not None:
        yield from (wanted if wanted != found else None for wanted, found in zip(dump.labels, ours, strict=True))
    elif source.read_dumps and dump is None:
        for code, found in zip(HandRead(source).html_labels().tolist(), ours, strict=True):
            yield LABELS[code].value if code >= 0 and LABELS[code].value != found else None
    else:
        shares = matched_shares([line.text for line in labelled.lines], source.gold or "")[0].tolist()
        for share, found in zip(shares, ours, strict=True):
            in_gold, body = share >= GOLD_AT_LEAST, found == Label.BODY.value
            yield None if not source.scored or share < 0 or in_gold == body else "body" if in_gold else "not body"


def _line_html(text: str, label: str, wanted: str | None) -> str:
    colour = {str(label): colour for label, colour in LABEL_COLOURS.items()}[label]
    shown = escape(text[:MOST_CHARACTERS]) + ("…" if len(text) > MOST_CHARACTERS else "")
    wrong = f"<b>{wanted}</b>" if wanted else ""
    kind = ' class="wrong"' if wanted else ""
    return f'<li{kind} style="--label: {colour}" title="{label}">{wrong}{shown}</li>\n'
