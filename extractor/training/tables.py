"""Tables of labelled lines: the numbers that the shipped model is rebuilt from, as Parquet files.

One file a kind of page (text, html): a column of 8-bit values for each base column of a line, its class,
its trust, whether it was read by hand, the kind of its page and the number of its site. Beside them words.npz,
the tables of words, class names and kinds and the networks. No text is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from extractor.characters import Array, Bytes, Integers
from extractor.context import Neighbourhood
from extractor.features import FEATURES_VERSION
from extractor.kinds import KIND_TABLES, kind_table_of
from extractor.model_file import FORMATS
from extractor.network import Network
from extractor.phrase_table import PhraseTable
from extractor.training.columns import BASE_COLUMNS
from extractor.training.derivation import FOLDS, LabelledView, Tables, site_number
from extractor.training.kind_tables import kind_columns, kind_of
from extractor.training.networks import network_columns, network_inputs
from extractor.training.views import View
from extractor.wording import WordingTable

_PAGES_AT_ONCE = 500


@dataclass(slots=True)
class LineTable:
    """Labelled lines of whole pages. base: (BASE_COLUMNS[format], lines); page_offsets: (pages + 1).

    classes: indices into CLASS_NAMES; trust: 0 to 1; read: by hand; kinds: of its page, index into
    KINDS or -1; sites: the number of its site (see site_number). network: the one that saw all of the sites; what
    the base columns hold of networks is by those that had not seen a line's site."""

    format: str
    base: Bytes
    page_offsets: Integers
    classes: Integers
    trust: NDArray[np.float64]
    read: NDArray[np.bool_]
    kinds: Integers
    sites: Integers
    network: Network

    @property
    def folds(self) -> Integers:
        """The fold of each line's site."""
        return self.sites % FOLDS

    def parts(self) -> Iterator[tuple[int, int, Neighbourhood, dict[str, Bytes]]]:
        """Some hundred pages at a time: first and last line, their neighbourhood and their own columns."""
        for first in range(0, len(self.page_offsets) - 1, _PAGES_AT_ONCE):
            offsets = self.page_offsets[first : first + _PAGES_AT_ONCE + 1]
            low, high = int(offsets[0]), int(offsets[-1])
            columns = dict(zip(BASE_COLUMNS[self.format], self.base[:, low:high], strict=True))
            yield low, high, Neighbourhood(columns, offsets - low), columns

    def page_lines(self) -> Integers:
        """For each line how many its page has."""
        lines = np.diff(self.page_offsets)
        return np.repeat(lines, lines)


def line_table(format: str, labelled: Sequence[LabelledView], tables: dict[int | None, Tables]) -> LineTable:
    """The table of the labelled views of one format; what is learned in its columns has not seen their sites."""
    kept = [one for one in labelled if len(one.classes) and one.view.format == format]
    base = [base_columns(one.view, tables) for one in kept]
    lines = [len(one.classes) for one in kept]
    return LineTable(
        format, np.concatenate(base, axis=1), np.concatenate(([0], np.cumsum(lines))),
        np.concatenate([one.classes for one in kept]), np.concatenate([one.trust for one in kept]),
        np.concatenate([one.read for one in kept]), np.repeat([kind_of(one) for one in kept], lines),
        np.repeat([site_number(one.view.site) for one in kept], lines), tables[None].networks[format],
    )  # fmt: skip


def base_columns(view: View, tables: Mapping[int | None, Tables]) -> Bytes:
    """The columns of BASE_COLUMNS of a view; what is learned in them has not seen its site."""
    inputs = network_inputs(view, tables)
    said = network_columns(view, inputs, tables)
    return np.concatenate([inputs, kind_columns(view, tables), view.repetition, said])


def joined(first: LineTable, second: LineTable) -> LineTable:
    """One table of the lines of both."""
    return LineTable(
        first.format, np.concatenate([first.base, second.base], axis=1),
        np.concatenate([first.page_offsets, second.page_offsets[1:] + first.page_offsets[-1]]),
        np.concatenate([first.classes, second.classes]), np.concatenate([first.trust, second.trust]),
        np.concatenate([first.read, second.read]), np.concatenate([first.kinds, second.kinds]),
        np.concatenate([first.sites, second.sites]), first.network,
    )  # fmt: skip


