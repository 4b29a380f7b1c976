"""Blocks and markup facts of HTML pages -> the matrix columns that only HTML has.

Comes in: the MarkupPages of a batch and the TextBatch of their lines. Goes out: 8-bit columns, one row a
name of MARKUP_NAMES. Rules of extractors look at a line's containers (how much of the page's prose, how
many links); so do these columns, at the first ancestors that hold more lines than the one before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np

from extractor.characters import Array, Bytes, Hashes, Integers, TextBatch, count_runs, read_word_hashes, run_lengths
from extractor.features import CLASS_NAMES, WORD_SLOTS, Lines, word_slots
from extractor.html import LANDMARKS, MarkupPage
from extractor.quantise import capped, logarithm, share
from extractor.wording import WordingTable

LEVELS = 4
"""Containers looked at above a line, each holding more lines than the one before."""
_CHAIN = 6
"""Ancestors whose class names count."""
_LONGEST_CUE = 400
_LONGEST_HEAD = 1_000
"""Characters of a title, and of an address, that count."""
_WRAPPERS = 8
"""Containers around the same lines that are stepped over at once."""

CUE_NAMES: tuple[str, ...] = tuple(f"{place}_cue_{name}" for place in ("near", "far") for name in CLASS_NAMES)
MARKUP_NAMES: tuple[str, ...] = (
    "link_share", "links", "strong_share", "button_share", "tag", "parent_tag", "container_tag", "depth",
    *(f"in_{landmark}" for landmark in LANDMARKS),
    *(f"container{level}_{fact}" for level in range(1, LEVELS + 1)
      for fact in ("lines", "link_share", "page_prose", "prose_share", "place")),
    "siblings", "alike_siblings", "prose_block", "prose_block_depth", "title_precision", "title_recall",
    "site_name", *CUE_NAMES,
)  # fmt: skip


class Blocks:
    """The blocks of a batch of pages, one after the other, and what their lines sum to."""

    def __init__(self, pages: Sequence[MarkupPage], lines: Lines) -> None:
        self.lines = lines
        block_counts = [len(page.parents) for page in pages]
        self.offsets = np.concatenate(([0], np.cumsum(block_counts))).astype(np.int64)
        self.page = np.repeat(np.arange(len(pages)), block_counts)
        line_offset, block_offset = lines.batch.page_offsets[self.page], self.offsets[self.page]
        parents = _joined(page.parents for page in pages)
        self.parent = np.where(parents < 0, block_offset, parents + block_offset)
        self.tag = _joined(page.tags for page in pages)
        self.landmarks = _joined(page.landmarks for page in pages)
        self.first = _joined(page.first_lines for page in pages) + line_offset
        self.last = _joined(page.last_lines for page in pages) + line_offset
        self.size = self.last - self.first
        self.cue = _joined(page.block_cues for page in pages)
        self.block = _joined(page.blocks for page in pages) + self.offsets[lines.batch.page]
        self.link_characters = np.minimum(_joined(page.link_characters for page in pages), lines.characters)
        self.wider = self._wider()

    def _wider(self) -> Integers:
        """For each block the nearest ancestor that holds more lines."""
        wider = self.parent
        for _ in range(_WRAPPERS):
            wider = np.where(self.size[wider] == self.size, self.parent[wider], wider)
        return wider

    def sums(self, values: Array) -> Integers:
        """One value a line -> sums over the lines of each block."""
        total = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
        sums: Integers = total[self.last] - total[self.first]
        return sums


def containers(blocks: Blocks) -> list[Integers]:
    """For each line the LEVELS blocks around it, each holding more lines than the one before."""
    around = np.where(blocks.size[blocks.block] > 1, blocks.block, blocks.wider[blocks.block])
    found = [around]
    while len(found) < LEVELS:
        around = blocks.wider[around]
        found.append(around)
    return found


def markup_columns(
    pages: Sequence[MarkupPage], batch: TextBatch, cues: CueTokens, table: WordingTable, lines: Lines | None = None
) -> Bytes:
    """The columns of MARKUP_NAMES, (len(MARKUP_NAMES), lines) in 8 bits; cues: the pages' own, table: of their worth,
    lines: those of the batch, where known."""
    lines = lines or Lines(batch)
    blocks = Blocks(pages, lines)
    rows = [
        *_line_columns(pages, blocks),
        *_landmark_columns(blocks),
        *_container_columns(blocks),
        *_sibling_columns(blocks),
        *_prose_block_columns(blocks),
        *_title_columns(pages, lines),
        *_cue_columns(_CueNames.read(pages, blocks, cues), table),
    ]
    return np.stack(rows) if len(batch.page) else np.zeros((len(MARKUP_NAMES), 0), np.uint8)


def _joined(lists: Iterable[list[int]]) -> Integers:
    whole = array("q")  # takes a list in a third of the time that NumPy needs
    for values in lists:
        whole.fromlist(values)
    return np.frombuffer(whole, np.int64) if whole else np.zeros(0, np.int64)


def _line_columns(pages: Sequence[MarkupPage], blocks: Blocks) -> list[Bytes]:
    characters, own = blocks.lines.characters, blocks.block
    depth = np.zeros(len(own), np.int64)
    around = own
    for _ in range(24):
        above = blocks.parent[around]
        depth += above != around
        around = above
    return [
        share(blocks.link_characters, characters),
        capped(_joined(page.links for page in pages)),
        share(_joined(page.strong_characters for page in pages), characters),
        share(_joined(page.button_characters for page in pages), characters),
        capped(blocks.tag[own]),
        capped(blocks.tag[blocks.parent[own]]),
        capped(blocks.tag[containers(blocks)[0]]),
        capped(depth),
    ]


def _landmark_columns(blocks: Blocks) -> list[Bytes]:
    inside = blocks.landmarks[blocks.block]
    return [((inside >> bit) & 1).astype(np.uint8) for bit in range(len(LANDMARKS))]


def _container_columns(blocks: Blocks) -> list[Bytes]:
    lines = blocks.lines
    weight, prose = blocks.sums(lines.weight), blocks.sums(lines.prose_weight)
    characters, links = blocks.sums(lines.characters), blocks.sums(blocks.link_characters)
    page_prose = lines.of_page(lines.by_page(lines.prose_weight))
    place = np.arange(len(blocks.block))
    columns: list[Bytes] = []
    for around in containers(blocks):
        columns += [
            logarithm(blocks.size[around]),
            share(links[around], characters[around]),
            share(prose[around], page_prose),
            share(prose[around], weight[around]),
            share(place - blocks.first[around], blocks.size[around]),
        ]
    return columns


def _sibling_columns(blocks: Blocks) -> list[Bytes]:
    """How many blocks with text stand beside the line's, and the share of them with its tag and class."""
    held = blocks.size > 0
    children = np.bincount(blocks.parent[held], minlength=len(blocks.parent))
    keys = (blocks.parent * 64 + blocks.tag) * 4096 + blocks.cue % 4096
    kinds, kind = np.unique(np.where(held, keys, -1), return_inverse=True)
    alike = np.bincount(kind, minlength=len(kinds))[kind]
    # of a wrapper around the line alone, the siblings that count are the wrapper's
    own = blocks.block
    for _ in range(_WRAPPERS):
        alone = (children[blocks.parent[own]] == 1) & (blocks.size[blocks.parent[own]] == 1)
        own = np.where(alone, blocks.parent[own], own)
    count = children[blocks.parent[own]]
    return [logarithm(count), share(alike[own], count)]


