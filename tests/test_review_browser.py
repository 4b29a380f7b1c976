"""The review in a real browser: Chromium, driven by Playwright, against `extractor review` as a user starts it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("werkzeug", reason="Werkzeug is not installed (pip install '.[review]')")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install '.[test]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor import Label, Model, Page, extract, label
from extractor.labelled_pages import read_labelled_page

ROOT = Path(__file__).parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
CONFLICT = "409"
"""Chromium itself writes it to the console where a change is refused."""
PATIENCE = 60_000
"""Milliseconds: a machine that does other work as well must not fail the test."""

# A site as a user might bring it: below each article stands the tide of the day, which leads to a page of the harbour
# and so is related-link for this user. No model would say so by itself: it is taken for body or nav.
ARTICLES = (
    (
        "Nieuwe roede voor de molen",
        "Een kraan van veertig meter tilde dinsdag de nieuwe roede op zijn plaats. Buren keken toe vanaf de dijk.",
        "De oude roede was na negentig jaar zo dun geroest dat de molen niet meer mocht draaien.",
        "Volgende week komen de zeilen erop. Dan kan er weer graan worden gemalen.",
    ),
    (
        "Steenuilen in de kap",
        "In de kap van de molen broedt een paar steenuilen. De vrijwilligers vonden het nest bij het smeren.",
        "Zolang er jongen zijn, wordt de kap alleen met de hand gekruid en blijft de zolder dicht voor bezoek.",
        "Boswachter Anneke Tol telde drie eieren en verwacht de jongen half mei.",
    ),
    (
        "Het oude maalboek is terug",
        "Na veertig jaar is het maalboek van molenaar Kuiper terug in de molen. Een kleinzoon vond het in een schuur.",
        "Het boek noemt elke boer die tussen 1911 en 1934 graan bracht, en wat hij betaalde.",
        "In de winter wordt het boek overgetypt; wie oud schrift kan lezen, is welkom.",
    ),
    (
        "Brood van eigen meel",
        "Bakker Joris van Dam bakt sinds deze maand met meel van De Hoop. Zijn brood kreeg er een andere kruim van.",
        "De tarwe komt van een akker achter de kerk, nog geen kilometer van de stenen.",
        "Op zaterdag ligt het brood om acht uur in de winkel, en om tien uur is het op.",
    ),
    (
        "Storm rukt zeil los",
        "De storm van donderdagnacht heeft een zeil van de molen gescheurd. Het doek lag in een boomgaard.",
        "Niemand raakte gewond, en het gevlucht bleef heel. De vang hield zoals hij moest.",
        "Een zeilmaker uit Enkhuizen zet er een nieuwe baan in.",
    ),
    (
        "Schoolklas maalt eigen pannenkoeken",
        "Groep zes van de Rietschool heeft zelf meel gemalen. Ieder kind mocht een handvol tarwe in het kaar gooien.",
        "Het luiwerk hees de zakken omhoog, en dat vonden de meesten nog mooier dan het malen.",
        "Aan het eind van de middag waren er honderdtwintig pannenkoeken, en geen een bleef over.",
    ),
)
TAUGHT = 4
TIDE = slice(10, 14)
"""The lines of a page that say the tide."""


def mill_page(day: int) -> str:
    headline, first, second, last = ARTICLES[day]
    tide = (
        f"{5 + day}.{12 + day * 3} uur: hoogwater, {184 + day * 3} cm boven peil",
        f"{11 + day}.{31 + day * 2} uur: laagwater, {42 + day} cm onder peil",
        f"{17 + day}.{40 + day} uur: hoogwater, {179 + day * 2} cm boven peil",
        f"Wind {day + 3}, zuidwest; zicht {8 + day} km; maan {day * 14} %",
    )
    menu = ("Molen De Hoop", "Start", "Agenda", "Molenwinkel", "Vrijwilligers", "Contact")
    lines = (*menu, "", headline, "", first, "", second, "", last, "", *tide, "", "Stichting Molen De Hoop", "Privacy")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium), so the page was not tried in a browser")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: playwright.Browser) -> Iterator[playwright.Page]:
    """A new page of the browser; whatever it complains of, or asks of another server, fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    tab, wrong = context.new_page(), []
    tab.on("console", lambda message: None if CONFLICT in message.text else wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: None if "//127.0.0.1:" in request.url else wrong.append(request.url))
    yield tab
    context.close()
    assert wrong == []


