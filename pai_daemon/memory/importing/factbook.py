"""Facts that are imported, as lines of the notes of their subjects: each once, with its date and source."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pai_daemon.errors import NoteChanged
from pai_daemon.memory.importing.pages import file_name, harmless
from pai_daemon.memory.importing.records import Statement, one_line
from pai_daemon.memory.shelf import Shelf

UNSORTED = "Imported"
BATCH = 500
ATTEMPTS = 8
# - I write in Helix. [until:: 2027-01-01] (2026-11-26, from: cli) ^m-7f3a2c
_FACT = re.compile(
    r"[ \t]*[-*+][ \t]+(?P<text>.+?)(?P<fields>(?:[ \t]+\[[\w-]+::[^\]\n]*\])*)"
    r"(?:[ \t]+\((?P<said>\d{4}-\d\d-\d\d)?(?:, )?(?:from: (?P<source>[^()\n]*))?\))?"
    r"(?:[ \t]+\^(?P<id>[A-Za-z0-9-]+))?[ \t]*\r?"
)
_FIELD = re.compile(r"\[([\w-]+)::[ \t]*([^\]\n]*?)[ \t]*\]")
_NAMES = {"until": "until", "pinned": "pinned", "superseded": "superseded_by"}


class FactBook:
    """Adds facts to notes. conversations: the folder whose notes hold none."""

    def __init__(self, shelf: Shelf, *, conversations: str, dry_run: bool = False) -> None:
        self._shelf = shelf
        self._dry_run = dry_run
        self._known: set[str] = set()
        self._waiting: dict[str, list[str]] = {}
        self.outcomes: Counter[str] = Counter()
        for path in shelf.paths():
            if path.endswith(".md") and not path.startswith(f"{conversations}/"):
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
        fields = [
            f"[{ours}:: {one_line(str(given[name]))}]" for ours, name in _NAMES.items() if given.get(name)
        ]
        said = f"{statement.said:%Y-%m-%d}" if statement.said else ""
        source = re.sub(r"[()\[\]]", " ", one_line(statement.source)).strip()
        about = ", ".join(filter(None, (said, f"from: {source}" if source else "")))
        line = " ".join(filter(None, ("-", text, *fields, f"({about})" if about else "", f"^{name}")))
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
    """Yield the facts of a note, as our export has them: its list items, outside of code."""
    fence = ""
    for line in text.split("\n"):
        mark = line.strip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
        elif not fence and (found := _FACT.fullmatch(line)):
            fields = {
                _NAMES[name]: value for name, value in _FIELD.findall(found["fields"]) if name in _NAMES
            }
            yield {
                "type": "fact",
                "id": found["id"] or "",
                "text": found["text"],
                "subject": PurePosixPath(path).stem,
                "said": found["said"] or "",
                "source": (found["source"] or "").strip(),
                "pinned": fields.get("pinned") == "true",
                "until": fields.get("until", ""),
                "superseded_by": fields.get("superseded_by", ""),
                "path": path,
            }


def normal(text: str) -> str:
    """Return a text as two facts that say the same in other capitals, spaces or end marks share it."""
    return " ".join(text.casefold().split()).rstrip(" .!")
