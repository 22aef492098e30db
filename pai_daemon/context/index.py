"""The index of one vault as its readers see it: store, catalog and embeddings, kept in step.

Owns the order in which the three change, so that a reader finds in the store what the catalog
names: text is written before it is catalogued, and taken out of the catalog before the store.
Owns as well which model's embeddings answer, and the instant at which another one's do (D6, D39).
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from pai_daemon.context.catalog import Catalog, IndexedNote
from pai_daemon.context.changes import CHANGED, CREATED, REMOVED, NoteChange
from pai_daemon.context.embeddings import Embeddings
from pai_daemon.context.privacy import OPEN, Privacy
from pai_daemon.context.space import NO_MODEL, CurrentSpace, EmbeddingModel, ModelName, Space
from pai_daemon.context.store.lance import release_memory
from pai_daemon.context.store.rebuild import clear, complete
from pai_daemon.context.store.record import Record
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import DiskFull, IndexUnavailable

log = logging.getLogger(__name__)


class Index:
    """One vault's index, opened. One thread writes, any thread reads.

    folder: where it lies. chosen: the model whose embeddings are wanted; None where that is not known yet.
    privacy: which notes stay on this machine. Raises IndexUnavailable or DiskFull from
    the constructor and from every write.
    live: the embeddings that answer. next: those that are to take their place, None where none are.
    chunks_embedded, commits: what was written since it was opened.
    """

    def __init__(self, folder: Path, chosen: ModelName | None, privacy: Privacy = OPEN) -> None:
        self.privacy = privacy
        with _no_collection():
            self.store, self.catalog, self.live = _open(folder, chosen)
        release_memory()  # of what was read
        self.next: Embeddings | None = None
        self._current = CurrentSpace(Space(self.live.model, self.live.matrix))
        self._is_chosen = False
        self._opened_at = self.store.revision
        self._committed_at: dict[str, int] = {}
        self.chunks_embedded = 0
        self.commits = 0
        # Is told after each commit which notes were created, changed or removed.
        self.on_notes: Callable[[Mapping[str, NoteChange]], None] = lambda _: None
        if chosen is not None:
            self.choose(chosen)
        self._remember_live()

    @property
    def revision(self) -> int:
        """Return the number that rises with every commit."""
        return self.store.revision

    # The space that answers.

    @property
    def space(self) -> Space:
        """Return the space that answers now; to ask its embedder, borrow it."""
        return self._current.space

    def borrow(self) -> AbstractContextManager[Space]:
        """Lend the space that answers to one query, on any thread."""
        return self._current.borrow()

    def use(self, embedder: EmbeddingModel) -> bool:
        """Answer with this model, if it made the embeddings that answer; return whether it did.

        Any thread may call it.
        """
        return self._current.attach(embedder)

    def choose(self, model: ModelName) -> None:
        """Want this model's embeddings: those that answer already, or the next ones, as far as there are any.

        What there is of others stays until a sweep.
        """
        self._is_chosen = True
        if model == self.live.model:
            self.next = None
        elif self.next is None or self.next.model != model:
            table, keys = self.store.vectors(model.fingerprint), tuple(self.catalog.keys_by_age())
            try:
                self.next = Embeddings(model, table, keys)
            except DiskFull:
                raise
            except IndexUnavailable as error:
                log.warning("the embeddings of %s are made anew: %s", model.name, error.detail)
                table.drop()
                self.next = Embeddings(model, table, keys)

    def switch(self, embedder: EmbeddingModel) -> None:
        """Let the next embeddings answer, in one step; the old ones go, and their model after its last query.

        embedder: the model that made the next ones. A kill before the step leaves all as it was, a kill
        after it the new embeddings alone.
        """
        assert self.next is not None, "there is nothing to switch to"
        space = Space(self.next.model, self.next.matrix, embedder)
        self._remember(space.model, was_complete=not self.next.missing)
        self.live, self.next = self.next, None
        self._current.switch(space)
        self.store.revision += 1
        try:
            self.store.drop_vectors_but([self.live.table])
        except IndexUnavailable as error:  # a sweep removes them later
            log.warning("the former embeddings are still on the disk: %s", error.detail)

    @property
    def was_complete(self) -> bool:
        """Return whether all there was has once been embedded by the model that answers."""
        record = self.store.record
        return record.live == self.live.model and record.was_complete and len(self.live.matrix) > 0

    def _remember_live(self) -> None:
        """Remember which model answers as soon as it has embedded something, and once it has all."""
        known = self.store.record.live == self.live.model
        is_complete = not self.live.missing
        if len(self.live.matrix) and (not known or (is_complete and not self.was_complete)):
            self._remember(self.live.model, was_complete=is_complete)

    def _remember(self, model: ModelName, *, was_complete: bool) -> None:
        # What dropped tables add to the revision: a reader may have seen each change of them.
        base = self.store.record.revision_base + int(model != self.live.model)
        self.store.remember(Record(model, was_complete, base))

    def revision_of(self, path: str) -> int:
        """Return the revision that an indexed note came with; of one from before, that of the opening."""
        return self._committed_at.get(path, self._opened_at)

    # What is missing.

    def missing(self) -> list[str]:
        """Return the keys of chunks that are not embedded yet, worked out anew."""
        return [key for key in self.catalog.vector_keys() if key not in self.live.matrix]

    def missing_count(self) -> int:
        """Return how many texts are not embedded yet; every search asks, so it is kept in step."""
        return len(self.live.missing)

    def private_paths(self) -> set[str]:
        """Return the paths of the notes that stay on this machine."""
        return self.privacy.private_paths(self.catalog)

    def may_leave(self, key: str) -> bool:
        """Return whether a text may leave this machine: a note that has it may."""
        notes = (self.catalog.get(path) for path, _ in self.catalog.owners(key))
        return any(note is not None and self.privacy.rule(note, self.catalog) is None for note in notes)

    def contents(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return key to the text to embed, for keys that a chunk still uses."""
        owned = {key: owners[0] for key in keys if (owners := self.catalog.owners(key))}
        ids = {key: f"{path}#{ordinal}" for key, (path, ordinal) in owned.items()}
        chunks = self.store.chunks.get(ids.values())
        return {
            key: chunks[item].content
            for key, item in ids.items()
            if item in chunks and chunks[item].vector_key == key
        }

    # Writing.

    def add_vectors(self, embeddings: Embeddings, keys: Sequence[str], vectors: Floats) -> None:
        """Write embeddings of a model; vectors (len(keys), dimensions) float32 of length 1."""
        is_live = embeddings is self.live
        if is_live and not len(self.live.matrix):
            self._remember(self.live.model, was_complete=False)
        embeddings.add(keys, vectors)
        self.chunks_embedded += len(keys)
        self.commits += 1
        if is_live:
            self.store.revision += 1
            self._remember_live()

    def commit(
        self,
        notes: Sequence[tuple[IndexedNote, Sequence[StoredChunk]]],
        gone: Iterable[str] = (),
        *,
        for_good: bool = False,
    ) -> None:
        """Write notes with all their chunks and take others out, in one commit.

        for_good: what goes is to leave the disk too, see `rewrite`.
        """
        if for_good:
            self.store.want_purge()
        gone = tuple(gone)
        previous, changes = {}, dict.fromkeys(gone, REMOVED)
        keys = dict.fromkeys(key for note, _ in notes for key in note.vector_keys)
        for path in (*(note.path for note, _ in notes), *gone):
            if (known := self.catalog.get(path)) is None:
                changes.pop(path, None)
            else:
                previous[path] = len(known.vector_keys)
                keys.update(dict.fromkeys(known.vector_keys))
        self.store.commit(notes, previous)
        self.commits += 1
        for path in gone:
            self.catalog.drop(path)
            self._committed_at.pop(path, None)
        for note, _ in notes:
            known = self.catalog.get(note.path)
            if known is None or known.content_hash != note.content_hash:  # else it is read in another way
                changes[note.path] = CREATED if known is None else CHANGED
            self.catalog.put(note)
            self._committed_at[note.path] = self.revision
        for embeddings in self._all_embeddings():
            embeddings.follow(keys, self.catalog.is_used)
        if changes:
            self.on_notes(changes)

    def touch(self, notes: Sequence[IndexedNote]) -> None:
        """Remember another stat for notes whose bytes are the same."""
        self.store.touch(notes)
        for note in notes:
            self.catalog.put(note)

    def _all_embeddings(self) -> tuple[Embeddings, ...]:
        return (self.live,) if self.next is None else (self.live, self.next)

    def learn_words(self) -> None:
        """Have the words of all texts read, so that the first question is weighed as those after it."""
        if (thread := self.store.chunks.vocabulary.renew()) is not None:
            thread.join()

    # Upkeep.

    def rewrite(self) -> None:
        """Let no file in use keep what has been taken out for good (D14); the others are swept later."""
        used = set(self.catalog.vector_keys())

        def rewrite_vectors() -> None:
            self.store.drop_vectors_but(each.table for each in self._all_embeddings())
            for embeddings in self._all_embeddings():
                embeddings.rewrite(used)

        self.store.rewrite(rewrite_vectors)

    def tidy(self) -> None:
        """Drop embeddings that have long been unused, and do the upkeep of the store, if there is room."""
        if self.store.puts_off():
            return
        used = set(self.catalog.vector_keys())
        swept = [embeddings.sweep(used) for embeddings in self._all_embeddings()]
        if any(swept) and self._is_chosen:
            # Also those of models that are no longer chosen; as long as it is unknown which is, any may be.
            self.store.drop_vectors_but(each.table for each in self._all_embeddings())
        self.store.tidy()
        for embeddings in self._all_embeddings():
            if embeddings.outgrow() and embeddings is self.live:
                self._current.search_in(self.live.matrix)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage while what is loaded is built, and never in it.

    Each look goes through all objects there are: it would take half of the time of loading. What is loaded
    stays; later looks leave it out, as going through a million objects would stop a query for a tenth of a
    second.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


def _open(folder: Path, chosen: ModelName | None) -> tuple[Store, Catalog, Embeddings]:
    """Return store, catalog and the embeddings that answer; a damaged index makes way for a new one (D6).

    That has the embeddings that are sound (D58).
    """
    complete(folder)
    try:
        store = Store(folder)
        store.check()
        return _read(store, chosen)
    except DiskFull:
        raise
    except IndexUnavailable as error:
        log.warning("the index is made anew: %s", error.detail)
        clear(folder)
        return _read(Store(folder), chosen)


def _read(store: Store, chosen: ModelName | None) -> tuple[Store, Catalog, Embeddings]:
    catalog = Catalog(store.chunks.notes())
    live = store.record.live
    if live is None or not store.has_vectors(live.fingerprint):
        live = chosen or NO_MODEL
    return store, catalog, Embeddings(live, store.vectors(live.fingerprint), catalog.keys_by_age())
