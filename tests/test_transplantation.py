"""Pages put together of two: every line keeps its label, markup stays a tree, and no fold sees another's sites."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

for needed in ("rapidfuzz", "lightgbm", "html2text", "joblib"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.classifier import BODY, HEADER, HEADLINE, NAV
from extractor.html import MarkupPage, parse_html
from extractor.training.corpora import Dump, Source
from extractor.training.derivation import LabelledView, fold_of
from extractor.training.splicing import Place, place_of, spliced_dump, spliced_markup
from extractor.training.transplantation import transplanted_views
from extractor.training.views import label_codes, views

LEFT = Dump(
    "bs4",
    "Inselbote\n\nStart\nWetter\n\nVon Ida Boe\nDie Fähre fährt länger\n\nBis Mitternacht.\nTeilen\nAuch sonntags.\n"
    "Foto: Boe\n\nMehr\n \nMarkt zieht um\n",
    ("header", "nav", "nav", "header", "body", "body", "nav", "body", "header", "related-link", "related-link"),
)
RIGHT = Dump(
    "bs4",
    "Quay Times\nMenu\n\nThe crane\nIs red.\n\nComments\nAnn: so it is\n",
    ("header", "nav", "body", "body", "nav", "nav"),
)


def lines_of(dump: Dump) -> list[tuple[str, str]]:
    return list(zip([line for line in dump.text.split("\n") if line.strip()], dump.labels or (), strict=True))


def test_the_text_of_a_dump_stands_in_the_furniture_of_another() -> None:
    assert lines_of(spliced_dump(LEFT, RIGHT, RIGHT)) == [
        ("Inselbote", "header"), ("Menu", "nav"), *lines_of(LEFT)[3:9], *lines_of(RIGHT)[4:],
    ]  # fmt: skip
    assert lines_of(spliced_dump(RIGHT, LEFT, LEFT)) == [
        ("Quay Times", "header"), *lines_of(LEFT)[1:3], *lines_of(RIGHT)[2:4], *lines_of(LEFT)[9:],
    ]  # fmt: skip


def test_what_stands_below_may_come_from_a_third_dump_and_blank_lines_stay_with_the_line_they_precede() -> None:
    assert spliced_dump(RIGHT, LEFT, RIGHT).text == (
        "Quay Times\n\nStart\nWetter\n\nThe crane\nIs red.\n\nComments\nAnn: so it is"
    )
    assert spliced_dump(RIGHT, RIGHT, LEFT).text.endswith("Is red.\n\nMehr\n \nMarkt zieht um")


def test_a_dump_in_its_own_furniture_is_itself() -> None:
    for dump in (LEFT, RIGHT):
        assert lines_of(spliced_dump(dump, dump, dump)) == lines_of(dump)
        assert spliced_dump(dump, dump, dump).text == dump.text.rstrip("\n")


def test_copies_of_the_other_headline_are_left_out() -> None:
    titled = Dump(
        "bs4",
        "The crane is red - Quay Times\nMenu\nThe crane is red\nSo it is.\nShare\nBack to: The crane is red\n",
        ("header", "nav", "body", "body", "nav", "header"),
    )
    found = lines_of(spliced_dump(LEFT, titled, titled))
    assert found == [("Inselbote", "header"), ("Menu", "nav"), *lines_of(LEFT)[3:9], ("Share", "nav")]
    bare = Dump("bs4", "A boat\nIt is late.\nTop", ("body", "body", "nav"))
    assert lines_of(spliced_dump(bare, titled, titled)) == [
        ("Menu", "nav"), ("A boat", "body"), ("It is late.", "body"), ("Share", "nav"),
    ]  # fmt: skip
    assert lines_of(spliced_dump(titled, bare, bare)) == [*lines_of(titled)[2:4], ("Top", "nav")]


STORIES = (
    ("", "<article>{}</article>", ""),
    ("<main id=m>", "<div class=story>{}</div>", "</main>"),
    ("<section>", "<div class=s>{}<section><p>More boats</section></div>", "</section>"),
)
"""What stands around the block of a text, and that block."""


def page(number: int, story: tuple[str, str, str] = STORIES[0], body: str = "<body class=b{}>") -> tuple[str, str, str]:
    """A page: what stands before the block of its text, that block, and what stands behind it."""
    place = "abcdefghijklmnopqrstuvwxyzабвгдежзиклмнопрстуфхц"[number] * 3  # other digits are no other words
    text = "".join(
        f"<p class='t{number}'>Boat {number} leaves <i class=p>pier</i> {pier}, all day long.</p>" for pier in range(8)
    )
    before, block, behind = story
    return (
        f"<html><head><title>Ferry {number}</title><meta property=og:site_name content='Quay {place}'></head>"
        f"{body.format(number)}<nav><ul><li><a href=/>Home {place}</a></ul></nav>{before}",
        block.format(f"<h1>The ferry {number} runs until midnight</h1><p class=by>By Ann {number}</p>{text}"),
        f"{behind}<aside><a href=/x>Market moves {number}</a></aside><footer>© {number}</footer></body>",
    )


def text_place(markup: MarkupPage) -> Place:
    headline = next(line for line, text in enumerate(markup.texts) if text.startswith("The ferry"))
    place = place_of(markup, markup.parents[markup.blocks[headline]])
    assert place is not None
    return place


@pytest.mark.parametrize(("inner_body", "outer_body"), [("<body class=b{}>",) * 2, ("<body>", "<body id=o{}>")])
@pytest.mark.parametrize("inner_story", STORIES)
@pytest.mark.parametrize("outer_story", STORIES)
def test_a_block_in_the_place_of_another_reads_as_if_it_had_been_written_there(
    inner_story: tuple[str, str, str], outer_story: tuple[str, str, str], inner_body: str, outer_body: str
) -> None:
    inner, outer = page(1, inner_story, inner_body), page(2, outer_story, outer_body)
    written, left, right = map(parse_html, map("".join, ((outer[0], inner[1], outer[2]), inner, outer)))
    found = spliced_markup(right, text_place(right), left, text_place(left))
    for name in (
        "texts", "breaks", "blocks", "link_characters", "strong_characters", "button_characters", "links", "parents",
        "tags", "landmarks", "first_lines", "last_lines",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(written, name), name
    for codes in ("block_cues", "inline_cues"):
        assert names(found, codes) == names(written, codes)
    assert found.meta["title"] == "Ferry 1"
    assert found.meta["og:site_name"] == "Quay ccc"


def test_cells_that_are_one_line_are_no_place() -> None:
    markup = parse_html("<table><tr><td>High water<td>9.24</tr></table>")
    assert markup.texts == ["High water\t9.24"]
    row = markup.blocks[0]
    assert place_of(markup, row) is not None
    assert place_of(markup, row + 1) is None


def names(markup: MarkupPage, codes: str) -> list[str]:
    by_code = {code: cue for cue, code in markup.cues.items()}
    return [by_code[code] for code in getattr(markup, codes)]


def labelled_pages(number: int) -> tuple[list[Source], list[LabelledView]]:
    sources, labelled = [], []
    for page_number in range(number):
        html = "".join(page(page_number, STORIES[page_number % 2]))
        texts = parse_html(html).texts
        labels = ("nav", "body", "header", *("body",) * 8, "related-link", "nav")
        dump = Dump("bs4", "\n".join(texts), labels)
        source = Source(
            "wcxb", f"page{page_number}", "train", None, f"site{page_number}.example", "article", html.encode(), None,
            f"The ferry {page_number} runs until midnight", (), (), (), 0.0, [dump],
        )  # fmt: skip
        view = views(source).html
        classes = label_codes(labels).astype(int) + 1
        classes[1] = HEADLINE
        sources.append(source)
        labelled.append(LabelledView(view, classes, view.gold * 0 + 0.75, view.hand >= 0))
    return sources, labelled


def test_views_of_pages_within_a_fold_know_the_label_of_every_line() -> None:
    sources, labelled = labelled_pages(26)
    found, other = islice(transplanted_views(sources, labelled), 2)
    by_format = {name: [one for one in found if one.view.format == name] for name in ("html", "text")}
    assert all(len(some) >= 20 for some in by_format.values())
    for one in found:
        assert one.classes.tolist() == [NAV, HEADLINE, HEADER, *[BODY] * 8, 4, NAV]
        assert one.view.covered == 0
        assert one.read.all()
    assert all((one.trust == 0.75).all() for one in by_format["html"])
    again = next(transplanted_views(sources, labelled))
    assert [one.view.tokens.tolist() for one in found] == [one.view.tokens.tolist() for one in again]
    assert [one.view.tokens.tolist() for one in found] != [one.view.tokens.tolist() for one in other]


def test_no_page_is_put_together_of_two_folds() -> None:
    sources, labelled = labelled_pages(26)
    tokens = {one.view.site: set(one.view.tokens[: one.view.token_offsets[1]].tolist()) for one in labelled}
    menus: dict[int, set[int]] = {}
    for site, first in tokens.items():
        menus.setdefault(fold_of(site), set()).update(first)
    for one in next(transplanted_views(sources, labelled)):
        menu = set(one.view.tokens[: one.view.token_offsets[1]].tolist())
        assert menu <= menus[fold_of(one.view.site)]
        assert not menu <= tokens[one.view.site]


def test_what_is_left_of_the_other_text_is_not_learned_from() -> None:
    sources, labelled = labelled_pages(26)
    for one in labelled:  # a teaser that was taken for body, outside of the block of the text
        one.classes[-2] = BODY
    for one in next(transplanted_views(sources, labelled)):
        if one.view.format == "html":
            assert one.trust.tolist() == [0.75] * 11 + [0.0, 0.75]


def test_pages_of_a_kind_are_put_together_with_their_own_kind_and_articles_left_out() -> None:
    sources, labelled = labelled_pages(48)
    kinds = ("article", "product", "service", None)
    typed = [replace(source, page_type=kinds[number % 4]) for number, source in enumerate(sources)]
    menus = {one.view.id: set(one.view.tokens[: one.view.token_offsets[1]].tolist()) for one in labelled}
    kind_of = {source.id: source.page_type for source in typed}
    found = next(transplanted_views(typed, labelled, of_a_kind=True))
    assert {kind_of[one.view.id] for one in found} == {"product", "service"}
    for one in found:
        menu = set(one.view.tokens[: one.view.token_offsets[1]].tolist())
        (other,) = [id for id, known in menus.items() if menu <= known]
        assert other != one.view.id
        assert kind_of[other] == kind_of[one.view.id]


def test_pages_of_one_site_alone_are_not_put_together() -> None:
    sources, labelled = labelled_pages(26)
    alone = [replace(source, site="site.example") for source in sources]
    assert next(transplanted_views(alone, labelled)) == []
