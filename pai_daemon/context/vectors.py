"""The embeddings in memory, for exact search without waiting.

LanceDB's flat scan costs 14 to 24 times a matrix product over the same rows (measured at 10k and
100k chunks), so the store's vectors are held as float32: 1.5 kB a chunk at 384 dimensions. It is a
cache of the store's vector table, filled at start and added to with each commit. It is held in
blocks that never move, so that the vectors are in memory once at any time. The blocks are few: each
is a product of its own, for which the threads of the algebra library have to meet. What outgrows the
memory is searched on disk, see `vector_index`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

# A new block has room for this many vectors, or for this share of those there are. The system gives it
# memory only as it is filled.
BLOCK_ROWS = 8192
BLOCK_SHARE = 0.5
# Where a filter lets this share of a block pass, to multiply all of it is faster than to pick rows.
WHOLE_SHARE = 0.1
# So many rows of 384 dimensions fill a third of a core's second cache.
CACHED_ROWS = 256


class Vectors(Protocol):
    """The vectors of length 1 of one model, by key. One writer adds; any thread searches."""

    def __len__(self) -> int:
        """Return how many vectors there are."""
        ...

    def __contains__(self, key: object) -> bool:
        """Return whether the vector of a key is known."""
        ...

    def __iter__(self) -> Iterator[str]:
        """Return the keys there are now, in the order in which they were added."""
        ...

    def add(self, keys: Sequence[str], vectors: Floats, /) -> None:
        """Append vectors (len(keys), dimensions); a key that is there already keeps its vector."""
        ...

    def keep(self, wanted: Collection[str]) -> None:
        """Drop every vector whose key is not wanted."""
        ...

    def get(self, keys: Sequence[str]) -> Floats:
        """Return the vectors of those keys that are known: (found, dimensions) float32."""
        ...

    def search(
        self, query: Floats, limit: int, allowed: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (key, cosine) pairs, best first."""
        ...

    def search_each(self, queries: Floats, limits: Sequence[int]) -> list[list[tuple[str, float]]]:
        """Return for each query (rows of (n, dimensions)) what `search` does with its limit."""
        ...


