"""Why passages stand in their order: what each leg said, what the second look weighed, how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pai_daemon.context.passage import Explanation, Part, Reasons
from pai_daemon.context.ranking.evidence import FEATURES, Table
from pai_daemon.context.ranking.weights import WEIGHTS, odds


@dataclass(slots=True)
class Course:
    """How one search went: how long each stage took, in the order in which they began; from any thread.

    corrected: the words that no note has, and the nearest ones that were searched beside each (D47).
    """

    took_ms: dict[str, float] = field(default_factory=dict)
    corrected: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time until the end of the block as the stage's."""
        started_s = time.perf_counter()
        self.took_ms[name] = 0.0
        try:
            yield
        finally:
            self.took_ms[name] = round((time.perf_counter() - started_s) * 1000, 2)


@dataclass(frozen=True, slots=True)
class Look:
    """What a second look saw: a row of evidence for each of these ids; none where it did not look."""

    ids: Sequence[str]
    evidence: Table


def explained(
    ids: Sequence[str],
    said: Mapping[str, Mapping[str, Part]],
    look: Look | None,
    course: Course,
) -> Explanation:
    """Return why these ids stand in their order. said: by leg, see `parts`."""
    seen: dict[str, tuple[dict[str, float], float]] = {}
    if look is not None and len(look.ids):
        for item, row, value in zip(
            look.ids, look.evidence.tolist(), odds(look.evidence).tolist(), strict=True
        ):
            signs = {name: round(number, 4) for name, number in zip(FEATURES, row, strict=True)}
            seen[item] = signs, round(value, 4)
    reasons = []
    for item in ids:
        semantic, text = said.get("semantic", {}).get(item), said.get("text", {}).get(item)
        fused = sum(part.share * part.weight for part in (semantic, text) if part is not None)
        signs, value = seen.get(item, ({}, None))
        reasons.append(Reasons(_rounded(semantic), _rounded(text), round(fused, 4), signs, value))
    corrected = {word: tuple(nearest) for word, nearest in course.corrected.items()}
    return Explanation(tuple(reasons), dict(WEIGHTS) if seen else {}, corrected, dict(course.took_ms))


def _rounded(part: Part | None) -> Part | None:
    return part and Part(round(part.score, 4), round(part.share, 4), round(part.weight, 4))
