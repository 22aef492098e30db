"""An index that is cleared is sound, keeps the embeddings that are, and its revision does not fall."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.context.store.rebuild import Cleared, clear
from pai_daemon.context.store.store import Store
from tests.context.test_check import cut, damage, embed, folder

__all__ = ["folder"]


def test_clearing_keeps_sound_embeddings_and_drops_the_others(folder: Path) -> None:
    """A vector that is not of length 1 goes, those beside it stay, and no text does."""
    embed(2, 0, 0, 0)(folder)
    before = Store(folder).revision
    assert clear(folder) == Cleared(3, 1)
    store = Store.read_only(folder)
    assert (store.chunks.notes(), damage(folder)) == ([], [])
    assert sorted(key for keys, _ in store.vectors("f1").batches() for key in keys) == [
        "key-alpha heron",
        "key-beta stork",
        "key-unused",
    ]
    assert store.revision > before


@pytest.mark.parametrize("part", ["chunks.lance", "vectors-f1.lance"])
def test_clearing_takes_damaged_files_away(folder: Path, part: str) -> None:
    """Whatever table is cut short, the cleared index opens and has no damage."""
    cut(part)(folder)
    kept = clear(folder).kept
    assert kept == (3 if part == "chunks.lance" else 0)
    Store(folder)
    assert damage(folder) == []
