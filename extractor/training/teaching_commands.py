"""`extractor train --pages`: labelled pages of one's own -> a taught model, and a report beside it.

The report is of pages that were held out. A model that does worse on them than the one that was taught, or than the
one that it would replace, is not written, unless one asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from extractor.errors import ModelError
from extractor.model_file import FORMATS, Model
from extractor.training.measures import Score
from extractor.training.own_evaluation import judge_pages
from extractor.training.own_pages import OwnPage, read_own_pages
from extractor.training.progress import Steps
from extractor.training.report_page import as_html, as_markdown
from extractor.training.samples import Evaluation
from extractor.training.teaching import TeachingSettings, teach
from extractor.training.teaching_report import TITLE, report_sections
from extractor.training.teaching_trial import Trial, all_lines, lessons, scores, try_out

NOT_BETTER = 1
_LESSON = "landmarks"
"""What the steps are told by that take nearly all of the time."""


def teach_command(folder: Path, model_path: Path, output: Path, settings: TeachingSettings, force: bool) -> int:
    """Teach a model the pages of a folder, write it and its report. The exit code. LabelsError, ModelError, OSError,
    ValueError for wrong input."""
    pages, model = read_own_pages(folder), Model.load(model_path)
    if _learned(model):
        raise ValueError(f"{model_path}: was taught pages already; teach the model that it was made from all pages")
    rival = _rival(output, force)
    with Steps(len(FORMATS) * (lessons(pages) + 1), lambda step: float(_LESSON in step)) as progress:
        trial = try_out(model, pages, settings, progress)
        progress("the model of all pages")
        taught = teach(model, pages, settings, progress)
    if not taught.landmarks:
        raise ValueError(f"{folder}: no two pages of a folder share lines, so there is no site to learn")
    card = _card(model, pages, trial, settings)
    refusal = _refusal(trial, pages, rival, output)
    _write_report(output, report_sections(trial, card, _verdict(trial, refusal, output, force)))
    if refusal and not force:
        print(f"not written: {refusal}; --force writes it all the same ({output.with_suffix('.html')} says more)")
        return NOT_BETTER
    replace(taught, card=card).save(output)
    reports = " and ".join(str(output.with_suffix(ending)) for ending in (".md", ".html"))
    print(f"{output}: {output.stat().st_size} bytes; {reports} say how it does on pages held out")
    return 0


def _learned(model: Model) -> frozenset[str]:
    """The digests of the pages that a model was taught on."""
    return frozenset(model.card.get("taught", {}).get("pages", ()))


def _rival(output: Path, force: bool) -> Model | None:
    """The model that would be replaced, if there is one."""
    try:
        return Model.load(output) if output.exists() else None
    except ModelError as error:
        if force:
            return None
        raise ValueError(f"{error}; --force replaces it") from None


def _refusal(trial: Trial, pages: Sequence[OwnPage], rival: Model | None, output: Path) -> str:
    """Why the model should not be written; empty if it should. A rival is judged on what it was not taught."""
    taught = all_lines(trial.best)
    gain = taught.less(all_lines(trial.current))
    if gain and gain.value < 0:
        return f"on the pages held out the model as it was is better, accuracy {_signed(gain)}"
    known = _learned(rival) if rival else frozenset[str]()
    unseen = [page.page for page in pages if page.digest not in known]
    if rival and unseen:
        result = Evaluation()
        judge_pages(result, unseen, rival, by_site=trial.by_site)
        gain = taught.less(all_lines(result))
        if gain and gain.value < 0:
            return f"{output} is better on the {len(unseen)} pages that it has not learned, accuracy {_signed(gain)}"
    return ""


def _verdict(trial: Trial, refusal: str, output: Path, force: bool) -> str:
    before, after = all_lines(trial.current), all_lines(trial.best)
    gain = after.less(before)
    said = f"Label accuracy on the pages held out: {before.score()} as it was, {after.score()} taught"
    said += f", {_signed(gain)}." if gain else "."
    if not refusal:
        return f"{said} Written to {output}."
    return f"{said} {'Written, since asked to, although' if force else 'Not written:'} {refusal}."


def _signed(gain: Score) -> str:
    return f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"


def _card(model: Model, pages: Sequence[OwnPage], trial: Trial, settings: TeachingSettings) -> Mapping[str, Any]:
    """What the model was made of: the card of the model that was taught, and what it was taught."""
    return {
        **model.card,
        "taught": {
            "pages": [page.digest for page in pages],
            "sites": len({page.site for page in pages}),
            "lines": sum(len(page.page.labels) for page in pages),
            "weight": settings.weight,
        },
        "scores": {"held out": "pages", **scores(trial.best)},
        "limits": f"taught on pages of {len({page.site for page in pages})} sites; before: {model.card.get('limits')}",
    }


def _write_report(path: Path, sections: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(as_markdown(TITLE, sections), encoding="utf-8", errors="replace")
    path.with_suffix(".html").write_text(as_html(TITLE, sections), encoding="utf-8", errors="replace")
