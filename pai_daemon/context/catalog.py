"""What is indexed, in memory: one entry a note, and which chunks own which embedding.

Loaded from the store at start and kept in step commit by commit by the one writer. Readers take
snapshots under the lock. Links live here too, since they need every note's name at once.
"""

from __future__ import annotations

import hashlib
import threading
from collections import ChainMap, Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from pai_daemon.context.changes import UNKNOWN, Remembered
from pai_daemon.notes.note import Problem
from pai_daemon.notes.tasks import Task
from pai_daemon.vault.owners import Owners
from pai_daemon.vault.resolve import LinkResolver
from pai_daemon.vault.scan import FileStat


@dataclass(frozen=True, slots=True)
class IndexedNote:
    """A note as the index knows it.

    targets: link targets as written, without fragment. vector_keys: one a chunk, in the order of
    the chunks. problems: why parts of it could not be read. read_as: see `Reader.form`. names: what else
    than its path a link may call it by. block_texts: the text of each block that other notes may show, by
    its id in lower case. shown: for each block that this note's chunks show, the digest of the text they
    were made with. properties: what it is found by, see `property_entries`. day: that it is about, ISO 8601,
    empty where it says none. tasks: in their order. headings: that a text may name it by. labels:
    of its links that are called otherwise than their target: the target as written, and the label.
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
    read_as: str = "markdown"
    names: tuple[str, ...] = ()
    block_texts: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[str, ...] = ()
    day: str = ""
    tasks: tuple[Task, ...] = ()
    headings: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


MAX_TWINS = 64


def digest(text: str | None) -> str:
    """Return what tells whether the text of a block has changed; empty for a block that is not there."""
    return "" if text is None else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


class Catalog:
    """Every indexed note by path, the owners of every vector key, and the links between notes."""

    def __init__(self, notes: Iterable[IndexedNote] = ()) -> None:
        self._lock = threading.RLock()
        self._notes: dict[str, IndexedNote] = {}
        self._folders: Counter[str] = Counter()
        self._by_inode: Owners[int] = Owners()
        self._owners: Owners[str] = Owners()
        self._block_owners: Owners[str] = Owners()
        self._showing: dict[str, None] = {}
        self._attachments: frozenset[str] = frozenset()
        self.links = LinkResolver({})
        for note in notes:
            self._add(note)
        for folder, count in Counter(path.rpartition("/")[0] for path in self._notes).items():
            self._folders.update(dict.fromkeys(_folders_of(f"{folder}/"), count))

    def __len__(self) -> int:
        """Return how many notes are indexed."""
        return len(self._notes)

    def put(self, note: IndexedNote) -> None:
        """Add a note, or replace what was known of it."""
        with self._lock:
            self.drop(note.path)
            self._add(note)
            self._folders.update(_folders_of(note.path))

    def _add(self, note: IndexedNote) -> None:
        """Take in all of a note that is not known, but for its folders."""
        self._notes[note.path] = note
        self._by_inode.add(note.stat.inode, note.path)
        self.links.add(note.path, note.aliases, note.names)
        for block_id in note.block_texts:
            self._block_owners.add(block_id, note.path)
        if note.shown:
            self._showing[note.path] = None
        for key in note.vector_keys:
            self._owners.add(key, note.path)

    def drop(self, path: str) -> None:
        """Forget a note; nothing happens when it is not known."""
        with self._lock:
            note = self._notes.pop(path, None)
            if note is None:
                return
            self._folders.subtract(_folders_of(path))
            self._by_inode.remove(note.stat.inode, path)
            self.links.remove(path)
            self._showing.pop(path, None)
            for block_id in note.block_texts:
                self._block_owners.remove(block_id, path)
            for key in set(note.vector_keys):
                self._owners.remove(key, path)

    def set_attachments(self, paths: Collection[str], among: Collection[str] | None = None) -> None:
        """Know exactly these files that are no notes; links may lead to them.

        among: the files and folders that were looked at; None when everything was.
        """
        with self._lock:
            known = self._attachments
            if among is not None:
                below = tuple(f"{path}/" for path in among)
                looked_at = {path for path in known if path in among or path.startswith(below)}
                paths = (known - looked_at) | set(paths)
            self._attachments = frozenset(paths)
            for path in known - self._attachments:
                if path not in self._notes:
                    self.links.remove(path)
            for path in self._attachments - known:
                self.links.add_file(path)

    def attachments(self) -> frozenset[str]:
        """Return the paths of the files that are no notes and that links may lead to."""
        return self._attachments

    def get(self, path: str) -> IndexedNote | None:
        """Return a note, or None."""
        return self._notes.get(path)

    def notes(self) -> list[IndexedNote]:
        """Return a snapshot of every note, in no order."""
        with self._lock:
            return list(self._notes.values())

    def known(self, outdated: Iterable[str] = ()) -> Mapping[str, Remembered]:
        """Return path to what the index remembers of the file; the input of `changes`.

        A view that follows the catalog, for the one thread that writes: a copy would cost each save some
        milliseconds for every ten thousand notes. outdated: notes to read again whatever their bytes are.
        """
        remembered = cast("dict[str, Remembered]", self._notes)  # which nobody writes through this view
        again: dict[str, Remembered] = {path: UNKNOWN for path in outdated if path in remembered}
        return ChainMap(again, remembered) if again else remembered

    def at(self, paths: Collection[str]) -> set[str]:
        """Return the indexed notes at these vault-relative paths, and below those that are folders."""
        with self._lock:
            found = {path for path in paths if path in self._notes}
            below = tuple(f"{path}/" for path in paths if self._folders[path] > 0)
            if below:
                found.update(path for path in self._notes if path.startswith(below))
            return found

    def twins(self, paths: Iterable[str]) -> set[str]:
        """Return the notes that were the same file as one of these: links to it, or other names of it."""
        with self._lock:
            notes = (self._notes[path] for path in paths if path in self._notes)
            same = [self._by_inode.of(note.stat.inode) for note in notes]
            # A file system that numbers no files gives all of them one number.
            return {path for paths in same if 1 < len(paths) <= MAX_TWINS for path in paths}

    def chunk_count(self) -> int:
        """Return how many chunks are indexed."""
        return sum(len(note.vector_keys) for note in self.notes())

    def owners(self, key: str) -> list[tuple[str, int]]:
        """Return the (path, ordinal) of every chunk with this vector key; equal text has one key."""
        with self._lock:
            return [
                (path, ordinal)
                for path in self._owners.of(key)
                for ordinal, own in enumerate(self._notes[path].vector_keys)
                if own == key
            ]

    def is_used(self, key: str) -> bool:
        """Return whether a chunk has this vector key."""
        return key in self._owners

    def vector_keys(self) -> list[str]:
        """Return a snapshot of every vector key in use."""
        with self._lock:
            return list(self._owners)

    def key_count(self) -> int:
        """Return how many different texts there are to embed."""
        return len(self._owners)

    def keys_by_age(self) -> list[str]:
        """Return a snapshot of every vector key in use, those of the note that changed last at the end."""
        newest = sorted(self.notes(), key=lambda note: note.stat.mtime_ns, reverse=True)
        keys = dict.fromkeys(key for note in newest for key in reversed(note.vector_keys))
        return list(keys)[::-1]

    def block_text(self, block_id: str) -> str | None:
        """Return the text of the block with an id that is unique in the vault, None if there is none."""
        owner = self.block_owner(block_id)
        note = self._notes.get(owner) if owner is not None else None
        return note.block_texts.get(block_id.lower()) if note is not None else None

    def block_owner(self, block_id: str) -> str | None:
        """Return the path of the note that holds the block; the first by name where a copy holds it too."""
        with self._lock:
            return min(self._block_owners.of(block_id.lower()), default=None)

    def outdated(self) -> set[str]:
        """Return the paths of the notes whose chunks show another text of a block than it has now."""
        with self._lock:
            notes = [self._notes[path] for path in self._showing]
        return {
            note.path
            for note in notes
            if any(digest(self.block_text(block_id)) != known for block_id, known in note.shown.items())
        }

    def linked(self, path: str) -> set[str]:
        """Return the paths of the notes that a note links to and that exist."""
        note = self.get(path)
        if note is None:
            return set()
        with self._lock:
            found = {self.links.resolve(target, path) for target in note.targets}
            found |= {self.block_owner(block_id) for block_id in note.shown}
        return {target for target in found if target in self._notes}

    def backlinks(self, path: str) -> list[str]:
        """Return the paths of the notes that link to a note, sorted."""
        return sorted(
            note.path for note in self.notes() if note.path != path and path in self.linked(note.path)
        )


def _folders_of(path: str) -> Iterable[str]:
    """Return the folders that a path lies in, all of them."""
    while path := path.rpartition("/")[0]:
        yield path
