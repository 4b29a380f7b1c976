"""What the classifier thinks of single lines -> what is thought of them among the lines that they belong with.

The lines that one template of a page has made (the titles of its teasers, the paragraphs of its text) serve one
purpose, and so do lines that read the same. Markup shows what a template has made: like elements and class names.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Bytes, Integers
from extractor.classifier import BODY, COPIES_POOLED, HEADER, HEADLINE
from extractor.equal_lines import equal_lines

TEMPLATE_SHARE = 0.5
"""What the mean of its template's lines counts in what is thought of a line."""
_TEMPLATE = ("tag", "parent_tag", "container_tag", "depth", "link_share", "strong_share", "button_share")
_AROUND = ("in_", "near_cue_", "far_cue_")
"""How the names of columns begin that say what elements and class names stand around a line."""
_HALF = 7
"""Bits of a share that tell one above a half from one below."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_STEPS = 1 << 20
_LEAST = 1e-6


def pool(
    probabilities: NDArray[np.float64], columns: Mapping[str, Bytes], line_hashes: NDArray[np.uint64], page: Integers
) -> NDArray[np.float64]:
    """Probabilities of lines by themselves, (lines, CLASS_NAMES), -> of lines among others of their page; columns:
    the base columns, by name; page: that of each line, never falling."""
    return pool_copies(pool_templates(probabilities, columns, page), line_hashes, page)


def pool_templates(
    probabilities: NDArray[np.float64], columns: Mapping[str, Bytes], page: Integers
) -> NDArray[np.float64]:
    """Probabilities in which half of what is thought of a line, as log-odds, is the mean of its template's lines: one
    that is hard to tell goes with them, one that is sure of itself stays. How likely it is to be header stays as well,
    as a byline or a date may stand in a paragraph like any other. Without markup all are as they were.
    """
    if _TEMPLATE[0] not in columns:
        return probabilities
    group, sizes = equal_lines(template_keys(columns), page).groups()
    logarithms = np.rint(np.log(np.maximum(probabilities, _LEAST)) * _STEPS)  # sums of whole numbers are exact
    sums = np.stack([np.bincount(group, own, len(sizes)) for own in logarithms.T], axis=1)
    means = (sums / sizes[:, None]).take(group, axis=0)
    pooled = np.exp((logarithms * (1.0 - TEMPLATE_SHARE) + means * TEMPLATE_SHARE) / _STEPS)
    header = probabilities[:, HEADER]
    pooled[:, HEADER] = 0.0
    pooled *= ((1.0 - header) / pooled.sum(axis=1))[:, None]
    pooled[:, HEADER] = header
    return np.where((sizes > 1).take(group)[:, None], pooled, probabilities)


def template_keys(columns: Mapping[str, Bytes]) -> NDArray[np.uint64]:
    """A number for each line, the same for lines that a template may have made: with like elements and class names
    around, and alike in whether links, strong text or buttons fill them."""
    keys = np.zeros(len(columns[_TEMPLATE[0]]), np.uint64)
    for name in sorted(columns):
        if name in _TEMPLATE or name.startswith(_AROUND):
            keys += columns[name] >> _HALF if name.endswith("_share") else columns[name]
            keys *= _FACTOR
    return keys


def pool_copies(
    probabilities: NDArray[np.float64], line_hashes: NDArray[np.uint64], page: Integers
) -> NDArray[np.float64]:
    """Probabilities in which lines that read the same, COPIES_POOLED or more on a page, are body with one
    probability, their mean: a speaker's name is it throughout. What they are else stays as it was, since a date can
    be header above the text and part of a teaser below it.
    """
    group, sizes = equal_lines(line_hashes, page).groups()
    if sizes.max(initial=0) < COPIES_POOLED:
        return probabilities
    body = probabilities[:, HEADLINE] + probabilities[:, BODY]
    means = np.bincount(group, np.rint(body * _STEPS)) / (sizes * float(_STEPS))
    lines = np.flatnonzero((sizes >= COPIES_POOLED).take(group))
    mean, own = means.take(group[lines]), np.clip(body[lines], _LEAST, 1.0 - _LEAST)
    pooled = probabilities.copy()
    pooled[lines, : BODY + 1] *= (mean / own)[:, None]
    pooled[lines, HEADER:] *= ((1.0 - mean) / (1.0 - own))[:, None]
    pooled[lines] /= pooled[lines].sum(axis=1, keepdims=True)
    return pooled
