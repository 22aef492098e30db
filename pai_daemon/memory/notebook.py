"""The notes of the memory folder that hold facts, each read when it is another than before (D81)."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import PurePosixPath

from pai_daemon.memory.fact import Fact, Page, normal, read_page
from pai_daemon.memory.importing.pages import FOLDER as CONVERSATIONS
from pai_daemon.memory.profile import PROFILE
from pai_daemon.vault.shelf import Shelf

Told = tuple[int, int]


@dataclass(frozen=True, slots=True)
class NoteOfFacts:
    """A note as it was read. told: its time and size. subject: folded. by_words, ids: of its facts."""

    told: Told
    subject: str
    page: Page
    by_words: dict[str, Fact]
    ids: frozenset[str]


class Notebook:
    """The notes of one memory folder. Any thread may read."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, NoteOfFacts] = {}
        # What was written last, as it was read before that.
        self._written: tuple[str, str, Page] | None = None
        self._reading = threading.Lock()

    def read(self) -> list[NoteOfFacts]:
        """Return what each note says; only those that changed are read."""
        with self._reading:
            found: dict[str, NoteOfFacts] = {}
            for path in self._shelf.paths():
                if not is_of_facts(path) or (told := self._told(path)) is None:
                    continue
                known = self._known.get(path)
                if known is None or known.told != told:
                    known = self._note(path, told)
                found[path] = known
            self._known = found
            return list(found.values())

    def wrote(self, path: str, text: str, page: Page) -> None:
        """Take over how a text was read that is a note now."""
        self._written = path, text, page

    def path_of(self, name: str) -> str:
        """Return the note of a subject, which the person may have moved into a folder."""
        wanted = name.casefold()
        with self._reading:
            return next((path for path, note in self._known.items() if note.subject == wanted), f"{name}.md")

    def _note(self, path: str, told: Told) -> NoteOfFacts:
        text, written = self._shelf.read(path) or "", self._written
        is_written = written is not None and written[:2] == (path, text)
        page = written[2] if written is not None and is_written else read_page(path, text)
        return NoteOfFacts(
            told,
            PurePosixPath(path).stem.casefold(),
            page,
            {normal(fact.text): fact for fact in page.facts},
            frozenset(fact.id for fact in page.facts),
        )

    def _told(self, path: str) -> Told | None:
        try:
            stat = os.stat(f"{self._shelf.root}/{path}")  # noqa: PTH116 - of each note at each question
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size


def is_of_facts(path: str) -> bool:
    """Return whether the list items of a note are facts: not of kept conversations, nor of the profile."""
    return (
        path.endswith(".md")
        and not path.startswith(f"{CONVERSATIONS}/")
        and path.casefold() != PROFILE.casefold()
    )
