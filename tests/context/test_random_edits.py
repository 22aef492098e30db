"""Edits in any order, by a person and a sync tool: the index ends as if it had been made anew."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.context.conftest import SAMPLE_VAULT, GoLive, Live
from tests.daemon_process import eventually
from tests.operations import operate

Rows = set[tuple[str, int, str, int, int]]
OPERATIONS = 120


def _rows(live: Live) -> Rows:
    """Return path, ordinal, text and span of every chunk that is indexed."""
    ids = [f"{note.path}#{n}" for note in live.index.catalog.notes() for n in range(len(note.vector_keys))]
    chunks = live.index.store.chunks(ids).values()
    return {(chunk.path, chunk.ordinal, chunk.text, chunk.start_char, chunk.end_char) for chunk in chunks}


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
    expected = _rows(fresh)
    eventually(lambda: _rows(live) == expected, "the same index", 30)
