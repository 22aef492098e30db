"""What is indexed, in memory: one entry a note, and which chunks own which embedding.

Loaded from the store at start and kept in step commit by commit by the one writer. Readers take
snapshots under the lock. Links live here too, since they need every note's name at once.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pai_daemon.context.changes import Known
from pai_daemon.notes.note import Problem
from pai_daemon.vault.resolve import LinkResolver
from pai_daemon.vault.scan import FileStat


@dataclass(frozen=True, slots=True)
class IndexedNote:
    """A note as the index knows it.

    targets: link targets as written, without fragment. vector_keys: one a chunk, in the order of
    the chunks. problems: why parts of it could not be read.
    """

    path: str
    stat: FileStat
    content_hash: str
    title: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    targets: tuple[str, ...]
    problems: tuple[Problem, ...]
    vector_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which notes a question looks at; empty fields mean all.

    folder: a path prefix such as `Projects` or one note's path. tag: without `#`; it covers the
    tags nested below it.
    """

    folder: str = ""
    tag: str = ""

    def __bool__(self) -> bool:
        """Return whether the filter excludes anything."""
        return bool(self.folder or self.tag)

    def matches(self, note: IndexedNote) -> bool:
        """Return whether a note passes."""
        folder = self.folder.strip("/")
        in_folder = not folder or note.path == folder or note.path.startswith(folder + "/")
        return in_folder and (not self.tag or fold_tag(self.tag) in tag_closure(note.tags))


EVERYTHING = Filter()


def fold_tag(tag: str) -> str:
    """Return a tag in the form in which tags are compared."""
    return unicodedata.normalize("NFC", tag).casefold().strip("#/")


def tag_closure(tags: Iterable[str]) -> frozenset[str]:
    """Return the tags and every tag they are nested in, folded: `a/b` gives `a` and `a/b`."""
    closed: set[str] = set()
    for tag in tags:
        parts = fold_tag(tag).split("/")
        closed.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return frozenset(closed)


class Catalog:
    """Every indexed note by path, the owners of every vector key, and the links between notes.

    changes: rises with every note that is put in or dropped.
    """

    def __init__(self, notes: Iterable[IndexedNote] = ()) -> None:
        self.changes = 0
        self._lock = threading.RLock()
        self._notes: dict[str, IndexedNote] = {}
        self._owners: dict[str, dict[tuple[str, int], None]] = {}
        self.links = LinkResolver({})
        for note in notes:
            self.put(note)

    def __len__(self) -> int:
        """Return how many notes are indexed."""
        return len(self._notes)

    def put(self, note: IndexedNote) -> None:
        """Add a note, or replace what was known of it."""
        with self._lock:
            self.drop(note.path)
            self._notes[note.path] = note
            self.links.add(note.path, note.aliases)
            for ordinal, key in enumerate(note.vector_keys):
                self._owners.setdefault(key, {})[note.path, ordinal] = None

    def drop(self, path: str) -> None:
        """Forget a note; nothing happens when it is not known."""
        with self._lock:
            self.changes += 1
            note = self._notes.pop(path, None)
            if note is None:
                return
            self.links.remove(path)
            for ordinal, key in enumerate(note.vector_keys):
                owners = self._owners[key]
                del owners[path, ordinal]
                if not owners:
                    del self._owners[key]

    def get(self, path: str) -> IndexedNote | None:
        """Return a note, or None."""
        return self._notes.get(path)

    def notes(self) -> list[IndexedNote]:
        """Return a snapshot of every note, in no order."""
        with self._lock:
            return list(self._notes.values())

    def known(self) -> Mapping[str, Known]:
        """Return path to what the index remembers of the file; the input of `changes`."""
        return {note.path: Known(note.stat, note.content_hash) for note in self.notes()}

    def chunk_count(self) -> int:
        """Return how many chunks are indexed."""
        return sum(len(note.vector_keys) for note in self.notes())

    def owners(self, key: str) -> list[tuple[str, int]]:
        """Return the (path, ordinal) of every chunk with this vector key; equal text has one key."""
        with self._lock:
            return list(self._owners.get(key, ()))

    def vector_keys(self) -> list[str]:
        """Return a snapshot of every vector key in use."""
        with self._lock:
            return list(self._owners)

    def keys_of(self, chosen: Filter) -> set[str]:
        """Return the vector keys of the notes that pass a filter."""
        return {key for note in self.notes() if chosen.matches(note) for key in note.vector_keys}

    def linked(self, path: str) -> set[str]:
        """Return the paths that a note links to and that exist."""
        note = self.get(path)
        with self._lock:
            found = {self.links.resolve(target, path) for target in (note.targets if note else ())}
        return {target for target in found if target}

    def backlinks(self, path: str) -> list[str]:
        """Return the paths of the notes that link to a note, sorted."""
        return sorted(
            note.path for note in self.notes() if note.path != path and path in self.linked(note.path)
        )
