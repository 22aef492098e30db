"""Takes notes in: which of those found must be read, and one commit of what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.changes import Plan, diff, suspects
from pai_daemon.context.index import Index
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.reading import Reader
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.errors import ModelUnavailable
from pai_daemon.vault.scan import FileStat, Scan, read_bytes

# One commit holds at most this many notes: about a second of reading.
WINDOW_NOTES = 200
# Up to this much is embedded before it is committed: a save, or a handful of them.
WHOLE_NOTES = 16
WHOLE_CHUNKS = 64


class Intake:
    """Reads notes of a vault and commits them to its index. Only the indexer's thread uses it.

    notes_read: files whose bytes were read so far. unreadable: path to why it cannot be looked at or read.
    left_out: path to the rule that keeps it out, as of the last look; folders end with a slash. waiting:
    what was found and not read yet. private: notes that ask to be left out; their stat tells when to ask
    them again. on_rename: is told the old path of each renamed note and its new one, once that is committed.
    """

    def __init__(
        self,
        vault: Path,
        index: Index,
        reader: Reader,
        on_rename: Callable[[Mapping[str, str]], None] = lambda _: None,
    ) -> None:
        self._on_rename = on_rename
        self.notes_read = 0
        self.unreadable: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.waiting: set[str] = set()
        self.private: dict[str, FileStat] = {}
        self._vault = vault
        self._index = index
        self._reader = reader
        # Notes that were read so soon after a change that another one may have left the same stat.
        self._just_changed: set[str] = set()

    def scanned(self, found: Scan, outdated: Collection[str], *, force: bool) -> dict[str, FileStat]:
        """Return the notes to read of all that a scan of the whole vault found; force: every one."""
        self.unreadable, self.left_out = dict(found.problems), dict(found.left_out)
        self.private = {path: stat for path, stat in self.private.items() if path in found.files}
        doubtful, self._just_changed = self._just_changed, set()
        names = {*self._suspects(found, outdated), *(doubtful & found.files.keys())}
        self.waiting = set(found.files) if force else names
        return {name: found.files[name] for name in self.waiting}

    def looked_at(self, found: Scan, hints: Collection[str]) -> dict[str, FileStat]:
        """Return the notes to read of those that were found at hinted paths.

        A hint to a note itself is reason enough: its size and times may be what they were.
        """
        below = tuple(f"{path}/" for path in hints)

        def elsewhere(known: Mapping[str, str]) -> dict[str, str]:
            kept = ((path, reason) for path, reason in known.items() if path not in hints)
            return {path: reason for path, reason in kept if not path.startswith(below)}

        self.unreadable = elsewhere(self.unreadable) | found.problems
        self.left_out = elsewhere(self.left_out) | found.left_out
        names = {*self._suspects(found), *(found.files.keys() & set(hints))}
        self.waiting |= names
        return {name: found.files[name] for name in names}

    def _suspects(self, found: Scan, outdated: Collection[str] = ()) -> list[str]:
        """Return the paths to read, without notes that asked to be left out and have not changed since."""
        known = self._index.catalog.known(outdated)
        return [path for path in suspects(found.files, known) if self.private.get(path) != found.files[path]]

    def commit(
        self,
        files: Mapping[str, FileStat],
        gone: Collection[str],
        outdated: Collection[str],
        *,
        force: bool,
        at_once: bool,
        whole: bool = False,
    ) -> Plan:
        """Read these notes and commit them, in one commit; return what was done.

        gone: paths that the disk has no more; those of the plan's `removed` are still in the index.
        at_once: embed what is new before it is committed, if it is little. whole: however much it is;
        raises ModelUnavailable, and then nothing is committed.
        """
        contents = self._read(files)
        known = self._index.catalog.known(outdated)
        hashes = {path: content_hash for path, (_, content_hash) in contents.items()}
        plan = diff(hashes, known, (path for path in gone if path in known), force=force)
        origin = {new: old for old, new in plan.renamed.items()}
        notes = self._notes({path: origin.get(path, "") for path in (*plan.read, *origin)}, contents, files)
        leaving = [*plan.renamed, *(path for path in plan.read if path in known and path in self.private)]
        self._embed(notes, at_once=at_once, whole=whole)
        if notes or leaving:
            self._index.commit(notes, leaving, for_good=any(path in self.private for path in leaving))
        self._on_rename(plan.renamed)
        touched = [self._index.catalog.get(path) for path in plan.touched]
        self._index.touch([replace(note, stat=files[note.path]) for note in touched if note is not None])
        self.waiting -= files.keys()
        return plan

    def _read(self, files: Mapping[str, FileStat]) -> dict[str, tuple[bytes, str]]:
        """Return the beginning and the content hash of every file that can be read."""
        contents = {}
        for path, stat in files.items():
            try:
                contents[path] = read_bytes(self._vault, path, self._reader.limit_of(path))
                self.notes_read += 1
                if stat.may_hide_a_change(time.time_ns()):
                    self._just_changed.add(path)
            except FileNotFoundError:
                continue  # gone since the scan; the watcher or the next scan says so
            except OSError as error:
                self.unreadable[path] = f"cannot be read: {error.strerror or error}"
        return contents

    def _notes(
        self,
        origins: Mapping[str, str],
        contents: Mapping[str, tuple[bytes, str]],
        files: Mapping[str, FileStat],
    ) -> list[tuple[IndexedNote, list[StoredChunk]]]:
        """Return what the index keeps of each note; origins: path to the path it had before, or ""."""
        notes = []
        for path, before in origins.items():
            data, content_hash = contents[path]
            old = self._index.catalog.get(before)
            keys = old.vector_keys if old is not None else ()
            indexed = self._reader.index(path, data, files[path], content_hash, keys)
            if indexed is None:
                self.private[path] = files[path]
            else:
                self.private.pop(path, None)
                notes.append(indexed)
        return notes

    def _embed(
        self, notes: list[tuple[IndexedNote, list[StoredChunk]]], *, at_once: bool, whole: bool
    ) -> None:
        """Embed the texts that are new, if they are a handful; else they wait once they are committed.

        For the space that answers, so that meaning finds a save at once; another one comes after.
        """
        live, embedder = self._index.live, self._index.space.embedder
        stays = self._index.privacy.rule if is_beyond(embedder) else lambda *_: None
        fresh = {
            chunk.vector_key: chunk.content
            for note, chunks in notes
            if stays(note, self._index.catalog) is None
            for chunk in chunks
            if chunk.vector_key not in live.matrix
        }
        if embedder is None or not (whole or (at_once and len(fresh) <= WHOLE_CHUNKS)):
            return
        items = list(fresh.items())
        for start in range(0, len(items), WHOLE_CHUNKS):
            keys, contents = zip(*items[start : start + WHOLE_CHUNKS], strict=True)
            try:
                self._index.add_vectors(live, keys, embedder.embed_texts(contents, urgent=False))
            except ModelUnavailable:
                if whole:
                    raise
                return  # the words are found at least


def windows(names: Sequence[str], outdated: Collection[str]) -> Iterator[tuple[Sequence[str], bool]]:
    """Yield what is committed together, and whether it is embedded before: outdated notes come last."""
    for some, size, whole in (
        ([name for name in names if name not in outdated], WINDOW_NOTES, False),
        ([name for name in names if name in outdated], WHOLE_NOTES, True),
    ):
        for start in range(0, len(some), size):
            yield some[start : start + size], whole
