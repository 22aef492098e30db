"""A process that reads nasty files within a bound of memory; a test can end it when it takes too long.

Reads a line of JSON for each file from standard input, `[family, units, bound]`, and answers with one: what
the file costs beside one of half its size, judged by the bound, and the reasons of the note's problems; where
the bound is null, the size of the file and the calls counted. Without units it takes as many as can be told.
"""

from __future__ import annotations

import gc
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
from tests.notes.nasty_families import FAMILIES, Family

LIMIT_BYTES = 4 * 2**20
MEMORY_BYTES = 2 * 2**30
# Below this a quotient of times says more about the machine than about the reader.
LEAST_S = 0.01
SHARES = (64, 16)


def read(file: File) -> Note:
    """Read a file and cut it into chunks, as the index does."""
    note = read_note(file.path, file.data, limit_bytes=LIMIT_BYTES, graph=file.graph)
    split_chunks(note)
    return note


def timed(file: File) -> tuple[float, Note]:
    """Return the seconds of the processor that reading takes, and the note.

    The garbage collector rests meanwhile: when it runs depends on what else lives, and not on the file.
    """
    gc.collect()
    gc.disable()
    started_s = time.process_time()
    note = read(file)
    taken_s = time.process_time() - started_s
    gc.enable()
    return taken_s, note


def doubling(family: Family, units: int, bound: float) -> tuple[float | None, Note]:
    """Return what reading a file costs beside one of half its units, and the note of the whole.

    2 is linear, 4 is square; None where the time is too short to tell. What else a machine does only adds,
    so a figure over the bound is measured again, and the least of eight times counts.
    """
    whole, half = (File(family.path, family.make(count)) for count in (units, units // 2))
    whole_s, note = timed(whole)
    half_s, _ = timed(half)
    if whole_s < 2 * LEAST_S:
        return None, note
    # The families differ in how their bytes grow with their units; a doubling is of bytes.
    scale = 2 * min(len(half.data), LIMIT_BYTES) / min(len(whole.data), LIMIT_BYTES)
    for _ in range(7):
        if half_s and whole_s / half_s * scale <= bound:
            break
        whole_s = min(whole_s, timed(whole)[0])
        half_s = min(half_s, timed(half)[0])
    return whole_s / max(half_s, LEAST_S / 10) * scale, note


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


def long_enough(family: Family) -> int:
    """Return a size whose time can be told: a part of the large one."""
    for share in SHARES:
        units = family.large // share
        if timed(File(family.path, family.make(units)))[0] >= 3 * LEAST_S:
            return units
    return family.large // 4


def answer(name: str, units: int | None, bound: float | None) -> dict[str, Any]:
    """Return what reading a family's file of so many units takes: of time, or without a bound of calls."""
    family = FAMILIES[name]
    units = units or long_enough(family)
    if bound is None:
        file = File(family.path, family.make(units))
        return {"size": len(file.data), "calls": count_calls(file)}
    ratio, note = doubling(family, units, bound)
    return {"ratio": ratio, "problems": [problem.reason for problem in note.problems]}


def main() -> None:
    """Answer until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
