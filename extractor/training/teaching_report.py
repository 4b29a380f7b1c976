"""A trial of a taught model -> its report: beside the current model, page by page, and how it learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from extractor.training import charts
from extractor.training.hand_measures import measures_told
from extractor.training.label_reporting import label_sections
from extractor.training.own_evaluation import ACCURACY, PageScore, page_scores, worst_pages
from extractor.training.report_page import Section, Table
from extractor.training.samples import HAND, INPUTS, OURS
from extractor.training.teaching_trial import Trial

TITLE = "A model taught on labelled pages, on pages held out"
_PAGES = 15


def report_sections(trial: Trial, card: Mapping[str, Any], verdict: str) -> list[Section]:
    """The sections of the report; verdict: what became of the model, in a sentence."""
    unit = "site" if trial.by_site else "page"
    how = (
        "Each page was judged by a model that was taught other pages only, those of its site among them; the model that"
        f" is written has learned from all pages. Intervals are of 95 %, drawn by {unit}. Pages that share few lines"
        " with the taught sites are labelled as before."
    )
    return [
        Section("In short", f"{verdict} {how}"),
        _beside(trial),
        *label_sections(trial.best)[:1],
        Section("Learning curve", tables=[_curve_table(trial)], draw=partial(_draw_curves, trial)),
        _changes(trial),
        worst_pages(trial.best),
        _card(card),
    ]


def _inputs(trial: Trial) -> list[str]:
    return [input for input in INPUTS if trial.current.judged.get(input)]


def _beside(trial: Trial) -> Section:
    tables = []
    told = measures_told(trial.current, trial.best)
    measures = [name for name in told if not name.startswith(("precision", "recall"))]
    for input in _inputs(trial):
        rows = []
        for measure in measures:
            before, after = (result.sample(measure, HAND, OURS, input) for result in (trial.current, trial.best))
            if before and after:
                rows.append([measure, str(before.score()), str(after.score()), str(after.less(before) or "")])
        pages = len(trial.current.judged[input])
        tables.append(Table([f"{INPUTS[input]} ({pages} pages)", "current", "new", "new less current"], rows))
    return Section("Beside the current model", tables=tables)


def _curve_table(trial: Trial) -> Table:
    curves = {input: trial.curve(input) for input in _inputs(trial)}
    rows = [
        [f"{pages:.1f}", *(str(curve[place][1]) for curve in curves.values())]
        for place, (pages, _) in enumerate(next(iter(curves.values()), []))
    ]
    return Table(["pages learned from", *(f"{ACCURACY}, {INPUTS[input]}" for input in curves)], rows)


def _draw_curves(trial: Trial) -> Iterator[str]:
    curves = {INPUTS[input]: trial.curve(input) for input in _inputs(trial)}
    yield charts.learning_curve(f"{ACCURACY.capitalize()} by pages", curves, "pages learned from", ACCURACY)


def _changes(trial: Trial) -> Section:
    """Pages that the taught model labels better, and worse."""
    before = {page.page: page for page in page_scores(trial.current)}
    pairs = [(before[page.page], page) for page in page_scores(trial.best)]
    better = sorted((pair for pair in pairs if pair[1].right > pair[0].right), key=_gain, reverse=True)
    worse = sorted((pair for pair in pairs if pair[1].right < pair[0].right), key=_gain)
    text = f"{len(better)} pages better, {len(worse)} worse, {len(pairs) - len(better) - len(worse)} as they were."
    return Section("Pages better and worse", text, [_change_table("better", better), _change_table("worse", worse)])


def _gain(pair: tuple[PageScore, PageScore]) -> tuple[int, str]:
    return pair[1].right - pair[0].right, pair[0].page


def _change_table(name: str, pairs: Sequence[tuple[PageScore, PageScore]]) -> Table:
    rows = [[old.page, f"{old.right} of {old.lines}", str(new.right), new.mistake()] for old, new in pairs[:_PAGES]]
    return Table([name, "lines right, current", "new", "commonest mistake that is left"], rows)


def _card(card: Mapping[str, Any]) -> Section:
    """The card as it stands in the model, the taught pages counted instead of listed."""
    taught = {**card["taught"], "pages": len(card["taught"]["pages"])}
    rows = [[name, _plain(value)] for name, value in sorted({**card, "taught": taught}.items())]
    return Section("The model's card", "The digest of each taught page stands in the model.", [Table(["", ""], rows)])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_plain(value[name])}" for name in value)
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
