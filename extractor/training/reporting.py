"""An evaluation -> tables for people (Markdown) and for programs (JSON), and the score gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from extractor.page import LABELS
from extractor.training.evaluation import HAND_MEASURES, OURS, Evaluation
from extractor.training.measures import calibration_error

TABLE = (
    ("word F1", "wcxb"), ("shingle F1", "newspaper"), ("snippet F1", "multilingual"), ("word F1", "l3s-gn1"),
    ("word F1", "dragnet"), ("word F1", "chinese-news"), ("word F1", "cleaneval"),
)  # fmt: skip
GROUPED = (("word F1", "wcxb", "type"), ("word F1", "wcxb", "converter"), ("label accuracy", "hand", "converter"),
           ("label accuracy", "hand", "corpus"))  # fmt: skip
SLACK = 0.003
"""A score may fall this far below its floor: what another processor's rounding may move."""


def markdown(result: Evaluation, peers: Sequence[str]) -> str:
    """The tables of an evaluation."""
    parts = [
        _table(rows)
        for rows in (
            _main_rows(result, peers),
            _hand_rows(result),
            _difference_rows(result, peers),
            _cost_rows(result, peers),
        )
    ]
    parts += [_table(_group_rows(result, *group)) for group in GROUPED]
    return "\n\n".join(part for part in parts if part) + "\n"


def scores(result: Evaluation) -> dict[str, Any]:
    """Every score by "measure, corpus, extractor, input"."""
    found = {}
    for key, sample in result.samples.items():
        score = sample.score()
        if score is not None:
            found[", ".join(key)] = asdict(score)
    found.update({f"calibration error, hand, {OURS}, {name}": {"value": value} for name, value in _calibration(result)})
    return found


def _main_rows(result: Evaluation, peers: Sequence[str]) -> list[list[str]]:
    rows = [["measure", "extractor, HTML", "extractor, dumps", *peers]]
    for measure, corpus in TABLE:
        ours = result.score(measure, corpus)
        if ours is None:
            continue
        cells = [f"{corpus}, {measure} ({ours.pages} pages)", str(ours)]
        cells.append(str(result.score(measure, corpus, input="dump") or ""))
        cells += [str(result.score(measure, corpus, peer) or "") for peer in peers]
        rows.append(cells)
    for measure, corpus in (("headline found", "newspaper"), ("page kind", "wcxb")):
        cells = [str(result.score(measure, corpus, input=input) or "") for input in ("html", "dump")]
        if any(cells):
            rows.append([f"{corpus}, {measure}", *cells, *("" for _ in peers)])
    return rows


def _difference_rows(result: Evaluation, peers: Sequence[str]) -> list[list[str]]:
    rows = [["ours less the peer's from HTML, by page", "HTML", "dumps"]]
    for measure, corpus in TABLE:
        for peer in peers:
            cells = [str(result.difference(measure, corpus, peer, input) or "") for input in ("html", "dump")]
            if any(cells):
                rows.append([f"{corpus}, {peer}", *cells])
    return rows


def _hand_rows(result: Evaluation) -> list[list[str]]:
    rows = [["hand-labelled dumps", "score"]]
    for measure in HAND_MEASURES:
        score = result.score(measure, "hand", input="dump")
        if score is not None:
            rows.append([f"{measure} ({score.pages} dumps)", str(score)])
    return rows + [[f"calibration error, {name}", f"{value:.3f}"] for name, value in _calibration(result)]


def _calibration(result: Evaluation) -> list[tuple[str, float]]:
    if not result.truth:
        return []
    probabilities, truth = np.concatenate(result.probabilities), np.concatenate(result.truth)
    return [
        (label.value, calibration_error(probabilities[:, code], truth == code)) for code, label in enumerate(LABELS)
    ]


def _cost_rows(result: Evaluation, peers: Sequence[str]) -> list[list[str]]:
    corpora = sorted({corpus for _, corpus, _ in result.pages})
    rows = [["CPU ms a page, one page a call", *corpora]]
    for name, input in ((OURS, "html"), (OURS, "dump"), *((peer, "html") for peer in peers)):
        cells = []
        for corpus in corpora:
            pages = result.pages.get((name, corpus, input), 0)
            cells.append(f"{result.seconds[name, corpus, input] * 1000 / pages:.1f}" if pages else "")
        rows.append([f"{name}, {input}", *cells])
    return rows


def _group_rows(result: Evaluation, measure: str, corpus: str, group: str) -> list[list[str]]:
    rows = [[f"{corpus}, {measure}, by {group}", "HTML", "dumps"]]
    samples = {input: result.samples.get((measure, corpus, OURS, input)) for input in ("html", "dump")}
    values = sorted({value for sample in samples.values() if sample for value in sample.values(group)})
    for value in values:
        cells = []
        for sample in samples.values():
            score = sample.score(lambda groups, value=value: groups.get(group) == value) if sample else None  # type: ignore[misc]
            cells.append(f"{score} [{score.pages}]" if score else "")
        rows.append([value, *cells])
    return rows if len(rows) > 1 else []


def _table(rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if len(lines) < 2:
        return ""
    columns = lines[0].count(" | ") + 1
    return "\n".join([lines[0], "|" + " --- |" * columns, *lines[1:]])


# --- the gate ---------------------------------------------------------------------------------------


def data_digest(files: Iterable[Path]) -> str:
    """SHA-256 over names and bytes of the data that scores were measured on."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def check_floors(found: dict[str, Any], digest: str, path: Path) -> list[str]:
    """What is wrong with the scores by the recorded floors: one line each, none if all is well."""
    recorded = json.loads(path.read_text(encoding="utf-8"))
    if recorded["digest"] != digest:
        return [f"{path}: the floors were recorded on other data; record them anew with --record-floors"]
    wrong = []
    for name, floor in recorded["floors"].items():
        value = found.get(name, {}).get("value")
        if value is None:
            wrong.append(f"{name}: not measured, floor {floor:.3f}")
        elif value < floor - SLACK:
            wrong.append(f"{name}: {value:.3f} is below its floor of {floor:.3f}")
        elif value > recorded["ceiling"]:
            wrong.append(f"{name}: {value:.3f} is too good to be true: was it trained on these pages?")
    return wrong


def record_floors(found: dict[str, Any], digest: str, path: Path) -> None:
    """Raise the floors to what is measured; a floor is never lowered by this."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"floors": {}}
    same = known.get("digest") == digest
    floors = {
        name: max(round(entry["value"], 3), known["floors"].get(name, 0.0) if same else 0.0)
        for name, entry in sorted(found.items())
        if f", {OURS}, " in name and "calibration" not in name and "cleaneval" not in name
    }
    recorded = {"digest": digest, "ceiling": 0.99, "floors": floors}
    path.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
