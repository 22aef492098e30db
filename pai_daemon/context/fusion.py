"""How the legs of a search become one ranking: their scores brought to 0 to 1, weighed, added. Pure (D25)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from pai_daemon.context.passage import Part

Leg = list[tuple[str, float]]
Legs = Mapping[str, Leg]
TEXT_FLOOR = 1.75


def parts(
    legs: Legs, semantic_weight: float, chunk_count: int, unknown: Collection[str] = ()
) -> dict[str, dict[str, Part]]:
    """Return by leg and id what each leg says for what it found.

    legs: `semantic` with cosines and `text` with BM25 scores, each best first. A cosine counts by
    its place between the worst and the best of its leg. A BM25 score counts by its share of the
    best, but of no less than TEXT_FLOOR · ln(chunks), about what one rare word gives: where the
    query has no word in common with the notes, as across languages, chance hits stay small.
    unknown: what is not embedded yet; its words speak for its meaning too, or it would stand behind all
    that is.
    """
    weights = {"semantic": semantic_weight, "text": 1 - semantic_weight}
    total = sum(weights[name] for name, leg in legs.items() if leg) or 1.0
    found: dict[str, dict[str, Part]] = {}
    for name, leg in legs.items():
        if not leg:
            continue
        best, worst = leg[0][1], leg[-1][1]
        if name == "text":
            best, worst = max(best, TEXT_FLOOR * math.log(1 + chunk_count)), 0.0
        found[name] = {
            item: Part(
                score,
                (score - worst) / (best - worst) if best > worst else 1.0,
                1.0 if item in unknown else weights[name] / total,
            )
            for item, score in leg
        }
    return found


def added(said: Mapping[str, Mapping[str, Part]]) -> list[tuple[str, float]]:
    """Return (id, score) of everything that a leg found, best first; scores are 0 to 1. said: see `parts`."""
    scores: dict[str, float] = {}
    for found in said.values():
        for item, part in found.items():
            scores[item] = scores.get(item, 0.0) + part.share * part.weight
    return sorted(scores.items(), key=lambda pair: -pair[1])


def fuse(legs: Legs, semantic_weight: float, chunk_count: int) -> list[tuple[str, float]]:
    """Return (id, score) of everything that a leg found, best first; scores are 0 to 1. See `parts`."""
    return added(parts(legs, semantic_weight, chunk_count))
