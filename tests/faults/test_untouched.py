"""The daemon leaves nothing in the vault and changes nothing in it (D9, D19)."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.conftest import StartDaemon
from tests.daemon_process import Folders

Snapshot = dict[str, tuple[int, int, int, bytes]]


def snapshot(vault: Path) -> Snapshot:
    """Return inode, mode, time and bytes of all that lies in a vault; of folders without bytes."""
    found = {}
    for path in sorted([vault, *vault.rglob("*")]):
        status = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(vault))] = (status.st_ino, status.st_mode, status.st_mtime_ns, data)
    return found


def test_vault_is_the_same_after_a_run(start_daemon: StartDaemon, vault: Path, folders: Folders) -> None:
    """A whole life of a daemon, with searches, answers and a kill, leaves every byte and time as it was."""
    (vault / "Folder").mkdir()
    (vault / "Folder" / "Note.md").write_bytes(b"# Note\r\n\r\nThe siskin eats alder seeds.\r\n")
    (vault / "Bad.md").write_bytes(b"\xff\xfe\x00")
    (vault / ".obsidian").mkdir()
    (vault / ".obsidian" / "app.json").write_text("{}", "utf-8")
    before = snapshot(vault)
    daemon = start_daemon()
    daemon.ready()
    daemon.finds("siskin")
    daemon.client.ask("What does the siskin eat?")
    daemon.client.get("/api/links", {"path": "Folder/Note.md"})
    daemon.note("Folder/Note.md")
    assert daemon.request("POST", "/api/index", body={"force": True}).status == 202
    daemon.ready()
    daemon.kill()
    again = start_daemon()
    again.ready()
    assert again.terminate() == 0
    assert snapshot(vault) == before


def test_files_of_a_daemon_are_its_owners_alone(
    start_daemon: StartDaemon, vault: Path, folders: Folders
) -> None:
    """The token and the record of the daemon are for their owner only, even where others may look in."""
    folders.settings.config_dir.mkdir(parents=True, mode=0o755)
    daemon = start_daemon()
    daemon.ready()
    for path in (folders.settings.config_dir / "token", folders.settings.record_path(vault)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_index_of_private_notes_is_not_open_to_others(
    start_daemon: StartDaemon, vault: Path, folders: Folders
) -> None:
    """The index holds the text of every note; other users of the machine may not read it."""
    (vault / "Diary.md").write_text("a private word", "utf-8")
    vault.chmod(0o700)
    start_daemon().ready()
    index = folders.settings.index_dir(vault)
    closed = [path for path in (index, *index.parents) if not path.stat().st_mode & 0o077]
    assert any(path.is_relative_to(folders.home) for path in closed), oct(index.stat().st_mode)


def test_no_library_reports_to_its_maker(start_daemon: StartDaemon, vault: Path, folders: Folders) -> None:
    """ONNX Runtime keeps no device id and no queue of events: its telemetry is off (D8).

    Where it is on, it makes the folder `.cache/Microsoft` in the home folder at its first session.
    """
    (vault / "Note.md").write_text("The siskin eats alder seeds.", "utf-8")
    daemon = start_daemon(XDG_CACHE_HOME=str(folders.home / ".cache"))
    daemon.ready()
    daemon.client.ask("What does the siskin eat?")
    assert {path.name for path in folders.home.iterdir()} <= {"config", "data", ".config", ".local"}
