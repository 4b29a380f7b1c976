"""The records that flow through the package: Label, Line, Page, LabelledPage.

Comes in: a page as the caller has it. Goes out: its lines with labels, and views of the text they keep.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from itertools import compress
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, overload

from extractor.plaintext import continuations, joined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PageFormat = Literal["html", "text"]
Probabilities: TypeAlias = tuple[float, float, float, float]
_HEADING_MARKS = r"^#{1,6}\s+|\s*¶$"
"""What some converters put before or after a heading: it is no part of a title."""


class Label(str, Enum):
    """What a line is on its page; probabilities stand in this order."""

    BODY = "body"
    HEADER = "header"
    NAV = "nav"
    RELATED_LINK = "related-link"

    __hash__ = str.__hash__  # that of Enum is written in Python; equal strings hash alike now

    def __str__(self) -> str:
        return self.value


LABELS: tuple[Label, ...] = tuple(Label)
BODY_ONLY = frozenset({Label.BODY})


class Line(NamedTuple):
    """One non-blank line of a page.

    number: from 1; in a dump blank lines count too. probabilities: four, in the order of ``Label``,
    calibrated, summing to 1. ``label`` is the decision for the page and may differ from the most
    probable label only between body and the rest.
    """

    number: int
    text: str
    label: Label
    probabilities: Probabilities


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it came.

    content: the HTML or the plain-text dump, as text or bytes. id, url and site say where it is from.
    kind: "html", "text" or None to find out by looking. Raises TypeError for anything else in any of them.
    """

    content: str | bytes
    id: str | None = None
    url: str | None = None
    site: str | None = None
    kind: PageFormat | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.content, (str, bytes)):
            raise TypeError(f"a page is str or bytes, not {type(self.content).__name__}")
        if self.kind not in ("html", "text", None):
            raise TypeError(f'the kind of a page is "html", "text" or None, not {self.kind!r}')
        for name, value in (("id", self.id), ("url", self.url), ("site", self.site)):
            if value is not None and not isinstance(value, str):
                raise TypeError(f"the {name} of a page is str or None, not {type(value).__name__}")


def _labels(keep: Collection[Label]) -> frozenset[Label]:
    if keep is BODY_ONLY:
        return BODY_ONLY
    if isinstance(keep, str) or not isinstance(keep, Collection):
        raise TypeError(f"keep is a collection of labels, as in keep={{Label.BODY, Label.HEADER}}, not {keep!r}")
    for label in keep:
        if label not in LABELS:
            raise ValueError(f"keep holds {label!r}, which is no label; the labels are {', '.join(LABELS)}")
    return frozenset(map(Label, keep))


class TextLines(Sequence[str]):
    """Lines of a text, cut out of it when they are asked for; starts and ends: where each stands.

    One trailing "\\r" of a line is dropped.
    """

    __slots__ = ("_ends", "_starts", "_text")

    def __init__(self, text: str, starts: Sequence[int], ends: Sequence[int]) -> None:
        self._text, self._starts, self._ends = text, starts, ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> TextLines: ...
    def __getitem__(self, index: int | slice) -> str | TextLines:
        if isinstance(index, slice):
            return TextLines(self._text, self._starts[index], self._ends[index])
        return self._text[self._starts[index] : self._ends[index]].removesuffix("\r")

    def __iter__(self) -> Iterator[str]:
        return iter(self.some(range(len(self))))

    def some(self, places: Iterable[int]) -> list[str]:
        """The lines at some places."""
        text, starts, ends = self._text, self._starts, self._ends
        return [text[starts[place] : ends[place]].removesuffix("\r") for place in places]


class Layout(NamedTuple):
    """How a page's lines stood, one entry a line: what is needed to write some of them out again."""

    numbers: Sequence[int]
    texts: TextLines
    blank_before: bytes
    """Whether a blank line stood between this line and the one before it."""


