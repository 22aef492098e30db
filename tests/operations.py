"""What a person and a sync tool do to the notes of a vault, and what an index holds of them afterwards."""

from __future__ import annotations

import os
import random
import shutil
import threading
from contextlib import suppress
from pathlib import Path

from pai_daemon.context.index import Index

# Path, ordinal, text and span of a chunk.
Row = tuple[str, int, str, int, int]

KINDS = ("create", "edit", "save", "rename", "move", "delete", "conflict", "revert", "touch")


def operate(vault: Path, choose: random.Random, versions: dict[Path, bytes]) -> None:
    """Do one thing that a person or a sync tool does to a note; at least ten notes are left.

    versions: bytes to go back to, by note; filled and used by the operations.
    """
    notes = sorted(vault.rglob("*.md"))
    note = choose.choice(notes)
    place = vault / choose.choice(["", "New", "New/Deep"]) / f"{choose.randrange(30)}.md"
    place.parent.mkdir(parents=True, exist_ok=True)
    match choose.choice(KINDS):
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
            stem = note.name.split(".", maxsplit=1)[0]
            copy = note.with_name(f"{stem}.sync-conflict-20260101-{choose.randrange(9):06}-ABC.md")
            if copy != note:
                shutil.copy(note, copy)
        case "revert" if versions:
            old = choose.choice(sorted(versions))
            old.parent.mkdir(parents=True, exist_ok=True)
            old.write_bytes(versions[old])
        case _:
            os.utime(note)


def two_writers(vault: Path, seed: int, operations: int) -> None:
    """Do so many operations from two threads, as a person and a sync tool at the same time."""

    def write(choose: random.Random) -> None:
        versions: dict[Path, bytes] = {}
        for _ in range(operations // 2):
            with suppress(OSError):  # the other one was faster
                operate(vault, choose, versions)

    writers = [threading.Thread(target=write, args=(random.Random(2 * seed + one),)) for one in (0, 1)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def rows_of(index: Index) -> set[Row]:
    """Return every chunk that is indexed."""
    ids = [f"{note.path}#{n}" for note in index.catalog.notes() for n in range(len(note.vector_keys))]
    chunks = index.store.chunks.get(ids).values()
    return {(chunk.path, chunk.ordinal, chunk.text, chunk.start_char, chunk.end_char) for chunk in chunks}
