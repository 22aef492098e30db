"""The structure of a Logseq page: bullets within bullets, and what stands in them.

Read line by line with mldoc's rules: a line that begins with `-` is a bullet at any indentation, unless it
lies in code, a `#+BEGIN_` block, a drawer, math or HTML that is closed somewhere below (`closers`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pai_daemon.notes.closers import Closers
from pai_daemon.notes.note import Block
from pai_daemon.notes.positions import line_starts
from pai_daemon.notes.properties import DRAWN_PROPERTY, PROPERTY, Property, is_text, normal_key
from pai_daemon.notes.references import UUID

# Each is matched within one line, and ends with it at the latest.
_BULLET = re.compile(r"([ \t]*)-(?:[ \t]+|\Z)")
_HEADING = re.compile(r"[ \t]*(#+)(?:[ \t]+|\Z)")
_MARKED = re.compile(
    r"(?:(?P<level>#+)(?:[ \t]+|\Z))?"
    r"(?:(?P<task>TODO|DOING|NOW|LATER|WAITING|WAIT|DONE|CANCELED|CANCELLED|IN-PROGRESS|STARTED)[ \t]+)?"
    r"(?:\[\#[A-Z]\](?:[ \t]+|\Z))?"
)
_DRAWER = re.compile(r"[ \t]*:([^\s:]+):[ \t]*\Z")
_BEGIN = re.compile(r"[ \t]*#\+BEGIN_(\S+)[ \t]*(\S*)", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(?:```|~~~)[`~]*[ \t]*([^\s`]*)")
_QUOTE = re.compile(r"[ \t]*>")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*\Z")
_RULE = re.compile(r"[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*\Z")
_CLOCK = re.compile(r"[ \t]*CLOCK:[ \t]")
# A line that begins like this does not go on with the quote before it.
_NO_QUOTE = re.compile(r"[ \t]*(?:-(?:[ \t]|\Z)|[#:|]|```|~~~|[^\s:]+::(?:[ \t]|\Z))")
_UUID = re.compile(UUID)
_BLOCKS = {"src": "code", "example": "code", "export": "code", "query": "comment", "comment": "comment"}
_CALLOUTS = ("note", "tip", "important", "caution", "warning", "pinned")


@dataclass(frozen=True, slots=True)
class Outline:
    """A page's structure.

    prose: spans in which marks may stand, in order. properties: those of the first run of each block, for
    Logseq reads no other. page_block: the index of a first bullet that begins with properties, which are
    the page's then; else -1.
    """

    blocks: tuple[Block, ...]
    prose: tuple[tuple[int, int], ...]
    properties: tuple[Property, ...]
    has_bullets: bool
    page_block: int


def read_bullets(text: str, body_start: int = 0) -> Outline:
    """Return the structure of the page whose body begins at body_start; offsets are those of text."""
    reader = _Reader(text, body_start)
    reader.read()
    return reader.finish()


@dataclass(slots=True)
class _Open:
    """A block that may still grow. level: how far its bullet is indented, -1 for any but an item."""

    kind: str
    start: int
    end: int
    depth: int
    label: str = ""
    level: int = -1
    block_id: str | None = None


class _Here(NamedTuple):
    """What is left of a line, counted from 0: the offsets of where it begins and ends."""

    line: int
    start: int
    end: int


class _Reader:
    """Reads a page line by line; a rule answers where what it has read ends, or -1."""

    def __init__(self, text: str, body_start: int) -> None:
        self._text = text
        self._starts = line_starts(text, body_start)
        self._first_line = len(line_starts(text[:body_start])) if body_start else 1
        self._closers = Closers(text)
        self._blocks: list[_Open] = []
        self._items: list[_Open] = []
        self._bullets = 0
        self._owner = -1
        self._page_block = -1
        self._prose: list[tuple[int, int]] = []
        self._goes_on = False
        self._properties: list[Property] = []
        self._runs: dict[int, int] = {}

    def read(self) -> None:
        """Read all lines."""
        line = 0
        while line < len(self._starts):
            start, end = self._starts[line], self._line_end(line)
            if bullet := _BULLET.match(self._text, start, end):
                line = self._bullet(line, bullet, end)
            elif heading := _HEADING.match(self._text, start, end):
                self._leave(0)
                self._leaf("heading", heading.start(1), end, str(len(heading[1])))
                self._owner = len(self._blocks) - 1
                self._add_prose(heading.end(), end)
                line += 1
            else:
                line = self._content(line, start, end)
        self._leave(0)

    def finish(self) -> Outline:
        """Return everything read."""
        blocks = tuple(
            Block(
                block.kind,
                block.start,
                block.end,
                self._line(block.start) + self._first_line,
                self._line(block.end - 1) + self._first_line,
                block.block_id,
                block.depth,
                block.label,
            )
            for block in self._blocks
        )
        properties = tuple(self._properties)
        return Outline(blocks, tuple(self._prose), properties, self._bullets > 0, self._page_block)

    def _line(self, offset: int) -> int:
        """Return the line that holds the offset, counted from 0."""
        return bisect_right(self._starts, offset) - 1

    def _line_end(self, line: int) -> int:
        """Return where a line ends, without its line break."""
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)
        while end > self._starts[line] and self._text[end - 1] in "\r\n":
            end -= 1
        return end

    def _bullet(self, line: int, bullet: re.Match[str], end: int) -> int:
        """Open an item, and read what follows its bullet, marker and priority.

        An indentation between that of a bullet and that of its children is read as the children's.
        """
        self._bullets += 1
        indentation = level = len(bullet[1])
        while self._items and self._items[-1].level >= indentation:
            level = self._items[-1].level
            self._leave(len(self._items) - 1)
        marked = _MARKED.match(self._text, bullet.end(), end)
        assert marked is not None  # every part of it may be missing
        start, content = bullet.end(1), marked.end()
        if not self._blocks and PROPERTY.match(self._text, content, end):
            self._page_block = 0
        stop = start + len(self._text[start:content].rstrip())
        item = _Open("item", start, stop, len(self._items), marked["task"] or "", level)
        self._blocks.append(item)
        self._items.append(item)
        self._owner = len(self._blocks) - 1
        self._goes_on = False
        after = self._content(line, content, end)
        is_text = self._owner == len(self._blocks) - 1 and not self._text[content:end].isspace()
        if marked["level"] and content < end and is_text:
            self._leaf("heading", marked.start("level"), end, str(len(marked["level"])))
        return after

    def _leave(self, depth: int) -> None:
        """Close the items from this depth on; each ends with the last of what lies in it."""
        while len(self._items) > depth:
            self._grow_to(self._items.pop().end)

    def _grow_to(self, end: int) -> None:
        """Let the innermost item reach to end."""
        if self._items:
            self._items[-1].end = max(self._items[-1].end, end)

    def _leaf(self, kind: str, start: int, end: int, label: str = "", inner: int = 0) -> None:
        """Append a block that holds no items, without the white space around it; drawers in turn are one.

        inner: 1 for a block within the last one.
        """
        part = self._text[start:end]
        end = start + len(part.rstrip())
        start += len(part) - len(part.lstrip())
        if start >= end:
            return
        depth = len(self._items) + inner
        last = self._blocks[-1] if self._blocks else None
        if last is not None and last.kind == kind == "drawer" and last.depth == depth:
            last.end = end
        else:
            self._blocks.append(_Open(kind, start, end, depth, label))
        self._grow_to(end)
        self._goes_on = False

    def _add_prose(self, start: int, end: int) -> None:
        """Let marks stand in this span."""
        if start < end:
            self._prose.append((start, end))

    def _content(self, line: int, start: int, end: int) -> int:
        """Read what begins at start, in this line, and return the line to go on with."""
        part = self._text[start:end].lstrip()
        if not part:
            self._goes_on = self._goes_on and bool(self._items)
            return line + 1
        for rule in (*_RULES.get(part[0], ()), _Reader._property):
            stop = rule(self, _Here(line, start, end))
            if stop >= 0:
                break
        else:
            self._plain(start, end)
            return line + 1
        last = self._line(max(stop - 1, start))
        self._plain(stop, self._line_end(last))
        return last + 1

    def _plain(self, start: int, end: int) -> None:
        """Add text to the item it stands in, outside all items to a paragraph."""
        part = self._text[start:end].rstrip()
        if not part:
            return
        goes_on = self._goes_on
        self._grow_to(start + len(part))
        if not self._items and goes_on:
            self._blocks[-1].end = start + len(part)
        elif not self._items:
            self._leaf("paragraph", start, end)
        if goes_on:
            self._prose[-1] = (self._prose[-1][0], end)
        else:
            self._add_prose(start, end)
        self._goes_on = True

    def _fence(self, here: _Here) -> int:
        """Read a block of fenced code."""
        fence = _FENCE.match(self._text, here.start, here.end)
        close = self._closers.line_after("fence", here.start) if fence else -1
        if fence is None or close < 0:
            return -1
        stop = self._line_end(self._line(close))
        self._leaf("code", here.start, stop, fence[1])
        return stop

    def _begin(self, here: _Here) -> int:
        """Read `#+BEGIN_NAME` up to `#+END_NAME`; these two lines are no text, and comments therefore."""
        begin = _BEGIN.match(self._text, here.start, here.end)
        name = begin[1].lower() if begin else ""
        close = self._closers.line_after(name, here.start)
        if begin is None or close < 0:
            return -1
        stop = self._line_end(self._line(close))
        kind = _BLOCKS.get(name, "callout" if name in _CALLOUTS else "quote")
        if kind == "comment":
            self._leaf(kind, here.start, stop)
        elif kind == "code":
            self._leaf("comment", here.start, here.end)
            self._leaf(kind, here.end, close, begin[2] if name == "src" else "")
            self._leaf("comment", close, stop)
        else:
            self._leaf(kind, here.start, stop, name if kind == "callout" else "")
            self._leaf("comment", here.start, here.end, inner=1)
            self._leaf("comment", close, stop, inner=1)
            self._add_prose(here.end, close)
        return stop

    def _drawer(self, here: _Here) -> int:
        """Read `:NAME:` up to `:END:`; what stands in `:PROPERTIES:` are properties."""
        drawer = _DRAWER.match(self._text, here.start, here.end)
        close = self._closers.line_after("drawer", here.start) if drawer else -1
        if drawer is None or close < 0:
            return -1
        last = self._line(close)
        if drawer[1].lower() == "properties":
            for row in range(here.line + 1, last):
                place = _Here(row, self._starts[row], self._line_end(row))
                if match := DRAWN_PROPERTY.match(self._text, place.start, place.end):
                    self._keep(place, match)
        stop = self._line_end(last)
        self._leaf("drawer", here.start, stop)
        return stop

    def _math(self, here: _Here) -> int:
        """Read a formula between `$$` and `$$`."""
        begin = self._text.index("$", here.start)
        stop = self._closers.mark_end("$$", begin + 2) if self._text.startswith("$$", begin) else -1
        if stop >= 0:
            self._leaf("math", begin, stop)
        return stop

    def _html(self, here: _Here) -> int:
        """Read a comment of HTML, or an element with all that stands in it."""
        begin = self._text.index("<", here.start)
        is_comment = self._text.startswith("<!--", begin)
        stop = self._closers.mark_end("-->", begin + 4) if is_comment else self._closers.tag_end(begin)
        if stop >= 0:
            self._leaf("comment" if is_comment else "html", begin, stop)
        return stop

    def _quote(self, here: _Here) -> int:
        """Read lines that begin with `>`, and those that go on with them."""
        line, end = here.line, here.end
        while line + 1 < len(self._starts):
            begin, stop = self._starts[line + 1], self._line_end(line + 1)
            if not self._text[begin:stop].strip() or _NO_QUOTE.match(self._text, begin, stop):
                break
            line, end = line + 1, stop
        self._leaf("quote", here.start, end)
        self._add_prose(here.start, end)
        return end

    def _table(self, here: _Here) -> int:
        """Read the rows of a table; one row alone is text."""
        line, start, end = here
        while _ROW.match(self._text, start, self._line_end(line)):
            end = self._line_end(line)
            line += 1
            if line == len(self._starts):
                break
            start = self._starts[line]
        if line < here.line + 2:
            return -1
        self._leaf("table", here.start, end)
        self._add_prose(here.start, end)
        return end

    def _rule(self, here: _Here) -> int:
        """Read a horizontal rule; right after a bullet it would be text."""
        if here.start != self._starts[here.line] or not _RULE.match(self._text, here.start, here.end):
            return -1
        self._leaf("rule", here.start, here.end)
        return here.end

    def _clock(self, here: _Here) -> int:
        """Read a line that says how long a task took."""
        if not _CLOCK.match(self._text, here.start, here.end):
            return -1
        self._leaf("drawer", here.start, here.end)
        return here.end

    def _property(self, here: _Here) -> int:
        """Read a property: text, or a drawer where only Logseq needs it."""
        match = PROPERTY.match(self._text, here.start, here.end)
        if match is None or (match[2] and self._owner >= 0):
            return -1
        found = self._keep(here, match)
        if not is_text(found.key, of_page=self._owner in (-1, self._page_block)):
            self._leaf("drawer", here.start, here.end)
            return here.end
        self._grow_to(found.end)
        if not self._items:
            self._leaf("paragraph", here.start, here.end)
        self._goes_on = False
        if not found.is_list and not found.is_quoted:
            self._add_prose(found.value_start, found.end)
        return here.end

    def _keep(self, here: _Here, match: re.Match[str]) -> Property:
        """Return the property of this line, which counts if it stands in the first run of its block."""
        part = self._text[here.start : here.end]
        start, end = here.start + len(part) - len(part.lstrip()), here.start + len(part.rstrip())
        key = next(normal_key(group) for group in match.groups() if group)
        value = self._text[match.end() : end].strip()
        owner = self._owner
        found = Property(key, value, start, end, match.end(), here.line + self._first_line, owner)
        if self._runs.get(owner, here.line - 1) == here.line - 1:
            self._runs[owner] = here.line
            self._properties.append(found)
            if owner >= 0 and key in ("id", "custom-id") and _UUID.fullmatch(value):
                self._blocks[owner].block_id = value
        return found


_Rule = Callable[[_Reader, _Here], int]
_RULES: dict[str, tuple[_Rule, ...]] = {
    "`": (_Reader._fence,),
    "~": (_Reader._fence,),
    "#": (_Reader._begin,),
    ":": (_Reader._drawer,),
    "$": (_Reader._math,),
    "<": (_Reader._html,),
    ">": (_Reader._quote,),
    "|": (_Reader._table,),
    "-": (_Reader._rule,),
    "*": (_Reader._rule,),
    "_": (_Reader._rule,),
    "C": (_Reader._clock,),
}
