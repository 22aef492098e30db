"""What is known about a person: facts in the notes of the memory folder (D81, D82).

The notes are all there is; what is held here follows from them. A change is one line of one note, written
only where the note is as it was read, and made again on what a person has written meanwhile.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from pathlib import PurePosixPath
from typing import Literal

from pai_daemon.errors import DiskFull, NoteChanged, NotFound, UsageError
from pai_daemon.memory.agreement import Conflict, conflicts, like
from pai_daemon.memory.fact import (
    MAX_CHARACTERS,
    Broken,
    Fact,
    normal,
    one_line,
    own_id,
    read_page,
    with_fact,
    with_line,
    without_line,
    written,
)
from pai_daemon.memory.importing.pages import file_name
from pai_daemon.memory.journal import Entry, Journal, taken_back
from pai_daemon.memory.notebook import Notebook, NoteOfFacts
from pai_daemon.vault.shelf import Shelf

SUBJECT = "About me"
# Of a note beside that of a subject, for what stays on this machine.
LOCAL = " (local)"
LOCAL_HEAD = "---\npai: local\n---\n"
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


class Memory:
    """The facts of one vault. Any thread may ask; changes wait for each other.

    on_change: called after each change of ours. on_purge: lets the index keep nothing of what is gone.
    may_leave: whether a note of the vault, as it is now, may be sent to a model beyond this machine.
    """

    def __init__(
        self,
        shelf: Shelf,
        journal: Journal,
        *,
        on_change: Callable[[], None] = lambda: None,
        on_purge: Callable[[], None] = lambda: None,
        may_leave: Callable[[str], bool] = lambda _: True,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.shelf = shelf
        self._journal = journal
        self.on_change = on_change
        self._on_purge = on_purge
        self._may_leave = may_leave
        self._today = today
        self._notes = Notebook(shelf)
        self._writing = threading.Lock()

    # What there is.

    def facts(self, subject: str = "", *, past: bool = True) -> list[Fact]:
        """Return the facts of all subjects or of one, by note. past: also those that no longer hold."""
        today, wanted = self._today(), subject.casefold()
        pages = [read.page.facts for read in self._notes.read() if not wanted or read.subject == wanted]
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
        pages = list(self._notes.read())
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
        notes: Collection[str] = (),
    ) -> Receipt:
        """Keep a fact as it was said, in the note of its subject; one that is known is not kept twice.

        notes: of the vault, that the words are from. Where one of them stays on this machine, so does the
        fact, in a note of its own (D15). Raises UsageError for a text that is empty or too long, NoteChanged
        for a note always changing.
        """
        words = _checked(text)
        with self._writing:
            pages = list(self._notes.read())
            if (known := _known(pages, words, self._today())) is not None:
                return Receipt("known", known, None)
            name = file_name(one_line(subject)) if subject.strip() else SUBJECT
            path, head = self._note_for(name, is_local=not all(map(self._may_leave, notes)))
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
            fact = self._append(fact, head)
            undo = self._undoable("remember", fact, None, written(fact))
        near = like(fact, self.facts(fact.subject, past=False))
        self.on_change()
        return Receipt("remembered", fact, undo, near)

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
            fact, entry = self._take_out(fact_id)
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

    def _note_for(self, name: str, *, is_local: bool) -> tuple[str, str]:
        """Return the note of a subject, and how it begins where it is not there yet.

        Raises UsageError where one that is to stay on this machine no longer does.
        """
        path = self._notes.path_of(name)
        if not is_local or not self._leaves(path):
            return path, ""
        path = self._notes.path_of(name + LOCAL)
        if self.shelf.read(path) is not None and self._leaves(path):
            raise UsageError(
                f"{path} may leave this machine, and the note that this is from may not.",
                hint="Put `pai: local` into its properties.",
            )
        return path, LOCAL_HEAD

    def _leaves(self, path: str) -> bool:
        return self._may_leave(self.shelf.in_vault(path))

    def _append(self, fact: Fact, head: str) -> Fact:
        for _ in range(ATTEMPTS):
            before = self.shelf.read(fact.path)
            after = with_fact(before, fact)
            if before is None:
                after = head + after
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
            self._notes.wrote(fact.path, after, page)
            return kept
        raise _busy(fact.path)

    def _changed(self, fact_id: str, does: str, change: Callable[[Fact], Fact]) -> Receipt:
        with self._writing:
            known = self.get(fact_id)
            for _ in range(ATTEMPTS):
                text, fact, before = self._line(known)
                fact = change(fact)
                new = with_line(text, fact)
                after = new.split("\n")[fact.line - 1].removesuffix("\r")
                try:
                    self.shelf.write(known.path, new, before=text)
                except NoteChanged:
                    continue
                break
            else:
                raise _busy(known.path)
            undo = self._undoable(does, fact, before, after)
        self.on_change()
        return Receipt("changed", fact, undo)

    def _take_out(self, fact_id: str) -> tuple[Fact, Entry]:
        """Take a fact's line out of its note.

        It is in the journal first: what is taken out is to be purged, whatever happens next.
        """
        known = self.get(fact_id)
        for _ in range(ATTEMPTS):
            text, fact, before = self._line(known)
            entry = self._journal.add("forget", fact.path, fact.id, before, None, forgotten=fact.text)
            try:
                self.shelf.write(known.path, without_line(text, fact.line), before=text)
            except NoteChanged:
                self._journal.drop(entry.id)
                continue
            except BaseException:
                self._journal.drop(entry.id)
                raise
            return fact, entry
        raise _busy(known.path)

    def _line(self, known: Fact) -> tuple[str, Fact, str]:
        """Return the text of a fact's note as it is now, the fact, and its line. Raises NotFound."""
        text = self.shelf.read(known.path)
        page = read_page(known.path, text or "")
        fact = next((each for each in page.facts if each.id == known.id), None)
        if text is None or fact is None:
            raise NotFound(f"The fact {known.id} is no longer in {known.path}.")
        return text, fact, text.split("\n")[fact.line - 1].removesuffix("\r")

    def _undoable(self, does: str, fact: Fact, before: str | None, after: str | None) -> str | None:
        """Remember a change that was made; return what takes it back, None where there is no room."""
        try:
            return self._journal.add(does, fact.path, fact.id, before, after).id
        except DiskFull:
            return None

    def _take_back(self, entry: Entry) -> Fact:
        """Put a line back as it was before a change, wherever in its note it is by now."""
        for _ in range(ATTEMPTS):
            text = self.shelf.read(entry.path)
            new = taken_back(text, entry)
            try:
                self.shelf.write(entry.path, new, before=text)
            except NoteChanged:
                continue
            known = read_page(entry.path, new).facts
            if (back := next((fact for fact in known if fact.id == entry.fact), None)) is not None:
                return back
            shown = entry.before if entry.before is not None else entry.after
            return read_page(entry.path, shown or "").facts[0]
        raise _busy(entry.path)


def _known(pages: Iterable[NoteOfFacts], words: str, today: date) -> Fact | None:
    wanted = normal(words)
    for read in pages:
        if (fact := read.by_words.get(wanted)) is not None and fact.holds(today):
            return fact
    return None


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
