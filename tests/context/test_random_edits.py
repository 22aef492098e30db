"""Edits in any order, by a person and a sync tool: the index ends as if it had been made anew."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from pai_daemon.context import backlog
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from tests.context.conftest import SAMPLE_VAULT, GoLive, Hashed, Live
from tests.daemon_process import eventually
from tests.operations import operate, rows_of, two_writers

OPERATIONS = 120
OPERATIONS_OF_TWO = 500


def assert_equals_a_rebuild(live: Live, go_live: GoLive, folder: str) -> None:
    """Wait until each chunk is where a new index has it, byte for byte; so many removals are confirmed."""
    fresh = go_live(live.vault, folder, model=False)
    fresh.settled("indexing")
    expected = rows_of(fresh.index)

    def is_equal() -> bool:
        live.indexer.request(confirm_removals=True)
        return rows_of(live.index) == expected

    eventually(is_equal, "the same index", 30)


@pytest.mark.parametrize("seed", range(3))
def test_index_after_random_edits_equals_a_rebuild(go_live: GoLive, tmp_path: Path, seed: int) -> None:
    """After every kind of edit, each chunk is where a new index would have it, byte for byte."""
    vault = tmp_path / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    live = go_live(vault, model=False)
    live.settled("indexing")
    choose = random.Random(seed)
    versions: dict[Path, bytes] = {}
    for _ in range(OPERATIONS):
        operate(vault, choose, versions)
    fresh = go_live(vault, "fresh", model=False)
    fresh.settled("indexing")
    expected = rows_of(fresh.index)
    eventually(lambda: rows_of(live.index) == expected, "the same index", 30)


def test_index_after_two_writers_equals_a_rebuild(go_live: GoLive, tmp_path: Path) -> None:
    """A person and a sync tool at once, hundreds of changes a second: in the end nothing is lost or left."""
    vault = tmp_path / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    live = go_live(vault)
    for part in range(2):
        two_writers(vault, part, OPERATIONS_OF_TWO)
        assert_equals_a_rebuild(live, go_live, f"fresh-{part}")


@pytest.mark.parametrize("seed", range(2))
def test_index_after_edits_during_switches_equals_a_rebuild(
    go_live: GoLive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """While one model after the other is chosen, two writers change notes: nothing is lost or missing."""
    monkeypatch.setattr(backlog, "WINDOW_CHUNKS", 8)
    monkeypatch.setattr(backlog, "SLICE_CHUNKS", 2)
    vault = tmp_path / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    choose = random.Random(seed)
    model = Hashed("model 0")
    with Live(vault, tmp_path / "index", model) as live:
        live.settled()
        for number in range(1, 6):
            model = Hashed(f"model {number}", choose.choice([16, 32]))
            live.indexer.choose(model)
            two_writers(vault, 10 * seed + number, choose.choice([2, 60]))
        assert_equals_a_rebuild(live, go_live, "fresh")
        eventually(lambda: live.index.space.model == ModelName.of(model.profile), "the last model to answer")
        live.settled()
        assert live.index.missing() == []
        rows = rows_of(live.index)
    again = Index(tmp_path / "index", ModelName.of(model.profile))
    assert rows_of(again) == rows
    assert again.missing() == []
