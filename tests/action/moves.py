"""A vault in memory for the tests of moves: notes by path, read as the daemon reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.action.moving import Moved, Vault
from pai_daemon.action.spelling import LinkForm
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.note import Link, Note
from pai_daemon.notes.reader import NOTE_SUFFIXES, read_note
from pai_daemon.vault.resolve import LinkResolver


@dataclass(frozen=True, slots=True)
class Known:
    """A note as the catalog knows it."""

    path: str
    aliases: tuple[str, ...]
    names: tuple[str, ...]
    targets: tuple[str, ...]


def vault_of(
    files: Mapping[str, bytes], form: LinkForm = "shortest", graph: Graph | None = None
) -> tuple[Vault, dict[str, Note]]:
    """Return the vault of these files, and its notes as they are read."""

    def read(path: str, data: bytes) -> Note:
        return read_note(path, data, graph=graph)

    notes = {path: read(path, data) for path, data in files.items() if path.lower().endswith(NOTE_SUFFIXES)}
    known = [
        Known(path, note.aliases, note.names, tuple(dict.fromkeys(link.target for link in led(note))))
        for path, note in notes.items()
    ]
    return Vault(known, files.keys() - notes.keys(), files.__getitem__, read, form, graph), notes


def led(note: Note) -> list[Link]:
    """Return the links of a note that lead to a file by its name or path."""
    return [link for link in note.links if link.target and link.kind != "block" and not link.vault]


def after(files: Mapping[str, bytes], moved: Moved) -> dict[str, bytes]:
    """Return the files of a vault after a move."""
    changed = {path: text.encode() for path, text in moved.texts.items()}
    return {moved.paths.get(path, path): changed.get(path, data) for path, data in files.items()}


def resolver_of(files: Mapping[str, bytes], notes: Mapping[str, Note]) -> LinkResolver:
    """Return where links lead in a vault."""
    resolver = LinkResolver({})
    for path in files:
        note = notes.get(path)
        resolver.add(path, note.aliases if note else (), note.names if note else ())
    return resolver


def folder_files(root: Path) -> dict[str, bytes]:
    """Return the files below a folder, without those in hidden folders."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }
