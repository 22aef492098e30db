"""The tasks of all notes, found by what they are and not by what is near them (D65).

What is asked for by words is matched with a task's line, with what stands above it, and with its note's
names, folders and tags; each word must occur. Nothing is guessed, so that the list is whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.filters import EVERYTHING, Filter, fold, fold_tag, tag_closure
from pai_daemon.context.passage import Passage
from pai_daemon.context.search import Searcher
from pai_daemon.context.store.rows import StoredChunk
from pai_daemon.errors import UsageError
from pai_daemon.notes.language import is_stop_word
from pai_daemon.notes.tasks import Status, Task, status_of
from pai_daemon.vault.folder import read_task_statuses

Wanted = Literal["open", "done", "cancelled", "all"]
_PRIORITIES = {"highest": 0, "high": 1, "medium": 2, "": 3, "low": 4, "lowest": 5}
_LAST = "9999-12-31"
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("s", "es", "e", "n", "en", "er")
_MIN_STEM, _MIN_PART = 3, 4
_AHEAD = re.compile(r"([0-9]{1,4})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks are looked for; empty fields mean all.

    words: each must occur. due_since, due_before: days, since included, before excluded; of a task without a
    day on which it is due the day for which it is scheduled counts. planned: both count. overdue: only those
    that were due before today. finished_since, finished_before: when it was done. chosen: of which notes; its
    tags may be the task's own.
    """

    status: Wanted = "open"
    words: str = ""
    due_since: str = ""
    due_before: str = ""
    planned: bool = False
    overdue: bool = False
    finished_since: str = ""
    finished_before: str = ""
    chosen: Filter = EVERYTHING


@dataclass(frozen=True, slots=True)
class FoundTask:
    """A task and where it stands.

    text: the rest of its line, as it is written. mark: of its box, or its marker such as TODO. Days are of
    ISO 8601, empty where none is said. overdue: open, and was due before today. within: how the items around
    it begin. Lines are 1-based, characters are code points of the note's text. stale: the note has changed
    since it was read.
    """

    text: str
    status: Status
    mark: str
    due: str
    scheduled: str
    start: str
    finished: str
    priority: str
    overdue: bool
    tags: tuple[str, ...]
    within: tuple[str, ...]
    path: str
    title: str
    heading_path: tuple[str, ...]
    line: int
    start_char: int
    end_char: int
    block_id: str | None
    content_hash: str
    stale: bool
    link: str
    uri: str


