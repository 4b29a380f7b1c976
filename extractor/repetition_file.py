"""The file of a repetition table: one .npz of plain arrays and a JSON card, nothing in it that can run code.

Comes in: a path. Goes out: arrays whose names, types and lengths have been checked, or a TableError that
names the file and says what to do.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import struct
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from extractor.characters import Array, read_texts
from extractor.errors import TableError

TABLE_VERSION = 1
"""Raised with every change of what an array of the file means."""
_FORMAT = "extractor repetition table"
_HINT = "build the table anew with: extractor repetition build"

ARRAYS: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "card": np.uint8,
        "site_names": np.uint8,
        "site_pages": np.uint32,
        "page_keys": np.uint64,
        "page_groups": np.uint32,
        "page_shared": np.uint16,
        "page_fullest": np.bool_,
        "repeated": np.uint64,
        "pages": np.uint32,
        "single": np.uint64,
        "spread": np.uint64,
        "sites": np.uint32,
    }
)
STORED: Mapping[str, DTypeLike] = MappingProxyType(
    {
        "stored_site": np.uint32,
        "stored_times": np.uint32,
        "stored_fingerprint": np.uint64,
        "stored_offsets": np.int64,
        "stored_hashes": np.uint64,
        "stored_weights": np.uint16,
    }
)
"""The pages themselves, as hashes: only in a table that can be merged."""
_CARD = MappingProxyType({"pages": int, "distinct_pages": int, "single": bool, "mergeable": bool})
_DAMAGES = (
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    RuntimeError,  # an encrypted archive; under it, RecursionError and NotImplementedError
    MemoryError,
    struct.error,
    SyntaxError,  # of the header of an array, which is Python
    tokenize.TokenError,
    zipfile.BadZipFile,
)
"""What reading a file raises that is damaged or something else."""
_EQUAL_LENGTHS = (
    ("page_keys", "page_groups", "page_shared", "page_fullest"),
    ("repeated", "pages"),
    ("spread", "sites"),
    ("stored_site", "stored_times", "stored_fingerprint"),
    ("stored_hashes", "stored_weights"),
)
_ASCENDING = ("page_keys", "repeated", "single", "spread", "stored_offsets")


def probe() -> int:
    """The hash of a sample line: a table made when lines were hashed otherwise is outdated."""
    return int(read_texts(["Ünïcode, 12:30 | «Привет» 你好\t— OK?"]).line_hashes[0])


def write_table(path: str | Path, card: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a table under a temporary name, then rename it. The same table gives the same bytes."""
    path = Path(path)
    card = {**card, "format": _FORMAT, "version": TABLE_VERSION, "probe": probe()}
    stored = {"card": text_array(card), **arrays}
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:  # a link that lies there already is not followed
            np.savez(file, **stored)  # type: ignore[arg-type]
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_table(path: str | Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The card and the arrays of a table. TableError for a file that is missing, damaged, foreign or outdated."""
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            card = _read_card(archive, path)
            arrays = {name: _read_array(archive, name, kind) for name, kind in _expected(card).items()}
        _check(arrays)
    except FileNotFoundError:
        raise TableError(f"{path}: no such file; give the path of a repetition table, or {_HINT}") from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror or error}); give a repetition table") from None
    except _DAMAGES as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise TableError(f"{path}: not a repetition table, or a damaged one ({reason}); {_HINT}") from None
    return card, arrays


def text_array(value: Any) -> Array:
    """JSON as an array of bytes."""
    return np.frombuffer(json.dumps(value, sort_keys=True).encode(), np.uint8)


def array_text(array: Array) -> Any:
    """What text_array() made an array of."""
    return json.loads(array.tobytes())


def _expected(card: Mapping[str, Any]) -> dict[str, DTypeLike]:
    return {**ARRAYS, **(STORED if card["mergeable"] is True else {})}


def _read_card(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    card = array_text(_read_array(archive, "card", np.uint8))
    if not isinstance(card, dict) or card.get("format") != _FORMAT:
        raise ValueError("its card is that of something else")
    if card["version"] != TABLE_VERSION:
        raise TableError(f"{path}: made for version {card['version']} of the table, this is {TABLE_VERSION}; {_HINT}")
    for name, kind in _CARD.items():
        if type(card[name]) is not kind:
            raise ValueError(f"its card says {card[name]!r} for {name}")
    if card["probe"] != probe():
        raise TableError(f"{path}: outdated, since lines are compared in another way now; {_HINT}")
    return card


def _read_array(archive: zipfile.ZipFile, name: str, kind: DTypeLike) -> Array:
    """One array, read-only. What the file says of its size is checked before anything is read."""
    entry = archive.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise ValueError(f"{name} is compressed, which no table is")
    if archive.fp is None or entry.file_size > archive.fp.seek(0, os.SEEK_END):
        raise ValueError(f"{name} claims to be larger than the file")
    data = archive.read(entry)
    header = io.BytesIO(data)
    if np.lib.format.read_magic(header) != (1, 0):
        raise ValueError(f"{name} is no array of version 1.0")
    shape, _, found = np.lib.format.read_array_header_1_0(header)
    if found != np.dtype(kind) or len(shape) != 1 or shape[0] * found.itemsize != len(data) - header.tell():
        raise ValueError(f"{name} has the wrong type or length")
    return np.frombuffer(data, found, offset=header.tell())


def _check(arrays: Mapping[str, Array]) -> None:
    for names in _EQUAL_LENGTHS:
        if len({len(arrays[name]) for name in names if name in arrays}) > 1:
            raise ValueError(f"{', '.join(names)} differ in length")
    for name in _ASCENDING:
        values = arrays.get(name)
        if values is not None and bool((values[1:] < values[:-1]).any()):
            raise ValueError(f"{name} is out of order")
    names = array_text(arrays["site_names"])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its sites have no names")
    if len(names) != len(arrays["site_pages"]) or names[:1] != [""]:
        raise ValueError("site_names and site_pages do not fit")
    if "stored_offsets" in arrays:
        offsets, pages = arrays["stored_offsets"], arrays["stored_site"]
        if len(offsets) != len(pages) + 1 or offsets[0] != 0 or offsets[-1] != len(arrays["stored_hashes"]):
            raise ValueError("stored_offsets do not fit")
        if len(pages) and pages.max() >= len(names):
            raise ValueError("stored_site names a site that is not there")
