"""The end of a run: its parts joined, the pages that are not in the output listed, every page accounted for, a report.

Comes in: the pieces of a run, all of them done. Goes out: the output, and in OUT.run/ unwritten.jsonl and report.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from extractor import __version__
from extractor.corpus.clean import Job, RunError
from extractor.corpus.folder import RecordFile
from extractor.corpus.readers import Piece
from extractor.corpus.records import WRITTEN, Status, Summary, total
from extractor.corpus.run_folder import Journal
from extractor.corpus.writers import join_parts
from extractor.page import LABELS


def finish(pieces: Sequence[Piece], job: Job, report: Mapping[str, Any], groups: int) -> None:
    """Join, list, check and report; what only an unfinished run needs is removed.

    report: what stands at its beginning. groups: of copies. RunError if a page is neither in the output nor listed.
    """
    run = job.run
    journals = [run.journal(number) for number in range(len(pieces))]
    summary = total(journal.summary for journal in journals)
    statuses = Counter(
        notice["status"] for journal in journals for shard in journal.shards for notice in shard.unwritten
    )
    _check_accounts(pieces, journals, summary, statuses.total())
    run.write_unwritten(len(pieces))
    if run.format != "folder":
        _join(job, len(pieces), summary)
    run.finish({**report, **summary_report(summary, statuses), "groups_of_copies": groups})


def summary_report(summary: Summary, unwritten: Mapping[str, int]) -> dict[str, Any]:
    """The figures of a report. unwritten: pages by status, of those that are not in the output.

    pages is the sum of statuses; of the pages in the output, lines by label and characters are given.
    """
    counts = {"ok": summary.pages - summary.empty, "empty": summary.empty, **unwritten}
    lines = zip(LABELS, summary.kept, summary.dropped, strict=True)
    return {
        "pages": summary.records,
        "statuses": {status.value: counts.get(status.value, 0) for status in Status},
        "lines": {label.value: {"kept": kept, "dropped": dropped} for label, kept, dropped in lines},
        "characters": {"read": summary.characters_in, "kept": summary.characters_out},
    }


def reported_summary(report: Mapping[str, Any]) -> Summary:
    """The summary that a report was made from."""
    statuses, lines, characters = report["statuses"], report["lines"], report["characters"]
    pages, left_out = sum(statuses[status.value] for status in WRITTEN), statuses[Status.LEFT_OUT.value]
    kept, dropped = (tuple(lines[label.value][what] for label in LABELS) for what in ("kept", "dropped"))
    return Summary(
        pages,
        statuses[Status.EMPTY.value],
        kept,
        dropped,
        characters["read"],
        characters["kept"],
        failed=report["pages"] - pages - left_out,
        left_out=left_out,
    )


def _join(job: Job, pieces: int, summary: Summary) -> None:
    """Join the parts; RunError, and no output, if they do not hold as many records as were written."""
    run = job.run

    def check(records: int) -> None:
        if records != summary.pages:
            raise RunError(
                f"{run.path}: its parts hold {records:,} of {summary.pages:,} pages that were written; something has "
                "changed them, or the machine was cut off: --overwrite begins anew"
            )

    join_parts(run.parts(pieces), run.output, run.format, lines=job.settings.lines, check=check)


def _check_accounts(pieces: Sequence[Piece], journals: Sequence[Journal], summary: Summary, listed: int) -> None:
    """RunError if a page is neither written nor listed, or one that was known to be there was not read."""
    for piece, journal in zip(pieces, journals, strict=True):
        if not journal.done or _is_short(piece, journal.summary):
            found = f"{journal.summary.records} of {piece.records} pages accounted for"
            raise RunError(
                f"{piece.name(0)} and after: {found}; this is a fault of the program, or the file has changed"
            )
    if summary.failed + summary.left_out != listed:
        raise RunError(f"{summary.failed + summary.left_out} pages not written, {listed} listed; this is a fault")


def _is_short(piece: Piece, summary: Summary) -> bool:
    """Whether pages are missing that nothing is said of. What a file of records claims to hold may be wrong."""
    if summary.failed and isinstance(piece.files[0], RecordFile):
        return False  # one notice may stand for all that could not be read
    return piece.records not in (None, summary.records)


def report_head(source: Path, output: Path) -> dict[str, Any]:
    """What stands at the beginning of a report: who made what of what, as the user named it."""
    return {"extractor": __version__, "input": str(source), "output": str(output)}
