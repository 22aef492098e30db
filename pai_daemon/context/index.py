"""The index of one vault as its readers see it: store, catalog and matrix, kept in step.

Owns the order in which the three change, so that a reader finds in the store what the catalog
names: text is written before it is catalogued, and taken out of the catalog before the store.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.rows import StoredChunk
from pai_daemon.context.store import TABLES, Store
from pai_daemon.context.vectors import Floats, VectorMatrix
from pai_daemon.errors import DiskFull, IndexUnavailable

# Unused embeddings stay until they are worth a sweep: an undone edit finds its vector again.
SWEEP_SHARE = 0.25
SWEEP_MINIMUM = 250


log = logging.getLogger(__name__)


class Index:
    """One vault's index, opened. One thread writes, any thread reads.

    Raises IndexUnavailable or DiskFull from the constructor and from every write.
    chunks_embedded, commits: what was written since it was opened.
    """

    def __init__(self, folder: Path, fingerprint: str, dimensions: int) -> None:
        self.store, notes = _open(folder, fingerprint, dimensions)
        self.catalog = Catalog(notes)
        self.matrix = VectorMatrix(dimensions)
        for keys, vectors in self.store.vectors():
            self.matrix.add(keys, vectors)

        self.chunks_embedded = 0
        self.commits = 0
        self._missing = set(self.missing())

    @property
    def revision(self) -> int:
        """Return the number that rises with every commit."""
        return self.store.revision

    def missing(self) -> list[str]:
        """Return the keys of chunks that are not embedded yet."""
        return [key for key in self.catalog.vector_keys() if key not in self.matrix]

    def missing_count(self) -> int:
        """Return how many texts are not embedded yet; every search asks, so it is kept in step."""
        return len(self._missing)

    def add_vectors(self, keys: Sequence[str], vectors: Floats) -> None:
        """Write embeddings; vectors (len(keys), dimensions) float32 of length 1."""
        self.store.add_vectors(keys, vectors)
        self.matrix.add(keys, vectors)
        self._missing.difference_update(keys)
        self.chunks_embedded += len(keys)
        self.commits += 1

    def commit(
        self,
        notes: Sequence[tuple[IndexedNote, Sequence[StoredChunk]]],
        gone: Iterable[str] = (),
        *,
        for_good: bool = False,
    ) -> None:
        """Write notes with all their chunks and take others out, in one commit.

        for_good: what goes is to leave the disk too, see `rewrite`.
        """
        if for_good:
            self.store.want_purge()
        gone = tuple(gone)
        previous = {}
        keys = {key for note, _ in notes for key in note.vector_keys}
        for path in (*(note.path for note, _ in notes), *gone):
            if (known := self.catalog.get(path)) is not None:
                previous[path] = len(known.vector_keys)
                keys.update(known.vector_keys)
        self.store.commit(notes, previous)
        self.commits += 1
        for path in gone:
            self.catalog.drop(path)
        for note, _ in notes:
            self.catalog.put(note)
        waiting = {key for key in keys if key not in self.matrix and self.catalog.owners(key)}
        self._missing = (self._missing - keys) | waiting

    def touch(self, notes: Sequence[IndexedNote]) -> None:
        """Remember another stat for notes whose bytes are the same."""
        self.store.touch(notes)
        for note in notes:
            self.catalog.put(note)

    def contents(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return key to the text to embed, for keys that a chunk still uses."""
        owned = {key: owners[0] for key in keys if (owners := self.catalog.owners(key))}
        ids = {key: f"{path}#{ordinal}" for key, (path, ordinal) in owned.items()}
        chunks = self.store.chunks(ids.values())
        return {
            key: chunks[item].content
            for key, item in ids.items()
            if item in chunks and chunks[item].vector_key == key
        }

    def rewrite(self) -> None:
        """Let no file in use keep what has been taken out for good (D14); the others are swept later."""
        self.matrix.keep(set(self.catalog.vector_keys()))
        keys = list(self.matrix)
        self.store.rewrite(keys, self.matrix.get(keys))

    def tidy(self) -> None:
        """Drop embeddings that have long been unused, and do the upkeep of the store."""
        used = set(self.catalog.vector_keys())
        unused = len(self.matrix) - sum(key in self.matrix for key in used)
        if unused > max(SWEEP_MINIMUM, SWEEP_SHARE * len(self.matrix)):
            self.store.sweep_vectors([key for key in self.matrix if key not in used])
            self.matrix.keep(used)
        self.store.tidy()


def _open(folder: Path, fingerprint: str, dimensions: int) -> tuple[Store, list[IndexedNote]]:
    """Return the store, tidied, and its notes; a damaged one makes way for a new one: it is a cache (D6)."""
    try:
        store = Store(folder, fingerprint, dimensions)
        store.tidy(starting=True)
        return store, store.notes()
    except DiskFull:
        raise
    except IndexUnavailable as error:
        log.warning("the index is made anew: %s", error.detail)
        shutil.rmtree(folder / TABLES)
        return Store(folder, fingerprint, dimensions), []
