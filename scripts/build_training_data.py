"""Shared corpora -> training_data: tables of numbers, of which the model is trained.

Reads the train split of the corpora, the pages in training_data/pages and the phrases in training_data/phrases, derives
a label for every line, and writes text.parquet, html.parquet and words.npz. About two hours on two cores.

With --shared-alone the pages written for this project are left out; the phrases stay.
"""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from joblib import Parallel, delayed

from extractor.model_file import FORMATS
from extractor.training.converters import extra_dump
from extractor.training.corpora import CORPORA, Source, add_labels, read_corpora, read_dump_labels
from extractor.training.derivation import LabelledView, Tables, derive_labels
from extractor.training.interruption import interrupted_views
from extractor.training.kind_tables import add_kinds
from extractor.training.network_pages import NetworkPages
from extractor.training.networks import DRAWS, add_networks, network_pages
from extractor.training.own_pages import own_page_views, trust_written_pages
from extractor.training.phrases import Phrasebook, read_phrasebook
from extractor.training.repeated import add_repetition
from extractor.training.shortening import shortened_views
from extractor.training.tables import line_table, write_tables
from extractor.training.translation import translated_views
from extractor.training.transplantation import transplanted_views
from extractor.training.unknown_words import delexicalised_views
from extractor.training.views import PageViews, View, views

ROOT = Path(__file__).parent.parent
_AT_ONCE = 20
_TRANSLATED = 4
"""Languages that each page read by hand is learned from in too, in every draw others; of sixty one is English."""
_OF_A_KIND = 2
"""Pages of its own kind that a page which is no article is put together with, besides one of any kind."""
_DELEXICALISED = 2
"""One of so many pages is learned from in unknown words too, in every draw others."""
_INTERRUPTED_IN_TABLES, _DELEXICALISED_IN_TABLES, _TRANSLATED_IN_TABLES = 4, 128, 181
"""Trees learn from one of so many dumps with furniture between, of so many views one in unknown words too, and of so
many in another language one (odd, as HTML and dumps take turns); networks from more: the tables must stay under 40
MB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of the shared corpora")
    parser.add_argument("--output", type=Path, default=ROOT / "training_data")
    parser.add_argument("--leave-out", type=Path, help="file of sites, one a line, whose pages are left out")
    parser.add_argument("--shared-alone", action="store_true", help="without the pages written for this project")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    started = time.monotonic()

    def progress(step: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {step}", flush=True)

    written = [] if options.shared_alone else own_page_views(ROOT / "training_data" / "pages")
    pages: list[PageViews] = list(written)
    read: list[Source] = []
    labels = read_dump_labels(ROOT / "training_data" / "dump_labels.jsonl")
    left_out = frozenset(options.leave_out.read_text(encoding="utf-8").split()) if options.leave_out else frozenset()
    for corpus in CORPORA:
        progress(f"reading {corpus}")
        sources = list(add_labels(read_corpora(options.shared, [corpus], "train"), labels))
        sources = [source for source in sources if source.site not in left_out]
        read += [source for source in sources if source.read_dumps]
        parts = [sources[first : first + _AT_ONCE] for first in range(0, len(sources), _AT_ONCE)]
        for found in Parallel(n_jobs=options.jobs)(delayed(_views_of)(part) for part in parts):
            pages += found
    progress("repetition")
    add_repetition(pages)
    labelled, tables = derive_labels(pages, progress)
    chosen = {id(view) for page in pages for view in _chosen(page)}
    labelled = trust_written_pages(labelled, ROOT / "training_data" / "pages")
    progress("kinds of pages")
    tables = add_kinds(labelled, tables)
    labelled = [one for one in labelled if id(one.view) in chosen]
    progress("dumps with furniture between their lines, and with few lines")
    interrupted, shortened = list(interrupted_views(read)), list(shortened_views(read))
    phrasebook = read_phrasebook(ROOT / "training_data" / "phrases")
    phrases = phrasebook.table()
    tables = {fold: replace(some, phrases=phrases) for fold, some in tables.items()}
    progress("pages with the furniture of others, in other languages and in unknown words")
    learned_from = [*labelled, *interrupted, *shortened]
    network_parts, in_other_languages = _drawn(read, labelled, learned_from, phrasebook, tables)
    tables = add_networks([network_pages(learned_from, tables), *network_parts], tables, progress)
    progress("writing")
    in_tables = [*_without_second_dumps(labelled), *interrupted[::_INTERRUPTED_IN_TABLES]]
    # in front, see table_pages()
    in_front = [*delexicalised_views(in_tables, _DELEXICALISED_IN_TABLES), *in_other_languages]
    in_tables = [*in_front, *in_tables]
    write_tables(options.output, [line_table(format, in_tables, tables) for format in FORMATS], tables[None])
    progress("done")


def _drawn(
    read: list[Source], labelled: list[LabelledView], learned_from: list[LabelledView], phrasebook: Phrasebook,
    tables: Mapping[int | None, Tables],
) -> tuple[list[dict[str, NetworkPages]], list[LabelledView]]:  # fmt: skip
    """What networks learn from in one epoch and not in the next, and some of the pages in other languages."""
    of_any_kind, of_own_kind = (transplanted_views(read, labelled, of_a_kind=own) for own in (False, True))
    turns = [of_any_kind, *[of_own_kind] * _OF_A_KIND]
    parts, in_other_languages = [], []
    for draw in range(DRAWS):
        transplanted, transplanted_again = ([one for some in turns for one in next(some)] for _ in range(2))
        languages = range(draw * _TRANSLATED, (draw + 1) * _TRANSLATED)
        translated = translated_views(read, labelled, phrasebook, languages)
        in_unknown_words = delexicalised_views([*learned_from, *transplanted_again], _DELEXICALISED, draw)
        parts.append(network_pages([*transplanted, *translated, *in_unknown_words], tables, draw))
        in_other_languages += translated[draw * _TRANSLATED_IN_TABLES :: DRAWS * _TRANSLATED_IN_TABLES]
    return parts, in_other_languages


def _views_of(sources: list[Source]) -> list[PageViews]:
    for source in sources:
        source.dumps.extend(filter(None, [extra_dump(source)]))
    return [views(source) for source in sources]


def _chosen(page: PageViews) -> tuple[View, ...]:
    """HTML, all dumps read by hand, and one other: words are learned from all, but a few thousand pages teach networks
    more than a few more converters."""
    read = tuple(dump for dump in page.dumps if (dump.hand >= 0).any())
    others = tuple(dump for dump in page.dumps if not (dump.hand >= 0).any())
    number = zlib.crc32(page.html.id.encode()) // 16
    chosen = others[number % len(others) :][:1] if others else ()
    return (page.html, *read, *chosen)


def _without_second_dumps(labelled: list[LabelledView]) -> list[LabelledView]:
    """All but the dumps that nobody read of pages of which another dump was read."""
    read = {(one.view.corpus, one.view.id) for one in labelled if one.view.format == "text" and one.read.any()}
    return [
        one for one in labelled
        if one.view.format == "html" or one.read.any() or (one.view.corpus, one.view.id) not in read
    ]  # fmt: skip


if __name__ == "__main__":
    main()
