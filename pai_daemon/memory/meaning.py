"""How near each fact's meaning is to a question, so that two languages and commonplaces do not matter (D99).

A cosine says less than where it lies. Facts in the question's language are nearer to it than others: the
direction in which the two languages of a memory lie apart is taken out of the question, and cosines count by
their place among those of facts in the same language. Some facts are near to everything: of each fact's
nearness to the mean of all a part is taken off.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pai_daemon.context.vectors import Floats
from pai_daemon.memory.fact_rows import LANGUAGES, FactRows
from pai_daemon.models.registry import Scoring

HUB_SHARE = 0.5
# Of a few facts neither mean nor deviation can be told: so many are added, as strangers are to the model.
PRIOR_FACTS = 8
PRIOR_MEAN, PRIOR_DEVIATION = 0.5, 0.3


def places(held: FactRows[Any], vector: Floats, scoring: Scoring, *, by_language: bool) -> Floats:
    """Return each row's place among the cosines of its language, in standard deviations: (rows,) float32.

    vector: (dimensions,) float32, of the question. by_language: the model knows more than one.
    """
    found = np.zeros(len(held.facts), np.float32)
    embedded = held.embedded
    if not embedded.any():
        return found
    mean = held.mean
    asked = vector - HUB_SHARE * mean
    if by_language and (apart := language_direction(held)) is not None:
        asked = asked - float(asked @ apart) * apart
    near = held.vectors @ asked
    prior = scoring.answer_threshold - PRIOR_MEAN * scoring.scale - float(vector @ mean) + float(asked @ mean)
    deviation = PRIOR_DEVIATION * scoring.scale
    count = int(embedded.sum())
    whole = near if count == len(near) else near[embedded]
    spread = math.sqrt((count * float(whole.var()) + PRIOR_FACTS * deviation**2) / (count + PRIOR_FACTS))
    levels = np.zeros(len(LANGUAGES), np.float32)
    language = held.language if by_language else np.zeros_like(held.language)
    for place in range(len(LANGUAGES)):
        inside = embedded & (language == place)
        there = int(inside.sum())
        total = float(near[inside].sum()) if there else 0.0
        levels[place] = (total + PRIOR_FACTS * prior) / (there + PRIOR_FACTS)
    np.subtract(near, levels[language], out=found)
    found /= spread
    found[~embedded] = 0
    return found


def language_direction(held: FactRows[Any]) -> Floats | None:
    """Return the direction from English to German facts, of length 1; None while there are few of either."""
    english, german = (LANGUAGES.index(name) for name in ("en", "de"))
    if min(held.counts[english], held.counts[german]) < PRIOR_FACTS:
        return None
    apart = held.totals[german] / held.counts[german] - held.totals[english] / held.counts[english]
    length = float(np.linalg.norm(apart))
    return (apart / length).astype(np.float32) if length > 0 else None
