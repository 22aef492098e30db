"""Cuts the blocks of a note into pieces small enough for a chunk, and puts pieces together again.

A piece is a leaf of the block tree: a paragraph, the own text of an item, a code block. One over the budget
is cut where it hurts least: a table between rows, code at blank lines and then lines, prose after sentences.
`packed` joins pieces in an order that only their own text decides, so that an edit moves few chunks (D29).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from sentencex import get_sentence_boundaries

from pai_daemon.notes.inline import scan
from pai_daemon.notes.language import guess_language
from pai_daemon.notes.note import Block

HIDDEN = ("comment", "drawer", "frontmatter", "definition", "rule")
VERBATIM = ("code", "math")

_BLANK = re.compile(r"\n[ \t\r]*\n")
_LINE = re.compile(r"\r\n?|\n")
_WORD_END = re.compile(r"\s+")
# Markers without text: those of an item or a quote whose first line belongs to a block within it.
_MARKERS = re.compile(r"[\s>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[\s>]+)*(?:[-*+]|[0-9]{1,9}[.)])?")
# sentencex takes these for the end of a French sentence.
_TITLE = re.compile(r"\b(?:MM?|Mmes?|Mlles?|Mgr|Me)\.\s*\Z")
# sentencex is for prose; a text longer than this is data, and cut at its lines and spaces.
_PROSE_CHARS = 20_000
_LEVELS = {"table": ("lines",), "code": ("blank lines", "lines"), "math": ("blank lines", "lines")}
_PROSE_LEVELS = ("sentences", "lines")
_COLONS = (":", "\uff1a")
# The pieces before a cut fall into eight classes of size, the last for one as large as the budget.
_SIZE_CLASSES = 8


class Place(NamedTuple):
    """An item of a list and, as a chain, the items around it."""

    item: Block
    parent: Place | None


class Piece(NamedTuple):
    """A leaf of the block tree, or a part of one, that fits into a chunk.

    level: how deep the cut before the piece lies; 0 is between blocks at the top. run: pieces of one run
    have nothing hidden between them. place: the item that this piece goes on with or is within, None
    outside lists and for the text with which an outermost item begins. head: the span of the header of a
    table, for a part that begins below it. quoted: each line begins with the mark of a quote.
    """

    start: int
    end: int
    block: Block
    level: int
    run: int
    place: Place | None = None
    head: tuple[int, int] | None = None
    quoted: bool = False


def size_bytes(text: str, start: int, end: int) -> int:
    """Return the size of text[start:end] in UTF-8."""
    part = text[start:end]
    return len(part) if part.isascii() else len(part.encode("utf-8", "surrogatepass"))


def pieces_of(text: str, blocks: Sequence[Block], budget: int) -> list[Piece]:
    """Return the pieces of one section's blocks; each is at most budget bytes, 4 or more.

    Together they hold every character that is neither white space nor hidden, once, in order.
    """
    cutter = _Cutter(text, blocks[0].start, budget)
    for block in blocks:
        cutter.take(block)
    cutter.leave(-1, len(text))
    return cutter.pieces


class _Open(NamedTuple):
    """A block that is being walked through. place: that of the pieces within it."""

    block: Block
    place: Place | None
    quoted: bool


class _Cutter:
    """Walks through blocks in pre-order; the text before, between and after inner blocks is their own."""

    def __init__(self, text: str, start: int, budget: int) -> None:
        self.pieces: list[Piece] = []
        self._text = text
        self._budget = budget
        self._open: list[_Open] = []
        self._position = start
        self._run = 0
        self._level: int | None = None

    def take(self, block: Block) -> None:
        """Enter a block: what stands before it is cut off first."""
        if block.start < self._position:  # within a hidden block
            return
        self.leave(block.depth, block.start, hides=block.kind in HIDDEN)
        self._level = block.depth if self._level is None else min(self._level, block.depth)
        if block.kind in HIDDEN:
            self._position = block.end
            self._run += 1
            return
        around = self._open[-1] if self._open else None
        place = around.place if around else None
        quoted = bool(around and around.quoted) or block.kind in ("quote", "callout")
        self._open.append(_Open(block, Place(block, place) if block.kind == "item" else place, quoted))

    def leave(self, depth: int, until: int, *, hides: bool = True) -> None:
        """Leave the blocks of at least this depth and cut off their text before until.

        hides: whether what follows at until is not shown; else a bare marker there waits for its block.
        """
        while self._open and self._open[-1].block.depth >= depth:
            self._own_text(min(self._open[-1].block.end, until), whole=True)
            self._open.pop()
        if self._open:
            self._own_text(until, whole=hides)

    def _own_text(self, until: int, *, whole: bool) -> None:
        """Add the text of the innermost block up to until, unless it is a bare marker and not the whole."""
        if until <= self._position:
            return
        own = self._open[-1]
        begins = self._position <= own.block.start
        if not whole and _MARKERS.fullmatch(self._text, self._position, until):
            return
        for start, end, depth, head in self._parts(own.block, self._position, until):
            level = own.block.depth + 1 + depth if self._level is None else self._level
            place = own.place.parent if begins and own.place and own.place.item is own.block else own.place
            self.pieces.append(Piece(start, end, own.block, level, self._run, place, head, own.quoted))
            self._level, begins = None, False
        self._position = until

    def _parts(
        self, block: Block, start: int, end: int
    ) -> Iterator[tuple[int, int, int, tuple[int, int] | None]]:
        """Yield the parts of a block's own text, one if it fits: start, end, depth, header of a table."""
        for begin, after in _trimmed(self._text, start, end):
            room = self._room(begin)
            if size_bytes(self._text, begin, after) <= room:
                yield begin, after, 0, None
                return
            head = _table_head(self._text, begin, after, self._budget) if block.kind == "table" else None
            levels = _LEVELS.get(block.kind, _PROSE_LEVELS)
            for index, (left, right) in enumerate(_visible(self._text, block.kind, begin, after)):
                self._run += bool(index)
                for part in _cut(self._text, left, right, room, levels):
                    yield *part, head if head and part[0] >= head[1] else None

    def _room(self, start: int) -> int:
        """Return the bytes for a piece at start: a heading before it should not be left alone."""
        if self.pieces and self.pieces[-1].block.kind == "heading":
            heading = size_bytes(self._text, self.pieces[-1].start, start)
            if heading * 4 <= self._budget:
                return self._budget - heading
        return self._budget


