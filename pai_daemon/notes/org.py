"""Reads org files, as Emacs and Logseq write them: headlines, drawers, blocks, lists, tables, keywords.

What stands within a line is read by `org_marks`. Lines are told apart once; which of them belong together
is decided in one pass, with the ends of all blocks and drawers known ahead.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pai_daemon.notes.links import slug
from pai_daemon.notes.logseq import Graph
from pai_daemon.notes.markdown import note_title
from pai_daemon.notes.note import Block, Heading, Link, Mark, Note
from pai_daemon.notes.org_marks import TASKS, headline, org_link, plain_item, scan_org
from pai_daemon.notes.positions import Positions

_KIND = re.compile(
    r"""(?P<blank>[ \t]*$) | (?P<heading>\*+(?=[ \t])) | [ \t]*(?:
      \#\+begin_(?P<begin>\S+) [ \t]* (?P<language>[^\s:]*)
    | \#\+(?P<keyword>[\w-]+) (?:\[[^\]]*\])? :
    | (?P<comment>\#(?:[ \t]|$))
    | :(?P<drawer>[\w-]+): [ \t]*$
    | (?P<planning>(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[])
    | (?P<table>\|) | (?P<fixed>:(?:[ \t]|$)) | (?P<rule>-{5,}[ \t]*$)
    | (?P<item>(?:[-+]|(?<=[ \t])\*|[0-9]{1,9}[.)])(?=[ \t]|$)) (?:[ \t]+\[(?P<box>[ xX-])\])?
    | \[fn:(?P<footnote>[^\]\s]+)\] )""",
    re.VERBOSE | re.IGNORECASE,
)
_END = re.compile(r"[ \t]*#\+end_(\S+)[ \t]*$", re.IGNORECASE)
_TASK = re.compile(rf"\*+[ \t]+(?:{TASKS})(?=[ \t]|$)")
_PROPERTY = re.compile(r"[ \t]*:([\w-]+):[ \t]+(.*)")
_KEYWORD = re.compile(r"[ \t]*#\+([\w-]+):(.*)")
_QUOTED = re.compile(r'"([^"]*)"|([^\s"]+)')
_ID = re.compile(r"[ \t]*:(?:custom_)?id:[ \t]+(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_BLOCKS = {
    "planning": "drawer",
    "keyword": "comment",
    "fixed": "code",
    "text": "paragraph",
    "begin": "callout",
}
_BEGUN = {
    "src": "code",
    "example": "code",
    "export": "code",
    "quote": "quote",
    "verse": "quote",
    "comment": "comment",
}
_RUNS = ("text", "table", "comment", "keyword", "fixed")
_PROSE = ("heading", "paragraph", "list", "table", "quote", "callout", "footnote")


def read_org(path: str, text: str, graph: Graph | None = None) -> Note:
    """Return the note that an org file makes; any text gives one.

    Keywords and a drawer at the very beginning are its properties. `#+TITLE:` is its title, and as in
    Logseq a name that links may use. graph: the Logseq graph that the file is a page of.
    """
    scanner = _Scanner(text)
    scanner.scan()
    properties = _properties(text[: scanner.body_start])
    marks, links = _marks(text, scanner)
    headings, tags = _headings(text, scanner.blocks)
    day = graph.journal_day(path) if graph else None
    names = [
        str(properties.get("title", "")),
        *(graph.journal_names(day) if graph and day else ()),
        *([graph.page_name(path)] if graph else ()),
    ]
    title = next((name for name in names if name), note_title(path))
    aliases = _aliases(properties)
    return Note(
        path=path,
        text=text,
        title=title,
        aliases=tuple(alias for alias in aliases if slug(alias) != slug(title)),
        tags=tuple(dict.fromkeys((*_file_tags(properties, graph), *tags))),
        properties=properties,
        headings=headings,
        blocks=tuple(scanner.blocks),
        links=links,
        body_start=scanner.body_start,
        kind="org",
        names=tuple(dict.fromkeys(name for name in (*names, *aliases) if name)),
        date=day.isoformat() if day else "",
        marks=marks,
    )


def plain_org(source: str) -> str:
    """Return what a reader sees of a piece of org: no keywords, drawers, comments, stars, marks."""
    shown: list[str] = []
    drawer = False
    for line in source.splitlines():
        match = _KIND.match(line)
        kind = match.lastgroup if match else "text"
        if drawer or kind == "drawer":
            drawer = line.strip().upper() != ":END:"
        elif kind == "heading":
            shown.append(headline(line)[0])
        elif kind == "table":
            shown.append(" | ".join(plain_item(cell.strip()) for cell in line.strip().strip("|").split("|")))
        elif kind == "fixed":
            shown.append(line.strip()[1:].strip())
        elif kind not in ("language", "keyword", "comment", "planning", "rule") and not _END.match(line):
            shown.append(plain_item(line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in shown)).strip()


@dataclass(slots=True)
class _Line:
    """A line of the file. value: a block's or a drawer's name, a box of an item; stop: its last line."""

    kind: str
    start: int
    end: int
    indent: int
    value: str = ""
    stop: int = -1


class _Scanner:
    """Finds the blocks of an org file. body_start: after the properties at its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._positions = Positions(text)
        self._lines = self._told_apart()
        self.blocks: list[Block] = []
        self.verbatim: list[tuple[int, int]] = []
        self.body_start = 0

    @property
    def positions(self) -> Positions:
        """The places of the file."""
        return self._positions

    def scan(self) -> None:
        """Read all lines into blocks."""
        index = self._head()
        while index < len(self._lines):
            line = self._lines[index]
            if line.kind == "blank":
                index += 1
            elif line.kind == "item":
                index = self._list(index)
            else:
                last = self._last(index)
                self._name_heading(line, last)
                self._add(_block_kind(line), index, last, _label(line, self._text))
                index = last + 1

    def _told_apart(self) -> list[_Line]:
        """Return the lines with their kinds; a beginning without an end is text."""
        starts = self._positions.starts
        lines: list[_Line] = []
        ends: dict[str, list[int]] = defaultdict(list)
        headings: list[int] = []
        for index, start in enumerate(starts):
            raw = self._text[start : starts[index + 1] if index + 1 < len(starts) else len(self._text)]
            source = raw.rstrip("\r\n")
            match = _KIND.match(source)
            kind = ((match.lastgroup if match else None) or "text") if source.strip() else "blank"
            line = _Line(kind, start, start + len(source.rstrip()), len(source) - len(source.lstrip(" \t")))
            if match and kind == "language":
                line.kind, line.value = "begin", match["begin"].lower()
            elif match and kind == "box":
                line.kind, line.value = "item", match["box"]
            elif match and kind in ("drawer", "footnote"):
                line.value = match[kind].lower()
            lines.append(line)
            if end := _END.match(source):
                ends[f"begin {end[1].lower()}"].append(index)
            elif line.value == "end" and kind == "drawer":
                ends["drawer"].append(index)
            elif kind == "heading":
                headings.append(index)
        headings.append(len(lines))
        for index, line in enumerate(lines):
            if line.kind in ("begin", "drawer"):
                found = ends[f"begin {line.value}" if line.kind == "begin" else "drawer"]
                after = bisect_right(found, index)
                line.stop = found[after] if after < len(found) else -1
                # A headline ends whatever a drawer was; in a block it is text of the block.
                cut = line.kind == "drawer" and line.stop > headings[bisect_right(headings, index)]
                if line.stop < 0 or cut:
                    line.kind, line.stop = "text", -1
        return lines

    def _head(self) -> int:
        """Take in keywords and drawers at the beginning as frontmatter; return the line after them."""
        index = after = 0
        while index < len(self._lines):
            line = self._lines[index]
            if line.kind in ("keyword", "drawer"):
                index = after = max(line.stop, index) + 1
            elif line.kind in ("comment", "blank"):
                index += 1
            else:
                break
        if after:
            first = next(i for i, line in enumerate(self._lines) if line.kind != "blank")
            self._add("frontmatter", first, after - 1)
            self.body_start = self._lines[after].start if after < len(self._lines) else len(self._text)
        return after

    def _last(self, index: int) -> int:
        """Return the last line of the block that begins at a line."""
        line = self._lines[index]
        if line.stop > index:
            return line.stop
        follow = "text" if line.kind == "footnote" else line.kind if line.kind in _RUNS else None
        while index + 1 < len(self._lines) and self._lines[index + 1].kind == follow:
            index += 1
        return index

    def _list(self, index: int) -> int:
        """Take in a list with its items and the lists in them; return the line after it."""
        base = self._lines[index].indent
        # For each list that is open: its indentation, and where it and its last item are in the blocks.
        stack: list[tuple[int, int, int]] = []
        last = index
        while index < len(self._lines):
            line = self._lines[index]
            if line.kind == "blank":
                after = self._lines[index + 1] if index + 1 < len(self._lines) else line
                is_item = after.kind == "item" and after.indent >= base
                if after.kind in ("blank", "heading") or not (is_item or after.indent > base):
                    break
            elif line.kind == "item" and line.indent >= base:
                self._item(stack, index, last)
                last = index
            elif line.indent > base and line.kind != "heading":
                last = max(line.stop, index)
                if line.kind in ("begin", "drawer"):
                    self._add(_block_kind(line), index, last, _label(line, self._text), 2 * len(stack))
                index = last
            else:
                break
            index += 1
        self._close(stack, last, -1)
        return last + 1

    def _item(self, stack: list[tuple[int, int, int]], index: int, last: int) -> None:
        """Open an item, in the list of its indentation or in a new one."""
        line = self._lines[index]
        self._close(stack, last, line.indent)
        if stack and stack[-1][0] == line.indent:
            indent, opened, item = stack.pop()
            self._end(item, last)
        else:
            indent, opened = line.indent, len(self.blocks)
            self._add("list", index, index, "", 2 * len(stack))
        stack.append((indent, opened, len(self.blocks)))
        self._add("item", index, index, line.value, 2 * len(stack) - 1)

    def _close(self, stack: list[tuple[int, int, int]], last: int, indent: int) -> None:
        """Close the lists that are indented more than indent, at the last line."""
        while stack and stack[-1][0] > indent:
            _, opened, item = stack.pop()
            self._end(item, last)
            self._end(opened, last)

    def _end(self, place: int, last: int) -> None:
        """Let the block at a place of the blocks end with a line."""
        block = self.blocks[place]
        end = self._lines[last].end
        self.blocks[place] = Block(
            block.kind, block.start, end, block.start_line, last + 1, None, block.depth, block.label
        )

    def _name_heading(self, line: _Line, last: int) -> None:
        """Give the id in a drawer right under a headline to the headline."""
        above = self.blocks[-1] if self.blocks else None
        if line.kind != "drawer" or above is None or above.kind != "heading":
            return
        if found := _ID.search(self._text, line.start, self._lines[last].end):
            self.blocks[-1] = Block(
                above.kind, above.start, above.end, above.start_line, above.end_line, found[1], 0, above.label
            )

    def _add(self, kind: str, first: int, last: int, label: str = "", depth: int = 0) -> None:
        """Append the block of these lines."""
        start, end = self._lines[first].start, self._lines[last].end
        if kind in ("code", "comment", "drawer"):
            self.verbatim.append((start, end))
        self.blocks.append(Block(kind, start, end, first + 1, last + 1, None, depth, label))


