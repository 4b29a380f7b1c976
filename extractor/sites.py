"""The site of a page: its URL or its place among the files in, a name (or None for unknown) out.

A site is what shares furniture: the host, and on hosts that hold many sites the user's part of the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote, urlsplit

SMALLEST_FOLDER = 5
"""A folder with fewer distinct pages is no site: the table of repeated lines takes its pages for unknown."""
FOLDER_PREFIX = "folder:"
"""Starts the name of every site that is a folder, so that none is ever taken for a host."""

_ARCHIVE_HOSTS = frozenset(
    (
        "web.archive.org", "wayback.archive.org", "archive.org", "archive.today", "archive.is", "archive.ph",
        "archive.fo", "archive.li", "archive.md", "archive.vn", "arquivo.pt", "wayback.archive-it.org",
        "webarchive.loc.gov", "webarchive.nationalarchives.gov.uk", "webarchive.org.uk", "webarchive.parliament.uk",
        "web.archive.org.au", "wayback.vefsafn.is", "web-archive.oecd.org",
    )
)  # fmt: skip
_ARCHIVED = (
    re.compile(r"/(?P<url>https?:/.+)$", re.IGNORECASE),
    re.compile(r"/(?:\d{4,14}(?:[a-z]{2}_)?|\*)/(?P<url>[^/]+\..+)$"),
)
_CACHED = re.compile(r"(?:^|[?&])q=cache(?::|%3A)(?:[\w-]{12}(?::|%3A))?(?P<url>[^+&]+)", re.IGNORECASE)
_ACCELERATED = re.compile(r"^/(?:amp|[cvi])/(?:s/)?(?P<url>[^/]+\.[^/]+.*)$")
_DEEPEST_ARCHIVE = 4

USER_PARTS: Mapping[str, int] = MappingProxyType(
    {
        "ameblo.jp": 1,
        "angelfire.com": 2,
        "bitbucket.org": 1,
        "blog.csdn.net": 1,
        "blog.daum.net": 1,
        "blog.goo.ne.jp": 1,
        "blog.livedoor.jp": 1,
        "blog.naver.com": 1,
        "blog.sina.com.cn": 1,
        "blogs.yahoo.co.jp": 1,
        "cnblogs.com": 1,
        "d.hatena.ne.jp": 1,
        "dev.to": 1,
        "facebook.com": 1,
        "geocities.co.jp": 2,
        "geocities.com": 2,
        "geocities.ws": 1,
        "github.com": 1,
        "gitlab.com": 1,
        "home.arcor.de": 1,
        "home.t-online.de": 1,
        "medium.com": 1,
        "members.tripod.com": 1,
        "note.com": 1,
        "perso.wanadoo.fr": 1,
        "plaza.rakuten.co.jp": 1,
        "reddit.com": 2,
        "sites.google.com": 2,
        "substack.com": 1,
        "tumblr.com": 1,
        "users.livejournal.com": 1,
        "write.as": 1,
    }
)
"""Hosts that give each user a path, and how many parts of the path name the user. Hosts that give each a
sub-domain (github.io, wordpress.com, substack.com and the like) need no entry: the host is kept whole."""
_USER_MARKS = MappingProxyType({"substack.com": "@"})
"""There only a part that starts so names a user; anything else is the host's own."""
_BLOGSPOT = re.compile(r"^(?P<name>[^.]+)\.blogspot\.[a-z]{2,3}(?:\.[a-z]{2})?$")
_WWW = re.compile(r"^www\d?\.(?=[^.]+\.)")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/+", re.IGNORECASE)
_HOST = re.compile(r"^[^\s/@?#<>\"]+$")


def site_of_url(url: str | None) -> str | None:
    """The site that a URL belongs to, or None where it names no host.

    >>> site_of_url("https://web.archive.org/web/20190101000000/http://www.example.org/a.html")
    'example.org'
    >>> site_of_url("https://medium.com/@ann/a-post-1234")
    'medium.com/@ann'
    """
    host, path = _original(url or "")
    if not host:
        return None
    blog = _BLOGSPOT.match(host)
    if blog:
        return f"{blog['name']}.blogspot.com"
    parts = [part for part in path.split("/") if part]
    user = _user_part(host, parts)
    return f"{host}/{user}" if user else host


