"""Other extractors, each as a function from a page's HTML to its main text. Each needs its own package."""

from __future__ import annotations

from collections.abc import Callable

from extractor.decoding import decode
from extractor.html import parse_html

Extract = Callable[[bytes, str | None], str]


def load_peer(name: str) -> Extract:
    """The named peer. ImportError where its package is missing, KeyError for a name that is none."""
    return _PEERS[name]()


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
        article.download(input_html=decode(html)[0])
        article.parse()
        text: str = article.text
        return text

    return extract


_PEERS: dict[str, Callable[[], Extract]] = {
    "trafilatura": _trafilatura(),
    "trafilatura-precision": _trafilatura(favor_precision=True),
    "trafilatura-recall": _trafilatura(favor_recall=True),
    "readability": _readability,
    "resiliparse": _resiliparse,
    "justext": _justext,
    "boilerpy3": _boilerpy3,
    "newspaper4k": _newspaper4k,
    "rs-trafilatura": _rs_trafilatura,
}
PEERS = tuple(_PEERS)


def extract_quietly(extract: Extract, html: bytes, url: str | None) -> str:
    """The peer's text, "" where it fails: a page lost to an error counts as a page with no text."""
    try:
        return extract(html, url)
    except Exception:  # noqa: BLE001  each peer raises errors of its own
        return ""
