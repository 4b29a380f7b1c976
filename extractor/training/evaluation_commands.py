"""What `extractor evaluate` does, and the script of the same name."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from extractor.errors import LabelsError, ModelError
from extractor.files import printable
from extractor.model_file import Model, default_model_path
from extractor.training.commands import DATA, say_wrong
from extractor.training.corpora import CORPORA, Source, read_corpora
from extractor.training.evaluation import KIND_CORPUS, Plan
from extractor.training.evaluation import evaluate as evaluate_sources
from extractor.training.held_out import evaluate_folds, evaluate_unseen_converter
from extractor.training.own_evaluation import evaluate_pages
from extractor.training.peers import PEERS, peer_version
from extractor.training.report_page import as_html, as_markdown
from extractor.training.reporting import Findings, comparison, scores, sections
from extractor.training.samples import HAND, Evaluation
from extractor.training.score_gate import check_floors, data_digest, record_floors
from extractor.training.tables import read_table
from extractor.training.training import Settings
from extractor.training.worst_pages import worst_section

SHARED, FLOORS, OUTPUTS = Path("../shared"), Path("training_data/floors.json"), Path("build/peer_outputs")
TITLE = "How well the lines of pages are labelled"


def evaluate(arguments: Sequence[str]) -> int:
    """Score a model on labelled pages, or on the shared corpora beside other extractors; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        model = Model.load(options.model)
        if options.pages:
            report = evaluate_pages(options.pages, model, options.output)
            print(*map(printable, report.split("\n")), sep="\n")
            return 0
        return _leave_out(options, model) if options.leave_out else _evaluate_corpora(options, model)
    except (LabelsError, ModelError, OSError, ValueError) as error:
        return say_wrong("evaluate", error)


def _evaluate_corpora(options: argparse.Namespace, model: Model) -> int:
    if options.gate and not (options.shared / "data").is_dir():
        print(f"score gate skipped: {options.shared / 'data'} is missing (give it with --shared)")
        return 0
    peers = _peers(options.peers)
    sources = list(read_corpora(options.shared, options.corpora, None if options.folds else options.split))
    chosen = [source for source in sources if source.split == options.split]
    plan = Plan(model, options.shared, tuple(peers), options.cache)
    result = evaluate_sources(chosen, plan, options.jobs, lambda pages: _say(f"{pages} of {len(chosen)} pages"))
    folds = _folds(options, sources, result) if options.folds else None
    found = Findings(result, folds, peers, _written_languages(options.data))
    _report(options, found, chosen, model)
    return _gate(options, result)


def _peers(names: Sequence[str] | None) -> dict[str, str]:
    """The peers asked for and their versions: those named, or with --peers alone all that are installed."""
    versions = {name: peer_version(name) for name in (PEERS if names == [] else names or ())}
    missing = [name for name, version in versions.items() if version is None]
    if missing and names:
        raise ValueError(f"not installed: {', '.join(missing)}; install the bench extra, or leave them out of --peers")
    if missing:
        _say(f"left out, since not installed: {', '.join(missing)}")
    return {name: version for name, version in versions.items() if version is not None}


def _folds(options: argparse.Namespace, sources: Sequence[Source], dev: Evaluation) -> Evaluation:
    """Labels and kinds over both splits: the train split by models of other sites, the dev split as it was found."""
    train = [source for source in sources if source.split == "train"]
    tables = [read_table(options.data, format) for format in ("text", "html")]
    result = evaluate_folds(train, tables[0], tables[1], Settings(lines=options.lines), _say)
    result.extend(dev, corpora=(HAND, KIND_CORPUS))
    return result


def _report(options: argparse.Namespace, found: Findings, sources: Sequence[Source], model: Model) -> None:
    parts = sections(found)
    print(as_markdown(TITLE, parts))
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        every = {"dev": scores(found.dev), "folds": scores(found.folds) if found.folds else {}}
        worst = worst_section(found.dev, sources, model)
        for ending, text in (
            (".md", as_markdown(TITLE, parts)),
            (".json", json.dumps(every, indent=1) + "\n"),
            (".html", as_html(TITLE, [*parts, worst])),
        ):
            path = options.output.with_suffix(ending)
            path.write_text(text, encoding="utf-8", errors="replace")
            _say(f"{path}: {path.stat().st_size} bytes")


def _gate(options: argparse.Namespace, result: Evaluation) -> int:
    if not (options.gate or options.record_floors):
        return 0
    folders = (options.shared / "data", options.shared / "labels")
    data = data_digest(path for folder in folders for path in folder.glob("*.parquet"))
    found = scores(result)
    if options.record_floors:
        record_floors(found, data, FLOORS)
    wrong = check_floors(found, data, FLOORS) if options.gate else []
    print(*wrong, sep="\n", file=sys.stderr)
    return 1 if wrong else 0


def _leave_out(options: argparse.Namespace, model: Model) -> int:
    """The dumps of one converter, by a model trained without any of them and by one trained with them."""
    sources = list(read_corpora(options.shared, options.corpora))
    converters = sorted(
        {dump.converter for source in sources for dump in source.dumps if dump.converter[-5:] != "-hand"}
    )
    if options.leave_out not in converters:
        raise ValueError(f"no dumps by {options.leave_out!r}; the converters are {', '.join(converters)}")
    train = [source for source in sources if source.split == "train"]
    dev = [source for source in sources if source.split == options.split]
    results = evaluate_unseen_converter(
        options.leave_out, train, dev, read_table(options.data, "text"), Plan(model, options.shared),
        Settings(lines=options.lines), _say,
    )  # fmt: skip
    print(comparison(f"dumps by {options.leave_out}", *results).markdown())
    return 0


def _written_languages(data: Path) -> frozenset[str]:
    """The languages of the pages written for training: the first part of the names of their folders."""
    return frozenset(path.name.partition("-")[0] for path in (data / "pages").glob("*-*"))


def _say(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor evaluate", description=evaluate.__doc__)
    parser.add_argument("pages", type=Path, nargs="?", help="folder of labelled pages; without it, the shared corpora")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the shared corpora")
    parser.add_argument("--model", type=Path, default=default_model_path(), help="the shipped one if not given")
    parser.add_argument("--split", choices=("train", "dev"), default="dev")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=CORPORA, metavar="CORPUS")
    parser.add_argument(
        "--peers", nargs="*", choices=PEERS, metavar="PEER", help=f"all installed, or of {', '.join(PEERS)}"
    )
    parser.add_argument("--cache", type=Path, default=OUTPUTS, help="folder where outputs of peers are kept")
    parser.add_argument("--output", type=Path, help="write OUTPUT.md, OUTPUT.html and OUTPUT.json")
    parser.add_argument(
        "--folds", action="store_true", help="labels and kinds of the train split too, by folds over sites"
    )
    parser.add_argument(
        "--leave-out", metavar="CONVERTER", help="score its dumps by a model trained without them instead"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training tables, for both")
    parser.add_argument("--lines", type=float, default=1.0, help="share of the lines that both train on, for speed")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read pages")
    parser.add_argument("--gate", action="store_true", help="exit with 1 where a score is below its floor")
    parser.add_argument("--record-floors", action="store_true", help="raise the floors to the scores measured")
    return parser
