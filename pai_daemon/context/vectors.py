"""The embeddings in memory, for exact search without waiting.

LanceDB's flat scan costs 14 to 24 times a matrix product over the same rows (measured at 10k and
100k chunks), so the store's vectors are held as one float32 matrix: 1.5 kB a chunk at 384
dimensions. It is a cache of the store's vector table, filled at start and appended to with each
commit.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class VectorMatrix:
    """Vectors of length 1 by key. One writer appends; any thread searches."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._lock = threading.Lock()
        self._keys: list[str] = []
        self._rows: dict[str, int] = {}
        self._matrix: Floats = np.empty((0, dimensions), np.float32)

    def __len__(self) -> int:
        """Return how many vectors there are."""
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        """Return whether the vector of a key is known."""
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        """Return the keys there are now, in the order in which they were added."""
        with self._lock:
            return iter(list(self._keys))

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append vectors; a key that is there already keeps its vector.

        vectors: (len(keys), dimensions) float32, each row of length 1.
        """
        with self._lock:
            first = {key: row for row, key in reversed(list(enumerate(keys)))}
            fresh = [row for key, row in first.items() if key not in self._rows]
            start, end = len(self._keys), len(self._keys) + len(fresh)
            if end > len(self._matrix):
                grown = np.empty((max(end, len(self._matrix) * 3 // 2, 1024), self.dimensions), np.float32)
                grown[:start] = self._matrix[:start]
                self._matrix = grown
            self._matrix[start:end] = vectors[fresh]
            for row in fresh:
                self._rows[keys[row]] = len(self._keys)
                self._keys.append(keys[row])

    def keep(self, wanted: Collection[str]) -> None:
        """Drop every vector whose key is not wanted, as a new matrix: running searches keep theirs."""
        with self._lock:
            rows = [row for row, key in enumerate(self._keys) if key in wanted]
            self._matrix = self._matrix[rows].copy()
            self._keys = [self._keys[row] for row in rows]
            self._rows = {key: row for row, key in enumerate(self._keys)}

    def get(self, keys: Sequence[str]) -> Floats:
        """Return the vectors of those keys that are known: (found, dimensions) float32."""
        with self._lock:
            return self._matrix[[self._rows[key] for key in keys if key in self._rows]]

    def search(
        self, query: Floats, limit: int, allowed: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (key, cosine) pairs, best first; exact.

        query: (dimensions,) float32 of length 1. allowed: keys that may be returned; None for all.
        """
        with self._lock:
            keys, count, matrix = self._keys, len(self._keys), self._matrix
            rows = None
            if allowed is not None:
                rows = np.fromiter((self._rows[key] for key in allowed if key in self._rows), np.int64)
        scores = matrix[:count] @ query if rows is None else matrix[rows] @ query
        best = np.arange(len(scores))
        if limit < len(scores):
            best = np.argpartition(scores, -limit)[-limit:]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [(keys[row if rows is None else int(rows[row])], float(scores[row])) for row in best]
