from __future__ import annotations

import numpy as np
import pytest

from extractor.features import CLASS_NAMES
from extractor.pooling import pool, pool_copies, pool_templates

BODY, HEADER, NAV = map(CLASS_NAMES.index, ("body", "header", "nav"))


def rows(*body: float) -> np.ndarray:
    """Probabilities of lines that are body or nav."""
    found = np.zeros((len(body), len(CLASS_NAMES)))
    found[:, BODY], found[:, NAV] = body, 1.0 - np.array(body)
    return found


def markup(tags: list[int], links: list[int] | None = None) -> dict[str, np.ndarray]:
    """The columns of lines that differ in their tags, and in how much of them is links, of 255."""
    others = ("parent_tag", "container_tag", "depth", "strong_share", "button_share", "in_nav")
    columns = {name: np.zeros(len(tags), np.uint8) for name in others}
    return {**columns, "tag": np.array(tags, np.uint8), "link_share": np.array(links or [0] * len(tags), np.uint8)}


def test_a_line_that_stands_many_times_is_body_with_one_probability() -> None:
    probabilities = rows(0.9, 0.9, 0.9, 0.1, 0.6, 0.2)
    hashes = np.array([7, 7, 7, 7, 8, 8], np.uint64)
    pooled = pool_copies(probabilities, hashes, np.zeros(6, np.int64))
    np.testing.assert_allclose(pooled[:4, BODY], 0.7, atol=1e-5)
    np.testing.assert_allclose(pooled.sum(axis=1), 1.0)
    np.testing.assert_array_equal(pooled[4:], probabilities[4:])


def test_copies_on_other_pages_are_not_pooled() -> None:
    probabilities = rows(0.9, 0.9, 0.1, 0.1)
    pooled = pool_copies(probabilities, np.full(4, 7, np.uint64), np.repeat([0, 1], 2))
    np.testing.assert_array_equal(pooled, probabilities)


def test_half_of_what_is_thought_of_a_line_is_the_mean_of_its_template() -> None:
    body = np.array([0.95, 0.9, 0.4, 0.97, 0.3, 0.2, 0.9, 0.5])
    pooled = pool_templates(rows(*body), markup([1, 1, 1, 1, 2, 3, 4, 5]), np.zeros(8, np.int64))
    log_odds = np.log(body / (1.0 - body))
    expected = (log_odds + log_odds[:4].mean())[:4] / 2.0
    np.testing.assert_allclose(pooled[:4, BODY], 1.0 / (1.0 + np.exp(-expected)), atol=1e-5)
    assert pooled[2, BODY] > 0.5, "the template speaks for a line that is hard to tell"
    np.testing.assert_allclose(pooled.sum(axis=1), 1.0)
    np.testing.assert_array_equal(pooled[4:], rows(*body[4:]))


def test_what_speaks_for_header_stays_the_lines_own() -> None:
    probabilities = rows(0.9, 0.8, 0.1)
    probabilities[2] *= 0.3
    probabilities[2, HEADER] = 0.7
    pooled = pool_templates(probabilities, markup([1, 1, 1]), np.zeros(3, np.int64))
    np.testing.assert_array_equal(pooled[:, HEADER], probabilities[:, HEADER])
    np.testing.assert_allclose(pooled.sum(axis=1), 1.0)
    assert pooled[2, BODY] > probabilities[2, BODY]


def test_templates_part_by_page_and_by_what_fills_a_line() -> None:
    probabilities = rows(0.9, 0.2, 0.9, 0.2)
    by_page = pool_templates(probabilities, markup([1, 1, 1, 1]), np.arange(4))
    np.testing.assert_array_equal(by_page, probabilities)
    by_links = pool_templates(probabilities, markup([1, 1, 1, 1], [0, 255, 100, 130]), np.zeros(4, np.int64))
    np.testing.assert_allclose(by_links, probabilities, atol=1e-5)


def test_what_is_thought_of_a_page_depends_on_no_other() -> None:
    random = np.random.default_rng(2)
    probabilities = random.dirichlet(np.ones(len(CLASS_NAMES)), 60)
    columns, hashes = markup(random.integers(0, 3, 60).tolist()), random.integers(0, 9, 60).astype(np.uint64)
    together = pool(probabilities, columns, hashes, np.repeat([0, 2], [25, 35]))
    own = {name: column[25:] for name, column in columns.items()}
    np.testing.assert_array_equal(together[25:], pool(probabilities[25:], own, hashes[25:], np.zeros(35, np.int64)))


@pytest.mark.parametrize("columns", [{}, markup([])], ids=["dumps", "HTML"])
def test_pages_without_lines_are_pooled_too(columns: dict[str, np.ndarray]) -> None:
    assert pool(rows(), columns, np.zeros(0, np.uint64), np.zeros(0, np.int64)).shape == (0, len(CLASS_NAMES))


def test_lines_of_dumps_have_no_template() -> None:
    probabilities = rows(0.9, 0.2)
    assert pool_templates(probabilities, {"words": np.zeros(2, np.uint8)}, np.zeros(2, np.int64)) is probabilities
