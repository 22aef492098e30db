"""Fits the weights of the second look (D77): the tables of `context.ranking.weights`, printed.

A conditional logit: of the candidates of one question, how probable it is that each is the right one
(McFadden 1974). Fitted to the tuning halves with both of our models, so that a model that knows no German is
among what was seen.

How hard a half is depends on its few articles. `python -m tests.bench.quality crossed` therefore orders the
questions of each half by weights of the other one, and reports all of them: what is fitted so, not what is
shipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.ranking.evidence import FEATURES, Table
from tests.bench.bench import load_model
from tests.bench.sets import FILES, NAMED, POOLED, SETS, Asked, questions, ready_vault

MODELS = ("multilingual-e5-small", "all-MiniLM-L6-v2")
RIDGE = 10.0
ROUNDS = 30
ENOUGH = 1e-4


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one question: rows (n, features), and which of them hold the answer: (n,).

    name: of its set.
    """

    name: str
    asked: Asked
    rows: Table
    right: NDArray[np.bool_]

    def rank(self, weights: NDArray[np.float64]) -> int | None:
        """Return at which place, from 1, the first that holds the answer stands by these weights."""
        places = np.flatnonzero(self.right[np.argsort(-(self.rows @ weights), kind="stable")])
        return int(places[0]) + 1 if len(places) else None


def print_weights() -> None:
    """Print the table of weights, from the tuning halves of all sets."""
    tuning = [each for model in MODELS for each in _choices(model, halves=(False,))]
    for feature, weight in zip(FEATURES, fit(tuning), strict=True):
        print(f'    "{feature}": {weight:.2f},')


def print_crossed() -> None:
    """Print recall@5 and MRR@10 of all questions, each by weights from the half that has not its article."""
    choices = list(_choices(MODELS[0], halves=(False, True)))
    by_half = {
        half: fit([each for each in choices if each.asked.is_reported is half]) for half in (False, True)
    }
    for what, names in {**POOLED, **{name: (name,) for name in NAMED}}.items():
        asked = {each.asked.text: each for name in reversed(names) for each in choices if each.name == name}
        ranks = [each.rank(by_half[not each.asked.is_reported]) or np.inf for each in asked.values()]
        found, places = (
            np.mean([rank <= 5 for rank in ranks]),
            [1 / rank if rank <= 10 else 0 for rank in ranks],
        )
        print(f"{what}, {len(ranks)} questions: recall@5 {found:.3f}, MRR@10 {np.mean(places):.3f}")


def fit(choices: Sequence[Choice]) -> NDArray[np.float64]:
    """Return the weights (len(FEATURES),) of a conditional logit with a ridge, by Newton's method."""
    told = [each for each in choices if each.right.any() and not each.right.all()]
    rows = np.concatenate([each.rows for each in told])
    spread = rows.std(axis=0) + 1e-9
    scaled = (rows - rows.mean(axis=0)) / spread
    owners = np.repeat(np.arange(len(told)), [len(each.rows) for each in told])
    starts = np.searchsorted(owners, np.arange(len(told)))
    right = np.concatenate([each.right for each in told]).astype(float)
    right /= np.bincount(owners, right)[owners]
    weights = np.zeros(scaled.shape[1])
    for _ in range(ROUNDS):
        values = scaled @ weights
        probable = np.exp(values - np.maximum.reduceat(values, starts)[owners])
        probable /= np.add.reduceat(probable, starts)[owners]
        weighed = scaled * probable[:, None]
        expected = np.add.reduceat(weighed, starts)
        slope = scaled.T @ (right - probable) - RIDGE * weights
        bend = weighed.T @ scaled - expected.T @ expected + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights += step * min(1.0, 3 / np.abs(step).max())
        if np.abs(step).max() < ENOUGH:
            break
    found: NDArray[np.float64] = weights / spread
    return found


def _choices(model: str, halves: Sequence[bool]) -> Iterator[Choice]:
    """Yield the candidates of the questions of these halves, as the product would look at them."""
    embedder = load_model(model)
    for source in (*FILES, *NAMED):
        with ready_vault(source, embedder) as ready:
            for name, (_, asked_of) in (*SETS.items(), *((each, ("", each)) for each in NAMED)):
                for each in questions(name, ready) if asked_of == source else ():
                    if each.is_reported in halves:
                        rows, chunks = ready.searcher.evidence(each.text)
                        spans = [(chunk.path, chunk.start_char, chunk.end_char) for chunk in chunks]
                        right = [any(place.is_in(*span) for place in each.places) for span in spans]
                        if right:
                            yield Choice(name, each, rows, np.array(right, bool))
