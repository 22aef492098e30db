"""What was done to facts, to be undone; and what is forgotten, until nothing of it is left (D82).

One file of JSON lines in the data folder, which only its owner may read. An entry has a line of a note before
and after; undoing it needs the line to be as it was left, and nothing else of the note.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pai_daemon.config import private_folder, write_private
from pai_daemon.errors import DiskFull, NoteChanged

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


def taken_back(text: str | None, entry: Entry) -> str:
    """Return a note's text with a line as it was before a change. Raises NoteChanged if it is another now."""
    lines = (text or "").split("\n")
    place = next(_places(lines, entry.after), None) if entry.after is not None else len(lines)
    if place is None:
        raise NoteChanged(f"The line in {entry.path} is another one now.", hint="Change it there.")
    end = "\r" if text and "\r\n" in text else ""
    if entry.before is None:
        new = [*lines[:place], *lines[place + 1 :]]
    elif entry.after is not None:
        new = [*lines[:place], entry.before + end, *lines[place + 1 :]]
    elif next(_places(lines, entry.before), None) is not None:
        new = lines  # it never went: a kill came first
    else:
        new = [*(lines[:-1] if not lines[-1] else lines), entry.before + end, ""]
    return "\n".join(new)


def _places(lines: list[str], wanted: str) -> Iterator[int]:
    return (place for place, line in enumerate(lines) if line.removesuffix("\r") == wanted)


class Journal:
    """The changes of one vault's memory, the newest last."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def add(
        self, does: str, path: str, fact: str, before: str | None, after: str | None, *, forgotten: str = ""
    ) -> Entry:
        """Remember a change. Raises DiskFull; a line that was cut off by that spoils no other."""
        entry = Entry(secrets.token_hex(4), does, path, fact, before, after, time.time(), forgotten)
        private_folder(self._path.parent)
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                lead = b"\n" if size and file.read(1) != b"\n" else b""
                file.write(lead + json.dumps(asdict(entry)).encode() + b"\n")
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(f"There is no room for {self._path}.") from error
            raise
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