def _prose_block_columns(blocks: Blocks) -> list[Bytes]:
    """Where the line stands to the smallest block with most of the page's prose: 0 above, 1 inside, 2 below."""
    lines = blocks.lines
    prose = blocks.sums(lines.prose_weight)
    most = prose * 5 >= lines.by_page(lines.prose_weight)[blocks.page] * 3
    best = np.where(most & (prose > 0), np.arange(len(prose)), blocks.offsets[blocks.page])
    chosen = np.zeros(len(lines.page_lines), np.int64)
    np.maximum.at(chosen, blocks.page, best)  # the last block in document order that qualifies is the innermost
    chosen_of = lines.of_page(chosen)
    place = np.arange(len(blocks.block))
    where = np.where(place < blocks.first[chosen_of], 0, np.where(place < blocks.last[chosen_of], 1, 2))
    return [capped(where), lines.of_page(share(blocks.size[chosen], lines.page_lines))]


def _title_columns(pages: Sequence[MarkupPage], lines: Lines) -> list[Bytes]:
    """Share of a line's words that the title of the HTML head holds, the other way round, and the site's name."""
    columns = []
    titles = [" ".join((page.meta.get("title", ""), page.meta.get("og:title", ""))) for page in pages]
    batch = lines.batch
    for texts in (titles, [page.meta.get("og:site_name", "") for page in pages]):
        hashes, offsets = read_word_hashes(texts)
        seen = lines.taken(word_slots(hashes, run_lengths(offsets), np.arange(len(pages))))
        hits = count_runs(seen.take(lines.word_slots), batch.word_offsets)
        columns.append(share(hits, lines.words))
        distinct = seen.reshape(len(pages), WORD_SLOTS).sum(axis=1)
        columns.append(share(hits, lines.of_page(distinct)))
    return columns[:3]