def write_tables(folder: Path, tables: Sequence[LineTable], words: Tables) -> None:
    """Write text.parquet, html.parquet and words.npz into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        columns = dict(zip(BASE_COLUMNS[table.format], table.base, strict=True))
        columns["class"] = table.classes.astype(np.uint8)
        columns["trust"] = np.rint(table.trust * 15).astype(np.uint8)
        columns["read"] = table.read.astype(np.uint8)
        columns["kind"] = (table.kinds + 1).astype(np.uint8)
        page_of = np.repeat(np.arange(len(table.page_offsets) - 1), np.diff(table.page_offsets))
        columns["page_parity"] = (page_of % 2).astype(np.uint8)
        columns["site"] = table.sites.astype(np.uint16)
        schema_metadata = {"features_version": str(FEATURES_VERSION)}
        pq.write_table(
            pa.table(columns).replace_schema_metadata(schema_metadata), folder / f"{table.format}.parquet",
            compression="zstd", compression_level=19, use_dictionary=False, row_group_size=1 << 21,
            data_page_size=1 << 24, column_encoding=dict.fromkeys(columns, "BYTE_STREAM_SPLIT"),
        )  # fmt: skip
    learned = _learned(words)
    with (folder / "words.npz").open("wb") as file:
        np.savez_compressed(file, **learned)  # type: ignore[arg-type]


def read_table(folder: Path, format: str) -> LineTable:
    """Read one table back. ValueError where it was made for another version of the features."""
    path = folder / f"{format}.parquet"
    table = pq.read_table(path)
    version = (table.schema.metadata or {}).get(b"features_version", b"none").decode()
    if version != str(FEATURES_VERSION):
        raise ValueError(
            f"{path}: made for features version {version}, this is {FEATURES_VERSION};"
            " run scripts/build_training_data.py"
        )
    column = {name: table.column(name).to_numpy() for name in table.schema.names}
    turns = np.flatnonzero(np.diff(column["page_parity"])) + 1
    return LineTable(
        format, np.stack([column[name] for name in BASE_COLUMNS[format]]),
        np.concatenate(([0], turns, [table.num_rows])), column["class"].astype(np.int64), column["trust"] / 15.0,
        column["read"].astype(bool), column["kind"].astype(np.int64) - 1, column["site"].astype(np.int64),
        read_words(folder).networks[format],
    )  # fmt: skip


def read_words(folder: Path) -> Tables:
    """The tables of words, class names and kinds and the networks that saw all training pages."""
    with np.load(folder / "words.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    networks = {
        format: Network.of_arrays(
            {name.removeprefix(f"{format}."): array for name, array in arrays.items() if name.startswith(f"{format}.")}
        )
        for format in FORMATS
    }
    words, cues = WordingTable(arrays["words"]), WordingTable(arrays["cues"])
    kinds, markup_kinds = (kind_table_of(arrays[name], arrays[f"{name}_known"]) for name in KIND_TABLES)
    phrases = PhraseTable(arrays["phrase_tokens"], arrays["phrase_numbers"])
    return Tables(words, cues, networks, kinds, markup_kinds, phrases)


def _learned(words: Tables) -> dict[str, Array]:
    """All that words.npz holds, by name."""
    found: dict[str, Array] = {
        "words": words.words.weights, "cues": words.cues.weights,
        "kinds": words.kinds.weights, "kinds_known": words.kinds.known,
        "markup_kinds": words.markup_kinds.weights, "markup_kinds_known": words.markup_kinds.known,
        "phrase_tokens": words.phrases.tokens, "phrase_numbers": words.phrases.phrases,
    }  # fmt: skip
    for format, network in sorted(words.networks.items()):
        found |= {f"{format}.{name}": array for name, array in network.arrays().items()}
    return found


def digest(tables: Mapping[str, LineTable], words: Tables) -> str:
    """SHA-256 over all that a model is trained from."""
    found = hashlib.sha256()
    for format in sorted(tables):
        table = tables[format]
        found.update("\0".join((format, *BASE_COLUMNS[format])).encode())
        for values in (
            table.base,
            table.page_offsets,
            table.classes,
            table.trust,
            table.read,
            table.kinds,
            table.sites,
        ):
            found.update(np.ascontiguousarray(values).tobytes())
    for weights in _learned(words).values():
        found.update(weights.tobytes())
    return found.hexdigest()