@dataclass(frozen=True, slots=True)
class TaskList:
    """Tasks in the order in which they press. total: how many there are, overdue: how many of these are."""

    tasks: tuple[FoundTask, ...]
    total: int
    overdue: int
    revision: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A task, its note, and what its mark says."""

    task: Task
    note: IndexedNote
    status: Status


def find_tasks(searcher: Searcher, query: TaskQuery, today: date, limit: int) -> TaskList:
    """Return the tasks that a query asks for: what is due first, then what is important.

    Those that are done come with the last first. Words that no task has in this form are looked for within
    longer ones.
    """
    revision = searcher.index.revision
    passed = today.isoformat()
    found = [
        placed for placed in _of_notes(searcher, query) if not query.overdue or _is_overdue(placed, passed)
    ]
    if wanted := _alternatives(searcher, query.words):
        words = {id(placed): _words_of(placed) for placed in found}
        exact = [placed for placed in found if _has(words[id(placed)], wanted, _alike)]
        found = exact or [placed for placed in found if _has(words[id(placed)], wanted, _within)]
    found.sort(key=_pressing)
    if query.status == "done":
        found.sort(key=lambda placed: placed.task.finished, reverse=True)
    return TaskList(
        tasks=tuple(_found(searcher, placed, passed) for placed in found[:limit]),
        total=len(found),
        overdue=sum(_is_overdue(placed, passed) for placed in found),
        revision=revision,
    )


def passage_of(searcher: Searcher, task: FoundTask) -> Passage:
    """Return a task as what an answer can rest on: the span of its line."""
    return searcher.excerpt(
        StoredChunk(
            path=task.path,
            ordinal=0,
            content_hash=task.content_hash,
            vector_key="",
            title=task.title,
            heading_path=task.heading_path,
            text=task.text,
            content=task.text,
            start_line=task.line,
            end_line=task.line,
            start_char=task.start_char,
            end_char=task.end_char,
            block_ids=(task.block_id,) if task.block_id else (),
        )
    )


def day_ahead(written: str, today: date) -> str:
    """Return a day as ISO 8601 has it, empty for none. Raises UsageError.

    written: such a day, `today`, `tomorrow`, or in how long: `7d`, `2w`, `3m` (of 30 days), `1y`.
    """
    text = written.strip().lower()
    if text in ("", "today"):
        return today.isoformat() if text else ""
    if text == "tomorrow":
        return (today + timedelta(days=1)).isoformat()
    try:
        if ahead := _AHEAD.fullmatch(text):
            return (today + timedelta(days=int(ahead[1]) * _DAYS[ahead[2]])).isoformat()
        return date.fromisoformat(text).isoformat()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{written!r} is no day.", hint="Write 2026-12-01, today, tomorrow, or 7d for in seven days."
        ) from None


def _of_notes(searcher: Searcher, query: TaskQuery) -> Iterator[_Placed]:
    """Yield the tasks that pass all but the words."""
    assigned = read_task_statuses(searcher.vault)
    tags = {fold_tag(tag) for tag in query.chosen.tags}
    chosen = replace(query.chosen, tags=())
    passing = searcher.paths(chosen) if chosen else None
    for note in searcher.index.catalog.notes():
        if not note.tasks or (passing is not None and note.path not in passing):
            continue
        for task in note.tasks:
            status = status_of(task.mark, assigned)
            if (
                status is not None
                and query.status in ("all", status)
                and _is_when(task, query)
                and (not tags or tags <= tag_closure(task.tags))
            ):
                yield _Placed(task, note, status)


def _is_when(task: Task, query: TaskQuery) -> bool:
    """Return whether a task is due, and was finished, when a query says."""
    days = (task.due, task.scheduled) if query.planned else (task.due or task.scheduled,)
    if (query.due_since or query.due_before) and not any(
        day and query.due_since <= day < (query.due_before or _LAST) for day in days
    ):
        return False
    if query.finished_since or query.finished_before:
        day = task.finished
        return bool(day) and query.finished_since <= day < (query.finished_before or _LAST)
    return True


def _pressing(placed: _Placed) -> tuple[str, int, str, int]:
    task = placed.task
    return (
        task.due or task.scheduled or _LAST,
        _PRIORITIES.get(task.priority, 3),
        placed.note.path,
        task.line,
    )


def _is_overdue(placed: _Placed, today: str) -> bool:
    return placed.status == "open" and "" < placed.task.due < today


def _alternatives(searcher: Searcher, asked: str) -> list[list[str]]:
    """Return the words to look for, of which one set must be whole: what is asked, or a note's other names.

    "for the boat" means also what names the note whose alias is "the boat".
    """
    if not (telling := _telling(asked)):
        return []
    catalog = searcher.index.catalog
    paths = {path for name in (asked, f"the {asked}") for path in catalog.links.named(name)}
    notes = [note for path in sorted(paths)[:4] if (note := catalog.get(path)) is not None]
    names = [name for note in notes for name in (note.title, *note.aliases)]
    return [telling, *filter(None, map(_telling, names))]


def _telling(text: str) -> list[str]:
    """Return the words of a text that name something; all of them where none does."""
    words = list(_words(text))
    return [word for word in words if not is_stop_word(word)] or words


def _words(text: str) -> Iterable[str]:
    return _WORD.findall(fold(text))


def _words_of(placed: _Placed) -> frozenset[str]:
    """Return the words by which a task is found."""
    task, note = placed.task, placed.note
    told = (task.text, *task.within, *task.heading_path, *task.tags, note.title, *note.aliases, note.path)
    return frozenset(_words("\n".join(told)))


def _has(words: frozenset[str], wanted: list[list[str]], is_one: Callable[[str, str], bool]) -> bool:
    return any(
        all(word in words or any(is_one(word, other) for other in words) for word in each) for each in wanted
    )


def _alike(asked: str, word: str) -> bool:
    """Return whether two words are one but for an ending: boat and boats, Boot and Bootes."""
    short, long = sorted((asked, word), key=len)
    return len(short) >= _MIN_STEM and long.startswith(short) and long[len(short) :] in _ENDINGS


def _within(asked: str, word: str) -> bool:
    """Return whether a word holds what is asked: boat in narrowboat, Boot in Hausboot."""
    return len(asked) >= _MIN_PART and asked in word


def _found(searcher: Searcher, placed: _Placed, today: str) -> FoundTask:
    task, note = placed.task, placed.note
    place = (note.path, task.heading_path, (task.block_id,) if task.block_id else ())
    return FoundTask(
        text=task.text,
        status=placed.status,
        mark=task.mark,
        due=task.due,
        scheduled=task.scheduled,
        start=task.starts,
        finished=task.finished,
        priority=task.priority,
        overdue=_is_overdue(placed, today),
        tags=task.tags,
        within=task.within,
        path=note.path,
        title=note.title,
        heading_path=task.heading_path,
        line=task.line,
        start_char=task.start,
        end_char=task.end,
        block_id=task.block_id,
        content_hash=note.content_hash,
        stale=searcher.has_changed(note.path),
        link=searcher.places.link(*place),
        uri=searcher.places.uri(*place),
    )