class VectorMatrix:
    """Vectors of length 1 by key. One writer adds; any thread searches."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._lock = threading.Lock()
        self._keys: list[str] = []
        self._rows: dict[str, int] = {}
        # Each (rows, dimensions), all in use; the last is the beginning of `_open`, where that has rows.
        self._blocks: list[Floats] = []
        self._open: Floats = np.empty((0, dimensions), np.float32)

    def __len__(self) -> int:
        """Return how many vectors there are."""
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        """Return whether the vector of a key is known."""
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        """Return the keys there are now, in the order in which they were added."""
        with self._lock:
            return iter(list(self._keys))

    def reserve(self, count: int) -> None:
        """Let the next `count` vectors share a block."""
        with self._lock:
            self._begin(count)

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append vectors; a key that is there already keeps its vector.

        vectors: (len(keys), dimensions) float32, each row of length 1.
        """
        with self._lock:
            fresh = self._learn(keys)
            rows = vectors if len(fresh) == len(keys) else vectors[fresh]
            while len(rows):
                rows = rows[self._fill(rows) :]

    def _learn(self, keys: Sequence[str]) -> list[int]:
        """Take in the keys that are new; return where they are in `keys`, each once."""
        fresh = []
        for place, key in enumerate(keys):
            if key not in self._rows:
                self._rows[key] = len(self._keys)
                self._keys.append(key)
                fresh.append(place)
        return fresh

    def _fill(self, vectors: Floats) -> int:
        """Copy as many of these vectors as the last block has room for; return how many."""
        used = len(self._blocks[-1]) if len(self._open) else 0
        if used == len(self._open):
            self._begin(max(BLOCK_ROWS, int(BLOCK_SHARE * len(self._keys))))
            used = 0
        count = min(len(vectors), len(self._open) - used)
        self._open[used : used + count] = vectors[:count]
        self._blocks[-1] = self._open[: used + count]
        return count

    def _begin(self, rows: int) -> None:
        self._open = np.empty((rows, self.dimensions), np.float32)
        if not self._blocks or len(self._blocks[-1]):
            self._blocks.append(self._open[:0])

    def keep(self, wanted: Collection[str]) -> None:
        """Drop every vector whose key is not wanted, in new blocks: running searches keep theirs."""
        with self._lock:
            rows = np.array([row for row, key in enumerate(self._keys) if key in wanted], np.int64)
            parts = _parts(self._blocks, rows)
            self._blocks = [
                block if len(part) == len(block) else block[part] for block, part in parts if len(part)
            ]
            self._open = self._open[:0]
            self._keys = [self._keys[row] for row in rows]
            self._rows = {key: row for row, key in enumerate(self._keys)}

    def get(self, keys: Sequence[str]) -> Floats:
        """Return the vectors of those keys that are known: (found, dimensions) float32."""
        with self._lock:
            rows, blocks = self._rows_of(keys), list(self._blocks)
        found = np.empty((len(rows), self.dimensions), np.float32)
        order = np.argsort(rows, kind="stable")
        start = 0
        for block, part in _parts(blocks, rows[order]):
            found[order[start : start + len(part)]] = block[part]
            start += len(part)
        return found

    def search(
        self, query: Floats, limit: int, allowed: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (key, cosine) pairs, best first; exact.

        query: (dimensions,) float32 of length 1. allowed: keys that may be returned; None for all.
        """
        with self._lock:
            keys, blocks = self._keys, list(self._blocks)
            rows = None if allowed is None else np.sort(self._rows_of(allowed))
        if rows is None:
            scores = _scores(blocks, query)
            return [(keys[row], float(scores[row])) for row in _best(scores, limit)]
        scores = _scores_at(blocks, query, rows)
        return [(keys[rows[row]], float(scores[row])) for row in _best(scores, limit)]

    def search_each(self, queries: Floats, limits: Sequence[int]) -> list[list[tuple[str, float]]]:
        """Return for each query what `search` does with its limit, in one pass over the memory.

        queries: (n, dimensions) float32, each row of length 1.
        """
        with self._lock:
            keys, blocks = self._keys, list(self._blocks)
        return [
            [(keys[row], float(scores[row])) for row in _best(scores, limit)]
            for scores, limit in zip(products(blocks, queries), limits, strict=True)
        ]

    def _rows_of(self, keys: Collection[str]) -> Rows:
        return np.array([row for row in map(self._rows.get, keys) if row is not None], np.int64)


def _scores(blocks: Sequence[Floats], query: Floats) -> Floats:
    """Return the product of all blocks with a query: (rows of all,) float32."""
    ends = list(accumulate(map(len, blocks), initial=0))
    scores = np.empty(ends[-1], np.float32)
    for block, start in zip(blocks, ends, strict=False):
        np.matmul(block, query, out=scores[start : start + len(block)])
    return scores


def products(blocks: Sequence[Floats], queries: Floats) -> Floats:
    """Return the products of queries (n, dimensions) with all blocks: (n, rows of all) float32.

    Some rows at a time, which stay in the cache for all queries: a quarter of the time of a query after the
    other. One product of matrices is no faster, takes 40 MB, and keeps a second core busy with waiting.
    """
    ends = list(accumulate(map(len, blocks), initial=0))
    found = np.empty((len(queries), ends[-1]), np.float32)
    for block, start in zip(blocks, ends, strict=False):
        for first in range(0, len(block), CACHED_ROWS):
            rows = block[first : first + CACHED_ROWS]
            for query, scores in zip(queries, found[:, start + first :], strict=True):
                np.matmul(rows, query, out=scores[: len(rows)])
    return found


def _best(scores: Floats, limit: int) -> Rows:
    """Return the places of up to `limit` scores, best first: (at most limit,) int64."""
    best = np.arange(len(scores))
    if limit < len(scores):
        best = np.argpartition(scores, -limit)[-limit:]
    found: Rows = best[np.argsort(-scores[best], kind="stable")]
    return found


def _scores_at(blocks: Sequence[Floats], query: Floats, rows: Rows) -> Floats:
    """Return the product of some rows with a query: (len(rows),) float32; rows ascending."""
    scores = [
        block[part] @ query if len(part) < WHOLE_SHARE * len(block) else (block @ query)[part]
        for block, part in _parts(blocks, rows)
        if len(part)
    ]
    return np.concatenate(scores) if scores else np.empty(0, np.float32)


def _parts(blocks: Sequence[Floats], rows: Rows) -> Iterator[tuple[Floats, Rows]]:
    """Yield each block with those of the rows that are in it, counted from its start; rows ascending."""
    starts = list(accumulate(map(len, blocks), initial=0))
    places = np.searchsorted(rows, starts)
    for number, block in enumerate(blocks):
        yield block, rows[places[number] : places[number + 1]] - starts[number]
