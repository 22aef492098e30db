"""Facts that others kept: mem0 and its kin, knowledge graphs as JSON lines, and plain Markdown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pai_daemon.memory.importing.records import Statement, clean, listed, mapped, moment, one_line
from pai_daemon.notes.reader import read_note

MEM0 = "mem0"
_TEXTS = ("memory", "fact", "text", "content", "data")
_TIMES = ("created_at", "date", "said", "timestamp", "updated_at")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[.\][ \t]+)?")
# A paragraph that is a heading in all but its mark: **Work context**
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_BOLD_ALONE = re.compile(r"(\*\*|__)([^*_\n]{1,80}?):?\1:?")


def read_statement(entry: Mapping[str, Any], source: str = "") -> Statement | None:
    """Return the fact that an entry holds, None where it holds none.

    source: where it comes from, unless the entry says so.
    """
    text = next((found for name in _TEXTS if (found := one_line(entry.get(name)))), "")
    if not text or "role" in entry:  # a message of a conversation is no fact
        return None
    about = mapped(entry.get("metadata"))
    said = next((time for name in _TIMES if (time := moment(entry.get(name)))), None)
    known = MEM0 if "memory" in entry else "jsonl"
    return Statement(
        text=text,
        source=one_line(entry.get("source")) or source or known,
        subject=one_line(entry.get("subject") or about.get("subject") or about.get("category"))
        or next(iter(map(one_line, listed(entry.get("categories")))), ""),
        said=said,
    )


def read_entity(entry: Mapping[str, Any], source: str) -> Iterator[Statement]:
    """Yield the facts of a node or an edge of a knowledge graph, as MCP's memory server keeps them."""
    if entry.get("type") == "entity":
        name = one_line(entry.get("name"))
        for text in map(one_line, listed(entry.get("observations"))):
            if text:
                yield Statement(text, source, subject=name)
    elif all(parts := [one_line(entry.get(name)) for name in ("from", "relationType", "to")]):
        yield Statement(" ".join(parts), source, subject=parts[0])


def read_markdown(
    text: str, source: str, *, subject: str = "", said: datetime | None = None
) -> Iterator[Statement]:
    """Yield a statement for each list item and each paragraph of a Markdown text.

    The heading above is the subject, unless one is given; code, tables and rules are no statements.
    """
    note = read_note("import.md", clean(text).encode())
    heading, within = subject, -1
    for number, block in enumerate(note.blocks):
        if block.kind == "heading":
            heading = subject or next((each.text for each in note.headings if each.start == block.start), "")
        elif block.kind == "item":
            # What an item holds besides lists is its own text.
            inner = (
                each
                for each in islice(note.blocks, number + 1, None)
                if each.kind == "list" or each.start >= block.end
            )
            within = min(block.end, next((each.start for each in inner), block.end))
            if found := one_line(_MARKER.sub("", note.text[block.start : within], count=1)):
                yield Statement(found, source, subject=heading, said=said)
        elif block.kind in ("paragraph", "quote") and block.start >= within and block.depth == 0:
            part = note.text[block.start : block.end].strip()
            if bold := _BOLD_ALONE.fullmatch(part):
                heading = subject or one_line(bold[2])
            elif found := one_line(_QUOTED.sub("", part)):
                yield Statement(found, source, subject=heading, said=said)
