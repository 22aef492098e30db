"""Which folders are vaults, and what their programs say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pai_daemon.errors import VaultUnavailable
from pai_daemon.vault.folder import check_vault, read_property_types


def test_check_vault_of_a_database_graph_says_what_to_do(tmp_path: Path) -> None:
    """A Logseq graph in a database has no notes to read; the message names the way out."""
    (tmp_path / "db.sqlite").write_bytes(b"SQLite format 3\0")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "paper.pdf").write_bytes(b"")
    with pytest.raises(VaultUnavailable) as raised:
        check_vault(tmp_path)
    assert "database" in raised.value.detail
    assert "Export" in raised.value.hint


@pytest.mark.parametrize("note", ["Note.md", "pages/Deep.markdown", "pages/a/Deep.org", "Board.canvas"])
def test_check_vault_with_notes_beside_a_database_is_one(tmp_path: Path, note: str) -> None:
    """A database beside notes is somebody's own."""
    (tmp_path / "db.sqlite").write_bytes(b"")
    (tmp_path / note).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / note).write_text("text")
    assert check_vault(tmp_path) == tmp_path.resolve()


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ('{"types": {"due": "date", "n": 3}}', {"due": "date"}),
        ('{"types": []}', {}),
        ("{", {}),
        ("[]", {}),
        (None, {}),
    ],
)
def test_read_property_types_gives_what_is_readable(
    tmp_path: Path, text: str | None, types: dict[str, str]
) -> None:
    """The vault's own types are read, and broken settings are none."""
    (tmp_path / ".obsidian").mkdir()
    if text is not None:
        (tmp_path / ".obsidian" / "types.json").write_text(text)
    assert read_property_types(tmp_path) == types
