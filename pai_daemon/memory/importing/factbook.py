"""Facts that are imported, as lines of the notes of their subjects: each once, with its date and source."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import PurePosixPath
from typing import Any

from pai_daemon.errors import NoteChanged
from pai_daemon.memory.fact import Fact, normal, read_page, written
from pai_daemon.memory.importing.pages import file_name, harmless
from pai_daemon.memory.importing.records import Statement, one_line
from pai_daemon.memory.notebook import is_of_facts
from pai_daemon.vault.shelf import Shelf

UNSORTED = "Imported"
BATCH = 500
ATTEMPTS = 8


def _day(given: object) -> date | None:
    with contextlib.suppress(ValueError):
        return date.fromisoformat(str(given))
    return None


class FactBook:
    """Adds facts to notes. conversations: the folder whose notes hold none."""

    def __init__(self, shelf: Shelf, *, conversations: str, dry_run: bool = False) -> None:
        self._shelf = shelf
        self._dry_run = dry_run
        self._known: set[str] = set()
        self._waiting: dict[str, list[str]] = {}
        self.outcomes: Counter[str] = Counter()
        for path in shelf.paths():
            if is_of_facts(path) and not path.startswith(f"{conversations}/"):
                self.learn(path, shelf.read(path) or "")

    def learn(self, path: str, text: str) -> None:
        """Take the facts of a note for known."""
        for fact in read_facts(path, text):
            self._known |= {normal(fact["text"]), fact["id"] or normal(fact["text"])}

    def add(self, statement: Statement) -> None:
        """Add a fact, unless it is known by its words or its id."""
        text = one_line(harmless(statement.text, deeper=0))
        if not text or normal(text) in self._known or (statement.id and statement.id in self._known):
            self.outcomes["unchanged"] += 1
            return
        name = statement.id or f"m-{hashlib.sha256(normal(text).encode()).hexdigest()[:10]}"
        self._known |= {normal(text), name}
        self.outcomes["new"] += 1
        subject = file_name(statement.subject) if statement.subject else UNSORTED
        given = statement.details
        fact = Fact(
            id=name,
            text=text,
            subject=subject,
            path=f"{subject}.md",
            line=0,
            said=statement.said.date() if statement.said else None,
            source=one_line(statement.source),
            pinned=given.get("pinned") is True,
            until=_day(given.get("until")),
            superseded_by=one_line(given.get("superseded_by")) or None,
        )
        line = written(fact)
        self._waiting.setdefault(f"{subject}.md", []).append(line)
        if sum(map(len, self._waiting.values())) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits. Raises NoteChanged for a note that changes all the time."""
        waiting, self._waiting = self._waiting, {}
        for path, lines in waiting.items():
            if not self._dry_run:
                self._append(path, lines)

    def _append(self, path: str, lines: list[str]) -> None:
        for attempt in range(ATTEMPTS):
            before = self._shelf.read(path)
            end = "\r\n" if before and "\r\n" in before else "\n"
            head = before if before is not None else f"# {PurePosixPath(path).stem}\n\n"
            gap = "" if head.endswith("\n") or not head else end
            try:
                self._shelf.write(path, head + gap + "".join(line + end for line in lines), before=before)
            except NoteChanged:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return


def read_facts(path: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of a note, as our export has them."""
    for fact in read_page(path, text).facts:
        yield {
            "type": "fact",
            "id": fact.id if fact.has_id else "",
            "text": fact.text,
            "subject": fact.subject,
            "said": fact.said.isoformat() if fact.said else "",
            "source": fact.source,
            "pinned": fact.pinned,
            "until": fact.until.isoformat() if fact.until else "",
            "superseded_by": fact.superseded_by or "",
            "path": path,
        }
