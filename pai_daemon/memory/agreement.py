"""Facts that may say the same, or gainsay each other: told to a person, who settles it. Pure (D81)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pai_daemon.memory.fact import Fact, words_of

# Words in common, of all that two facts have, from which on they are told together.
NEAR = 0.5
MOST_NEAR = 5
# Of one subject so many of the newest facts are held against each other.
MOST_COMPARED = 400


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two facts of one subject that hold both and may not agree."""

    newer: Fact
    older: Fact


def conflicts(facts: Sequence[Fact]) -> list[Conflict]:
    """Return pairs of facts that share most of their words and differ in some."""
    among = facts[-MOST_COMPARED:]
    words = [words_of(fact.text) for fact in among]
    found = []
    for later in range(len(among)):
        for earlier in range(later):
            if words[later] != words[earlier] and _likeness(words[later], words[earlier]) >= NEAR:
                older, newer = sorted((among[earlier], among[later]), key=_age)
                found.append(Conflict(newer, older))
    return found


def like(fact: Fact, others: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return the facts that have most words in common with one, the likest first."""
    words = words_of(fact.text)
    near = [
        (likeness, each)
        for each in others[-MOST_COMPARED:]
        if each.id != fact.id and (likeness := _likeness(words, words_of(each.text))) >= NEAR
    ]
    return tuple(each for _, each in sorted(near, key=lambda pair: -pair[0])[:MOST_NEAR])


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Return how many of the words of two facts both have: Jaccard's index."""
    return len(one & other) / len(one | other) if one and other else 0.0


def _age(fact: Fact) -> tuple[date, int]:
    return fact.said or date.min, fact.line