@pytest.fixture
def start() -> Iterator[Callable[..., str]]:
    """Starts `extractor review` on a folder and gives its address; stops the one before, as Ctrl-C does."""
    running: list[subprocess.Popen[str]] = []

    def stop() -> None:
        for process in running:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
            assert (process.returncode, "Stopped" in out) == (0, True)
        running.clear()

    def start_review(folder: Path, *options: object) -> str:
        stop()
        program = [sys.executable, "-c", "from extractor.cli import main; main()", "review", str(folder)]
        process = subprocess.Popen(
            [*program, "--no-browser", "--port", "0", *map(str, options)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        return process.stdout.readline().split(" at ")[1].split()[0]

    yield start_review
    stop()


def shows(tab: playwright.Page, selector: str, text: str) -> None:
    playwright.expect(tab.locator(selector)).to_contain_text(text, timeout=PATIENCE)


def press(tab: playwright.Page, *keys: str) -> None:
    for key in keys:
        tab.keyboard.press(key)


def labels_shown(tab: playwright.Page) -> list[str]:
    return tab.locator(".line .tag").all_text_contents()


@pytest.fixture
def mill(tmp_path: Path) -> Path:
    folder = tmp_path / "mill"
    folder.mkdir()
    for day in range(TAUGHT):
        (folder / f"day-{day}.txt").write_text(mill_page(day), encoding="utf-8")
    return folder


def relabel_the_tide(tab: playwright.Page, key: str) -> None:
    """By keyboard alone, from wherever the lines stand."""
    press(tab, "Home", *["ArrowDown"] * TIDE.start, *["Shift+ArrowDown"] * (TIDE.stop - TIDE.start - 1), key)
    shows(tab, "#status", "Saved.")


def test_a_run_relabelled_by_keyboard_is_saved_and_there_again(
    start: Callable[..., str], tab: playwright.Page, mill: Path
) -> None:
    tab.goto(start(mill))
    shows(tab, "#counts", "0 of 4 pages done")
    shows(tab, "#page-name", "day-")  # the least certain page opens by itself
    name = tab.locator("#page-name").text_content() or ""
    before = labels_shown(tab)
    relabel_the_tide(tab, "4")
    expected = [*before[: TIDE.start], *["related-link"] * 4, *before[TIDE.stop :]]
    assert labels_shown(tab) == expected
    assert [*map(str, read_labelled_page(mill / name).labels)] == expected
    assert "hoogwater" not in (tab.locator("#text").text_content() or "")

    press(tab, "u")
    shows(tab, "#status", "Undone: 4 lines")
    shows(tab, "#status", "Saved.")
    assert [*map(str, read_labelled_page(mill / name).labels)] == before
    press(tab, "r")
    shows(tab, "#status", "Done again: 4 lines")
    shows(tab, "#status", "Saved.")

    tab.reload()
    shows(tab, "#page-name", name)
    shows(tab, "#counts", "1 begun")
    assert labels_shown(tab) == expected
    tab.wait_for_timeout(600)  # the line is noted when it has stood for a moment

    tab.goto(start(mill))  # another run of the command: it goes on where this one stopped
    shows(tab, "#page-name", name)
    assert labels_shown(tab) == expected
    press(tab, "Enter")
    shows(tab, "#counts", "1 of 4 pages done")
    playwright.expect(tab.locator("#page-name")).not_to_have_text(name, timeout=PATIENCE)


def test_what_is_shown_beside_is_what_extract_returns(
    start: Callable[..., str], tab: playwright.Page, mill: Path, shipped_model: Model
) -> None:
    tab.goto(start(mill) + "#day-1.txt")
    shows(tab, "#page-name", "day-1.txt")
    shown = tab.locator("#text .piece").all_text_contents()
    assert shown == [line for line in extract(mill_page(1), model=shipped_model).split("\n") if line]
    press(tab, "Control+a", "1")
    shows(tab, "#status", "Saved.")
    assert tab.locator("#text .piece").all_text_contents() == [line for line in mill_page(1).split("\n") if line]


def test_the_mouse_does_it_too(start: Callable[..., str], tab: playwright.Page, mill: Path) -> None:
    tab.goto(start(mill) + "#day-2.txt")
    shows(tab, "#page-name", "day-2.txt")
    tab.locator("#line-8 .words").hover()
    tab.mouse.down()
    tab.locator("#line-10 .words").hover()
    tab.mouse.up()
    tab.get_by_role("button", name="related-link").click()
    shows(tab, "#status", "3 lines, 12 to 16: related-link. Saved.")
    tab.locator("#line-8 .tag").click()  # the next label after the last is the first
    shows(tab, "#status", "line 12: body. Saved.")
    tab.get_by_role("button", name="Undo").click()
    shows(tab, "#status", "Undone: line 12. Saved.")
    saved = read_labelled_page(mill / "day-2.txt").labels
    assert saved[8:11] == (Label.RELATED_LINK,) * 3
    tab.get_by_role("option", name="day-3.txt").click()
    shows(tab, "#page-name", "day-3.txt")


def test_hostile_pages_show_as_text(start: Callable[..., str], tab: playwright.Page, tmp_path: Path) -> None:
    script, handler = "<script>document.title = 'stolen'; alert(1)</script>", "<img src=x onerror=alert(2)>"
    name = "<img src=x onerror=alert(3)>.txt"
    (tmp_path / name).write_text(f"{script}\n{handler}\n\x1b[31mred\x1b[0m \x07\n<b>bold</b> &amp;\n", encoding="utf-8")
    html = f"<h1>&lt;script&gt;alert(4)&lt;/script&gt;</h1><p onclick=alert(5)>{handler} one<p>\x1b]0;title\x07 two"
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    tab.goto(start(tmp_path))
    tab.get_by_role("option", name=name).click()
    shows(tab, "#page-name", name)
    texts = tab.locator(".line .words").all_text_contents()
    assert texts == [script, handler, r"\x1b[31mred\x1b[0m \x07", "<b>bold</b> &amp;"]
    press(tab, "Control+a", "1")
    shows(tab, "#text", script)
    tab.get_by_role("option", name="page.html").click()
    shows(tab, "#page-name", "page.html")
    shows(tab, "#lines", "<script>alert(4)</script>")
    assert tab.locator("#lines img, #lines script, #lines b, #text img, #text script, #pages img").count() == 0
    assert tab.title() == "page.html – review"


def test_two_tabs_do_not_overwrite_each_other(start: Callable[..., str], tab: playwright.Page, mill: Path) -> None:
    address = start(mill) + "#day-0.txt"
    tab.goto(address)
    shows(tab, "#page-name", "day-0.txt")
    other = tab.context.new_page()
    other.goto(address)
    shows(other, "#page-name", "day-0.txt")
    press(other, "Home", "4")
    shows(other, "#status", "Saved.")
    press(tab, "End", "2")
    shows(tab, "#alert", "changed elsewhere since it was shown here")
    assert read_labelled_page(mill / "day-0.txt").labels[0] is Label.RELATED_LINK
    assert read_labelled_page(mill / "day-0.txt").labels[-1] is not Label.HEADER
    tab.get_by_role("button", name="Load again").click()
    playwright.expect(tab.locator("#line-0 .tag")).to_have_text("related-link", timeout=PATIENCE)
    press(tab, "End", "2")
    shows(tab, "#status", "Saved.")
    assert read_labelled_page(mill / "day-0.txt").labels[-1] is Label.HEADER


def test_a_long_page_and_a_large_folder(start: Callable[..., str], tab: playwright.Page, tmp_path: Path) -> None:
    for number in range(999):
        (tmp_path / f"{number:03}.txt").write_text(f"Menu\n\nThe lamp number {number} is lit.\n", encoding="utf-8")
    (tmp_path / "long.txt").write_text("The lamp on the quay is lit again tonight.\n" * 10_000, encoding="utf-8")
    tab.goto(start(tmp_path) + "#long.txt")
    shows(tab, "#page-facts", "10,000 lines")
    shows(tab, "#judged", "least certain first")
    assert tab.locator(".page").count() == 1000
    press(tab, "End", "Shift+ArrowUp", "2")
    shows(tab, "#status", "2 lines, 9999 to 10000: header. Saved.")
    assert read_labelled_page(tmp_path / "long.txt").labels[-3:].count(Label.HEADER) == 2


def test_what_is_corrected_by_keyboard_is_learned(
    start: Callable[..., str], tab: playwright.Page, mill: Path, shipped_model: Model
) -> None:
    for needed in ("catboost", "lightgbm", "sklearn", "scipy", "rapidfuzz", "pyarrow", "html2text", "torch"):
        pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")
    fresh = [Page(mill_page(day), kind="text") for day in range(TAUGHT, len(ARTICLES))]
    for page in fresh:  # so that there is something to teach
        assert label(page, model=shipped_model).labels[TIDE].count(Label.RELATED_LINK) <= 2

    tab.goto(start(mill))
    shows(tab, "#page-name", "day-")
    for done in range(1, TAUGHT + 1):
        name = tab.locator("#page-name").text_content() or ""
        relabel_the_tide(tab, "l")
        press(tab, "Enter")
        shows(tab, "#counts", f"{done} of 4 pages done")
        if done < TAUGHT:
            playwright.expect(tab.locator("#page-name")).not_to_have_text(name, timeout=PATIENCE)
        assert read_labelled_page(mill / name).labels[TIDE] == (Label.RELATED_LINK,) * 4

    taught = retrained(mill)
    for page in fresh:
        labels = label(page, model=taught).labels
        assert labels[TIDE].count(Label.RELATED_LINK) >= 3  # of lines with other numbers than those that were corrected
        assert labels[6:10] == (Label.BODY,) * 4  # the article is still the article


def retrained(folder: Path) -> Model:
    """The shipped model, taught the pages of a folder alone."""
    from extractor.training.own_pages import read_own_pages
    from extractor.training.teaching import TeachingSettings, teach

    return teach(Model.default(), read_own_pages(folder), TeachingSettings())
