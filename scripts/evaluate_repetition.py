"""What a table of repeated lines is worth, printed as Markdown: where a site is known, and where it does no harm.

chinese-news has three sites of about a hundred pages: how much of the distance between the F1 without a table and the
best that any choice of lines could reach is gone with the site's whole table, and with five of its pages; and how
much would be gone if every line that stands on another page of the site were decided right. wcxb, newspaper and
multilingual hold pages of hundreds of sites: what is lost or won with a table of the whole folder, as `clean` makes
it, and by the sites of their URLs. Dumps are counted by converter, as a user's folder is of one.

    python scripts/evaluate_repetition.py --model models/default.npz --shared ../shared
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from extractor import Label, LabelledPage, Model, Page, RepetitionTable, label_many
from extractor.characters import read_texts
from extractor.counting import PageLines
from extractor.decoding import decode
from extractor.html import parse_html
from extractor.labelled_pages import lines_of
from extractor.labelling import html_text
from extractor.model_file import default_model_path
from extractor.repetition import RepetitionCounter
from extractor.sites import FOLDER_PREFIX, site_of_url
from extractor.training import measures
from extractor.training.alignment import matched_shares
from extractor.training.corpora import HEADLINE_IN_GOLD, Source, read_corpora
from extractor.training.evaluation import Judge
from extractor.training.samples import Place, Sample

SITES_CORPUS = "chinese-news"
FOLDERS = (("wcxb", "word F1"), ("newspaper", "shingle F1"), ("multilingual", "snippet F1"))
BEST_SHARE = 60
"""Percent of a line's tokens that the gold text matches: such lines are the best choice."""
FEW = 5
LARGEST_LOSS = 0.002
NO_TABLE, WHOLE = "no table", "whole table"
ONE_FOLDER = f"{FOLDER_PREFIX}."


@dataclass(frozen=True, slots=True)
class CorpusPage:
    """One page in one format: what it is, what is labelled, what is counted."""

    source: Source
    page: Page
    lines: PageLines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=default_model_path(), help="the shipped one if not given")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder of the shared corpora")
    parser.add_argument("--draws", type=int, default=4, help=f"tables of {FEW} pages of each site, averaged")
    options = parser.parse_args()
    model, metrics = Model.load(options.model), measures.load_metrics(options.shared)
    print_sites(options.shared, model, metrics, options.draws)
    print_folders(options.shared, model, metrics)


def formats(sources: Iterable[Source]) -> dict[str, list[CorpusPage]]:
    """The pages by format: "html" or the converter of a dump."""
    found: dict[str, list[CorpusPage]] = defaultdict(list)
    for source in sources:
        found["html"].append(_corpus_page(source, Page(source.html, id=source.id, url=source.url, kind="html")))
        for dump in source.dumps:
            if not dump.converter.endswith("-hand"):
                page = Page(dump.text, id=source.id, url=source.url, kind="text")
                found[dump.converter].append(_corpus_page(source, page))
    return found


def _corpus_page(source: Source, page: Page) -> CorpusPage:
    text = page.content if isinstance(page.content, str) else decode(page.content)[0]
    text = html_text(parse_html(text)) if page.kind == "html" else text
    return CorpusPage(source, page, PageLines.of(read_texts([text])))


def table_of(samples: Iterable[CorpusPage], site: Callable[[CorpusPage], str | None]) -> RepetitionTable:
    """The table of these pages."""
    with RepetitionCounter() as counter:
        for sample in samples:
            counter.add(sample.lines, [site(sample)])
        return counter.finish()


def labelled(
    samples: Sequence[CorpusPage],
    model: Model,
    table: RepetitionTable | None = None,
    site: Callable[[CorpusPage], str | None] = lambda sample: None,
) -> Iterator[LabelledPage]:
    """The pages, labelled with the table."""
    pages = (replace(sample.page, site=site(sample), url=None) for sample in samples)
    return label_many(pages, model=model, repetition=table)


# --- sites ------------------------------------------------------------------------------------------


def print_sites(shared: Path, model: Model, metrics: ModuleType, draws: int) -> None:
    """What the table of a site closes of the distance to the best choice of lines."""
    sources = [source for source in read_corpora(shared, [SITES_CORPUS], "dev") if source.scored]
    by_format = formats(sources)
    dumps = [name for name in by_format if name != "html"]
    scored = {name: site_scores(samples, model, metrics, draws) for name, samples in by_format.items()}
    print(f"{SITES_CORPUS}, dev sites: word F1 by ideograph, mean over pages\n")
    head = (
        "input", "pages", NO_TABLE, WHOLE, f"{FEW} pages", "best", "best by repetition", "closed, whole",
        f"closed, {FEW}", "closed, best by repetition",
    )  # fmt: skip
    print_row(*head)
    print_row(*("---" for _ in head))
    for name, scores in (*scored.items(), ("all dumps", np.concatenate([scored[name] for name in dumps]))):
        none, whole, few, best, by_repetition = np.nanmean(scores, axis=0)
        shares = ((value - none) / max(best - none, 1e-9) for value in (whole, few, by_repetition))
        cells = (f"{value:.4f}" for value in (none, whole, few, best, by_repetition))
        print_row(name, str(len(scores)), *cells, *(f"{share:.0%}" for share in shares))
    print()


def site_scores(samples: Sequence[CorpusPage], model: Model, metrics: ModuleType, draws: int) -> measures.Vectors:
    """(pages, 5): F1 without a table, with the whole, with few pages (mean of the draws), of the best choice, and of
    the best choice among lines that the whole table knows, all others left as they are without it."""

    def site(sample: CorpusPage) -> str:
        return sample.source.site

    def scores(chosen: Sequence[CorpusPage], table: RepetitionTable | None) -> list[float]:
        pages = labelled(chosen, model, table, site)
        texts = (page.text(headline=False) for page in pages)
        return [f1(metrics, text, sample) for text, sample in zip(texts, chosen, strict=True)]

    columns = [scores(samples, None), scores(samples, table_of(samples, site))]
    drawn: list[list[float]] = [[] for _ in samples]
    for draw in range(draws):
        taken = few_pages(samples, draw)
        others = [place for place in range(len(samples)) if place not in taken]
        table = table_of((samples[place] for place in sorted(taken)), site)
        for place, value in zip(others, scores([samples[place] for place in others], table), strict=True):
            drawn[place].append(value)
    few = [float(np.mean(values)) if values else float("nan") for values in drawn]
    best = [f1(metrics, best_text(sample), sample) for sample in samples]
    table = table_of(samples, site)
    unaided = labelled(samples, model)
    texts = (reachable_text(sample, page, table) for sample, page in zip(samples, unaided, strict=True))
    reachable = [f1(metrics, text, sample) for text, sample in zip(texts, samples, strict=True)]
    return np.array([*columns, few, best, reachable], float).T


def few_pages(samples: Sequence[CorpusPage], draw: int) -> set[int]:
    """The places of FEW pages of each site."""
    by_site: dict[str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        by_site[sample.source.site].append(place)
    chance = random.Random(draw)
    return {place for places in by_site.values() for place in chance.sample(places, min(FEW, len(places)))}


def best_text(sample: CorpusPage) -> str:
    """The lines that the gold text holds."""
    texts = lines_of(sample.page)
    shares, _ = matched_shares(texts, sample.source.gold or "")
    return "\n".join(text for text, share in zip(texts, shares.tolist(), strict=True) if share >= BEST_SHARE)


def reachable_text(sample: CorpusPage, page: LabelledPage, table: RepetitionTable) -> str:
    """Of the lines that stand on other pages of the site those that the gold text holds, of the others our body."""
    shares, _ = matched_shares([line.text for line in page.lines], sample.source.gold or "")
    repeated = table.look_up(sample.lines, [sample.source.site]).pages > 0
    kept = [
        line.text
        for line, share, known in zip(page.lines, shares.tolist(), repeated.tolist(), strict=True)
        if (share >= BEST_SHARE if known else line.label is Label.BODY and line != page.headline)
    ]
    return "\n".join(kept)


def f1(metrics: ModuleType, text: str, sample: CorpusPage) -> float:
    """Word F1 by ideograph."""
    return float(metrics.word_f1(text, sample.source.gold, cjk=True)[2])


# --- folders ----------------------------------------------------------------------------------------


def print_folders(shared: Path, model: Model, metrics: ModuleType) -> None:
    """What pages of many sites win or lose by a table of their folder."""
    judge = Judge(metrics)
    print(f"Folders of many sites, dev: the loss may be {LARGEST_LOSS} at most\n")
    head = ("corpus, measure", "input", "pages", NO_TABLE, "one folder: difference", "by URL: difference", "kept")
    print_row(*head)
    print_row(*("---" for _ in head))
    for corpus, measure in FOLDERS:
        by_format = formats(read_corpora(shared, [corpus], "dev"))
        dumps = [samples for name, samples in by_format.items() if name != "html"]
        for name, parts in (("HTML", [by_format["html"]]), ("dumps", dumps)):
            print_row(f"{corpus}, {measure}", name, *folder_row(parts, measure, model, judge))


def folder_row(parts: Sequence[Sequence[CorpusPage]], measure: str, model: Model, judge: Judge) -> list[str]:
    """The cells of one row: pages, score without a table, differences with both kinds of tables."""
    none = folder_sample(parts, measure, model, judge, None)
    if not none.vectors:
        return ["0"]
    score, sites = none.score(), [place.site for place in none.places]
    tables = (lambda sample: ONE_FOLDER), (lambda sample: site_of_url(sample.page.url))
    differences = []
    for site in tables:
        found = folder_sample(parts, measure, model, judge, site)
        left, right = np.array(found.vectors, float), np.array(none.vectors, float)
        differences.append(measures.difference(left, right, sites, none.aggregate))
    kept = "yes" if all(difference.value >= -LARGEST_LOSS for difference in differences) else "NO"
    cells = (f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})" for found in differences)
    return [str(score.pages), f"{score.value:.4f}", *cells, kept]


def folder_sample(
    parts: Sequence[Sequence[CorpusPage]],
    measure: str,
    model: Model,
    judge: Judge,
    site: Callable[[CorpusPage], str | None] | None,
) -> Sample:
    """What the measure collects over all pages, each part with a table of its own (None: without)."""
    collected: Sample | None = None
    for samples in parts:
        table = table_of(samples, site) if site else None
        pages = labelled(samples, model, table, site or (lambda sample: None))
        for sample, page in zip(samples, pages, strict=True):
            source = sample.source
            text = page.text(headline=source.corpus in HEADLINE_IN_GOLD or source.gold is None)
            for name, vector, aggregate in judge.vectors(source, text):
                if name == measure:
                    collected = collected or Sample(aggregate)
                    collected.add(Place.of(source), vector)
    return collected or Sample(measures.mean)


def print_row(*cells: str) -> None:
    """One row of a Markdown table, at once."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
