"""The index of a real daemon: checked while it runs, damaged, told, cleared, and made anew."""

from __future__ import annotations

import json
from pathlib import Path

from pai_daemon.context.store.store import Store
from tests.conftest import StartDaemon
from tests.daemon_process import Folders


def test_damaged_index_is_told_cleared_and_made_anew(
    start_daemon: StartDaemon, vault: Path, folders: Folders
) -> None:
    """A sound one ends with 0 beside its daemon; a damaged one with 69 and the command that helps."""
    for number in range(5):
        (vault / f"Note {number}.md").write_text(f"The nuthatch{number} climbs.", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    sound = folders.pai("doctor", "--index", "--json")
    assert (sound.returncode, json.loads(sound.stdout)["ok"]) == (0, True), sound.stdout
    copied = folders.pai("index", "--copy", str(folders.home / "copy"))
    assert copied.returncode == 0, copied.stderr
    assert len(Store.read_only(folders.home / "copy").chunks.notes()) == 5
    for refused in (folders.home / "copy", vault / "copy", folders.home / "none" / "copy"):
        assert folders.pai("index", "--copy", str(refused)).returncode == 64
    assert not (vault / "copy").exists()
    held = folders.pai("index", "--rebuild", "--vault", str(vault))
    assert held.returncode == 75
    assert "Stop it first" in held.stderr
    assert daemon.terminate() == 0
    for path in (folders.settings.index_dir(vault) / "tables" / "chunks.lance" / "data").iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told = folders.pai("doctor", "--index", "--vault", str(vault), "--json")
    assert told.returncode == 69
    command = json.loads(told.stdout)["hint"]
    assert command == f"pai index --rebuild --vault {vault}"
    cleared = folders.pai(*command.split()[1:], "--json")
    assert (cleared.returncode, json.loads(cleared.stdout)["kept"]) == (0, 5), cleared.stderr
    again = start_daemon().ready()
    assert (again["notes"], again["work"]["chunks_embedded"]) == (5, 0)
