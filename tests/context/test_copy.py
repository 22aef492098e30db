"""A copy of the index is the index of one instant, whatever is written meanwhile."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context.space import ModelName
from pai_daemon.context.store.check import check
from pai_daemon.context.store.record import Record
from pai_daemon.context.store.store import Store
from pai_daemon.errors import IndexUnavailable
from tests.context.test_store import written

COPIES = 6
State = dict[str, tuple[str, ...]]


def state(store: Store) -> State:
    """Return what a store says of its notes."""
    return {note.path: note.vector_keys for note in store.chunks.notes()}


class Writer(threading.Thread):
    """Commits notes and their embeddings, takes others out and tidies, and notes what there is after each.

    states: version of the table to the notes it should hold.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.states: dict[int, State] = {store.chunks.version: {}}
        self.stopping = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Write until it is told to stop."""
        chance, notes = random.Random(7), State()
        try:
            number = 0
            while not self.stopping.is_set():
                number += 1
                path = f"Note {chance.randrange(12)}.md"
                previous = {path: len(notes.get(path, ()))}
                if chance.random() < 0.2:
                    notes.pop(path, None)
                    self.store.commit([], previous)
                else:
                    made = written(path, *(f"w{number}x{n}" for n in range(chance.randrange(1, 5))))
                    keys = made[0].vector_keys
                    vectors = np.tile(np.eye(4, dtype=np.float32)[0], (len(keys), 1))
                    self.store.vectors("f1").add(keys, vectors)
                    self.store.commit([made], previous)
                    notes[path] = keys
                if number % 15 == 0:
                    self.store.tidy()
                self.states[self.store.chunks.version] = dict(notes)
        except BaseException as error:
            self.error = error


def test_copy_taken_during_edits_is_the_index_of_one_instant(tmp_path: Path) -> None:
    """Each copy opens, is sound, has every embedding, and equals what a dictionary held at its version."""
    store = Store(tmp_path / "index")
    store.remember(Record(ModelName("model", "f1", 4, "model")))
    writer = Writer(store)
    writer.start()
    versions = set()
    try:
        for number in range(COPIES):
            store.copy(tmp_path / f"copy{number}")
            versions.add(Store.read_only(tmp_path / f"copy{number}").chunks.version)
    finally:
        writer.stopping.set()
        writer.join()
    assert writer.error is None
    assert len(versions) > 1
    for number in range(COPIES):
        copied = Store.read_only(tmp_path / f"copy{number}")
        assert state(copied) == writer.states[copied.chunks.version]
        found = check(copied)
        assert not [each for each in found if each.is_damage]
        assert not copied.has_vectors("f1") or any("; 0 texts wait" in each.found for each in found)
        Store(tmp_path / f"copy{number}").tidy()
    assert state(Store.read_only(tmp_path / "index")) == writer.states[store.chunks.version]


def test_copy_waits_for_the_end_of_upkeep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Upkeep takes old files away: a copy does not begin before it has ended, and then comes."""
    store = Store(tmp_path / "index")
    store.commit([written("a.md", "alpha")], {})
    tidies, may_end, is_copied = threading.Event(), threading.Event(), threading.Event()

    def tidy(*_: object, **__: object) -> bool:
        tidies.set()
        return not may_end.wait(10)

    def copy() -> None:
        store.copy(tmp_path / "copy")
        is_copied.set()

    monkeypatch.setattr(store.chunks, "tidy", tidy)
    threads = [threading.Thread(target=store.tidy), threading.Thread(target=copy)]
    threads[0].start()
    assert tidies.wait(10)
    threads[1].start()
    assert not is_copied.wait(0.5)
    may_end.set()
    assert is_copied.wait(10)
    for thread in threads:
        thread.join()


def test_copy_does_not_go_where_something_is(tmp_path: Path) -> None:
    """What lies in a folder is neither copied over nor removed."""
    store = Store(tmp_path / "index")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").touch()
    with pytest.raises(IndexUnavailable):
        store.copy(tmp_path / "there")
    assert (tmp_path / "there" / "mine").exists()
