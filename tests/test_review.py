"""The review of a folder by HTTP: what it shows and saves, and what it refuses."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

pytest.importorskip("werkzeug", reason="Werkzeug is not installed (pip install '.[review]')")


from extractor import Label, LabelsError, Model, extract
from extractor.labelled_pages import read_labelled_page
from extractor.review.doubt import Doubts, page_doubt
from extractor.review.folder import Change, ConflictError, PageError, ReviewedFolder
from extractor.review.progress import PROGRESS_FILE
from extractor.review.server import ReviewApp, listen, serve

ROOT = Path(__file__).parent.parent
LAMP = "Menu | Search\n\nThe lamp on the quay is lit\n\nIt burns again, and the pilots are glad of it.\n\nContact\n"
HOSTILE = (
    "Home\n<script>document.title = 'stolen'</script>\n<img src=x onerror=alert(1)>\n"
    "red \x1b[31m bell \x07 back \u202egnorw\n{{7*7}} ${7*7} javascript:alert(1)\n"
)
HTML = (
    "<h1>Die Fähre</h1><p>Sie fährt wieder.<script>alert(1)</script><p>&lt;b onclick=x()&gt; steht im Text.<p>Impressum"
)


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A browser of sorts: sends what a test says, whatever a real one would allow."""

    def __init__(self, app: ReviewApp, port: int) -> None:
        self.host, self.base, self.port = f"127.0.0.1:{port}", f"/{app.token}", port

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", self.base + path, headers=headers)

    def page(self, name: str) -> Any:
        answer = self.get(f"/api/page?name={quote(name)}")
        assert answer.status == 200, answer.body
        return answer.json

    def post(self, path: str, content: object, **headers: str) -> Answer:
        own = {"Content-Type": "application/json", "Origin": f"http://{self.host}"}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.request("POST", self.base + path, body, own | headers)

    def relabel(self, name: str, changes: list[Any], version: str | None = None, done: bool | None = None) -> Answer:
        version = version or self.page(name)["version"]
        return self.post("/api/page", {"name": name, "version": version, "changes": changes, "done": done})

    def request(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    (folder / "site").mkdir(parents=True)
    (folder / "lamp.txt").write_bytes(LAMP.encode())
    (folder / "hostile.txt").write_bytes(HOSTILE.encode())
    (folder / "site" / "fähre.html").write_bytes(HTML.encode())
    return folder


@pytest.fixture
def start(random_model: Model) -> Iterator[Callable[[Path], Client]]:
    """Starts the review of a folder on a free port."""
    running = []

    def start_review(folder: Path) -> Client:
        review = ReviewedFolder(folder, random_model)
        listener = listen(0)
        port = listener.getsockname()[1]
        doubts = Doubts(review)
        doubts.start()
        assert doubts.wait(30)
        app = ReviewApp(review, doubts, port)
        server = serve(listener, app)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread, listener))
        return Client(app, port)

    yield start_review
    for server, thread, listener in running:
        server.shutdown()
        thread.join(30)
        listener.close()


@pytest.fixture
def client(start: Callable[[Path], Client], folder: Path) -> Client:
    return start(folder)


# --- what is shown and saved -----------------------------------------------------------------------


def test_pages_are_listed_with_their_doubt(client: Client) -> None:
    listed = client.get("/api/pages").json
    assert listed["finished"]
    assert [page["name"] for page in listed["pages"]] == ["hostile.txt", "lamp.txt", "site/fähre.html"]
    assert all(0 < page["doubt"] < 1 and page["state"] == "new" for page in listed["pages"])


def test_the_doubt_of_a_page_is_the_share_of_lines_expected_to_be_wrong(random_model: Model, folder: Path) -> None:
    labelled = ReviewedFolder(folder, random_model).page("lamp.txt").predicted
    expected = [1 - dict(zip(Label, line.probabilities, strict=True))[line.label] for line in labelled.lines]
    assert page_doubt(labelled) == pytest.approx(sum(expected) / len(expected))


def test_a_page_shows_its_lines_and_what_extract_returns(client: Client, random_model: Model) -> None:
    page = client.page("lamp.txt")
    assert [line["text"] for line in page["lines"]] == [line for line in LAMP.split("\n") if line]
    assert [line["number"] for line in page["lines"]] == [1, 3, 5, 7]
    assert "\n".join(page["text"]) == extract(LAMP, model=random_model)
    assert (page["state"], page["problem"]) == ("new", None)


