"""From a note's bytes to what the index keeps of it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pai_daemon.context.catalog import IndexedNote, digest
from pai_daemon.context.filters import property_entries
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.days import day_of
from pai_daemon.notes.links import slug
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Link, Note
from pai_daemon.notes.outline import block_texts
from pai_daemon.notes.reader import read_note
from pai_daemon.notes.tasks import tasks_of
from pai_daemon.vault.scan import FileStat

# YAML 1.2 reads `no` as a word; who writes it means it all the same.
_LEFT_OUT = ("false", "no", "off")
# What a text may name a note by besides its title; a label of a link is no longer either.
MAX_HEADING, MAX_HEADINGS = 80, 200
PDF_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Reader:
    """How the notes of one vault are read.

    limit_bytes: how much of a note. block_text: the text of a block of any note by its id, which takes the
    place of a reference to it. graph: the Logseq graph, if the vault is one; set by the indexer at each
    scan, for a person may change its configuration. vault_name: as an `obsidian://` link calls the vault.
    """

    limit_bytes: int
    block_text: Callable[[str], str | None] = lambda _: None
    graph: Graph | None = None
    vault_name: str = ""

    def limit_of(self, path: str) -> int:
        """Return how many bytes of the file are read: a part of a PDF is none."""
        return max(self.limit_bytes, PDF_LIMIT_BYTES) if path.lower().endswith(".pdf") else self.limit_bytes

    def form(self, path: str) -> str:
        """Return what tells whether the note at path would be read as it was: by which reader, set up how."""
        if self.graph is not None and self.graph.covers(path):
            return f"outline {digest(repr(self.graph))}"
        return path.rpartition(".")[2].lower()

    def leads_here(self, link: Link) -> bool:
        """Return whether a link leads into this vault and not, by its address, into another one."""
        return not link.vault or slug(link.vault) == slug(self.vault_name)

    def read(self, path: str, data: bytes) -> Note:
        """Return the note at path."""
        return read_note(path, data, limit_bytes=self.limit_bytes, graph=self.graph)

    def index(
        self, path: str, data: bytes, stat: FileStat, content_hash: str, keys: Sequence[str] = ()
    ) -> tuple[IndexedNote, list[StoredChunk]] | None:
        """Return what the index keeps of a note: the note's facts and its chunks.

        None for a note that asks to be left out, by the property `pai: false` (in Logseq `pai:: false`).
        keys: the vector keys of the same bytes under another path. They are kept, so that a rename
        embeds nothing although a chunk's header names the note's title (D2).
        """
        note = self.read(path, data)
        if str(note.properties.get("pai")).lower() in _LEFT_OUT:
            return None
        pieces = split_chunks(note, block_text=self.block_text)
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
        return self._facts(note, stat, content_hash, keys), chunks

    def _facts(self, note: Note, stat: FileStat, content_hash: str, keys: Sequence[str]) -> IndexedNote:
        """Return what the index knows of a note without its text."""
        shown = {link.target.lower() for link in note.links if link.kind == "block"}
        targets = (
            link.target
            for link in note.links
            if link.kind != "block" and link.target and self.leads_here(link)
        )
        return IndexedNote(
            path=note.path,
            stat=stat,
            content_hash=content_hash,
            title=note.title,
            aliases=note.aliases,
            tags=note.tags,
            targets=tuple(dict.fromkeys(targets)),
            problems=note.problems,
            vector_keys=tuple(keys),
            read_as=self.form(note.path),
            names=note.names,
            block_texts=_by_folded_id(block_texts(note)) if note.kind == "outline" else {},
            shown={block_id: digest(self.block_text(block_id)) for block_id in sorted(shown)},
            properties=tuple(property_entries(_properties(note))),
            day=day_of(note),
            tasks=tasks_of(note),
            headings=tuple(_telling_headings(note)),
            labels=tuple(dict.fromkeys(self._labels(note))),
        )

    def _labels(self, note: Note) -> Iterator[tuple[str, str]]:
        """Yield target and label of each link that is called otherwise than its target, and shortly."""
        for link in note.links:
            is_named = 0 < len(link.alias) <= MAX_HEADING and link.target and not link.embed
            if is_named and link.alias != link.target and link.kind != "block" and self.leads_here(link):
                yield link.target, link.alias


def _telling_headings(note: Note) -> Iterator[str]:
    """Yield the headings that another note may mention: short ones, each once, the first of many."""
    short = dict.fromkeys(heading.text for heading in note.headings if len(heading.text) <= MAX_HEADING)
    return islice((text for text in short if text and text != note.title), MAX_HEADINGS)


def _properties(note: Note) -> dict[str, Any]:
    """Return the note's properties and the fields in its text; a name that is both keeps all its values."""
    found: dict[str, Any] = {}
    for name, value in (*note.properties.items(), *((field.key, field.value) for field in note.fields)):
        found.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return found


def _by_folded_id(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts by their ids in lower case, as Logseq compares them."""
    return {block_id.lower(): text for block_id, text in texts.items()}


def vector_key(content: str) -> str:
    """Return the identity of an embedding: 32 hex digits of the SHA-256 of the embedded text."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]
