"""How far a review has come: a folder -> the page it stopped at, and the pages begun but not done.

Kept in the folder as .review.json. What the labels are stands in the .labels files alone: a page that has one
and is not listed here as begun is done, whoever labelled it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from extractor.errors import LabelsError
from extractor.files import write_atomically

PROGRESS_FILE = ".review.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """page, line: the name of the page last looked at, and which of its lines, from 0. begun: names of pages."""

    page: str | None = None
    line: int = 0
    begun: frozenset[str] = frozenset()


def read_progress(folder: Path) -> Progress:
    """The progress noted in a folder; none for a folder not reviewed before. LabelsError for a file not in order."""
    path = folder / PROGRESS_FILE
    try:
        noted = json.loads(path.read_bytes())
        page, line, begun = noted["page"], noted["line"], noted["begun"]
        if not isinstance(page, (str, type(None))) or not isinstance(line, int) or not isinstance(begun, list):
            raise ValueError("its values have the wrong types")
        return Progress(page, line, frozenset(map(str, begun)))
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    except (ValueError, TypeError, KeyError) as error:
        raise LabelsError(
            f"{path}: does not say how far the review has come ({error}); mend it, or delete it (pages begun"
            " count as done then)"
        ) from None


def write_progress(folder: Path, progress: Progress) -> None:
    """Note the progress in the folder, atomically. OSError as from any write."""
    noted = {"page": progress.page, "line": progress.line, "begun": sorted(progress.begun)}
    write_atomically(folder / PROGRESS_FILE, (json.dumps(noted, indent=1) + "\n").encode())
