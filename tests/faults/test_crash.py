"""A kill at any step of any write leaves what was before it or what is after it, never something between.

A writer works on a small index. At what it does to files it is stopped, and the folder is copied: that is
what a kill at that instant would leave. Each copy is opened as a start does, and held against a dictionary.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import select
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context.filters import EVERYTHING
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.context.store import store as store_module
from pai_daemon.context.store.check import check
from pai_daemon.context.store.rebuild import clear
from pai_daemon.context.vectors import Floats
from pai_daemon.vault.scan import FileStat
from tests.context.conftest import Hashed
from tests.context.test_store import written

WIDTHS = {"first": 8, "second": 16}
NOTES = {f"n{number}.md": tuple(f"heron n{number}x{part}w" for part in range(3)) for number in range(6)}
EDITED = {"n0.md": ("heron edited0w",), "m1.md": NOTES["n1.md"], "new.md": ("heron new0w", "heron new1w")}
# From <sys/inotify.h>: what creates, changes, closes, renames and removes files.
INOTIFY_EVENTS = 0x2 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200


@dataclass(frozen=True, slots=True)
class Held:
    """What an index holds: the texts and the time of each note, and of which texts `model` has embeddings."""

    texts: Mapping[str, tuple[str, ...]]
    touched: frozenset[str] = frozenset()
    model: str = ""
    embedded: frozenset[str] = frozenset()


EMPTY = Held({})


def name(model: str) -> ModelName:
    """Return a model of the tests."""
    return ModelName.of(Hashed(model, WIDTHS[model]).profile)


def vectors_of(keys: list[str], model: str) -> Floats:
    """Return what a model makes of texts."""
    embedder = Hashed(model, WIDTHS[model])
    return np.stack([embedder.embed_query(key) for key in keys])


class Writer:
    """Does one thing after the other to an index; which, its methods say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, _held: Held) -> Held:
        """Make the index, or open it again."""
        self.index = Index(self.folder, name("first"))
        return _held

    def commit(self, held: Held) -> Held:
        """Take in notes."""
        self.index.commit([written(path, *texts) for path, texts in NOTES.items()])
        return replace(held, texts=NOTES)

    def embed(self, held: Held) -> Held:
        """Embed what waits."""
        keys = list(self.index.live.missing)
        self.index.add_vectors(self.index.live, keys, vectors_of(keys, self.index.live.model.name))
        model = self.index.live.model.name
        return replace(held, model=model, embedded=held.embedded | {key[4:] for key in keys})

    def edit(self, held: Held) -> Held:
        """Shorten a note, rename one, take one out and write a new one, in one commit."""
        gone = ("n1.md", "n2.md")
        self.index.commit([written(path, *texts) for path, texts in EDITED.items()], gone)
        texts = {path: texts for path, texts in held.texts.items() if path not in gone} | EDITED
        kept = {text for each in texts.values() for text in each}
        return replace(held, texts=texts, embedded=held.embedded & kept)

    def touch(self, held: Held) -> Held:
        """Give a note another time."""
        note, _ = written("n3.md", *NOTES["n3.md"])
        self.index.touch([replace(note, stat=FileStat(9, 9, 9))])
        return replace(held, touched=frozenset(["n3.md"]))

    def tidy(self, held: Held) -> Held:
        """Do the upkeep; no search reads what it replaces."""
        self.index.tidy()
        return held

    def leave_out(self, held: Held) -> Held:
        """Take a note out for good."""
        self.index.commit([], ["n4.md"], for_good=True)
        texts = {path: texts for path, texts in held.texts.items() if path != "n4.md"}
        return replace(held, texts=texts, embedded=held.embedded - set(NOTES["n4.md"]))

    def rewrite(self, held: Held) -> Held:
        """Write everything anew, as what was left out has to leave the disk."""
        self.index.rewrite()
        return held

    def sweep(self, held: Held) -> Held:
        """Remove what rewriting left."""
        self.index.store.sweep()
        return held

    def mend(self, held: Held) -> Held:
        """Make all indexes anew."""
        self.index.store.mend()
        return held

    def copy(self, held: Held) -> Held:
        """Copy the index elsewhere."""
        self.index.store.copy(self.folder.with_name("backup"))
        return held

    def embed_next(self, held: Held) -> Held:
        """Choose another model and embed everything for it."""
        self.index.choose(name("second"))
        assert self.index.next is not None
        keys = list(self.index.next.missing)
        for part in (keys[::2], keys[1::2]):
            self.index.add_vectors(self.index.next, part, vectors_of(part, "second"))
        return held

    def switch(self, held: Held) -> Held:
        """Let the other model answer."""
        self.index.switch(Hashed("second", WIDTHS["second"]))
        return replace(held, model="second")

    def clear(self, held: Held) -> Held:
        """Clear the index but for its embeddings; without notes none of them is used."""
        clear(self.folder)
        return replace(held, texts={}, touched=frozenset(), embedded=frozenset())

    def commit_again(self, held: Held) -> Held:
        """Take in the first notes; those that were embedded need not be again."""
        embedded = {text for texts in NOTES.values() for text in texts} - {*NOTES["n4.md"], *NOTES["n2.md"]}
        known = embedded - set(NOTES["n0.md"])
        held = self.commit(held)
        return replace(held, embedded=frozenset(known))


OPERATIONS: tuple[Callable[[Writer, Held], Held], ...] = (
    *(Writer.open, Writer.commit, Writer.embed, Writer.edit, Writer.touch, Writer.embed, Writer.tidy),
    *(Writer.open, Writer.leave_out, Writer.rewrite, Writer.sweep, Writer.mend, Writer.copy),
    *(Writer.embed_next, Writer.switch, Writer.tidy, Writer.clear, Writer.open, Writer.commit_again),
)


