"""What is known about a person: facts in the notes of the memory folder (D81, D82).

The notes are all there is; what is held here follows from them. A change is one line of one note, written
only where the note is as it was read, and made again on what a person has written meanwhile.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import PurePosixPath
from typing import Literal

from pai_daemon.errors import NoteChanged, NotFound, UsageError
from pai_daemon.memory.agreement import Conflict, conflicts, like
from pai_daemon.memory.fact import (
    MAX_CHARACTERS,
    Broken,
    Fact,
    Page,
    normal,
    one_line,
    own_id,
    read_page,
    with_fact,
    with_line,
    without_line,
    written,
)
from pai_daemon.memory.importing.pages import FOLDER as CONVERSATIONS
from pai_daemon.memory.importing.pages import file_name
from pai_daemon.memory.journal import Entry, Journal
from pai_daemon.memory.profile import PROFILE
from pai_daemon.vault.shelf import Shelf

SUBJECT = "About me"
ATTEMPTS = 8
# Of an id so many characters must be given.
MIN_ID = 4
Outcome = Literal["remembered", "known", "changed", "superseded", "forgotten", "undone"]
Told = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a fact. fact: as it is now, or was. undo: takes it back, None where nothing was done.

    near: facts that may say the same, or otherwise.
    """

    outcome: Outcome
    fact: Fact
    undo: str | None
    near: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    told: Told
    subject: str
    page: Page
    by_words: dict[str, Fact]
    ids: frozenset[str]


