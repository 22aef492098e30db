"""What a person and a sync tool do to the notes of a vault, one random operation at a time."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

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
