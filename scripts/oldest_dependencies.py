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
    """One "name==version" for each dependency; ValueError for one without a lower bound."""
    groups = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    for requirement in (requirement for group in groups for requirement in group):
        if requirement.startswith("extractor["):
            continue
        found = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if not found:
            raise ValueError(f"{PYPROJECT.name}: {requirement!r} has no lower bound; write it as name>=version")
        yield f"{found[1]}=={found[2]}"


if __name__ == "__main__":
    print(*oldest(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"], sys.argv[1:]), sep="\n")
