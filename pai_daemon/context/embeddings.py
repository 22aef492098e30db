"""The embeddings of one model, kept in step on disk and in memory, and what is missing of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import median

import numpy as np

from pai_daemon.context.space import ModelName
from pai_daemon.context.store.vector_table import VectorTable
from pai_daemon.context.vector_index import VectorIndex
from pai_daemon.context.vectors import Floats, VectorMatrix, Vectors
from pai_daemon.errors import IndexUnavailable

# Unused embeddings stay until they are worth a sweep: an undone edit finds its vector again.
SWEEP_SHARE = 0.25
SWEEP_MINIMUM = 250
# More than these are searched in an index on disk: 350,000 of 384 dimensions.
MATRIX_BYTES = 512 * 1024 * 1024
# Or as many as this whose exact search takes longer, 100 ms being what all of a search may take.
SLOW_ROWS, SLOW_S = 100_000, 0.05
# An index that has shrunk below this share of that is given up.
SHRUNK_SHARE = 0.5


class Embeddings:
    """One thread writes; the matrix may be searched by any.

    keys: those of all chunks there are, the one to embed first last. missing: those of them that are not
    embedded yet, in the same order. Raises IndexUnavailable for a table that is not this model's.
    """

    def __init__(self, model: ModelName, table: VectorTable, keys: Iterable[str]) -> None:
        self.model = model
        self.table = table
        known = {key: key for key in keys}
        self.matrix: Vectors = self._read(known)
        self.missing: dict[str, None] = {key: None for key in known if key not in self.matrix}

    def _read(self, known: Mapping[str, str]) -> Vectors:
        """Return what was written; known: each key, so that its text is in memory once: 113 bytes."""
        if self.table.is_indexed:
            if len(self.table) * self._row_bytes > SHRUNK_SHARE * MATRIX_BYTES:
                return VectorIndex(self.table, (known.get(key, key) for key in self.table))
            self.table.drop_vector_index()
        matrix = VectorMatrix(self.model.dimensions)
        matrix.reserve(len(self.table))
        for stored, vectors in self.table.batches():
            if vectors.shape[1] != self.model.dimensions:
                raise IndexUnavailable(
                    f"The embeddings of {self.model.name} have another width than it gives."
                )
            matrix.add([known.get(key, key) for key in stored], vectors)
        return matrix

    @property
    def _row_bytes(self) -> int:
        return self.model.dimensions * np.dtype(np.float32).itemsize

    @property
    def is_exact(self) -> bool:
        """Return whether a search finds the nearest for certain."""
        return isinstance(self.matrix, VectorMatrix)

    def outgrow(self) -> bool:
        """Move what has become too much for the memory, or too slow, to an index on disk; return whether.

        It is slow on this machine: exact searches are timed.
        """
        if not self.is_exact:
            return False
        count = len(self.matrix)
        is_large = count * self._row_bytes > MATRIX_BYTES
        if not is_large and (count < SLOW_ROWS or self._search_s() < SLOW_S):
            return False
        self.table.index_vectors()
        self.matrix = VectorIndex(self.table, iter(self.matrix))
        return True

    def _search_s(self) -> float:
        """Return how long an exact search takes, in seconds."""
        query = np.full(self.model.dimensions, self.model.dimensions**-0.5, np.float32)
        taken = []
        for _ in range(5):
            start = time.perf_counter()
            self.matrix.search(query, 1)
            taken.append(time.perf_counter() - start)
        return median(taken)

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Write embeddings; vectors (len(keys), dimensions) float32 of length 1."""
        self.table.add(keys, vectors)
        self.matrix.add(keys, vectors)
        for key in keys:
            self.missing.pop(key, None)

    def follow(self, keys: Iterable[str], is_used: Callable[[str], object]) -> None:
        """Let those of these keys wait that are used and not embedded, and no other of them."""
        for key in keys:
            if key in self.matrix or not is_used(key):
                self.missing.pop(key, None)
            else:
                self.missing.setdefault(key)

    def sweep(self, used: Collection[str]) -> bool:
        """Drop the embeddings that are not used, once they are many; return whether they were."""
        unused = len(self.matrix) - sum(key in self.matrix for key in used)
        are_many = unused > max(SWEEP_MINIMUM, SWEEP_SHARE * len(self.matrix))
        if are_many:
            self.table.remove([key for key in self.matrix if key not in used])
            self.matrix.keep(used)
        return are_many

    def rewrite(self, used: Collection[str]) -> None:
        """Keep the embeddings that are used, in new files, so that no file holds the others (D14)."""
        self.matrix.keep(used)
        self.table.rewrite(used)
