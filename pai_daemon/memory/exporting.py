"""All of memory as one file of JSON lines, and what such a file holds (D85).

A line is an object with a `type`, in this order:

    {"type": "pai-memory", "version": 1, "exported": "2026-11-26T20:00:00Z", "folder": "Memory"}
    {"type": "note", "path": "Editors.md", "text": "…"}       each note of the memory folder, word by word
    {"type": "fact", "id": "m-7f3a2c", "text": "…", "subject": "Editors", "said": "2026-11-26",
     "source": "cli", "pinned": false, "until": null, "superseded_by": null, "path": "Editors.md"}
                                                              each fact of those notes
    {"type": "end", "notes": 12, "facts": 340, "left_out": 0}    without it the file was cut off

The notes alone are all there is: the facts are there for other programs, and for a vault that has a note of
the same name. A later version may add fields and types, which are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pai_daemon.memory.importing.factbook import read_facts
from pai_daemon.memory.importing.records import (
    KeptNote,
    Record,
    Skipped,
    Statement,
    clean,
    moment,
    one_line,
)
from pai_daemon.memory.notebook import is_of_facts
from pai_daemon.vault.shelf import Shelf

FORMAT = "pai-memory"
VERSION = 1
END = "end"
_DETAILS = ("pinned", "until", "superseded_by", "path")


def is_exported(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a line of our own export."""
    kind = entry.get("type")
    return (
        kind == FORMAT
        or (kind == "note" and isinstance(entry.get("path"), str) and isinstance(entry.get("text"), str))
        or (kind == "fact" and isinstance(entry.get("text"), str) and "subject" in entry)
        or (kind == END and "notes" in entry)
    )


def read_exported(entry: Mapping[str, Any], where: str) -> Iterator[Record]:
    """Yield what a line of our own export holds; where: the file, for what is told of it."""
    kind = entry["type"]
    if kind == FORMAT and entry.get("version") != VERSION:
        given = one_line(str(entry.get("version")))[:20]
        yield Skipped(where, f"its version {given} is not {VERSION}: some of it may be missing")
    elif kind == "note":
        yield KeptNote(entry["path"], entry["text"])
    elif kind == "fact":
        details = {name: entry[name] for name in _DETAILS if entry.get(name)}
        yield Statement(
            text=clean(entry["text"]),
            source=one_line(entry.get("source")),
            subject=one_line(entry.get("subject")),
            said=moment(entry.get("said")),
            id=one_line(entry.get("id")),
            details=details,
        )


def export(shelf: Shelf, is_let_in: Callable[[str], bool], now: datetime) -> Iterator[str]:
    """Yield the lines of an export, the last of them with the counts.

    is_let_in: of a path within the folder, whether it may go out.
    """
    head = {"type": FORMAT, "version": VERSION, "exported": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    yield _line(head | {"folder": shelf.folder})
    notes = facts = left_out = 0
    for path in shelf.paths():
        text = shelf.read(path) if is_let_in(path) else None
        if text is None or not _is_text(text):
            left_out += 1
            continue
        notes += 1
        yield _line({"type": "note", "path": path, "text": text})
    for path in shelf.paths():
        if is_of_facts(path) and is_let_in(path):
            for fact in read_facts(path, shelf.read(path) or ""):
                facts += 1
                yield _line(fact)
    yield _line({"type": END, "notes": notes, "facts": facts, "left_out": left_out})


def _is_text(text: str) -> bool:
    """Return whether a file is UTF-8, which JSON can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
