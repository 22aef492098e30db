"""Gathers the material of a run: from the vault, from feeds and pages, and from what caused the run.

A routine's own sections and the folder of routines are no material: no routine feeds on itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pathspec

from pai_daemon.action.material import Material, Piece
from pai_daemon.action.outside.feeds import Feeds
from pai_daemon.action.outside.guard import Outside, Unreachable, hosts_of_routine
from pai_daemon.action.outside.text import page_text
from pai_daemon.action.reading import seconds_of
from pai_daemon.action.routine import Input, Routine
from pai_daemon.action.section import without_sections
from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.linking.linker import Linker
from pai_daemon.context.search import Searcher
from pai_daemon.context.tasks import TaskQuery, find_tasks
from pai_daemon.errors import PaiError
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.vault.daily import DailyNotes
from pai_daemon.vault.scan import read_bytes

MAX_NOTES, MAX_TASKS, MAX_PASSAGES, MAX_LINKED = 200, 200, 12, 20
MAX_CHARS = 12_000
SURE = 0.5
# A day's diary is looked for until its end, and a reflection compares with as many days before.
REFLECTION = "reflection"
BEFORE = "before"


class VaultGatherer:
    """Gathers for one vault. folder: of the routines; feeds, outside: what is asked beyond this machine."""

    def __init__(
        self, searcher: Searcher, linker: Linker, feeds: Feeds, outside: Outside, *, folder: str
    ) -> None:
        self._searcher, self._linker = searcher, linker
        self._feeds, self._outside = feeds, outside
        self._folder = f"{folder.strip('/')}/"

    async def gather(self, routine: Routine, due: datetime, payload: Mapping[str, Any]) -> Material:
        """Return the material of a run; what of it cannot be had is told in the warnings."""
        pieces: list[Piece] = []
        warnings: list[str] = []
        known: list[str] = []
        hosts = hosts_of_routine(routine)
        if feeds := [each.what for each in routine.inputs if each.kind == "feed"]:
            is_section = routine.writes.kind == "section"
            found = await self._feeds.fetch(feeds, hosts, routine.name, due, whole_day=is_section)
            warnings += found.problems
            known = [each for entry in found.entries for each in entry.ids]
            pieces += [
                Piece("feed", entry.title, entry.text, entry.link, entry.feed, entry.published)
                for entry in found.entries
            ]
            if len(found.problems) == len(feeds):
                raise Unreachable(f"No feed could be read. {found.problems[0]}")
        for each in routine.inputs:
            if each.kind == "url":
                try:
                    answer = await self._outside.get(each.what, hosts)
                    html = answer.body.decode("utf-8", "replace")
                    title, text = await asyncio.to_thread(page_text, html)
                    pieces.append(
                        Piece("page", title or each.what, text[:MAX_CHARS], each.what, each.what, due)
                    )
                except PaiError as error:
                    warnings.append(f"{each.what}: {error.detail}")
        pieces += await asyncio.to_thread(self._from_vault, routine, due, payload, warnings)
        if data := {name: value for name, value in payload.items() if name != "paths"}:
            text = json.dumps(data, ensure_ascii=False, indent=1)[:MAX_CHARS]
            pieces.append(Piece("payload", "What was sent", text, "", "webhook", due))
        return Material(tuple(pieces), tuple(warnings), (routine.name, *known) if known else ())

    async def done(self, material: Material) -> None:
        """Hear that a run made use of this material."""
        if material.known:
            routine, *ids = material.known
            await asyncio.to_thread(self._feeds.read, routine, ids, datetime.now().astimezone())

    # The vault.

    def _from_vault(
        self, routine: Routine, due: datetime, payload: Mapping[str, Any], warnings: list[str]
    ) -> list[Piece]:
        private = self._searcher.index.private_paths()
        pieces: list[Piece] = []
        for each in routine.inputs:
            try:
                pieces += self._of(each, due, private, reflects=routine.shipped == REFLECTION)
            except PaiError as error:
                warnings.append(f"{each.kind}: {error.detail}")
        catalog = self._searcher.index.catalog
        changed = [catalog.get(path) for path in payload.get("paths", ()) if isinstance(path, str)]
        pieces += [self._piece(note, private) for note in changed if note is not None]
        return pieces

    def _of(self, each: Input, due: datetime, private: set[str], *, reflects: bool) -> list[Piece]:
        if each.kind == "daily":
            return self._daily(each, due, private, reflects=reflects)
        if each.kind == "query":
            return self._passages(each.what, private)
        if each.kind == "tasks":
            return self._tasks(each.what, due, private)
        if each.kind == "links":
            return self._links(each.what, due, private)
        return [self._piece(note, private) for note in self._chosen(each, due)]

    def _chosen(self, each: Input, due: datetime) -> Sequence[IndexedNote]:
        """Return the notes that an input names."""
        if each.kind == "notes":
            spec = pathspec.PathSpec.from_lines("gitignore", [f"/{each.what.lstrip('/')}"])
            return _latest([note for note in self._notes() if spec.match_file(note.path)])
        if each.kind == "changed":
            return self._changed(each.what, due)
        if each.kind == "on_this_day":
            year, day = f"{due:%Y}", f"{due:%m-%d}"
            return [note for note in self._notes() if note.day[5:] == day and note.day[:4] < year][:MAX_NOTES]
        return ()

    def _notes(self) -> Iterable[IndexedNote]:
        return (
            note for note in self._searcher.index.catalog.notes() if not note.path.startswith(self._folder)
        )

    def _daily(self, each: Input, due: datetime, private: set[str], *, reflects: bool) -> list[Piece]:
        days = max(1, round(seconds_of(each.what) / 86_400))
        first = due.date() - timedelta(days=days - 1)
        earliest = first - timedelta(days=days) if reflects else first
        names = DailyNotes.of(self._searcher.vault)
        found = []
        for note in self._notes():
            day = _day(note.day)
            if day is not None and earliest <= day <= due.date() and _is_daily(note, day, names):
                piece = self._piece(note, private, group=BEFORE if day < first else "")
                found.append(piece)
        return sorted(found, key=lambda piece: piece.when or due)[-MAX_NOTES:]

    def _changed(self, span: str, due: datetime) -> list[IndexedNote]:
        since_ns = int((due - timedelta(seconds=seconds_of(span))).timestamp() * 1e9)
        return _latest([note for note in self._notes() if note.stat.mtime_ns >= since_ns])

    def _passages(self, question: str, private: set[str]) -> list[Piece]:
        found = self._searcher.search(question, limit=MAX_PASSAGES).results
        return [
            Piece(
                "note",
                each.trail,
                each.text,
                each.link,
                each.path.rpartition("/")[0],
                None,
                each.path,
                each.path in private,
            )
            for each in found
            if not each.path.startswith(self._folder)
        ]

    def _tasks(self, which: str, due: datetime, private: set[str]) -> list[Piece]:
        today, wanted = due.date(), which or "open"
        queries = []
        if wanted in ("open", "all"):
            queries.append(("open", TaskQuery()))
        if wanted in ("overdue", "all"):
            queries.append(("overdue", TaskQuery(overdue=True)))
        if wanted in ("done", "all"):
            since = (today - timedelta(days=7)).isoformat()
            queries.append(("done", TaskQuery("done", finished_since=since)))
        found = []
        for state, query in queries:
            for task in find_tasks(self._searcher, query, today, MAX_TASKS).tasks:
                if state == "open" and task.overdue and wanted == "all":
                    continue
                day = _day(task.finished if state == "done" else task.due or task.scheduled)
                when = datetime(day.year, day.month, day.day, 12, tzinfo=due.tzinfo) if day else None
                group = "overdue" if task.overdue else state
                found.append(
                    Piece("task", task.text, "", task.link, group, when, task.path, task.path in private)
                )
        return found

    def _links(self, span: str, due: datetime, private: set[str]) -> list[Piece]:
        found = []
        for note in self._changed(span, due)[:MAX_LINKED]:
            for each in self._linker.links_of(note.path, 3).suggestions:
                if each.confidence >= SURE and not each.linked:
                    is_private = note.path in private or each.path in private
                    link = self._searcher.places.link(note.path)
                    found.append(Piece("link", link, each.why, each.link, "", None, note.path, is_private))
        return found

    def _piece(self, note: IndexedNote, private: set[str], group: str | None = None) -> Piece:
        day = _day(note.day)
        when = datetime.fromtimestamp(note.stat.mtime_ns / 1e9).astimezone()
        if day is not None:
            when = datetime(day.year, day.month, day.day, 12).astimezone()
        folder = note.path.rpartition("/")[0] if group is None else group
        text = _text(self._searcher.vault, note.path)
        return Piece(
            "note",
            note.title,
            text,
            self._searcher.places.link(note.path),
            folder,
            when,
            note.path,
            note.path in private,
        )


def _latest(notes: Sequence[IndexedNote]) -> list[IndexedNote]:
    return sorted(notes, key=lambda note: -note.stat.mtime_ns)[:MAX_NOTES]


def _text(vault: Path, path: str) -> str:
    """Return the words of a note without its properties and the sections of routines."""
    try:
        text = read_bytes(vault, path, MAX_CHARS * 4)[0].decode("utf-8", "replace")
    except OSError:
        return ""
    return without_sections(text[read_frontmatter(text).body_start :])[:MAX_CHARS]


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written[:10]) if written else None
    except ValueError:
        return None


def _is_daily(note: IndexedNote, day: date, names: DailyNotes) -> bool:
    """Return whether a note is the diary of its day, and not one that only names the day it was begun."""
    if note.path == names.path(day):
        return True
    stem = Path(note.path).stem
    return day.isoformat() in stem.replace("_", "-") or f"{day:%Y%m%d}" in stem
