"""Nasty files: a note comes back from each, in bounded memory and in a time linear in its size.

Whether time is linear is judged by two quotients of a file and one of half its size: of the calls of
functions, which no other process disturbs, and, for what is quadratic within one call, as a search can be, of
the seconds of the processor. `scripts/bench notes` takes the second one at the full size of each family.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.inline import HOLDERS
from pai_daemon.notes.note import Field, Heading, Link, Note
from pai_daemon.notes.reader import read_note
from tests.notes.nasty import FUZZED_PER_FORMAT, files
from tests.notes.nasty_families import FAMILIES

ROOT = Path(__file__).parents[2]
# Only what never ends is ended.
HANGS_S = 120.0
DOUBLING = 2.6
# A time is less sure than a count; what is square costs 4.
DOUBLING_TIME = 3.2
# The half alone is more than a chunk holds, or the work of cutting would begin between the two.
COUNTED_BYTES = 6_000
FULL_SIZE = ("quotes deep", "wikilinks", "a long line")
FILES = dict(files())


class Reader:
    """The process that reads large files; it is started anew after it had to be ended."""

    def __init__(self) -> None:
        self._process = self._start()

    def ask(self, family: str, units: int | None, bound: float | None = None) -> dict[str, Any]:
        """Return what reading takes; fails where no answer comes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([family, units, bound]) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], HANGS_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self.end()
            self._process = self._start()
            pytest.fail(f"{family}, {units} units: " + ("the process ended" if ready else "it never ends"))
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.notes.nasty_reader"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Yield the process that reads large files."""
    process = Reader()
    yield process
    process.end()


def _is_fault(reason: str) -> bool:
    """Return whether a problem is a reader's fault and not the note's."""
    return "could not be read:" in reason or "MemoryError" in reason or "RecursionError" in reason


def _check_spans(note: Note) -> None:
    """Assert that every part of the note lies within its text, in order, and blocks form a tree."""
    size = len(note.text)
    parents: list[int] = []
    end_at: list[int] = [0]
    for block in note.blocks:
        del parents[block.depth :], end_at[block.depth + 1 :]
        assert len(parents) == block.depth, "no block is deeper than one below its parent"
        assert end_at[block.depth] <= block.start < block.end <= (parents[-1] if parents else size)
        end_at[block.depth] = block.end
        parents.append(block.end)
        end_at.append(block.start)
    parts: tuple[Heading | Link | Field, ...] = (*note.headings, *note.links, *note.fields)
    for part in parts:
        assert 0 <= part.start < part.end <= size
    end = 0
    for mark in note.marks:
        assert 0 <= mark.start < mark.end <= size
        assert mark.start >= end
        end = mark.start if mark.kind in HOLDERS else mark.end


def test_files_are_enough() -> None:
    """There are more than 200 files, and the fuzzed ones are of every format."""
    assert len(FILES) > 200
    assert sum("fuzzed" in name for name in FILES) == 6 * FUZZED_PER_FORMAT


@pytest.mark.parametrize("name", FILES)
def test_nasty_file_gives_a_note_whose_spans_slice(name: str) -> None:
    """Each file gives a note without a fault, whose parts lie within its text and that can be written."""
    file = FILES[name]
    note = read_note(file.path, file.data, graph=file.graph)
    assert not [problem.reason for problem in note.problems if _is_fault(problem.reason)]
    _check_spans(note)
    json.dumps([note.title, note.properties, note.tags, note.aliases, note.names], allow_nan=False).encode()
    note.text.encode()
    for chunk in split_chunks(note):
        assert chunk.text == note.text[chunk.start_char : chunk.end_char]
        chunk.content.encode()


@pytest.mark.parametrize("name", FILES)
def test_nasty_file_gives_the_same_note_again(name: str) -> None:
    """A reader keeps nothing from one file to the next."""
    file = FILES[name]
    first = read_note(file.path, file.data, graph=file.graph)
    assert read_note(file.path, file.data, graph=file.graph) == first


@pytest.mark.parametrize("name", FAMILIES)
def test_file_of_twice_the_size_takes_twice_the_time(reader: Reader, name: str) -> None:
    """Time grows with the bytes of a file, within the limit of memory and without a fault."""
    found = reader.ask(name, None, DOUBLING_TIME)
    assert not [reason for reason in found["problems"] if _is_fault(reason)]
    assert found["ratio"] is None or found["ratio"] <= DOUBLING_TIME


@pytest.mark.parametrize("name", FULL_SIZE)
def test_file_of_full_size_takes_twice_the_time_of_half(reader: Reader, name: str) -> None:
    """Ten thousand quotes, a hundred thousand links and a line of 50 MB are read as fast as small files."""
    found = reader.ask(name, FAMILIES[name].large, DOUBLING_TIME)
    assert not [reason for reason in found["problems"] if _is_fault(reason)]
    assert found["ratio"] is None or found["ratio"] <= DOUBLING_TIME


@pytest.mark.parametrize("name", FAMILIES)
def test_file_of_twice_the_size_takes_twice_the_calls(reader: Reader, name: str) -> None:
    """Calls of functions grow with the bytes of a file, and not with their square."""
    family = FAMILIES[name]
    units = family.large
    while len(family.make(units)) > 2 * COUNTED_BYTES:
        units //= 2
    half = reader.ask(name, units // 2)
    whole = reader.ask(name, units)
    assert whole["calls"] / half["calls"] <= DOUBLING / 2 * whole["size"] / half["size"]
