"""Whatever comes in, a sensible result or a clear error goes out, never a traceback."""

from __future__ import annotations

import random

import pytest

from extractor import Label, LabelledPage, Model, Page, extract, label, label_many

EVERYTHING = frozenset(Label)
LETTERS = "Le phare s’éteint à l’aube"


def read(content: str | bytes, model: Model, **facts) -> LabelledPage:
    return label(Page(content, **facts), model=model)


@pytest.mark.parametrize(
    "content", ["", b"", " ", "\n\n\n", " \t\r\n \u3000\xa0", b"\xef\xbb\xbf", b"\xff\xfe", "\ufeff\n".encode()]
)
def test_nothing_to_read(content: str | bytes, model: Model) -> None:
    labelled = read(content, model)
    assert labelled.text() == ""
    assert labelled.headline is labelled.title is None
    assert "".join(line.text for line in labelled.lines) in ("", "\ufeff")


@pytest.mark.parametrize(
    "content", ["<html></html>", "<!doctype html>", "<p></p>", "<html><head><title>Only a title</title></head></html>"]
)
def test_html_without_text(content: str, model: Model) -> None:
    labelled = read(content, model)
    assert (labelled.format, labelled.lines, labelled.text()) == ("html", (), "")
    assert labelled.title == ("Only a title" if "title>" in content else None)


def test_one_line(model: Model) -> None:
    for content in ("One line.", "x", "?", "\u200b", "12", "灯"):
        labelled = read(content, model, kind="text")
        assert [line.text for line in labelled.lines] == [content]
        assert labelled.text() in (content, "")


def test_binary_bytes(model: Model) -> None:
    chance = random.Random(0)
    for size in (1, 2, 3, 10, 1000, 100_000):
        labelled = read(chance.randbytes(size), model)
        assert len(labelled.labels) == len(labelled.lines)
    read(bytes(range(256)), model)
    read(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", model)


def test_mixed_encodings(model: Model) -> None:
    mixed = LETTERS.encode() * 50 + b"\n" + LETTERS.encode("cp1252", "replace") + b"\n" + LETTERS.encode() * 50
    labelled = read(mixed, model)
    assert labelled.encoding == "utf-8!"
    assert len(labelled.lines) == 3
    assert labelled.lines[0].text.startswith(LETTERS)
    read(LETTERS.encode() + LETTERS.encode("utf-16"), model)


@pytest.mark.parametrize(
    "broken", [b"caf\xe9", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80\x80b", b"\xfe\xff\xd8"]
)
def test_invalid_utf8(broken: bytes, model: Model) -> None:
    assert isinstance(read(broken, model).text(), str)


def test_lone_surrogates(model: Model) -> None:
    for content in ("a\ud800b", "\udfff\ud800", "<p>a\ud800b"):
        assert len(read(content, model).lines) == 1


def test_html_without_tags(model: Model) -> None:
    labelled = read("Only words\nover two lines", model, kind="html")
    assert [line.text for line in labelled.lines] == ["Only words over two lines"]


def test_xml(model: Model) -> None:
    feed = (
        '<?xml version="1.0" encoding="utf-8"?><rss><channel><title>Lamps</title>'
        "<item><description>Lit again.</description></item></channel></rss>"
    )
    assert "Lit again." in [line.text for line in read(feed, model).lines]
    assert read('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', model).lines == ()


def test_an_entity_bomb_stays_small(model: Model) -> None:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><x>&l9;</x>'
    assert sum(len(line.text) for line in read(bomb, model).lines) < 10_000


def test_no_file_is_read_because_a_page_says_so(model: Model, tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for pages", encoding="utf-8")
    page = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]><p>&e;</p><p>after'
    assert "not for pages" not in read(page, model).text(keep=EVERYTHING)


def test_ten_thousand_equal_lines(model: Model) -> None:
    for line in (
        "The same sentence stands on every line of this page, and there are ten thousand of them.",
        "Menu",
        "-",
    ):
        labelled = read(f"{line}\n" * 10_000, model)
        assert len(labelled.lines) == 10_000
        assert {line.text for line in labelled.lines} == {line}
    assert len(read("<p>Menu</p>" * 10_000, model).lines) == 10_000


@pytest.mark.parametrize(
    "wrong", [None, 3, 2.5, ["a page"], {"page": 1}, object(), bytearray(b"page"), memoryview(b"page")]
)
def test_wrong_types_raise_type_error(wrong: object, random_model: Model) -> None:
    with pytest.raises(TypeError):
        label(wrong, model=random_model)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        extract(wrong, model=random_model)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["a page", b"a page", Page("a page"), None, 3])
def test_label_many_takes_several_pages(wrong: object, random_model: Model) -> None:
    with pytest.raises(TypeError):
        list(label_many(wrong, model=random_model))  # type: ignore[arg-type]


def test_a_preference_that_is_none(random_model: Model) -> None:
    for wrong in ("speed", 1, Label.BODY):
        with pytest.raises(TypeError, match="prefer"):
            label("text", model=random_model, prefer=wrong)  # type: ignore[arg-type]


def test_a_model_that_is_none() -> None:
    with pytest.raises(TypeError):
        label("text", model="models/default.npz")  # type: ignore[arg-type]
