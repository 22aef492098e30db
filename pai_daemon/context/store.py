"""The index on disk. The only module that knows LanceDB.

Two tables. `chunks` holds the text: one row a chunk, keyed `path#ordinal`; the row with ordinal 0
also carries the note's own facts. `vectors-<fingerprint>` holds embeddings by the hash of the
embedded text, and only grows between sweeps. So text is searchable before it is embedded, a
rename or a `touch` embeds nothing (D2), and another model gets a table of its own (D6).

A window of notes is one merge with tombstones and no delete clause: atomic for readers, and flat
in the size of the table (about 10 ms from 1k to 100k rows, where the delete clause took 141 ms).
Dead rows are filtered from every read and swept at upkeep. One thread writes; any thread reads.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import FTS, BTree
from lancedb.query import MatchQuery

from pai_daemon.context.catalog import Filter, IndexedNote, fold_tag
from pai_daemon.context.rows import (
    CHUNKS_SCHEMA,
    StoredChunk,
    chunk_id,
    chunk_of,
    facts_of,
    note_of,
    rows_of,
    tombstone,
)
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import DiskFull, IndexUnavailable

TABLES = "tables"
PURGE = "purge"
# Rises with the columns below or with how notes are cut into chunks; an older index is rebuilt.
SCHEMA_VERSION = 3
# Splits CJK text and identifiers, folds accents, no stemming: one index serves every language.
TOKENIZER = {
    "base_tokenizer": "icu/split",
    "stem": False,
    "remove_stop_words": False,
    "ascii_folding": True,
    "with_position": False,
}
# Unindexed rows are tokenised at each text query: 6,000 of them cost 90 ms, so tidy well before.
TIDY_ROWS = 2000
TIDY_COMMITS = 50
CACHE_BYTES = 16 * 1024 * 1024
# A version stays this long for the searches that read it: they take milliseconds.
KEEP_S = 10.0
REWRITE_ROWS = 20_000


@contextmanager
def _border() -> Iterator[None]:
    """Translate LanceDB's errors, which are bare RuntimeErrors that only their text tells apart."""
    try:
        yield
    except (RuntimeError, OSError, ValueError) as error:
        if "os error 28" in str(error) or "No space left" in str(error):
            raise DiskFull(
                "The disk that holds the index is full.",
                hint="Free some space; indexing goes on by itself. Nothing that was indexed is lost.",
            ) from error
        raise IndexUnavailable(
            f"The index failed: {error}", hint="A restart of the daemon repairs it."
        ) from error


