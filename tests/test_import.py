"""What `import extractor` gives, and what it does without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import extractor

ROOT = Path(__file__).parent.parent


def modules_after(program: str, *arguments: Path) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint(*sys.modules)", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.split())


def test_every_name_is_there_and_listed() -> None:
    for name in extractor.__all__:
        assert getattr(extractor, name).__name__ == name
        assert name in dir(extractor)
    assert extractor.label is extractor.label


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="'extractor' has no attribute 'lable'"):
        extractor.lable  # type: ignore[attr-defined]  # noqa: B018


def test_importing_loads_no_more_than_the_records() -> None:
    loaded = modules_after("import extractor")
    own = {name for name in loaded if name.startswith("extractor")}
    assert own == {"extractor", "extractor.errors", "extractor.page", "extractor.plaintext"}
    assert "numpy" in loaded, "the first page would wait for it"


def test_names_load_what_they_need_and_each_other_do_not() -> None:
    assert "extractor.repetition" not in modules_after("from extractor import label, label_many, Model")
    assert "extractor.labelling" not in modules_after("from extractor import Model")


def test_labelling_a_dump_loads_nothing_for_html(random_model_path: Path) -> None:
    labelling = "import extractor; extractor.extract('Harbour news', model=extractor.Model.load(sys.argv[1]))"
    assert not {"lxml", "extractor.html"} & modules_after(labelling, random_model_path)