def test_what_is_relabelled_is_saved_at_once(client: Client, folder: Path) -> None:
    answer = client.relabel("lamp.txt", [[0, 3, "nav"], [1, 2, "body"]])
    assert answer.status == 200
    assert answer.json["state"] == "begun"
    assert "\n".join(answer.json["text"]) == "\n".join(LAMP.split("\n")[2:5])
    saved = read_labelled_page(folder / "lamp.txt")
    assert saved.labels == (Label.NAV, Label.BODY, Label.BODY, Label.NAV)
    assert (folder / "lamp.txt").read_bytes() == LAMP.encode()
    assert not (folder / "hostile.labels").exists()  # nobody has looked at it
    assert not list(folder.rglob("*.part"))


def test_a_review_goes_on_where_it_stopped(start: Callable[[Path], Client], folder: Path) -> None:
    first = start(folder)
    first.relabel("lamp.txt", [[0, 0, "header"]])
    first.relabel("site/fähre.html", [], done=True)
    assert first.post("/api/place", {"name": "lamp.txt", "line": 2}).status == 200
    again = start(folder)
    listed = again.get("/api/pages").json
    assert listed["last"] == {"page": "lamp.txt", "line": 2}
    assert {page["name"]: page["state"] for page in listed["pages"]} == {
        "hostile.txt": "new", "lamp.txt": "begun", "site/fähre.html": "done",
    }  # fmt: skip
    assert again.page("lamp.txt")["lines"][0]["label"] == "header"
    assert again.relabel("lamp.txt", [], done=True).json["state"] == "done"
    assert again.relabel("lamp.txt", [[1, 1, "nav"]]).json["state"] == "done"
    assert again.relabel("lamp.txt", [], done=False).json["state"] == "begun"


def test_pages_labelled_elsewhere_are_done(start: Callable[[Path], Client], folder: Path) -> None:
    rows = [f"nav\t{line}\n" for line in LAMP.split("\n") if line]
    (folder / "lamp.labels").write_text("".join(rows), encoding="utf-8")
    client = start(folder)
    page = client.page("lamp.txt")
    assert page["state"] == "done"
    assert {line["label"] for line in page["lines"]} == {"nav"}


def test_of_two_windows_the_one_that_has_not_seen_the_other_is_told(client: Client, folder: Path) -> None:
    version = client.page("lamp.txt")["version"]
    assert client.relabel("lamp.txt", [[0, 0, "header"]], version).status == 200
    late = client.relabel("lamp.txt", [[0, 0, "body"]], version)
    assert late.status == 409
    assert "changed elsewhere" in late.json["error"]
    assert read_labelled_page(folder / "lamp.txt").labels[0] is Label.HEADER
    (folder / "lamp.txt").write_bytes(LAMP.replace("Contact", "Imprint").encode())
    (folder / "lamp.labels").unlink()
    assert client.relabel("lamp.txt", [[0, 0, "body"]], version).status == 409


def test_hostile_text_comes_as_text(client: Client) -> None:
    answer = client.get("/api/page?name=hostile.txt")
    assert answer.headers["Content-Type"] == "application/json"
    texts = [line["text"] for line in answer.json["lines"]]
    assert texts[1] == "<script>document.title = 'stolen'</script>"
    assert texts[3] == r"red \x1b[31m bell \x07 back \u202egnorw"


def test_an_endless_line_is_cut_for_show_and_saved_whole(start: Callable[[Path], Client], folder: Path) -> None:
    (folder / "long.txt").write_text("word " * 3000 + "\nend\n", encoding="utf-8")
    client = start(folder)
    line = client.page("long.txt")["lines"][0]
    assert len(line["text"]) + line["more"] == 15_000
    assert client.relabel("long.txt", [[0, 1, "body"]]).status == 200
    assert read_labelled_page(folder / "long.txt").labels == (Label.BODY, Label.BODY)


