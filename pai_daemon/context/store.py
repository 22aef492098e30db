"""The tables of the index: `chunks`, and one of embeddings for each model.

`chunks` holds the text: one row a chunk, keyed `path#ordinal`; the row with ordinal 0 also carries the
note's own facts. `vectors-<fingerprint>` holds embeddings by the hash of the embedded text, see
`vector_table`. So text is searchable before it is embedded, a rename or a `touch` embeds nothing (D2),
and another model gets a table of its own (D6).

A window of notes is one merge with tombstones and no delete clause: atomic for readers, and flat
in the size of the table (about 10 ms from 1k to 100k rows, where the delete clause took 141 ms).
Dead rows are filtered from every read and swept at upkeep. One thread writes; any thread reads.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from pai_daemon.context.catalog import Filter, IndexedNote, fold_tag
from pai_daemon.context.lance import (
    border,
    connect,
    index_values,
    index_words,
    quoted,
    release_memory,
    table_names,
    words,
)
from pai_daemon.context.record import Record, read_record, write_record
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
from pai_daemon.context.vector_table import PREFIX, VectorTable

TABLES = "tables"
PURGE = "purge"
# Rises with the columns below or with how notes are cut into chunks; an older index is rebuilt.
SCHEMA_VERSION = 3
# Unindexed rows are tokenised at each text query: 6,000 of them cost 90 ms, so tidy well before.
TIDY_ROWS = 2000
TIDY_COMMITS = 50
# A version stays this long for the searches that read it: they take milliseconds.
KEEP_S = 10.0
REWRITE_ROWS = 20_000


class Store:
    """The tables of one vault's index in one folder; the caller holds the folder's lock.

    revision: rises with everything that a reader may notice, and is never less at a later start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._write = threading.Lock()
        self._commits_since_tidy = 0
        self._rewritten = self._has_old_files = False
        with border():
            folder.mkdir(parents=True, exist_ok=True)
            self._forget_other_schema()
            self._record = read_record(folder)
            self._database = connect(folder / TABLES)
            names = table_names(self._database)
            self._chunks = self._open_chunks(exists="chunks" in names)
            self._vectors = {name: self._open_vectors(name) for name in names if name.startswith(PREFIX)}
        versions = sum(table.version for table in self._vectors.values())
        self.revision: int = self._chunks.version + versions + self._record.revision_base

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

    def _open_chunks(self, *, exists: bool) -> Any:
        if exists:
            return self._database.open_table("chunks")
        table = self._database.create_table("chunks", schema=CHUNKS_SCHEMA)
        index_values(table, "chunk_id")
        index_values(table, "path")
        index_words(table)
        return table

    def _open_vectors(self, name: str) -> VectorTable:
        return VectorTable(self._database, name, self._wrote)

    def _wrote(self) -> None:
        self._commits_since_tidy += 1

    # Which model answers.

    @property
    def record(self) -> Record:
        """Return what is remembered of models."""
        return self._record

    def remember(self, record: Record) -> None:
        """Remember something else of models, from this instant on whatever happens. Raises DiskFull."""
        if record != self._record:
            with border():
                write_record(self._folder, record)
            self._record = record

    def has_vectors(self, fingerprint: str) -> bool:
        """Return whether there are embeddings of this model."""
        return PREFIX + fingerprint in self._vectors

    def vectors(self, fingerprint: str) -> VectorTable:
        """Return the table of this model's embeddings."""
        name = PREFIX + fingerprint
        if name not in self._vectors:
            self._vectors[name] = self._open_vectors(name)
        return self._vectors[name]

    def drop_vectors_but(self, kept: Iterable[VectorTable]) -> None:
        """Remove the embeddings of all models but these."""
        names = {table.name for table in kept}
        gone = [table for name, table in self._vectors.items() if name not in names]
        if gone:
            base = self._record.revision_base + sum(table.version for table in gone)
            self.remember(replace(self._record, revision_base=base))
        for table in gone:
            table.drop()
            del self._vectors[table.name]

    # What the catalog is filled from at start.

    def notes(self) -> list[IndexedNote]:
        """Return every indexed note."""
        with border():
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
        with self._write, border():
            merge = self._chunks.merge_insert("chunk_id").when_matched_update_all()
            (merge.when_not_matched_insert_all() if insert else merge).execute(rows)
        self.revision += 1
        self._wrote()

    # Reading.

    def search_text(self, query: str, limit: int, chosen: Filter) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, BM25 score) pairs, best first."""
        with border():
            found = (
                self._chunks.search(words(query), query_type="fts")
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
        listed = ", ".join(quoted(item) for item in wanted)
        with border():
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
        with border():
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
        with self._write, border():
            before = self._chunks.version
            if self._chunks.count_rows("live = false"):
                self._chunks.delete("live = false")
            keep = timedelta(milliseconds=1) if starting else timedelta(seconds=KEEP_S)
            self._chunks.optimize(cleanup_older_than=keep, delete_unverified=starting)
            changed = [table.tidy(keep, starting=starting) for table in self._vectors.values()]
            # Searches may still read the files that this upkeep has replaced: the next one removes them.
            self._has_old_files = before != self._chunks.version or any(changed)
            self._commits_since_tidy = 0
        release_memory()

    @property
    def purge_step(self) -> Literal["rewrite", "sweep"] | None:
        """Return what is left to do for rows that went for good: this outlives the process."""
        if not (self._folder / PURGE).exists():
            return None
        return "sweep" if self._rewritten else "rewrite"

    def want_purge(self) -> None:
        """Remember that rows are about to go that must leave the disk too. Raises DiskFull."""
        with border():
            (self._folder / PURGE).touch()
        self._rewritten = False

    def rewrite(self, rewrite_vectors: Callable[[], None]) -> None:
        """Write all rows anew, so that no file in use keeps what rows that are gone once held.

        Upkeep leaves a file alone while less than a tenth of its rows are gone, and an index of words keeps
        the words of rows that are. rewrite_vectors: does the same for the embeddings. About 3 s for 100,000
        chunks; searches go on. Raises DiskFull or IndexUnavailable.
        """
        with self._write, border():
            self._chunks.delete("live = false")
            for batch in self._chunks.search().limit(2**31 - 1).to_batches(REWRITE_ROWS):
                merge = self._chunks.merge_insert("chunk_id").when_matched_update_all()
                merge.execute(pa.Table.from_batches([batch]))
            index_words(self._chunks)
            rewrite_vectors()
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


def _where(chosen: Filter) -> str:
    """Return the predicate of a filter; ranges, since LIKE reads `_` as a wildcard."""
    clauses = ["live = true"]
    if folder := chosen.folder.strip("/"):
        low, high = quoted(folder + "/"), quoted(folder + "0")
        clauses.append(f"(path = {quoted(folder)} OR (path >= {low} AND path < {high}))")
    if chosen.tag:
        clauses.append(f"array_has(tags, {quoted(fold_tag(chosen.tag))})")
    return " AND ".join(clauses)
