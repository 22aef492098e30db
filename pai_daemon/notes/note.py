"""What a note is once it is read: plain values, and nothing that reads or writes.

Offsets are code points in `Note.text`, end excluded; lines and columns start at 1, and a span of lines
includes both ends. `positions` turns offsets into UTF-8 bytes and UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Kind = Literal["markdown", "outline", "org", "canvas", "base", "pdf"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a note that could not be read as meant; the rest of the note still counts (D4)."""

    reason: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading outside lists and quotes, in an outline also one in a bullet.

    text is plain, without hashes, markup and block id.
    """

    level: int
    text: str
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a note. `Note.blocks` holds the tree in pre-order: a block, then those within it.

    kind: frontmatter, heading, paragraph, list, item, table, code, quote, callout, math, html, rule,
    comment, footnote, definition (of a link) or drawer. depth: 0 at the top; the blocks within a block
    follow it with a greater depth and lie inside its span. Blocks of one depth do not overlap, and those of
    depth 0 leave out only white space. The text with which an item, a quote or a callout begins is its own
    and no further block. A list holds items; a Logseq outline is of items without a list.

    label: an item's task status (`x`, `/`, a blank for an open task; Logseq's words such as `TODO`), a
    callout's type in lower case, a heading's level, a code block's language, a footnote's or a definition's
    name; else empty.
    """

    kind: str
    start: int
    end: int
    start_line: int
    end_line: int
    block_id: str | None = None
    depth: int = 0
    label: str = ""


class Mark(NamedTuple):
    """A mark inside a block's text.

    kind: escape, code, math, comment, wikilink, link, tag, footnote, citation, field, highlight, html,
    reference (Logseq's `((uuid))`), macro (Logseq's `{{embed …}}`) or template (`<% … %>`).
    inner: what stands between the marks; for a link its destination, for a field its value. label: a link's
    text, a field's key.
    """

    kind: str
    start: int
    end: int
    inner: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that leads into the vault: to a note, a block or an attachment.

    kind: wikilink, markdown, property (in the frontmatter), uri (`obsidian://`), block (Logseq's
    `((uuid))`, whose target is the uuid) or tag (Logseq's `#page`). target is as written, percent-decoded,
    empty for a link within the note. fragment has no leading `#`; a block id keeps its `^`. vault: the name
    that a uri gives of its vault, else empty.
    """

    target: str
    fragment: str
    alias: str
    embed: bool
    start: int
    end: int
    line: int
    kind: str = "wikilink"
    vault: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A property within the text: Dataview's `key:: value` and `[key:: value]`, Logseq's `key:: value`."""

    key: str
    value: str
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class PropertySpan:
    """Where a property of the note stands: its name begins at start, its value is from value_start to end.

    line: that of the name. A property without a value has value_start at its end.
    """

    start: int
    value_start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read from its bytes.

    path: relative to the vault, posix. text: as on disk, without a byte order mark; for a canvas and a PDF
    the text that was taken out of it. body_start: where the text after the frontmatter begins. properties:
    the frontmatter (or a Logseq page's properties), safe to write as JSON. tags have no `#`. names: what
    else than its path a link may call the note by; an alias is among them in Logseq and not in Obsidian.
    date: the day of a journal, ISO 8601, else empty. marks: in order of their beginning; those of
    the kinds in `inline.HOLDERS` (a highlight, a field, …) may hold others. property_spans: of each property
    of a Markdown note or an outline; of one that stands twice, that of the last, which counts.
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
    kind: Kind = "markdown"
    names: tuple[str, ...] = ()
    date: str = ""
    fields: tuple[Field, ...] = ()
    marks: tuple[Mark, ...] = ()
    property_spans: dict[str, PropertySpan] = field(default_factory=dict)

    def top_blocks(self) -> Iterator[Block]:
        """Yield the blocks that lie in no other."""
        return (block for block in self.blocks if block.depth == 0)