@pytest.mark.parametrize(
    "content", [b"", b"one\r\r\ntwo\r\n", b"a\x0bb\x0c\nc\x85d\n", b"\xff\xfeh\0i\0\n\0", b"\xe9t\xe9\n"]
)
def test_odd_pages_are_saved_so_that_they_can_be_read(
    start: Callable[[Path], Client], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "odd.txt").write_bytes(content)
    client = start(tmp_path)
    assert client.relabel("odd.txt", [], done=True).status == 200
    assert len(read_labelled_page(tmp_path / "odd.txt").labels) == len(client.page("odd.txt")["lines"])
    assert (tmp_path / "odd.txt").read_bytes() == content


# --- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
def test_other_host_names_are_refused(client: Client, host: str) -> None:
    for path in ("/", "/api/pages", "/api/page?name=lamp.txt"):
        assert client.get(path, Host=host.format(port=client.port)).status == 403
    assert client.get("/api/pages", Host=f"localhost:{client.port}").status == 200


def test_a_request_without_a_host_is_refused(client: Client) -> None:
    answer = raw(client, f"GET {client.base}/api/pages HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 "), answer


def raw(client: Client, request: bytes) -> bytes:
    """What comes of a request that no library would send."""
    with socket.create_connection(("127.0.0.1", client.port), 30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_only_this_machine_is_listened_to() -> None:
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_other_origins_are_refused(client: Client, folder: Path) -> None:
    change = {"name": "lamp.txt", "version": client.page("lamp.txt")["version"], "changes": [[0, 0, "nav"]]}
    for origin in ("http://evil.example", "null", f"https://{client.host}", f"http://localhost:{client.port}", ""):
        assert client.post("/api/page", change, Origin=origin).status == 403
        assert client.get("/api/pages", Origin=origin).status == 403
    body = json.dumps(change).encode()
    headers = {"Content-Type": "application/json"}
    assert client.request("POST", client.base + "/api/page", body, headers).status == 403  # none at all
    assert not (folder / "lamp.labels").exists()


def test_without_the_token_nothing_is_found(client: Client) -> None:
    for path in (
        "/",
        "/api/pages",
        "//api/pages",
        "/%ed%a0%80/api/pages",
        "/%ff/api/pages",
        "/wrong/api/pages",
        "/favicon.ico",
        client.base,
    ):
        answer = client.request("GET", path)
        assert answer.status == 404
        assert "address" in answer.json["error"]


def test_a_form_of_another_site_could_not_send_this(client: Client) -> None:
    assert client.post("/api/place", {"name": "lamp.txt", "line": 1}, **{"Content-Type": "text/plain"}).status == 415


def test_every_answer_is_locked_down(client: Client) -> None:
    answers = [client.get(path) for path in ("/", "/review.js", "/review.css", "/api/pages", "/nowhere")]
    answers.append(client.get("/api/pages", Host="evil.example"))
    answers.append(client.post("/api/place", b"{"))
    answers.append(client.post("/api/place", {}, **{"Content-Type": "text/plain"}))
    answers.append(client.post("/api/place", b" " * (2 << 20)))
    answers.append(client.request("PUT", client.base + "/api/page", headers={"Origin": f"http://{client.host}"}))
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 404, 403, 400, 415, 413, 405]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_holds_no_script_and_asks_for_nothing_from_elsewhere() -> None:
    static = ROOT / "extractor" / "review" / "static"
    html = (static / "index.html").read_text(encoding="utf-8")
    assert html.count("<script") == 1
    assert '<script type="module" src="review.js"></script>' in html
    assert " on" + "click" not in html
    assert "style=" not in html
    for path in static.iterdir():
        source = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not any(word in source for word in ("http:", "https:", "//cdn", "innerHTML", "outerHTML", "eval(")), path


@pytest.mark.parametrize(
    "name", ["../secret.txt", "site/../lamp.txt", "/etc/passwd", "lamp.labels", "", "lamp.txt\0", "C:\\x.txt"]
)
def test_only_pages_of_the_folder_are_shown_and_saved(client: Client, folder: Path, name: str) -> None:
    (folder.parent / "secret.txt").write_text("secret", encoding="utf-8")
    assert client.get(f"/api/page?name={quote(name)}").status == 404
    assert client.post("/api/page", {"name": name, "version": "x", "changes": []}).status == 404
    assert client.post("/api/place", {"name": name, "line": 0}).status == 404
    for path in ("/../../lamp.txt", "/static/review.js", "/..%2freview.js", "/lamp.txt"):
        assert client.get(path).status == 404


