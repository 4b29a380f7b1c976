"""How doubtful the labels of many pages are: a folder under review -> a number for each page, in the background.

The doubt of a page is the share of its lines expected to be wrong by the model's own, calibrated, probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Event, Thread
from types import MappingProxyType

from extractor.corpus.extras import MissingExtraError
from extractor.corpus.folder import PageFile, TooLargeError
from extractor.corpus.repeated import Failure
from extractor.corpus.unfolding import DamagedFileError
from extractor.labelling import label_many
from extractor.page import LABELS, LabelledPage, Page
from extractor.review.folder import ReviewedFolder

_PAGES_AT_ONCE = 32
"""Few enough for the first pages to be listed within a second."""


def page_doubt(labelled: LabelledPage) -> float:
    """The share of a page's lines that are expected to have another label; 0 for a page without lines."""
    chosen = [row[LABELS.index(label)] for row, label in zip(labelled.probabilities, labelled.labels, strict=True)]
    return 1 - sum(chosen) / len(chosen) if chosen else 0.0


class Doubts:
    """The doubts of a folder's pages, as they become known."""

    def __init__(self, folder: ReviewedFolder) -> None:
        self._folder = folder
        self._known: dict[str, float] = {}
        self._failures: dict[str, Failure] = {}
        self._finished, self._stopped = Event(), Event()
        self._thread = Thread(target=self._judge, daemon=True, name="doubts")

    @property
    def known(self) -> Mapping[str, float]:
        """The doubt of each page judged so far, by name."""
        return MappingProxyType(self._known)

    @property
    def failures(self) -> Mapping[str, Failure]:
        """The pages that could not be read, by name."""
        return MappingProxyType(self._failures)

    @property
    def finished(self) -> bool:
        """Whether all pages are judged."""
        return self._finished.is_set()

    def start(self) -> None:
        """Begin to judge the pages, in their order."""
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all pages are judged; whether they are, after `timeout` seconds at most."""
        return self._finished.wait(timeout)

    def stop(self) -> None:
        """Judge no more pages."""
        self._stopped.set()

    def _judge(self) -> None:
        files = list(self._folder.pages.values())
        for first in range(0, len(files), _PAGES_AT_ONCE):
            if self._stopped.is_set():
                return
            pages = self._readable(files[first : first + _PAGES_AT_ONCE])
            for labelled in label_many(pages, model=self._folder.model):
                self._known[str(labelled.id)] = page_doubt(labelled)
        self._finished.set()

    def _readable(self, files: Sequence[PageFile]) -> Iterator[Page]:
        """The pages that can be read; the others are noted as failures."""
        for file in files:
            try:
                yield file.read()
            except OSError as error:
                self._failures[file.name] = Failure(file.name, f"cannot be read: {error.strerror}")
            except (ValueError, TooLargeError, DamagedFileError, MissingExtraError) as error:
                self._failures[file.name] = Failure(file.name, str(error))
