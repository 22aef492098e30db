"""How notes and chunks are written as rows of the table `chunks`, and read back.

The row of a note's first chunk also carries the note's own facts, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from sys import intern
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import LATEST_NS, tag_closure
from pai_daemon.notes.note import Problem
from pai_daemon.notes.tasks import Task
from pai_daemon.vault.scan import FileStat

CHUNKS_SCHEMA = pa.schema(
    [
        ("chunk_id", pa.string()),
        ("path", pa.string()),
        ("ordinal", pa.int32()),
        ("live", pa.bool_()),
        ("content_hash", pa.string()),
        ("vector_key", pa.string()),
        ("title", pa.string()),
        ("heading_path", pa.list_(pa.string())),
        ("text", pa.string()),
        ("content", pa.string()),
        ("start_line", pa.int32()),
        ("end_line", pa.int32()),
        ("start_char", pa.int32()),
        ("end_char", pa.int32()),
        ("block_ids", pa.list_(pa.string())),
        ("tags", pa.list_(pa.string())),
        ("note", pa.string()),
        ("modified", pa.int64()),
        ("properties", pa.list_(pa.string())),
        ("day", pa.int64()),
    ]
)
# Rises with the columns or with how notes are cut into chunks; a note of an older one is read again.
SCHEMA_VERSION = 6
READABLE_SCHEMAS = (3, 4, 5, SCHEMA_VERSION)
# What `notes_of` reads.
NOTE_COLUMNS = ("path", "ordinal", "content_hash", "vector_key", "title", "note")
# A kilobyte each while they are taken over.
PARSED_NOTES = 1000
# What a readable one may lack.
LATER_COLUMNS = ("modified", "properties", "day")
# Shared by all notes that have none.
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the store keeps it. `text` is the note's exact slice, `content` what is searched."""

    path: str
    ordinal: int
    content_hash: str
    vector_key: str
    title: str
    heading_path: tuple[str, ...]
    text: str
    content: str
    start_line: int
    end_line: int
    start_char: int
    end_char: int
    block_ids: tuple[str, ...]

    @property
    def chunk_id(self) -> str:
        """Return the key of this chunk's row."""
        return chunk_id(self.path, self.ordinal)


# To copy them by `asdict` takes half of the time of a commit.
CHUNK_FIELDS = tuple(StoredChunk.__dataclass_fields__)
TASK_FIELDS = tuple(Task.__dataclass_fields__)


def chunk_id(path: str, ordinal: int) -> str:
    """Return the key of a chunk's row."""
    return f"{path}#{ordinal}"


def chunk_of(row: Mapping[str, Any]) -> StoredChunk:
    """Return the chunk that a row holds."""
    lists = {name: tuple(row[name] or ()) for name in ("heading_path", "block_ids")}
    return StoredChunk(**{**row, **lists})


def facts_of(note: IndexedNote) -> str:
    """Return the note's own facts as the JSON that its first chunk carries."""
    return json.dumps(
        {
            "schema": SCHEMA_VERSION,
            "stat": [note.stat.size, note.stat.mtime_ns, note.stat.inode],
            "aliases": note.aliases,
            "tags": note.tags,
            "targets": note.targets,
            "problems": [asdict(problem) for problem in note.problems],
            "read_as": note.read_as,
            "names": note.names,
            "block_texts": dict(note.block_texts),
            "shown": dict(note.shown),
            "properties": note.properties,
            "day": note.day,
            "tasks": [[getattr(task, name) for name in TASK_FIELDS] for task in note.tasks],
            "headings": note.headings,
            "labels": note.labels,
        },
        ensure_ascii=False,
    )