class Memory:
    """The facts of one vault. Any thread may ask; changes wait for each other.

    on_change: called after each change of ours. on_purge: lets the index keep nothing of what is gone.
    """

    def __init__(
        self,
        shelf: Shelf,
        journal: Journal,
        *,
        on_change: Callable[[], None] = lambda: None,
        on_purge: Callable[[], None] = lambda: None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.shelf = shelf
        self._journal = journal
        self.on_change = on_change
        self._on_purge = on_purge
        self._today = today
        self._pages: dict[str, _Read] = {}
        # What was written last, as it was read before that.
        self._written: tuple[str, str, Page] | None = None
        self._reading = threading.Lock()
        self._writing = threading.Lock()

    # What there is.

    def facts(self, subject: str = "", *, past: bool = True) -> list[Fact]:
        """Return the facts of all subjects or of one, by note. past: also those that no longer hold."""
        today, wanted = self._today(), subject.casefold()
        pages = [read.page.facts for read in self._read() if not wanted or read.subject == wanted]
        found = list(chain.from_iterable(pages))
        return found if past else [fact for fact in found if fact.holds(today)]

    def subjects(self) -> dict[str, int]:
        """Return how many facts hold, by subject."""
        counts: dict[str, int] = {}
        for fact in self.facts(past=False):
            counts[fact.subject] = counts.get(fact.subject, 0) + 1
        return counts

    def broken(self) -> list[Broken]:
        """Return what could not be read, and facts that were replaced by none that is there."""
        pages = list(self._read())
        known = {fact.id for read in pages for fact in read.page.facts}
        lost = [
            Broken(fact.path, fact.line, f"It was replaced by ^{fact.superseded_by}, which is not there.")
            for read in pages
            for fact in read.page.facts
            if fact.superseded_by is not None and fact.superseded_by not in known
        ]
        return [*(each for read in pages for each in read.page.broken), *lost]

    def get(self, fact_id: str) -> Fact:
        """Return a fact by its id, or by the beginning of one that no other has. Raises NotFound."""
        wanted = fact_id.strip().removeprefix("^")
        facts = self.facts()
        found = [fact for fact in facts if fact.id == wanted]
        if not found and len(wanted) >= MIN_ID:
            found = [fact for fact in facts if fact.id.startswith((wanted, f"m-{wanted}"))]
        if len(found) != 1:
            raise NotFound(
                f"{'Several facts are' if found else 'No fact is'} called {fact_id!r}.",
                hint="`pai memory list` shows the ids.",
            )
        return found[0]

    def conflicts(self) -> list[Conflict]:
        """Return pairs of facts of one subject that hold both and may not agree."""
        return [
            conflict for subject in self.subjects() for conflict in conflicts(self.facts(subject, past=False))
        ]

    # What is done.

    def remember(
        self,
        text: str,
        *,
        source: str,
        subject: str = "",
        said: date | None = None,
        until: date | None = None,
    ) -> Receipt:
        """Keep a fact as it was said, in the note of its subject; one that is known is not kept twice.

        Raises UsageError for a text that is empty or too long, NoteChanged for a note always changing.
        """
        words = _checked(text)
        with self._writing:
            pages = list(self._read())
            if (known := self._known(pages, words)) is not None:
                return Receipt("known", known, None)
            name = file_name(one_line(subject)) if subject.strip() else SUBJECT
            path = self._path_of(name)
            fresh = own_id(path, words)
            while any(fresh in read.ids for read in pages):  # the same words, of a fact that was replaced
                fresh = f"m-{secrets.token_hex(5)}"
            fact = Fact(
                id=fresh,
                text=words,
                subject=PurePosixPath(path).stem,
                path=path,
                line=0,
                said=said or self._today(),
                source=source,
                until=until,
            )
            fact = self._append(fact)
            entry = self._journal.add("remember", path, fact.id, None, written(fact))
        near = like(fact, self.facts(fact.subject, past=False))
        self.on_change()
        return Receipt("remembered", fact, entry.id, near)

    def edit(self, fact_id: str, text: str) -> Receipt:
        """Give a fact other words. Raises NotFound and UsageError."""
        words = _checked(text)
        return self._changed(fact_id, "edit", lambda fact: replace(fact, text=words))

    def pin(self, fact_id: str, *, pinned: bool = True) -> Receipt:
        """Let a fact come first, or no longer. Raises NotFound."""
        return self._changed(fact_id, "pin", lambda fact: replace(fact, pinned=pinned))

    def expire(self, fact_id: str, until: date | None) -> Receipt:
        """Let a fact hold until a day, or for good. Raises NotFound."""
        return self._changed(fact_id, "expire", lambda fact: replace(fact, until=until))

    def supersede(self, fact_id: str, text: str, *, source: str) -> Receipt:
        """Let a new fact take the place of one, which stays and says so. Raises NotFound and UsageError."""
        old = self.get(fact_id)
        new = self.remember(text, source=source, subject=old.subject)
        if new.fact.id == old.id:
            return new
        changed = self._changed(old.id, "supersede", lambda fact: replace(fact, superseded_by=new.fact.id))
        return Receipt("superseded", new.fact, changed.undo, (changed.fact,))

    def forget(self, fact_id: str, *, at_once: bool = False) -> Receipt:
        """Take a fact out of its note, and out of all else after a day or at once. Raises NotFound."""
        with self._writing:
            fact, before, _ = self._rewrite(fact_id, None)
            entry = self._journal.add("forget", fact.path, fact.id, before, None, forgotten=fact.text)
        if at_once:
            self.purge(at_once=True)
        self.on_change()
        return Receipt("forgotten", fact, None if at_once else entry.id)

    def undo(self, change: str = "") -> Receipt:
        """Take back a change, or the last one. Raises NotFound, NoteChanged if its line is another now."""
        with self._writing:
            entries = self._journal.entries()
            entry = next((each for each in reversed(entries) if change in ("", each.id)), None)
            if entry is None:
                raise NotFound(
                    "There is no such change to take back.",
                    hint="A forgotten fact can be had back for a day.",
                )
            fact = self._take_back(entry)
            self._journal.drop(entry.id)
        self.on_change()
        return Receipt("undone", fact, None)

    def purge(self, *, at_once: bool = False) -> int:
        """Keep nothing of the facts that were forgotten a day ago, or of all; return how many those were."""
        gone = self._journal.due(time.time(), at_once=at_once)
        if gone:
            # By its id also with the words that it had before.
            self.shelf.drop_undo([each for entry in gone for each in (entry.forgotten, f"^{entry.fact}")])
            self._journal.purge(gone)
            self._on_purge()
        return len(gone)

    # Notes.

    def _read(self) -> Iterable[_Read]:
        """Return what each note says; only those that changed are read."""
        with self._reading:
            found: dict[str, _Read] = {}
            for path in self.shelf.paths():
                if not is_of_facts(path):
                    continue
                told = self._told(path)
                known = self._pages.get(path)
                if told is None:
                    continue
                if known is None or known.told != told:
                    page = self._page(path, self.shelf.read(path) or "")
                    known = _Read(
                        told,
                        PurePosixPath(path).stem.casefold(),
                        page,
                        {normal(fact.text): fact for fact in page.facts},
                        frozenset(fact.id for fact in page.facts),
                    )
                found[path] = known
            self._pages = found
            return list(found.values())

    def _page(self, path: str, text: str) -> Page:
        if self._written is not None and self._written[:2] == (path, text):
            return self._written[2]
        return read_page(path, text)

    def _told(self, path: str) -> Told | None:
        try:
            stat = os.stat(f"{self.shelf.root}/{path}")  # noqa: PTH116 - of each note at each question
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _known(self, pages: Iterable[_Read], words: str) -> Fact | None:
        today, wanted = self._today(), normal(words)
        for read in pages:
            if (fact := read.by_words.get(wanted)) is not None and fact.holds(today):
                return fact
        return None

    def _path_of(self, name: str) -> str:
        """Return the note of a subject, of which the person may have moved into a folder what is there."""
        wanted = name.casefold()
        with self._reading:
            return next((path for path, read in self._pages.items() if read.subject == wanted), f"{name}.md")

    def _append(self, fact: Fact) -> Fact:
        for _ in range(ATTEMPTS):
            before = self.shelf.read(fact.path)
            after = with_fact(before, fact)
            page = read_page(fact.path, after)
            kept = next((each for each in page.facts if each.id == fact.id), None)
            if kept is None or kept.text != fact.text:
                raise UsageError(
                    "These words cannot be kept as a fact of this note.",
                    hint="Is a block of code open at its end?",
                )
            try:
                self.shelf.write(fact.path, after, before=before)
            except NoteChanged:
                continue
            self._written = fact.path, after, page
            return kept
        raise _busy(fact.path)

    def _changed(self, fact_id: str, does: str, change: Callable[[Fact], Fact]) -> Receipt:
        with self._writing:
            fact, before, after = self._rewrite(fact_id, change)
            entry = self._journal.add(does, fact.path, fact.id, before, after)
        self.on_change()
        return Receipt("changed", fact, entry.id)

    def _rewrite(self, fact_id: str, change: Callable[[Fact], Fact] | None) -> tuple[Fact, str, str | None]:
        """Change a fact's line, or take it out; return the fact, and the line before and after."""
        known = self.get(fact_id)
        for _ in range(ATTEMPTS):
            text = self.shelf.read(known.path)
            page = read_page(known.path, text or "")
            fact = next((each for each in page.facts if each.id == known.id), None)
            if text is None or fact is None:
                raise NotFound(f"The fact {known.id} is no longer in {known.path}.")
            before = text.split("\n")[fact.line - 1].removesuffix("\r")
            if change is None:
                new, after = without_line(text, fact.line), None
            else:
                fact = change(fact)
                new = with_line(text, fact)
                after = new.split("\n")[fact.line - 1].removesuffix("\r")
            try:
                self.shelf.write(known.path, new, before=text)
            except NoteChanged:
                continue
            return fact, before, after
        raise _busy(known.path)

    def _take_back(self, entry: Entry) -> Fact:
        """Put a line back as it was before a change, wherever in its note it is by now."""
        for _ in range(ATTEMPTS):
            text = self.shelf.read(entry.path)
            lines = (text or "").split("\n")
            place = next(_places(lines, entry.after), None) if entry.after is not None else len(lines)
            if place is None:
                raise NoteChanged(f"The line in {entry.path} is another one now.", hint="Change it there.")
            end = "\r" if text and "\r\n" in text else ""
            if entry.before is None:
                new = [*lines[:place], *lines[place + 1 :]]
            elif entry.after is None:
                if lines and not lines[-1]:
                    lines.pop()
                new = [*lines, entry.before + end, ""]
            else:
                new = [*lines[:place], entry.before + end, *lines[place + 1 :]]
            try:
                self.shelf.write(entry.path, "\n".join(new), before=text)
            except NoteChanged:
                continue
            shown = entry.before if entry.before is not None else entry.after
            return read_page(entry.path, shown or "").facts[0]
        raise _busy(entry.path)


def is_of_facts(path: str) -> bool:
    """Return whether the list items of a note are facts: not of kept conversations, nor of the profile."""
    return (
        path.endswith(".md")
        and not path.startswith(f"{CONVERSATIONS}/")
        and path.casefold() != PROFILE.casefold()
    )


def _places(lines: list[str], wanted: str) -> Iterator[int]:
    return (place for place, line in enumerate(lines) if line.removesuffix("\r") == wanted)


def _checked(text: str) -> str:
    words = one_line(text)
    if not words:
        raise UsageError("There is nothing to remember.", hint='Say what: pai remember "I write in Helix".')
    if len(words) > MAX_CHARACTERS:
        raise UsageError(
            f"A fact has at most {MAX_CHARACTERS} characters, not {len(words)}.", hint="Write a note instead."
        )
    return words


def _busy(path: str) -> NoteChanged:
    return NoteChanged(f"{path} changes all the time.", hint="Try again when nothing else writes it.")
