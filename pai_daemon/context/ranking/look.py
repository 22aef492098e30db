"""The second look: the first candidates of a search in the order of what speaks for them (D77)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pai_daemon.context.ranking.evidence import Table
from pai_daemon.context.ranking.weights import odds

Ranked = Sequence[tuple[str, float]]

# Ten more cost 2 ms and gain nothing; the first of each leg are among them whatever the other says.
LOOKED_AT = 20
FIRST_OF_LEG = 5


def candidates(ranked: Ranked, legs: Mapping[str, Ranked]) -> list[str]:
    """Return the ids to look at: the first that are ranked, and the first of each leg."""
    found = [item for item, _ in ranked[:LOOKED_AT]]
    return [*dict.fromkeys((*found, *(item for leg in legs.values() for item, _ in leg[:FIRST_OF_LEG])))]


def reorder(ranked: Ranked, looked_at: Sequence[str], evidence: Table) -> list[tuple[str, float]]:
    """Return ranked (id, score) pairs with those that were looked at first, in the order of their odds.

    looked_at: some of the ids; evidence: a row of each. The scores of those go from the best that there is
    to the best of the others, each by its place in between, so that scores stay in order.
    """
    if len(looked_at) < 2:
        return list(ranked)
    values = odds(evidence)
    known = {*looked_at}
    others = [(item, score) for item, score in ranked if item not in known]
    best, least = ranked[0][1], others[0][1] if others else ranked[-1][1]
    shares = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    order = np.argsort(-values, kind="stable").tolist()
    seen = [(looked_at[row], least + (best - least) * float(shares[row])) for row in order]
    return seen + others
