"""Which of many vectors stand for all of them. Pure.

Facility location: a set is as good as the sum, over all, of how near each is to the nearest one in the set.
Chosen greedily, the first is the most central, and each next one stands for what the others leave out; so
centrality and diversity are one measure, and whatever scale a model's cosines have does not matter (D17).
Source: Lin and Bilmes 2011, "A Class of Submodular Functions for Document Summarization"; that greedy
choice is within 1 - 1/e of the best is Nemhauser, Wolsey and Fisher 1978. Within a note sentences are
taken by maximal marginal relevance (Carbonell and Goldstein 1998).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pai_daemon.context.vectors import Floats, Rows

# More than these are looked at in even steps: their product takes a tenth of a second.
MOST_CANDIDATES, MOST_STOOD_FOR = 1_200, 4_000
# A second sentence that repeats the first counts as much less as this share of their nearness.
REPEATS = 0.6


def centres(vectors: Floats, counts: Sequence[int]) -> Floats:
    """Return the mean direction of each run of vectors: (len(counts), dimensions) float32 of length 1.

    vectors: (sum of counts, dimensions) float32. counts: at least 1 each.
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    sums = np.add.reduceat(vectors, starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    found: Floats = (sums / np.maximum(lengths, 1e-9)).astype(np.float32)
    return found


def exemplars(vectors: Floats, candidates: Sequence[int], count: int) -> list[int]:
    """Return up to `count` of the candidates that stand for all vectors, the best first.

    vectors: (n, dimensions) float32 of length 1.
    """
    rows = np.asarray(_evenly(candidates, MOST_CANDIDATES), np.int64)
    if not len(rows):
        return []
    among = np.asarray(_evenly(range(len(vectors)), MOST_STOOD_FOR), np.int64)
    cosines = vectors[rows] @ vectors[among].T
    nearest = np.full(len(among), float(cosines.min()), np.float32)
    chosen: list[int] = []
    is_open = np.ones(len(rows), bool)
    while len(chosen) < count and is_open.any():
        gains = np.where(is_open, np.maximum(cosines, nearest).sum(axis=1), -np.inf)
        best = int(gains.argmax())
        chosen.append(int(rows[best]))
        is_open[best] = False
        nearest = np.maximum(nearest, cosines[best])
    return chosen


def stood_for(vectors: Floats, chosen: Sequence[int]) -> tuple[Rows, Floats]:
    """Return for each vector the place in `chosen` of the nearest one, and how near it is."""
    cosines = vectors @ vectors[list(chosen)].T
    nearest = cosines.argmax(axis=1)
    return nearest, cosines[np.arange(len(vectors)), nearest]


def marginal(relevance: Floats, vectors: Floats, count: int, scale: float) -> list[int]:
    """Return up to `count` rows, relevant and unlike each other, in the order of their choice.

    relevance: (n,) float32, a cosine of vectors: (n, dimensions). scale: of the model, see `Scoring`.
    """
    chosen: list[int] = []
    left = list(range(len(vectors)))
    cosines = vectors @ vectors.T
    # What strangers have in common is no repetition.
    usual = float(np.median(cosines)) if len(vectors) > 2 else float(cosines.min())
    while left and len(chosen) < count:
        repeats = cosines[left][:, chosen].max(axis=1) - usual if chosen else np.zeros(len(left), np.float32)
        scores = (relevance[left] - REPEATS * np.maximum(repeats, 0.0)) / scale
        chosen.append(left.pop(int(scores.argmax())))
    return chosen


def _evenly(items: Sequence[int], most: int) -> list[int]:
    """Return the items, or as many of them as are allowed, at even distances."""
    if len(items) <= most:
        return list(items)
    return [items[place * len(items) // most] for place in range(most)]
