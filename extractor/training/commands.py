"""What `extractor train` and `extractor evaluate` do, and the scripts of the same names."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from extractor.errors import LabelsError, ModelError
from extractor.labelled_pages import read_labelled_pages
from extractor.labelling import label_many
from extractor.model_file import Model, default_model_path
from extractor.training.corpora import CORPORA, read_corpora
from extractor.training.derivation import FOLDS
from extractor.training.evaluation import Evaluation, note_confusion, note_labelled_page
from extractor.training.evaluation import evaluate as evaluate_sources
from extractor.training.folds import cross_validate, page_digests, text_digests
from extractor.training.measures import load_metrics
from extractor.training.own_pages import add_pages
from extractor.training.peers import PEERS
from extractor.training.reporting import check_floors, data_digest, markdown, record_floors, scores
from extractor.training.tables import FORMATS, digest, read_table, read_words
from extractor.training.training import Settings, train_model

DATA, SHARED, FLOORS = Path("training_data"), Path("../shared"), Path("training_data/floors.json")
WRONG_USAGE = 2


def train(arguments: Sequence[str]) -> int:
    """Tables of training_data (and labelled pages of one's own) to a model; the exit code."""
    parser = argparse.ArgumentParser(prog="extractor train", description=train.__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training tables")
    parser.add_argument("--pages", type=Path, help="folder of labelled pages to train on as well")
    parser.add_argument("--weight", type=float, default=3.0, help="what a line of --pages counts; 1 is a derived label")
    parser.add_argument("--output", type=Path, default=Path("models/default.npz"), help="the model to write")
    options = parser.parse_args(arguments)
    try:
        return _train(options)
    except (LabelsError, OSError, ValueError) as error:
        print(f"extractor train: {error}", file=sys.stderr)
        return WRONG_USAGE


def _train(options: argparse.Namespace) -> int:
    started = time.monotonic()

    def progress(step: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {step}", flush=True)

    words = read_words(options.data)
    tables = {format: read_table(options.data, format) for format in FORMATS}
    card: dict[str, object] = {
        "data": "train split of the corpora that README.md names, and training_data/pages",
        "data_digest": digest(tables, words),
        "lines": {format: len(table.classes) for format, table in tables.items()},
        "limits": "mostly news, blogs and English pages; README.md says what is weak",
    }
    if options.pages:
        tables = {format: add_pages(table, options.pages, words, options.weight) for format, table in tables.items()}
        card["pages_added"] = len(read_labelled_pages(options.pages))
    model = train_model(tables, words, card, progress=progress)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    model.save(options.output)
    progress(f"{options.output}: {options.output.stat().st_size} bytes")
    return 0


def evaluate(arguments: Sequence[str]) -> int:
    """Score a model on labelled pages, or on the shared corpora beside other extractors; the exit code."""
    options = _evaluate_parser().parse_args(arguments)
    try:
        model = Model.load(options.model)
        if options.pages:
            return _evaluate_pages(options.pages, model)
        return _evaluate_folds(options, model) if options.folds else _evaluate_corpora(options, model)
    except (LabelsError, ModelError, FileNotFoundError) as error:
        print(f"extractor evaluate: {error}", file=sys.stderr)
        return WRONG_USAGE


def _evaluate_pages(path: Path, model: Model) -> int:
    """Accuracy and F1 of the labels on one's own labelled pages."""
    result = Evaluation()
    pages = read_labelled_pages(path)
    for page, labelled in zip(pages, label_many((page.page for page in pages), model=model), strict=True):
        note_labelled_page(result, str(page.path.parent), str(page.path), labelled, page.labels)
    print(markdown(result, ()))
    return 0


def _evaluate_corpora(options: argparse.Namespace, model: Model) -> int:
    if options.gate and not (options.shared / "data").is_dir():
        print(f"score gate skipped: {options.shared / 'data'} is missing (give it with --shared)")
        return 0
    sources = read_corpora(options.shared, options.corpora, options.split)
    result = evaluate_sources(sources, model, load_metrics(options.shared), options.peers)
    found, report = scores(result), markdown(result, options.peers)
    print(report)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.with_suffix(".md").write_text(report, encoding="utf-8")
        options.output.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    folders = (options.shared / "data", options.shared / "labels")
    data = data_digest(path for folder in folders for path in folder.glob("*.parquet"))
    if options.record_floors:
        record_floors(found, data, FLOORS)
    wrong = check_floors(found, data, FLOORS) if options.gate else []
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def _evaluate_folds(options: argparse.Namespace, model: Model) -> int:
    """The hand-labelled dumps of the train split by folds over sites, those of the dev split by the model."""
    table = read_table(options.data, "text")
    sources = list(read_corpora(options.shared))
    labelled = [(source, dump) for source in sources for dump in source.dumps if dump.labels is not None]
    place = {digest: page for page, digest in enumerate(page_digests(table))}
    train = [(source, dump) for source, dump in labelled if source.split == "train"]
    pages = [place[digest] for digest in text_digests(dump.text for _, dump in train) if digest in place]
    confusions = cross_validate(table, pages, Settings(lines=options.lines), lambda step: print(step, flush=True))
    result = Evaluation()
    for row, page in zip(confusions, sorted(pages), strict=True):
        note_confusion(result, f"page {page}", f"page {page}", row.tolist())
    dev = [(source, dump) for source, dump in labelled if source.split == "dev"]
    for (source, dump), found in zip(dev, label_many((dump.text for _, dump in dev), model=model), strict=True):
        note_labelled_page(result, source.site, source.id, found, dump.labels or ())
    print(f"{len(pages)} of {len(train)} dumps of the train split by {FOLDS} folds, {len(dev)} of the dev split\n")
    print(markdown(result, ()))
    return 0


def _evaluate_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor evaluate", description=evaluate.__doc__)
    parser.add_argument("pages", type=Path, nargs="?", help="folder of labelled pages; without it, the shared corpora")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the shared corpora")
    parser.add_argument("--model", type=Path, default=default_model_path(), help="the shipped one if not given")
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=CORPORA, metavar="CORPUS")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=(), metavar="PEER", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--output", type=Path, help="write OUTPUT.md and OUTPUT.json")
    parser.add_argument("--folds", action="store_true", help="the hand-labelled dumps by folds over sites (an hour)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training tables, for --folds")
    parser.add_argument("--lines", type=float, default=1.0, help="share of the lines that --folds trains on, for speed")
    parser.add_argument("--gate", action="store_true", help="exit with 1 where a score is below its floor")
    parser.add_argument("--record-floors", action="store_true", help="raise the floors to the scores measured")
    return parser
