"""From a note's bytes to what the index keeps of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.store import StoredChunk
from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.markdown import read_note
from pai_daemon.vault.scan import FileStat


def vector_key(content: str) -> str:
    """Return the identity of an embedding: 32 hex digits of the SHA-256 of the embedded text."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def index_note(
    path: str,
    data: bytes,
    stat: FileStat,
    content_hash: str,
    *,
    limit_bytes: int,
    keys: Sequence[str] = (),
) -> tuple[IndexedNote, list[StoredChunk]]:
    """Return what the index keeps of a note: the note's facts and its chunks.

    keys: the vector keys of the same bytes under another path. They are kept, so that a rename
    embeds nothing although a chunk's header names the note's title (D2).
    """
    note = read_note(path, data, limit_bytes=limit_bytes)
    pieces = split_chunks(note)
    if len(keys) != len(pieces):
        keys = [vector_key(piece.content) for piece in pieces]
    chunks = [
        StoredChunk(
            path=path,
            ordinal=piece.ordinal,
            content_hash=content_hash,
            vector_key=key,
            title=note.title,
            heading_path=piece.heading_path,
            text=piece.text,
            content=piece.content,
            start_line=piece.start_line,
            end_line=piece.end_line,
            start_char=piece.start_char,
            end_char=piece.end_char,
            block_ids=piece.block_ids,
        )
        for piece, key in zip(pieces, keys, strict=True)
    ]
    facts = IndexedNote(
        path=path,
        stat=stat,
        content_hash=content_hash,
        title=note.title,
        aliases=note.aliases,
        tags=note.tags,
        targets=tuple(dict.fromkeys(link.target for link in note.links if link.target)),
        problems=note.problems,
        vector_keys=tuple(keys),
    )
    return facts, chunks
