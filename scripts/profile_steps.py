"""What each step of labelling costs a page: CPU time of the functions that do it, less what others of them do inside.

    python scripts/profile_steps.py             # dumps of the newspaper and wcxb dev pages, in batches
    python scripts/profile_steps.py --html      # their HTML
    python scripts/profile_steps.py --single    # one page a call

Of several rounds the quickest is taken, step by step. docs/performance.md has the summary.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from extractor import Page, label_many
from extractor.training.corpora import read_corpora

ROOT = Path(__file__).parent.parent
STEPS = (
    "labelling._Decoded.read", "html.parse_pages", "labelling.html_text", "characters.read_texts",
    "wording.line_tokens", "wording.WordingTable.score", "features.Lines.__init__", "features.own_columns",
    "markup.Blocks.__init__", "markup._cue_columns", "markup.markup_columns", "network.Network._read",
    "network.Block.apply", "network.Network.scores", "context.Neighbourhood.matrix", "forest.Forest.scores",
    "pooling.pool", "classifier.decide", "labelling._labelled_pages", "page.LabelledPage.text",
)  # fmt: skip


class Clock:
    """Seconds of CPU that each step took, without the steps inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = dict.fromkeys(STEPS, 0.0)
        self._inside = [0.0]

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time noted."""

        @functools.wraps(function)
        def run(*arguments: Any, **settings: Any) -> Any:
            started = time.process_time()
            self._inside.append(0.0)
            try:
                return function(*arguments, **settings)
            finally:
                took = time.process_time() - started
                self.spent[step] += took - self._inside.pop()
                self._inside[-1] += took

        return run

    def watch(self, step: str) -> None:
        """Have a function, wherever the package has imported it, take its time."""
        module, *path, name = step.split(".")
        owner: Any = importlib.import_module(f"extractor.{module}")
        for part in path:
            owner = getattr(owner, part)
        found = owner.__dict__[name]
        plain = isinstance(found, classmethod)
        timed: Any = self.timed(step, found.__func__ if plain else found)
        timed = classmethod(timed) if plain else timed
        setattr(owner, name, timed)
        for loaded in list(sys.modules.values()) if not path else ():
            if loaded.__name__.startswith("extractor") and loaded.__dict__.get(name) is found:
                setattr(loaded, name, timed)


def main() -> None:
    arguments = read_arguments()
    pages = list(islice(read_pages(arguments.shared, html=arguments.html), 0, None, arguments.every))
    clock = Clock()
    label_all(pages, single=arguments.single)
    for step in STEPS:
        clock.watch(step)
    rounds = [one_round(clock, pages, single=arguments.single) for _ in range(arguments.rounds)]
    least = {step: min(spent[step] for spent in rounds) / len(pages) for step in rounds[0]}
    print(f"{len(pages)} pages\n\n| step | ms a page |\n| --- | ---: |")
    for step, seconds in sorted(least.items(), key=lambda item: -item[1]):
        print(f"| {step} | {seconds * 1e3:.3f} |")


def one_round(clock: Clock, pages: list[Page], *, single: bool) -> dict[str, float]:
    clock.spent = dict.fromkeys(STEPS, 0.0)
    started = time.process_time()
    label_all(pages, single=single)
    whole = time.process_time() - started
    return {**clock.spent, "all": whole, "the rest": whole - sum(clock.spent.values())}


def label_all(pages: list[Page], *, single: bool) -> None:
    for some in [[page] for page in pages] if single else [pages]:
        for labelled in label_many(some):
            labelled.text()


def read_pages(shared: Path, *, html: bool) -> Iterator[Page]:
    for source in read_corpora(shared, ("newspaper", "wcxb"), "dev"):
        if html:
            yield Page(source.html, kind="html")
        else:
            yield from (Page(dump.text.encode("utf-8", "replace")) for dump in source.dumps)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder of the corpora")
    parser.add_argument("--html", action="store_true", help="the HTML of the pages instead of dumps")
    parser.add_argument("--single", action="store_true", help="one page a call")
    parser.add_argument("--every", type=int, default=1, help="take every so many-th page only")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