class LabelledPage:
    """A page's lines with their labels; the text is a view over them, nothing is ever removed.

    id, url and site are those of the page. labels: one a line. encoding: how the bytes were decoded ("str" for text
    that came decoded). title: the headline's text, else what the HTML head says. format: "html" or "text". kind: what
    sort of page it is ("article", "forum", "listing", "collection", "product", "service", "documentation", or "none"
    for one without a text of its own), and with what probability.
    """

    __slots__ = (
        "_headline",
        "_layout",
        "_lines",
        "_probabilities",
        "_rows",
        "encoding",
        "format",
        "id",
        "kind",
        "kind_probability",
        "labels",
        "site",
        "title",
        "url",
    )

    def __init__(
        self,
        page: Page,
        layout: Layout,
        labels: tuple[Label, ...],
        probabilities: NDArray[np.float64],
        *,
        format: PageFormat,
        encoding: str,
        headline: int | None = None,
        title: str | None = None,
        kind: str,
        kind_probability: float,
    ) -> None:
        self.id, self.url, self.site = page.id, page.url, page.site
        self.format, self.encoding = format, encoding
        self.kind, self.kind_probability = kind, kind_probability
        self.labels, self._probabilities = labels, probabilities
        self._rows: list[Probabilities] | None = None
        self._layout, self._headline = layout, headline
        self._lines: tuple[Line, ...] | None = None
        self.title = re.sub(_HEADING_MARKS, "", layout.texts[headline].strip()) if headline is not None else title

    @property
    def probabilities(self) -> list[Probabilities]:
        """Of each line the probabilities of all labels, in the order of ``Label``."""
        if self._rows is None:
            self._rows = list(map(tuple, self._probabilities.tolist()))
        return self._rows

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every non-blank line in order."""
        if self._lines is None:
            layout = self._layout
            self._lines = tuple(map(Line, layout.numbers, layout.texts, self.labels, self.probabilities))
        return self._lines

    @property
    def blanks(self) -> Sequence[bool]:
        """For each line whether a blank one stood, or a block began, between it and the line before."""
        return [bool(blank) for blank in self._layout.blank_before]

    @property
    def headline(self) -> Line | None:
        """The line that is the page's headline (its label is body), or None."""
        return None if self._headline is None else self.lines[self._headline]

    def text(
        self,
        *,
        headline: bool = True,
        keep: Collection[Label] = BODY_ONLY,
        unwrap: bool = False,
    ) -> str:
        """The kept lines, in order, each as it stood.

        headline: with the headline. keep: the labels to keep. unwrap: join the lines of a hard-wrapped
        paragraph with a space. Blank lines between kept lines are kept, never more than one together.
        An empty string means that nothing is kept. ValueError for a label that is none.
        """
        keep = _labels(keep)
        layout, left_out = self._layout, None if headline else self._headline
        wrapped = unwrap and self.format == "text"
        continues = continuations(layout.texts, layout.blank_before) if wrapped else ()
        kept = list(compress(range(len(self.labels)), map(keep.__contains__, self.labels)))
        if left_out in kept:
            kept.remove(left_out)
        parts: list[str] = []
        for above, index, text in zip([-1, *kept], kept, layout.texts.some(kept), strict=False):
            if wrapped and above == index - 1 >= 0 and continues[index]:
                parts += (joined(parts[-1], text), text.lstrip())
            else:
                parts += ("\n" if layout.blank_before.find(1, above + 1, index + 1) < 0 else "\n\n", text)
        return "".join(parts[1:])  # nothing before the first

    def with_labels(self, labels: Sequence[Label]) -> LabelledPage:
        """The same page with other labels, one a line: as if they had been the decision. ValueError for too few, or for
        one that is none."""
        if len(labels) != len(self.labels):
            raise ValueError(f"{len(labels)} labels for {len(self.labels)} lines; give one for each")
        found = copy(self)
        found.labels, found._lines = tuple(map(Label, labels)), None
        if self._headline is not None and found.labels[self._headline] is not Label.BODY:
            found._headline = None
        return found

    def __repr__(self) -> str:
        name = f" {self.id!r}" if self.id else ""
        return f"<LabelledPage{name}: {len(self.labels)} lines, {self.labels.count(Label.BODY)} body>"
