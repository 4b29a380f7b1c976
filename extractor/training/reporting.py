"""What an evaluation found -> the tables and pictures of its report, and all scores for programs.

Every score has its 95 % interval, sites drawn with replacement, and what a page cost beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from extractor.page import LABELS
from extractor.training import charts
from extractor.training.evaluation import HEADLINE_FOUND, KIND, KIND_CORPUS, TITLED_CORPUS
from extractor.training.hand_measures import UNKNOWN_WORDS, UNKNOWN_WORDS_MEASURES, calibration_score
from extractor.training.label_reporting import kind_section, label_sections
from extractor.training.measures import Score
from extractor.training.page_groups import UNKNOWN, never_measured
from extractor.training.report_page import Section, Table
from extractor.training.samples import HAND, INPUTS, OURS, Evaluation, Sample
from extractor.training.targets import CALIBRATION, TARGETS, Standing, Target

MAIN_MEASURES = (
    ("word F1", "wcxb"), ("shingle F1", "newspaper"), ("snippet F1", "multilingual"), ("word F1", "l3s-gn1"),
    ("word F1", "dragnet"), ("word F1", "chinese-news"), ("word F1", "cleaneval"),
)  # fmt: skip
_COLUMNS = (*MAIN_MEASURES, (HEADLINE_FOUND, TITLED_CORPUS), (KIND, KIND_CORPUS))
HAND_MEASURES = ("label accuracy", "label macro F1", *(f"F1 of {label}" for label in LABELS))
TEXT_MEASURES = ("word F1", "shingle F1", "snippet F1")
COST = "CPU ms a page"
FEW = 5
"""A language with fewer pages is not called measured."""


@dataclass(frozen=True, slots=True)
class Findings:
    """dev: the dev split. folds: labels and kinds over train and dev together, each page judged by a model that has
    not seen its site; None where that was not asked for. peers: name to version. written: the codes of the
    languages of the pages written for training."""

    dev: Evaluation
    folds: Evaluation | None = None
    peers: Mapping[str, str] = field(default_factory=dict)
    written: frozenset[str] = frozenset()

    @property
    def labels(self) -> Evaluation:
        """Where labels and kinds are best judged."""
        return self.folds or self.dev

    def extractors(self) -> Iterator[tuple[str, str, str]]:
        """Each extractor with an input and how both are called: ours on HTML and dumps, the peers on HTML."""
        for input, name in INPUTS.items():
            yield OURS, input, f"{OURS}, {name}"
        for peer in self.peers:
            yield peer, "html", peer


def sections(found: Findings) -> list[Section]:
    """All sections but the worst pages."""
    return [
        Section("What must be reached", _judged_on(found), [target_table(found)]),
        Section("All corpora", tables=[overview(found)], draw=partial(_corpus_bars, found)),
        Section("Each corpus", tables=[corpus_table(found, measure, corpus) for measure, corpus in MAIN_MEASURES]),
        Section("By page type", tables=_tables_by(found, "type"), draw=partial(_type_bars, found)),
        Section("By writing system", tables=_tables_by(found, "script")),
        Section("By language", languages(found), [*_tables_by(found, "language"), _unknown_words_table(found)]),
        Section("By converter", tables=_converter_tables(found)),
        Section("Lines read by hand, by corpus", tables=[_hand_table(found, input, "corpus") for input in INPUTS]),
        *label_sections(found.labels),
        kind_section(found.labels),
    ]


def scores(result: Evaluation) -> dict[str, Any]:
    """Every score by "measure, corpus, extractor, input"."""
    found: dict[str, Any] = {", ".join(key): asdict(sample.score()) for key, sample in result.samples.items()}
    for input, judged in result.judged.items():
        for code, label in enumerate(LABELS):
            name = f"{CALIBRATION}, {label.value}, {HAND}, {OURS}, {input}"
            found[name] = asdict(calibration_score(judged, code))
    return found


# --- what must be reached ---------------------------------------------------------------------------


def target_table(found: Findings) -> Table:
    """Each target with how we stand."""
    head = ("measure", "input", "score", COST, "best peer", COST, "ours less the best peer", "floor", "aim")
    return Table(head, [row for target in TARGETS if (row := _target_row(found, target))])


def standing(found: Findings, target: Target) -> Standing | None:
    """How we stand by a target; None where nothing was measured."""
    result = found.labels if target.corpus == HAND or target.measure == KIND else found.dev
    if target.measure.startswith(CALIBRATION):
        judged = result.judged.get(target.input)
        label = target.measure.rpartition(", ")[2]
        return Standing(calibration_score(judged, [one.value for one in LABELS].index(label))) if judged else None
    score = result.score(target.measure, target.corpus, input=target.input)
    if score is None:
        return None
    peer = result.best_peer(target.measure, target.corpus, found.peers)
    return Standing(score, peer, result.difference(target.measure, target.corpus, peer, target.input) if peer else None)


def _target_row(found: Findings, target: Target) -> list[str] | None:
    where = standing(found, target)
    if where is None:
        return None
    cells = [f"{target.corpus}, {target.measure}", INPUTS[target.input], str(where.score)]
    cells += [_cost(found, OURS, target.input, target.corpus), where.peer or ""]
    cells.append(_cost(found, where.peer, "html", target.corpus) if where.peer else "")
    cells.append(signed(where.difference))
    said = {True: "yes", False: "no", None: "no peer run"}
    return cells + [f"{bound}: {said[bound.holds(where)]}" for bound in (target.floor, target.aim)]


def _judged_on(found: Findings) -> str:
    where = "all pages of train and dev by folds over sites" if found.folds else "the dev split alone"
    return f"Texts and headlines: the dev split. Labels and kinds of pages: {where}. Peers read the HTML."


# --- texts --------------------------------------------------------------------------------------------


def overview(found: Findings) -> Table:
    """A row for each extractor, a column for each corpus's main measure, and for headlines and kinds."""
    known = [column for column in _COLUMNS if found.dev.sample(*column)]
    rows = [
        [name, *(str(found.dev.score(*column, extractor, input) or "") for column in known),
         _cost(found, extractor, input)]
        for extractor, input, name in found.extractors()
    ]  # fmt: skip
    return Table(["extractor", *(f"{corpus}, {measure}" for measure, corpus in known), COST], rows)


