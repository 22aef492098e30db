"""A kill at any instant leaves an index that opens, and a restart that ends complete (D5)."""

from __future__ import annotations

import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.context.rows import chunk_id
from pai_daemon.context.store import Store
from pai_daemon.models.registry import profile
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess, Folders

NOTES = 150
WORDS = ("river", "stone", "lantern", "harvest", "winter", "copper", "orchard", "bridge", "signal", "meadow")


def write_notes(vault: Path) -> None:
    """Write notes of several chunks, the same ones every time."""
    chance = random.Random(7)
    for number in range(NOTES):
        sections = [
            f"## Part {part}\n\n" + " ".join(chance.choice(WORDS) for _ in range(40)) + f" {number}-{part}."
            for part in range(2)
        ]
        folder = vault / f"Folder {number % 5}"
        folder.mkdir(exist_ok=True)
        (folder / f"Note {number}.md").write_text(f"# Note {number}\n\n" + "\n\n".join(sections), "utf-8")


def contents(folders: Folders, vault: Path) -> tuple[dict[str, Any], set[str]]:
    """Return every chunk of an index by its id, and the keys of its embeddings; no daemon may hold it."""
    chosen = profile("small")
    store = Store(folders.settings.index_dir(vault), chosen.fingerprint, chosen.dimensions)
    notes = store.notes()
    ids = [chunk_id(note.path, ordinal) for note in notes for ordinal in range(len(note.vector_keys))]
    assert len(ids) == len(set(ids))
    chunks = {key: asdict(chunk) for key, chunk in store.chunks(ids).items()}
    assert set(chunks) == set(ids)
    keys = [key for batch, _ in store.vectors() for key in batch]
    return chunks, set(keys)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> tuple[Path, Any]:
    """Return a vault, and the contents of its index as an undisturbed daemon makes it."""
    home = tmp_path_factory.mktemp("kill")
    vault, folders = home / "vault", Folders(home / "home", prepared_cache)
    vault.mkdir()
    write_notes(vault)
    with DaemonProcess(vault, folders) as daemon:
        daemon.ready(60)
        daemon.terminate()
    return vault, contents(folders, vault)


def test_kill_at_random_moments_ends_as_if_there_had_been_none(
    full: tuple[Path, Any], start_daemon: StartDaemon, folders: Folders
) -> None:
    """Killed again and again during a first index, the index is in the end the one of a quiet run."""
    vault, (chunks, keys) = full
    chance = random.Random(time.time_ns())
    moments = [round(chance.uniform(0.1, 2.5), 2) for _ in range(3)]
    for moment in moments:
        daemon = start_daemon(vault)
        time.sleep(moment)  # the random moment is the point: there is nothing to wait for
        daemon.kill()
        assert "Traceback" not in daemon.log, (moments, daemon.log)
    daemon = start_daemon(vault)
    status = daemon.ready(60)
    assert status["notes"] == NOTES
    assert daemon.terminate() == 0
    found, found_keys = contents(folders, vault)
    assert found == chunks, moments
    assert found_keys == keys, moments


def test_kill_of_a_finished_daemon_costs_nothing_at_the_next_start(
    full: tuple[Path, Any], start_daemon: StartDaemon
) -> None:
    """A restart of a finished index embeds nothing and reads no note."""
    vault, (chunks, _) = full
    first = start_daemon(vault)
    first.ready(60)
    first.kill()
    status = start_daemon(vault).ready()
    assert status["chunks"] == len(chunks)
    assert (status["work"]["notes_read"], status["work"]["chunks_embedded"]) == (0, 0)


def test_restart_reads_no_odd_note_again(start_daemon: StartDaemon, vault: Path) -> None:
    """Notes without text, without UTF-8 or only with properties are remembered like any other."""
    (vault / "Empty.md").touch()
    (vault / "Blank.md").write_text("\n \n", "utf-8")
    (vault / "Binary.md").write_bytes(bytes(range(256)) * 8)
    (vault / "Head.md").write_text("---\ntags: [a]\n---\n", "utf-8")
    daemon = start_daemon()
    assert daemon.ready()["notes"] == 4
    (vault / "Head.md").rename(vault / "Renamed.md")
    daemon.until(
        lambda now: (
            "Renamed.md" in str(daemon.client.get("/api/index", {"explain": "Renamed.md"}))
            and daemon.client.get("/api/index", {"explain": "Renamed.md"})["indexed"]
        ),
        "the rename is seen",
    )
    assert daemon.terminate() == 0
    status = start_daemon().ready()
    assert status["work"] == {"notes_read": 0, "chunks_embedded": 0, "commits": 0}


def test_edits_while_the_daemon_was_down_are_caught_up(start_daemon: StartDaemon, vault: Path) -> None:
    """A start reads what changed and nothing else."""
    for name in ("Kept", "Edited", "Moved", "Removed"):
        (vault / f"{name}.md").write_text(f"the {name} starling", "utf-8")
    daemon = start_daemon()
    daemon.ready()
    daemon.kill()
    (vault / "Edited.md").write_text("the edited wren", "utf-8")
    (vault / "Moved.md").rename(vault / "Arrived.md")
    (vault / "Removed.md").unlink()
    again = start_daemon()
    status = again.ready()
    assert (status["notes"], status["work"]["chunks_embedded"]) == (3, 1)
    again.finds("the edited wren", "Edited.md")
    again.finds("the Moved starling", "Arrived.md")
    again.loses("the Removed starling")
    assert status["work"]["notes_read"] == 2
