"""What is promised of any labelled page, as checks that several tests make."""

from __future__ import annotations

from collections.abc import Iterable

from extractor import LabelledPage


def words_stand_in_order(words: Iterable[str], text: str) -> bool:
    """Whether every word stands in the text, each after the one before."""
    place = 0
    for word in words:
        place = text.find(word, place)
        if place < 0:
            return False
        place += len(word)
    return True


def is_made_of_lines(text: str, labelled: LabelledPage) -> bool:
    """Whether a text is lines of the page, in order, each at most once, with one blank line between them at most."""
    rest = text
    for line in labelled.lines:
        if rest.startswith(line.text):
            after = rest[len(line.text) :]
            if not after or after[0] == "\n":
                rest = after.removeprefix("\n").removeprefix("\n")
    return rest == ""
