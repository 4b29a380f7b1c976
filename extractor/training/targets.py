"""What accuracy must reach: for each measure a floor and an aim, held against a score and the best peer's.

"Above the best peer" is said of the paired difference on the same pages; the strictest of them of its lower 95 % bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extractor.page import LABELS
from extractor.training.measures import Score
from extractor.training.samples import HAND

Side = Literal["score", "at most", "difference", "lower bound", "upper bound"]
_SAID = {
    "score": "{:.3f}", "at most": "at most {:.3f}", "difference": "at least best peer {:+.3f}",
    "lower bound": "surely above best peer {:+.3f}", "upper bound": "not surely below best peer {:+.3f}",
}  # fmt: skip


class Standing(NamedTuple):
    """A score, the best peer and how far the score is above it on the same pages."""

    score: Score
    peer: str | None = None
    difference: Score | None = None


class Bound(NamedTuple):
    """What a standing must reach: the score itself, or its difference to the best peer or one of its 95 % bounds."""

    side: Side
    number: float

    def __str__(self) -> str:
        return _SAID[self.side].format(self.number).removesuffix(" +0.000")

    def holds(self, standing: Standing) -> bool | None:
        """Whether it is reached; None where no peer was run to hold the score against."""
        if self.side == "score":
            return standing.score.value >= self.number
        if self.side == "at most":
            return standing.score.value <= self.number
        if standing.difference is None:
            return None
        found = {
            "difference": standing.difference.value, "lower bound": standing.difference.low,
            "upper bound": standing.difference.high,
        }[self.side]  # fmt: skip
        return found > self.number if self.side == "lower bound" else found >= self.number


@dataclass(frozen=True, slots=True)
class Target:
    """What a measure on a corpus and an input ("html" or "dump") must reach, and what it should."""

    measure: str
    corpus: str
    input: str
    floor: Bound
    aim: Bound


def _beside_peers(
    measure: str, corpus: str, html: tuple[Bound, Bound], dump: tuple[Bound, Bound]
) -> tuple[Target, Target]:
    return Target(measure, corpus, "html", *html), Target(measure, corpus, "dump", *dump)


def _by_hand(measure: str, floor: float, aim: float) -> Target:
    return Target(measure, HAND, "dump", Bound("score", floor), Bound("score", aim))


def _on_both(measure: str, corpus: str, floors: tuple[float, float], aims: tuple[float, float]) -> Sequence[Target]:
    return [
        Target(measure, corpus, input, Bound("score", floor), Bound("score", aim))
        for input, floor, aim in zip(("html", "dump"), floors, aims, strict=True)
    ]


_ABOVE, _SURELY_ABOVE = Bound("difference", 0.0), Bound("lower bound", 0.0)
_LEVEL, _CLOSE = Bound("upper bound", 0.0), Bound("difference", -0.02)
_AHEAD = Bound("difference", 0.03)
CALIBRATION = "calibration error"
TARGETS: tuple[Target, ...] = (
    *_beside_peers("word F1", "wcxb", (_SURELY_ABOVE, Bound("difference", 0.05)), (_LEVEL, Bound("difference", 0.02))),
    *_beside_peers("shingle F1", "newspaper", (_ABOVE, Bound("score", 0.965)), (_CLOSE, Bound("score", 0.95))),
    *_beside_peers("snippet F1", "multilingual", (_ABOVE, Bound("score", 0.95)), (_CLOSE, Bound("score", 0.93))),
    *_beside_peers("word F1", "l3s-gn1", (_ABOVE, _AHEAD), (_LEVEL, _AHEAD)),
    *_beside_peers("word F1", "dragnet", (_ABOVE, _AHEAD), (_LEVEL, _AHEAD)),
    _by_hand("label accuracy", 0.92, 0.95),
    _by_hand("label macro F1", 0.82, 0.90),
    *(
        _by_hand(f"F1 of {label.value}", floor, aim)
        for label, floor, aim in zip(LABELS, (0.90, 0.65, 0.94, 0.78), (0.94, 0.82, 0.97, 0.90), strict=True)
    ),
    _by_hand("recall of short body lines", 0.85, 0.95),
    *_on_both("headline found", "newspaper", (0.90, 0.75), (0.97, 0.90)),
    *_on_both("page kind", "wcxb", (0.80, 0.72), (0.90, 0.85)),
    *(
        Target(f"{CALIBRATION}, {label.value}", HAND, "dump", Bound("at most", 0.05), Bound("at most", 0.03))
        for label in LABELS
    ),
)