def corpus_table(found: Findings, main: str, corpus: str) -> Table:
    """All measures of one corpus by extractor, what ours is above each peer, pages lost to errors, and cost."""
    dev = found.dev
    ours = dev.sample(main, corpus)
    if ours is None:
        return Table((), ())
    kept = [measure for measure in TEXT_MEASURES if dev.sample(measure, corpus)]
    rows = []
    for extractor, input, name in found.extractors():
        cells = [name, *(str(dev.score(measure, corpus, extractor, input) or "") for measure in kept)]
        for on in INPUTS:
            less = dev.difference(main, corpus, extractor, on) if extractor != OURS else None
            cells.append(signed(less))
        rows.append(
            [*cells, str(dev.costs[extractor, corpus, input].lost or ""), _cost(found, extractor, input, corpus)]
        )
    head = f"{corpus}, {len(ours.places)} pages"
    return Table([head, *kept, f"ours from HTML less it, {main}", "ours from dumps less it", "pages lost", COST], rows)


def signed(difference: Score | None) -> str:
    """A difference with its interval; nothing where there is none."""
    return f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})" if difference else ""


def _cost(found: Findings, extractor: str, input: str, corpus: str | None = None) -> str:
    """CPU milliseconds a page of a corpus, of all corpora where lines read by hand or none is meant."""
    seconds, pages = 0.0, 0
    for (name, of, on), cost in found.dev.costs.items():
        if (name, on) == (extractor, input) and corpus in (None, HAND, of):
            seconds, pages = seconds + cost.seconds, pages + cost.pages
    return f"{seconds * 1000 / pages:.1f}" if pages else ""


def _corpus_bars(found: Findings) -> list[str]:
    groups: dict[str, dict[str, Score]] = {}
    for measure, corpus in MAIN_MEASURES:
        bars = {
            name: score
            for extractor, input, name in found.extractors()
            if (score := found.dev.score(measure, corpus, extractor, input))
        }
        if bars:
            groups[f"{corpus}, {measure}"] = bars
    return [charts.grouped_bars("Every corpus, with 95 % intervals", groups, _our_names())] if groups else []


