"""Labels the HTML pages of the dev split by each of several versions of lxml, and says where lines and labels differ.

    python scripts/compare_parsers.py [VERSION...]

Versions: the oldest that pyproject.toml allows and the newest, unless given. Needs the train extra, to read
../shared, and makes an environment for each version in build/parsers/. Ends with code 1 if of the lines that two
versions read alike fewer than LEAST have the same label.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "parsers"
LEAST = 0.99
Labelled: TypeAlias = list[tuple[str, str]]


def main() -> int:
    arguments = _arguments()
    if arguments.label:
        label_pages(arguments.versions[0])
        return 0
    write_pages()
    names = [run_with(version) for version in arguments.versions]
    agree = [compare(*pair) for pair in pairwise(names)]
    return int(not all(agree))


def write_pages() -> None:
    """The HTML of the dev split, a page a line, for interpreters that lack what reads it from ../shared."""
    sys.path.insert(0, str(ROOT))
    from extractor.decoding import decode
    from extractor.training.corpora import read_corpora

    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "pages.jsonl").open("w", encoding="utf-8") as file:
        for source in read_corpora(ROOT.parent / "shared", split="dev"):
            file.write(json.dumps([f"{source.corpus}/{source.id}", decode(source.html)[0]]) + "\n")


def run_with(version: str) -> str:
    """Label the pages with a version of lxml in an environment of its own."""
    python = BUILD / version / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", BUILD / version], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        exact = "lxml" if version == "newest" else f"lxml=={version}"
        subprocess.run([*pip, "--editable", str(ROOT), exact], check=True)
    subprocess.run([python, __file__, "--label", version], check=True)
    return version


def label_pages(version: str) -> None:
    """Label the pages in this interpreter; one JSON line a page."""
    sys.path.insert(0, str(ROOT))
    from lxml import etree

    from extractor import Page, label_many

    with (BUILD / "pages.jsonl").open(encoding="utf-8") as file:
        pages = (Page(text, id=name, kind="html") for name, text in map(json.loads, file))
        with (BUILD / f"{version}.jsonl").open("w", encoding="utf-8") as output:
            for labelled in label_many(pages):
                lines = [[line.text, line.label.value] for line in labelled.lines]
                output.write(json.dumps([labelled.id, lines]) + "\n")
    print(f"lxml {version}: {etree.__version__}, libxml2 {'.'.join(map(str, etree.LIBXML_COMPILED_VERSION))}")


def compare(one: str, other: str) -> bool:
    """Print how lines and labels of two versions differ; whether the labels of common lines agree well enough."""
    pages = different = lines = common = same = 0
    for (_, before), (_, after) in zip(_labelled(one), _labelled(other), strict=True):
        pages += 1
        lines += len(after)
        different += [line for line, _ in before] != [line for line, _ in after]
        for first, second in _common(before, after):
            common += 1
            same += first == second
    print(f"lxml {one} and {other}: {pages:,} pages, {different:,} of them read into other lines; ", end="")
    print(f"{common:,} of {lines:,} lines read alike, {same:,} of these labelled alike ({same / common:.4%})")
    return same >= LEAST * common


def _labelled(version: str) -> Iterator[tuple[str, Labelled]]:
    with (BUILD / f"{version}.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _common(before: Labelled, after: Labelled) -> Iterator[tuple[str, str]]:
    """The labels of the lines that stand in both, in order."""
    texts = [[text for text, _ in lines] for lines in (before, after)]
    matches: Sequence[tuple[int, int, int]]
    if texts[0] == texts[1]:
        matches = [(0, 0, len(before))]
    else:
        matches = SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_matching_blocks()
    for first, second, size in matches:
        for place in range(size):
            yield before[first + place][1], after[second + place][1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", default=["6.0.0", "newest"])
    parser.add_argument("--label", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
