"""Edits in any order, by a person and a sync tool: the index ends as if it had been made anew."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.context.conftest import SAMPLE_VAULT, GoLive, Live
from tests.daemon_process import eventually

Rows = set[tuple[str, int, str, int, int]]
OPERATIONS = 120


def _rows(live: Live) -> Rows:
    """Return path, ordinal, text and span of every chunk that is indexed."""
    ids = [f"{note.path}#{n}" for note in live.index.catalog.notes() for n in range(len(note.vector_keys))]
    chunks = live.index.store.chunks(ids).values()
    return {(chunk.path, chunk.ordinal, chunk.text, chunk.start_char, chunk.end_char) for chunk in chunks}


def _operate(vault: Path, choose: random.Random, versions: dict[Path, bytes]) -> None:
    """Do one thing that a person or a sync tool does to a note."""
    notes = sorted(vault.rglob("*.md"))
    note = choose.choice(notes)
    place = vault / choose.choice(["", "New", "New/Deep"]) / f"{choose.randrange(30)}.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    match choose.choice(
        ["create", "edit", "save", "rename", "move", "delete", "conflict", "revert", "touch"]
    ):
        case "create":
            place.write_text(f"# Note {choose.randrange(1000)}\n\nwords {choose.randrange(1000)}\n")
        case "edit":
            versions[note] = note.read_bytes()
            note.write_bytes(note.read_bytes() + f"\n\nmore {choose.randrange(1000)}\n".encode())
        case "save":
            beside = note.with_suffix(".tmp")
            beside.write_bytes(note.read_bytes()[::-1][:2000][::-1])
            beside.replace(note)
        case "rename":
            note.replace(note.with_name(f"{choose.randrange(30)}.md"))
        case "move":
            note.replace(place)
        case "delete" if len(notes) > 10:
            note.unlink()
        case "conflict":
            shutil.copy(note, note.with_name(f"{note.stem}.sync-conflict-20260101-000000-ABC.md"))
        case "revert" if versions:
            old = choose.choice(sorted(versions))
            old.parent.mkdir(parents=True, exist_ok=True)
            old.write_bytes(versions[old])
        case _:
            os.utime(note)


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
        _operate(vault, choose, versions)
    fresh = go_live(vault, "fresh", model=False)
    fresh.settled("indexing")
    expected = _rows(fresh)
    eventually(lambda: _rows(live) == expected, "the same index")
