"""What five labelled pages of a site teach a model of that site's other pages, printed as Markdown.

Sites of dragnet, l3s-gn1 and wcxb with at least eight pages stand for a user's own. The user goes over five pages as
the model labels them and corrects what is wrong: body is what the gold text holds, or what was read by hand. The
model is taught the five, as `extractor train --pages` does; then its word F1 on the site's other pages is held
against that of the model before, and of the best choice of lines. No repetition table. It is also measured what the
lesson costs on pages of all corpora.

The model must not know the sites, so one is trained without them:

    python scripts/evaluate_teaching.py --list > build/sites.txt
    python scripts/build_training_data.py --leave-out build/sites.txt --output build/without
    python scripts/train.py --data build/without --output build/without.npz
    python scripts/evaluate_teaching.py --data build/without --model build/without.npz
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractor import Label, LabelledPage, Model, Page, label
from extractor.labelled_pages import lines_of, write_labelled_page
from extractor.page import LABELS
from extractor.training.alignment import matched_shares
from extractor.training.corpora import CORPORA, HEADLINE_IN_GOLD, Dump, Source, read_corpora
from extractor.training.evaluation import Plan, evaluate
from extractor.training.measures import RESAMPLES, load_metrics
from extractor.training.own_pages import read_own_pages
from extractor.training.report_page import Table
from extractor.training.samples import INPUTS, Evaluation
from extractor.training.tables import FORMATS, read_table
from extractor.training.teaching import Rows, TeachingSettings, replayed_rows, teach

SITE_CORPORA = ("dragnet", "l3s-gn1", "wcxb")
PAGES_AT_LEAST = 8
LABELLED = 5
IN_GOLD = 60
"""Percent of a line's tokens that the gold text matches: such lines are the best choice."""
LEAST_GAIN, LARGEST_LOSS = 0.25, 0.005
MEASURES = {corpus: "snippet F1" if corpus == "multilingual" else "word F1" for corpus in CORPORA}


class SiteScore(NamedTuple):
    """Word F1 on the pages of a site that were not taught: of the model before and after, and of the best choice."""

    site: str
    corpus: str
    pages: int
    before: float
    after: float
    best: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the sites and end")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of the shared corpora")
    parser.add_argument("--data", type=Path, default=Path("build/without"), help="tables without the sites")
    parser.add_argument("--model", type=Path, default=Path("build/without.npz"), help="a model that has not seen them")
    parser.add_argument("--sites", type=int, default=1000, help="so many sites only, drawn at random")
    parser.add_argument("--others", type=int, default=30, help="pages of each corpus on which losses are measured")
    parser.add_argument("--losses", type=int, default=10, help="lessons after which losses are measured")
    parser.add_argument("--inputs", nargs="+", choices=INPUTS, default=["dump", "html"])
    parser.add_argument("--weights", type=float, nargs="+", default=[TeachingSettings().weight])
    options = parser.parse_args()
    sites = own_sites(options.shared)
    if options.list:
        print(*sorted(sites), sep="\n")
        return
    chosen = random.Random(0).sample(sorted(sites), min(options.sites, len(sites)))
    model = Model.load(options.model)
    others = other_pages(options.shared, sites, options.others)
    for input in options.inputs:
        format = FORMATS[input == "html"]
        replay = {format: replayed_rows(model, read_table(options.data, format), TeachingSettings())}
        for weight in options.weights:
            trial = Trial(model, replay, TeachingSettings(weight=weight), input, options.shared)
            print(f"## {INPUTS[input]}, weight {weight:g}\n", flush=True)
            trial.print({site: sites[site] for site in chosen}, others, options.losses)


def own_sites(shared: Path) -> dict[str, list[Source]]:
    """The sites with enough pages whose gold text is found in them, those in random order."""
    scored = [source for source in read_corpora(shared, SITE_CORPORA) if source.scored]
    enough = {site for site, pages in Counter(source.site for source in scored).items() if pages >= PAGES_AT_LEAST}
    found: dict[str, list[Source]] = defaultdict(list)
    for source in scored:
        if source.site in enough:
            found[source.site].append(source)
    return {site: random.Random(0).sample(pages, len(pages)) for site, pages in found.items()}


def other_pages(shared: Path, sites: Mapping[str, object], number: int) -> list[Source]:
    """Some pages of the dev split of each corpus, of other sites."""
    found: list[Source] = []
    for corpus in CORPORA:
        sources = [source for source in read_corpora(shared, [corpus], "dev") if source.site not in sites]
        found += random.Random(0).sample(sources, min(number, len(sources)))
    return found


