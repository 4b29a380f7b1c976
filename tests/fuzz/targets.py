"""What is fuzzed: functions that take any bytes, and raise only where a promise is broken.

Each is known by its name in TARGETS; its seeds, small and written for this project, and every input that once broke
a promise stand in corpus/NAME/. tests/test_fuzz.py replays them, scripts/fuzz.py looks for more. A new reader gets
its target in reader_targets.py, and an entry of TARGETS.
"""

from __future__ import annotations

import codecs
import io
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from extractor import LabelledPage, Model, ModelError, Page, RepetitionTable, TableError, label
from extractor.characters import read_texts
from extractor.corpus.address import declared_url
from extractor.counting import PageLines
from extractor.decoding import declared_encoding, decode
from extractor.files import looks_binary, printable
from extractor.html import parse_html
from extractor.listing import table_listing
from extractor.page import LABELS
from extractor.repetition import RepetitionCounter
from extractor.sites import site_of_url
from fuzz.reader_targets import fuzz_folder, fuzz_jsonl, fuzz_labels, fuzz_parquet, fuzz_unfolding, fuzz_warc
from promises import is_made_of_lines, words_stand_in_order
from random_models import make_random_model

CORPUS = Path(__file__).with_name("corpus")
PROBE = "The lamp on the quay is lit again, and the pilots are glad of it.\nMenu | Search"


@lru_cache(maxsize=1)
def small_model() -> Model:
    return make_random_model(seed=5, trees=2)


def small_table() -> RepetitionTable:
    with RepetitionCounter(mergeable=True) as counter:
        texts = [f"{PROBE}\nThis sentence stands on page {page} alone, and on no other." for page in "abcdefg"]
        counter.add(PageLines.of(read_texts(texts)), ["quay.example"] * 6 + [None])
        return counter.finish()


def fuzz_decoding(data: bytes) -> None:
    text, encoding = decode(data)
    assert isinstance(text, str)
    assert codecs.lookup(encoding.removesuffix("!"))
    assert encoding.endswith("!") or encoding != "utf-8" or text == data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    declared_encoding(data)
    looks_binary(data)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in printable(text))


def fuzz_address(data: bytes) -> None:
    url = declared_url(data)
    assert url is None or isinstance(url, str)
    site = site_of_url(data.decode("utf-8", "replace"))
    assert site is None or site


def fuzz_plaintext(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    labelled = label(Page(text, kind="text"), model=small_model())
    shown = [line.removesuffix("\r") for line in text.split("\n") if line.strip()]
    assert [line.text for line in labelled.lines] == shown
    assert labelled.text(keep=LABELS, unwrap=True).split() == text.split()
    check_promises(labelled)


def fuzz_html(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    labelled = label(Page(text, kind="html"), model=small_model())
    assert [line.text for line in labelled.lines] == parse_html(text).texts
    assert all(line.text.strip() and "\n" not in line.text for line in labelled.lines)
    check_promises(labelled)


def fuzz_page(data: bytes) -> None:
    labelled = label(data, model=small_model())
    if labelled.format == "text":
        text = decode(data)[0]
        assert words_stand_in_order([word for line in labelled.lines for word in line.text.split()], text)
    check_promises(labelled)


def fuzz_model_file(data: bytes) -> None:
    with unpacked(data, stored(small_model)) as path:
        refusal = str(path)
        try:
            model = Model.load(path)
        except ModelError as error:
            refusal = str(error)
        else:
            label(PROBE, model=model)
            label(f"<p>{PROBE}", model=model)
        assert str(path) in refusal


def fuzz_table_file(data: bytes) -> None:
    with unpacked(data, stored(small_table)) as path:
        refusal = str(path)
        try:
            table = RepetitionTable.open(path)
        except TableError as error:
            refusal = str(error)
        else:
            label(Page(PROBE, site="quay.example"), model=small_model(), repetition=table)
            table_listing("table", table, all_sites=True)
            if table.mergeable:
                RepetitionTable.merge([table, table])
        assert str(path) in refusal


def check_promises(labelled: LabelledPage) -> None:
    """What holds of any labelled page."""
    assert len(labelled.labels) == len(labelled.probabilities) == len(labelled.lines)
    assert is_made_of_lines(labelled.text(), labelled)
    for line in labelled.lines:
        assert line.label in LABELS
        assert abs(sum(line.probabilities) - 1) < 1e-6
    assert labelled.headline is None or labelled.headline.label == "body"


@contextmanager
def unpacked(data: bytes, archive: bytes) -> Iterator[Path]:
    """A file of some bytes. The first says what the others are: 0: the whole file; else one entry of an archive, in
    place of its own, so that checksums keep no mutation from the code behind them."""
    chosen, content = data[:1], data[1:]
    if chosen not in (b"", b"\0"):
        entries = dict(entries_of(archive))
        entries[sorted(entries)[(chosen[0] - 1) % len(entries)]] = content
        content = packed(entries)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.npz"
        path.write_bytes(content)
        yield path


@lru_cache(maxsize=2)
def stored(make: Callable[[], Model | RepetitionTable]) -> bytes:
    """The file that a model or a table is saved to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.npz"
        make().save(path)
        return path.read_bytes()


@lru_cache(maxsize=2)
def entries_of(archive: bytes) -> tuple[tuple[str, bytes], ...]:
    """The entries of a zip archive, unpacked."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return tuple((name, opened.read(name)) for name in opened.namelist())


def packed(entries: Mapping[str, bytes]) -> bytes:
    """A zip archive of entries, none of them compressed."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return content.getvalue()


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "decoding": fuzz_decoding,
        "address": fuzz_address,
        "plaintext": fuzz_plaintext,
        "html": fuzz_html,
        "page": fuzz_page,
        "model_file": fuzz_model_file,
        "table_file": fuzz_table_file,
        "folder": fuzz_folder,
        "jsonl": fuzz_jsonl,
        "warc": fuzz_warc,
        "parquet": fuzz_parquet,
        "unfolding": fuzz_unfolding,
        "labels": fuzz_labels,
    }
)
