"""Evaluation: what measures collect, what is read off it, and the report that it becomes. The pages are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

for needed in ("sklearn", "rapidfuzz", "pyarrow", "matplotlib", "babel", "fontTools"):
    pytest.importorskip(needed, reason=f"{needed} is not installed (pip install '.[train]')")

# ruff: noqa: E402  what follows needs the packages asked for above
from extractor.html import parse_html
from extractor.model_file import Model
from extractor.page import LABELS
from extractor.training import hand_measures, measures, peers, reporting
from extractor.training.commands import train as train_command
from extractor.training.corpora import Dump, Source
from extractor.training.evaluation import Judge, Plan, evaluate
from extractor.training.evaluation_commands import evaluate as evaluate_command
from extractor.training.page_groups import never_measured, page_groups
from extractor.training.report_page import Section, Table, as_html, as_markdown
from extractor.training.samples import HAND, OURS, Evaluation, Key, Place, Sample
from extractor.training.score_gate import check_floors, record_floors
from extractor.training.targets import TARGETS, Bound, Standing
from extractor.training.worst_pages import worst_section

SHARED = Path(__file__).parent.parent.parent / "shared"
METRICS = """
import collections
def word_f1(text, gold, cjk):
    p, r = text.split(), gold.split()
    n = sum((collections.Counter(p) & collections.Counter(r)).values())
    return (0, 0, 2 * n / (len(p) + len(r)) if n else 0.0)
def string_shingle_matching(true, pred): return (1.0, 0.0, 0.0) if true == pred else (0.5, 0.25, 0.25)
def _aeb_p(tp, fp, fn): return tp / (tp + fp)
def _aeb_r(tp, fp, fn): return tp / (tp + fn)
"""
ARTICLE = """<html lang="nb"><head><title>Fergen står - Kystbladet</title></head><body><ul><li><a href="/">Hjem</a></li>
<li><a href="/sport">Sport</a></li></ul><h1>Fergen står</h1><p>Ingen kom seg over fjorden før klokken ni, og på kaia i
Vik ble kaffen drukket stående mens motoren fikk en ny pumpe.</p><h2>Slik kommer du hjem</h2><ul><li>Buss til Nes
</li><li>Båt fra Nes</li></ul><p>Gratis.</p><p>Rederiet venter at alt er som før i morgen tidlig, sier skipperen.</p>
<div>© Kystbladet</div></body></html>"""
DUMP = """Hjem
Sport

Fergen står

Ingen kom seg over fjorden før klokken ni, og på kaia i Vik ble kaffen drukket stående mens motoren fikk en ny pumpe.

Slik kommer du hjem
Buss til Nes
Båt fra Nes

Gratis.

Rederiet venter at alt er som før i morgen tidlig, sier skipperen.

© Kystbladet
"""
LABELS_READ = ("nav", "nav", "body", "body", "body", "body", "body", "body", "body", "nav")


def source(**changed: object) -> Source:
    """A page of the corpus wcxb whose one dump was read."""
    known: dict[str, object] = {
        "corpus": "wcxb", "id": "1", "split": "dev", "url": None, "site": "kystbladet.example", "page_type": "article",
        "html": ARTICLE.encode(), "gold": "\n".join(DUMP.split("\n")[5:14]), "title": "Fergen står", "must_have": (),
        "must_not_have": (), "segments": (), "covered": 1.0, "dumps": [Dump("w3m", DUMP, LABELS_READ)],
    }  # fmt: skip
    return Source(**{**known, **changed})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The shipped model, and metrics where they are looked for."""
    shared = tmp_path_factory.mktemp("shared")
    (shared / "tools").mkdir()
    (shared / "tools" / "metrics.py").write_text(METRICS)
    return Plan(Model.default(), shared)


@pytest.fixture(scope="module")
def result(plan: Plan) -> Evaluation:
    return evaluate([source(), source(id="2", site="other.example", corpus="newspaper")], plan)


# --- samples ----------------------------------------------------------------------------------------


def _sample(values: dict[str, float], sites: str) -> Sample:
    found = Sample(measures.mean)
    for (page, value), site in zip(values.items(), sites, strict=True):
        found.add(Place(page, site, {"type": "forum" if value < 0.5 else "article"}), (value, 1.0))
    return found


