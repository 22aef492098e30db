"""Whoever reads while notes are written and tidied finds each note whole, and never none (D5, D52)."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pytest

from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.store import Store
from tests.context.conftest import Hashed
from tests.context.test_store import Written, written

NOTES = 12
EDITS, MANY_EDITS = 500, 5_000
WINDOWS_A_TIDYING = 10
LIMIT = 1_000
# Between two readings, so that the writer has most of the machine.
REST_S = 0.05
MODEL = Hashed("reader", 8)
# A note has so many chunks, by its version; so half a note and one of two versions are told from whole ones.
SIZES = (2, 5, 3)
READ_ONLY = """
import sys
from pathlib import Path
from tests.context.test_readers import read_elsewhere
read_elsewhere(Path(sys.argv[1]))
"""


def note(number: int, version: int) -> Written:
    """Return a version of a note."""
    texts = [f"heron N{number}x v{version}x{part}" for part in range(SIZES[version % len(SIZES)])]
    return written(f"n{number}.md", *texts)


def insist_on_whole_notes(ids: Iterable[str], what: str) -> None:
    """Fail unless these are all chunks of some version of each note."""
    parts = defaultdict(list)
    for item in ids:
        path, _, ordinal = item.rpartition("#")
        parts[path].append(int(ordinal))
    assert set(parts) == {f"n{number}.md" for number in range(NOTES)}, what
    for path, found in parts.items():
        assert len(found) in SIZES, (what, path, found)
        assert sorted(found) == list(range(len(found))), (what, path, found)


def insist_on_one_version(store: Store) -> None:
    """Fail unless the texts of each note are those of one version."""
    ids = [f"n{number}.md#{part}" for number in range(NOTES) for part in range(max(SIZES))]
    chunks = store.chunks.get(ids)
    insist_on_whole_notes(chunks, "get")
    versions = defaultdict(set)
    for chunk in chunks.values():
        versions[chunk.path].add(chunk.text.split()[2].split("x")[0])
    assert {len(found) for found in versions.values()} == {1}, versions


def by_words(index: Index) -> None:
    """Look for a word that all chunks have, as a person does, and for one of a note."""
    store = index.store
    insist_on_whole_notes((item for item, _ in store.chunks.search("heron", LIMIT, EVERYTHING)), "words")
    found = store.chunks.search("N7x", LIMIT, EVERYTHING)
    assert sorted(item for item, _ in found) == [f"n7.md#{part}" for part in range(len(found))]
    assert len(found) in SIZES


def by_filter(index: Index) -> None:
    """Look for all that pass a filter, with a word and without; by phrase too."""
    chunks = index.store.chunks
    insist_on_whole_notes((item for items in chunks.matching(EVERYTHING).values() for item in items), "all")
    chosen = Filter(before_ns=9)
    insist_on_whole_notes((item for item, _ in chunks.search("heron", LIMIT, chosen)), "words and a filter")
    insist_on_whole_notes((item for item, _ in chunks.search('"heron"', LIMIT, EVERYTHING)), "phrase")


def by_meaning(index: Index) -> None:
    """Look for the vectors of all chunks; what is catalogued is in the store."""
    space = index.space
    vector = MODEL.embed_query("heron")
    assert len(space.matrix.search(vector, LIMIT)) >= NOTES
    for known in index.catalog.notes():
        assert all(key in space.matrix for key in known.vector_keys), known.path
    insist_on_one_version(index.store)


def read_elsewhere(folder: Path) -> None:
    """Read an index from another process until the end of input, opened anew each time; print how often."""
    times = 0
    done = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        done.set()

    threading.Thread(target=wait, daemon=True).start()
    while not done.is_set():
        store = Store.read_only(folder)
        insist_on_one_version(store)
        insist_on_whole_notes((item for item, _ in store.chunks.search("heron", LIMIT, EVERYTHING)), "words")
        keys = {key for batch, _ in store.vectors(MODEL.profile.fingerprint).batches() for key in batch}
        assert {key for each in store.chunks.notes() for key in each.vector_keys} <= keys
        times += 1
        done.wait(REST_S)
    print(times)


class Reader(threading.Thread):
    """Reads until it is told to stop, or until something is wrong."""

    def __init__(self, index: Index, *reads: Callable[[Index], None]) -> None:
        super().__init__()
        self._index, self._reads = index, reads
        self.stopping = threading.Event()
        self.times = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        """Read in turn."""
        try:
            while not self.stopping.is_set():
                for read in self._reads:
                    read(self._index)
                self.times += 1
                self.stopping.wait(REST_S)
        except BaseException as error:
            self.error = error


def edit(index: Index, edits: int, readers: list[Reader]) -> None:
    """Write so many versions of notes in windows, with embeddings and upkeep; stop where a reader fails."""
    chance = random.Random(3)
    version = window = 0
    while version < edits:
        numbers = chance.sample(range(NOTES), chance.randrange(1, 8))
        made = [note(number, version + place) for place, number in enumerate(numbers)]
        version, window = version + len(made), window + 1
        keys = [key for each, _ in made for key in each.vector_keys]
        index.add_vectors(index.live, keys, MODEL.embed_texts(keys, urgent=True))
        index.commit(made)
        if window % 7 == 0:
            index.touch([made[0][0]])
        if window % WINDOWS_A_TIDYING == 0:
            index.tidy()
        if window % 50 == 25:
            index.store.mend()
        if window % 50 == 35:
            index.rewrite()
        for reader in readers:
            if reader.error is not None:
                raise reader.error


@pytest.mark.parametrize("edits", [EDITS, pytest.param(MANY_EDITS, marks=pytest.mark.slow)])
def test_readers_find_every_note_whole_while_notes_are_written(tmp_path: Path, edits: int) -> None:
    """Two threads and another process read in each way there is, while one writes, tidies and mends."""
    index = Index(tmp_path / "index", ModelName.of(MODEL.profile))
    first = [note(number, 0) for number in range(NOTES)]
    keys = [key for each, _ in first for key in each.vector_keys]
    index.add_vectors(index.live, keys, MODEL.embed_texts(keys, urgent=True))
    index.commit(first)
    index.tidy()
    while (thread := index.store.chunks.vocabulary.renew()) is not None:
        thread.join()
    readers = [Reader(index, by_words, by_meaning), Reader(index, by_filter, by_words)]
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", READ_ONLY, str(tmp_path / "index")]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as elsewhere:
        for reader in readers:
            reader.start()
        try:
            edit(index, edits, readers)
        finally:
            for reader in readers:
                reader.stopping.set()
            for reader in readers:
                reader.join()
            with suppress(BrokenPipeError):
                said, wrong = elsewhere.communicate()
    assert [reader.error for reader in readers] == [None, None]
    assert elsewhere.returncode == 0, wrong
    counts = [reader.times for reader in readers] + [int(said)]
    print(f"{edits} edits, read {counts} times")
    assert min(counts) > 0
