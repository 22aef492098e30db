"""One edit in a note of 200 paragraphs, and how many contents of chunks are new after it."""

from __future__ import annotations

import random
from collections.abc import Callable

from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.reader import read_note

WORDS = [f"word{i}" for i in range(16)]
EDITS: dict[str, Callable[[list[str], int, str], None]] = {
    "a word": lambda parts, at, _: parts.__setitem__(at, parts[at].replace(" ", " changed ", 1)),
    "a paragraph": lambda parts, at, new: parts.__setitem__(at, new),
    "one more": lambda parts, at, new: parts.insert(at, new),
    "one less": lambda parts, at, _: parts.__delitem__(at),
}


def new_contents(kind: str, seed: int, form: str = "{}\n\n") -> int:
    """Return how many contents an edit makes that were not there before. form: of a paragraph."""
    choose = random.Random(seed)
    new, *parts = (" ".join(choose.choices(WORDS, k=choose.randint(5, 80))) for _ in range(201))
    before = _contents(parts, form)
    EDITS[kind](parts, choose.randrange(200), new)
    return len(_contents(parts, form) - before)


def _contents(parts: list[str], form: str) -> set[str]:
    text = "".join(map(form.format, parts))
    return {chunk.content for chunk in split_chunks(read_note("Title.md", text.encode()))}
