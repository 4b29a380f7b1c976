"""What `clean` makes of a folder whose lines repeat: the same for any order, parts and number of processes, copies
found, nothing lost of what stands twice, and lines that stand on every page of a site and are body all the same.

tests/sites/ holds small sites, written for this project, a folder each: put six labelled pages there and they are
a test."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from extractor import Label, LabelledPage, Model, RepetitionTable, TableError, label_many
from extractor.copies import SMALLEST_SHARED
from extractor.corpus.batch import CleanSettings
from extractor.corpus.folder import PageFile, input_files
from extractor.corpus.preparation import RepetitionSettings, left_out_copies
from extractor.corpus.readers import ReadSettings, pieces_of
from extractor.corpus.repeated import CountedPages, CountSettings, count_pages
from extractor.corpus.run import Finished, RunSettings, clean_corpus
from extractor.labelled_pages import HandLabelledPage, check_labelled_pages, lines_of, read_labelled_pages
from extractor.long_lines import LONG_LINE
from extractor.model_file import default_model_path
from extractor.sites import SiteFrom

TESTS = Path(__file__).parent
SITES = TESTS / "sites"
SITE_NAMES = sorted(path.name for path in SITES.iterdir())
SEEDS = sorted((TESTS.parent.parent / "shared" / "seeds").glob("*.txt"))
FOLDER = ReadSettings(SiteFrom("folder"))
needs_model = pytest.mark.skipif(
    not default_model_path().exists(), reason="models/default.npz is missing; make it with: make model"
)
needs_seeds = pytest.mark.skipif(len(SEEDS) < 2, reason="the seeds are not in ../shared/seeds beside this repository")
LARGEST_LOSS = 0.002
HARD_LINES: dict[str, tuple[str, ...]] = {
    "book_reviews_ru": ("О чём книга", "Что не понравилось"),
    "gardening_pt": ("Lave sempre bem as folhas antes de as comer.",),
    "health_questions_zh": ("常见症状",),
    "museums_fr": ("Comment venir",),
    "proverbs_ar": ("معنى المثل",),
    "recipes_de": ("Guten Appetit!",),
    "science_club_ko": ("실험은 꼭 어른과 함께 하세요.",),
    "serial_novel_ja": ("つづく", "前回までのあらすじ"),
}
"""Standing body lines that are not body on some page: short headings right under a byline, single sentences or words
at the end of the text, where furniture begins. Expected to fail until they do not."""


def run(
    source: Path, output: Path, model: Path | None = None, *, keep_one: bool = False, **how: int
) -> tuple[Finished, dict[str, bytes]]:
    """What `extractor clean` makes of a folder: the run, and all files by name."""
    settings = CleanSettings(model=model, reading=FOLDER)
    asked = RepetitionSettings(keep_one=keep_one)
    finished = clean_corpus(source, output, settings, asked, RunSettings(**how))
    return finished, {path.relative_to(output).as_posix(): path.read_bytes() for path in files(output)}


def pages_of(folder: Path) -> list[PageFile]:
    return [file for file in input_files(folder) if isinstance(file, PageFile)]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def counted(folder: Path, **settings: object) -> CountedPages:
    return count(pages_of(folder), **settings)


def count(pages: Sequence[PageFile], **settings: object) -> CountedPages:
    return count_pages(pieces_of(pages, FOLDER, pages=3), replace(CountSettings(FOLDER), **settings))


def label_folder(folder: Path, model: Model | None = None, *, alone: bool = False) -> dict[str, LabelledPage]:
    """The pages of a folder as `clean` labels them, with the folder's own table (alone: with none)."""
    table = None if alone else counted(folder, single=False).table
    pages = (page.read(FOLDER.site_from) for page in pages_of(folder))
    return {page.id or "": page for page in label_many(pages, model=model, repetition=table)}


def copy_groups(folder: Path) -> list[set[str]]:
    groups: dict[int, set[str]] = {}
    for copy in counted(folder).copies():
        groups.setdefault(copy.group, set()).add(copy.page)
    return list(groups.values())


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Three of the sites, one of them crawled twice, and a page of one in another's folder."""
    for name in SITE_NAMES[:3]:
        shutil.copytree(SITES / name, tmp_path / "crawl" / name, ignore=shutil.ignore_patterns("*.labels"))
    shutil.copytree(SITES / SITE_NAMES[0], tmp_path / "crawl" / "again", ignore=shutil.ignore_patterns("*.labels"))
    shutil.copy(SITES / SITE_NAMES[1] / "1.txt", tmp_path / "crawl" / SITE_NAMES[2] / "guest.txt")
    (tmp_path / "crawl" / "page.html").write_text("<nav>Menu</nav><p>The lamp is lit.", encoding="utf-8")
    (tmp_path / "crawl" / "blank.txt").write_text("\n", encoding="utf-8")
    return tmp_path / "crawl"


