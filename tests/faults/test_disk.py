"""A full disk and a damaged index: the daemon lives, says what is wrong, and goes on by itself."""

from __future__ import annotations

import os
import random
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.store.store import Store
from pai_daemon.errors import IndexUnavailable
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders, eventually
from tests.faults.conftest import DISK_BYTES, fill_up

NOTES = 12


def completed(daemon: DaemonProcess) -> dict[str, Any]:
    """Return the status once every note is indexed and embedded."""
    return daemon.until(
        lambda now: now["notes"] == NOTES and now["state"] == "ready" and not now["pending_chunks"],
        "the index completes",
        within_s=15,
    )


@pytest.mark.parametrize("room_bytes", [48 * 1024, 256 * 1024], ids=["opening", "indexing"])
def test_disk_that_is_full_is_waited_for(
    start_daemon: StartDaemon, vault: Path, disk: Path, room_bytes: int
) -> None:
    """While there is no room the status says so; with room again the index completes by itself."""
    chance = random.Random(3)
    for number in range(NOTES):
        # Words too long for the model's tokenizer: many bytes that cost next to no embedding.
        text = " ".join(f"{chance.getrandbits(480):0120x}" for _ in range(200))
        (vault / f"Note {number}.md").write_text(f"kingfisher{number}\n\n{text}", "utf-8")
    (disk / "ballast").write_bytes(bytes(DISK_BYTES - room_bytes))
    daemon = start_daemon(PAI_DATA_DIR=str(disk))
    status = daemon.until(lambda now: now["state"] == "error", "the full disk is noticed", within_s=10)
    assert "is full" in status["message"]
    (disk / "ballast").unlink()
    assert completed(daemon)["message"] is None
    daemon.finds(f"kingfisher{NOTES - 1}")
    assert "Traceback" not in daemon.log


def test_disk_that_fills_up_under_a_finished_index_takes_the_edits_later(
    start_daemon: StartDaemon, vault: Path, disk: Path
) -> None:
    """Without room what was indexed is still found, and the status says why edits are not; then they come."""
    for number in range(NOTES):
        (vault / f"Note {number}.md").write_text(f"the kingfisher{number} dives", "utf-8")
    daemon = start_daemon(PAI_DATA_DIR=str(disk))
    daemon.ready()
    fill_up(disk)
    (vault / "Note 1.md").write_text("the dipper walks under water", "utf-8")
    (vault / "New.md").write_text("the wagtail is new", "utf-8")
    (vault / "Note 2.md").rename(vault / "Renamed.md")
    (vault / "Note 3.md").unlink()
    status = daemon.until(lambda now: now["state"] == "error", "the full disk is noticed", within_s=10)
    assert "is full" in status["message"]
    for number in range(4, NOTES):
        daemon.finds(f"kingfisher{number}", f"Note {number}.md", within_s=2)
    assert daemon.client.search("a bird that dives", mode="semantic")["results"]
    (disk / "ballast").unlink()
    assert completed(daemon)["message"] is None
    daemon.finds("dipper", "Note 1.md")
    daemon.finds("wagtail", "New.md")
    daemon.finds("kingfisher2", "Renamed.md")
    daemon.loses("kingfisher3")
    daemon.loses("kingfisher1 ")
    assert "Traceback" not in daemon.log
    assert daemon.terminate() == 0
    again = start_daemon(PAI_DATA_DIR=str(disk)).ready()
    assert (again["notes"], again["work"]["notes_read"], again["work"]["chunks_embedded"]) == (NOTES, 0, 0)


