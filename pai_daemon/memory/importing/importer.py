"""Keeps what exports hold: a note for each conversation and document, a line for each fact.

The notes are the record of what was taken (D85): one is found by source and id in its frontmatter, wherever
in the folder it lies, so an import that was ended goes on where it was when it runs again. A note that the
person has changed stays as it is, and is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from unicodedata import normalize

from pai_daemon.errors import NoteChanged, UsageError
from pai_daemon.memory.importing.factbook import FactBook
from pai_daemon.memory.importing.pages import (
    FOLDER,
    conversation_text,
    document_text,
    folder_of,
    note_name,
    seal_of,
)
from pai_daemon.memory.importing.records import (
    Conversation,
    Document,
    KeptNote,
    Record,
    Skipped,
    Statement,
    moment,
)
from pai_daemon.notes.frontmatter import read_frontmatter
from pai_daemon.vault.shelf import Shelf

MAX_REASONS = 200
NAMES = 100


@dataclass(slots=True)
class Report:
    """What an import did, or would do. conversations, notes and facts: how many by outcome.

    An outcome is new, updated, unchanged or, where the person changed a note, yours. yours: the paths of
    such notes, the first ones. skipped: what was passed over.
    """

    conversations: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    yours: list[str] = field(default_factory=list)
    dry_run: bool = False
    _skipped: Counter[tuple[str, str, bool]] = field(default_factory=Counter)

    def skip(self, skipped: Skipped) -> None:
        """Count what was passed over; of many places with one reason the first ones are named."""
        key = (skipped.where, skipped.why, skipped.is_loss)
        if key not in self._skipped and len(self._skipped) >= MAX_REASONS:
            key = ("elsewhere", "for reasons of these kinds", skipped.is_loss)
        self._skipped[key] += skipped.count

    @property
    def skipped(self) -> list[Skipped]:
        """Return what was passed over, in order of appearance."""
        return [Skipped(where, why, count, is_loss) for (where, why, is_loss), count in self._skipped.items()]

    def document(self) -> dict[str, Any]:
        """Return the report as values of JSON."""
        return {
            "dry_run": self.dry_run,
            "conversations": dict(self.conversations),
            "notes": dict(self.notes),
            "facts": dict(self.facts),
            "yours": self.yours,
            "skipped": [
                {"where": each.where, "why": each.why, "count": each.count, "loss": each.is_loss}
                for each in self.skipped
            ],
        }


class Importer:
    """Takes records into the memory folder. folder: where within it conversations go."""

    def __init__(self, shelf: Shelf, *, folder: str = FOLDER, dry_run: bool = False) -> None:
        self._shelf = shelf
        self._folder = folder
        self._facts = FactBook(shelf, conversations=folder, dry_run=dry_run)
        self._report = Report(dry_run=dry_run)
        self._known: dict[tuple[str, str], str] = {}
        # What no other note may be called; and what a dry run would have written.
        self._used: set[str] = set()
        self._planned: set[str] = set()

    def take(self, records: Iterable[Record]) -> Report:
        """Take all records and return what became of them. Raises where the vault cannot be written."""
        self._known = self._taken_before()
        try:
            for record in records:
                self._one(record)
        finally:
            self._facts.flush()
        self._report.facts += self._facts.outcomes
        return self._report

    def _one(self, record: Record) -> None:
        if isinstance(record, Skipped):
            self._report.skip(record)
        elif isinstance(record, Statement):
            self._facts.add(record)
        elif isinstance(record, Conversation):
            self._keep(record, conversation_text(record), record.updated, self._report.conversations)
        elif isinstance(record, Document):
            self._keep(record, document_text(record), None, self._report.notes)
        else:
            self._restore(record)

    def _keep(
        self, record: Conversation | Document, text: str, updated: datetime | None, outcomes: Counter[str]
    ) -> None:
        """Write a note that is not there, and again one that the person left as it was."""
        path = self._known.get((record.source, record.id))
        if path is None:
            path = self._free_path(record)
            if self._write(path, text, None):
                self._known[record.source, record.id] = path
                outcomes["new"] += 1
            return
        before = self._shelf.read(path)
        if before == text or path in self._planned:
            outcomes["unchanged"] += 1
        elif before is None or len(set(seal_of(before))) > 1 or not seal_of(before)[0]:
            outcomes["yours"] += 1
            self._report.yours += [path] if len(self._report.yours) < NAMES else []
        elif (
            updated and (had := moment(read_frontmatter(before).properties.get("updated"))) and had > updated
        ):
            outcomes["unchanged"] += 1  # an older export than the one before
        else:
            outcomes["updated"] += self._write(path, text, before)

    def _restore(self, note: KeptNote) -> None:
        """Put a note of our own export back where there is none; one that differs stays."""
        try:
            before = self._shelf.read(note.path)
            if before is None and self._shelf.taken(note.path):
                before = ""
        except UsageError as error:
            self._report.skip(Skipped(note.path[-200:], error.detail))
            return
        if before is None and note.path not in self._planned:
            self._facts.learn(note.path, note.text)
            self._report.notes["new"] += self._write(note.path, note.text, None)
        elif before == note.text or before is None:
            self._report.notes["unchanged"] += 1
        else:
            self._report.notes["yours"] += 1
            self._report.yours += [note.path] if len(self._report.yours) < NAMES else []

    def _write(self, path: str, text: str, before: str | None) -> bool:
        """Write a note; return whether that was done, or would be."""
        self._used.add(_folded(path))
        if self._report.dry_run:
            self._planned.add(path)
            return True
        try:
            self._shelf.write(path, text, before=before)
        except NoteChanged as error:
            self._report.skip(Skipped(path, error.detail))
            return False
        return True

    def _free_path(self, record: Conversation | Document) -> str:
        """Return a path for a new note; of several with one name the later ones carry their id."""
        folder, name = f"{self._folder}/{folder_of(record)}", note_name(record)
        short = "".join(filter(str.isalnum, record.id))[:8]
        for path in (f"{folder}/{name}.md", f"{folder}/{name} {short}.md"):
            if not self._is_taken(path):
                return path
        number = 2
        while self._is_taken(path := f"{folder}/{name} {short} {number}.md"):
            number += 1
        return path

    def _is_taken(self, path: str) -> bool:
        return _folded(path) in self._used

    def _taken_before(self) -> dict[tuple[str, str], str]:
        """Return the paths of imported notes by source and id."""
        known: dict[tuple[str, str], str] = {}
        for path in self._shelf.paths(self._folder):
            self._used.add(_folded(path))
            if PurePosixPath(path).suffix == ".md" and (text := self._shelf.read(path)) and "\nid: " in text:
                properties = read_frontmatter(text).properties
                known[str(properties.get("source", "")), str(properties.get("id", ""))] = path
        return known


def _folded(path: str) -> str:
    """Return a path as systems see it that tell apart neither capitals nor ways to compose accents."""
    return normalize("NFC", path).casefold()