# --- the same however it is done --------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize("keep_one", [False, True])
def test_the_number_of_processes_changes_nothing(
    crawl: Path, tmp_path: Path, random_model_path: Path, jobs: int, keep_one: bool
) -> None:
    alone, expected = run(crawl, tmp_path / "out1", random_model_path, keep_one=keep_one)
    several, found = run(crawl, tmp_path / "out2", random_model_path, keep_one=keep_one, jobs=jobs, piece_pages=2)
    assert (several.summary, several.groups, found) == (alone.summary, alone.groups, expected)


def test_that_one_of_each_group_is_kept_changes_no_label(crawl: Path, tmp_path: Path, random_model_path: Path) -> None:
    settings = CleanSettings(model=random_model_path, reading=FOLDER)
    clean_corpus(crawl, tmp_path / "all", settings, RepetitionSettings(own_table=False))
    finished = clean_corpus(crawl, tmp_path / "one", settings, RepetitionSettings(own_table=False, keep_one=True))
    every, one = ({path.relative_to(out): path.read_bytes() for path in files(out) if path.suffix == ".txt"}
                  for out in (tmp_path / "all", tmp_path / "one"))  # fmt: skip
    assert finished.summary.left_out == len(every) - len(one) > 0
    assert one.items() <= every.items()


def test_the_order_of_the_files_changes_nothing(crawl: Path, tmp_path: Path) -> None:
    pages = pages_of(crawl)
    expected = count(pages, mergeable=True)
    for seed in range(3):
        turned = random.Random(seed).sample(pages, len(pages))
        found = count(turned, mergeable=True, memory=1)
        assert saved(found.table, tmp_path) == saved(expected.table, tmp_path)
        assert found.copies() == expected.copies()


@pytest.mark.parametrize("parts", [2, 5])
def test_a_table_built_in_parts_and_merged(crawl: Path, tmp_path: Path, parts: int) -> None:
    pages = pages_of(crawl)
    tables = [count(pages[part::parts], mergeable=True).table for part in range(parts)]
    whole = count(pages, mergeable=True).table
    assert saved(RepetitionTable.merge(tables), tmp_path) == saved(whole, tmp_path)


def saved(table: RepetitionTable, folder: Path) -> bytes:
    table.save(folder / "table.npz")
    return (folder / "table.npz").read_bytes()


def test_clean_writes_what_the_table_makes_of_each_page(
    crawl: Path, tmp_path: Path, random_model: Model, random_model_path: Path
) -> None:
    _, written = run(crawl, tmp_path / "out", random_model_path)
    labelled = label_folder(crawl, random_model)
    for page in pages_of(crawl):
        text = labelled[page.name].text()
        assert written[page.output].decode() == (f"{text}\n" if text else "")
    assert set(written) == {*(page.output for page in pages_of(crawl)), "copies.jsonl"}


def test_the_table_reaches_the_labels(crawl: Path, random_model: Model) -> None:
    with_table, without = label_folder(crawl, random_model), label_folder(crawl, random_model, alone=True)
    assert any(page.probabilities != without[name].probabilities for name, page in with_table.items())


def test_a_folder_with_few_pages_is_cleaned_as_each_page_alone(tmp_path: Path, random_model: Model) -> None:
    for number in range(1, 5):
        shutil.copy(SITES / SITE_NAMES[0] / f"{number}.txt", tmp_path)
    with_table, without = label_folder(tmp_path, random_model), label_folder(tmp_path, random_model, alone=True)
    assert all(page.probabilities == without[name].probabilities for name, page in with_table.items())


def test_a_damaged_table_is_refused_before_any_work(crawl: Path, tmp_path: Path, random_model_path: Path) -> None:
    table = tmp_path / "table.npz"
    data = bytearray(saved(counted(crawl).table, tmp_path))
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    settings = CleanSettings(model=random_model_path, reading=FOLDER, repetition=table)
    with pytest.raises(TableError, match=r"table\.npz: .*build the table anew"):
        clean_corpus(crawl, tmp_path / "out", settings)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out.run").exists()


# --- copies -----------------------------------------------------------------------------------------


