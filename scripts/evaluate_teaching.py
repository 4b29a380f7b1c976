"""What five labelled pages of a site teach a model of that site's other pages, printed as Markdown.

Sites of dragnet, l3s-gn1 and wcxb with at least eight pages stand for a user's own. The user goes over five pages as
the model labels them and corrects what is wrong: body is what the gold text holds, or what was read by hand. The
model is taught the five, as `extractor train --pages` does; then its word F1 on the site's other pages is held
against that of the model before, and of the best choice of lines. No repetition table. It is also measured what the
lesson costs on dev pages of all corpora.

The model has not seen the sites. Those of the dev split it never has. Of those of the train split the tables hold what
words and a network say that have not seen the site; the second stage is fitted again without it, on a part of the
lines (--lines). A page is one dump, or its HTML. Last, half of the sites are taught at once, and it is measured what
that changes on the pages of the others.

    python scripts/evaluate_teaching.py --output build/teaching.md
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor import Model
from extractor.characters import TextBatch, read_texts
from extractor.classifier import (
    BODY,
    HEADER,
    HEADLINE,
    STAGE_NAMES,
    LineClassifier,
    Stage,
    decide,
    network_scores,
    softmax,
)
from extractor.context import Neighbourhood
from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelling import BETAS, html_text
from extractor.landmarks import Landmarks, cue_tokens, landmark_scores, short_hashes
from extractor.model_file import FORMATS
from extractor.pooling import pool
from extractor.training.columns import BASE_COLUMNS, CANDIDATES
from extractor.training.converters import extra_dump
from extractor.training.corpora import (
    CORPORA,
    HEADLINE_IN_GOLD,
    Source,
    add_labels,
    read_corpora,
    read_dump_labels,
)
from extractor.training.derivation import GOLD_AT_LEAST, classes_read, fold_of
from extractor.training.evaluation import Plan, evaluate
from extractor.training.fitting import fit_stage, length_factors
from extractor.training.folds import page_digests, text_digests
from extractor.training.landmark_fitting import TaughtPage, fit_landmarks
from extractor.training.measures import RESAMPLES, load_metrics
from extractor.training.report_page import Table
from extractor.training.samples import INPUTS, Evaluation
from extractor.training.tables import LineTable, base_columns, read_table
from extractor.training.teaching import TeachingSettings, tables_of_model
from extractor.training.training import SECOND_RATES, Settings, matrix, sample_rows
from extractor.training.views import View, views

ROOT = Path(__file__).parent.parent
SITE_CORPORA = ("dragnet", "l3s-gn1", "wcxb")
PAGES_AT_LEAST = 8
LABELLED = 5
LEAST_GAIN, LARGEST_LOSS = 0.25, 0.005
MEASURES = {corpus: "snippet F1" if corpus == "multilingual" else "word F1" for corpus in CORPORA}
PARITIES = 2
"""Second stages are fitted without the folds of even numbers and without those of odd ones."""


class SiteScore(NamedTuple):
    """Word F1 on the pages of a site that were not taught: of the model before and after, and of the best choice."""

    site: str
    corpus: str
    split: str
    pages: int
    before: float
    after: float
    best: float


class SitePage(NamedTuple):
    """A page in one format as a model meets it that has not seen its site; shares: percent of each line in the gold
    text; columns: the base columns, by name; scores: before any lesson, (classes, lines)."""

    source: Source
    view: View
    batch: TextBatch
    columns: dict[str, NDArray[np.uint8]]
    shares: NDArray[np.int64]
    scores: NDArray[np.float64]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where the one page begins and ends."""
        return np.array([0, len(self.shares)])

    @property
    def cues(self) -> Any:
        """The names of the classes around each line (HTML)."""
        return cue_tokens(*self.view.cue_tokens) if self.view.cue_tokens else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of the shared corpora")
    parser.add_argument("--data", type=Path, default=ROOT / "training_data", help="folder of the training tables")
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "default.npz")
    parser.add_argument("--sites", type=int, default=1000, help="so many sites only, those of the dev split first")
    parser.add_argument("--lines", type=float, default=0.3, help="share of the lines that second stages are fitted on")
    parser.add_argument("--others", type=int, default=30, help="pages of each corpus on which losses are measured")
    parser.add_argument("--losses", type=int, default=5, help="lessons after which losses are measured")
    parser.add_argument("--inputs", nargs="+", choices=INPUTS, default=["dump", "html"])
    parser.add_argument("--weight", type=float, default=TeachingSettings().weight)
    parser.add_argument("--output", type=Path, help="file that the report is written to besides")
    options = parser.parse_args()
    model = Model.load(options.model)
    chosen = dict(list(own_sites(options.shared).items())[: options.sites])
    others = other_pages(options.shared, chosen, options.others) if options.losses else []
    parts = []
    for input in options.inputs:
        format = FORMATS[input == "html"]
        unseen = Unseen(model, format, options.data, options.lines)
        trial = Trial(model, unseen, TeachingSettings(options.weight), input, options.shared)
        parts.append(trial.report(chosen, others, options.losses))
        print(parts[-1], flush=True)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text("\n".join(parts), encoding="utf-8")


