"""Facts kept from conversations: lines of a note of the memory folder (D10, D84)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pai_daemon.errors import NoteChanged, NotFound
from pai_daemon.memory.answering import holds
from pai_daemon.memory.importing.factbook import ATTEMPTS, FactBook, normal, read_facts
from pai_daemon.memory.importing.pages import FOLDER
from pai_daemon.memory.importing.records import Statement
from pai_daemon.memory.shelf import Shelf
from pai_daemon.memory.talking import NamedFact

SUBJECT = "Remembered"


class FactKeeper:
    """Keeps and forgets facts of one vault; one order at a time."""

    def __init__(self, shelf: Shelf, now: Callable[[], datetime] = datetime.now) -> None:
        """Name the memory folder. now: local time without a zone, whose day is written beside a fact."""
        self._shelf = shelf
        self._now = now
        self._turn = threading.Lock()

    def facts(self) -> Sequence[NamedFact]:
        """Return the facts that hold and have an id."""
        return [fact for path, text in self._notes() for fact in self._of(path, text)]

    def keep(self, text: str, source: str) -> NamedFact:
        """Write a fact as it was said. Raises NoteChanged, DiskFull, UsageError."""
        with self._turn:
            book = FactBook(self._shelf, conversations=FOLDER)
            book.add(Statement(text, source, subject=SUBJECT, said=self._now()))
            book.flush()
        said = normal(text)
        kept = [fact for fact in self.facts() if normal(fact.text) == said]
        if not kept:  # made harmless, or known by a line that holds no more: the last one is the newest
            kept = [fact for fact in self.facts() if fact.path.endswith(f"/{SUBJECT}.md")][-1:]
        if not kept:
            raise NotFound("The fact could not be read back from its note.")
        return kept[-1]

    def drop(self, fact_id: str) -> None:
        """Take the line of a fact out of its note; every other byte stays. Raises NotFound, NoteChanged."""
        ends = re.compile(rf"[ \t]\^{re.escape(fact_id)}[ \t]*\r?\Z")
        with self._turn:
            for attempt in range(ATTEMPTS):
                path, text = next(
                    ((path, text) for path, text in self._notes() if f"^{fact_id}" in text), ("", "")
                )
                lines = text.split("\n")
                left = [line for line in lines if not ends.search(line)]
                if len(left) == len(lines):
                    raise NotFound(f"There is no fact {fact_id}.")
                try:
                    self._shelf.write(path, "\n".join(left), before=text)
                except NoteChanged:
                    if attempt == ATTEMPTS - 1:
                        raise
                else:
                    return

    def _notes(self) -> Iterator[tuple[str, str]]:
        for path in self._shelf.paths():
            if path.endswith(".md") and not path.startswith(f"{FOLDER}/"):
                yield path, self._shelf.read(path) or ""

    def _of(self, path: str, text: str) -> Iterator[NamedFact]:
        lines = {line.strip().rpartition("^")[2]: at for at, line in enumerate(text.split("\n"), start=1)}
        today = self._now().date()
        written = text.split("\n")
        for fact in read_facts(path, text):
            at = lines.get(fact["id"], 0)
            if fact["id"] and at and holds(written[at - 1], today):
                yield NamedFact(fact["id"], fact["text"], f"{self._shelf.folder}/{path}", at)
