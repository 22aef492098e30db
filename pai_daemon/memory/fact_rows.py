"""The facts in memory, ready to be ranked: each in a numbered row with its embedding, its words and its day.

Rows of what is forgotten are wiped and used again. 1.6 kB a fact at 384 dimensions. Not locked: `recall` is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pai_daemon.context.highlights import fold_letters
from pai_daemon.context.vectors import Floats
from pai_daemon.memory.asking import language_of
from pai_daemon.memory.grams import Grams

FIRST_ROWS = 64
GROWTH = 5 / 4
LANGUAGES = ("", "en", "de")
_WORD = re.compile(r"\w+")

Mask = NDArray[np.bool_]


class Fact(Protocol):
    """What ranking needs to know of a fact; equal ones are ranked alike.

    said: the day it was said on. until: the last day it holds. superseded_by: the id of what replaced it.
    """

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def said(self) -> date | None: ...  # noqa: D102
    @property
    def until(self) -> date | None: ...  # noqa: D102
    @property
    def superseded_by(self) -> str | None: ...  # noqa: D102
    @property
    def pinned(self) -> bool: ...  # noqa: D102
    @property
    def tags(self) -> tuple[str, ...]: ...  # noqa: D102


F = TypeVar("F", bound=Fact)


def passage_of(fact: Fact) -> str:
    """Return what of a fact is embedded and searched for words: without its subject, a name is not found."""
    return f"{fact.subject}. {fact.text}" if fact.subject else fact.text


class FactRows(Generic[F]):
    """Facts by rows.

    vectors: (rows, dimensions) float32, zero where not embedded. embedded, taken: (rows,) bool. language:
    (rows,) int8, a place in LANGUAGES. said: (rows,) int32, ordinal days, 0 where unknown. subject: (rows,)
    int32, a place in `subjects`. totals, counts: of the embeddings, by language: (3, dimensions) float64 and
    (3,) int64.
    """

    def __init__(self, dimensions: int) -> None:
        self.facts: list[F | None] = []
        self.rows: dict[str, int] = {}
        self._by_id: dict[str, F] = {}
        self.grams = Grams()
        self.vectors: Floats = np.zeros((0, dimensions), np.float32)
        self.embedded: Mask = np.zeros(0, np.bool_)
        self.taken: Mask = np.zeros(0, np.bool_)
        self.pinned: Mask = np.zeros(0, np.bool_)
        self.language: NDArray[np.int8] = np.zeros(0, np.int8)
        self.said: NDArray[np.int32] = np.zeros(0, np.int32)
        self.subject: NDArray[np.int32] = np.zeros(0, np.int32)
        self.subjects: dict[str, int] = {}
        self.totals = np.zeros((len(LANGUAGES), dimensions), np.float64)
        self.counts = np.zeros(len(LANGUAGES), np.int64)
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return how many facts there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[F]:
        """Return the facts, in no order that means anything."""
        return (fact for fact in self.facts if fact is not None)

    def fact(self, row: int) -> F:
        """Return the fact in a row that is taken."""
        fact = self.facts[row]
        assert fact is not None
        return fact

    def take(self, facts: Iterable[F]) -> set[str]:
        """Hold these facts and no others; return the passages that no fact has any more."""
        told = list(facts)
        wanted = dict(zip(map(attrgetter("id"), told), told, strict=True))
        # Most facts are the very same objects as before, which is told fastest.
        before = map(self._by_id.get, wanted)
        changed = [fact for fact, known in zip(wanted.values(), before, strict=True) if fact is not known]
        kept = len(wanted) - sum(fact.id not in self.rows for fact in changed)
        lost = self.rows.keys() - wanted.keys() if kept < len(self.rows) else set()
        gone = {passage_of(self._remove(known)) for known in lost}
        for fact in changed:
            known = self._by_id.get(fact.id)
            if known is None:
                self._add(fact)
            elif passage_of(known) == passage_of(fact):
                self._describe(self.rows[fact.id], fact)
            else:
                gone.add(passage_of(self._remove(known.id)))
                self._add(fact)
        return gone.difference(map(passage_of, self)) if gone else gone

    def widen(self, dimensions: int) -> None:
        """Forget all embeddings, for those of another model."""
        self.vectors = np.zeros((len(self.facts), dimensions), np.float32)
        self.embedded = np.zeros(len(self.facts), np.bool_)
        self.totals = np.zeros((len(LANGUAGES), dimensions), np.float64)
        self.counts = np.zeros(len(LANGUAGES), np.int64)

    def embed(self, row: int, vector: Floats) -> None:
        """Give a row its embedding: (dimensions,) float32."""
        self.vectors[row] = vector
        self.embedded[row] = True
        self.totals[self.language[row]] += vector
        self.counts[self.language[row]] += 1

    def missing(self, most: int) -> list[int]:
        """Return the first rows that are not embedded, at most so many."""
        return [int(row) for row in np.flatnonzero(self.taken & ~self.embedded)[:most]]

    @property
    def mean(self) -> Floats:
        """Return the mean of all embeddings: (dimensions,) float32."""
        found: Floats = (self.totals.sum(0) / max(1, int(self.counts.sum()))).astype(np.float32)
        return found

    def named(self, question: str) -> list[int]:
        """Return the places of those subjects whose words are all in a question."""
        words = {*_WORD.findall(fold_letters(question))}
        return [
            place
            for name, place in self.subjects.items()
            if (parts := _WORD.findall(fold_letters(name))) and words.issuperset(parts)
        ]

    def _add(self, fact: F) -> None:
        if not self._free:
            self._grow()
        row = self._free.pop()
        self.rows[fact.id] = row
        self.taken[row] = True
        text = passage_of(fact)
        self.language[row] = LANGUAGES.index(language_of(fact.text))
        self.grams.add(row, text)
        self._describe(row, fact)

    def _describe(self, row: int, fact: F) -> None:
        self.facts[row] = self._by_id[fact.id] = fact
        self.pinned[row] = fact.pinned
        self.said[row] = fact.said.toordinal() if fact.said else 0
        self.subject[row] = self.subjects.setdefault(fact.subject, len(self.subjects))

    def _remove(self, known: str) -> F:
        row = self.rows[known]
        fact = self.fact(row)
        self.grams.remove(row, passage_of(fact))
        del self.rows[fact.id], self._by_id[fact.id]
        self.facts[row] = None
        if self.embedded[row]:
            self.totals[self.language[row]] -= self.vectors[row]
            self.counts[self.language[row]] -= 1
        self.vectors[row] = 0
        self.embedded[row] = self.taken[row] = self.pinned[row] = False
        self._free.append(row)
        return fact

    def _grow(self) -> None:
        old = len(self.facts)
        new = max(FIRST_ROWS, int(old * GROWTH))
        self.facts += [None] * (new - old)
        self._free = list(range(new - 1, old - 1, -1))
        more = new - old
        self.vectors = np.concatenate((self.vectors, np.zeros((more, self.vectors.shape[1]), np.float32)))
        for name in ("embedded", "taken", "pinned", "language", "said", "subject"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate((column, np.zeros(more, column.dtype))))
