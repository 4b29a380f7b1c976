"""Landmarks: lines that a site's pages share say what the lines between them are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from extractor.features import CLASS_NAMES
from extractor.landmarks import Landmarks, cue_tokens, landmark_tokens
from extractor.wording import WordingTable


def landmarks(*sites: list[int]) -> Landmarks:
    lines = np.concatenate([np.array(some, np.uint32) for some in sites])
    numbers = np.repeat(np.arange(len(sites)), [len(some) for some in sites])
    order = np.argsort(lines, kind="stable")
    return Landmarks(lines[order], numbers[order], WordingTable(np.ones((8, len(CLASS_NAMES)), np.int8)))


def test_a_page_belongs_to_the_site_that_knows_most_of_its_lines() -> None:
    known = landmarks([10, 20, 30, 4_000_000_000], [10, 20, 30, 40, 50])
    lines = np.array([10, 20, 30, 40, 50, 10, 20, 30, 4_000_000_000, 7, 8, 10, 10, 10], np.uint32)
    found = known.site_of_pages(lines, np.array([0, 5, 10, 14, 14]))
    # of the third page only one different line is known, the fourth has none
    assert found.tolist() == [1, 0, -1, -1]


def test_lines_between_the_same_landmarks_have_the_same_tokens() -> None:
    lines = np.array([1, 101, 102, 2, 1, 103, 2], np.uint32)
    tokens, offsets = landmark_tokens(lines, lines < 100, np.array([0, 4, 7]), 0)
    runs = [tokens[first:last].tolist() for first, last in pairwise(offsets.tolist())]
    assert runs[1] == runs[2] == runs[5]
    assert [len(run) for run in runs] == [6, 5, 5, 6, 6, 5, 6]  # a landmark is told by itself too
    assert runs[0] == runs[4]
    other, _ = landmark_tokens(lines, lines < 100, np.array([0, 4, 7]), 1)
    assert not set(tokens.tolist()) & set(other.tolist())


def test_names_of_classes_stand_in_one_run() -> None:
    near, far = np.array([1, 2, 3], np.uint32), np.array([4], np.uint32)
    tokens, offsets = cue_tokens(near, np.array([0, 1, 3]), far, np.array([0, 0, 1]))
    assert offsets.tolist() == [0, 1, 4]
    assert len(set(tokens.tolist())) == 4


def test_what_was_saved_is_read_back_and_what_was_changed_is_refused() -> None:
    arrays = landmarks([10, 20], [10]).arrays()
    assert Landmarks.of_arrays(arrays).lines.tolist() == [10, 10, 20]
    for part, value in (("lines", arrays["lines"] + np.uint32(1)), ("table", arrays["table"] * 2)):
        with pytest.raises(ValueError, match="saved"):
            Landmarks.of_arrays({**arrays, part: value.astype(arrays[part].dtype)})
    with pytest.raises(ValueError, match="fit"):
        Landmarks.of_arrays({**arrays, "lines": arrays["lines"][::-1]})
