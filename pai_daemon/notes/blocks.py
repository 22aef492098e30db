"""The blocks of a note as a tree: markdown-it-py for the structure, `rules` for Obsidian's own.

markdown-it-py gives whole lines; here they become exact spans. A block begins with its line, indentation
included, so that a slice of a nested item keeps the indentation of its lines; where the marker of a
container (`>`, a bullet, `[^1]:`) stands before it on the line, it begins right at its first character. It
ends at its last character that is no white space.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from markdown_it.token import Token

from pai_daemon.notes.inline import definition_key
from pai_daemon.notes.note import Block
from pai_daemon.notes.positions import Positions
from pai_daemon.notes.rules import BLOCK_ID, make_parser

_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "quote",
    "footnote_open": "footnote",
    "definition": "definition",
    "html_block": "html",
    "hr": "rule",
    "math_block": "math",
    "comment_block": "comment",
    # Templater's commands are no kind of their own: a paragraph with a mark.
    "template_block": "paragraph",
}
_CONTAINERS = ("item", "quote", "footnote")
_MARKERS = {
    "item": re.compile(r"[-*+]|[0-9]{1,9}[.)]"),
    "quote": re.compile(r">"),
    "footnote": re.compile(r"\[\^[^\]\s]+\]:"),
}
_SPACES = re.compile(r"[ \t]*")
_QUOTED = re.compile(r"[ \t]*>")
_TASK = re.compile(r"\[([^\]\r\n])\](?!\S)")
_CALLOUT = re.compile(r"(?:[ \t]*>)*[ \t]*\[!([^\]\r\n]+)\]([+-]?)[ \t]*([^\r\n]*)")
# What may carry a block id at its own end, and what an id alone on its line may not name.
_ENDS_WITH_ID = ("heading", "paragraph", "table", "math")
_UNNAMED = ("frontmatter", "heading", "rule", "comment", "definition")
_ID_CHARS = 100


@dataclass(frozen=True, slots=True)
class Structure:
    """The blocks of a note, and what the block parser alone knows.

    headings: the source text of each heading of depth 0, by its start. texts: the spans in which marks are
    looked for, in order: the lines of a paragraph, a heading, a container's own text or a row of a table.
    definitions: the destinations of links by label, in the form of `inline.definition_key`.
    """

    blocks: tuple[Block, ...] = ()
    headings: Mapping[int, str] = field(default_factory=dict)
    texts: tuple[tuple[int, int], ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Callout:
    """The first line of a callout. fold: `+` open, `-` folded, empty where it does not fold."""

    type: str
    fold: str
    title: str


def parse_callout(line: str) -> Callout | None:
    """Return what the first line of a callout says, with or without its `>`; None if it begins none.

    The type is in lower case and without what follows a bar in it; the title is as written.
    """
    match = _CALLOUT.match(line)
    if match is None:
        return None
    return Callout(match[1].partition("|")[0].strip().lower(), match[2], match[3].strip())


def read_blocks(text: str, positions: Positions, body_start: int = 0) -> Structure:
    """Return the blocks of text: what stands before body_start is frontmatter, the rest Markdown."""
    reader = _Reader(text, positions, body_start)
    for token in _PARSER.parse(text[body_start:]):
        reader.take(token)
    return reader.finish()


@dataclass(slots=True)
class _Open:
    """A container that is being read, or the note itself (index -1).

    line, inside: the line of the innermost marker around what comes next, and the offset right after it.
    quotes: the number of quotes that it and those around it are. last: the index of its last child, -1
    while there is none. begun: whether its own text was read.
    """

    kind: str
    index: int
    line: int
    inside: int
    quotes: int
    last: int = -1
    begun: bool = False


class _Reader:
    """Turns the flat list of tokens into the tree."""

    def __init__(self, text: str, positions: Positions, body_start: int) -> None:
        self._text = text
        self._positions = positions
        self._first = positions.line(body_start) - 1
        self._blocks: list[Block] = []
        self._headings: dict[int, str] = {}
        self._texts: list[tuple[int, int]] = []
        self._definitions: dict[str, str] = {}
        self._heading = -1
        self._open = [_Open("", -1, -1, 0, 0)]
        if body_start:
            self._store(Block("frontmatter", 0, len(text[:body_start].rstrip()), 1, max(self._first, 1)))

    def take(self, token: Token) -> None:
        """Read one token."""
        if token.nesting == -1:
            if _KINDS.get(token.type[:-5] + "open") in ("list", *_CONTAINERS):
                self._close()
        elif token.type == "inline":
            if self._heading >= 0:
                self._headings[self._heading] = token.content
                self._heading = -1
        elif token.map is not None:
            kind = _KINDS[token.type]
            if kind == "list":
                self._list(*token.map)
            elif kind in _CONTAINERS:
                self._container(kind, token, *token.map)
            else:
                self._leaf(kind, token, *token.map)

    def finish(self) -> Structure:
        """Return everything read."""
        return Structure(tuple(self._blocks), self._headings, tuple(self._texts), self._definitions)

    def _list(self, first: int, after: int) -> None:
        """Open a list; it has no marker of its own."""
        around = self._open[-1]
        start, end = self._span(first, after)
        self._store(self._block("list", start, end))
        self._open.append(_Open("list", len(self._blocks) - 1, around.line, around.inside, around.quotes))

    def _container(self, kind: str, token: Token, first: int, after: int) -> None:
        """Open an item, a quote or a footnote."""
        around = self._open[-1]
        start, end = self._span(first, after)
        marker = _MARKERS[kind].match(self._text, self._content(first))
        inside = _spaces(self._text, marker.end() if marker else start)
        label = token.info if kind == "footnote" else ""
        if kind == "item" and (task := _TASK.match(self._text, inside, end)):
            label = task[1]
        elif kind == "quote" and (callout := parse_callout(self._text[inside : self._at(first + 1)])):
            kind, label = "callout", callout.type
        self._store(self._block(kind, start, end, label=label))
        quotes = around.quotes + (kind in ("quote", "callout"))
        self._open.append(_Open(kind, len(self._blocks) - 1, first, inside, quotes))

    def _close(self) -> None:
        """Close the innermost container; a quote takes the block id that its last block ends with."""
        closed = self._open.pop()
        block = self._blocks[closed.index]
        if closed.kind in ("quote", "callout") and block.block_id is None:
            last = self._blocks[closed.last] if closed.last >= 0 else None
            if last is None:
                self._name(closed.index, _trailing_id(self._text, closed.inside, block.end))
            elif last.block_id and last.end == block.end:
                self._name(closed.index, last.block_id)
                self._name(closed.last, None)
        if not closed.begun and closed.last < 0 and self._text[closed.inside : block.end].strip():
            self._texts.append((closed.inside, block.end))

    def _leaf(self, kind: str, token: Token, first: int, after: int) -> None:
        """Read a block that holds no other, or a container's own text."""
        start, end = self._span(first, after)
        if start >= end:
            return
        block_id = _trailing_id(self._text, start, end) if kind in _ENDS_WITH_ID else None
        if kind == "paragraph":
            if self._own_text(start, end, block_id):
                return
            if block_id and self._text[start:end].strip() == f"^{block_id}" and self._named(block_id, end):
                return
        label = ""
        if kind == "code":
            label = (token.info.split(maxsplit=1) or [""])[0]
        elif kind == "definition":
            label = token.info
            self._definitions.setdefault(definition_key(label), token.content)
        elif kind == "heading":
            label = token.tag[1:]
            self._heading = start if len(self._open) == 1 else -1
        elif kind == "html" and self._text[start:end].lstrip().startswith("<!--"):
            kind = "comment" if self._text.endswith("-->", start, end) else kind
        if kind == "table":
            self._rows(start, end, first, after)
        elif kind in ("paragraph", "heading"):
            self._texts.append((start, end))
        self._store(self._block(kind, start, end, block_id, label))

    def _own_text(self, start: int, end: int, block_id: str | None) -> bool:
        """Take a paragraph as the text of the container that it begins; return whether it does."""
        around = self._open[-1]
        if around.begun or around.last >= 0 or around.index < 0:
            return False
        around.begun = True
        self._texts.append((start, end))
        if block_id and around.kind in ("item", "footnote"):
            self._name(around.index, block_id)
        return True

    def _named(self, block_id: str, end: int) -> bool:
        """Give an id alone on its line to the item around it or the block before; return whether it fits."""
        around = self._open[-1]
        index = around.index if around.kind == "item" else around.last
        block = self._blocks[index] if index >= 0 else None
        if block is None or block.block_id or block.kind in _UNNAMED:
            return False
        self._name(index, block_id, end)
        return True

    def _name(self, index: int, block_id: str | None, end: int = 0) -> None:
        """Set the id of a block, which reaches at least to end."""
        block = self._blocks[index]
        end = max(end, block.end)
        self._blocks[index] = replace(block, block_id=block_id, end=end, end_line=self._line(end - 1))

    def _rows(self, start: int, end: int, first: int, after: int) -> None:
        """Add the rows of a table to the texts; the row of dashes holds no marks."""
        self._texts.append((start, self._at(first + 1)))
        self._texts += ((self._at(line), min(self._at(line + 1), end)) for line in range(first + 2, after))

    def _store(self, block: Block) -> None:
        """Append a block as the last child of what is open."""
        self._open[-1].last = len(self._blocks)
        self._blocks.append(block)

    def _block(self, kind: str, start: int, end: int, block_id: str | None = None, label: str = "") -> Block:
        """Return a block with the lines of its span."""
        lines = self._line(start), self._line(end - 1)
        return Block(kind, start, end, *lines, block_id, len(self._open) - 1, label)

    def _span(self, first: int, after: int) -> tuple[int, int]:
        """Return where the block of these lines begins and ends."""
        around = self._open[-1]
        start = self._at(first)
        if around.quotes or around.line == first:
            content = self._content(first)
            if not self._text[start:content].isspace():
                start = content
        while around.quotes and after - 1 > first and self._is_empty(after - 1, around.quotes):
            after -= 1
        return start, start + len(self._text[start : self._at(after)].rstrip())

    def _content(self, line: int) -> int:
        """Return the offset of the first character after white space and the markers of containers."""
        around = self._open[-1]
        if around.line == line:
            return _spaces(self._text, around.inside)
        position = self._at(line)
        for _ in range(around.quotes):
            if (marker := _QUOTED.match(self._text, position)) is None:
                break
            position = marker.end()
        return _spaces(self._text, position)

    def _is_empty(self, line: int, quotes: int) -> bool:
        """Return whether a line holds nothing but the markers of the quotes around it."""
        written = self._text[self._at(line) : self._at(line + 1)]
        return not written.strip(" \t>\r\n") and written.count(">") <= quotes

    def _line(self, offset: int) -> int:
        """Return the line of the note that holds the offset."""
        return self._positions.line(offset)

    def _at(self, line: int) -> int:
        """Return where a line of the body begins."""
        starts = self._positions.starts
        line += self._first
        return starts[line] if line < len(starts) else len(self._text)


def _spaces(text: str, position: int) -> int:
    """Return the offset after the blanks that begin at position."""
    match = _SPACES.match(text, position)
    return match.end() if match else position


def _trailing_id(text: str, start: int, end: int) -> str | None:
    """Return the block id that ends the block, without its `^`."""
    caret = text.rfind("^", max(start, end - _ID_CHARS), end)
    match = BLOCK_ID.match(text, caret, end) if caret >= 0 else None
    return match[1] if match and match.end() == end else None


_PARSER = make_parser()
