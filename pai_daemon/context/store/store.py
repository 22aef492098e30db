"""The tables of the index: `chunks`, and one of embeddings for each model.

`chunks` holds the text, see `chunk_table`. `vectors-<fingerprint>` holds embeddings by the hash of the
embedded text, see `vector_table`. So text is searchable before it is embedded, a rename or a `touch` embeds
nothing (D2), and another model gets a table of its own (D6). A kill or a full disk at any
step leaves what was before it or after it (D59).
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.store.chunk_table import ChunkTable
from pai_daemon.context.store.copying import VERSIONS, copy_tables
from pai_daemon.context.store.lance import border, connect, release_memory, table_names
from pai_daemon.context.store.record import Record, read_record, write_record, write_whole
from pai_daemon.context.store.rows import READABLE_SCHEMAS, SCHEMA_VERSION, StoredChunk
from pai_daemon.context.store.upkeep import Pending, Shortage, folder_bytes, is_due, rest_s, shortage
from pai_daemon.context.store.vector_table import PREFIX, VectorTable
from pai_daemon.errors import DiskFull, IndexUnavailable

log = logging.getLogger(__name__)

TABLES = "tables"
PURGE = "purge"
DOUBT = "doubt"
STAMP = "schema.json"
# A version stays this long for the searches that read it: they take milliseconds.
KEEP_S = 10.0
# Upkeep that found no room looks again after this long.
PUT_OFF_S = 30.0
# What mending did not help is not mended again at once.
MEND_REST_S = 60.0


class Store:
    """The tables of one vault's index in one folder; the caller holds the folder's lock.

    is_read_only: see `read_only`. on_doubt: called, on any thread, when there is something to mend.
    revision: rises with everything that a reader may notice, and is never less at a later start.
    """

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        self._folder = folder
        self._write = threading.Lock()
        self._commits_since_tidy = 0
        self._rewritten = False
        # A killed writer may have left files: the first upkeep removes them.
        self._has_old_files = True
        self._put_off_s: float | None = None
        self._is_doubted = False
        self._mended_s = -MEND_REST_S
        self.on_doubt: Callable[[], None] = lambda: None
        with border():
            if is_read_only:
                self._insist_on_schema()
            else:
                folder.mkdir(parents=True, exist_ok=True)
                self._forget_unreadable()
            self._record = read_record(folder)
            self._database = connect(folder / TABLES)
            names = table_names(self._database)
        self.chunks = ChunkTable(self._database, self.doubt, is_read_only=is_read_only)
        self._vectors = {name: self._open_vectors(name) for name in names if name.startswith(PREFIX)}
        if not is_read_only:
            self._stamp()
        versions = sum(table.version for table in self._vectors.values())
        self.revision: int = self.chunks.version + versions + self._record.revision_base

    @classmethod
    def read_only(cls, folder: Path) -> Store:
        """Return an index to read from, beside a daemon that serves it or without one; nothing is written.

        It stays as it was when it was opened, for as long as a daemon keeps the files of that: at least
        KEEP_S. Raises IndexUnavailable where there is none, or one of another schema.
        """
        return cls(folder, is_read_only=True)

    def _insist_on_schema(self) -> None:
        if not (self._folder / TABLES).is_dir():
            raise IndexUnavailable(f"There is no index in {self._folder}.", hint="pai start VAULT makes one.")
        if (known := self._schema()) != SCHEMA_VERSION:
            raise IndexUnavailable(
                f"The index in {self._folder} has the schema {known}; this version reads {SCHEMA_VERSION}.",
                hint="pai start VAULT takes it over.",
            )

    def _schema(self) -> object:
        """Return which version the tables have, None where that is not known."""
        try:
            return json.loads((self._folder / STAMP).read_text("utf-8"))["schema"]
        except (FileNotFoundError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def _forget_unreadable(self) -> None:
        """Remove the text of a version that cannot be taken over: the notes are read again."""
        if self._schema() not in READABLE_SCHEMAS:
            # Embeddings are keyed by their text: they stay good whatever the columns of `chunks` are.
            shutil.rmtree(self._folder / TABLES / "chunks.lance", ignore_errors=True)
        for path in (self._folder / TABLES).glob("*.lance"):
            if path.is_file():  # a table is a folder, which cannot be made beside it
                path.unlink()
            elif not any((path / VERSIONS).glob("*.manifest")):  # a kill, before it had anything
                shutil.rmtree(path, ignore_errors=True)

    def _stamp(self) -> None:
        """Say which version the tables have, once they have it; without it their text is not readable."""
        if self._schema() != SCHEMA_VERSION:
            with border():
                write_whole(self._folder / STAMP, json.dumps({"schema": SCHEMA_VERSION}))

    def _open_vectors(self, name: str) -> VectorTable:
        return VectorTable(self._database, name, self._wrote, self.doubt)

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

    def all_vectors(self) -> Sequence[VectorTable]:
        """Return the tables of all models' embeddings."""
        return tuple(self._vectors.values())

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
        with self._write:
            if self.chunks.commit(notes, previous):
                self._committed()

    def touch(self, notes: Sequence[IndexedNote]) -> None:
        """Write only the notes' own facts, where their bytes are the same."""
        if notes:
            with self._write:
                self.chunks.touch(notes)
                self._committed()

    def _committed(self) -> None:
        self.revision += 1
        self._wrote()

    # Upkeep.

    def is_untidy(self, *, in_run: bool = False) -> bool:
        """Return whether upkeep is due at once, see `upkeep.is_due`; not soon after it was put off."""
        if self._put_off_s is not None and time.monotonic() < self._put_off_s + PUT_OFF_S:
            return False
        return is_due(self._pending(), in_run=in_run)

    def upkeep_rest_s(self) -> float | None:
        """Return after how many seconds of rest upkeep is due, None where there is nothing to do."""
        return PUT_OFF_S if self._put_off_s is not None else rest_s(self._pending())

    def _pending(self) -> Pending:
        rows, unindexed = self.chunks.row_count(), self.chunks.untidy_rows()
        return Pending(rows, unindexed, self._commits_since_tidy, self._has_old_files)

    def puts_off(self) -> bool:
        """Return whether the disk has too little room for upkeep, which is then tried again later."""
        is_short = shortage(self._folder / TABLES) is not None
        self._put_off_s = time.monotonic() if is_short else None
        return is_short

    @property
    def shortage(self) -> Shortage | None:
        """Return why upkeep was put off, as far as that still holds."""
        short = shortage(self._folder / TABLES) if self._put_off_s is not None else None
        return short and replace(short, is_purging=self.purge_step is not None)

    def tidy(self) -> None:
        """Sweep dead rows, bring the indexes up to date, and drop old versions and what a kill left.

        Without room for it nothing is done. Only for the thread that writes: what is half-written goes.
        Raises DiskFull or IndexUnavailable.
        """
        if self.puts_off():
            return
        keep = timedelta(seconds=KEEP_S)
        try:
            with self._write:
                changed = [self.chunks.tidy(keep), *(table.tidy(keep) for table in self._vectors.values())]
                # Searches may still read the files that this upkeep has replaced: the next one removes them.
                self._has_old_files = any(changed)
                self._commits_since_tidy = 0
        except DiskFull:
            raise
        except IndexUnavailable:
            self._doubt_at_next_start()
            raise
        release_memory()

    def check(self) -> None:
        """Mend what failed in a former process and do its upkeep: what is damaged beyond that fails here too.

        Without room for it, that is noticed, and nothing is done.

        Raises DiskFull or IndexUnavailable.
        """
        if not self.puts_off() and (self._folder / DOUBT).exists():
            self.mend()
            self.tidy()
            (self._folder / DOUBT).unlink()

    def _doubt_at_next_start(self) -> None:
        with border():
            (self._folder / DOUBT).touch()

    def doubt(self, error: Exception) -> None:
        """Say what went wrong with a table; what may be damage the writer mends. Any thread may."""
        if isinstance(error, IndexUnavailable) and not isinstance(error, DiskFull) and not self._is_doubted:
            log.warning("the index may be damaged: %s", error.detail)
            self._is_doubted = True
            self.on_doubt()

    @property
    def needs_mending(self) -> bool:
        """Return whether it is time to mend what may be damaged."""
        return self._is_doubted and time.monotonic() >= self._mended_s + MEND_REST_S

    def mend(self) -> None:
        """Make the indexes of all tables anew, of which each may be damaged: they are made of what is not.

        Where that fails, what they are made of is damaged, and the next start looks at all of it. Searches go
        on. Raises DiskFull or IndexUnavailable.
        """
        self._is_doubted, self._mended_s = False, time.monotonic()
        try:
            with self._write:
                self.chunks.mend()
                for table in self._vectors.values():
                    table.mend()
        except DiskFull:
            raise
        except IndexUnavailable:
            self._doubt_at_next_start()
            raise
        log.warning("the indexes of the tables were made anew")

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
        chunks; searches go on. Waits for room on the disk. Raises DiskFull or IndexUnavailable.
        """
        if self.puts_off():
            return
        with self._write:
            self.chunks.rewrite()
            rewrite_vectors()
        self._rewritten = True

    def sweep(self) -> None:
        """Remove the files that a rewriting left behind, once it is older than KEEP_S."""
        self.tidy()
        if self._put_off_s is None:
            (self._folder / PURGE).unlink(missing_ok=True)

    def copy(self, folder: Path) -> None:
        """Copy the index as it is between two commits into a folder, which must not exist; any thread may.

        Commits wait meanwhile, searches do not. Raises DiskFull or IndexUnavailable; then nothing is left.
        """
        with border():
            folder.mkdir()
        try:
            with self._write, border():
                copy_tables(self._folder / TABLES, folder / TABLES)
                write_record(folder, self._record)
                write_whole(folder / STAMP, json.dumps({"schema": SCHEMA_VERSION}))
        except IndexUnavailable:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def size_bytes(self) -> int:
        """Return the size of the index on disk."""
        return folder_bytes(self._folder)
