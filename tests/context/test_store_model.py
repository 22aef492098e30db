"""Any order of writes, upkeep and restarts leaves in the store what a dictionary would hold."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter, fold_tag, tag_closure
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.context.store.store import Store
from pai_daemon.vault.scan import FileStat

# Names that a range, a quote or a wildcard could confuse.
PATHS = (
    "a.md",
    "a/b.md",
    "a b/c.md",
    "a0/d.md",
    "it's 50%_off.md",
    "itXs 50%/off.md",
    'ß/\\n"🙂.md',
    "SS/ü.md",
)
FOLDERS = ("", "a", "a/", "a b", "a/b.md", "it's 50%_off.md", "ß", "ss")
TAGS = ("work", "Work/deep", "it's", "ß")
Written = tuple[IndexedNote, list[StoredChunk]]


def passes(note: IndexedNote, chosen: Filter) -> bool:
    """Return whether a note passes a filter, as its documentation says."""
    folder = chosen.folder.strip("/")
    return (
        (not folder or note.path == folder or note.path.startswith(folder + "/"))
        and all(fold_tag(tag) in tag_closure(note.tags) for tag in chosen.tags)
        and all(item in note.properties for item in chosen.properties)
        and (chosen.since_ns is None or note.stat.mtime_ns >= chosen.since_ns)
        and (chosen.before_ns is None or note.stat.mtime_ns < chosen.before_ns)
    )


class StoreModel(RuleBasedStateMachine):
    """The store beside a dictionary of what was committed."""

    @initialize()
    def open_new(self) -> None:
        """Begin with an empty index."""
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder)
        self.model: dict[str, Written] = {}
        self.revision = self.store.revision
        self.words = 0

    def teardown(self) -> None:
        """Remove the index."""
        shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)

    def _written(self, path: str, count: int, tag: str, mtime_ns: int) -> Written:
        texts = []
        for _ in range(count):
            self.words += 1
            texts.append(f"unique{self.words}word common")
        chunks = [
            StoredChunk(path, n, f"h{self.words}", f"k {text}", path, (), text, text, 1, 1, 0, len(text), ())
            for n, text in enumerate(texts)
        ]
        keys = tuple(chunk.vector_key for chunk in chunks)
        stat = FileStat(1, mtime_ns, 1)
        note = IndexedNote(path, stat, f"h{self.words}", path, (), (tag,), (), (), keys)
        return replace(note, properties=("status", f"status={tag}")), chunks

    @rule(
        wanted=st.dictionaries(
            st.sampled_from(PATHS),
            st.tuples(st.integers(0, 4), st.sampled_from(TAGS), st.integers(0, 9)),
            min_size=1,
            max_size=4,
        )
    )
    def commit(self, wanted: dict[str, tuple[int, str, int]]) -> None:
        """Write some notes and take out others, in one window; a count of none takes a note out."""
        previous = {path: len(self.model[path][1]) for path in wanted if path in self.model}
        notes = [self._written(path, *how) for path, how in wanted.items() if how[0]]
        self.store.commit(notes, previous)
        for path in wanted:
            self.model.pop(path, None)
        self.model |= {note.path: (note, chunks) for note, chunks in notes}

    @precondition(lambda self: self.model)
    @rule(data=st.data(), mtime_ns=st.integers(10, 19))
    def touch(self, data: st.DataObject, mtime_ns: int) -> None:
        """Give a note another time."""
        path = data.draw(st.sampled_from(sorted(self.model)))
        note, chunks = self.model[path]
        touched = replace(note, stat=FileStat(1, mtime_ns, 1))
        self.store.touch([touched])
        self.model[path] = touched, chunks

    @rule()
    def tidy(self) -> None:
        """Do the upkeep."""
        self.store.tidy()

    @rule()
    def rewrite(self) -> None:
        """Write everything anew, as after a note was left out for good."""
        self.store.rewrite(lambda: None)

    @rule()
    def reopen(self) -> None:
        """Open the index again, without having closed it: a kill between two writes."""
        self.store = Store(self.folder)

    @rule(
        folder=st.sampled_from(FOLDERS),
        tags=st.lists(st.sampled_from(TAGS), max_size=1),
        since_ns=st.none() | st.integers(0, 19),
        before_ns=st.none() | st.integers(0, 19),
        is_valued=st.booleans(),
    )
    def narrow(
        self, folder: str, tags: list[str], since_ns: int | None, before_ns: int | None, is_valued: bool
    ) -> None:
        """Ask which chunks pass a filter, by all and by a word that all have."""
        properties = ("status=work",) if is_valued else ()
        chosen = Filter(folder, tuple(tags), properties, since_ns, before_ns)
        expected = {
            c.chunk_id for note, chunks in self.model.values() if passes(note, chosen) for c in chunks
        }
        matching = self.store.chunks.matching(chosen)
        assert {item for items in matching.values() for item in items} == expected
        assert {item for item, _ in self.store.chunks.search("common", 100, chosen)} == expected

    @invariant()
    def holds_what_was_committed(self) -> None:
        """Compare notes, chunks and words with the dictionary; the revision never falls."""
        if not hasattr(self, "model"):
            return
        assert sorted(self.store.chunks.notes(), key=lambda note: note.path) == [
            self.model[path][0] for path in sorted(self.model)
        ]
        chunks = {chunk.chunk_id: chunk for _, chunks in self.model.values() for chunk in chunks}
        assert self.store.chunks.get(f"{path}#{n}" for path in PATHS for n in range(5)) == chunks
        if self.words:
            # The last one written, and the first, which may be gone.
            for word in (f"unique{self.words}word", "unique1word"):
                found = {item for item, _ in self.store.chunks.search(f'"{word}"', 10, EVERYTHING)}
                assert found == {item for item, chunk in chunks.items() if word in chunk.content}
        # Not a phrase: the tail of fresh rows is ranked apart, once the vocabulary is read.
        while (thread := self.store.chunks.vocabulary.renew()) is not None:
            thread.join()
        assert {item for item, _ in self.store.chunks.search("common", 100, EVERYTHING)} == set(chunks)
        assert self.store.revision >= self.revision
        self.revision = self.store.revision


StoreModel.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestStoreEqualsADictionary = StoreModel.TestCase
