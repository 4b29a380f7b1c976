"""The wheel carries all that labelling needs: built, unpacked elsewhere, and run there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = (
    "import extractor\n"
    "from extractor.model_file import default_model_path\n"
    "print(extractor.__file__)\n"
    "print(default_model_path())\n"
    "print(len(extractor.label('Menu | Search\\n\\nThe lamp on the quay is lit again.').lines))\n"
    "print(len(extractor.label('<p>one<p>two').lines))\n"
)


def pip(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("hatchling") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("the wheel is built with pip and hatchling, which are not installed here (pip install '.[test]')")
    folder = tmp_path_factory.mktemp("wheel")
    built = pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ".")
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for needed in (
        "__init__.py",
        "cli.py",
        "py.typed",
        "character_classes.npy",
        "models/default.npz",
        "corpus/clean.py",
        "review/static/index.html",
        "review/static/review.js",
    ):
        assert f"extractor/{needed}" in names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"extractor"}
    assert any(name.endswith("entry_points.txt") for name in names)
    assert any("LICENSE" in name for name in names)
    assert len(names) == len(set(names))


def test_the_installed_package_labels_a_page(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    installed = pip("install", "--no-deps", "--no-index", "--no-compile", "--target", target, wheel)
    assert installed.returncode == 0, installed.stderr
    environment = {**os.environ, "PYTHONPATH": str(target)}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=elsewhere, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    package, model, dump_lines, html_lines = run.stdout.splitlines()
    assert Path(package).is_relative_to(target)
    assert Path(model).is_relative_to(target)
    assert (dump_lines, html_lines) == ("2", "2")
