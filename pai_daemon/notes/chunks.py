"""Chunks: what of a note is embedded and found.

A chunk is a run of blocks under one heading path, never across headings, and at most a budget of UTF-8
bytes (bytes, because a code point of Chinese costs more tokens than one of English). Nothing of a note is
dropped but its comments: a block over the budget is cut where it hurts least.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sentencex import get_sentence_boundaries

from pai_daemon.notes.inline import scan
from pai_daemon.notes.language import guess_language
from pai_daemon.notes.note import Block, Note
from pai_daemon.notes.plain import FENCE, plain_text
from pai_daemon.notes.positions import line_starts

BUDGET_BYTES = 1200
HEADER_CHARS = 300

_BLANK = re.compile(r"\n[ \t\r]*\n")
_LINE = re.compile(r"\r\n?|\n")
_WORD_END = re.compile(r"\s+")
_VERBATIM = ("code", "math")
_HIDDEN = ("comment", "drawer", "definition")
_ORG_FENCE = re.compile(r"^[ \t]*#\+(?:BEGIN|END)_[^\n]*$", re.MULTILINE | re.IGNORECASE)
_BLOCK_REFERENCE = re.compile(r"\(\(([0-9A-Fa-f-]{36})\)\)")
_Shown = tuple[int, int, str]
# sentencex is for prose; a line longer than this is data, and cut at its spaces.
_PROSE_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a note that is embedded and cited.

    text: exactly note.text[start_char:end_char]. content: what is embedded and searched: a line with
    title, aliases, heading path and tags, then the plain text. Lines start at 1, both ends included.
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or a part of one, that fits into a chunk; between pieces of one run nothing is hidden."""

    start: int
    end: int
    kind: str
    block_id: str | None
    run: int


def split_chunks(
    note: Note,
    budget_bytes: int = BUDGET_BYTES,
    *,
    block_text: Callable[[str], str | None] = lambda _: None,
) -> tuple[Chunk, ...]:
    """Return the chunks of a note in order, at least one; none has more than budget_bytes of text.

    budget_bytes below 4 is read as 4, the longest code point. block_text: the text of a block by its id;
    it stands in the content where the note refers to the block.
    """
    budget_bytes = max(budget_bytes, 4)
    shown = _shown_otherwise(note, block_text)
    starts = line_starts(note.text)
    chunks: list[Chunk] = []
    for path, blocks in _sections(note):
        for pieces in _packed(note.text, _pieces(note.text, blocks, budget_bytes), budget_bytes):
            chunks.append(_chunk(note, len(chunks), path, pieces, starts, shown=shown))
    if chunks:
        return tuple(chunks)
    line = bisect_right(starts, note.body_start)
    return (Chunk(0, (), "", note.body_start, note.body_start, line, line, (), _header(note, ())),)


def _sections(note: Note) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Yield the blocks under each heading, the heading first, with the heading path."""
    headings = {heading.start: heading for heading in note.headings}
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for block in _flat(note):
        if block.kind == "heading":
            if blocks:
                yield tuple(text for _, text in path), blocks
            blocks = []
            if heading := headings.get(block.start):
                path = [(level, text) for level, text in path if level < heading.level]
                path.append((heading.level, heading.text))
        blocks.append(block)
    if blocks:
        yield tuple(text for _, text in path), blocks


def _flat(note: Note) -> Iterator[Block]:
    """Yield the top blocks without the frontmatter; a list is cut before each item and after each list."""
    blocks = note.blocks
    borders = [*(index for index, block in enumerate(blocks) if block.depth == 0), len(blocks)]
    for index, after in pairwise(borders):
        if blocks[index].kind == "list":
            yield from _items(note.text, blocks[index:after])
        elif blocks[index].kind != "frontmatter":
            yield blocks[index]


def _items(text: str, blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield the parts of a list that begin with an item or follow a list in it; only spans and ids count."""
    whole = blocks[0]
    ids: dict[int, str | None] = {whole.start: None, whole.end: whole.block_id}
    for block in blocks[1:]:
        if block.kind == "list":
            ids.setdefault(block.end, None)
        elif block.kind == "item" and (block.start == 0 or text[block.start - 1] in "\r\n"):
            ids[block.start] = block.block_id
    for start, end in pairwise(sorted(ids)):
        part = text[start:end].rstrip()
        if part:
            begin = start + len(part) - len(part.lstrip("\r\n"))
            yield replace(whole, start=begin, end=start + len(part), block_id=ids[start])


