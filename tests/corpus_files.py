"""The same pages as files of every kind that `clean` reads, for tests: a folder, .jsonl, .parquet, .warc, .wet,
plain and compressed. Needs PyArrow and zstandard for some; ask for those with `needs_corpus_extra`."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

TESTS = Path(__file__).parent
needs_corpus_extra = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("pyarrow", "fastwarc", "zstandard"))),
    reason="PyArrow, FastWARC and zstandard are not installed (pip install '.[corpus]')",
)
Fold = Callable[[bytes], bytes]


class SamplePage(NamedTuple):
    """A page of the tests: its id, URL, ending and bytes."""

    id: str
    url: str
    ending: str
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8")


def sample_pages(ending: str, count: int) -> list[SamplePage]:
    """Some of the pages in tests/pages, with ids and URLs; text in UTF-8."""
    paths = sorted((TESTS / "pages").glob(f"*{ending}"))
    found = []
    for number, path in enumerate(paths[:count]):
        url = f"https://{'ab'[number % 2]}.example/{path.stem}?a=1&b=2"
        found.append(SamplePage(f"page-{path.stem}", url, ending, path.read_bytes()))
    assert len(found) == count
    return found


def plain(data: bytes) -> bytes:
    return data


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zstandard_folded(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


FOLDS: dict[str, Fold] = {"": plain, ".gz": gzipped, ".zst": zstandard_folded}


def write_folder(folder: Path, pages: Sequence[SamplePage], fold: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        (folder / f"{page.id}{page.ending}{fold}").write_bytes(FOLDS[fold](page.content))
    return folder


def write_jsonl(path: Path, pages: Sequence[SamplePage], fold: str = "") -> Path:
    column = "html" if pages[0].ending == ".html" else "text"
    rows = [json.dumps({"id": page.id, "url": page.url, column: page.text}) for page in pages]
    path.write_bytes(FOLDS[fold]("".join(f"{row}\n" for row in rows).encode()))
    return path


def write_parquet(path: Path, pages: Sequence[SamplePage], fold: str = "", rows: int = 3) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = "html" if pages[0].ending == ".html" else "text"
    contents = [page.content if column == "html" else page.text for page in pages]
    columns = {"id": [page.id for page in pages], "url": [page.url for page in pages], column: contents}
    pq.write_table(pa.table(columns), path, row_group_size=rows)
    path.write_bytes(FOLDS[fold](path.read_bytes()))
    return path


def write_warc(path: Path, pages: Sequence[SamplePage], fold: str = "") -> Path:
    """Responses for HTML, conversions (as .wet files have them) for text, each record compressed by itself."""
    records = [warc_record("warcinfo", b"", b"software: by hand\r\n", "application/warc-fields")]
    for page in pages:
        if page.ending == ".html":
            records.append(warc_record("request", page.url.encode(), b"GET / HTTP/1.1\r\n\r\n", "application/http"))
            records.append(response(page.id, page.url, page.content))
        else:
            records.append(warc_record("conversion", page.url.encode(), page.content, "text/plain", page.id))
    path.write_bytes(b"".join(map(FOLDS[fold], records)))
    return path


def response(name: str, url: str, content: bytes, headers: str = "Content-Type: text/html", status: int = 200) -> bytes:
    """A WARC record of type response."""
    head = f"HTTP/1.1 {status} Whatever\r\n{headers}\r\n\r\n".encode("latin-1")
    return warc_record("response", url.encode(), head + content, "application/http; msgtype=response", name)


def warc_record(kind: str, url: bytes, block: bytes, media: str, name: str = "") -> bytes:
    """A WARC record of any type."""
    lines = [b"WARC/1.0", f"WARC-Type: {kind}".encode(), b"WARC-Date: 2024-02-03T04:05:06Z"]
    lines += [b"WARC-Target-URI: " + url] if url else []
    lines += [f"WARC-Record-ID: <{name}>".encode()] if name else []
    lines += [f"Content-Type: {media}".encode(), f"Content-Length: {len(block)}".encode()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + block + b"\r\n\r\n"
