"""Chunks: what of a note is embedded and found.

A chunk is a run of blocks under one heading path, never across headings, and at most a budget of UTF-8
bytes (D30). `cutting` says where a chunk begins and ends; this module gives it its place and its words.
Nothing of a note is dropped but what a reader does not see: comments, drawers, frontmatter, definitions
of links and rules.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pai_daemon.notes.cutting import VERBATIM, Piece, packed, pieces_of
from pai_daemon.notes.markdown import property_tags
from pai_daemon.notes.note import Block, Note
from pai_daemon.notes.org import plain_org
from pai_daemon.notes.plain import FENCE, BlockText, plain_text
from pai_daemon.notes.positions import Positions

BUDGET_BYTES = 1200
HEADER_CHARS = 300
ANCESTOR_CHARS = 60
MAX_ANCESTORS = 6
# Markdown has six levels of headings, and org as many as there are stars.
MAX_HEADINGS = 32
_ORG_MARK = "#+"
# Of a line that is shortened only so much is looked at: each chunk of a note repeats it.
_SOURCE_SHARE = 8

_LINE = re.compile(r"\r\n?|\n")
_QUOTE_MARK = re.compile(r"[ \t]*(?:>[ \t]?)+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a note that is embedded and cited.

    text: exactly note.text[start_char:end_char]. block_ids: of the blocks that begin in it. content: what
    is embedded and searched: a line that says where the chunk stands, then the plain text. Lines start at
    1, both ends included.
    """

    ordinal: int
    heading_path: tuple[str, ...]
    text: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    block_ids: tuple[str, ...]
    content: str


def split_chunks(
    note: Note,
    budget_bytes: int = BUDGET_BYTES,
    *,
    block_text: BlockText = lambda _: None,
) -> tuple[Chunk, ...]:
    """Return the chunks of a note in order, at least one; none has more than budget_bytes of text.

    budget_bytes below 4 is read as 4, the longest code point. block_text: the text of a block by its id;
    it stands in the content where the note refers to the block.
    """
    budget_bytes = max(budget_bytes, 4)
    writer = _Writer(note, block_text)
    return tuple(
        writer.chunk(ordinal, path, pieces)
        for ordinal, (path, pieces) in enumerate(_groups(note, budget_bytes))
    ) or (writer.empty(),)


def _groups(note: Note, budget: int) -> Iterator[tuple[tuple[str, ...], Sequence[Piece]]]:
    """Yield the pieces of each chunk with its heading path."""
    for path, blocks in _sections(note):
        for pieces in packed(note.text, pieces_of(note.text, blocks, budget), budget):
            yield path, pieces