def own_sites(shared: Path) -> dict[str, list[Source]]:
    """The sites with enough pages whose gold text is found in them, those of dev first, their pages in random order."""
    labels = read_dump_labels(ROOT / "training_data" / "dump_labels.jsonl")
    scored = [source for source in add_labels(read_corpora(shared, SITE_CORPORA), labels) if source.scored]
    enough = {site for site, pages in Counter(source.site for source in scored).items() if pages >= PAGES_AT_LEAST}
    found: dict[str, list[Source]] = defaultdict(list)
    for source in scored:
        if source.site in enough:
            found[source.site].append(source)
    order = sorted(found, key=lambda site: (found[site][0].split, random.Random(site).random()))
    return {site: random.Random(0).sample(found[site], len(found[site])) for site in order}


def other_pages(shared: Path, sites: Mapping[str, object], number: int) -> list[Source]:
    """Some pages of the dev split of each corpus, of other sites."""
    found: list[Source] = []
    for corpus in CORPORA:
        sources = [source for source in read_corpora(shared, [corpus], "dev") if source.site not in sites]
        found += random.Random(0).sample(sources, min(number, len(sources)))
    return found


class Unseen:
    """What a model that has not seen a page's site makes of it."""

    def __init__(self, model: Model, format: str, data: Path, lines: float) -> None:
        self._model, self._format, self._lines = model, format, lines
        self._table: LineTable = read_table(data, format)
        self._page_of = {digest: page for page, digest in enumerate(page_digests(self._table))}
        self._stages: dict[int, Stage] = {}
        self._tables = tables_of_model(model)

    def page(self, source: Source) -> SitePage | None:
        """The page; None for one that the tables do not hold."""
        if source.split == "train":
            source = replace(source, dumps=[*source.dumps, *filter(None, [extra_dump(source)])])
        page = views(source)
        texts = [html_text(parse_html(decode(source.html)[0])), *(dump.text for dump in source.dumps)]
        for view, text in zip(page.all(), texts, strict=True):
            if view.format != self._format or view.converter.endswith("-hand"):
                continue
            base = self._base(source, view, text)
            if base is not None and base.shape[1]:
                columns = dict(zip(BASE_COLUMNS[self._format], base, strict=True))
                shares, scores = view.gold.astype(np.int64), self._scores(source, columns)
                return SitePage(source, view, read_texts([text]), columns, shares, scores)
        return None

    def _base(self, source: Source, view: View, text: str) -> NDArray[np.uint8] | None:
        if source.split == "dev":
            return base_columns(view, self._tables)
        page = self._page_of.get(text_digests([text])[0])
        if page is None:
            return None
        first, last = self._table.page_offsets[page : page + 2]
        return self._table.base[:, first:last]

    def _scores(self, source: Source, columns: dict[str, NDArray[np.uint8]]) -> NDArray[np.float64]:
        classifier: LineClassifier = self._model.classifiers[self._format]
        stage = classifier.second if source.split == "dev" else self._stage(fold_of(source.site) % PARITIES)
        around = Neighbourhood(columns, np.array([0, len(columns[STAGE_NAMES[0]])]))
        return classifier._replace(second=stage).second_scores(around)

    def _stage(self, parity: int) -> Stage:
        """A second stage of the folds of the other parity, with the shipped calibration."""
        if parity not in self._stages:
            table, names = self._table, CANDIDATES[self._format]
            rows, weights = sample_rows(table, self._lines)
            kept = table.folds[rows] % PARITIES != parity
            rows, weights = rows[kept], weights[kept]
            settings = Settings()
            self._stages[parity] = fit_stage(
                matrix(table, rows, names), names, table.classes[rows], weights, trees=settings.second_trees,
                rate=SECOND_RATES[self._format], seed=3, start=network_scores(matrix(table, rows, STAGE_NAMES)),
            )  # fmt: skip
        return self._stages[parity]


