"""How much each sign counts in the second look: a conditional logit, fitted to questions (D77).

What `python -m tests.bench.quality fit` prints, from the tuning halves of the question sets and the names of
two vaults, with both of our models.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.ranking.evidence import FEATURES, Table

WEIGHTS = {
    "meaning": 3.08,
    "meaning share": 4.77,
    "words": 0.98,
    "words share": 2.61,
    "has": 2.77,
    "near": 5.31,
    "pairs": 4.30,
    "title": 4.64,
    "length": -0.14,
    "meaning share, overlap": -5.84,
    "words share, overlap": -0.62,
    "near, overlap": -1.41,
    "meaning share, rarity": -0.14,
    "words share, rarity": -0.15,
    "near, rarity": 1.43,
    "meaning share, margin": 2.62,
    "words share, margin": -1.94,
    "near, margin": -1.64,
    "meaning share, unknown language": -3.07,
    "words share, unknown language": 0.76,
    "near, unknown language": 4.95,
}


def odds(rows: Table) -> NDArray[np.float64]:
    """Return the logarithm of the odds that each is looked for, but for a number that all share: (n,).

    rows: (n, features) of `table_of`.
    """
    found: NDArray[np.float64] = rows @ np.array([WEIGHTS[name] for name in FEATURES])
    return found