def test_disk_that_fills_up_again_and_again_damages_nothing(
    start_daemon: StartDaemon, vault: Path, disk: Path
) -> None:
    """Edits that meet a full disk at other steps each time end in an index that a new start takes over."""
    for number in range(NOTES):
        (vault / f"Note {number}.md").write_text(f"the kingfisher{number} dives", "utf-8")
    daemon = start_daemon(PAI_DATA_DIR=str(disk))
    daemon.ready()
    for time, room_bytes in enumerate((0, 0, 4096, 4096, 16384, 16384)):
        fill_up(disk)
        os.truncate(disk / "ballast", (disk / "ballast").stat().st_size - room_bytes)
        # Every second time the text is the first again: its embedding is known, and only the note is written.
        bird = "kingfisher" if time % 2 else f"egret{time}x"
        for number in range(NOTES):
            (vault / f"Note {number}.md").write_text(f"the {bird}{number} dives", "utf-8")
        daemon.until(lambda now: now["state"] == "error", "the full disk is noticed", within_s=10)
        (disk / "ballast").unlink()
        daemon.client.index()
        daemon.ready()
        daemon.finds(f"{bird}{NOTES - 1} dives")
    assert "Traceback" not in daemon.log
    daemon.kill()
    again = start_daemon(PAI_DATA_DIR=str(disk)).ready()
    assert (again["notes"], again["work"]["notes_read"], again["work"]["chunks_embedded"]) == (NOTES, 0, 0)


@pytest.mark.parametrize("what", ["schema", "manifest", "data"])
def test_index_that_is_damaged_is_rebuilt_or_says_so(
    start_daemon: StartDaemon, vault: Path, folders: Folders, what: str
) -> None:
    """The index is a cache (D6): damage leads to a rebuilt index, or to a status that says what to do."""
    for number in range(3):
        (vault / f"Note {number}.md").write_text(f"nuthatch{number}", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    assert daemon.terminate() == 0
    folder = folders.settings.index_dir(vault)
    if what == "schema":
        (folder / "schema.json").write_bytes(b"\x00{")
    else:
        part = "_versions" if what == "manifest" else "data"
        for path in (folder / "tables" / "chunks.lance" / part).iterdir():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    again = start_daemon()
    status = again.until(lambda now: now["state"] in ("ready", "error"), "it opens or says why", within_s=15)
    if status["state"] == "error":
        command = status["message"].rpartition("pai ")[2].rstrip(".")
        ended = folders.pai(*command.split())
        assert ended.returncode != 64, f"the advice {command!r} is no command: {ended.stderr}"
        pytest.fail(f"the index was not rebuilt: {status['message']}")
    again.finds("nuthatch2")
    assert "Traceback" not in again.log


def test_size_of_the_index_is_told_while_it_changes(tmp_path: Path) -> None:
    """Files that vanish while they are counted, as at every upkeep, do not break the status."""
    store = Store(tmp_path / "index")
    busy = threading.Event()

    def churn() -> None:
        while not busy.is_set():
            for number in range(20):
                folder = tmp_path / "index" / f"churn{number}"
                folder.mkdir()
                (folder / "file").touch()
            for number in range(20):
                shutil.rmtree(tmp_path / "index" / f"churn{number}")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(300):
            assert store.size_bytes() > 0
    finally:
        busy.set()
        thread.join()


def test_data_folder_that_vanishes_is_told(start_daemon: StartDaemon, vault: Path, folders: Folders) -> None:
    """The index's folder deleted under a running daemon ends neither the daemon nor its status."""
    (vault / "Note.md").write_text("the goldcrest", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    shutil.rmtree(folders.settings.data_dir)
    (vault / "Note.md").write_text("the firecrest", "utf-8")
    try:
        eventually(lambda: not daemon.is_running(), "the daemon ends", within_s=3)
    except AssertionError:
        reply = daemon.request("GET", "/api/status")
        assert reply.status == 200, reply.body
        with suppress(IndexUnavailable):
            daemon.client.search("goldcrest")
    assert daemon.is_running(), daemon.log


def test_disk_that_is_nearly_full_is_told_and_stays_usable(
    start_daemon: StartDaemon, vault: Path, disk: Path
) -> None:
    """Where upkeep has no room it is put off: a hint says so, the state stays, and saves are found."""
    for number in range(NOTES):
        (vault / f"Note {number}.md").write_text(f"the kingfisher{number} dives", "utf-8")
    daemon = start_daemon(PAI_DATA_DIR=str(disk))
    status = daemon.ready()
    assert (status["state"], status["message"]) == ("ready", None)
    hint = next(hint for hint in status["hints"] if hint["code"] == "disk_nearly_full")
    assert "upkeep of the index needs" in hint["message"]
    (vault / "Note 1.md").write_text("the dipper walks under water", "utf-8")
    daemon.finds("dipper", "Note 1.md")
    shown = daemon.folders.pai("status")
    assert "The disk is nearly full" in shown.stdout
