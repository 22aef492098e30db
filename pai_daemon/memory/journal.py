"""What was done to facts, to be undone; and what is forgotten, until nothing of it is left (D82).

One file of JSON lines in the data folder, which only its owner may read. An entry has a line of a note before
and after; undoing it needs the line to be as it was left, and nothing else of the note.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pai_daemon.config import private_folder, write_private

FILE = "memory-journal.jsonl"
MOST = 500
# A forgotten fact can be had back for a day, and is nowhere after it.
GRACE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. before, after: the line without its end; None where there was none, or is none.

    at_s: seconds since 1970. forgotten: the words of a fact that is to be nowhere after the grace.
    """

    id: str
    does: str
    path: str
    fact: str
    before: str | None
    after: str | None
    at_s: float
    forgotten: str = ""


class Journal:
    """The changes of one vault's memory, the newest last."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(
        self, does: str, path: str, fact: str, before: str | None, after: str | None, *, forgotten: str = ""
    ) -> Entry:
        """Remember a change."""
        entry = Entry(secrets.token_hex(4), does, path, fact, before, after, time.time(), forgotten)
        private_folder(self._path.parent)
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(json.dumps(asdict(entry)) + "\n")
        return entry

    def entries(self) -> list[Entry]:
        """Return the changes that can be undone, oldest first; a line that is damaged is passed over."""
        return list(self._read())[-MOST:]

    def drop(self, wanted: str) -> None:
        """Take out the entry of a change that was undone."""
        self._write([entry for entry in self._read() if entry.id != wanted])

    def due(self, now_s: float, *, at_once: bool = False) -> list[Entry]:
        """Return the facts whose grace is over, or all that are forgotten."""
        return [
            entry for entry in self._read() if entry.forgotten and (at_once or now_s - entry.at_s >= GRACE_S)
        ]

    def purge(self, gone: list[Entry]) -> None:
        """Keep nothing of these facts: neither their own entries, nor any that has their words."""
        facts, words = {entry.fact for entry in gone}, [entry.forgotten for entry in gone]
        kept = [
            entry
            for entry in self._read()
            if entry.fact not in facts
            and not any(each in line for each in words for line in (entry.before, entry.after) if line)
        ]
        self._write(kept)

    def _read(self) -> Iterator[Entry]:
        try:
            lines = self._path.read_text("utf-8", "surrogateescape").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield Entry(**json.loads(line))
            except (ValueError, TypeError):
                continue

    def _write(self, entries: list[Entry]) -> None:
        kept = [*(entry for entry in entries[:-MOST] if entry.forgotten), *entries[-MOST:]]
        write_private(self._path, "".join(json.dumps(asdict(entry)) + "\n" for entry in kept))
