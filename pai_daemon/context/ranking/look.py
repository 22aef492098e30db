"""The second look: the first candidates of a search in the order of what speaks for them (D77)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pai_daemon.context.ranking.evidence import Table
from pai_daemon.context.ranking.weights import odds

# Of the questions whose passage a leg finds at all, nearly all have it among so many.
LOOKED_AT = 30


def reorder(
    ranked: Sequence[tuple[str, float]], looked_at: Sequence[str], evidence: Table
) -> list[tuple[str, float]]:
    """Return ranked (id, score) pairs with those that were looked at first, in the order of their odds.

    looked_at: some of the first ids, in their order; evidence: a row of each. The best and the least score
    of them stay, and in between a score counts by its place between both, so that scores stay in order.
    """
    if len(looked_at) < 2:
        return list(ranked)
    values = odds(evidence)
    old = dict(ranked)
    best, least = old[looked_at[0]], old[looked_at[-1]]
    shares = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    order = np.argsort(-values, kind="stable").tolist()
    seen = [(looked_at[row], least + (best - least) * float(shares[row])) for row in order]
    return seen + [(item, score) for item, score in ranked if item not in {*looked_at}]
