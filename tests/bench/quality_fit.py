"""Fits the weights of the second look (D77): the tables of `context.ranking.weights`, printed.

A conditional logit: of the candidates of one question, how probable it is that each is the right one
(McFadden 1974). Fitted to the tuning halves with both of our models, so that a model that knows no German is
among what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.ranking.evidence import FEATURES, Table
from pai_daemon.context.search import Searcher
from tests.bench.bench import load_model
from tests.bench.sets import FILES, NAMED, SETS, Asked, questions, ready_vault

MODELS = ("multilingual-e5-small", "all-MiniLM-L6-v2")
RIDGE = 10.0
ROUNDS = 30
ENOUGH = 1e-4


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one question: rows (n, features), and which of them hold the answer: (n,)."""

    rows: Table
    right: NDArray[np.bool_]


def print_weights() -> None:
    """Print the table of weights, from the tuning halves of all sets."""
    choices: list[Choice] = []
    for model in MODELS:
        embedder = load_model(model)
        for source in (*FILES, *NAMED):
            with ready_vault(source, embedder) as ready:
                for name, (_, asked_of) in (*SETS.items(), *((each, ("", each)) for each in NAMED)):
                    if asked_of == source:
                        tuning = [each for each in questions(name, ready) if not each.is_reported]
                        choices += _choices(ready.searcher, tuning)
    for feature, weight in zip(FEATURES, fit(choices), strict=True):
        print(f'    "{feature}": {weight:.2f},')


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


def _choices(searcher: Searcher, asked: Sequence[Asked]) -> list[Choice]:
    """Return the candidates of questions, as the product would look at them."""
    found = []
    for each in asked:
        rows, chunks = searcher.evidence(each.text)
        right = [
            any(place.is_in(chunk.path, chunk.start_char, chunk.end_char) for place in each.places)
            for chunk in chunks
        ]
        if right:
            found.append(Choice(rows, np.array(right, bool)))
    return found