class Trial:
    """Lessons of one input ("html" or "dump")."""

    def __init__(self, model: Model, unseen: Unseen, settings: TeachingSettings, input: str, shared: Path) -> None:
        self._model, self._unseen, self._settings, self._input = model, unseen, settings, input
        self._shared, self._metrics = shared, load_metrics(shared)

    def report(self, sites: Mapping[str, Sequence[Source]], others: Sequence[Source], losses: int) -> str:
        """Teach each site; what it brought, and of the first lessons what they cost elsewhere."""
        scores: list[SiteScore] = []
        lessons: list[Landmarks] = []
        found: dict[str, list[SitePage]] = {}
        for site, sources in sites.items():
            pages = found[site] = list(filter(None, map(self._unseen.page, sources)))
            landmarks = fit_landmarks([self._taught(page) for page in pages[:LABELLED]])
            scores.append(self._score(site, pages[LABELLED:], landmarks))
            lessons += [landmarks] if landmarks else []
            print(f"{self._input}: site {len(scores)} of {len(sites)}", end="\r", file=sys.stderr, flush=True)
        rows = [[*map(str, one[:4]), *(f"{value:.3f}" for value in one[4:])] for one in scores]
        names = ["site", "corpus", "split", "other pages", "before", "taught", "best choice"]
        parts = [f"## {INPUTS[self._input]}\n", gain(scores)]
        dev = [one for one in scores if one.split == "dev"]
        parts.append(f"\nOf the dev split alone. {gain(dev)}\n" if dev else "")
        parts.append(Table(names, rows).markdown())
        parts += ["", self._strangers(found)] if len(found) > 1 else []
        return "\n".join([*parts, *self._losses(others, lessons[:losses])]) + "\n"

    def _taught(self, page: SitePage) -> TaughtPage:
        lines = len(page.shares)
        weight = self._settings.weight * float(length_factors(np.array(lines)))
        return TaughtPage(
            page.source.site, short_hashes(page.batch.line_hashes), page.cues, self._corrected(page),
            np.full(lines, weight), page.scores,
        )  # fmt: skip

    def _corrected(self, page: SitePage) -> NDArray[np.int64]:
        """What a user would leave of the labels of a page, and put in place of those that are wrong."""
        read = classes_read(page.view)
        if (read >= 0).all():
            return read.astype(np.int64)
        headline = int(self._decided(page, page.scores).headlines[0])
        body = page.shares >= GOLD_AT_LEAST
        if headline >= 0 and page.source.corpus not in HEADLINE_IN_GOLD:
            body[headline] = True
        classes = np.where(body, BODY, page.scores[HEADER:].argmax(axis=0) + HEADER)
        if headline >= 0 and body[headline]:
            classes[headline] = HEADLINE
        return classes

    def _decided(self, page: SitePage, scores: NDArray[np.float64]) -> Any:
        batch, beta = page.batch, BETAS["html" if self._input == "html" else "text"][None]
        pooled = pool(np.ascontiguousarray(softmax(scores).T), page.columns, batch.line_hashes, batch.page)
        return decide(pooled, np.diff(batch.word_offsets), batch.line_hashes, page.offsets, beta)

    def _score(self, site: str, pages: Sequence[SitePage], landmarks: Landmarks | None) -> SiteScore:
        found = np.array([list(self._f1s(page, landmarks)) for page in pages]).mean(axis=0).tolist()
        return SiteScore(site, pages[0].source.corpus, pages[0].source.split, len(pages), *found)

    def _f1s(self, page: SitePage, landmarks: Landmarks | None) -> Iterator[float]:
        """Word F1 before and after the lesson, and of the best choice."""
        after = page.scores
        if landmarks:
            after = after + landmark_scores(landmarks.columns(page.batch.line_hashes, page.offsets, page.cues))
        for scores in (page.scores, after):
            decision = self._decided(page, scores)
            kept = decision.codes == 0
            if page.source.corpus not in HEADLINE_IN_GOLD and decision.headlines[0] >= 0:
                kept[decision.headlines[0]] = False
            yield self._f1(page, kept)
        yield self._f1(page, page.shares >= GOLD_AT_LEAST)

    def _f1(self, page: SitePage, kept: NDArray[np.bool_]) -> float:
        texts = page.batch.line_texts(0, len(page.shares))
        text = "\n".join(line for line, chosen in zip(texts, kept.tolist(), strict=True) if chosen)
        return float(self._metrics.word_f1(text, page.source.gold, False)[2])

    def _strangers(self, pages: Mapping[str, Sequence[SitePage]]) -> str:
        """What many sites taught at once change on pages of sites that were not: every second one, then the others."""
        names, changes, claimed = list(pages), [], 0
        for first in range(2):
            taught = [self._taught(page) for name in names[first::2] for page in pages[name][:LABELLED]]
            landmarks = fit_landmarks(taught)
            for page in (page for name in names[1 - first :: 2] for page in pages[name]):
                before, after, _ = self._f1s(page, landmarks)
                changes.append(after - before)
                lines = short_hashes(page.batch.line_hashes)
                claimed += int(landmarks is not None and landmarks.site_of_pages(lines, page.offsets)[0] >= 0)
        change = float(np.mean(changes))
        verdict = "kept" if change >= -LARGEST_LOSS else "NOT"
        return (
            f"Every second site taught at once: of {len(changes)} pages of the other sites {claimed} are taken for"
            f" pages of a taught one. Word F1 of all {len(changes)} changes by {change:+.4f}, a loss of at most"
            f" {LARGEST_LOSS} allowed: {verdict}"
        )

    def _losses(self, others: Sequence[Source], lessons: Sequence[Landmarks]) -> Iterator[str]:
        """What the lessons change on pages of other sites, by the whole way of label_many()."""
        if not others or not lessons:
            return
        format = FORMATS[self._input == "html"]
        before = self._evaluated(others, self._model)
        costs = []
        for lesson in lessons:
            after = self._evaluated(others, replace(self._model, landmarks={format: lesson}))
            costs.append([self._value(after, corpus) - self._value(before, corpus) for corpus in CORPORA])
        mean = np.mean(costs, axis=0)
        rows = [[corpus, f"{change:+.4f}"] for corpus, change in zip(CORPORA, mean.tolist(), strict=True)]
        lost = max(0.0, -float(np.nanmin(mean)))
        verdict = "kept" if lost <= LARGEST_LOSS else "NOT"
        yield ""
        yield Table([f"dev pages of other sites, change of F1, mean of {len(costs)} lessons", ""], rows).markdown()
        yield f"\nLargest loss {lost:.4f}, at most {LARGEST_LOSS} allowed: {verdict}"

    def _evaluated(self, sources: Sequence[Source], model: Model) -> Evaluation:
        return evaluate(sources, Plan(model, self._shared, inputs=(self._input,)))

    def _value(self, result: Evaluation, corpus: str) -> float:
        score = result.score(MEASURES[corpus], corpus, input=self._input)
        return score.value if score else float("nan")


def gain(scores: Sequence[SiteScore]) -> str:
    """By how much of itself the distance to the best choice fell, with an interval, by site."""
    table = np.array([(one.best - one.before, one.best - one.after) for one in scores])
    draws = np.random.default_rng(0).integers(0, len(table), (RESAMPLES, len(table)))
    sums = table[draws].sum(axis=1)
    low, high = np.quantile(1 - sums[:, 1] / sums[:, 0], (0.025, 0.975))
    before, after = table.mean(axis=0)
    value = 1 - after / before
    said = f"Distance to the best choice, mean of {len(scores)} sites: {before:.4f} before, {after:.4f} taught"
    verdict = "kept" if value >= LEAST_GAIN else "NOT"
    return f"{said}: it falls by {value:.1%} ({low:.1%} to {high:.1%}), at least {LEAST_GAIN:.0%} asked: {verdict}"


if __name__ == "__main__":
    main()