def test_a_difference_is_taken_on_the_pages_that_both_have() -> None:
    ours, theirs = _sample({"a": 0.9, "b": 0.4, "c": 0.1}, "xyz"), _sample({"b": 0.2, "a": 0.8}, "yx")
    found = ours.less(theirs)
    assert found is not None
    assert found.value == pytest.approx(0.15)
    assert (found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.2))
    assert ours.less(_sample({"d": 1.0}, "x")) is None


def test_a_part_of_a_sample_is_scored_by_itself() -> None:
    sample = _sample({"a": 0.9, "b": 0.4, "c": 0.2}, "xyy")
    assert sample.values("type") == ["article", "forum"]
    assert sample.part("type", "forum").score().value == pytest.approx(0.3)


def test_the_best_peer_is_the_one_with_the_highest_score() -> None:
    result = Evaluation()
    for name, values in (("first", {"a": 0.7}), ("second", {"a": 0.9}), (OURS, {"a": 0.8})):
        result.samples[Key("word F1", "wcxb", name, "html")] = _sample(values, "x")
    assert result.best_peer("word F1", "wcxb", ("first", "second")) == "second"
    assert result.best_peer("word F1", "newspaper", ("first",)) is None
    difference = result.difference("word F1", "wcxb", "second")
    assert difference is not None
    assert difference.value == pytest.approx(-0.1)


def test_calibration_by_page_adds_up_to_that_of_all_lines() -> None:
    random = np.random.default_rng(3)
    probabilities, pages = random.random(600), random.integers(0, 9, 600)
    truth = random.random(600) < probabilities**2
    vectors = measures.calibration_vectors(probabilities, truth, pages, 9)
    assert vectors[:, ::3].sum() == 600
    whole = measures.calibration_error(probabilities, truth)
    assert measures.calibration(vectors.sum(axis=0)) == pytest.approx(whole)
    assert whole > 0.1


# --- groups of pages -----------------------------------------------------------------------------------


def test_pages_know_their_script_and_language() -> None:
    assert page_groups(source())["language"] == "Norwegian Bokmål"
    russian = source(html=b"<html>", corpus="multilingual", gold="Паром стоит у причала, никто не жалуется.")
    assert page_groups(russian) == {
        "corpus": "multilingual", "type": "article", "script": "Cyrillic", "language": "unknown"
    }  # fmt: skip
    chinese = source(html=b"<html>", corpus="chinese-news", gold="渡轮停在码头,没有人抱怨。")
    assert (page_groups(chinese)["script"], page_groups(chinese)["language"]) == ("Han", "Chinese")


def test_languages_never_measured_are_named() -> None:
    assert never_measured(["cs", "el", "de"], ["German"]) == ["Czech", "Greek"]


# --- short body lines --------------------------------------------------------------------------------


def test_the_element_of_a_line_is_that_of_its_html() -> None:
    texts = parse_html(ARTICLE).texts
    found = hand_measures.html_elements(parse_html(ARTICLE), {"Fergen står"})
    named = {text: hand_measures.ELEMENTS[code] if code >= 0 else None for text, code in zip(texts, found, strict=True)}
    assert named["Fergen står"] is None
    assert named["Slik kommer du hjem"] == "sub-headings"
    assert named["Båt fra Nes"] == "list items"
    assert named["Gratis."] == "one-line answers"
    assert sum(name is None for name in named.values()) == 2  # the headline and the one long paragraph


def test_without_html_a_bullet_tells_an_item_and_a_wrapped_paragraph_is_no_answer() -> None:
    dump = "Ja.\n\n* en bolle\n\nEn setning som er brutt fordi\nden ble altfor lang for denne\ndumpen av en side."
    assert hand_measures.by_looks(dump).tolist() == [2, 0, -1, -1, -1]


def test_short_lines_that_are_lost_cost_recall() -> None:
    result, place = Evaluation(), Place("p", "s", {})
    truth, elements = np.array([0, 0, 0, 2, 0]), np.array([0, 1, 2, 2, -1])
    hand_measures.note_short_lines(result, place, np.array([0, 2, 0, 2, 2]), truth, elements, "dump")
    values = [result.score(measure, HAND, input="dump").value for measure in hand_measures.SHORT_MEASURES]  # type: ignore[union-attr]
    assert values == [pytest.approx(2 / 3), 1.0, 0.0, 1.0]


# --- the whole way --------------------------------------------------------------------------------------


