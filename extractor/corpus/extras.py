"""Packages of the extra `corpus`: imported when a file needs them, with a clear message where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

PURPOSES = {
    "pyarrow": "reads and writes .parquet",
    "pyarrow.parquet": "reads and writes .parquet",
    "fastwarc.warc": "reads .warc and .wet",
    "fastwarc.stream_io": "reads .warc and .wet",
    "zstandard": "reads and writes .zst",
}


class MissingExtraError(Exception):
    """A package that a file needs is not installed; the message says how to install it."""


def need(module: str) -> Any:
    """The module. MissingExtraError if it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        hint = "pip install 'extractor[corpus]'"
        raise MissingExtraError(f"{name}, which {PURPOSES[module]}, cannot be imported ({error}); {hint}") from None
