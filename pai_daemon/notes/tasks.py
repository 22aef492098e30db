"""The tasks of a note, whichever program wrote them. Pure.

Obsidian's items with a box, with the dates and priorities of the plugins Tasks, Dataview, Kanban and
Reminder; Logseq's and org's items and headlines with a marker, `SCHEDULED:` and `DEADLINE:`. A line of code
that looks like one is none: only blocks of the note are read.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from sys import intern
from typing import Literal

from pai_daemon.notes.markdown import property_tags
from pai_daemon.notes.note import Block, Note
from pai_daemon.notes.org_marks import TASKS, headline

Status = Literal["open", "done", "cancelled"]
# A list of ten thousand boxes is data; what a person has to do is less.
MAX_TASKS = 2_000
MAX_TEXT_CHARACTERS = 500
MAX_WITHIN_CHARACTERS = 120

_DAY = r"(\d{4}-\d\d-\d\d)"
_EMOJI = re.compile(rf"([\U0001F4C5\U0001F4C6\U0001F5D3⏳⌛\U0001F6EB✅❌])\ufe0f?[ \t]{{0,4}}{_DAY}")
_FIELD = re.compile(
    rf"[\[(][ \t]{{0,4}}(due|scheduled|start|completion|cancelled)[ \t]{{0,4}}::[ \t]{{0,4}}{_DAY}",
    re.IGNORECASE,
)
_AT = re.compile(rf"(@)\{{{_DAY}\}}|\((@){_DAY}")
_PLANNED = re.compile(rf"\b(SCHEDULED|DEADLINE|CLOSED):[ \t]{{0,4}}[<\[]{_DAY}")
_KINDS = {
    **dict.fromkeys(("\U0001f4c5", "\U0001f4c6", "\U0001f5d3", "due", "deadline", "@"), "due"),
    **dict.fromkeys(("⏳", "⌛", "scheduled"), "scheduled"),
    **dict.fromkeys(("\U0001f6eb", "start"), "start"),
    **dict.fromkeys(("✅", "completion", "❌", "cancelled", "closed"), "finished"),
}
_PRIORITY = re.compile(
    r"(\U0001F53A|⏫|\U0001F53C|\U0001F53D|⏬)|\[#([A-C])\]|[\[(]priority::[ \t]{0,4}(\w{1,10})"
)
_PRIORITIES = {
    "\U0001f53a": "highest",
    "⏫": "high",
    "\U0001f53c": "medium",
    "\U0001f53d": "low",
    "⏬": "lowest",
    "A": "high",
    "B": "medium",
    "C": "low",
}
_LEAD = re.compile(
    r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]+(?:\[[^\]\n]\](?:[ \t]+|$))?"
    r"(?:#+[ \t]+)?(?:[A-Z-]{3,12}(?=[ \t])[ \t]+)?(?:\[#[A-Z]\][ \t]*)?"
)
_BOX_LEAD = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[^\]\n]\](?:[ \t]+|$))?")
_HEADLINE = re.compile(rf"\*+[ \t]+({TASKS})(?=[ \t]|$)[ \t]*(?:\[#[A-Za-z0-9]\][ \t]*)?")
_BLOCK_ID = re.compile(r"[ \t]+\^[A-Za-z0-9-]+[ \t]*$")
_DONE = ("x", "X", "DONE")
_CANCELLED = ("-", "CANCELED", "CANCELLED", "KILL")
# What the usual themes draw as a bookmark, a quote, an idea and the like; a plugin's settings go before.
_NO_TASKS = frozenset('"*bcdfikulnpwIS')


@dataclass(frozen=True, slots=True)
class Task:
    """A task. text: the rest of its line as it is written, which is note.text[start:end].

    mark: of its box or its marker, see `status_of`. due, scheduled, start, finished: days of ISO 8601,
    empty where none is said. priority: highest, high, medium, low, lowest or empty. heading_path: above it.
    within: how the items around it begin, the outermost first. tags: of its line, of what is around it, and
    of the note outside of its lists.
    """

    text: str
    mark: str
    line: int
    start: int
    end: int
    due: str = ""
    scheduled: str = ""
    starts: str = ""
    finished: str = ""
    priority: str = ""
    heading_path: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    block_id: str | None = None


def status_of(mark: str, assigned: Mapping[str, str]) -> Status | None:
    """Return what a mark says, None where it makes no task.

    assigned: marks to types of the plugin Tasks, such as `IN_PROGRESS`, where its settings name any.
    """
    if kind := assigned.get(mark):
        if kind == "NON_TASK":
            return None
        return "done" if kind == "DONE" else "cancelled" if kind == "CANCELLED" else "open"
    if mark in _NO_TASKS:
        return None
    return "done" if mark in _DONE else "cancelled" if mark in _CANCELLED else "open"


def tasks_of(note: Note) -> tuple[Task, ...]:
    """Return the tasks of a note, in order; of very many the first."""
    may_have = note.kind == "org" or any(block.label and block.kind == "item" for block in note.blocks)
    if not may_have:  # as most notes
        return ()
    return tuple(task for task, _ in zip(_Reader(note).tasks(), range(MAX_TASKS), strict=False))


class _Reader:
    """Goes through the blocks of a note once."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._text = note.text
        self._headings = {heading.start: heading for heading in note.headings}
        self._path: list[tuple[int, str, tuple[str, ...]]] = []
        # For each item that is open: its depth, how it begins, and its tags.
        self._items: list[tuple[int, str, tuple[str, ...]]] = []
        tags = [mark for mark in note.marks if mark.kind == "tag"]
        self._tag_starts = [mark.start for mark in tags]
        self._tag_names = [intern(mark.inner.strip("/ ")) for mark in tags]
        self._note_tags = tuple(self._of_note())

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks in order."""
        for index, block in enumerate(self._note.blocks):
            if block.depth == 0:
                self._items.clear()
            if block.kind == "heading" and block.depth == 0:
                yield from self._heading(index, block)
            elif block.kind == "item":
                yield from self._item(index, block)

    def _of_note(self) -> Iterator[str]:
        """Yield the tags that speak of the whole note: its properties', and those outside of its lists."""
        yield from property_tags(self._note.properties)
        if self._note.kind == "org":
            yield from filter(None, re.split(r"[:\s]+", str(self._note.properties.get("filetags", ""))))
        for block in self._note.top_blocks():
            if block.kind not in ("list", "item"):
                yield from self._tags(block.start, block.end)

    def _tags(self, start: int, end: int) -> list[str]:
        return self._tag_names[bisect_left(self._tag_starts, start) : bisect_left(self._tag_starts, end)]

    def _heading(self, index: int, block: Block) -> Iterator[Task]:
        heading = self._headings.get(block.start)
        if heading is None:
            return
        while self._path and self._path[-1][0] >= heading.level:
            self._path.pop()
        tags: tuple[str, ...] = ()
        if self._note.kind == "org":
            first = self._text[block.start : block.end]
            tags = headline(first)[1]
            if marked := _HEADLINE.match(first):
                after = self._note.blocks[index + 1 : index + 2]
                planned = after[0].end if after and after[0].kind == "drawer" else block.end
                start = block.start + marked.end()
                yield from self._task(block, (start, block.end, planned), marked[1], tags)
        self._path.append((heading.level, heading.text, tags))

    def _item(self, index: int, block: Block) -> Iterator[Task]:
        while self._items and self._items[-1][0] >= block.depth:
            self._items.pop()
        newline = self._text.find("\n", block.start, block.end)
        line_end = block.end if newline < 0 else newline
        lead = _LEAD if len(block.label) > 1 else _BOX_LEAD
        match = lead.match(self._text, block.start, line_end)
        start = match.end() if match else block.start
        tags = tuple(self._tags(block.start, line_end))
        if block.label:
            # In org a box with a minus is of an item that is done in parts.
            mark = "/" if self._note.kind == "org" and block.label == "-" else block.label
            yield from self._task(block, (start, line_end, self._own_end(index)), mark, tags)
        begins = self._text[start : min(line_end, start + MAX_WITHIN_CHARACTERS)].strip()
        self._items.append((block.depth, begins, tags))

    def _own_end(self, index: int) -> int:
        """Return where the text of an item ends before the first item within it; a box's is its line."""
        block = self._note.blocks[index]
        for inner in self._note.blocks[index + 1 : index + 12]:
            if inner.depth <= block.depth:
                break
            if inner.kind in ("list", "item"):
                return inner.start
        return block.end

    def _task(
        self, block: Block, span: tuple[int, int, int], mark: str, tags: tuple[str, ...]
    ) -> Iterator[Task]:
        """Yield the task of a block. span: where its text begins and ends, and its planning ends."""
        start, end, planned_end = span
        written = self._text[start:end]
        text = _BLOCK_ID.sub("", written.rstrip()).strip()[:MAX_TEXT_CHARACTERS]
        if not text or "<%" in text or "{{" in text[:2]:
            return  # an empty box, or one that a template fills
        start += written.index(text)
        days = dict[str, str]()
        looked_at = self._text[block.start : end][: 2 * MAX_TEXT_CHARACTERS]
        for pattern in (_EMOJI, _FIELD, _AT):
            for match in pattern.finditer(looked_at):
                _keep(days, *filter(None, match.groups()))
        if len(mark) > 1:
            for match in _PLANNED.finditer(self._text, block.start, min(planned_end, block.start + 2_000)):
                _keep(days, match[1], match[2])
        around = [*(tag for _, _, found in self._path for tag in found), *self._note_tags]
        around += (tag for _, _, found in self._items for tag in found)
        yield Task(
            text=text,
            mark=intern(mark),
            line=block.start_line,
            start=start,
            end=start + len(text),
            due=days.get("due", ""),
            scheduled=days.get("scheduled", ""),
            starts=days.get("start", ""),
            finished=days.get("finished", ""),
            priority=_priority(looked_at),
            heading_path=tuple(intern(heading) for _, heading, _ in self._path),
            within=tuple(begins for _, begins, _ in self._items if begins),
            tags=tuple(dict.fromkeys((*tags, *around))),
            block_id=block.block_id,
        )


def _keep(days: dict[str, str], sign: str, day: str) -> None:
    """Take in a day under what its sign says, if there is such a day."""
    try:
        date.fromisoformat(day)
    except ValueError:
        return
    days.setdefault(_KINDS[sign.lower()], day)


def _priority(line: str) -> str:
    match = _PRIORITY.search(line)
    if match is None:
        return ""
    named = (match[3] or "").lower()
    return _PRIORITIES.get(match[1] or match[2] or "", named if named in _PRIORITIES.values() else "")
