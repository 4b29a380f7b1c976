"""What every command writes and how it ends: text to standard output, complaints to standard error, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

import typer

from extractor.files import printable

if TYPE_CHECKING:
    from extractor.corpus.repeated import Failure

PAGES_FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130


def refuse(message: str, code: int = WRONG_USAGE) -> NoReturn:
    """End with one line on standard error."""
    typer.echo(f"extractor: {printable(message)}", err=True)
    raise typer.Exit(code)


def emit(text: str) -> None:
    """Write to standard output as UTF-8; a reader that has gone away (as `head` does) ends the command quietly."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # whatever is still buffered would fail again when Python closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def emit_page(text: str) -> None:
    """Write the text of a page: to a file or a pipe as it stands, to a terminal without what would steer it."""
    emit("\n".join(map(printable, text.split("\n"))) if sys.stdout.isatty() else text)


def list_failures(failures: Iterable[Failure]) -> None:
    """Name the pages that failed on standard error, and end with the code for that if there are any."""
    failed = False
    for failure in failures:
        failed = True
        typer.echo(f"extractor: failed: {printable(f'{failure.name}: {failure.reason}')}", err=True)
    if failed:
        raise typer.Exit(PAGES_FAILED)
