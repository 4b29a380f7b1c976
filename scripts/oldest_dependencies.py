"""Prints the oldest versions that pyproject.toml allows, as constraints for pip: `make test-oldest` installs them.

python scripts/oldest_dependencies.py [EXTRA...]: of the package and of these extras.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):
    sys.exit("oldest_dependencies.py reads TOML, which Python 3.10 cannot: run it with 3.11 or later")
import tomllib

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def oldest(project: dict[str, Any], extras: Iterable[str]) -> Iterator[str]:
    """One "name==version" for each dependency, of extras of extras too. ValueError for one without a lower bound."""
    groups = [
        project["dependencies"],
        *(project["optional-dependencies"][extra] for extra in _all_extras(project, extras)),
    ]
    for requirement in (requirement for group in groups for requirement in group):
        if _extras_in(requirement):
            continue
        found = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if not found:
            raise ValueError(f"{PYPROJECT.name}: {requirement!r} has no lower bound; write it as name>=version")
        yield f"{found[1]}=={found[2]}"


def _all_extras(project: dict[str, Any], extras: Iterable[str]) -> list[str]:
    """Some extras and those that they ask for, each once."""
    found = list(extras)
    for extra in found:  # which grows meanwhile
        asked = (name for requirement in project["optional-dependencies"][extra] for name in _extras_in(requirement))
        found += [name for name in asked if name not in found]
    return found


def _extras_in(requirement: str) -> list[str]:
    """The extras of this package that a requirement names."""
    found = re.fullmatch(r"extractor\[([\w,-]+)\]", requirement)
    return found[1].split(",") if found else []


if __name__ == "__main__":
    print(*oldest(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"], sys.argv[1:]), sep="\n")