def write(folder: Path, parent: Connection) -> None:
    """Do each operation when the parent says so; send what the index is to hold afterwards."""
    store_module.KEEP_S = 0.001  # nobody reads: let upkeep remove files
    writer, held = Writer(folder), EMPTY
    for operation in OPERATIONS:
        parent.recv()
        held = operation(writer, held)
        parent.send(held)


class Events:
    """Tells that something happened in any folder of a tree."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.watch()

    def watch(self) -> None:
        """Watch the folders that there are by now."""
        for folder, _, _ in os.walk(self._root):
            self._libc.inotify_add_watch(self.fd, os.fsencode(folder), INOTIFY_EVENTS)

    def drain(self) -> None:
        """Forget what happened."""
        try:
            while os.read(self.fd, 65536):
                pass
        except BlockingIOError:
            pass


@dataclass(frozen=True, slots=True)
class Copy:
    """The folder at one instant of an operation, and what the index held before it and is to hold after."""

    folder: Path
    operation: str
    before: Held
    after: Held


def stopped(pid: int) -> bool:
    """Stop a child; return whether it had not ended."""
    os.kill(pid, signal.SIGSTOP)
    return os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])


def crash(scratch: Path, is_wanted: Callable[[], bool]) -> Iterator[Copy]:
    """Yield copies of the index, made while it is written; is_wanted: asked at each event."""
    folder = scratch / "index"
    folder.mkdir()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=write, args=(folder, theirs))
    child.start()
    assert child.pid is not None
    held, events, number, listed = EMPTY, Events(folder), 0, ""
    for operation in OPERATIONS:
        copies = []
        ours.send(None)
        while not ours.poll():
            ready, _, _ = select.select([events.fd, ours.fileno(), child.sentinel], [], [])
            assert child.sentinel not in ready, operation
            if events.fd not in ready:
                continue
            if is_wanted():
                assert stopped(child.pid)
                files = sorted(path for path in folder.rglob("*") if path.is_file())
                now = " ".join(f"{path} {path.stat().st_size}" for path in files)
                if now != listed:
                    number, listed = number + 1, now
                    copies.append(scratch / f"copy{number}")
                    shutil.copytree(folder, copies[-1])
                os.kill(child.pid, signal.SIGCONT)
            events.drain()
            events.watch()
        after = ours.recv()
        for copy in copies:
            yield Copy(copy, operation.__name__, held, after)
        held = after
    child.join()
    os.close(events.fd)


def opened(folder: Path) -> Held:
    """Return what an index holds once it is opened, everything of it looked at."""
    index = Index(folder, name("first"))
    notes = list(index.catalog.notes())
    ids = [f"{note.path}#{n}" for note in notes for n in range(len(note.vector_keys))]
    chunks = index.store.chunks.get(ids)
    texts = {
        note.path: tuple(chunks[f"{note.path}#{n}"].text for n in range(len(note.vector_keys)))
        for note in notes
    }
    for item, chunk in chunks.items():
        found = index.store.chunks.search(chunk.text.split()[1], 10, EVERYTHING)
        assert [hit for hit, _ in found if hit == item], f"{item} is not found by its word"
    assert {hit for hit, _ in index.store.chunks.search("heron", 100, EVERYTHING)} == set(ids)
    keys = [key for key in index.catalog.vector_keys() if key in index.live.matrix]
    if keys:
        for key, vector in zip(keys, vectors_of(keys, index.live.model.name), strict=True):
            assert index.live.matrix.search(vector, 1)[0][1] == pytest.approx(1, abs=1e-5), key
    assert not [finding for finding in check(index.store) if finding.is_damage]
    touched = frozenset(note.path for note in notes if note.stat.mtime_ns == 9)
    record = index.store.record
    return Held(texts, touched, record.live.name if record.live else "", frozenset(key[4:] for key in keys))


def is_one_of(found: Held, copy: Copy) -> bool:
    """Return whether an index holds what it did before an operation, or what it does after it.

    A model is remembered just before its first embeddings are there; and embedding for the next one, in two
    writes, changes nothing of what answers.
    """
    if copy.operation == "embed" and replace(found, model="") == replace(copy.before, model=""):
        return True
    return found in (copy.before, copy.after)


def tried(scratch: Path, is_wanted: Callable[[], bool]) -> Counter[str]:
    """Return how many copies were opened in each operation; fails at one that holds something else."""
    count: Counter[str] = Counter()
    for copy in crash(scratch, is_wanted):
        count[copy.operation] += 1
        found = opened(copy.folder)
        assert is_one_of(found, copy), f"{copy.operation}, copy {copy.folder}: {found}"
        shutil.rmtree(copy.folder)
    return count


@pytest.mark.skipif(sys.platform != "linux", reason="inotify tells of the steps")
def test_kill_at_some_steps_of_each_write_leaves_it_done_or_not_done(tmp_path: Path) -> None:
    """A sample of all steps, other ones each time."""
    seed = time.time_ns()
    chance = random.Random(seed)
    print(f"seed {seed}")
    count = tried(tmp_path, lambda: chance.random() < 0.07)
    print(f"{count.total()} steps")
    assert count.total() > 5


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="inotify tells of the steps")
def test_kill_at_every_step_of_each_write_leaves_it_done_or_not_done(tmp_path: Path) -> None:
    """Every step that differs from the one before it."""
    count = tried(tmp_path, lambda: True)
    print(f"{count.total()} steps: {dict(count)}")
    assert set(count) >= {operation.__name__ for operation in OPERATIONS} - {"copy"}
