"""How much each kind of evidence counts for a link: a logistic regression, fitted to set links (D80).

`python -m tests.bench.links fit` prints the tables below, from the tuning halves of three vaults: a fifth of
their links was taken out, once with the words left and once without. What it takes to be sure, and to be
told at all, is read off notes of those halves whose links were all taken out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.linking.evidence import FEATURES, Table

BIAS = -9.08
WEIGHTS = {
    "title": 3.34,
    "alias": 2.97,
    "label": 2.19,
    "part": -4.31,
    "heading": 1.53,
    "inflected": -0.76,
    "shared name": -0.08,
    "words": 1.89,
    "lower case": -1.38,
    "often": -0.05,
    "early": -0.89,
    "stop word": -4.38,
    "title words": 2.08,
    "whole near": 1.18,
    "part near": 0.29,
    "parts near": 0.18,
    "links here": 0.98,
    "linked": 0.88,
    "adamic": 0.03,
    "walked": 1.16,
    "kin link": 2.36,
    "folder": 1.14,
    "tags": 1.24,
    "no meaning": 0.37,
    "no links": 1.47,
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