def test_an_evaluation_holds_every_measure_that_applies(result: Evaluation) -> None:
    measured = {(key.measure, key.corpus, key.input) for key in result.samples}
    for input in ("html", "dump"):
        assert {
            ("word F1", "wcxb", input), ("page kind", "wcxb", input), ("headline found", "newspaper", input),
            ("label accuracy", HAND, input), ("recall of list items", HAND, input),
        } <= measured  # fmt: skip
        assert result.costs[OURS, "wcxb", input].pages == 1
    assert ("page kind", "newspaper", "html") not in measured


def test_labels_read_on_a_dump_judge_its_html_too(result: Evaluation) -> None:
    html = result.judged["html"][0]
    assert [LABELS[code].value for code in html.truth.tolist()] == list(LABELS_READ)


def test_dumps_read_by_hand_are_judged_in_unknown_words_too(result: Evaluation) -> None:
    known, unknown = (
        np.sum(result.samples[Key(measure, HAND, OURS, "dump")].vectors, axis=0).reshape(len(LABELS), len(LABELS))
        for measure in ("label accuracy", "label accuracy, words unknown")
    )
    assert known.sum(axis=1).tolist() == unknown.sum(axis=1).tolist()  # the same lines have the same true labels
    shown = next(
        section for section in reporting.sections(reporting.Findings(result)) if section.heading == "By language"
    ).tables[-1]
    assert [row[0] for row in shown.rows] == ["label accuracy", "label macro F1"]


def test_several_processes_find_the_same(plan: Plan, result: Evaluation) -> None:
    again = evaluate([source(), source(id="2", site="other.example", corpus="newspaper")], plan, jobs=2)
    assert {key: sample.vectors for key, sample in again.samples.items()} == {
        key: sample.vectors for key, sample in result.samples.items()
    }


def test_outputs_of_peers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load() -> peers.Extract:
        return lambda html, url: asked.append(url) or html.decode()[::-1]  # type: ignore[func-returns-value]

    monkeypatch.setitem(peers._PEERS, "backwards", peers.Peer(load, "pytest"))
    peers._loaded.cache_clear()
    for _ in range(2):
        assert peers.PeerOutputs(tmp_path).of("backwards", b"abc", "here").text == "cba"
    assert asked.count("here") == 1
    assert peers.PeerOutputs(tmp_path).of("backwards", b"xyz", "here").text == "zyx"
    assert asked.count("here") == 2


def test_a_page_that_a_peer_fails_on_is_lost_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {b"<p>x"}

    def extract(html: bytes, url: str | None) -> str:
        if html in broken:
            raise RecursionError("no page of this peer's")
        return "x"

    monkeypatch.setitem(peers._PEERS, "fails", peers.Peer(lambda: extract, "pytest"))
    peers._loaded.cache_clear()
    outputs = peers.PeerOutputs(tmp_path)
    lost = outputs.of("fails", b"<p>x", None)
    assert (lost.text, lost.failed) == ("", True)
    broken.clear()
    found = outputs.of("fails", b"<p>x", None)
    assert (found.text, found.failed) == ("x", False)
    assert peers.peer_version("fails") == pytest.__version__


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is missing: its metrics define the scores")
def test_scores_are_those_of_the_metrics_that_come_with_the_corpora() -> None:
    metrics = measures.load_metrics(SHARED)
    gold = "The ferry was late again, and nobody on the quay minded the wait at all."
    texts = [gold, "", "The ferry was late again, and nobody", "Menu Home The ferry was late again", "Cookies"]
    sources = [source(id=str(n), gold=gold if n else "", covered=1.0) for n in range(len(texts))]
    snippets = [source(corpus="multilingual", gold=None, must_have=("late again", "quay"), must_not_have=("Menu",))]
    samples: dict[str, Sample] = {}
    for one, text in [*zip(sources, texts, strict=True), *((snippets[0], text) for text in texts)]:
        for measure, vector, aggregate in Judge(metrics).vectors(one, text):
            samples.setdefault(measure, Sample(aggregate)).add(Place.of(one), vector)
    pairs = [(text, one.gold) for text, one in zip(texts, sources, strict=True)]
    triples = [(text, snippets[0].must_have, snippets[0].must_not_have) for text in texts]
    assert samples["word F1"].score().value == pytest.approx(metrics.word_scores(pairs)["f1"])
    assert samples["shingle F1"].score().value == pytest.approx(metrics.aeb_scores(pairs)["f1"])
    assert samples["snippet F1"].score().value == pytest.approx(metrics.snippet_scores(triples)["f1"])


# --- targets and the gate --------------------------------------------------------------------------------


