"""How much each sign counts in the second look: a conditional logit, fitted to questions (D77).

They come from `fit` in `tests/bench/quality_fit.py`, over the tuning halves of the question sets and
the names of two vaults, with evidence of 30 candidates each that was gathered beforehand. The command
`python -m tests.bench.quality fit` gathers another sample, and its weights will differ; its whole run was
not waited for yet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.ranking.evidence import FEATURES, Table

WEIGHTS = {
    "meaning": 3.00,
    "meaning share": 4.69,
    "words": 0.88,
    "words share": 2.63,
    "has": 2.94,
    "near": 6.18,
    "pairs": 3.94,
    "title": 3.78,
    "length": 0.03,
    "meaning share, overlap": -5.66,
    "words share, overlap": -1.45,
    "near, overlap": -2.97,
    "meaning share, rarity": -0.28,
    "words share, rarity": 0.12,
    "near, rarity": 1.86,
    "meaning share, margin": 3.61,
    "words share, margin": -1.82,
    "near, margin": -2.65,
    "meaning share, unknown language": -3.07,
    "words share, unknown language": 0.66,
    "near, unknown language": 5.60,
}


def odds(rows: Table) -> NDArray[np.float64]:
    """Return the logarithm of the odds that each is looked for, but for a number that all share: (n,).

    rows: (n, features) of `table_of`.
    """
    found: NDArray[np.float64] = rows @ np.array([WEIGHTS[name] for name in FEATURES])
    return found
