"""The embeddings of one model on disk: a table of their own, by the hash of the embedded text (D21).

It only grows between sweeps, and is made with its first embeddings. One thread writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pai_daemon.context.store.lance import border, connect, index_values, index_vectors, quoted, table_names
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import IndexUnavailable

# Followed by the fingerprint of the model.
PREFIX = "vectors-"
BATCH_ROWS = 1024
DELETE_KEYS = 1000
ALL_ROWS = 2**31 - 1
# More than there are: with a filter the parts of the index that are left out are those that hold what passes.
PARTITIONS = 10_000
# Of the index of the vectors all stays in memory; one that is read from disk takes six times as long.
CACHED_BYTES, CACHED_BYTES_PER_NUMBER = 64 * 2**20, 1
# So many times the wanted rows are scored again with the vectors themselves.
REFINE = 4


class VectorTable:
    """The table of one vector space.

    on_write: called when embeddings were added. on_failure: called with what may be damage, on any thread.
    Raises DiskFull or IndexUnavailable from everything it does.
    """

    def __init__(
        self,
        database: Any,
        name: str,
        on_write: Callable[[], None],
        on_failure: Callable[[IndexUnavailable], None],
    ) -> None:
        self.name = name
        self._on_failure = on_failure
        self._database = database
        self._on_write = on_write
        with border():
            self._table: Any = database.open_table(name) if name in table_names(database) else None

    @property
    def version(self) -> int:
        """Return how often the table was written; 0 where there is none."""
        return 0 if self._table is None else int(self._table.version)

    def __len__(self) -> int:
        """Return how many rows are stored."""
        with border():
            return 0 if self._table is None else int(self._table.count_rows())

    def batches(self) -> Iterator[tuple[list[str], Floats]]:
        """Yield every stored (keys, vectors) in batches; vectors (n, dimensions) float32, read-only."""
        if self._table is None:
            return
        with border():
            found = self._table.search().select(["key", "vector"]).limit(ALL_ROWS)
            for batch in found.to_batches(BATCH_ROWS):
                if keys := batch.column("key").to_pylist():
                    yield keys, _matrix(batch["vector"])

    def __iter__(self) -> Iterator[str]:
        """Yield every stored key."""
        if self._table is None:
            return
        with border():
            for batch in self._table.search().select(["key"]).limit(ALL_ROWS).to_batches(BATCH_ROWS):
                yield from batch.column("key").to_pylist()

    def get(self, keys: Sequence[str]) -> Floats:
        """Return the vectors of those of these keys that are stored, in their order: (found, dimensions)."""
        with border(self._on_failure):
            asked = self._table.search().where(_among(keys)).select(["key", "vector"])
            rows = asked.limit(ALL_ROWS).to_arrow()
        places = {key: place for place, key in enumerate(rows["key"].to_pylist())}
        vectors = _matrix(rows["vector"].combine_chunks())
        return vectors[[places[key] for key in keys if key in places]]

    # Search for what is nearest, for those who do not hold all vectors in memory.

    @property
    def is_indexed(self) -> bool:
        """Return whether there is an index of the vectors."""
        with border():
            known = [] if self._table is None else self._table.list_indices()
        return any("vector" in index.columns for index in known)

    def index_vectors(self) -> None:
        """Make the index of the vectors, anew where there is one: 20 s for 400,000 on two cores."""
        with border():
            index_vectors(self._table)
        self.hold_index()

    def hold_index(self) -> None:
        """Let the index of the vectors stay in memory, once it has been searched."""
        with border():
            width = self._table.schema.field("vector").type.list_size
            room = CACHED_BYTES + len(self) * width * CACHED_BYTES_PER_NUMBER
            self._table = connect(Path(self._database.uri), room).open_table(self.name)

    def drop_vector_index(self) -> None:
        """Remove the index of the vectors."""
        with border():
            self._table.drop_index("vector_idx")

    def nearest(
        self, query: Floats, limit: int, among: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (key, cosine) pairs, best first, those that no index knows yet among them.

        query: (dimensions,) float32 of length 1. among: keys that may be returned; None for all.
        """
        with border(self._on_failure):
            asked = self._table.search(query).distance_type("dot").nprobes(PARTITIONS).refine_factor(REFINE)
            asked = asked if among is None else asked.where(_among(among), prefilter=True)
            found = asked.select(["key", "_distance"]).limit(limit).to_arrow()
        cosines = (1 - found["_distance"].to_numpy()).tolist()
        return list(dict(zip(found["key"].to_pylist(), cosines, strict=True)).items())

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append embeddings. A key written twice after a crash is harmless: both rows are equal.

        vectors: (len(keys), dimensions) float32.
        """
        if not len(keys):
            return
        with border():
            if self._table is None:
                self._make(_rows(keys, vectors))
            else:
                self._table.add(_rows(keys, vectors))
        self._on_write()

    def remove(self, keys: Sequence[str]) -> None:
        """Take these embeddings out; the files follow with upkeep."""
        with border():
            for start in range(0, len(keys) if self._table is not None else 0, DELETE_KEYS):
                self._table.delete(_among(keys[start : start + DELETE_KEYS]))

    def rewrite(self, wanted: Collection[str]) -> None:
        """Keep the embeddings of these keys, in new files."""
        if self._table is None:
            return
        was_indexed = self.is_indexed
        with border():
            self._make(pa.RecordBatchReader.from_batches(self._table.schema, _only(self._table, wanted)))
        if was_indexed:
            self.index_vectors()

    def tidy(self, keep: timedelta) -> bool:
        """Do the upkeep, see `Store.tidy`; return whether it changed anything."""
        if self._table is None:
            return False
        before = self.version
        with border():
            self._table.optimize(cleanup_older_than=keep, delete_unverified=True)
            known = {column for index in self._table.list_indices() for column in index.columns}
            if "key" not in known:  # a kill, or damage, has left it out
                index_values(self._table, "key")
        return self.version != before

    def mend(self) -> None:
        """Make the indexes anew, see `Store.mend`."""
        if self._table is not None:
            was_indexed = self.is_indexed
            with border():
                index_values(self._table, "key")
            if was_indexed:
                self.index_vectors()

    def drop(self) -> None:
        """Remove the table with its files."""
        if self._table is not None:
            self._table = None
            with border():
                self._database.drop_table(self.name)

    def _make(self, rows: pa.Table | pa.RecordBatchReader) -> None:
        # To overwrite what is not there would be warned of, on the person's terminal.
        mode = "overwrite" if self.name in table_names(self._database) else "create"
        self._table = self._database.create_table(self.name, rows, mode=mode)
        index_values(self._table, "key")


def _rows(keys: Sequence[str], vectors: Floats) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"key": pa.array(keys, pa.string()), "vector": column})


def _matrix(vectors: pa.FixedSizeListArray) -> Floats:
    matrix: Floats = vectors.flatten().to_numpy().reshape(-1, vectors.type.list_size)
    return matrix


def _among(keys: Iterable[str]) -> str:
    return f"key IN ({', '.join(map(quoted, keys)) or quoted('')})"


def _only(table: Any, wanted: Iterable[str]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of these keys, each once, in batches."""
    left = set(wanted)
    for batch in table.search().select(["key", "vector"]).limit(ALL_ROWS).to_batches(BATCH_ROWS):
        is_kept = []
        for key in batch["key"].to_pylist():
            is_kept.append(key in left)
            left.discard(key)
        yield batch.filter(pa.array(is_kept, pa.bool_()))