def _visible(text: str, kind: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans outside comments and templates: cut in two, they would be read as text."""
    if kind not in VERBATIM:
        for mark in scan(text, start, end):
            if mark.kind in ("comment", "template"):
                if mark.start > start:
                    yield start, mark.start
                start = mark.end
    if start < end:
        yield start, end


def _table_head(text: str, start: int, end: int, budget: int) -> tuple[int, int] | None:
    """Return the span of the first two lines of a table, None where nothing follows or they are too long."""
    second = text.find("\n", text.find("\n", start, end) + 1, end)
    fits = second >= 0 and size_bytes(text, start, second) * 2 <= budget
    return (start, second + 1) if fits else None


def _cut(
    text: str, start: int, end: int, budget: int, levels: Sequence[str]
) -> Iterator[tuple[int, int, int]]:
    """Yield parts within the budget that hold all of text[start:end] but blanks: start, end and depth.

    depth: at how many levels the text was cut before the part fitted.
    """
    if size_bytes(text, start, end) <= budget:
        parts = [(start, end, 0)]
    elif levels:
        borders = pairwise((start, *_borders(text, start, end, levels[0]), end))
        cuts = (_cut(text, begin, after, budget, levels[1:]) for begin, after in borders)
        parts = [(begin, after, depth + 1) for cut in cuts for begin, after, depth in cut]
    else:
        parts = [(begin, after, 1) for begin, after in _filled(text, start, end, budget)]
    for begin, after, depth in parts:
        for left, right in _trimmed(text, begin, after):
            yield left, right, depth


def _borders(text: str, start: int, end: int, level: str) -> Iterator[int]:
    """Yield where text[start:end] may be cut at a level."""
    if level == "sentences":
        if end - start <= _PROSE_CHARS:
            part = text[start:end]
            for sentence in get_sentence_boundaries(guess_language(part), part):
                border = int(sentence["end_index"])
                if 0 < border < len(part) and not _TITLE.search(part, max(0, border - 10), border):
                    yield start + border
        return
    for match in (_BLANK if level == "blank lines" else _LINE).finditer(text, start, end):
        if match.end() < end:
            yield match.end()


def _filled(text: str, start: int, end: int, budget: int) -> Iterator[tuple[int, int]]:
    """Yield parts as long as the budget allows that end after a space, or anywhere in a longer word."""
    begin, size, position = start, 0, start
    for border in (*(match.end() for match in _WORD_END.finditer(text, start, end)), end):
        word = size_bytes(text, position, border)
        if size + word > budget and size:
            yield begin, position
            begin, size = position, 0
        if word > budget:
            for index in range(position, border):
                point = size_bytes(text, index, index + 1)
                if size + point > budget:
                    yield begin, index
                    begin, size = index, 0
                size += point
        else:
            size += word
        position = border
    if begin < end:
        yield begin, end


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span without blank lines before it and white space after it, if anything is left."""
    part = text[start:end].rstrip()
    if part:
        after = start + len(part)
        yield after - len(part.lstrip("\r\n")), after


def packed(text: str, pieces: Sequence[Piece], budget: int) -> Iterator[Sequence[Piece]]:
    """Yield groups of consecutive pieces, each at most budget bytes from its first to its last piece.

    Two neighbours are joined as long as they fit: first what follows a heading or a colon, then what lies
    deeper in the tree, then behind short pieces, and else in the order of a checksum of the piece before
    the cut. No rule looks at what was cut before, so an edit is felt by few cuts near it.
    """
    if not pieces:
        return
    if size_bytes(text, pieces[0].start, pieces[-1].end) <= budget:
        yield pieces
        return
    starts, ends = _places(text, pieces)
    orders = [(0, 0, 0, 0), *(_order(text, *pair, budget) for pair in pairwise(pieces))]
    # first[i] is right for the last piece of a group, last[i] for its first; none else is looked at.
    first, last = list(range(len(pieces))), list(range(len(pieces)))
    cut = [True] * len(pieces)
    for index in sorted(range(1, len(pieces)), key=orders.__getitem__):
        left, right = first[index - 1], last[index]
        place = pieces[left].place
        # A chunk is headed by the items around its beginning, so nothing else may stand in it.
        fits = place is None or pieces[right].end <= place.item.end
        if fits and ends[right] - starts[left] <= budget:
            cut[index] = False
            first[right], last[left] = left, right
    borders = [index for index, here in enumerate(cut) if here]
    for begin, after in pairwise((*borders, len(pieces))):
        yield pieces[begin:after]


def _places(text: str, pieces: Sequence[Piece]) -> tuple[list[int], list[int]]:
    """Return where the pieces begin and end, in bytes from the start of the first one."""
    starts: list[int] = []
    ends: list[int] = []
    position, place = pieces[0].start, 0
    for piece in pieces:
        place += size_bytes(text, position, piece.start)
        starts.append(place)
        place += size_bytes(text, piece.start, piece.end)
        ends.append(place)
        position = piece.end
    return starts, ends


def _order(text: str, before: Piece, after: Piece, budget: int) -> tuple[int, int, int, int]:
    """Return when the cut between two pieces is closed: the least first."""
    part = text[before.start : before.end]
    data = part.encode("utf-8", "surrogatepass")
    loose = before.block.kind != "heading" and not part.endswith(_COLONS)
    return loose, -after.level, len(data) * _SIZE_CLASSES // budget, zlib.crc32(data)
