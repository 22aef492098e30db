"""A vault that is away is an error, never a deletion (D3)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess

MANY = 24


def fill(folder: Path, count: int = MANY) -> None:
    """Write notes, each with a word of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"Note {number}.md").write_text(f"Here stands the word magpie{number}x.", "utf-8")


def holds_all(daemon: DaemonProcess, count: int = MANY) -> bool:
    """Return whether every note is still in the index."""
    status = daemon.status()
    return status["notes"] == count and bool(daemon.finds(f"magpie{count - 1}x", within_s=1))


def test_vault_moved_away_and_back_loses_nothing(
    start_daemon: StartDaemon, vault: Path, tmp_path: Path
) -> None:
    """While the folder is gone the status says so and search answers; back again, saves are followed."""
    fill(vault)
    daemon = start_daemon()
    daemon.ready()
    vault.rename(tmp_path / "elsewhere")
    status = daemon.until(lambda now: now["state"] == "error", "the loss is noticed", within_s=12)
    assert str(vault) in status["message"]
    assert holds_all(daemon, MANY)
    (tmp_path / "elsewhere").rename(vault)
    after = daemon.until(lambda now: now["state"] == "ready", "it goes on", within_s=12)
    assert (after["notes"], after["work"]["chunks_embedded"]) == (MANY, status["work"]["chunks_embedded"])
    (vault / "Back.md").write_text("the jay is back", "utf-8")
    daemon.finds("the jay is back", within_s=8)


@pytest.mark.parametrize("count", [5, MANY])
def test_vault_replaced_by_an_empty_folder_loses_nothing(
    start_daemon: StartDaemon, vault: Path, tmp_path: Path, count: int
) -> None:
    """The empty mount point of an unmounted disk takes no note out, however small the vault was."""
    fill(vault, count)
    daemon = start_daemon()
    daemon.ready()
    vault.rename(tmp_path / "elsewhere")
    vault.mkdir()
    assert daemon.request("POST", "/api/index", body={}).status == 202
    status = daemon.until(lambda now: now["state"] in ("held", "error"), "it is doubted", within_s=8)
    assert status["message"]
    assert holds_all(daemon, count)


def test_vault_swapped_for_its_copy_is_watched_again(
    start_daemon: StartDaemon, vault: Path, tmp_path: Path
) -> None:
    """A restored copy in place of the folder is followed, although the old folder still exists."""
    fill(vault, 3)
    daemon = start_daemon()
    daemon.ready()
    shutil.copytree(vault, tmp_path / "copy")
    vault.rename(tmp_path / "elsewhere")
    (tmp_path / "copy").rename(vault)
    (vault / "Restored.md").write_text("the rook is restored", "utf-8")
    daemon.finds("the rook is restored", within_s=15)


def test_loss_of_most_notes_is_held_until_it_is_confirmed(start_daemon: StartDaemon, vault: Path) -> None:
    """More than half of the notes gone at once stay in the index until a person says they are gone."""
    fill(vault / "Most")
    fill(vault / "Few", 3)
    daemon = start_daemon()
    daemon.ready()
    shutil.rmtree(vault / "Most")
    status = daemon.until(lambda now: now["state"] == "held", "it is doubted", within_s=8)
    assert "--confirm-removals" in status["message"]
    assert status["notes"] == MANY + 3
    assert daemon.request("POST", "/api/index", body={"confirm_removals": True}).status == 202
    after = daemon.until(lambda now: now["notes"] == 3, "the loss is believed", within_s=8)
    assert daemon.ready()["message"] is None, after
    daemon.loses(f"magpie{MANY - 1}x")


def test_loss_that_comes_back_is_no_loss(start_daemon: StartDaemon, vault: Path, tmp_path: Path) -> None:
    """Notes that were only away are there again, and the status says that all is well."""
    fill(vault / "Most")
    fill(vault / "Few", 3)
    daemon = start_daemon()
    before = daemon.ready()
    (vault / "Most").rename(tmp_path / "away")
    daemon.until(lambda now: now["state"] == "held", "it is doubted", within_s=8)
    (tmp_path / "away").rename(vault / "Most")
    after = daemon.until(lambda now: now["state"] == "ready", "the doubt is over", within_s=8)
    assert after["notes"] == before["notes"]
    assert after["work"]["chunks_embedded"] == before["work"]["chunks_embedded"]


def test_loss_while_the_daemon_was_down_is_held_too(start_daemon: StartDaemon, vault: Path) -> None:
    """A start that finds most notes gone doubts it as a running daemon does."""
    fill(vault)
    daemon = start_daemon()
    daemon.ready()
    daemon.terminate()
    for number in range(MANY - 4):
        (vault / f"Note {number}.md").unlink()
    again = start_daemon()
    status = again.until(lambda now: now["state"] == "held", "it is doubted")
    assert status["notes"] == MANY