def _pieces(text: str, blocks: Iterable[Block], budget: int) -> Iterator[_Piece]:
    """Yield the blocks without comments, those over the budget in parts."""
    run = 0
    for block in blocks:
        if block.kind in _HIDDEN:
            run += 1
        elif _size(text, block.start, block.end) <= budget:
            yield _Piece(block.start, block.end, block.kind, block.block_id, run)
        else:
            parts = [
                part
                for start, end in _without_comments(text, block)
                for part in _cut(text, start, end, budget, 0)
            ]
            for index, (start, end) in enumerate(parts):
                run += 1
                block_id = block.block_id if index == len(parts) - 1 else None
                yield _Piece(start, end, block.kind, block_id, run)
            run += 1


def _without_comments(text: str, block: Block) -> Iterator[tuple[int, int]]:
    """Yield the spans of a block outside its comments: cut in two, a comment would no longer be one."""
    start = block.start
    if block.kind not in _VERBATIM:
        for mark in scan(text, block.start, block.end):
            if mark.kind == "comment":
                if mark.start > start:
                    yield start, mark.start
                start = mark.end
    if start < block.end:
        yield start, block.end


def _size(text: str, start: int, end: int) -> int:
    """Return the size of text[start:end] in UTF-8."""
    part = text[start:end]
    return len(part) if part.isascii() else len(part.encode("utf-8", "surrogatepass"))


def _cut(text: str, start: int, end: int, budget: int, level: int) -> Iterator[tuple[int, int]]:
    """Yield spans within the budget that together hold every non-blank character of text[start:end].

    level: 0 cuts at blank lines, 1 at line ends, 2 after sentences, 3 at spaces, 4 between code points.
    """
    begin, size = start, 0
    position = start
    for border in _borders(text, start, end, level):
        atom = _size(text, position, border)
        if size + atom > budget and size:
            yield from _trimmed(text, begin, position)
            begin, size = position, 0
        if atom > budget:
            # What follows an atom that had to be cut begins anew: its last part is a part, not a whole.
            yield from _cut(text, position, border, budget, level + 1)
            begin, size = border, 0
        else:
            size += atom
        position = border
    yield from _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span without blank lines before it and white space after it, if anything is left."""
    part = text[start:end].rstrip()
    end = start + len(part)
    start = end - len(part.lstrip("\r\n"))
    if start < end and not part.isspace():
        yield start, end


def _borders(text: str, start: int, end: int, level: int) -> Iterator[int]:
    """Yield where the parts of text[start:end] end at a level, the last at end."""
    if level < 2 or level == 3:
        for match in (_BLANK, _LINE, _LINE, _WORD_END)[level].finditer(text, start, end):
            if start < match.end() < end:
                yield match.end()
    elif level == 2 and end - start <= _PROSE_CHARS:
        part = text[start:end]
        for sentence in get_sentence_boundaries(guess_language(part), part):
            border = start + int(sentence["end_index"])
            if start < border < end:
                yield border
    elif level == 4:
        yield from range(start + 1, end)
    yield end


def _packed(text: str, pieces: Iterable[_Piece], budget: int) -> Iterator[list[_Piece]]:
    """Yield runs of consecutive pieces whose whole span fits the budget."""
    group: list[_Piece] = []
    for piece in pieces:
        if group and _size(text, group[0].start, piece.end) > budget:
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _chunk(
    note: Note,
    ordinal: int,
    path: tuple[str, ...],
    pieces: list[_Piece],
    starts: list[int],
    *,
    shown: list[_Shown],
) -> Chunk:
    """Return the chunk that these pieces make."""
    start, end = pieces[0].start, pieces[-1].end
    header = _header(note, path)
    body = _body(note.text, pieces, shown, path[-1] if path and path[-1] in header else None)
    return Chunk(
        ordinal=ordinal,
        heading_path=path,
        text=note.text[start:end],
        start_char=start,
        end_char=end,
        start_line=bisect_right(starts, start),
        end_line=bisect_right(starts, max(end - 1, start)),
        block_ids=tuple(piece.block_id for piece in pieces if piece.block_id),
        content=f"{header}\n\n{body}" if body else header,
    )


def _header(note: Note, path: tuple[str, ...]) -> str:
    """Return the line that tells where a chunk stands: title, aliases, heading path, tags."""
    title = note.title + (f" ({', '.join(note.aliases)})" if note.aliases else "")
    where = _short(title, HEADER_CHARS // 2)
    # The usual first heading repeats the title, and once is enough.
    for heading in path[1:] if path[:1] == (note.title,) else path:
        where += f" > {_short(heading, HEADER_CHARS // 3)}"
    tags = " ".join(f"#{tag}" for tag in note.tags)
    return _short(where, HEADER_CHARS) + (f" {_short(tags, HEADER_CHARS // 3)}" if tags else "")


def _short(text: str, limit: int) -> str:
    """Return the beginning of text, up to a space before limit where there is one."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    return text[: limit + 1].rpartition(" ")[0] or text[:limit]


