"""A folder under review: pages in, each with the model's labels and the reviewer's; corrections saved at once.

What is saved is the .labels file beside a page, written whole. A change is taken only for the version of the page
that its sender has seen, so that two windows, or an editor, never undo each other's work unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Literal, NamedTuple

from extractor.corpus.folder import FolderError, PageFile, TooLargeError, input_files
from extractor.corpus.unfolding import DamagedFileError
from extractor.errors import LabelsError
from extractor.labelled_pages import LABELS_ENDING, PAGE_ENDINGS, read_labelled_page, write_labels
from extractor.labelling import label
from extractor.model_file import Model
from extractor.page import Label, LabelledPage, Page
from extractor.review.progress import Progress, read_progress, write_progress

State = Literal["new", "begun", "done"]


class Change(NamedTuple):
    """A run of lines, first to last, from 0, both in it, and the label that they get."""

    first: int
    last: int
    label: Label


class PageError(Exception):
    """A page that cannot be shown or saved; the message names it and says what to do."""


class ConflictError(Exception):
    """A change made to a version of the page that is not the newest."""


@dataclass(frozen=True, slots=True)
class ReviewedPage:
    """A page as it stands. predicted: with the model's labels; labelled: with the reviewer's.

    version: of its content and labels. problem: why it cannot be corrected, or None.
    """

    name: str
    content: bytes
    predicted: LabelledPage
    labelled: LabelledPage
    version: str
    state: State
    problem: str | None = None


class ReviewedFolder:
    """The pages of a folder and how far their review has come. Safe to use from several threads."""

    def __init__(self, folder: Path, model: Model) -> None:
        """FolderError for no folder or no pages, LabelsError for a note of progress that is not in order."""
        self.path, self.model = folder, model
        self.pages = {page.name: page for page in _pages_of(folder)}
        self._inside = folder.resolve()
        self._progress = read_progress(folder)
        self._lock = RLock()
        self._latest: tuple[Page, LabelledPage] | None = None  # labelling a page takes longer than a key press

    @property
    def progress(self) -> Progress:
        """How far the review has come."""
        return self._progress

    def state(self, name: str) -> State:
        """new: without labels; begun: some looked at; done: all of them."""
        if not self._labels_path(name).is_file():
            return "new"
        return "begun" if name in self._progress.begun else "done"

    def page(self, name: str) -> ReviewedPage:
        """A page as it stands now. KeyError for a name that is not in the folder, PageError if it cannot be read."""
        with self._lock:
            page, content = self._read(self.pages[name])
            predicted = self._predicted(page)
            labels, problem = predicted.labels, self._problem(name)
            if problem is None and self._labels_path(name).is_file():
                try:
                    labels = read_labelled_page(self.pages[name].path).labels
                except LabelsError as error:
                    problem = str(error)
            return ReviewedPage(
                name, content, predicted, predicted.with_labels(labels),
                self._version(name, content), self.state(name), problem,
            )  # fmt: skip

    def save(self, name: str, version: str, changes: Sequence[Change], *, done: bool | None = None) -> ReviewedPage:
        """Correct a page and write its labels; done: whether its review is finished, None to leave that as it is.

        Errors as of page(); ConflictError if `version` is not the newest; ValueError for a run of lines that the page
        does not have; OSError if the labels cannot be written.
        """
        with self._lock:
            page = self.page(name)
            if page.problem is not None:
                raise PageError(page.problem)
            if page.version != version:
                raise ConflictError(f"{name}: changed elsewhere since it was shown here; load it again")
            labels = _changed(page.labelled.labels, changes)
            done = page.state == "done" if done is None else done
            self._mark(name, begun=True)  # first, so that a run killed here never leaves half a review as done
            write_labels(self.pages[name].path, page.content, labels)
            self._mark(name, begun=not done)
            return self.page(name)

    def note_place(self, name: str, line: int) -> None:
        """Note where to go on after a restart. KeyError for a name that is not in the folder."""
        with self._lock:
            self._note(replace(self._progress, page=self.pages[name].name, line=line))

    def _mark(self, name: str, *, begun: bool) -> None:
        others = self._progress.begun - {name}
        self._note(replace(self._progress, begun=others | {name} if begun else others))

    def _note(self, progress: Progress) -> None:
        if progress != self._progress:
            write_progress(self.path, progress)
            self._progress = progress

    def _labels_path(self, name: str) -> Path:
        return self.pages[name].path.with_suffix(LABELS_ENDING)

    def _read(self, file: PageFile) -> tuple[Page, bytes]:
        try:
            if not file.path.resolve().is_relative_to(self._inside):
                raise PageError(f"{file.name}: a link out of the folder; put the page itself there")
            page = file.read()
        except OSError as error:
            raise PageError(f"{file.name}: cannot be read ({error.strerror}); put it back, or start anew") from None
        except (TooLargeError, DamagedFileError) as error:
            raise PageError(f"{file.name}: {error}") from None
        except ValueError as error:
            raise PageError(f"{file.name}: {error}; turn it into text or HTML first") from None
        assert isinstance(page.content, bytes)  # that of a file is
        return page, page.content

    def _predicted(self, page: Page) -> LabelledPage:
        if self._latest is None or self._latest[0] != page:
            self._latest = page, label(page, model=self.model)
        return self._latest[1]

    def _problem(self, name: str) -> str | None:
        """Why a page cannot have labels, or None."""
        path, labels_path = self.pages[name].path, self._labels_path(name)
        if path.suffix not in PAGE_ENDINGS:
            return f"{name}: a labelled page ends in {' or '.join(PAGE_ENDINGS)}; rename it to correct it"
        others = [other for ending in PAGE_ENDINGS if (other := path.with_suffix(ending)) != path and other.is_file()]
        if others:
            return f"{name}: {others[0].name} would share its {LABELS_ENDING} file; rename one of them"
        if not labels_path.resolve().is_relative_to(self._inside):
            return f"{labels_path}: a link out of the folder; remove it"
        return None

    def _version(self, name: str, content: bytes) -> str:
        digest = hashlib.sha256(content)
        if self._labels_path(name).is_file():
            with suppress(OSError):  # labels that cannot be read: page() says so
                digest.update(b"\0" + self._labels_path(name).read_bytes())
        return digest.hexdigest()[:16]


def _pages_of(folder: Path) -> list[PageFile]:
    """The pages of a folder; a file of many records has no labels beside it, and is left to `clean`."""
    if not folder.is_dir():
        raise FolderError(
            f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}; give a folder of pages"
        )
    found = [file for file in input_files(folder) if isinstance(file, PageFile)]
    if not found:
        raise FolderError(f"{folder}: no pages in it, that is no .txt or .html files")
    return found


def _changed(labels: Sequence[Label], changes: Sequence[Change]) -> list[Label]:
    found = list(labels)
    for first, last, label_ in changes:
        if not 0 <= first <= last < len(found):
            raise ValueError(f"lines {first} to {last} of {len(found)}: no such lines; load the page again")
        found[first : last + 1] = [label_] * (last - first + 1)
    return found
