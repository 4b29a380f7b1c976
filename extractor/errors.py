"""The errors that the package raises for what it is given."""

from __future__ import annotations


class ModelError(Exception):
    """A model file that cannot be used; the message names the file and says what to do."""


class TableError(Exception):
    """A repetition table that cannot be used; the message names the file and says what to do."""


class LabelsError(Exception):
    """A labelled page whose labels do not fit it; the message names the file and the line."""