class Trial:
    """Lessons of one input ("html" or "dump") and one setting."""

    def __init__(
        self, model: Model, replay: Mapping[str, Rows], settings: TeachingSettings, input: str, shared: Path
    ) -> None:
        self._model, self._replay, self._settings, self._input = model, replay, settings, input
        self._shared, self._metrics = shared, load_metrics(shared)

    def print(self, sites: Mapping[str, Sequence[Source]], others: Sequence[Source], losses: int) -> None:
        """Teach each site, print what it brought, and of the first lessons what they cost elsewhere."""
        print(Table(["site", "corpus", "other pages", "before", "taught", "best choice"], []).markdown())
        scores: list[SiteScore] = []
        costs: list[list[float]] = []
        before = self._evaluated(others, self._model) if losses else Evaluation()
        for site, sources in sites.items():
            taught = self._taught(sources[:LABELLED])
            scores.append(self._score(site, sources[LABELLED:], taught))
            one = scores[-1]
            f1s = (f"{value:.3f}" for value in (one.before, one.after, one.best))
            print(f"| {one.site} | {one.corpus} | {one.pages} | {' | '.join(f1s)} |", flush=True)
            if len(costs) < losses:
                costs.append(self._losses(before, self._evaluated(others, taught)))
        print(f"\n{gain(scores)}\n")
        if costs:
            self._print_losses(costs)

    def _taught(self, sources: Iterable[Source]) -> Model:
        """The model after it was taught some pages, written to files as a user has them."""
        with tempfile.TemporaryDirectory() as folder:
            for number, source in enumerate(sources):
                page, dump = self._pages(source)[0]
                labels = corrected(source, dump, label(page, model=self._model))
                ending = "html" if page.kind == "html" else "txt"
                write_labelled_page(Path(folder) / f"{number}.{ending}", page, labels)
            return teach(self._model, read_own_pages(Path(folder)), self._replay, self._settings)

    def _pages(self, source: Source) -> list[tuple[Page, Dump | None]]:
        if self._input == "html":
            return [(Page(source.html, kind="html"), None)]
        dumps = (dump for dump in source.dumps if not dump.converter.endswith("-hand"))
        return [(Page(dump.text, kind="text"), dump) for dump in dumps]

    def _score(self, site: str, sources: Sequence[Source], taught: Model) -> SiteScore:
        corpus = sources[0].corpus
        before, after = (self._f1(self._evaluated(sources, model), corpus) for model in (self._model, taught))
        best = [
            self._metrics.word_f1(best_text(source, page), source.gold, False)[2]
            for source in sources
            for page, _ in self._pages(source)
        ]
        return SiteScore(site, corpus, len(sources), before, after, float(np.mean(best)))

    def _evaluated(self, sources: Sequence[Source], model: Model) -> Evaluation:
        return evaluate(sources, Plan(model, self._shared, inputs=(self._input,)))

    def _f1(self, result: Evaluation, corpus: str) -> float:
        score = result.score(MEASURES[corpus], corpus, input=self._input)
        return score.value if score else float("nan")

    def _losses(self, before: Evaluation, after: Evaluation) -> list[float]:
        return [self._f1(after, corpus) - self._f1(before, corpus) for corpus in CORPORA]

    def _print_losses(self, costs: Sequence[Sequence[float]]) -> None:
        mean = np.mean(costs, axis=0)
        rows = [[corpus, f"{loss:+.4f}"] for corpus, loss in zip(CORPORA, mean.tolist(), strict=True)]
        print(Table([f"other corpora, change of F1, mean of {len(costs)} lessons", ""], rows).markdown())
        lost = -float(np.nanmin(mean))
        print(
            f"\nLargest loss {lost:.4f}, at most {LARGEST_LOSS} allowed: {'kept' if lost <= LARGEST_LOSS else 'NOT'}\n"
        )


def corrected(source: Source, dump: Dump | None, labelled: LabelledPage) -> list[Label]:
    """What a user would leave of the labels of a page, and put in place of those that are wrong."""
    if dump is not None and dump.labels is not None:
        return [Label(name) for name in dump.labels]
    shares, _ = matched_shares([line.text for line in labelled.lines], source.gold or "")
    found = []
    for line, share in zip(labelled.lines, shares.tolist(), strict=True):
        headline = line == labelled.headline and source.corpus not in HEADLINE_IN_GOLD
        others = LABELS[1 + int(np.argmax(line.probabilities[1:]))]
        found.append(Label.BODY if share >= IN_GOLD or headline else others)
    return found


def best_text(source: Source, page: Page) -> str:
    """The lines that the gold text holds."""
    texts = lines_of(page)
    shares, _ = matched_shares(texts, source.gold or "")
    return "\n".join(text for text, share in zip(texts, shares.tolist(), strict=True) if share >= IN_GOLD)


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
