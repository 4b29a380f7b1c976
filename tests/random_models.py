"""Whole models of random networks and small trees, for what must hold of any model, and parts of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from extractor import Model
from extractor.classifier import STAGE_NAMES, LineClassifier, Stage
from extractor.features import CLASS_NAMES, FEATURES_VERSION, OWN_NAMES, REPETITION_NAMES
from extractor.forest import DEPTH, LEAF_VALUES, LEAVES, Forest
from extractor.kinds import KIND_COLUMNS, KIND_WEIGHT_STEPS, KINDS, KindTable, KindWeights
from extractor.markup import MARKUP_NAMES
from extractor.model_file import Check
from extractor.network import KINDS_AT_MOST, STATE, TAPS, WORD_NAMES, Block, Dense, Network
from extractor.phrase_table import PHRASE_NAMES, PhraseTable
from extractor.wording import WordingTable

CONTEXT = (
    "words[-1]",
    "words[+1]",
    "weight[-3]",
    "weight[+3]",
    "prose~5",
    "copies~12",
    "words@page",
    "prose^",
    "prose_",
)
AROUND = tuple(f"{name}{place}" for name in STAGE_NAMES for place in ("[-1]", "[+1]", "~5", "@page"))


def make_random_model(seed: int, trees: int = 24) -> Model:
    """A whole model of random small forests, small tables of words, and checks that it passes."""
    random = np.random.default_rng(seed)
    tables = [WordingTable(random.integers(-60, 60, (1 << 10, len(CLASS_NAMES)), np.int8)) for _ in range(2)]
    own = {"text": OWN_NAMES, "html": (*OWN_NAMES, *MARKUP_NAMES)}
    classifiers = {name: random_classifier(random, columns, KIND_COLUMNS[name], trees) for name, columns in own.items()}
    checks = {
        name: make_check(
            random, (*columns, *PHRASE_NAMES, *KIND_COLUMNS[name], *REPETITION_NAMES, *WORD_NAMES), classifiers[name]
        )
        for name, columns in own.items()
    }
    kinds = [KindTable(random.integers(-60, 60, (1 << 8, len(KINDS)), np.int8)) for _ in range(2)]
    card = {"features_version": FEATURES_VERSION, "about": "random trees, for tests"}
    known = np.unique(random.integers(0, 1 << 32, 50, np.uint32))
    phrases = PhraseTable(known, random.integers(1, 200, len(known), np.uint8))
    return Model(*tables, *kinds, phrases, classifiers, checks, card)


def random_classifier(
    random: np.random.Generator, own: Sequence[str], of_kind: Sequence[str], trees: int
) -> LineClassifier:
    second, repetition = (*own, *CONTEXT, *STAGE_NAMES, *AROUND), (*REPETITION_NAMES, *STAGE_NAMES)
    stages = [Stage(names, random_forest(random, len(names), trees)) for names in (second, repetition)]
    network = random_network(random, own)
    slopes, intercepts = random.uniform(0.5, 1.0, 5), random.uniform(-0.5, 0.5, 5)
    largest = KIND_WEIGHT_STEPS // 99
    kinds = KindWeights(random.integers(-largest, largest, (len(KINDS), len(of_kind) + 1), np.int32))
    return LineClassifier(network, *stages, kinds, slopes, intercepts)


def random_networks(seed: int = 0) -> dict[str, Network]:
    """One for each format of pages."""
    random = np.random.default_rng(seed)
    return {"text": random_network(random, OWN_NAMES), "html": random_network(random, (*OWN_NAMES, *MARKUP_NAMES))}


def random_kinds(random: np.random.Generator, channels: int, used: int = 200) -> np.ndarray:
    """Weights of the values of a column that are kinds, of which not all are known."""
    weights = np.zeros((KINDS_AT_MOST, channels), np.float32)
    weights[:used] = random.integers(-500, 500, (used, channels))
    return weights


def random_network(random: np.random.Generator, own: Sequence[str], channels: int = 8) -> Network:
    sized = tuple(name for name in own if name not in ("first_class", "last_class"))
    names = (*sized, *WORD_NAMES)
    return Network(
        names,
        WordingTable(random.integers(-60, 60, (1 << 10, len(WORD_NAMES)), np.int8)),
        random_layer(random, len(names), channels, 255),
        {name: random_kinds(random, channels) for name in ("first_class", "last_class")},
        random_layer(random, channels, channels),
        random_layer(random, channels, channels),
        random_layer(random, 2 * (channels // 2), channels),
        tuple(random_block(random, channels, dilation) for dilation in (1, 2, 4)),
        random_layer(random, channels, 5, unit=0.01),
    )


def random_layer(
    random: np.random.Generator, inputs: int, outputs: int, largest: int = STATE, unit: float = 10.0
) -> Dense:
    weights = random.integers(-60, 60, (inputs, outputs)).astype(np.float32)
    scale = np.full(outputs, unit / largest / inputs**0.5, np.float32)
    return Dense(weights, scale, random.uniform(-1, 1, outputs).astype(np.float32))


def random_block(random: np.random.Generator, channels: int, dilation: int) -> Block:
    taps = random.integers(-127, 128, (TAPS, channels)).astype(np.float32)
    return Block(dilation, taps, np.full(channels, 0.004, np.float32), random_layer(random, channels, channels))


def random_forest(random: np.random.Generator, columns: int, trees: int, classes: int = 5) -> Forest:
    return Forest(
        random.integers(0, columns, (trees, DEPTH)).astype(np.int32),
        random.integers(0, 255, (trees, DEPTH), np.uint8),
        random.integers(0, LEAF_VALUES, (trees, LEAVES, classes)).astype(np.uint16),
        scale=1e-4,
        bias=random.uniform(-1, 1, classes),
    )


def make_check(random: np.random.Generator, names: Sequence[str], classifier: LineClassifier) -> Check:
    columns = random.integers(0, 256, (len(names), 40), np.uint8)
    expected = classifier.judge(dict(zip(names, columns, strict=True)), np.array([0, 40])).probabilities
    return Check(tuple(names), columns, expected)
