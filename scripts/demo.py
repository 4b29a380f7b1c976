"""What `make demo` shows: every page of examples/ cleaned into build/demo, and three of them line by line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.text import Text

from extractor import LabelledPage, label_many
from extractor.corpus.batch import CleanSettings
from extractor.corpus.folder import PageFile, input_files
from extractor.corpus.run import RunSettings, clean_corpus
from extractor.listing import listing_row, rendered, summary_table
from extractor.page import LABELS

ROOT = Path(__file__).parent.parent
EXAMPLES, OUTPUT = ROOT / "examples", ROOT / "build" / "demo"
SHOWN = ("harbour-gazette/lifeboat-rescue.txt", "recipe-plum-cake-en.html", "news-bridge-zh.txt")
"""A dump of a news page, an HTML page, a dump without spaces between words."""
LINES_SHOWN, LINES_ABOVE = 24, 10
WIDTH = 110


def main() -> None:
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    shutil.rmtree(OUTPUT, ignore_errors=True)
    summary = clean_corpus(EXAMPLES, OUTPUT, CleanSettings(), how=RunSettings(overwrite=True)).summary
    pages = [file for file in input_files(EXAMPLES) if isinstance(file, PageFile)]
    labelled = list(label_many(page.read() for page in pages))
    print(rendered(overview(pages, labelled)))
    for name in SHOWN:
        for page in labelled:
            if page.id == name:
                print(rendered(excerpt(page)))
    print(summary_table(summary))
    print(f"The clean text lies in {OUTPUT.relative_to(ROOT).as_posix()}/.")


def overview(pages: Sequence[PageFile], labelled: Sequence[LabelledPage]) -> Iterator[Text]:
    """Of each page, how many lines it has of each label."""
    width = max(len(page.name) for page in pages)
    yield Text(f"{'page':<{width}}  kept  dropped  headline", style="bold")
    for page, found in zip(pages, labelled, strict=True):
        kept = found.labels.count(LABELS[0])
        headline = found.headline.text.strip() if found.headline else "-"
        yield Text(f"{page.name:<{width}}  {kept:>4}  {len(found.labels) - kept:>7}  {headline}")


def excerpt(page: LabelledPage) -> Iterator[Text]:
    """Some lines of a page from a little above its first body line on, coloured by their labels."""
    lines, headline = page.lines, page.headline
    body = page.labels.index(LABELS[0]) if LABELS[0] in page.labels else 0
    shown = lines[max(body - LINES_ABOVE, 0) :][:LINES_SHOWN]
    yield Text(f"{page.id}, {len(shown)} of {len(lines)} lines", style="bold")
    for line in shown:
        row = listing_row(line, 3, is_headline=line == headline)
        row.truncate(WIDTH, overflow="ellipsis")
        yield row


if __name__ == "__main__":
    main()