def test_a_bound_is_held_against_the_side_that_it_names() -> None:
    score, difference = measures.Score(0.9, 0.8, 0.95, 9, 9), measures.Score(0.04, -0.01, 0.09, 9, 9)
    where = Standing(score, "peer", difference)
    held = {
        side: Bound(side, 0.0).holds(where) for side in ("score", "at most", "difference", "lower bound", "upper bound")
    }
    assert held == {
        "score": True, "at most": False, "difference": True, "lower bound": False, "upper bound": True,
    }  # fmt: skip
    assert Bound("difference", 0.05).holds(where) is False
    assert Bound("lower bound", 0.0).holds(Standing(score)) is None


def test_floors_rise_and_never_fall(tmp_path: Path) -> None:
    name, path = f"word F1, wcxb, {OURS}, html", tmp_path / "floors.json"
    record_floors({name: {"value": 0.9}}, "data", path)
    record_floors({name: {"value": 0.8}}, "data", path)
    other = name.replace("wcxb", "dragnet")
    record_floors({other: {"value": 0.7}}, "data", path)
    assert check_floors({name: {"value": 0.9}}, "data", path) == [f"{other}: not measured, floor 0.700"]
    path.unlink()
    record_floors({name: {"value": 0.9}}, "data", path)
    assert check_floors({name: {"value": 0.9}}, "data", path) == []
    assert check_floors({name: {"value": 0.88}}, "data", path) == [f"{name}: 0.880 is below its floor of 0.900"]
    assert "too good" in check_floors({name: {"value": 0.999}}, "data", path)[0]
    assert "other data" in check_floors({name: {"value": 0.9}}, "other", path)[0]


# --- the report --------------------------------------------------------------------------------------------


class _Outline(HTMLParser):
    """Which tags a page opens, and what they load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]


def test_a_report_says_all_that_was_found_and_loads_nothing(plan: Plan, result: Evaluation) -> None:
    found = reporting.Findings(result, None, {}, frozenset({"cs"}))
    parts = reporting.sections(found)
    markdown = as_markdown("Report", parts)
    for said in ("wcxb, word F1", "page kind", "headline found", "F1 of related-link", "Czech", "CPU ms a page", "w3m"):
        assert said in markdown
    page = _Outline()
    sources = [source(), source(id="2", site="other.example", corpus="newspaper")]
    page.feed(as_html("Report", [*parts, worst_section(result, sources, plan.model)]))
    assert page.tags.count("svg") >= 8
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "img", "link", "iframe"} & set(page.tags)


def test_the_worst_pages_show_their_lines_and_what_was_wrong(plan: Plan) -> None:
    read = ("body", *LABELS_READ[1:])
    wrong = source(dumps=[Dump("w3m", DUMP.replace("Hjem", "<b>Hjem</b>"), read)])
    section = worst_section(evaluate([wrong], plan), [wrong], plan.model)
    assert 'class="wrong"' in section.html
    assert "<b>body</b>&lt;b&gt;Hjem&lt;/b&gt;" in section.html
    assert section.html.count("<details>") == 4


def test_every_target_that_was_measured_has_a_row(result: Evaluation) -> None:
    rows = reporting.target_table(reporting.Findings(result)).rows
    measured = [target for target in TARGETS if target.corpus in (HAND, "wcxb", "newspaper")]
    assert len(rows) == len(measured)
    assert {"yes", "no", "no peer run"} == {cell.rpartition(": ")[2] for row in rows for cell in row[7:]}


def test_a_table_escapes_what_would_end_a_cell() -> None:
    table = Table(["a|b"], [["<i>x</i>\ny"]])
    assert table.markdown() == "| a\\|b |\n| --- |\n| <i>x</i> y |"
    page = as_html("t", [Section("s", tables=[table]), Section("empty")])
    assert "&lt;i&gt;x" in page
    assert "empty" not in page


@pytest.mark.parametrize("command", [evaluate_command, train_command])
def test_each_page_that_is_not_in_order_has_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Callable[[Sequence[str]], int]
) -> None:
    for name in ("a", "b\x1b"):
        (tmp_path / f"{name}.txt").write_text("The lamp is lit again.\n", encoding="utf-8")
        (tmp_path / f"{name}.labels").write_text("bogus\tThe lamp is lit again.\n", encoding="utf-8")
    assert command(["--pages", str(tmp_path)] if command is train_command else [str(tmp_path)]) == 2
    first, second = [line for line in capsys.readouterr().err.splitlines() if "bogus" in line]
    assert "a.txt" in first or "a.labels" in first
    assert r"b\x1b" in second
