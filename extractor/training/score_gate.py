"""Scores -> a file of floors, and what is wrong with later scores by it. Raising a floor is one command."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from extractor.training.samples import OURS

SLACK = 0.003
"""A score may fall this far below its floor: what another processor's rounding may move."""
CEILING = 0.99
"""A score above this is taken for a leak."""


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
    """Raise the floors to what is measured: on the same data none is lowered or lost by this, on other data all are
    anew."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    floors = dict(known["floors"]) if known.get("digest") == digest else {}
    for name, entry in found.items():
        if f", {OURS}, " in name and "calibration" not in name and "cleaneval" not in name:
            floors[name] = max(round(entry["value"], 3), floors.get(name, 0.0))
    recorded = {"digest": digest, "ceiling": CEILING, "floors": dict(sorted(floors.items()))}
    path.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
