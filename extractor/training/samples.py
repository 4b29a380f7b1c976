"""What measures collect: for each page a vector, its site and its groups; scores of all of them or of a group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractor.characters import Integers
from extractor.training import measures
from extractor.training.corpora import Source
from extractor.training.measures import Aggregate, Score
from extractor.training.page_groups import page_groups

OURS = "extractor"
HAND = "hand"
"""What stands for the corpus where lines were read by hand."""
INPUTS = {"html": "HTML", "dump": "dumps"}
"""Inputs, and how a report calls them."""


class Place(NamedTuple):
    """A page that is measured."""

    page: str
    site: str
    groups: Mapping[str, str]

    @classmethod
    def of(cls, source: Source) -> Place:
        """The place of a source."""
        return cls(f"{source.corpus}/{source.id}", source.site, page_groups(source))

    def within(self, **groups: str) -> Place:
        """The same page with further groups."""
        return self._replace(groups={**self.groups, **groups})


class Key(NamedTuple):
    """What a sample is of. input: "html" or "dump"."""

    measure: str
    corpus: str
    extractor: str
    input: str


@dataclass(slots=True)
class Sample:
    """The vectors of one measure, each with the place that it is of."""

    aggregate: Aggregate
    vectors: list[Sequence[float]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def add(self, place: Place, vector: Sequence[float]) -> None:
        """Note the vector of one page."""
        self.vectors.append(vector)
        self.places.append(place)

    def extend(self, other: Sample) -> None:
        """Note all vectors of another sample."""
        self.vectors += other.vectors
        self.places += other.places

    def score(self) -> Score:
        """The score over all pages."""
        return measures.score(np.array(self.vectors, float), [place.site for place in self.places], self.aggregate)

    def values(self, group: str) -> list[str]:
        """What the pages' groups of that name are."""
        return sorted({place.groups[group] for place in self.places if group in place.groups})

    def part(self, group: str, value: str) -> Sample:
        """The pages whose group of that name has the value."""
        chosen = [row for row, place in enumerate(self.places) if place.groups.get(group) == value]
        return Sample(self.aggregate, [self.vectors[row] for row in chosen], [self.places[row] for row in chosen])

    def less(self, other: Sample) -> Score | None:
        """How far this is above another sample on the pages that both have; None where there are none."""
        row = {place.page: number for number, place in enumerate(other.places)}
        both = [number for number, place in enumerate(self.places) if place.page in row]
        if not both:
            return None
        left = np.array([self.vectors[number] for number in both], float)
        right = np.array([other.vectors[row[self.places[number].page]] for number in both], float)
        return measures.difference(left, right, [self.places[number].site for number in both], self.aggregate)


@dataclass(slots=True)
class Cost:
    """CPU seconds, and the pages they were spent on; lost: those that the extractor failed on."""

    seconds: float = 0.0
    pages: int = 0
    lost: int = 0

    def add(self, seconds: float, pages: int = 1, lost: int = 0) -> None:
        """Note what some pages cost."""
        self.seconds += seconds
        self.pages += pages
        self.lost += lost

    def __str__(self) -> str:
        return f"{self.seconds * 1000 / self.pages:.1f}" if self.pages else ""


class JudgedLines(NamedTuple):
    """Lines read by hand: probabilities, (lines, 4), and their labels as indices into LABELS."""

    place: Place
    probabilities: NDArray[np.float64]
    truth: Integers


@dataclass(slots=True)
class Evaluation:
    """All samples, what each extractor cost by corpus and input, and the lines read by hand by input."""

    samples: dict[Key, Sample] = field(default_factory=dict)
    costs: dict[tuple[str, str, str], Cost] = field(default_factory=lambda: defaultdict(Cost))
    judged: dict[str, list[JudgedLines]] = field(default_factory=lambda: defaultdict(list))

    def add(self, key: Key, aggregate: Aggregate, place: Place, vector: Sequence[float]) -> None:
        """Note what one page gives to a measure."""
        self.samples.setdefault(key, Sample(aggregate)).add(place, vector)

    def extend(self, other: Evaluation, corpora: Iterable[str] | None = None) -> None:
        """Note all of another evaluation, or what it has of some corpora."""
        chosen = None if corpora is None else frozenset(corpora)
        for key, sample in other.samples.items():
            if chosen is None or key.corpus in chosen:
                self.samples.setdefault(key, Sample(sample.aggregate)).extend(sample)
        for name, cost in other.costs.items():
            if chosen is None or name[1] in chosen:
                self.costs[name].add(cost.seconds, cost.pages, cost.lost)
        if chosen is None or HAND in chosen:
            for input, judged in other.judged.items():
                self.judged[input] += judged

    def sample(self, measure: str, corpus: str, extractor: str = OURS, input: str = "html") -> Sample | None:
        """The sample of that key, if anything was measured."""
        return self.samples.get(Key(measure, corpus, extractor, input))

    def score(self, measure: str, corpus: str, extractor: str = OURS, input: str = "html") -> Score | None:
        """The score of that key, None where nothing was measured."""
        sample = self.sample(measure, corpus, extractor, input)
        return sample.score() if sample else None

    def difference(self, measure: str, corpus: str, peer: str, input: str = "html") -> Score | None:
        """Ours on that input less the peer's from HTML, paired by page."""
        ours = self.sample(measure, corpus, OURS, input)
        theirs = self.sample(measure, corpus, peer)
        return ours.less(theirs) if ours and theirs else None

    def best_peer(self, measure: str, corpus: str, peers: Iterable[str]) -> str | None:
        """The peer with the highest score from HTML."""
        scores = {peer: score.value for peer in peers if (score := self.score(measure, corpus, peer))}
        return max(scores, key=lambda peer: scores[peer]) if scores else None

    def pooled(self, measure: str, extractor: str = OURS, input: str = "html") -> Sample | None:
        """The sample of a measure over all corpora."""
        found: Sample | None = None
        for key, sample in self.samples.items():
            if (key.measure, key.extractor, key.input) == (measure, extractor, input):
                found = found or Sample(sample.aggregate)
                found.extend(sample)
        return found
