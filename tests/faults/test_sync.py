"""A sync tool writes a whole vault at once: memory stays bounded, questions are answered, nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from tests.conftest import StartDaemon

OPERATIONS = 4_000
NOTES = 600
GROWTH_BYTES = 300 * 2**20


def _sync(vault: Path, stop: threading.Event) -> None:
    """Write, rewrite, rename and delete notes as fast as the disk takes it."""
    choose = random.Random(5)
    for number in range(OPERATIONS):
        if stop.is_set():
            return
        path = vault / f"Folder {number % 20}" / f"Note {choose.randrange(NOTES)}.md"
        path.parent.mkdir(exist_ok=True)
        match choose.randrange(8):
            case 0:
                path.unlink(missing_ok=True)
            case 1 if path.exists():
                path.replace(path.with_name(f"Note {choose.randrange(NOTES)}.md"))
            case _:
                path.write_text(f"# Note\n\nversion{number} of heron{choose.randrange(50)}.\n", "utf-8")


def test_sync_of_a_whole_vault_loses_nothing(start_daemon: StartDaemon, vault: Path) -> None:
    """During thousands of changes each question is answered, and in the end each note is as on disk."""
    (vault / "Anchor.md").write_text("A puffin nests on the cliff.", "utf-8")
    daemon = start_daemon(vault)
    before = daemon.ready()
    stop = threading.Event()
    worker = threading.Thread(target=_sync, args=(vault, stop))
    worker.start()
    try:
        answered = 0
        while worker.is_alive():
            assert daemon.client.search("puffin", mode="text")["results"][0]["path"] == "Anchor.md"
            answered += 1
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join()
    assert answered
    notes = sorted(vault.rglob("*.md"))
    status = daemon.until(
        lambda now: (now["state"], now["notes"], now["pending_chunks"]) == ("ready", len(notes), 0),
        "every note is indexed",
        120,
    )
    for note in notes[:: max(1, len(notes) // 25)]:
        path = note.relative_to(vault).as_posix()
        (chunk,) = daemon.note(path)["chunks"]
        assert daemon.note(path)["indexed"]
        assert chunk["text"] == note.read_text("utf-8").strip("\n")
    assert status["memory"]["rss_bytes"] - before["memory"]["rss_bytes"] < GROWTH_BYTES
