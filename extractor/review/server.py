"""The web side of a review: requests of a browser on this machine in, HTML files and JSON out.

Every address begins with a random token. Requests that come under another host name, from another origin or
without the token are refused before anything is read. Werkzeug serves: routes, limits and errors of HTTP from
the library under Flask, with one small package below it, where http.server would leave them all to us.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import typer
from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    Forbidden,
    HTTPException,
    InternalServerError,
    NotFound,
    RequestEntityTooLarge,
    UnprocessableEntity,
    UnsupportedMediaType,
)
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from extractor.files import printable
from extractor.page import LABELS, Label
from extractor.review.doubt import Doubts
from extractor.review.folder import Change, ConflictError, PageError, ReviewedFolder, ReviewedPage

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
_LARGEST_REQUEST = 1 << 20
_LONGEST_SHOWN = 4_000
"""Characters of a line that are shown; the rest of it is counted."""
_LONGEST_COMPLAINT = 200
_LONGEST_WAIT = 30
"""Seconds for a request to come and its answer to go: nobody holds a thread for ever."""
_STATIC = {
    "": ("index.html", "text/html"),
    "review.css": ("review.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    **{name: (name, "text/javascript") for name in ("review.js", "lines.js", "pages.js", "saving.js", "text.js")},
}
_HEADERS = {
    # nothing but our own files, no script in the page, and no text ever taken for HTML by a script
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class ReviewApp:
    """A WSGI application over a folder under review."""

    def __init__(self, folder: ReviewedFolder, doubts: Doubts, port: int, token: str | None = None) -> None:
        """token: a random one unless given; port: where the application is served."""
        self._folder, self._doubts = folder, doubts
        self.token = token or secrets.token_urlsafe(16)
        self._hosts = {f"{name}:{port}" for name in _NAMES}
        self._routes = Map([
            Rule("/api/pages", methods=["GET"], endpoint=lambda request: self._list_pages()),
            Rule("/api/page", methods=["GET"], endpoint=self._show_page),
            Rule("/api/page", methods=["POST"], endpoint=self._save_page),
            Rule("/api/place", methods=["POST"], endpoint=self._save_place),
            *(Rule(f"/{path}", methods=["GET"], endpoint=_file(name, kind)) for path, (name, kind) in _STATIC.items()),
        ])  # fmt: skip

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the review."""
        host = next(host for host in self._hosts if host.startswith(HOST))
        return f"http://{host}/{self.token}/"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; an error is a JSON object with its message in "error"."""
        request = Request(environ)
        request.max_content_length = _LARGEST_REQUEST
        try:
            response = self._respond(request)
        except HTTPException as error:
            response = _json({"error": error.description}, error.code or 500)
        except Exception as error:  # noqa: BLE001 - whatever a page does: Werkzeug would print it raw, page and all
            typer.echo(f"extractor: {printable(f'{type(error).__name__}: {error}')[:_LONGEST_COMPLAINT]}", err=True)
            response = _json({"error": "A fault of the program; the terminal of the review names it."}, 500)
        response.headers.update(_HEADERS)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = self._checked_path(request)
        endpoint, _ = self._routes.bind(request.host, path_info=path).match(method=request.method)
        try:
            found: Response = endpoint(request)
        except ConflictError as error:
            raise Conflict(str(error)) from None
        except PageError as error:
            raise UnprocessableEntity(str(error)) from None
        except OSError as error:
            why = f"Cannot be written ({error.strerror}); make the folder writable, or room on its disk."
            raise InternalServerError(why) from None
        return found

    def _checked_path(self, request: Request) -> str:
        """The path after the token. Forbidden or NotFound for a request that is not from our own page."""
        host = request.headers.get("Host", "")
        if host not in self._hosts:
            raise Forbidden("This host name is refused: open the address that `extractor review` printed.")
        origin = request.headers.get("Origin")
        if origin != f"http://{host}" and (origin is not None or request.method not in ("GET", "HEAD")):
            raise Forbidden("Requests from other origins are refused.")
        _, token, *rest = request.path.split("/", 2)
        if not rest or not secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            raise NotFound("Open the address that `extractor review` printed last; it is a new one at each start.")
        return "/" + rest[0]

    def _list_pages(self) -> Response:
        progress = self._folder.progress
        return _json({
            "folder": printable(str(self._folder.path)),
            "finished": self._doubts.finished,
            "last": {"page": progress.page, "line": progress.line},
            "pages": [self._page_record(name) for name in self._folder.pages],
        })  # fmt: skip

    def _page_record(self, name: str) -> dict[str, Any]:
        failure, doubt = self._doubts.failures.get(name), self._doubts.known.get(name)
        return {
            "name": name,
            "shown": printable(name),
            "state": self._folder.state(name),
            "doubt": None if doubt is None else round(doubt, 4),
            "problem": failure and printable(failure.reason),
        }

    def _show_page(self, request: Request) -> Response:
        page = self._known_page(request.args.get("name"), self._folder.page)
        predicted = page.predicted
        lines = [
            {
                "number": line.number,
                "text": printable(line.text[:_LONGEST_SHOWN]),
                "more": max(len(line.text) - _LONGEST_SHOWN, 0),
                "label": label,
                "predicted": line.label,
                "probabilities": [round(value, 3) for value in line.probabilities],
                "gap": gap,
            }
            for line, label, gap in zip(predicted.lines, page.labelled.labels, predicted.blanks, strict=True)
        ]
        about = {"kind": predicted.kind, "format": predicted.format, "encoding": predicted.encoding}
        return _json({**_standing(page), **about, "lines": lines})

    def _save_page(self, request: Request) -> Response:
        body = _body(request)
        done = body.get("done")
        if not isinstance(done, (bool, type(None))) or not isinstance(body.get("version"), str):
            raise BadRequest('Give "version" as a text and "done" as true, false or null.')
        changes = _changes(body.get("changes"))

        def save(name: str) -> ReviewedPage:
            return self._folder.save(name, body["version"], changes, done=done)

        try:
            return _json(_standing(self._known_page(body.get("name"), save)))
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def _save_place(self, request: Request) -> Response:
        body = _body(request)
        line = body.get("line")
        if type(line) is not int or line < 0:
            raise BadRequest('Give "line" as a number from 0.')
        self._known_page(body.get("name"), lambda name: self._folder.note_place(name, line))
        return _json({})

    def _known_page(self, name: object, use: Callable[[str], Any]) -> Any:
        if not isinstance(name, str) or name not in self._folder.pages:
            raise NotFound("No such page in this folder; start `extractor review` anew if it is a new one.")
        return use(name)


class _QuietHandler(WSGIRequestHandler):
    """Requests are not listed on the terminal; errors are."""

    timeout = _LONGEST_WAIT

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def log_error(self, format: str, *args: object) -> None:
        """A connection on which nothing came is no error: browsers open some in advance."""
        if not any(isinstance(part, TimeoutError) for part in args):
            super().log_error(format, *args)


def listen(port: int) -> socket.socket:
    """A socket bound to a port of this machine, 0 for any that is free. OSError if it is in use."""
    return socket.create_server((HOST, port))


def serve(listener: socket.socket, app: ReviewApp) -> BaseWSGIServer:
    """A server of the application on a bound socket; serve_forever() runs it until it is interrupted."""
    port: int = listener.getsockname()[1]
    return make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())


def _file(name: str, kind: str) -> Callable[[Request], Response]:
    content = (files("extractor.review") / "static" / name).read_bytes()
    return lambda request: Response(content, content_type=f"{kind}; charset=utf-8")


def _standing(page: ReviewedPage) -> dict[str, Any]:
    """What of a page changes with its labels: its version and state, and what extract() would return."""
    text = page.labelled.text()
    return {
        "version": page.version,
        "state": page.state,
        "problem": page.problem and printable(page.problem),
        "text": [printable(line[:_LONGEST_SHOWN]) for line in text.split("\n")] if text else [],
    }


def _body(request: Request) -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON.")
    content = request.get_data()
    if len(content) >= _LARGEST_REQUEST:  # of a body sent in chunks Werkzeug gives so much and no error
        raise RequestEntityTooLarge
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise BadRequest("This is no JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("Send one JSON object.")
    return body


def _changes(rows: object) -> list[Change]:
    if not isinstance(rows, list):
        raise BadRequest('Give "changes" as a list of [first line, last line, label].')
    found = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or type(row[0]) is not int or type(row[1]) is not int:
            raise BadRequest("A change is [first line, last line, label], lines counted from 0.")
        if row[2] not in LABELS:
            raise BadRequest(f"{row[2]!r} is no label; give one of {', '.join(LABELS)}.")
        found.append(Change(row[0], row[1], Label(row[2])))
    return found


def _json(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")