def _cue_columns(names: _CueNames, table: WordingTable) -> list[Bytes]:
    """The sums of the tokens of a line's cues are made from those of each cue: far fewer, as lines share cues."""
    counts = run_lengths(names.of_cue)
    columns: list[Bytes] = []
    for tokens, around in ((names.tokens, names.near), (far_salted(names.tokens), names.far)):
        sums = table.sums(tokens, names.of_cue).astype(np.int32)
        total, number = sums.take(around[0], axis=0), counts.take(around[0])
        for cue in around[1:]:
            total += sums.take(cue, axis=0)
            number += counts.take(cue)
        columns += list(table.scores(total, number))
    return columns


def cue_line_tokens(
    pages: Sequence[MarkupPage], batch: TextBatch, cues: CueTokens
) -> tuple[Hashes, Integers, Hashes, Integers]:
    """Hashed words of classes and ids: of each line's own block and its parent, and of the blocks above; cues: the
    pages' own.

    Two times tokens and the offsets of the lines' runs (lines + 1)."""
    names = _CueNames.read(pages, Blocks(pages, Lines(batch)), cues)
    near, near_offsets = cue_runs(names.near, names.of_cue)
    far, far_offsets = cue_runs(names.far, names.of_cue)
    return names.tokens[near], near_offsets, far_salted(names.tokens[far]), far_offsets


class _CueNames(NamedTuple):
    """The words of all distinct cues, and which cues stand on and around each line."""

    tokens: Hashes
    of_cue: Integers
    near: Sequence[Integers]
    far: Sequence[Integers]

    @classmethod
    def read(cls, pages: Sequence[MarkupPage], blocks: Blocks, cues: CueTokens) -> _CueNames:
        tokens, of_cue, offsets = cues
        block_cue = blocks.cue + offsets[blocks.page]
        inline = _joined(page.inline_cues for page in pages) + offsets[blocks.lines.batch.page]
        own, chain = blocks.block, []
        for _ in range(_CHAIN):
            chain.append(block_cue[own])
            own = blocks.parent[own]
        return cls(tokens, of_cue, [inline, *chain[:2]], chain[2:])


def far_salted(tokens: Hashes) -> Hashes:
    """The tokens of a name on a far ancestor, which says something else than on the line's own block."""
    salted: Hashes = tokens * np.uint32(0x85EBCA77) + np.uint32(0x165667B1)
    return salted


class CueTokens(NamedTuple):
    """Hashed words of each distinct cue string of each page: tokens, their runs, each page's first cue."""

    tokens: Hashes
    of_cue: Integers
    offsets: Integers


def read_cues(pages: Sequence[MarkupPage]) -> CueTokens:
    """The words of the class names of some pages."""
    offsets = np.concatenate(([0], np.cumsum([len(page.cues) for page in pages]))).astype(np.int64)
    cues = [cue[:_LONGEST_CUE] for page in pages for cue in page.cues]
    return CueTokens(*read_word_hashes(cues, names=True), offsets)


def words_of_kind(pages: Sequence[MarkupPage], cues: CueTokens) -> list[tuple[Hashes, Integers]]:
    """What a page says of its kind beside its lines: the hashed words of its class names, and those of its title and
    address, each in runs by page; cues: the pages' own."""
    heads = [f"{page.meta.get('title', '')[:_LONGEST_HEAD]} {_path(page.meta)[:_LONGEST_HEAD]}" for page in pages]
    return [(cues.tokens, cues.of_cue[cues.offsets]), read_word_hashes(heads, names=True)]


def _path(meta: Mapping[str, str]) -> str:
    """The path of the address that the head gives, and what is asked for there."""
    for name in ("og:url", "canonical"):
        try:
            address = urlsplit(meta.get(name, ""))
        except ValueError:  # of brackets that hold no host
            continue
        if address.path.strip("/") or address.query:
            return unquote(f"{address.path} {address.query}")
    return ""


def cue_runs(columns: Sequence[Integers], of_cue: Integers) -> tuple[Integers, Integers]:
    """Lines' cues, one array for each ancestor -> indices of all their tokens by line, and the lines' runs."""
    firsts, lasts = (np.stack([bounds[cues] for cues in columns], axis=1) for bounds in (of_cue[:-1], of_cue[1:]))
    lengths = (lasts - firsts).ravel()
    ends = np.cumsum(lengths)
    indices = np.arange(ends[-1] if len(ends) else 0) + np.repeat(firsts.ravel() - (ends - lengths), lengths)
    by_line = np.concatenate(([0], ends[len(columns) - 1 :: len(columns)]))
    return indices, by_line
