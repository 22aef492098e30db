"""What a note is once it is read: plain values, and nothing that reads or writes.

Offsets are code points in `Note.text`, end excluded; lines and columns start at 1, and a span of lines
includes both ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a note that could not be read as meant; the rest of the note still counts (D4)."""

    reason: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading outside lists and quotes; `text` is plain, without hashes, markup and block id."""

    level: int
    text: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a note: blocks are in order, do not overlap and leave out only white space.

    kind: heading, paragraph, list, table, code, quote, callout, math, html, rule or comment. A list gives
    one block for each item; the items of a nested list are blocks of their own.
    """

    kind: str
    start: int
    end: int
    start_line: int
    end_line: int
    block_id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a note: `[[target#fragment|alias]]`, `![[target]]` or `[alias](target.md#fragment)`.

    target is empty for a link within the note. fragment has no leading `#`; a block id keeps its `^`.
    """

    target: str
    fragment: str
    alias: str
    embed: bool
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read from its bytes.

    path: relative to the vault, posix. text: as on disk, without a byte order mark. body_start: where the
    text after the frontmatter begins. properties: the frontmatter, safe to write as JSON. tags have no `#`.
    """

    path: str
    text: str
    title: str
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: dict[str, Any] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    blocks: tuple[Block, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()
    body_start: int = 0
