"""How much each kind of evidence counts for a link: a logistic regression, fitted to links that people set.

`python -m tests.bench.links fit` prints the tables below, from the tuning halves of three vaults: a fifth of
their links was taken out, once with the words left and once without. What it takes to be sure, and to be
told at all, is read off notes of those halves whose links were all taken out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.linking.evidence import FEATURES, Table

BIAS = -9.10
WEIGHTS = {
    "title": 3.13,
    "alias": 2.74,
    "label": 1.11,
    "part": -4.66,
    "heading": 1.72,
    "inflected": -0.72,
    "shared name": -0.17,
    "words": 1.81,
    "lower case": -1.39,
    "often": -0.06,
    "early": -0.57,
    "stop word": -4.18,
    "title words": 2.16,
    "whole near": 1.2,
    "part near": 0.27,
    "parts near": 0.13,
    "links here": 1.02,
    "linked": 0.89,
    "adamic": 0.07,
    "walked": 0.8,
    "kin link": 2.35,
    "folder": 1.11,
    "tags": 1.24,
    "no meaning": 0.38,
    "no links": 1.49,
}
# From here on nine of ten mentions are links that the author had set. So are they where a title of several
# words stands as it is written, however few links a vault has: .96 of both halves.
SURE = 0.6
# Below it a mention is held back: a word that happens to be a title.
TELLING = 0.015


def confidence(rows: Table) -> NDArray[np.float64]:
    """Return how probable it is that each is a link: (n,) float64. rows: (n, features) of `Evidence`."""
    weights = np.array([WEIGHTS[name] for name in FEATURES])
    odds: NDArray[np.float64] = np.exp(-np.clip(rows @ weights + BIAS, -30, 30))
    return 1 / (1 + odds)


def are_sure(rows: Table) -> NDArray[np.bool_]:
    """Return of each mention whether it may be shown in the text itself: (n,) bool. rows: as above."""
    title, words, *doubts = (
        rows[:, FEATURES.index(name)] for name in ("title", "words", "inflected", "lower case", "shared name")
    )
    is_name = (title > 0) & (words > 0) & (np.sum(doubts, axis=0) == 0)
    found: NDArray[np.bool_] = is_name | (confidence(rows) >= SURE)
    return found
