from __future__ import annotations

from pathlib import Path

import pytest

from extractor.corpus.address import declared_url
from extractor.corpus.folder import PageFile
from extractor.sites import SiteFrom

OG = '<meta property="og:url" content="https://a.example/og">'
CANONICAL = "<link rel='canonical' href='https://b.example/canonical'>"


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (OG, "https://a.example/og"),
        (CANONICAL, "https://b.example/canonical"),
        (CANONICAL + OG, "https://a.example/og"),
        ('<LINK HREF="//c.example/x" REL=canonical>', "//c.example/x"),
        ('<link rel="canonical" href="/only/a/path">', None),
        ('<meta property="og:url" content="">' + CANONICAL, "https://b.example/canonical"),
        ('<link rel="alternate" href="https://d.example/">', None),
        ('<meta content="https://e.example/?a=1&amp;b=2" property="og:url"/>', "https://e.example/?a=1&b=2"),
        ("", None),
        (" " * 70_000 + OG, None),
    ],
)
def test_the_url_that_a_page_names(head: str, url: str | None) -> None:
    assert declared_url(head.encode()) == url


@pytest.mark.parametrize(
    ("site_from", "site"),
    [("url", "a.example"), ("folder", "folder:x"), ("none", None), ("//([a-z])[.]", "a"), ("no such", None)],
)
def test_the_site_of_a_page_file(tmp_path: Path, site_from: str, site: str | None) -> None:
    path = tmp_path / "page.html"
    path.write_text(OG, encoding="utf-8")
    page = PageFile(path, "x/page.html", "html").read(SiteFrom.parse(site_from))
    assert page.site == site
    assert page.url in (None, "https://a.example/og")
    assert site is not None or page.url is None


def test_a_dump_names_no_url(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text(OG, encoding="utf-8")
    assert PageFile(path, "x/page.txt", "text").read(SiteFrom("url")).site == "folder:x"