def test_links_out_of_the_folder_are_not_followed(start: Callable[[Path], Client], folder: Path) -> None:
    secret = folder.parent / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(secret)
    (folder / "lamp.labels").symlink_to(folder.parent / "elsewhere.labels")
    (folder.parent / "theirs.labels").write_text("theirs", encoding="utf-8")
    (folder / "site" / "fähre.labels").symlink_to("../../theirs.labels")
    client = start(folder)
    assert client.relabel("site/fähre.html", [], done=True).status == 422
    assert (folder.parent / "theirs.labels").read_text(encoding="utf-8") == "theirs"
    assert "link.txt" not in {page["name"] for page in client.get("/api/pages").json["pages"]}
    (folder / "hostile.txt").unlink()
    (folder / "hostile.txt").symlink_to(secret)  # put there while the review runs
    answer = client.get("/api/page?name=hostile.txt")
    assert answer.status == 422
    assert "a link out of the folder" in answer.json["error"]
    assert "a link out of the folder" in client.page("lamp.txt")["problem"]
    assert client.relabel("lamp.txt", [[0, 0, "nav"]]).status == 422
    assert not (folder.parent / "elsewhere.labels").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "one JSON object"),
        ({"changes": []}, "version"),
        ({"version": "x", "changes": [], "done": 1}, "done"),
        ({"version": "x"}, "changes"),
        ({"version": "x", "changes": [[0, 0]]}, "A change is"),
        ({"version": "x", "changes": [[True, 0, "nav"]]}, "A change is"),
        ({"version": "x", "changes": [[0, 0, "footer"]]}, "'footer' is no label; give one of body, header"),
        ({"version": "x", "changes": [[0, 0, {}]]}, "is no label"),
        ({"changes": [[0, 4, "nav"]]}, "lines 0 to 4 of 4"),
        ({"changes": [[-1, 0, "nav"]]}, "no such lines"),
        ({"changes": [[2, 1, "nav"]]}, "no such lines"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(client: Client, folder: Path, content: Any, said: str) -> None:
    if isinstance(content, dict):
        newest = {"version": client.page("lamp.txt")["version"]} if "version" not in said else {}
        content = {"name": "lamp.txt", **newest, **content}
    answer = client.post("/api/page", content)
    assert answer.status == 400
    assert said in answer.json["error"]
    assert not (folder / "lamp.labels").exists()


def test_a_request_too_large_is_refused(client: Client) -> None:
    assert client.post("/api/page", b" " * (2 << 20)).status == 413
    headers = {"Content-Type": "application/json", "Origin": f"http://{client.host}"}
    chunks = iter([b" " * (1 << 19)] * 3)  # sent without saying how many
    assert client.request("POST", client.base + "/api/page", chunks, headers).status == 413
    assert client.request("PUT", client.base + "/api/page", headers={"Origin": f"http://{client.host}"}).status == 405


# --- pages that cannot be corrected ----------------------------------------------------------------


def test_pages_that_cannot_have_labels_say_why(start: Callable[[Path], Client], folder: Path) -> None:
    for name in ("old.htm", "lamp.html"):
        (folder / name).write_text("<p>one<p>two", encoding="utf-8")
    (folder / "report.txt").write_bytes(b"%PDF-1.7\n\x00\x01")
    (folder / "hostile.labels").write_text("footer\tHome\n", encoding="utf-8")
    client = start(folder)
    for name, problem in (
        ("old.htm", "rename it"),
        ("lamp.html", "lamp.txt would share its .labels file"),
        ("lamp.txt", "lamp.html would share its .labels file"),
        ("hostile.txt", "'footer' is no label"),
    ):
        page = client.page(name)
        assert problem in page["problem"]
        answer = client.relabel(name, [[0, 0, "nav"]], page["version"])
        assert answer.status == 422
        assert problem in answer.json["error"]
    listed = {page["name"]: page["problem"] for page in client.get("/api/pages").json["pages"]}
    assert listed["report.txt"] == "not a text file"
    assert client.get("/api/page?name=report.txt").status == 422
    assert (folder / "hostile.labels").read_text(encoding="utf-8") == "footer\tHome\n"


def test_a_page_that_has_gone_says_so(client: Client, folder: Path) -> None:
    (folder / "lamp.txt").unlink()
    answer = client.get("/api/page?name=lamp.txt")
    assert answer.status == 422
    assert "cannot be read" in answer.json["error"]


def test_a_pipe_in_the_place_of_a_page_or_its_labels_holds_nothing_up(client: Client, folder: Path) -> None:
    os.mkfifo(folder / "lamp.labels")
    assert client.page("lamp.txt")["state"] == "new"
    (folder / "hostile.txt").unlink()
    os.mkfifo(folder / "hostile.txt")
    answer = client.get("/api/page?name=hostile.txt")
    assert answer.status == 422
    assert "not a regular file" in answer.json["error"]


def test_a_connection_on_which_nothing_comes_is_closed(
    client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("extractor.review.server._QuietHandler.timeout", 0.2)
    assert raw(client, b"") == b""
    assert raw(client, b"GET / HT") == b""
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("fault", [RecursionError, MemoryError, UnicodeError])
def test_a_fault_says_one_harmless_line(
    client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fault: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise fault("steering \x1b[31m" + "text of the page\n" * 100)

    monkeypatch.setattr("extractor.review.folder.ReviewedFolder.page", fail)
    answer = client.get("/api/page?name=lamp.txt")
    assert answer.status == 500
    assert "fault of the program" in answer.json["error"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"extractor: {fault.__name__}: steering \\x1b[31mtext")
    assert len(line) < 300


def test_labels_that_cannot_be_written_are_an_error_and_not_lost_sight_of(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("extractor.review.folder.write_labels", full)
    answer = client.relabel("lamp.txt", [[0, 0, "nav"]])
    assert answer.status == 500
    assert "No space left on device" in answer.json["error"]
    monkeypatch.undo()
    assert client.relabel("lamp.txt", [[0, 0, "nav"]]).status == 200


def test_a_folder_under_review_without_the_web(random_model: Model, folder: Path) -> None:
    review = ReviewedFolder(folder, random_model)
    page = review.page("lamp.txt")
    saved = review.save("lamp.txt", page.version, [Change(0, 0, Label.RELATED_LINK)])
    assert saved.labelled.lines[0].label is Label.RELATED_LINK
    assert saved.predicted.labels == page.predicted.labels
    with pytest.raises(ConflictError, match="load it again"):
        review.save("lamp.txt", page.version, [])
    (folder / "lamp.txt").unlink()
    with pytest.raises(PageError, match="put it back"):
        review.page("lamp.txt")


def test_a_note_of_progress_that_makes_no_sense_is_refused(random_model: Model, folder: Path) -> None:
    for noted in ("{", "[]", '{"page": 1, "line": 0, "begun": []}', '{"page": null}'):
        (folder / PROGRESS_FILE).write_text(noted, encoding="utf-8")
        with pytest.raises(LabelsError, match="mend it, or delete it"):
            ReviewedFolder(folder, random_model)


# --- the command -----------------------------------------------------------------------------------


def command(*arguments: object) -> subprocess.Popen[str]:
    program = [sys.executable, "-W", "error", "-c", "from extractor.cli import main; main()", "review", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def complaint(*arguments: object) -> str:
    out, err = (process := command(*arguments)).communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert len(err.splitlines()) == 1
    return err


def test_the_command_prints_its_address_and_stops_on_ctrl_c(folder: Path, random_model_path: Path) -> None:
    with command(folder, "--port", 0, "--model", random_model_path) as process:
        assert process.stdout is not None
        started = process.stdout.readline()
        assert started.startswith("3 pages of ")
        host, token = started.split(" at http://")[1].split()[0].split("/")[:2]
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", f"/{token}/api/pages")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "Stopped" in out


def test_the_command_refuses_what_it_cannot_do(folder: Path, random_model_path: Path) -> None:
    assert "no such folder" in complaint(folder / "nowhere")
    assert "give the folder that it lies in" in complaint(folder / "lamp.txt")
    assert "not a model" in complaint(folder, "--model", folder / "lamp.txt")
    (folder / "empty").mkdir()
    assert "no pages in it" in complaint(folder / "empty", "--model", random_model_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}: in use" in complaint(folder, "--port", port, "--model", random_model_path)