def _block_kind(line: _Line) -> str:
    """Return the kind of the block that begins with a line."""
    if line.kind == "begin":
        return _BEGUN.get(line.value, "callout")
    return _BLOCKS.get(line.kind, line.kind)


def _label(line: _Line, text: str) -> str:
    """Return the label of the block that begins with a line."""
    source = text[line.start : line.end]
    if line.kind == "heading":
        return str(len(source) - len(source.lstrip("*")))
    if line.kind == "begin" and line.value == "src":
        match = _KIND.match(source)
        return match["language"] if match else ""
    return line.value if line.kind == "footnote" or _block_kind(line) == "callout" else ""


def _marks(text: str, scanner: _Scanner) -> tuple[tuple[Mark, ...], tuple[Link, ...]]:
    """Return the marks in prose and the links among them."""
    marks: list[Mark] = []
    links: list[Link] = []
    hidden = 0
    verbatim = [*scanner.verbatim, (len(text), len(text))]
    for block in scanner.blocks:
        if block.depth or block.kind not in _PROSE:
            continue
        start = block.start
        while start < block.end:
            while verbatim[hidden][1] <= start and hidden + 1 < len(verbatim):
                hidden += 1
            end = max(start, min(block.end, verbatim[hidden][0]))
            for mark in scan_org(text, start, end):
                marks.append(mark)
                if link := org_link(text, mark, scanner.positions.line(mark.start)):
                    links.append(link)
            start = verbatim[hidden][1] if end < block.end else block.end
    return tuple(marks), tuple(links)


