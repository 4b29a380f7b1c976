"""The kept corpus of the fuzz targets, replayed: seeds of every kind, and what once broke a promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus_files import needs_corpus_extra
from fuzz.targets import CORPUS, TARGETS

NEED_THE_CORPUS_EXTRA = ("folder", "jsonl", "warc", "parquet", "unfolding")
CASES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=needs_corpus_extra if path.parent.name in NEED_THE_CORPUS_EXTRA else ())
        for path in CASES
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_kept_input_breaks_no_promise(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_seeds_and_every_seed_is_small() -> None:
    assert {path.parent.name for path in CASES} == set(TARGETS)
    assert max(path.stat().st_size for path in CASES) < 5_000