def test_one_page_of_each_group_is_written(crawl: Path, tmp_path: Path, random_model_path: Path) -> None:
    everything, all_written = run(crawl, tmp_path / "all", random_model_path)
    summary, written = run(crawl, tmp_path / "one", random_model_path, keep_one=True)
    groups = copy_groups(crawl)
    left_out = list(summary.run.unwritten())
    names = {page["name"] for page in left_out}
    assert len(groups) == 7
    assert all(len(group - names) == 1 for group in groups)
    assert names < set.union(*groups)
    assert summary.summary.pages == everything.summary.pages - len(names)
    assert all(page["reason"].startswith("a copy of ") for page in left_out)
    assert {page["status"] for page in left_out} == {"left-out"}
    for name, text in written.items():
        assert name == "copies.jsonl" or text == all_written[name]


def test_left_out_pages_name_the_fullest(crawl: Path) -> None:
    copies = counted(crawl).copies()
    fullest = {copy.page for copy in copies if copy.fullest}
    for name, reason in left_out_copies(copies).items():
        assert reason.removeprefix("a copy of ").split(" (")[0] in fullest
        assert name not in fullest


def test_a_folder_without_copies_has_no_report(tmp_path: Path, random_model_path: Path) -> None:
    for number in range(1, 7):
        shutil.copy(SITES / SITE_NAMES[0] / f"{number}.txt", tmp_path)
    summary, written = run(tmp_path, tmp_path / "out", random_model_path, keep_one=True)
    assert (summary.summary.pages, summary.summary.left_out) == (6, 0)
    assert "copies.jsonl" not in written


def test_a_page_in_both_formats_is_its_own_copy(tmp_path: Path) -> None:
    for page in read_labelled_pages(SITES / SITE_NAMES[0]):
        shutil.copy(page.path, tmp_path)
        lines = page.path.read_text(encoding="utf-8").split("\n")
        (tmp_path / f"{page.path.stem}.html").write_text("".join(f"<p>{line}" for line in lines), encoding="utf-8")
    assert len(copy_groups(tmp_path)) == 6
    assert counted(tmp_path).table.card["distinct_pages"] == 6


def seeds_alone(folder: Path) -> None:
    shutil.copy(SEEDS[0], folder)


def seeds_in_one_folder(folder: Path) -> None:
    for seed in SEEDS:
        shutil.copy(seed, folder)


def seeds_in_two_folders(folder: Path) -> None:
    for number, seed in enumerate(SEEDS):
        (folder / f"site{number}").mkdir()
        shutil.copy(seed, folder / f"site{number}")


def seeds_among_others(folder: Path) -> None:
    seeds_in_one_folder(folder)
    for name in SITE_NAMES:
        for page in (SITES / name).glob("*.txt"):
            shutil.copy(page, folder / f"{name}-{page.name}")


@needs_seeds
@pytest.mark.parametrize("lay_out", [seeds_alone, seeds_in_one_folder, seeds_in_two_folders, seeds_among_others])
def test_the_seeds_are_reported_as_copies(tmp_path: Path, lay_out: Callable[[Path], None]) -> None:
    lay_out(tmp_path)
    seeds = {page.name for page in pages_of(tmp_path) if page.path.name in {seed.name for seed in SEEDS}}
    assert copy_groups(tmp_path) == ([seeds] if len(seeds) == 2 else [])


@needs_seeds
@needs_model
@pytest.mark.parametrize(
    "lay_out",
    [
        seeds_in_one_folder,
        seeds_in_two_folders,
        seeds_among_others,
    ],
)
def test_the_seeds_have_the_same_labels_as_alone(tmp_path: Path, lay_out: Callable[[Path], None]) -> None:
    lay_out(tmp_path)
    labelled = label_folder(tmp_path)
    for seed in SEEDS:
        alone = next(label_many([PageFile(seed, seed.name, "text").read()]))
        found = next(page for name, page in labelled.items() if name.endswith(seed.name))
        assert found.labels == alone.labels


# --- what stands twice is not lost ------------------------------------------------------------------

FURNITURE = ("Harbour Gazette", "Home", "Local news", "Sport", "Tide tables", "Log in")
FOOTER = ("Share this article", "Newsletter", "Advertise with us", "Contact", "Privacy", "© Harbour Gazette")
ARTICLES = 20


def articles() -> Iterator[tuple[str, list[str]]]:
    """Name and body lines of twenty pages of tests/pages and tests/sites that have some prose."""
    pages = [*read_labelled_pages(TESTS / "pages"), *read_labelled_pages(SITES)]
    found = []
    for page in pages:
        body = body_lines(page)
        if page.page.kind == "text" and sum(max(len(line) - LONG_LINE, 0) for line in body) >= 2 * SMALLEST_SHARED:
            found.append((f"{page.path.parent.name}-{page.path.stem}", body))
    assert len(found) >= ARTICLES
    return iter(found[:ARTICLES])


