"""A vault with an empty memory folder, for all tests of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.vault.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Return the memory folder of an empty vault, which is not there yet."""
    vault = tmp_path / "vault"
    vault.mkdir()
    return Shelf(vault, "Memory", tmp_path / "undo")