def _headings(text: str, blocks: list[Block]) -> tuple[tuple[Heading, ...], list[str]]:
    """Return the headlines and their tags."""
    headings: list[Heading] = []
    tags: list[str] = []
    for block in blocks:
        if block.kind == "heading":
            title, found = headline(text[block.start : block.end])
            tags += found
            headings.append(Heading(int(block.label), title, block.start_line, block.start, block.end))
    return tuple(headings), tags


def _properties(head: str) -> dict[str, Any]:
    """Return the keywords and the drawer of a file's head; of one name, the texts after each other."""
    properties: dict[str, Any] = {}
    for line in head.splitlines():
        match = _KEYWORD.match(line) or _PROPERTY.match(line)
        if match:
            key, value = match[1].lower(), match[2].strip()
            properties[key] = f"{properties[key]} {value}" if key in properties else value
    return properties


def _aliases(properties: dict[str, Any]) -> list[str]:
    """Return the other names of a file: Logseq's `#+ALIAS: a, b`, org-roam's `:ROAM_ALIASES: "a b" c`."""
    names = [*str(properties.get("alias", "")).split(",")]
    names += (match[1] or match[2] or "" for match in _QUOTED.finditer(properties.get("roam_aliases", "")))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _file_tags(properties: dict[str, Any], graph: Graph | None) -> list[str]:
    """Return the tags of the whole file; `#+TAGS:` gives a page's tags in Logseq and none in Emacs."""
    found = re.split(r"[:\s]+", properties.get("filetags", ""))
    if graph:
        found += (tag.strip().lstrip("#") for tag in properties.get("tags", "").split(","))
    return [tag for tag in found if tag]