def _sections(note: Note) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Yield the blocks under each heading, the heading first, with the heading path."""
    headings = {heading.start: heading for heading in note.headings}
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for block in note.blocks:
        if block.kind == "heading" and block.depth == 0:
            if blocks:
                yield tuple(text for _, text in path), blocks
            blocks = []
            if heading := headings.get(block.start):
                path = [(level, text) for level, text in path if level < heading.level][-MAX_HEADINGS + 1 :]
                path.append((heading.level, heading.text))
        blocks.append(block)
    if blocks:
        yield tuple(text for _, text in path), blocks


class _Writer:
    """Writes the chunks of one note."""

    def __init__(self, note: Note, block_text: BlockText) -> None:
        self._note = note
        self._block_text = block_text
        self._positions = Positions(note.text)
        names = [*note.aliases, *([note.date] if note.date and note.date not in note.title else [])]
        self._title = _short(note.title + (f" ({', '.join(names)})" if names else ""), HEADER_CHARS // 2)
        # Not the tags in the text: written anywhere, a new one would change the header of every chunk.
        tags = _short(" ".join(f"#{tag}" for tag in property_tags(note.properties)), HEADER_CHARS // 3)
        self._tags = f" {tags}" if tags else ""
        named = [block for block in note.blocks if block.block_id]
        self._named_starts = [block.start for block in named]
        self._names = [block.block_id or "" for block in named]

    def chunk(self, ordinal: int, path: tuple[str, ...], pieces: Sequence[Piece]) -> Chunk:
        """Return the chunk that these pieces make."""
        start, end = pieces[0].start, pieces[-1].end
        header = self._header(path, self._ancestors(pieces[0]))
        body = self._body(pieces, path[-1] if path and path[-1] in header else None)
        names = slice(bisect_left(self._named_starts, start), bisect_left(self._named_starts, end))
        return Chunk(
            ordinal=ordinal,
            heading_path=path,
            text=self._note.text[start:end],
            start_char=start,
            end_char=end,
            start_line=self._positions.line(start),
            end_line=self._positions.line(max(end - 1, start)),
            block_ids=tuple(self._names[names]),
            content=f"{header}\n\n{body}" if body else header,
        )

    def empty(self) -> Chunk:
        """Return the one chunk of a note without visible text: it is still found by its name."""
        start = self._note.body_start
        line = self._positions.line(start)
        return Chunk(0, (), "", start, start, line, line, (), self._header((), []))

    def _header(self, path: tuple[str, ...], ancestors: list[str]) -> str:
        """Return the line that tells where a chunk stands: title, other names, headings, items, tags."""
        # The usual first heading repeats the title, and once is enough.
        headings = path[1:] if path[:1] == (self._note.title,) else path
        steps = [self._title, *(_short(heading, HEADER_CHARS // 3) for heading in headings), *ancestors]
        return _short(" > ".join(filter(None, steps)), HEADER_CHARS) + self._tags

    def _ancestors(self, piece: Piece) -> list[str]:
        """Return how the items around a piece begin, the outermost first, of many the nearest ones."""
        lines: list[str] = []
        place = piece.place
        while place is not None and len(lines) < MAX_ANCESTORS:
            end = self._note.text.find("\n", place.item.start, place.item.end)
            # An item whose first line is the chunk's own, as with code in a bullet, needs no second naming.
            if 0 <= end < piece.start:
                end = min(end, place.item.start + ANCESTOR_CHARS * _SOURCE_SHARE)
                lines.append(_short(self._plain(place.item.start, end), ANCESTOR_CHARS))
            place = place.parent
        return [line for line in reversed(lines) if line and not line.startswith(_ORG_MARK)]

    def _body(self, pieces: Sequence[Piece], heading: str | None) -> str:
        """Return the plain text of the pieces; the heading is left out where the header says it."""
        body = ""
        for _, group in groupby(pieces, key=_kept_together):
            run = list(group)
            first, end = run[0], run[-1].end
            verbatim = first.block.kind in VERBATIM
            part = self._verbatim(first, end) if verbatim else self._plain(first.start, end, first.head)
            if heading is not None and first.block.kind == "heading" and part.startswith(heading):
                part = part[len(heading) :].lstrip()
            if body and part:
                body += "\n" if first.level and not verbatim else "\n\n"
            body += part
        return body

    def _plain(self, start: int, end: int, head: tuple[int, int] | None = None) -> str:
        """Return the plain text of a span, below that of the header of the table that it goes on with."""
        source = self._note.text[start:end]
        if self._note.kind == "org":
            return plain_org(source)
        if head:
            source = self._note.text[slice(*head)] + source
        return plain_text(source, self._block_text)

    def _verbatim(self, first: Piece, end: int) -> str:
        """Return a block of code or math from a piece of it to end, without its fences."""
        source = self._note.text[first.start : end]
        lines = _LINE.split(source)
        if first.quoted:
            lines = [_QUOTE_MARK.sub("", line, count=1) for line in lines]
        if first.block.kind == "math":
            return "\n".join(lines).strip().removeprefix("$$").removesuffix("$$").strip()
        code = "\n".join(line for line in lines if not FENCE.match(line))
        return (textwrap.dedent(code) if first.block.depth else code).strip("\n")


def _kept_together(piece: Piece) -> tuple[int, Block | None]:
    """Return what pieces have in common whose text is written as one: code goes by its block."""
    return piece.run, piece.block if piece.block.kind in VERBATIM else None


def _short(text: str, limit: int) -> str:
    """Return the beginning of text, up to a space before limit where there is one."""
    text = " ".join(text[: limit * _SOURCE_SHARE].split())
    if len(text) <= limit:
        return text
    return text[: limit + 1].rpartition(" ")[0] or text[:limit]
