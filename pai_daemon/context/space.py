"""The vector space that answers: one model, and the embeddings that this model made.

A query borrows it once. Whatever is switched meanwhile, its vector is then compared with vectors of the
same model, and read by that model's scoring; the model is closed only when no query uses it any more (D39).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from pai_daemon.context.store.lance import release_memory
from pai_daemon.context.vectors import Floats, Vectors
from pai_daemon.models.registry import Profile, Scoring


class EmbeddingModel(Protocol):
    """What indexing, search and answers need of an embedder."""

    @property
    def profile(self) -> Profile:
        """Return which model it is; its fingerprint names the vector space."""
        ...

    @property
    def scoring(self) -> Scoring:
        """Return how its cosines are read."""
        ...

    @property
    def tokens_done(self) -> int:
        """Return how many tokens it has embedded."""
        ...

    @property
    def execution_provider(self) -> str:
        """Return what does the work."""
        ...

    @property
    def form(self) -> str:
        """Return in which form it runs."""
        ...

    @property
    def warning(self) -> str:
        """Return why it does not run as it should, "" when it does."""
        ...

    @property
    def texts_split(self) -> int:
        """Return how many texts were longer than its window."""
        ...

    def embed_query(self, text: str) -> Floats:
        """Return (dimensions,) float32 of length 1."""
        ...

    def embed_texts(self, texts: Sequence[str], *, urgent: bool) -> Floats:
        """Return (len(texts), dimensions) float32, each row of length 1."""
        ...

    def close(self) -> None:
        """Let its memory go; calls that wait raise ModelUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class ModelName:
    """Which model a space belongs to. Two with one fingerprint are the same.

    spec: what a person writes to get it again.
    """

    name: str = field(compare=False)
    fingerprint: str
    dimensions: int = field(compare=False)
    spec: str = field(default="", compare=False)

    @classmethod
    def of(cls, profile: Profile) -> ModelName:
        """Return the name of a profile's space."""
        return cls(profile.name, profile.fingerprint, profile.dimensions, profile.spec)


# What answers while it is not known yet which model will.
NO_MODEL = ModelName("", "", 0)


@dataclass(frozen=True, slots=True)
class Space:
    """A model and its embeddings. embedder: None while the model is loading, or where it cannot be loaded.

    Raises ValueError where the embedder is another model's.
    """

    model: ModelName
    matrix: Vectors
    embedder: EmbeddingModel | None = None

    def __post_init__(self) -> None:
        """Refuse to compare what does not compare."""
        if self.embedder is not None and ModelName.of(self.embedder.profile) != self.model:
            raise ValueError(f"{self.embedder.profile.name} made none of the embeddings of {self.model.name}")


class CurrentSpace:
    """The space that answers now, lent to queries on any thread."""

    def __init__(self, space: Space) -> None:
        self._lock = threading.Lock()
        self._loan = _Loan(space)

    @property
    def space(self) -> Space:
        """Return the space as it is now; to ask its embedder, borrow it."""
        return self._loan.space

    @contextmanager
    def borrow(self) -> Iterator[Space]:
        """Yield the space; its embedder stays open until it is given back."""
        with self._lock:
            loan = self._loan
            loan.queries += 1
        try:
            yield loan.space
        finally:
            with self._lock:
                loan.queries -= 1
                is_last = loan is not self._loan and not loan.queries
            if is_last:
                _close(loan.space)

    def attach(self, embedder: EmbeddingModel) -> bool:
        """Let queries be embedded by this; return False, changing nothing, where it is another model's."""
        with self._lock:
            space = self._loan.space
            if ModelName.of(embedder.profile) != space.model:
                return False
            self._loan.space = replace(space, embedder=embedder)
            return True

    def search_in(self, vectors: Vectors) -> None:
        """Let queries from now on search the same embeddings in another way."""
        with self._lock:
            self._loan.space = replace(self._loan.space, matrix=vectors)

    def switch(self, space: Space) -> None:
        """Let queries from now on be answered in another space; close the old one's after its last query."""
        with self._lock:
            old, self._loan = self._loan, _Loan(space)
            is_idle = not old.queries
        if is_idle:
            _close(old.space)


@dataclass(slots=True)
class _Loan:
    """A space, and how many queries use it."""

    space: Space
    queries: int = 0


def _close(space: Space) -> None:
    if space.embedder is not None:
        space.embedder.close()
        release_memory()