def _our_names() -> list[str]:
    return [f"{OURS}, {name}" for name in INPUTS.values()]


# --- groups of pages ----------------------------------------------------------------------------------


def _tables_by(found: Findings, group: str) -> list[Table]:
    """The main measures of all corpora together, then what lines read by hand say, by a group of pages."""
    tables = []
    for measure in TEXT_MEASURES:
        samples = [(name, found.dev.pooled(measure, *who)) for *who, name in found.extractors()]
        tables.append(_group_table(f"all corpora, {measure}", group, samples))
    return tables + [_hand_table(found, input, group) for input in INPUTS]


def _group_table(name: str, group: str, samples: Iterable[tuple[str, Sample | None]]) -> Table:
    known = [(column, sample) for column, sample in samples if sample]
    values = sorted({value for _, sample in known for value in sample.values(group)} - {UNKNOWN})
    rows = []
    for value in values:
        parts = [sample.part(group, value) for _, sample in known]
        pages = max(len({place.page for place in part.places}) for part in parts)
        rows.append([value, str(pages), *(str(part.score()) if part.places else "" for part in parts)])
    return Table([f"{name}, by {group}", "pages", *(column for column, _ in known)], rows)


def _converter_tables(found: Findings) -> list[Table]:
    """Dumps by what made them: a column for each corpus, and for the lines read by hand."""
    by_corpus = [(f"{c}, {m}", found.dev.sample(m, c, input="dump")) for m, c in _COLUMNS]
    return [_group_table("dumps", "converter", by_corpus), _hand_table(found, "dump", "converter")]


def _hand_table(found: Findings, input: str, group: str) -> Table:
    """Lines read by hand, every label, by a group of pages."""
    samples = [(measure, found.labels.sample(measure, HAND, OURS, input)) for measure in HAND_MEASURES]
    return _group_table(f"read by hand, {INPUTS[input]}", group, samples)


def _type_bars(found: Findings) -> list[str]:
    groups: dict[str, dict[str, Score]] = {}
    for extractor, input, name in found.extractors():
        if sample := found.dev.sample("word F1", "wcxb", extractor, input):
            for value in sample.values("type"):
                groups.setdefault(value, {})[name] = sample.part("type", value).score()
    title = "wcxb, word F1 by page type, with 95 % intervals"
    return [charts.grouped_bars(title, dict(sorted(groups.items())), _our_names())] if groups else []


def languages(found: Findings) -> str:
    """The languages that scores were measured in, and those that the model was trained in but never measured."""
    pages: Counter[str] = Counter()
    for measure in ("word F1", "snippet F1"):
        sample = found.dev.pooled(measure)
        pages.update(place.groups["language"] for place in (sample.places if sample else ()))
    if not pages:
        return ""
    enough = {name: count for name, count in pages.most_common() if count >= FEW and name != UNKNOWN}
    said = ", ".join(f"{name} ({count})" for name, count in enough.items())
    never = ", ".join(never_measured(found.written, enough)) or "none known"
    return f"Measured: {said}. Never measured, though the model was trained on pages in them: {never}."


def _unknown_words_table(found: Findings) -> Table:
    """Dumps read by hand, as they are and in words that nobody has seen."""
    rows = []
    for name, measure in UNKNOWN_WORDS_MEASURES.items():
        known, unknown = (found.dev.sample(one, HAND, input="dump") for one in (measure, name))
        if known and unknown:
            rows.append([measure, str(known.score()), str(unknown.score()), signed(unknown.less(known))])
    return Table(["read by hand, dumps", "as they are", UNKNOWN_WORDS, "difference"], rows)


def comparison(name: str, unseen: Evaluation, seen: Evaluation) -> Table:
    """Dumps by a model that was trained without their converter, and by one that was trained with it."""
    rows = []
    for measure, corpus in [*MAIN_MEASURES, *((measure, HAND) for measure in HAND_MEASURES)]:
        left, right = (result.sample(measure, corpus, input="dump") for result in (unseen, seen))
        if left and right:
            title = f"{corpus}, {measure} ({len(left.places)})"
            rows.append([title, str(left.score()), str(right.score()), signed(left.less(right))])
    return Table([name, "trained without them", "trained with them", "difference"], rows)
