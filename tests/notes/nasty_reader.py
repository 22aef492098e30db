"""A process that reads nasty files within a bound of memory; a test can end it when it takes too long.

Reads a line of JSON for each file from standard input, `[family, units, count calls]`, and answers with one:
the size of the file, the seconds taken or the calls counted, and the reasons of the note's problems.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from types import FrameType
from typing import Any

from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.note import Note
from pai_daemon.notes.reader import read_note
from tests.notes.nasty import File
from tests.notes.nasty_families import FAMILIES

LIMIT_BYTES = 4 * 2**20
MEMORY_BYTES = 2 * 2**30


def read(file: File) -> Note:
    """Read a file and cut it into chunks, as the index does."""
    note = read_note(file.path, file.data, limit_bytes=LIMIT_BYTES, graph=file.graph)
    split_chunks(note)
    return note


def count_calls(file: File) -> int:
    """Return how many functions, of Python and of C, are called while the file is read."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        read(file)
    finally:
        sys.setprofile(None)
    return calls


def answer(name: str, units: int, counted: bool) -> dict[str, Any]:
    """Return what reading a family's file of so many units takes."""
    family = FAMILIES[name]
    file = File(family.path, family.make(units))
    if counted:
        return {"size": len(file.data), "calls": count_calls(file)}
    started_s = time.perf_counter()
    note = read(file)
    taken_s = time.perf_counter() - started_s
    return {"size": len(file.data), "taken_s": taken_s, "problems": [p.reason for p in note.problems]}


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
