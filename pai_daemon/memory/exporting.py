"""All of memory as one file of JSON lines, and what such a file holds (D85).

A line is an object with a `type`, in this order:

    {"type": "pai-memory", "version": 1, "exported": "2026-11-26T20:00:00Z", "folder": "Memory"}
    {"type": "note", "path": "Editors.md", "text": "…"}       each note of the memory folder, word by word
    {"type": "fact", "id": "m-7f3a2c", "text": "…", "subject": "Editors", "said": "2026-11-26",
     "source": "cli", "pinned": false, "until": null, "superseded_by": null, "path": "Editors.md"}
                                                              each fact of those notes
    {"type": "end", "notes": 12, "facts": 340}                without it the file was cut off

The notes alone are all there is: the facts are there for other programs, and for a vault that has a note of
the same name. A later version may add fields and types, which are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pai_daemon.memory.importing.records import (
    KeptNote,
    Record,
    Skipped,
    Statement,
    clean,
    moment,
    one_line,
)

FORMAT = "pai-memory"
VERSION = 1
_DETAILS = ("pinned", "until", "superseded_by", "path")


def is_exported(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is a line of our own export."""
    kind = entry.get("type")
    return (
        kind == FORMAT
        or (kind == "note" and isinstance(entry.get("path"), str) and isinstance(entry.get("text"), str))
        or (kind == "fact" and isinstance(entry.get("text"), str) and "subject" in entry)
        or (kind == "end" and "notes" in entry)
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
