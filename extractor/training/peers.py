"""Other extractors, each as a function from a page's HTML to its main text. Each needs its own package.

What they made of a page can be kept on disk, with the CPU time that it took when it was first asked for.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from joblib import Memory

from extractor.decoding import decode
from extractor.html import parse_html

Extract = Callable[[bytes, str | None], str]
CALLS_VERSION = 1
"""To be raised when a peer is called in another way, so that no output of the old way is taken for one of the new."""
_FIRST_PAGE = b"<html><head><title>A page</title></head><body><p>A sentence that is there to be read.</p></body></html>"


def load_peer(name: str) -> Extract:
    """The named peer. ImportError where its package is missing, KeyError for a name that is none."""
    return _PEERS[name].load()


def _trafilatura(**options: bool) -> Callable[[], Extract]:
    def load() -> Extract:
        from trafilatura import extract

        return lambda html, url: extract(html, url=url, include_comments=False, **options) or ""

    return load


def _readability() -> Extract:
    from readability import Document

    return lambda html, url: "\n".join(parse_html(Document(html, url=url).summary()).texts)


def _resiliparse() -> Extract:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda html, url: extract_plain_text(
        decode(html)[0], main_content=True, comments=False, alt_texts=False, list_bullets=False
    )


def _justext() -> Extract:
    import justext

    settings = {"length_low": 0, "length_high": 200, "stopwords_low": 0.0, "stopwords_high": 0.0}

    def extract(html: bytes, _url: str | None) -> str:
        paragraphs = justext.justext(decode(html)[0], frozenset(), **settings)
        return "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate)

    return extract


def _boilerpy3() -> Extract:
    from boilerpy3.extractors import ArticleExtractor

    extractor = ArticleExtractor(raise_on_failure=False)
    return lambda html, url: extractor.get_content(decode(html)[0])


def _rs_trafilatura() -> Extract:
    import rs_trafilatura

    return lambda html, url: rs_trafilatura.extract_bytes(html, url=url).main_content or ""


def _newspaper4k() -> Extract:
    import newspaper

    def extract(html: bytes, url: str | None) -> str:
        article = newspaper.Article(url or "http://localhost/", fetch_images=False)
        article.download(input_html=decode(html)[0], ignore_read_more=True)  # it would ask for further pages
        article.parse()
        text: str = article.text
        return text

    return extract


class Peer(NamedTuple):
    """How a peer is loaded, and the package that it comes in."""

    load: Callable[[], Extract]
    package: str


_PEERS: dict[str, Peer] = {
    "trafilatura": Peer(_trafilatura(), "trafilatura"),
    "trafilatura-precision": Peer(_trafilatura(favor_precision=True), "trafilatura"),
    "trafilatura-recall": Peer(_trafilatura(favor_recall=True), "trafilatura"),
    "readability": Peer(_readability, "readability-lxml"),
    "resiliparse": Peer(_resiliparse, "resiliparse"),
    "justext": Peer(_justext, "justext"),
    "boilerpy3": Peer(_boilerpy3, "boilerpy3"),
    "newspaper4k": Peer(_newspaper4k, "newspaper4k"),
    "rs-trafilatura": Peer(_rs_trafilatura, "rs-trafilatura"),
}
PEERS = tuple(_PEERS)


def peer_version(name: str) -> str | None:
    """The version of the named peer's package; None where it is not installed."""
    try:
        return version(_PEERS[name].package)
    except PackageNotFoundError:
        return None


class Output(NamedTuple):
    """What a peer made of a page: its text and the CPU seconds; failed: it raised an error, and its text is ""."""

    text: str
    seconds: float
    failed: bool = False


class PeerOutputs:
    """Outputs of peers, kept in a folder by the peer, its version and the page, so that a second run asks none.

    A failure is not kept: it may be for want of a package.
    """

    def __init__(self, folder: Path | None) -> None:
        self._run = Memory(folder, verbose=0).cache(_run_peer, ignore=["html"])

    def of(self, name: str, html: bytes, url: str | None) -> Output:
        """The named peer's output for a page."""
        started = time.process_time()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of dates and packages that a text does not need
                output = self._run(name, peer_version(name), CALLS_VERSION, sha256(html).hexdigest(), url, html)
        except Exception:  # noqa: BLE001  each peer raises errors of its own
            return Output("", time.process_time() - started, failed=True)
        return Output(*output)


def _run_peer(name: str, release: str | None, calls: int, digest: str, url: str | None, html: bytes) -> Output:
    """One page; all but the html itself, which its digest stands for, are the key that the output is kept by."""
    del release, calls, digest
    extract = _loaded(name)
    started = time.process_time()
    return Output(extract(html, url), time.process_time() - started)


@cache
def _loaded(name: str) -> Extract:
    """The peer, past its first page, which pays for what is read at first use."""
    extract = load_peer(name)
    extract_quietly(extract, _FIRST_PAGE, None)
    return extract


def extract_quietly(extract: Extract, html: bytes, url: str | None) -> str:
    """The peer's text, "" where it fails: a page lost to an error counts as a page with no text."""
    try:
        return extract(html, url)
    except Exception:  # noqa: BLE001  each peer raises errors of its own
        return ""
