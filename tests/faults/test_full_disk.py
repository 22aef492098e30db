"""A disk that is full at any kind of write: what was committed stays, and with room again all goes on.

Each operation of the crash tests is done on a small disk, with no room and (`-m slow`) with a
little, so that it fails at different steps; then with room, by the same objects, without a restart.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pai_daemon.context.store import store as store_module
from pai_daemon.errors import DiskFull
from tests.faults.conftest import fill_up
from tests.faults.test_crash import EMPTY, OPERATIONS, Held, Writer, opened

Operation = Callable[[Writer, Held], Held]


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Operation, Held, Held]]:
    """Return each operation with what the index holds before and after it; upkeep takes room for granted."""
    monkeypatch.setattr(store_module, "shortage", lambda _: None)
    monkeypatch.setattr(store_module, "KEEP_S", 0.001)
    writer, held, found = Writer(tmp_path / "reference"), EMPTY, []
    for operation in OPERATIONS:
        after = operation(writer, held)
        found.append((operation, held, after))
        held = after
    return found


def is_refused(disk: Path, room_bytes: int, operation: Operation, writer: Writer) -> bool:
    """Do an operation with so much room left on the disk; return whether the disk was full for it."""
    fill_up(disk)
    ballast = disk / "ballast"
    os.truncate(ballast, max(0, ballast.stat().st_size - room_bytes))
    try:
        operation(writer, EMPTY)
    except DiskFull:
        return True
    finally:
        ballast.unlink()
    return False


def held_by(folder: Path, scratch: Path) -> Held:
    """Return what the index holds, opened elsewhere, as if the writer had been killed."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(folder, scratch)
    return opened(scratch)


@pytest.mark.parametrize(
    "rooms", [(0,), pytest.param((0, 4 * 1024, 16 * 1024, 64 * 1024), marks=pytest.mark.slow)], ids=len
)
def test_full_disk_at_each_write_loses_nothing_and_is_waited_for(
    disk: Path, tmp_path: Path, steps: list[tuple[Operation, Held, Held]], rooms: tuple[int, ...]
) -> None:
    """What fails is as before it, or as after it where the last step failed; with room it succeeds."""
    writer, refusals, done = Writer(disk / "index"), Counter[str](), Counter[str]()
    for operation, before, after in steps:
        name = operation.__name__
        for room_bytes in rooms:
            if not is_refused(disk, room_bytes, operation, writer):
                done[name] += 1
                break
            refusals[name] += 1
            if before.texts:
                found = held_by(disk / "index", tmp_path / "copy")
                # The name of a model is remembered just before its first embeddings.
                held = (before, after, replace(before, model=after.model))
                assert found in held, (name, room_bytes, found)
        else:
            operation(writer, before)
        assert held_by(disk / "index", tmp_path / "copy") == after, name
    print(dict(refusals), dict(done))
    assert refusals.keys() >= {
        "open",
        "commit",
        "embed",
        "edit",
        "touch",
        "tidy",
        "rewrite",
        "clear",
        "switch",
    }
