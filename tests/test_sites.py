"""The site of a page, from its URL, its folder or a pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractor.sites import SiteFrom, folder_site, is_folder, site_of_url


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://www.example.org/news/1.html", "example.org"),
        ("http://www2.example.org:8080/", "example.org"),
        ("HTTPS://User:secret@News.Example.ORG./a?b#c", "news.example.org"),
        ("//example.org/a", "example.org"),
        ("example.org/a", "example.org"),
        ("http://localhost:8000/a", "localhost"),
        ("http://[::1]/a", "::1"),
        ("http://www.org/a", "www.org"),
        ("https://bücher.example/a", "bücher.example"),
    ],
)
def test_the_site_is_the_host(url: str, site: str) -> None:
    assert site_of_url(url) == site


@pytest.mark.parametrize(
    "url",
    [
        "https://web.archive.org/web/20190101000000/https://www.example.org/a",
        "https://web.archive.org/web/20190101000000id_/http:/example.org/a",
        "web.archive.org/web/2019/example.org/a",
        "https://web.archive.org/web/*/http://example.org/a",
        "https://web.archive.org/web/https://example.org/a",
        "https://archive.ph/20200101123456/https://example.org/a",
        "https://archive.is/2020/example.org/",
        "https://arquivo.pt/wayback/20200101000000/http://example.org/a",
        "https://webarchive.nationalarchives.gov.uk/ukgwa/20200101000000/https://example.org/a",
        "https://wayback.archive-it.org/1234/20200101000000/https://example.org/a",
        "https://web.archive.org/web/2020/https://archive.ph/2019/https://example.org/a",
        "https://webcache.googleusercontent.com/search?q=cache:AbCdEfGhIjKl:https://example.org/a+&hl=en",
        "https://www.google.com/amp/s/example.org/a",
        "https://example-org.cdn.ampproject.org/c/s/example.org/a",
    ],
)
def test_what_archives_put_before_a_url_is_taken_off(url: str) -> None:
    assert site_of_url(url) == "example.org"


def test_an_archive_has_pages_of_its_own() -> None:
    assert site_of_url("https://archive.org/details/some-book") == "archive.org"
    assert site_of_url("https://archive.ph/AbC12") == "archive.ph"


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://ann.blogspot.com/2020/01/a.html", "ann.blogspot.com"),
        ("https://ann.blogspot.co.uk/2020/01/a.html", "ann.blogspot.com"),
        ("https://www.ann.blogspot.de/", "ann.blogspot.com"),
        ("https://ann.wordpress.com/a", "ann.wordpress.com"),
        ("https://ann.github.io/project/a", "ann.github.io"),
        ("https://ann.substack.com/p/a", "ann.substack.com"),
        ("https://substack.com/@ann/p-1", "substack.com/@ann"),
        ("https://substack.com/home", "substack.com"),
        ("https://medium.com/@ann/a-1", "medium.com/@ann"),
        ("https://medium.com/@ann", "medium.com/@ann"),
        ("https://medium.com/the-paper/a-1", "medium.com/the-paper"),
        ("https://www.tumblr.com/ann/1234/a", "tumblr.com/ann"),
        ("https://sites.google.com/site/ann/home", "sites.google.com/site/ann"),
        ("https://sites.google.com/view/ann", "sites.google.com/view/ann"),
        ("http://www.geocities.com/Area51/1234/a.html", "geocities.com/Area51/1234"),
        ("http://people.example.edu/~ann/a.html", "people.example.edu/~ann"),
    ],
)
def test_on_hosts_with_many_sites_the_user_is_part_of_the_site(url: str, site: str) -> None:
    assert site_of_url(url) == site


@pytest.mark.parametrize("url", [None, "", "   ", "about:blank", "/a/b", "notes", "http://", "http://[::1", "mailto:"])
def test_a_url_without_a_host_has_no_site(url: str | None) -> None:
    assert site_of_url(url) is None


@given(st.text())
def test_no_text_raises(text: str) -> None:
    site_of_url(text)
    site_of_url("https://web.archive.org/web/2020/" + text)


def test_site_from_url_falls_back_on_the_folder() -> None:
    source = SiteFrom.parse("url")
    assert source.site(path="gazette/1.txt", url="https://example.org/1") == "example.org"
    assert source.site(path="gazette/1.txt") == folder_site("gazette/1.txt") == "folder:gazette"
    assert source.site() is None


def test_site_from_folder_does_not_look_at_the_url() -> None:
    source = SiteFrom.parse("folder")
    assert source.site(path="gazette/2024/1.txt", url="https://example.org/1") == "folder:gazette/2024"
    assert source.site(path="1.txt") == "folder:."
    assert is_folder("folder:.")
    assert not is_folder("example.org")


def test_site_from_a_pattern_takes_its_first_group() -> None:
    source = SiteFrom.parse(r"^([a-z]+)-\d+")
    assert source.site(path="gazette-17.txt") == "gazette"
    assert source.site(path="17.txt", url="courier-3") == "courier"
    assert source.site(path="17.txt", url="https://example.org/") is None
    assert SiteFrom.parse("cjw|sina").site(path="sina-17.txt") == "sina"


def test_site_from_none_knows_no_site() -> None:
    assert SiteFrom.parse("none").site(path="gazette/1.txt", url="https://example.org/1") is None


@pytest.mark.parametrize("text", ["(", "[a", "*", "", ".*", "(?P<x"])
def test_a_pattern_that_is_none_is_a_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"--site-from .*expression"):
        SiteFrom.parse(text)
