"""Comments that begin in one paragraph and end in a later one, and drawings, which are mostly comment.

The block parser knows neither: to it a blank line ends a paragraph, and the data of a drawing is Markdown.
Both are applied to what it found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from pai_daemon.notes.blocks import Structure
from pai_daemon.notes.inline import HOLDERS, scan
from pai_daemon.notes.note import Block
from pai_daemon.notes.plain import plain_text
from pai_daemon.notes.positions import Positions

_MARK = "%%"
_ELEMENTS = "Text Elements"
# A heading without words is a lone mark of a comment.
_DATA = ("", "Element Links", "Embedded Files", "Drawing")
_LONE_MARK = re.compile(r"^%%(?=[ \t]*\r?$)", re.MULTILINE)


def join_comments(positions: Positions, structure: Structure) -> Structure:
    """Return the structure with one paragraph where a comment leads from one to another.

    That is where a paragraph has a `%%` without a partner, and the next one in the note is in a paragraph
    whose `%%` are odd in number too. Any other `%%` without a partner hides nothing.
    """
    if positions.text.count(_MARK) < 2:
        return structure
    spans = list(_comment_spans(positions.text, [b for b in structure.blocks if b.depth == 0]))
    if not spans:
        return structure
    starts = [start for start, _ in spans]

    def span_of(start: int) -> tuple[int, int] | None:
        index = bisect_right(starts, start) - 1
        return spans[index] if index >= 0 and start < spans[index][1] else None

    blocks = [
        replace(block, end=span[1], end_line=positions.line(span[1] - 1), block_id=None) if span else block
        for block in structure.blocks
        if (span := span_of(block.start)) is None or (block.depth == 0 and block.start == span[0])
    ]
    texts = [
        span or text for text in structure.texts if (span := span_of(text[0])) is None or text[0] == span[0]
    ]
    return replace(structure, blocks=tuple(blocks), texts=tuple(texts))


def _comment_spans(text: str, tops: list[Block]) -> Iterator[tuple[int, int]]:
    """Yield the spans from a paragraph in which a comment is left open to that in which it is closed."""
    starts = [block.start for block in tops]
    after = 0
    for block in tops:
        if block.start < after or block.kind != "paragraph" or not _leaves_open(text, block):
            continue
        close = text.find(_MARK, block.end)
        if close < 0:
            return
        last = tops[bisect_right(starts, close) - 1]
        if last.kind == "paragraph" and text.count(_MARK, last.start, last.end) % 2:
            after = last.end
            yield block.start, after


def _leaves_open(text: str, block: Block) -> bool:
    """Return whether the last `%%` of a block has no partner in it and stands in no code."""
    last = text.rfind(_MARK, block.start, block.end)
    if last < 0:
        return False
    marks = scan(text, block.start, block.end)
    return not any(mark.start <= last < mark.end for mark in marks if mark.kind not in HOLDERS)


def opened_drawing(text: str) -> str:
    """Return the text of a drawing with an empty heading for each `%%` that stands alone on its line.

    In such a comment the plugin hides the data from Obsidian, and where a person wants it the text elements
    with it; in the drawing they are seen.
    """
    return _LONE_MARK.sub("##", text)


def hide_drawing(structure: Structure) -> Structure:
    """Return the structure of a drawing: all but the text elements is a comment, where links still count.

    The elements stand under a heading of their name, up to one that begins data or to a comment. A heading
    among them is an element.
    """
    blocks: list[Block] = []
    within = shown = False
    for block in structure.blocks:
        if block.depth == 0:
            heading = structure.headings.get(block.start)
            title = None if heading is None else plain_text(heading)
            begins = block.kind == "heading" and title == _ELEMENTS
            within = begins or (within and block.kind != "comment" and title not in _DATA)
            shown = block.kind == "frontmatter" or (within and not begins)
        if shown:
            blocks.append(block)
        elif block.depth == 0:
            blocks.append(replace(block, kind="comment", label="", block_id=None))
    return replace(structure, blocks=tuple(blocks))