def _body(text: str, pieces: list[_Piece], shown: list[_Shown], heading: str | None) -> str:
    """Return the plain text of the pieces; the heading is left out where the header says it."""
    parts: list[str] = []
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        index += 1
        if piece.kind in _VERBATIM:
            parts.append(_verbatim(text[piece.start : piece.end], piece.kind))
            continue
        end = piece.end
        while index < len(pieces) and pieces[index].run == piece.run and pieces[index].kind not in _VERBATIM:
            end = pieces[index].end
            index += 1
        start = piece.start
        parts.append(plain_text(_shown_text(text, start, end, shown)))
    if heading is not None and parts and pieces[0].kind == "heading" and parts[0].startswith(heading):
        parts[0] = parts[0][len(heading) :].lstrip()
    return "\n\n".join(part for part in parts if part)


def _shown_otherwise(note: Note, block_text: Callable[[str], str | None]) -> list[_Shown]:
    """Return where the content differs from the text of an outline or org file: (start, end, instead).

    Drawers and comments within bullets are left out; a link of org is its label; a reference to a block
    becomes the block's text, and of a macro only the blocks that it names are left.
    """
    if note.kind not in ("outline", "org"):
        return []
    shown = [(block.start, block.end, "") for block in note.blocks if block.kind in _HIDDEN]
    for mark in note.marks:
        if note.kind == "org" and mark.kind in ("link", "wikilink"):
            shown.append((mark.start, mark.end, mark.label or mark.inner))
        elif mark.kind in ("reference", "macro"):
            written = note.text[mark.start : mark.end]
            texts = (block_text(found) for found in _BLOCK_REFERENCE.findall(written))
            shown.append((mark.start, mark.end, " ".join(text for text in texts if text)))
    if note.kind == "org":
        shown += [(*match.span(), "") for match in _ORG_FENCE.finditer(note.text)]
    return sorted(shown)


def _shown_text(text: str, start: int, end: int, shown: list[_Shown]) -> str:
    """Return text[start:end] with what is shown otherwise; of two that overlap, the first counts."""
    parts: list[str] = []
    for index in range(bisect_left(shown, (start,)), len(shown)):
        begin, after, instead = shown[index]
        if begin >= end:
            break
        if begin >= start:
            parts += (text[start:begin], instead)
            start = min(after, end)
    return "".join([*parts, text[start:end]])


def _verbatim(block: str, kind: str) -> str:
    """Return a block of code or math, or a part of one, without its fences."""
    if kind == "math":
        return block.strip().removeprefix("$$").removesuffix("$$").strip()
    lines = _LINE.split(block)
    return "\n".join(line for line in lines if not FENCE.match(line)).strip("\n")