def _user_part(host: str, parts: list[str]) -> str:
    if parts and parts[0].startswith("~") and len(parts[0]) > 1:
        return parts[0]
    depth = USER_PARTS.get(host, 0)
    if not depth or len(parts) < depth or not parts[0].startswith(_USER_MARKS.get(host, "")):
        return ""
    return "/".join(parts[:depth])


def _original(url: str) -> tuple[str, str]:
    """Host and path of a URL, what archives put before it taken off."""
    for _ in range(_DEEPEST_ARCHIVE):
        host, path, query = _split(url)
        found = None
        if host in _ARCHIVE_HOSTS:
            found = _ARCHIVED[0].search(path) or _ARCHIVED[1].search(path)
        elif host == "webcache.googleusercontent.com":
            found = _CACHED.search(query)
        elif host.endswith(".ampproject.org") or host == "google.com":
            found = _ACCELERATED.match(path)
        if not found:
            return host, path
        url = found["url"] if _SCHEME.match(found["url"]) else unquote(found["url"])
    return _split(url)[:2]


def _split(url: str) -> tuple[str, str, str]:
    address = _SCHEME.sub("//", url.strip(), count=1)
    try:
        parts = urlsplit(address if address.startswith("//") else "//" + address)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return "", "", ""
    host = _WWW.sub("", host)
    named = _HOST.match(host) and ("." in host or ":" in host or bool(_SCHEME.match(url.strip())))
    return (host, parts.path, parts.query) if named else ("", "", "")


@dataclass(frozen=True, slots=True)
class SiteFrom:
    """Where the site of a page comes from: its URL or else its folder, its folder, a pattern, or nowhere."""

    source: Literal["url", "folder", "pattern", "none"] = "url"
    pattern: re.Pattern[str] | None = None

    @classmethod
    def parse(cls, text: str) -> SiteFrom:
        """What the option --site-from says: "url", "folder", "none" or a regular expression.

        ValueError, worded for the user, for an expression that is none or that matches the empty text.
        """
        if text == "url":
            return cls("url")
        if text == "folder":
            return cls("folder")
        if text == "none":
            return cls("none")
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise ValueError(
                f'--site-from {text}: neither "url", "folder" nor "none", and no regular expression ({error})'
            ) from None
        if pattern.fullmatch(""):
            raise ValueError(f"--site-from {text}: this expression matches everything, so it tells no sites apart")
        return cls("pattern", pattern)

    @property
    def reads_urls(self) -> bool:
        """Whether the URL of a page can matter."""
        return self.source in ("url", "pattern")

    def site(self, *, path: str | None = None, url: str | None = None) -> str | None:
        """The site of a page, None for unknown.

        path: of the file, relative to the folder that is read, with "/" between its parts. A pattern is
        searched in the path, then in the URL; its first group is the site, or all of it if it has no group.
        """
        if self.source == "none":
            return None
        if self.pattern is not None:
            return self._matched(path) or self._matched(url)
        return (site_of_url(url) if self.source == "url" else None) or folder_site(path)

    def _matched(self, text: str | None) -> str | None:
        found = self.pattern.search(text) if self.pattern is not None and text else None
        if found is None:
            return None
        return (found[1] if found.re.groups else found[0]) or None


def folder_site(path: str | None) -> str | None:
    """The site that a file's folder may be; whether it holds enough pages is known once they are counted.

    >>> folder_site("gazette/2024/fire.txt")
    'folder:gazette/2024'
    """
    return None if path is None else f"{FOLDER_PREFIX}{PurePosixPath(path).parent}"


def is_folder(site: str) -> bool:
    """Whether the site is a folder, and so unknown unless it holds SMALLEST_FOLDER distinct pages."""
    return site.startswith(FOLDER_PREFIX)
