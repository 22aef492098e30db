"""The embeddings of one model, kept in step on disk and in memory, and what is missing of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from pai_daemon.context.space import ModelName
from pai_daemon.context.store.vector_table import VectorTable
from pai_daemon.context.vectors import Floats, VectorMatrix
from pai_daemon.errors import IndexUnavailable

# Unused embeddings stay until they are worth a sweep: an undone edit finds its vector again.
SWEEP_SHARE = 0.25
SWEEP_MINIMUM = 250


class Embeddings:
    """One thread writes; the matrix may be searched by any.

    keys: those of all chunks there are, the one to embed first last. missing: those of them that are not
    embedded yet, in the same order. Raises IndexUnavailable for a table that is not this model's.
    """

    def __init__(self, model: ModelName, table: VectorTable, keys: Iterable[str]) -> None:
        self.model = model
        self.table = table
        self.matrix = VectorMatrix(model.dimensions)
        self.matrix.reserve(len(table))
        known = {key: key for key in keys}
        for stored, vectors in table.batches():
            if vectors.shape[1] != model.dimensions:
                raise IndexUnavailable(f"The embeddings of {model.name} have another width than it gives.")
            # The text of a key is in memory once: 113 bytes.
            self.matrix.add([known.get(key, key) for key in stored], vectors)
        self.missing: dict[str, None] = {key: None for key in known if key not in self.matrix}

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
        keys = list(self.matrix)
        self.table.rewrite(keys, self.matrix.get(keys))