def body_lines(page: HandLabelledPage) -> list[str]:
    lines = zip(lines_of(page.page), page.labels, strict=True)
    return [line for line, label in lines if label is Label.BODY]


def write_site(folder: Path, *, also: Callable[[list[str]], list[str]] | None = None) -> dict[str, list[str]]:
    """A site of twenty articles, each again as `also` lays it out; the body of every page by its name."""
    bodies = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in articles():
        layouts = {name: full_page(body), **({f"{name}-also": also(body)} if also else {})}
        for file, lines in layouts.items():
            (folder / f"{file}.txt").write_text("\n\n".join(lines), encoding="utf-8")
            bodies[f"{file}.txt"] = body
    return bodies


def full_page(body: list[str]) -> list[str]:
    return [*FURNITURE, *body, *FOOTER]


def print_view(body: list[str]) -> list[str]:
    return [FURNITURE[0], *body, FOOTER[-1]]


def later_crawl(body: list[str]) -> list[str]:
    return ["Flood warning for the lower quay", *FURNITURE, *body, "Most read today", *FOOTER]


def body_f1(labelled: dict[str, LabelledPage], bodies: dict[str, list[str]]) -> float:
    """Mean over pages of the F1 of the characters in lines labelled body."""
    scores = []
    for name, body in bodies.items():
        given = [line.text for line in labelled[name].lines if line.label is Label.BODY]
        right = sum(len(line) for line in set(given) & set(body))
        scores.append(2 * right / (sum(map(len, set(given))) + sum(map(len, set(body)))))
    return sum(scores) / len(scores)


@needs_model
@pytest.mark.parametrize("also", [full_page, print_view, later_crawl])
def test_articles_that_are_saved_twice_lose_no_body(tmp_path: Path, also: Callable[[list[str]], list[str]]) -> None:
    once = write_site(tmp_path / "once")
    write_site(tmp_path / "twice", also=also)
    single, double = label_folder(tmp_path / "once"), label_folder(tmp_path / "twice")
    assert body_f1(double, once) >= body_f1(single, once) - LARGEST_LOSS


@needs_model
def test_a_crawl_that_is_kept_twice_loses_no_body(tmp_path: Path) -> None:
    once = write_site(tmp_path / "once")
    for crawl in ("first", "second"):
        write_site(tmp_path / "twice" / crawl)
    single, double = label_folder(tmp_path / "once"), label_folder(tmp_path / "twice")
    assert {name.split("/")[0] for name in double} == {"first", "second"}
    for crawl in ("first", "second"):
        of_crawl = {name.split("/")[1]: page for name, page in double.items() if name.startswith(crawl)}
        assert body_f1(of_crawl, once) >= body_f1(single, once) - LARGEST_LOSS


# --- lines on every page that are body --------------------------------------------------------------


def standing_lines(pages: Sequence[HandLabelledPage]) -> set[str]:
    """Lines that are body on two thirds of the pages or more."""
    bodies = [set(body_lines(page)) for page in pages]
    counts = Counter(line for body in bodies for line in body)
    return {line for line, count in counts.items() if 3 * count >= 2 * len(pages)}


def test_the_sites_are_in_order() -> None:
    assert check_labelled_pages(SITES) == []
    assert len(SITE_NAMES) >= 10
    assert set(HARD_LINES) <= set(SITE_NAMES)
    for name in SITE_NAMES:
        pages = read_labelled_pages(SITES / name)
        assert len(pages) >= 6
        assert standing_lines(pages)


def standing_cases() -> Iterator[object]:
    for name in SITE_NAMES:
        for line in sorted(standing_lines(read_labelled_pages(SITES / name))):
            hard = line in HARD_LINES.get(name, ())
            yield pytest.param(name, line, id=f"{name}: {line}", marks=[pytest.mark.xfail] if hard else [])


def test_the_hard_lines_are_standing_ones() -> None:
    for name, lines in HARD_LINES.items():
        assert set(lines) <= standing_lines(read_labelled_pages(SITES / name))


@lru_cache(maxsize=1)
def labelled_site(name: str) -> dict[str, LabelledPage]:
    return label_folder(SITES / name)


@needs_model
@pytest.mark.parametrize(("name", "standing"), list(standing_cases()))
def test_a_line_on_every_page_that_is_body_stays_body(name: str, standing: str) -> None:
    lost = [
        f"{page}: {line.label} {line.probabilities[0]:.2f}"
        for page, labelled in labelled_site(name).items()
        for line in labelled.lines
        if line.text == standing and line.label is not Label.BODY
    ]
    assert not lost, "\n".join(lost)
