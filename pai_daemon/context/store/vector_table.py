"""The embeddings of one model on disk: a table of their own, by the hash of the embedded text (D21).

It only grows between sweeps, and is made with its first embeddings. One thread writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from pai_daemon.context.store.lance import border, index_values, quoted, table_names
from pai_daemon.context.vectors import Floats

# Followed by the fingerprint of the model.
PREFIX = "vectors-"
BATCH_ROWS = 1024
DELETE_KEYS = 1000


class VectorTable:
    """The table of one vector space. on_write: called when embeddings were added.

    Raises DiskFull or IndexUnavailable from everything it does.
    """

    def __init__(self, database: Any, name: str, on_write: Callable[[], None]) -> None:
        self.name = name
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
            found = self._table.search().select(["key", "vector"]).limit(2**31 - 1)
            for batch in found.to_batches(BATCH_ROWS):
                if keys := batch.column("key").to_pylist():
                    yield keys, batch.column("vector").flatten().to_numpy().reshape(len(keys), -1)

    def add(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append embeddings. A key written twice after a crash is harmless: both rows are equal.

        vectors: (len(keys), dimensions) float32.
        """
        if not len(keys):
            return
        with border():
            if self._table is None:
                self._make(keys, vectors)
            else:
                self._table.add(_rows(keys, vectors))
        self._on_write()

    def remove(self, keys: Sequence[str]) -> None:
        """Take these embeddings out; the files follow with upkeep."""
        with border():
            for start in range(0, len(keys) if self._table is not None else 0, DELETE_KEYS):
                listed = ", ".join(quoted(key) for key in keys[start : start + DELETE_KEYS])
                self._table.delete(f"key IN ({listed})")

    def rewrite(self, keys: Sequence[str], vectors: Floats) -> None:
        """Keep exactly these embeddings, in new files; vectors (len(keys), dimensions) float32."""
        if self._table is not None:
            with border():
                self._make(keys, vectors)

    def tidy(self, keep: timedelta) -> bool:
        """Do the upkeep, see `Store.tidy`; return whether it changed anything."""
        if self._table is None:
            return False
        before = self.version
        with border():
            self._table.optimize(cleanup_older_than=keep, delete_unverified=True)
            if not self._table.list_indices():  # a kill, or damage, has left it out
                index_values(self._table, "key")
        return self.version != before

    def mend(self) -> None:
        """Make the index of keys anew, see `Store.mend`."""
        if self._table is not None:
            with border():
                index_values(self._table, "key")

    def drop(self) -> None:
        """Remove the table with its files."""
        if self._table is not None:
            self._table = None
            with border():
                self._database.drop_table(self.name)

    def _make(self, keys: Sequence[str], vectors: Floats) -> None:
        # To overwrite what is not there would be warned of, on the person's terminal.
        mode = "overwrite" if self.name in table_names(self._database) else "create"
        self._table = self._database.create_table(self.name, _rows(keys, vectors), mode=mode)
        index_values(self._table, "key")


def _rows(keys: Sequence[str], vectors: Floats) -> pa.Table:
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"key": pa.array(keys, pa.string()), "vector": column})
