"""Clean the pieces of a corpus: each read, cleaned and written by one process, shard by shard; summaries out.

A shard is written, then noted in the journal of its piece, so a run that was ended anyhow goes on where it was.
When a process dies, the pieces that were begun run again, each alone, their shards halved until the page is found
that ends it: that page has status error, and the run goes on. A process that has taken more memory than it may, and
does not give it back, counts as one that died.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from extractor.corpus.batch import CleanSettings, clean_batch, load_model, load_table
from extractor.corpus.memory import each_at_most, resident_memory
from extractor.corpus.processes import ENDED, MOST_DEATHS, EndedError, alone, together
from extractor.corpus.readers import Piece, read_piece
from extractor.corpus.records import Problem, Record, Result, Status, Summary, total, unwritten
from extractor.corpus.run_folder import Journal, RunFolder, Shard, left_out_reasons, notices
from extractor.corpus.writers import FolderWriter, Writer, part_writer

SHARD_PAGES = 256
"""Places of a piece that are written, and noted, at once; a power of two, so that halves of shards stay aligned."""
BATCH_PAGES = 256
BATCH_CHARACTERS = 1 << 23
"""A batch that is cleaned together has so many pages or characters at most, or one page."""


class RunError(Exception):
    """A run that cannot go on; the message says why and what to do. What is finished stays valid."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all pieces of a run have in common.

    left_out: the file of the copies that are not wanted. shard, batch: pages that are written, and cleaned, at once.
    memory: bytes that a process may take for a shard, besides those it had; 0 for no limit.
    """

    run: RunFolder
    settings: CleanSettings
    left_out: Path | None = None
    shard: int = SHARD_PAGES
    batch: int = BATCH_PAGES
    memory: int = 0


def clean_pieces(pieces: Sequence[Piece], job: Job, *, jobs: int = 1) -> Iterator[Summary]:
    """Clean what is not finished yet; yields a summary of what is done as it is done, the old first.

    jobs: processes that work at once. ModelError and TableError at once for an unusable model or table, RunError
    when there is no room to write.
    """
    load_model(job.settings.model)
    load_table(job.settings.repetition)
    fresh, suspects = list(range(len(pieces))), []
    told: set[int] = set()
    while True:
        journals = {number: job.run.journal(number) for number in fresh}
        yield from (journal.summary for number, journal in journals.items() if journal.begun and number not in told)
        suspects = [number for number, journal in journals.items() if journal.begun and not journal.done]
        fresh = [number for number, journal in journals.items() if not journal.begun]
        for number in suspects:
            yield from _clean_alone(number, pieces[number], job)
        try:
            for number, summary in _clean_together(fresh, pieces, job, jobs):
                told.add(number)
                yield summary
            return
        except EndedError:
            # what was begun and not done is suspected; if it was this process, it has grown, and others do the rest
            jobs = max(jobs, 2)


def _clean_together(
    numbers: Sequence[int], pieces: Sequence[Piece], job: Job, jobs: int
) -> Iterator[tuple[int, Summary]]:
    if jobs == 1 or not numbers:
        yield from ((number, summary) for number in numbers for summary in clean_piece(number, pieces[number], job))
        return
    # a worker gets the paths of model and table, and reads them once
    calls = [(number, pieces[number], job) for number in numbers]
    yield from zip(numbers, together(_clean_whole, calls, jobs), strict=True)


def _clean_alone(number: int, piece: Piece, job: Job) -> Iterator[Summary]:
    """Clean the rest of a piece in a process of its own, and find the pages that end it.

    The range of places that ended the process last is tried in halves, until it is one page.
    """
    journal = job.run.journal(number)
    size, end, deaths = job.shard, 0, 0
    while not journal.done:
        if journal.end >= end:
            size, end = job.shard, 0
        stop = min(end, _shard_end(journal.end, size)) if end else None
        told = len(journal.shards)
        survived = _survives(number, piece, job, size, stop)
        journal = job.run.journal(number)
        if not survived:
            deaths += 1
            end = stop or _shard_end(journal.end, size)
            end = end if piece.records is None else min(end, piece.records)
            if end - journal.end <= 1 or deaths >= MOST_DEATHS:
                _give_up(journal, piece, end, whole=deaths >= MOST_DEATHS)
                end = 0
            while size >= end - journal.end > 0:
                size //= 2
        yield total(shard.summary for shard in journal.shards[told:])


def _shard_end(place: int, size: int) -> int:
    return (place // size + 1) * size


def _survives(number: int, piece: Piece, job: Job, size: int, stop: int | None) -> bool:
    try:
        alone(_clean_whole, number, piece, job, size, stop)
    except EndedError:
        return False
    return True


def _give_up(journal: Journal, piece: Piece, end: int, *, whole: bool) -> None:
    """Note the page that ends every process that reads it; whole: all that is left of the piece."""
    first = journal.end
    stop = max(end, piece.records or 0) if whole else end
    places, reason = piece.given_up(first) if whole else (range(first, stop), ENDED)
    problem = Problem(Status.ERROR, reason)
    results = [unwritten(Record(piece.name(place), place, None), problem) for place in places]
    journal.add(Shard(first, stop, total(result.counts for result in results), notices(results), None))
    if whole:
        journal.finish()


def _clean_whole(number: int, piece: Piece, job: Job, size: int = 0, stop: int | None = None) -> Summary:
    return total(clean_piece(number, piece, job, size, stop))


def clean_piece(number: int, piece: Piece, job: Job, size: int = 0, stop: int | None = None) -> Iterator[Summary]:
    """Clean a piece from where its journal ends, in this process; yields a summary a shard.

    size: places in a shard, if not those of the job. stop: the place to stop at, before the end of the piece.
    EndedError if the process is not to go on, for it holds more memory than it may.
    """
    try:
        yield from each_at_most(job.memory, _clean_shards(number, piece, job, size or job.shard, stop))
    except MemoryError:
        raise EndedError from None


def _clean_shards(number: int, piece: Piece, job: Job, size: int, stop: int | None) -> Iterator[Summary]:
    with room_for(job.run), job.run.work_on(number) as journal:
        records = read_piece(piece, job.settings.reading, journal.end)
        if stop is not None:
            records = _before(records, stop)
        for part, group in groupby(records, key=lambda record: record.place // size):
            first = max(part * size, journal.end)
            journal.add(_clean_shard(number, piece, job, first, (part + 1) * size, group))
            yield journal.shards[-1].summary
        if stop is None:
            journal.finish()
        elif journal.end < stop:
            journal.add(Shard(journal.end, stop, Summary(), (), None))


def _before(records: Iterable[Record], stop: int) -> Iterator[Record]:
    """Those before a place. What stands there is not looked at: reading it may end the process."""
    for record in records:
        if record.place < stop:
            yield record
        if record.place >= stop - 1:
            return


def _clean_shard(number: int, piece: Piece, job: Job, first: int, stop: int, records: Iterable[Record]) -> Shard:
    model, table = load_model(job.settings.model), load_table(job.settings.repetition)
    left_out = left_out_reasons(job.left_out)
    summary, listed, read, at = Summary(), [], 0, 0
    with _writer(number, piece, job, first) as writer:
        for batch in batches((_unless_left_out(record, left_out) for record in records), job.batch):
            held = resident_memory()
            results = writer.write(clean_batch(batch, job.settings, model, table))
            _check_given_back(results, held, job.memory)
            read += len(batch)
            at = batch[-1].read
            summary += total(result.counts for result in results)
            listed += notices(results)
    if not read == summary.records == summary.pages + len(listed):
        raise RunError(f"{piece.name(first)}: {read} pages read, {summary.records} accounted for; this is a fault")
    part = None if job.run.format == "folder" else job.run.part(number, first).name
    return Shard(first, stop, summary, listed, part, piece.share(stop, at))


def _check_given_back(results: Iterable[Result], held: int, memory: int) -> None:
    """MemoryError if a page that failed has left too little for others: they are to be cleaned elsewhere."""
    if memory and any(result.status is Status.ERROR for result in results):
        more = resident_memory() - held
        if more > memory // 2:
            raise MemoryError(f"{more:,} bytes are not given back")


def _writer(number: int, piece: Piece, job: Job, first: int) -> AbstractContextManager[Writer]:
    if job.run.format == "folder":
        return nullcontext(FolderWriter(job.run.output, piece.files))
    return part_writer(job.run.part(number, first), job.run.format, lines=job.settings.lines)


def batches(
    records: Iterable[Record], pages: int = BATCH_PAGES, characters: int = BATCH_CHARACTERS
) -> Iterator[list[Record]]:
    """The records, in order, in batches of so many or of so many characters, or of one that has more."""
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += len(record.content or "")
        if len(batch) >= pages or size >= characters:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _unless_left_out(record: Record, reasons: Mapping[str, str]) -> Record:
    if record.name not in reasons or record.problem is not None:
        return record
    return replace(record, content=None, problem=Problem(Status.LEFT_OUT, reasons[record.name]))


@contextmanager
def room_for(run: RunFolder) -> Iterator[None]:
    """What cannot be written ends the run, with a message."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename or run.output}: cannot be written ({error.strerror or error})"
        raise RunError(f"{what}; what is finished stays valid: make room and continue with --resume") from None
