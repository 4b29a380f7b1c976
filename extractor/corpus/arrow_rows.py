"""A batch of Arrow columns -> rows as Python values: text as the bytes that were stored, and no value that raises."""

from __future__ import annotations

from typing import Any

from extractor.corpus.extras import need


def rows_of(batch: Any) -> list[dict[str, Any]]:
    """The rows of a record batch, by name of column; of columns with one name, the last.

    What is no UTF-8 is a matter of decoding, not of reading, so text comes as bytes. Dates, times and durations that
    Python has no value for are the numbers that were stored; anything else that it has none for is None.
    """
    names, columns = batch.schema.names, [_values(column) for column in batch.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: Any) -> list[Any]:
    arrow = need("pyarrow")
    if isinstance(column, arrow.ExtensionArray):
        column = column.storage
    if isinstance(column, arrow.DictionaryArray):
        column = column.dictionary_decode()
    kinds = {arrow.string(): arrow.binary(), arrow.large_string(): arrow.large_binary()}
    if hasattr(arrow, "string_view"):  # not before PyArrow 16
        kinds[arrow.string_view()] = arrow.binary_view()
    column = column.cast(kinds.get(column.type, column.type))
    try:
        found: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, LookupError):  # LookupError: of a time zone that is not known here
        return _stored_numbers(column)
    return found


def _stored_numbers(column: Any) -> list[Any]:
    arrow = need("pyarrow")
    if not arrow.types.is_temporal(column.type):
        return [None] * len(column)
    numbers: list[Any] = column.view(arrow.int64() if column.type.bit_width == 64 else arrow.int32()).to_pylist()
    return numbers
