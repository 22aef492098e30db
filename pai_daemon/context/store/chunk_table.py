"""The text on disk: one row a chunk, keyed `path#ordinal`; a note's first row also carries its facts.

A window of notes is one merge with tombstones and no delete clause: atomic for readers, and flat in the
size of the table (about 10 ms from 1k to 100k rows, where the delete clause took 141 ms). Dead rows hold no
text, are never returned, and are swept at upkeep. One thread writes; any thread reads.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any

import pyarrow as pa

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import Filter
from pai_daemon.context.store.lance import (
    SPACELESS,
    any_of,
    border,
    index_labels,
    index_values,
    index_words,
    quoted,
    table_names,
    words,
)
from pai_daemon.context.store.predicates import where_of
from pai_daemon.context.store.rows import (
    CHUNK_FIELDS,
    CHUNKS_SCHEMA,
    LATER_COLUMNS,
    NOTE_COLUMNS,
    StoredChunk,
    chunk_id,
    chunk_of,
    facts_of,
    modified_ns,
    notes_of,
    rows_of,
    tombstone,
)
from pai_daemon.context.store.tail import Rows, Tail, rank
from pai_daemon.context.store.vocabulary import (
    MAX_CORRECTED_WORDS,
    MIN_CORRECTED_LETTERS,
    LazyVocabulary,
    words_in,
)
from pai_daemon.context.store.words import Asked, read
from pai_daemon.errors import IndexUnavailable

NAME = "chunks"
# What makes the index of each column that has one.
INDEXES: Mapping[str, Callable[[Any], None]] = {
    "chunk_id": partial(index_values, column="chunk_id"),
    "path": partial(index_values, column="path"),
    "content": index_words,
    "tags": partial(index_labels, column="tags"),
    "properties": partial(index_labels, column="properties"),
}
REWRITE_ROWS = 20_000
READ_ROWS = 2048
# Of about 2 KB each. What was just found is found again as a person types, or by the next who asks; to read
# it was a third of what a search cost.
KEPT_CHUNKS = 512
ALL_ROWS = 2**31 - 1
Hit = tuple[str, float]


class ChunkTable:
    """The chunks of all notes; is_read_only: nothing is made or changed.

    on_failure: called, on any thread, with what went wrong when the table was read.
    Raises DiskFull or IndexUnavailable from everything it does.
    """

    def __init__(
        self, database: Any, on_failure: Callable[[IndexUnavailable], None], *, is_read_only: bool = False
    ) -> None:
        self._on_failure = on_failure
        self.vocabulary = LazyVocabulary(self._contents)
        with border():
            if is_read_only or NAME in table_names(database):
                self._table: Any = database.open_table(NAME)
            else:
                self._table = database.create_table(NAME, schema=CHUNKS_SCHEMA)
            if not is_read_only:
                self._add_later_columns()
                self._index_what_is_not()
        self._tail = Tail(None if self.untidy_rows() else Rows())
        # Another dict with each write: whoever reads meanwhile fills one that nobody looks at any more.
        self._kept: dict[str, StoredChunk] = {}

    def _add_later_columns(self) -> None:
        """Give an older table the columns it lacks; its notes are read again, and answer meanwhile."""
        missing = [name for name in LATER_COLUMNS if name not in self._table.schema.names]
        if "properties" in missing:
            # First, so that whoever finds the columns finds phrases too; the older index had no positions.
            index_words(self._table)
        if missing:
            self._table.add_columns([CHUNKS_SCHEMA.field(name) for name in missing])

    def _index_what_is_not(self) -> None:
        """Make the indexes that are missing: all of a new table, or what a kill or damage has left out."""
        known = {column for index in self._table.list_indices() for column in index.columns}
        for column, make in INDEXES.items():
            if column not in known:
                make(self._table)

    def mend(self) -> None:
        """Make all indexes anew, see `Store.mend`."""
        with border():
            for make in INDEXES.values():
                make(self._table)
        self._tail.clear(is_whole=not self.untidy_rows())

    @property
    def version(self) -> int:
        """Return how often the table was written."""
        return int(self._table.version)

    # Writing.

    def commit(
        self, notes: Sequence[tuple[IndexedNote, Sequence[StoredChunk]]], previous: Mapping[str, int]
    ) -> bool:
        """Write notes, and take out others, in one commit, see `Store.commit`; return whether any."""
        rows = [row for note, chunks in notes for row in rows_of(note, chunks)]
        kept = {note.path: len(chunks) for note, chunks in notes}
        gone = [
            tombstone(path, ordinal)
            for path, count in previous.items()
            for ordinal in range(kept.get(path, 0), count)
        ]
        if not rows and not gone:
            return False
        # First, so that no search in between finds the chunks neither here nor there.
        before = self._tail.rows
        texts = {row["chunk_id"]: row["content"] for row in rows}
        self._tail.write(texts, [row["chunk_id"] for row in gone])
        try:
            self._merge(pa.Table.from_pylist(rows + gone, schema=CHUNKS_SCHEMA), insert=True)
        except IndexUnavailable:
            self._tail.rows = before
            raise
        self.vocabulary.add(list(texts.values()))
        return True

    def touch(self, notes: Sequence[IndexedNote]) -> None:
        """Write only the notes' own facts, where their bytes are the same."""
        rows = [
            (chunk_id(note.path, ordinal), modified_ns(note), None if ordinal else facts_of(note))
            for note in notes
            for ordinal in range(len(note.vector_keys))
        ]
        columns = dict(zip(("chunk_id", "modified", "note"), map(list, zip(*rows, strict=True)), strict=True))
        # The second touch of a row takes it out of the index of words.
        listed = ", ".join(quoted(item) for item, _, _ in rows)
        found = self._rows(["chunk_id", "content"], f"chunk_id IN ({listed})", len(rows))
        texts = dict(zip(found["chunk_id"].to_pylist(), found["content"].to_pylist(), strict=True))
        self._tail.write(texts, ())
        self._merge(pa.table(columns), insert=False)

    def _merge(self, rows: pa.Table, *, insert: bool) -> None:
        self._kept = {}
        try:
            with border():
                merge = self._table.merge_insert("chunk_id").when_matched_update_all()
                (merge.when_not_matched_insert_all() if insert else merge).execute(rows)
        finally:
            self._kept = {}

    # Reading.

    def notes(self) -> list[IndexedNote]:
        """Return every indexed note."""
        return notes_of(self._rows(NOTE_COLUMNS, "live = true"))

    def places(self) -> pa.Table:
        """Return of each row, dead ones too, whose it is and what it should agree with, see `check`."""
        columns = ["chunk_id", "path", "ordinal", "live", "content_hash", "vector_key", "title", "note"]
        return self._rows(columns, "ordinal IS NOT NULL OR ordinal IS NULL")

    def get(self, ids: Iterable[str]) -> dict[str, StoredChunk]:
        """Return the live chunks with these ids."""
        kept, wanted = self._kept, sorted(set(ids))
        chunks = {item: chunk for item in wanted if (chunk := kept.get(item)) is not None}
        if missing := [item for item in wanted if item not in chunks]:
            listed = ", ".join(map(quoted, missing))
            # Dead rows are told afterwards: as a part of the predicate that takes a third as long again.
            columns = [*CHUNK_FIELDS, "live"]
            found = self._rows(columns, f"chunk_id IN ({listed})", len(missing)).to_pylist()
            read_now = [chunk_of(row) for row in found if row.pop("live")]
            if len(kept) + len(read_now) > KEPT_CHUNKS:
                kept.clear()
            kept.update((chunk.chunk_id, chunk) for chunk in read_now[:KEPT_CHUNKS])
            chunks |= {chunk.chunk_id: chunk for chunk in read_now}
        return chunks

    def matching(self, chosen: Filter) -> dict[str, list[str]]:
        """Return the chunks that pass a filter: their ids, by vector key."""
        found = self._rows(["chunk_id", "vector_key"], where_of(chosen))
        ids: dict[str, list[str]] = {}
        for item, key in zip(found["chunk_id"].to_pylist(), found["vector_key"].to_pylist(), strict=True):
            ids.setdefault(key, []).append(item)
        return ids

    def sizes(self, chosen: Filter) -> dict[str, dict[int, int]]:
        """Return of each note that passes a filter how many bytes of text its chunks have, by ordinal."""
        wanted = {"path": "path", "ordinal": "ordinal", "size": "octet_length(text)"}
        with border(self._on_failure):
            found = self._table.search().where(where_of(chosen)).select(wanted).limit(ALL_ROWS).to_arrow()
        sizes: dict[str, dict[int, int]] = {}
        rows = zip(*(found[name].to_pylist() for name in wanted), strict=True)
        for path, ordinal, size in rows:
            sizes.setdefault(path, {})[ordinal] = size or 0
        return sizes

    def search(self, query: str, limit: int, chosen: Filter, *, typing: bool = False) -> list[Hit]:
        """Return up to `limit` (chunk id, BM25 score) pairs, best first, see `search_corrected`."""
        return self.search_corrected(query, limit, chosen, typing=typing)[0]

    def search_corrected(
        self, query: str, limit: int, chosen: Filter, *, typing: bool = False
    ) -> tuple[list[Hit], dict[str, list[str]]]:
        """Return up to `limit` (chunk id, BM25 score) pairs, best first, and the words that were corrected.

        query: see `words`; a word that no note has is joined by the nearest that there are. typing: its last
        word is still being typed, and is joined by those that begin so. Both need the vocabulary, which the
        first search begins to read.
        """
        asked = read(query)
        completed, corrected = self._added(asked, typing=typing)
        added = [*completed, *(each for nearest in corrected.values() for each in nearest)]
        wanted = words(asked, added)
        if wanted is None:
            return [], {}
        plain = " ".join((asked.text, *added))
        is_plain = not (chosen or asked.phrases or asked.excluded) and max(plain) < SPACELESS
        found = self._ranked(plain, wanted, limit) if is_plain and len(self.vocabulary.known) else None
        if found is None:
            # Dead rows hold no words: without a filter none is needed, and it takes half as long.
            found = self._ask(wanted, limit, where_of(chosen) if chosen else "")
        self.vocabulary.renew()
        return found, corrected

    def _ranked(self, query: str, wanted: Any, limit: int) -> list[Hit] | None:
        """Return the best of the rows that are in the index of words and of the tail, None without one."""
        clearings = self._tail.clearings
        found = self._ask(wanted, limit, fast=True)
        rows = self._tail.rows
        if rows is None or self._tail.clearings != clearings:
            return None  # upkeep: what was written before it may be in neither of both
        typed = words_in(pa.array([query])).to_pylist()
        scores = {item: score for item, score in found if item not in rows.places}
        scores |= rank(rows, typed, self.vocabulary.known)
        return heapq.nlargest(limit, scores.items(), key=itemgetter(1))

    def left_out(self, query: str, ids: Sequence[str]) -> set[str]:
        """Return those of these chunks that a query leaves out, see `words`."""
        excluded = read(query).excluded
        if not excluded or not ids:
            return set()
        listed = ", ".join(map(quoted, ids))
        found = self._ask(any_of(excluded), len(ids), f"chunk_id IN ({listed})")
        return {item for item, _ in found}

    def _ask(self, wanted: Any, limit: int, where: str = "", *, fast: bool = False) -> list[Hit]:
        """Return what the index of words finds; fast: of the rows that it knows."""
        with border(self._on_failure):
            asked = self._table.search(wanted, query_type="fts").select(["chunk_id", "_score"])
            asked = asked.fast_search() if fast else asked
            found = (asked.where(where) if where else asked).limit(limit).to_arrow()
        return list(zip(found["chunk_id"].to_pylist(), found["_score"].to_pylist(), strict=True))

    def _added(self, asked: Asked, *, typing: bool) -> tuple[list[str], dict[str, list[str]]]:
        """Return the words that complete the last one of a query, and those that correct the others."""
        known = self.vocabulary.known
        if not len(known):
            return [], {}
        typed: list[str] = words_in(pa.array([asked.text])).to_pylist()
        completed: list[str] = []
        # No word stands at the end after a space, nor in a script that has none between words.
        if typing and typed and len(words_in(pa.array([asked.text[-1]]))):
            completed = known.completions(typed.pop())
        unknown = (
            word
            for word in dict.fromkeys(typed)
            if len(word) >= MIN_CORRECTED_LETTERS and word.isalpha() and not self.vocabulary.holds(word)
        )
        nearest = {word: known.nearest(word) for word in islice(unknown, MAX_CORRECTED_WORDS)}
        return completed, {word: found for word, found in nearest.items() if found}

    def _contents(self) -> Iterator[pa.Array]:
        with border():
            for batch in self._table.search().select(["content"]).limit(ALL_ROWS).to_batches(READ_ROWS):
                yield batch["content"]

    def _rows(self, columns: Sequence[str], where: str, limit: int = ALL_ROWS) -> pa.Table:
        with border(self._on_failure):
            return self._table.search().where(where).select(list(columns)).limit(limit).to_arrow()

    # Upkeep.

    def row_count(self) -> int:
        """Return how many rows there are, dead ones too."""
        with border():
            return int(self._table.count_rows())

    def untidy_rows(self) -> int:
        """Return how many rows each search for words reads one by one, because no index knows them yet."""
        with border():
            statistics = self._table.index_stats("content_idx")
            return int(self._table.count_rows() if statistics is None else statistics.num_unindexed_rows)

    def tidy(self, keep: timedelta) -> bool:
        """Sweep dead rows and do the upkeep, see `Store.tidy`; return whether it changed anything."""
        with border():
            before = self.version
            self._sweep()
            self._table.optimize(cleanup_older_than=keep, delete_unverified=True)
            self._index_what_is_not()  # one that is damaged is left out
            changed = self.version != before
        self._tail.clear(is_whole=not self.untidy_rows())
        if changed:
            self.vocabulary.outdate()
        return changed

    def rewrite(self) -> None:
        """Write all rows anew, see `Store.rewrite`."""
        # Meanwhile, and after a failure, no index of words knows the rows that are written.
        self._tail.clear(is_whole=False)
        with border():
            self._sweep()
            for batch in self._table.search().limit(ALL_ROWS).to_batches(REWRITE_ROWS):
                merge = self._table.merge_insert("chunk_id").when_matched_update_all()
                merge.execute(pa.Table.from_batches([batch]))
            for column in ("content", "tags", "properties"):
                INDEXES[column](self._table)
        self._tail.clear(is_whole=not self.untidy_rows())
        self.vocabulary.outdate()

    def _sweep(self) -> None:
        if self._table.count_rows("live = false"):
            self._table.delete("live = false")