def notes_of(rows: pa.Table) -> list[IndexedNote]:
    """Return the notes that live rows describe, by path. rows: NOTE_COLUMNS of all their chunks.

    Whole columns at a time, since there may be a hundred thousand rows.
    """
    order = pc.sort_indices(rows, [("path", "ascending"), ("ordinal", "ascending")])
    keys = rows["vector_key"].take(order).to_pylist()
    starts = np.flatnonzero(rows["ordinal"].take(order).to_numpy() == 0)
    heads = rows.select(["path", "content_hash", "title", "note"]).take(order.take(pa.array(starts)))
    spans = pairwise([*starts.tolist(), len(keys)])
    *columns, facts = (column.to_pylist() for column in heads.columns)
    return [
        note_of(path, content_hash, title, tuple(keys[start:end]), told)
        for (start, end), path, content_hash, title, told in zip(spans, *columns, _parsed(facts), strict=True)
    ]


def _parsed(facts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield what each JSON says, many in one parse: each alone takes half as long again."""
    for start in range(0, len(facts), PARSED_NOTES):
        yield from json.loads(f"[{','.join(facts[start : start + PARSED_NOTES])}]")


def note_of(
    path: str, content_hash: str, title: str, vector_keys: tuple[str, ...], facts: Mapping[str, Any]
) -> IndexedNote:
    """Return a note; facts: what its first chunk carries, see `facts_of`. vector_keys: one a chunk."""
    return IndexedNote(
        path=path,
        stat=FileStat(*facts["stat"]),
        content_hash=content_hash,
        title=title,
        aliases=tuple(facts["aliases"]),
        tags=tuple(map(intern, facts["tags"])),
        targets=tuple(facts["targets"]),
        problems=tuple([Problem(**problem) for problem in facts["problems"]]),
        vector_keys=vector_keys,
        read_as=intern(facts["read_as"]) if facts.get("schema") == SCHEMA_VERSION else "",
        names=tuple(facts["names"]),
        block_texts=facts["block_texts"] or NOTHING,
        shown=facts["shown"] or NOTHING,
        properties=tuple(map(intern, facts.get("properties", ()))),
        day=facts.get("day", ""),
        tasks=tuple([_task_of(row) for row in facts["tasks"]]) if facts.get("tasks") else (),
        headings=tuple(facts.get("headings", ())),
        labels=tuple([(target, label) for target, label in facts.get("labels", ())]),
    )


def _task_of(row: Sequence[Any]) -> Task:
    """Return the task that JSON tells of: as a list of its fields, whose tuples are lists."""
    fields: list[Any] = [tuple(map(intern, each)) if isinstance(each, list) else each for each in row]
    return Task(*fields)


def modified_ns(note: IndexedNote) -> int:
    """Return when a note was last written, in nanoseconds since 1970: the nearest that 64 bits can say.

    A clock may have stood at the year 2500.
    """
    return max(-LATEST_NS, min(note.stat.mtime_ns, LATEST_NS))


def day_ns(note: IndexedNote) -> int | None:
    """Return the noon of the day that a note is about, in nanoseconds since 1970; None where it says none.

    The noon, here and now, so that the day stays the same an hour of summer time or some time zones away.
    """
    if not note.day:
        return None
    noon = datetime.fromisoformat(f"{note.day}T12:00").astimezone()
    return int(noon.timestamp()) * 10**9


def rows_of(note: IndexedNote, chunks: Sequence[StoredChunk]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a note."""
    of_note = {
        "live": True,
        "tags": sorted(tag_closure(note.tags)),
        "modified": modified_ns(note),
        "properties": list(note.properties),
        "day": day_ns(note),
    }
    for chunk in chunks:
        facts = facts_of(note) if chunk.ordinal == 0 else None
        yield (
            {name: getattr(chunk, name) for name in CHUNK_FIELDS}
            | of_note
            | {"chunk_id": chunk.chunk_id, "note": facts}
        )


def tombstone(path: str, ordinal: int) -> dict[str, Any]:
    """Return the row that takes the place of a chunk that is gone, until upkeep sweeps it."""
    return {
        "chunk_id": chunk_id(path, ordinal),
        "path": path,
        "ordinal": ordinal,
        "live": False,
        "content": "",
    }