class Store:
    """The tables of one vault's index in one folder; the caller holds the folder's lock."""

    def __init__(self, folder: Path, fingerprint: str, dimensions: int) -> None:
        self._folder = folder
        self._dimensions = dimensions
        self._write = threading.Lock()
        self._commits_since_tidy = 0
        self._rewritten = self._has_old_files = False
        with _border():
            folder.mkdir(parents=True, exist_ok=True)
            self._forget_other_schema()
            session = lancedb.Session(
                index_cache_size_bytes=CACHE_BYTES, metadata_cache_size_bytes=CACHE_BYTES
            )
            self._database = lancedb.connect(str(folder / TABLES), session=session)
            self._chunks = self._open("chunks", CHUNKS_SCHEMA)
            self._vectors_name = f"vectors-{fingerprint}"
            vector = pa.list_(pa.float32(), dimensions)
            self._vectors = self._open(
                self._vectors_name, pa.schema([("key", pa.string()), ("vector", vector)])
            )
            self.revision: int = self._chunks.version + self._vectors.version

    def _forget_other_schema(self) -> None:
        stamp = self._folder / "schema.json"
        current = {"schema": SCHEMA_VERSION}
        try:
            known = json.loads(stamp.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            known = None
        if known != current:
            # Embeddings are keyed by their text: they stay good whatever the columns of `chunks` are.
            shutil.rmtree(self._folder / TABLES / "chunks.lance", ignore_errors=True)
            stamp.write_text(json.dumps(current), "utf-8")

    def _open(self, name: str, schema: pa.Schema) -> Any:
        if name in self._database.list_tables().tables:
            return self._database.open_table(name)
        table = self._database.create_table(name, schema=schema)
        if name == "chunks":
            table.create_index("chunk_id", config=BTree())
            table.create_index("path", config=BTree())
            _index_words(table)
        else:
            table.create_index("key", config=BTree())
        return table

    # What the catalog and the matrix are filled from at start.

    def notes(self) -> list[IndexedNote]:
        """Return every indexed note."""
        with _border():
            rows = (
                self._chunks.search()
                .where("live = true")
                .select(["path", "ordinal", "content_hash", "vector_key", "title", "note"])
                .limit(2**31 - 1)
                .to_arrow()
            )
        keys: dict[str, dict[int, str]] = {}
        heads = []
        for row in rows.to_pylist():
            keys.setdefault(row["path"], {})[row["ordinal"]] = row["vector_key"]
            if row["ordinal"] == 0:
                heads.append(row)
        return [note_of(row, keys[row["path"]]) for row in heads]

    def vectors(self) -> Iterator[tuple[list[str], Floats]]:
        """Yield every stored (keys, vectors) in batches; vectors (n, dimensions) float32."""
        with _border():
            batches = self._vectors.search().select(["key", "vector"]).limit(2**31 - 1).to_batches(8192)
            for batch in batches:
                flat = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
                yield batch.column("key").to_pylist(), flat.reshape(-1, self._dimensions)

    # Writing: one thread, whole notes.

    def commit(
        self,
        notes: Sequence[tuple[IndexedNote, Sequence[StoredChunk]]],
        previous: Mapping[str, int],
    ) -> None:
        """Write notes, and take out others, in one commit.

        notes: each with all its chunks. previous: how many chunks the index has of every path
        that is written or goes; a path that is here and not in `notes` is taken out.
        Raises DiskFull or IndexUnavailable; then nothing was written.
        """
        rows = [row for note, chunks in notes for row in rows_of(note, chunks)]
        kept = {note.path: len(chunks) for note, chunks in notes}
        for path, count in previous.items():
            rows += [tombstone(path, ordinal) for ordinal in range(kept.get(path, 0), count)]
        if rows:
            self._merge(pa.Table.from_pylist(rows, schema=CHUNKS_SCHEMA), insert=True)

    def touch(self, notes: Sequence[IndexedNote]) -> None:
        """Write only the notes' own facts, where their bytes are the same."""
        if notes:
            columns = {
                "chunk_id": [chunk_id(note.path, 0) for note in notes],
                "note": [facts_of(n) for n in notes],
            }
            self._merge(pa.table(columns), insert=False)

    def _merge(self, rows: pa.Table, *, insert: bool) -> None:
        with self._write, _border():
            merge = self._chunks.merge_insert("chunk_id").when_matched_update_all()
            (merge.when_not_matched_insert_all() if insert else merge).execute(rows)
            self._counted()

    def add_vectors(self, keys: Sequence[str], vectors: Floats) -> None:
        """Append embeddings. A key written twice after a crash is harmless: both rows are equal.

        vectors: (len(keys), dimensions) float32.
        """
        if not len(keys):
            return
        with self._write, _border():
            self._vectors.add(self._vector_rows(keys, vectors))
            self._counted()

    def _vector_rows(self, keys: Sequence[str], vectors: Floats) -> pa.Table:
        flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
        column = pa.FixedSizeListArray.from_arrays(flat, self._dimensions)
        return pa.table({"key": pa.array(keys, pa.string()), "vector": column})

    def _counted(self) -> None:
        self.revision += 1
        self._commits_since_tidy += 1

    # Reading.

    def search_text(self, query: str, limit: int, chosen: Filter) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, BM25 score) pairs, best first."""
        with _border():
            found = (
                self._chunks.search(MatchQuery(query, "content"), query_type="fts")
                .where(_where(chosen))
                .select(["chunk_id", "_score"])
                .limit(limit)
                .to_arrow()
            )
        return list(zip(found["chunk_id"].to_pylist(), found["_score"].to_pylist(), strict=True))

    def chunks(self, ids: Iterable[str]) -> dict[str, StoredChunk]:
        """Return the live chunks with these ids."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        listed = ", ".join(_quoted(item) for item in wanted)
        with _border():
            found = (
                self._chunks.search()
                .where(f"chunk_id IN ({listed}) AND live = true")
                .select(list(StoredChunk.__dataclass_fields__))
                .limit(len(wanted))
                .to_arrow()
                .to_pylist()
            )
        chunks = (chunk_of(row) for row in found)
        return {chunk.chunk_id: chunk for chunk in chunks}

    # Upkeep.

    def is_untidy(self) -> bool:
        """Return whether reads are about to slow down for want of upkeep."""
        if self._commits_since_tidy >= TIDY_COMMITS:
            return True
        with _border():
            statistics = self._chunks.index_stats("content_idx")
        return statistics is not None and statistics.num_unindexed_rows >= TIDY_ROWS

    def has_pending_upkeep(self) -> bool:
        """Return whether anything was committed since the last upkeep, or has been left for the next."""
        return self._commits_since_tidy > 0 or self._has_old_files

    def tidy(self, *, starting: bool = False) -> None:
        """Sweep dead rows, bring the indexes up to date and drop old versions.

        starting: also remove what a killed writer left half-written; only before serving. Raises
        DiskFull or IndexUnavailable.
        """
        with self._write, _border():
            before = (self._chunks.version, self._vectors.version)
            if self._chunks.count_rows("live = false"):
                self._chunks.delete("live = false")
            keep = timedelta(milliseconds=1) if starting else timedelta(seconds=KEEP_S)
            for table in (self._chunks, self._vectors):
                table.optimize(cleanup_older_than=keep, delete_unverified=starting)
            # Searches may still read the files that this upkeep has replaced: the next one removes them.
            self._has_old_files = before != (self._chunks.version, self._vectors.version)
            self._commits_since_tidy = 0
        _release_memory()

    def sweep_vectors(self, keys: Sequence[str]) -> None:
        """Remove embeddings that no chunk uses any more, and those of models no longer chosen."""
        with self._write, _border():
            for start in range(0, len(keys), 1000):
                listed = ", ".join(_quoted(key) for key in keys[start : start + 1000])
                self._vectors.delete(f"key IN ({listed})")
            for name in self._database.list_tables().tables:
                if name.startswith("vectors-") and name != self._vectors_name:
                    self._database.drop_table(name)

    @property
    def purge_step(self) -> Literal["rewrite", "sweep"] | None:
        """Return what is left to do for rows that went for good: this outlives the process."""
        if not (self._folder / PURGE).exists():
            return None
        return "sweep" if self._rewritten else "rewrite"

    def want_purge(self) -> None:
        """Remember that rows are about to go that must leave the disk too. Raises DiskFull."""
        with _border():
            (self._folder / PURGE).touch()
        self._rewritten = False

    def rewrite(self, keys: Sequence[str], vectors: Floats) -> None:
        """Write all rows anew, so that no file in use keeps what rows that are gone once held.

        Upkeep leaves a file alone while less than a tenth of its rows are gone, and an index of words keeps
        the words of rows that are. keys, vectors: the embeddings to keep, (len(keys), dimensions) float32.
        About 3 s for 100,000 chunks; searches go on. Raises DiskFull or IndexUnavailable.
        """
        with self._write, _border():
            self._chunks.delete("live = false")
            for batch in self._chunks.search().limit(2**31 - 1).to_batches(REWRITE_ROWS):
                merge = self._chunks.merge_insert("chunk_id").when_matched_update_all()
                merge.execute(pa.Table.from_batches([batch]))
            _index_words(self._chunks)
            rows = self._vector_rows(keys, vectors)
            self._vectors = self._database.create_table(self._vectors_name, rows, mode="overwrite")
            self._vectors.create_index("key", config=BTree())
        self._rewritten = True

    def sweep(self) -> None:
        """Remove the files that a rewriting left behind, once it is older than KEEP_S."""
        self.tidy()
        (self._folder / PURGE).unlink(missing_ok=True)

    def size_bytes(self) -> int:
        """Return the size of the index on disk."""
        total = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                with suppress(OSError):  # upkeep removes files meanwhile
                    total += (Path(folder) / name).stat().st_size
        return total


def _index_words(table: Any) -> None:
    """Make the index of words, anew where there is one."""
    table.create_index("content", config=FTS(**TOKENIZER), replace=True)


def _release_memory() -> None:
    """Give freed memory back to the system, which glibc keeps: 180 MB after a thousand edits."""
    with suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _where(chosen: Filter) -> str:
    """Return the predicate of a filter; ranges, since LIKE reads `_` as a wildcard."""
    clauses = ["live = true"]
    if folder := chosen.folder.strip("/"):
        low, high = _quoted(folder + "/"), _quoted(folder + "0")
        clauses.append(f"(path = {_quoted(folder)} OR (path >= {low} AND path < {high}))")
    if chosen.tag:
        clauses.append(f"array_has(tags, {_quoted(fold_tag(chosen.tag))})")
    return " AND ".join(clauses)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
