"""What `extractor train` does, and the script of the same name: tables of training_data to a model, or, with --pages,
a model taught on labelled pages of one's own (teaching_commands.py)."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from extractor.errors import LabelsError, ModelError
from extractor.files import printable
from extractor.model_file import FORMATS, default_model_path
from extractor.streams import WRONG_USAGE
from extractor.training.progress import Steps
from extractor.training.tables import digest, read_table, read_words
from extractor.training.teaching import TeachingSettings
from extractor.training.teaching_commands import teach_command
from extractor.training.training import train_model

DATA, MODEL, TAUGHT = Path("training_data"), Path("models/default.npz"), Path("taught.npz")
_COSTS = {"second stage, out of fold": 1.0, "second stage": 1.0, "repetition": 0.15, "kinds": 0.05}
"""What the steps of training take, one beside the other."""


def train(arguments: Sequence[str]) -> int:
    """Train a model from the tables of training_data; or, with --pages, teach one the labelled pages of a folder."""
    options = _parser().parse_args(arguments)
    try:
        if options.pages:
            settings = TeachingSettings(weight=options.weight)
            return teach_command(options.pages, options.model, options.output or TAUGHT, settings, options.force)
        return _train(options.data, options.output or MODEL)
    except (LabelsError, ModelError, OSError, ValueError) as error:
        return say_wrong("train", error)


def say_wrong(command: str, error: Exception) -> int:
    """Say on the terminal what is wrong, line by line, and give the exit code."""
    lines = (printable(f"extractor {command}: {line}") for line in str(error).split("\n"))
    print(*lines, sep="\n", file=sys.stderr)
    return WRONG_USAGE


def _train(data: Path, output: Path) -> int:
    if not (data / "words.npz").exists():
        raise ValueError(
            f"{data / 'words.npz'}: no such file; the tables come with a checkout (--data names their folder), "
            "pages of your own are taught with --pages"
        )
    words = read_words(data)
    tables = {format: read_table(data, format) for format in FORMATS}
    card: dict[str, object] = {
        "data": "train split of the corpora that README.md names, training_data/pages and training_data/phrases",
        "data_digest": digest(tables, words),
        "lines": {format: len(table.classes) for format, table in tables.items()},
        "limits": "mostly news, blogs and English pages; README.md says what is weak",
    }
    with Steps(len(FORMATS) * sum(_COSTS.values()), _cost) as progress:
        model = train_model(tables, words, card, progress=progress)
    output.parent.mkdir(parents=True, exist_ok=True)
    model.save(output)
    print(f"{output}: {output.stat().st_size} bytes")
    return 0


def _cost(step: str) -> float:
    return next((cost for begin, cost in _COSTS.items() if step.startswith(begin)), 0.0)


def _above_nothing(text: str) -> float:
    value = float(text)
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="extractor train", description=train.__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the training tables")
    parser.add_argument("--output", type=Path, help=f"the model to write; {MODEL}, or with --pages {TAUGHT}")
    own = parser.add_argument_group("labelled pages of your own")
    own.add_argument("--pages", type=Path, help="folder of labelled pages; a folder in it is a site")
    own.add_argument(
        "--weight", type=_above_nothing, default=TeachingSettings().weight,
        help="what a line of theirs counts: more follows them more closely (default: %(default)g)",
    )  # fmt: skip
    own.add_argument("--model", type=Path, default=default_model_path(), help="what to teach; the shipped one")
    own.add_argument("--force", action="store_true", help="write the model even if the one that is there is better")
    return parser
