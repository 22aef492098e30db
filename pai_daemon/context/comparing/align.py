"""Which sentences of two notes say the same, and where they contradict each other. Pure.

Two sentences say one thing where each is the other's nearest, as near as two ways to say one thing are by the
model's own threshold (D17), and where they share the words that a supported sentence shares with its passage
(D53): two notes on one subject are nearer in meaning than strangers throughout. Across languages meaning
decides alone. Then their numbers and dates are compared, one by one, and whether just one of them denies.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.answering.support import numbers_in
from pai_daemon.context.vectors import Floats
from pai_daemon.models.registry import Scoring
from pai_daemon.notes.language import known_language

# Sentences that say one thing share so many of their words; where numbers or denials are compared, so many.
SAME_THING, SAME_SUBJECT, SAME_WORDS = 0.34, 0.5, 0.75
# So many of the nearest sentences may be the counterpart.
NEAREST = 5
_DIGITS = re.compile(r"\d[\d.,:'/-]*")
_DENIES = re.compile(
    r"\b(?:not|never|no|none|cannot|without|\w+n['’]t|nicht|nie|niemals|kein\w*|ohne|pas|jamais|nunca|non|niet"
    r"|geen)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Match:
    """A sentence of the first note and one of the second, by their places. why: "" where they agree."""

    first: int
    second: int
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """The matches, nearest first, and the places of the sentences that have no counterpart."""

    matches: tuple[Match, ...]
    only_first: tuple[int, ...]
    only_second: tuple[int, ...]


def aligned(first: Sequence[str], second: Sequence[str], cosines: Floats, scoring: Scoring) -> Alignment:
    """Return what two notes have in common. cosines: (len(first), len(second)) float32."""
    if not first or not second:
        return Alignment((), tuple(range(len(first))), tuple(range(len(second))))
    ones, others = [_Words(text) for text in first], [_Words(text) for text in second]
    near = np.zeros_like(cosines)
    for row, column in _nearest(cosines, scoring.support_threshold):
        if ones[row].shared(others[column]) >= SAME_THING:
            near[row, column] = cosines[row, column]
    matches = []
    for row in np.flatnonzero(near.any(axis=1)).tolist():
        column = int(near[row].argmax())
        if int(near[:, column].argmax()) == row:
            why = difference(first[row], second[column])
            matches.append(Match(row, column, round(float(near[row, column]), 4), why))
    return Alignment(
        tuple(sorted(matches, key=lambda match: -match.score)),
        tuple(np.flatnonzero(~near.any(axis=1)).tolist()),
        tuple(np.flatnonzero(~near.any(axis=0)).tolist()),
    )


def difference(first: str, second: str) -> str:
    """Return in what two sentences about one thing contradict each other, "" where nothing is seen."""
    shared = _Words(first).shared(_Words(second))
    numbers, others = Counter(numbers_in(first)), Counter(numbers_in(second))
    here, there = numbers - others, others - numbers
    if here and there and shared >= SAME_SUBJECT:
        return f"{', '.join(here.elements())} ≠ {', '.join(there.elements())}"
    denials = [_DENIES.search(text) for text in (first, second)]
    if shared >= SAME_WORDS and (denials[0] is None) != (denials[1] is None):
        word = next(found[0] for found in denials if found is not None)
        return f"only one says “{word.lower()}”"
    return ""


class _Words:
    """The words of a sentence, but for its numbers and denials, to be compared with those of another."""

    def __init__(self, text: str) -> None:
        self._language = known_language(text)
        self._text = _DENIES.sub("", _DIGITS.sub("", text))
        self._signals = Signals(self._text)

    def shared(self, other: _Words) -> float:
        """Return the share of words that both have; 1 in two languages, where words say nothing."""
        if self._language and other._language and self._language != other._language:
            return 1.0
        return (self._signals.coverage(other._text) + other._signals.coverage(self._text)) / 2


def _nearest(cosines: Floats, threshold: float) -> Iterator[tuple[int, int]]:
    """Yield the places of the nearest sentences of each one, in both directions, above a threshold."""
    seen: set[tuple[int, int]] = set()
    for rows, is_turned in ((cosines, False), (cosines.T, True)):
        best = np.argsort(-rows, axis=1)[:, :NEAREST]
        for row, columns in enumerate(best.tolist()):
            pairs = ((column, row) if is_turned else (row, column) for column in columns)
            seen.update(pair for pair in pairs if cosines[pair] >= threshold)
    yield from seen
