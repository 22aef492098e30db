"""Upkeep comes when it is worth its cost, and never onto a disk without room for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.store.store import DOUBT, Store
from pai_daemon.context.store.upkeep import (
    HEADROOM_BYTES,
    LONG_REST_S,
    SHORT_REST_S,
    Pending,
    folder_bytes,
    is_due,
    rest_s,
)
from pai_daemon.errors import DiskFull
from tests.context.test_store import written


@pytest.mark.parametrize(
    ("pending", "due"),
    [
        (Pending(1_000, 499, 49), False),
        (Pending(1_000, 500, 1), True),
        (Pending(1_000, 0, 50), True),
        (Pending(100_000, 999, 99), False),
        (Pending(100_000, 1_000, 1), True),
        (Pending(100_000, 0, 100), True),
    ],
)
def test_upkeep_is_due_at_once_by_what_is_pending_and_how_much_there_is(pending: Pending, due: bool) -> None:
    """A larger table, whose upkeep costs more, waits for more rows and commits."""
    assert is_due(pending) is due


def test_upkeep_waits_longer_in_the_middle_of_a_long_run() -> None:
    """While many notes are on their way the tables are not written anew for each few of them."""
    assert not is_due(Pending(10_000, 1_999, 1), in_run=True)
    assert is_due(Pending(10_000, 2_000, 1), in_run=True)
    assert not is_due(Pending(100_000, 4_999, 1), in_run=True)


@pytest.mark.parametrize(
    ("pending", "seconds"),
    [
        (Pending(9, 0, 0), None),
        (Pending(9, 0, 1), LONG_REST_S),
        (Pending(9, 99, 19), LONG_REST_S),
        (Pending(9, 100, 1), SHORT_REST_S),
        (Pending(9, 0, 20), SHORT_REST_S),
        (Pending(9, 0, 0, has_old_files=True), SHORT_REST_S),
    ],
)
def test_rest_before_upkeep_is_long_for_a_save_and_short_for_many(
    pending: Pending, seconds: float | None
) -> None:
    """A save followed by a pause writes no table anew; files to prune are not kept waiting."""
    assert rest_s(pending) == seconds


def free(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    """Let the disk have so much room."""
    usage: Any = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free_bytes))


def test_upkeep_without_room_is_put_off_and_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is rewritten below the size of the tables and 64 MiB; with that much it is."""
    store = Store(tmp_path / "index")
    store.commit([written("a.md", "alpha", "beta"), written("b.md", "gamma")], {})
    store.commit([], {"b.md": 1})
    store.want_purge()
    needed = folder_bytes(tmp_path / "index" / "tables") + HEADROOM_BYTES
    version = store.chunks.version
    free(monkeypatch, needed - 1)
    store.tidy()
    rewritten: list[bool] = []
    store.rewrite(lambda: rewritten.append(True))
    store.sweep()
    assert (store.chunks.version, store.purge_step, rewritten) == (version, "rewrite", [])
    short = store.shortage
    assert short is not None
    assert short.message.startswith("The disk is nearly full: 64 MiB free, upkeep of the index needs 65 MiB.")
    assert "What was left out for good" in short.message
    free(monkeypatch, needed)
    assert store.puts_off() is False
    store.tidy()
    assert store.chunks.version > version


def test_upkeep_that_was_put_off_is_tried_again_and_not_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room the writer goes on with its work between two looks at the disk."""
    store = Store(tmp_path / "index")
    store.commit([written("a.md", *(f"word{number}" for number in range(600)))], {})
    assert store.is_untidy()
    free(monkeypatch, 0)
    store.tidy()
    assert not store.is_untidy()
    assert store.upkeep_rest_s() == SHORT_REST_S


def test_upkeep_that_meets_a_full_disk_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start makes no index anew for it, which would take the room that is missing."""
    store = Store(tmp_path / "index")

    def fail(*_: object) -> None:
        raise DiskFull("full")

    monkeypatch.setattr(store.chunks, "tidy", fail)
    monkeypatch.setattr(store.chunks, "mend", fail)
    for upkeep in (store.tidy, store.mend):
        with pytest.raises(DiskFull):
            upkeep()
    assert not (tmp_path / "index" / DOUBT).exists()
