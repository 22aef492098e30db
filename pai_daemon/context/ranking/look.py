"""The second look: the first candidates of a search in the order of what speaks for them (D77)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from pai_daemon.context.ranking.evidence import question_of, table_of
from pai_daemon.context.ranking.weights import odds
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.vocabulary import Vocabulary
from pai_daemon.models.registry import Profile, Scoring
from pai_daemon.notes.language import known_language

Ranked = Sequence[tuple[str, float]]
# Of the questions whose passage is among the first hundred, .99 have it among so many.
LOOKED_AT = 30


def look_again(
    query: str,
    ranked: Ranked,
    chunks: Mapping[str, StoredChunk],
    legs: Mapping[str, Ranked],
    known: Vocabulary,
    chunk_count: int,
    model: tuple[Profile, Scoring],
    unknown: Collection[str] = (),
) -> list[tuple[str, float]]:
    """Return ranked (id, score) pairs with those that have a chunk in another order, and before the others.

    query: without its operators. chunks: of the first of them, by id. known: the words of all chunks.
    unknown: what is not embedded yet; its words speak for its meaning, see `fuse`. The best score and the
    least of those that are looked at stay; in between a score counts by its place between both.
    """
    looked_at = [(item, score) for item, score in ranked if item in chunks]
    if len(looked_at) < 2:
        return list(ranked)
    profile, scoring = model
    language = known_language(query)
    evidence = table_of(
        question_of(query, known),
        [chunks[item] for item, _ in looked_at],
        legs,
        scale=scoring.scale,
        chunk_count=chunk_count,
        knows_language=language is None or profile.covers(language),
        unknown=unknown,
    )
    values = odds(evidence)
    best, least = looked_at[0][1], looked_at[-1][1]
    shares = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    order = np.argsort(-values, kind="stable").tolist()
    seen = [(looked_at[row][0], least + (best - least) * float(shares[row])) for row in order]
    return seen + [(item, score) for item, score in ranked if item not in chunks]
