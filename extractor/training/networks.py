"""Labelled views -> networks of all sites and of all but each fold's, and the columns that they give views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed

from extractor.characters import Bytes
from extractor.classifier import softmax, stage_columns
from extractor.model_file import FORMATS
from extractor.training.columns import NETWORK_COLUMNS
from extractor.training.derivation import LabelledView, Tables, cue_columns, fold_of, seen_by, tables_of, word_columns
from extractor.training.fitting import THREADS
from extractor.training.network_pages import EVERY, NetworkPages, page_weights
from extractor.training.views import View

CHANNELS = {"text": 128, "html": 96}
"""Of the networks of each format: those for HTML gain nothing by more."""
DILATIONS = {"text": (1, 4, 12), "html": (1, 2, 4)}
"""How many lines apart the lines are that each block looks at: dumps gain by a wider look; HTML, whose containers say
as much, does not."""
DRAWS = 3
"""Of what is drawn at random (see network_pages): one epoch learns from the first, the next from the second."""
EPOCHS = 6
"""Two of each draw."""
SEEDS = {"text": 1, "html": 0}
"""Of the networks of all sites; of two tried for dumps this one has more lines right."""


def add_networks(
    pages: Sequence[dict[str, NetworkPages]], tables: Mapping[int | None, Tables], progress: Callable[[str], None]
) -> dict[int | None, Tables]:
    """The tables with networks for both formats, each learned from the sites that the table has seen. pages: of each
    format, in parts, which are emptied, as they are large."""
    from extractor.training.network_module import NetworkSettings  # PyTorch is needed here alone
    from extractor.training.network_training import fit_network

    found = dict(tables)
    for format in FORMATS:
        progress(f"networks for {format}")
        first, *others = [part.pop(format) for part in pages]
        joined = first.and_those_of(others)
        del first, others
        seen = {fold: seen_by(fold, joined.folds) for fold in tables}
        settings = NetworkSettings(CHANNELS[format], DILATIONS[format], EPOCHS)
        # no more at once, as each takes the memory of its pages
        networks = Parallel(n_jobs=THREADS, pre_dispatch=THREADS)(
            delayed(fit_network)(joined.of(seen[fold]), settings, SEEDS[format] if fold is None else 0) for fold in seen
        )
        for fold, network in zip(seen, networks, strict=True):
            found[fold] = replace(found[fold], networks={**found[fold].networks, format: network})
    return found


def network_inputs(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """The columns of NETWORK_COLUMNS that a table which has not seen the site gives, (names, lines)."""
    phrases = tables_of(view, tables).phrases.columns(view.tokens, view.token_offsets)
    rows = [view.own, word_columns(view, tables), phrases]
    if view.format == "html":
        rows += [view.plain_markup(), cue_columns(view, tables)]
    return np.concatenate(rows)


def network_columns(view: View, inputs: Bytes, tables: Mapping[int | None, Tables]) -> Bytes:
    """What a network that has not seen the site says of the lines, (CLASS_NAMES, lines) in 8 bits."""
    network = tables_of(view, tables).networks[view.format]
    columns = dict(zip(NETWORK_COLUMNS[view.format], inputs, strict=True))
    columns |= network.word_columns(view.tokens, view.token_offsets)
    chances = softmax(network.scores(columns, np.array([0, inputs.shape[1]])))
    return np.stack(list(stage_columns(chances).values()))


def network_pages(
    labelled: Sequence[LabelledView], tables: Mapping[int | None, Tables], draw: int = EVERY
) -> dict[str, NetworkPages]:
    """What networks of each format, of which each must have some lines, learn from these views: in every epoch, or as
    one of the draws."""
    return {
        format: _network_pages(format, [one for one in labelled if one.view.format == format], tables, draw)
        for format in FORMATS
    }


def _network_pages(
    format: str, labelled: Sequence[LabelledView], tables: Mapping[int | None, Tables], draw: int
) -> NetworkPages:
    chosen = [one for one in labelled if len(one.classes)]
    lines = np.array([len(one.classes) for one in chosen])
    trust, read = (np.concatenate([getattr(one, name) for one in chosen]) for name in ("trust", "read"))
    return NetworkPages(
        NETWORK_COLUMNS[format],
        columns=np.concatenate([network_inputs(one.view, tables) for one in chosen], axis=1),
        tokens=np.concatenate([one.view.tokens for one in chosen]),
        counts=np.concatenate([np.diff(one.view.token_offsets) for one in chosen]).astype(np.int32),
        classes=np.concatenate([one.classes for one in chosen]).astype(np.int8),
        weights=page_weights(lines, trust, read),
        lines=lines, folds=np.array([fold_of(one.view.site) for one in chosen]), draw=np.full(len(chosen), draw),
    )  # fmt: skip
