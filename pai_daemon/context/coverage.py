"""What the index holds of each path of the vault, and why not of the others (D14, D69).

One place says it for `pai index --explain`, `GET /api/notes/{path}/status`, the lists by state and the bad
notes of the status. Nothing is read for it, neither of the store nor, but for one path that nothing is known
of, of the disk: the indexer keeps what its last look found.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pai_daemon.context.catalog import IndexedNote
from pai_daemon.context.index import Index
from pai_daemon.context.intake import Intake
from pai_daemon.context.reading import Reader
from pai_daemon.notes.note import Problem
from pai_daemon.vault.folder import GRAPH_SETTINGS
from pai_daemon.vault.ignore import IgnoreRules

Coverage = Literal["indexed", "pending", "skipped", "failed", "missing"]
Listed = Literal["indexed", "pending", "skipped", "failed", "private"]
LEFT_OUT_BY_ITSELF = "the note says pai: false"
UNREAD = "not looked at yet"


@dataclass(frozen=True, slots=True)
class NoteStatus:
    """What the index holds of a path. reason: why it is not, or not wholly, indexed, in words.

    state: indexed; pending, where it waits to be read, or some of its chunks for their embedding; skipped by
    a rule; failed, where it cannot be read; missing. indexed: words find it. revision: of the index, when it
    took in what it has now, at the latest. local_only: the rule that keeps it on this machine. problems:
    what of it could not be read as meant.
    """

    path: str
    state: Coverage
    indexed: bool
    reason: str | None
    revision: int | None = None
    content_hash: str | None = None
    chunks: int = 0
    embedded_chunks: int = 0
    local_only: str | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class NotePage:
    """Some of the paths in a state, by name. counts: of each state. after: where the next page begins.

    A folder that is skipped with all that is in it ends with a slash.
    """

    notes: tuple[NoteStatus, ...]
    counts: Mapping[str, int]
    after: str | None
    revision: int


class Covered:
    """Answers for one vault; any thread may ask. rules: as of the indexer's last scan."""

    def __init__(self, vault: Path, index: Index, reader: Reader, intake: Intake, rules: IgnoreRules) -> None:
        self.rules = rules
        self._vault = vault
        self._index = index
        self._reader = reader
        self._intake = intake

    def status(self, path: str) -> NoteStatus:
        """Return what the index holds of a vault-relative path; never raises."""
        if (note := self._index.catalog.get(path)) is not None:
            return self._indexed(note)
        if (reason := self._why_skipped(path)) is not None:
            return NoteStatus(path, "skipped", indexed=False, reason=reason)
        if (reason := self._intake.unreadable.get(path)) is not None:
            return NoteStatus(path, "failed", indexed=False, reason=reason)
        if path in self._intake.waiting or (self._vault / path).is_file():
            return NoteStatus(path, "pending", indexed=False, reason=UNREAD)
        return NoteStatus(path, "missing", indexed=False, reason="no such note in the vault")

    def page(self, state: Listed | None = None, *, after: str = "", limit: int = 100) -> NotePage:
        """Return up to so many paths in a state, or in any, that come after one by name."""
        states = self._states()
        if state == "private":
            paths = sorted(self._index.private_paths())
        else:
            paths = sorted(path for path, found in states.items() if state in (None, found))
        begin = bisect_right(paths, after) if after else 0
        chosen = paths[begin : begin + limit]
        counts = dict.fromkeys(("indexed", "pending", "skipped", "failed"), 0) | Counter(states.values())
        more = begin + limit < len(paths)
        return NotePage(
            notes=tuple(self._known(path) for path in chosen),
            counts=counts,
            after=chosen[-1] if more and chosen else None,
            revision=self._index.revision,
        )

    def problems(self) -> list[tuple[str, Problem]]:
        """Return every path that could not be read as it should be, and why, by path."""
        listed = [(path, Problem(reason)) for path, reason in dict(self._intake.unreadable).items()]
        listed += [(note.path, problem) for note in self._index.catalog.notes() for problem in note.problems]
        if (graph := self._reader.graph) is not None:
            listed += [(GRAPH_SETTINGS, problem) for problem in graph.problems]
        return sorted(listed, key=lambda row: row[0])

    def _why_skipped(self, path: str) -> str | None:
        if path in self._intake.private:
            return LEFT_OUT_BY_ITSELF
        if path.endswith("/"):
            return self.rules.explain_folder(path.rstrip("/"))
        return self.rules.explain(path)

    def _known(self, path: str) -> NoteStatus:
        """Return the status of a path that is listed, from what is known."""
        if (reason := self._intake.left_out.get(path)) is not None:
            return NoteStatus(path, "skipped", indexed=False, reason=reason)
        return self.status(path)

    def _states(self) -> dict[str, Coverage]:
        """Return the state of every path that is known of."""
        states: dict[str, Coverage] = dict.fromkeys(dict(self._intake.left_out), "skipped")
        states |= dict.fromkeys(dict(self._intake.private), "skipped")
        states |= dict.fromkeys(dict(self._intake.unreadable), "failed")
        states |= dict(self._states_of_notes())
        return states | dict.fromkeys(set(self._intake.waiting), "pending")

    def _states_of_notes(self) -> Iterator[tuple[str, Coverage]]:
        missing = self._index.live.missing
        for note in self._index.catalog.notes():
            waits = bool(missing) and any(key in missing for key in note.vector_keys)
            yield note.path, "pending" if waits else "indexed"

    def _indexed(self, note: IndexedNote) -> NoteStatus:
        live = self._index.live
        embedded = sum(key in live.matrix for key in note.vector_keys)
        reason: str | None = None
        if note.path in self._intake.waiting:
            reason = "changed, and not looked at again yet"
        elif any(key in live.missing for key in note.vector_keys):
            reason = "found by its words; its meaning is not embedded yet"
        rule = self._index.privacy.rule(note, self._index.catalog)
        return NoteStatus(
            path=note.path,
            state="indexed" if reason is None else "pending",
            indexed=True,
            reason=reason,
            revision=self._index.revision_of(note.path),
            content_hash=note.content_hash,
            chunks=len(note.vector_keys),
            embedded_chunks=embedded,
            local_only=rule,
            problems=note.problems,
        )
