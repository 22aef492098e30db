"""Actions: proposed, approved, applied and undone; the log of them is all there is (D90).

An action is made on the note as it is when it is applied. What a person wrote since it was proposed stays,
and a note that changed under our hands is read and planned again. What each note held before is kept until
the action is too old to be undone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pai_daemon.action.action import Action
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.grant import Grant
from pai_daemon.action.planning import check, planned
from pai_daemon.config import write_private
from pai_daemon.errors import Forbidden, NoteChanged, NotFound, PaiError, UsageError
from pai_daemon.vault.shelf import Shelf, parts_of

State = Literal["proposed", "applying", "applied", "rejected", "undone", "failed"]
ATTEMPTS = 5
# What can be undone, and what waits for a person, at most; older ones can no longer be.
KEPT = 500
MAX_WAITING = 200
# A routine may take the place of its own note, however long ago it created it; of so many notes at most.
MAX_CREATED = 2000
# Of the text of an action that is over; it stands in its note.
KEPT_CHARS = 2000
SLACK = 100
OPEN: tuple[State, ...] = ("proposed", "applying")
Texts = Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Record:
    """What became of an action. by: a routine, a token or a person. at: when its state changed last.

    why: what it is for, or what went wrong. hashes: of the notes that it left, to tell whether they are as it
    left them.
    """

    id: str
    state: State
    action: Action
    by: str
    at: datetime
    why: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)


class Actions:
    """The actions of one vault. Any thread may call; changes wait for each other.

    sealed: folders that no grant opens, since what stands there is obeyed or believed. is_outline: whether a
    path is a page of a Logseq graph. beginning: the text of a daily note that is not there yet. moved: plans
    a move with all links. on_change: is told of each record.
    """

    def __init__(
        self,
        shelf: Shelf,
        log: AuditLog,
        *,
        sealed: Sequence[str] = (),
        is_outline: Callable[[str], bool] = lambda _: False,
        beginning: Callable[[str], str] = lambda _: "",
        moved: Callable[[str, str], Texts] | None = None,
        on_change: Callable[[Record], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shelf, self._log = shelf, log
        self._sealed = tuple(f"{_plain(folder).casefold()}/" for folder in sealed if folder.strip("/"))
        self._is_outline, self._beginning, self._moved = is_outline, beginning, moved
        self.on_change = on_change
        self._now = now
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {}
        self._wrote: dict[str, str] = {}
        self._created: dict[str, tuple[str, str]] = {}
        self._most = KEPT + SLACK
        for entry in log.entries():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._take(_read(entry, self._records))
        self._recover()

    # What there is.

    def records(self, state: State | None = None, limit: int = KEPT) -> list[Record]:
        """Return the latest records, the newest first; of one state, or all."""
        known = list(self._records.values())  # at once, while another thread may add one
        found = [each for each in known if state is None or each.state == state]
        return sorted(found, key=lambda each: each.at, reverse=True)[:limit]

    def is_own(self, path: str, by: str) -> bool:
        """Return whether a note is as an action of theirs created it; one that was edited is the person's."""
        return path in self._created and self._is_as_created(path, by, self._shelf.read(path))

    def _is_as_created(self, path: str, by: str, text: str | None) -> bool:
        return text is not None and self._created.get(path) == (author(by), hash_of(text))

    def record(self, action_id: str) -> Record:
        """Return one of them. Raises NotFound."""
        if (found := self._records.get(action_id)) is None:
            raise NotFound(f"There is no action {action_id!r}.", hint="`pai action list` shows them.")
        return found

    def wrote(self, path: str) -> str:
        """Return the hash of what an action left at a path last, "" where none did."""
        return self._wrote.get(path, "")

    # What is done.

    def preview(self, action: Action, by: str = "") -> Texts:
        """Return the texts before and after, by path; nothing is written. Raises as `apply` does.

        by: whose own note a new one may take the place of, while it is as it was created.
        """
        check(action)
        if action.kind == "move":
            if self._moved is None:
                raise UsageError("Notes cannot be moved from here.")
            return self._moved(action.path, action.to)
        before = self._shelf.read(action.path)
        if action.kind == "create" and self._is_as_created(action.path, by, before):
            # It is as the same routine created it: a second run takes the place of the first.
            return {action.path: (before, self._planned(action, None))}
        return {action.path: (before, self._planned(action, before))}

    def _planned(self, action: Action, before: str | None) -> str:
        beginning = self._beginning(action.path) if before is None else ""
        return planned(action, before, is_outline=self._is_outline(action.path), beginning=beginning)

    def propose(self, action: Action, *, by: str, why: str = "") -> Record:
        """Keep an action for a person to decide. Raises UsageError for one that could not be done now."""
        texts = self.preview(action, by)
        if texts and all(before == after for before, after in texts.values()):
            raise UsageError("This action would change nothing.")
        with self._lock:
            for waiting in self.records("proposed"):
                if waiting.action == action:
                    return waiting
            if len(self.records("proposed")) >= MAX_WAITING:
                raise UsageError(
                    f"{MAX_WAITING} actions wait already.", hint="Approve or reject some: `pai action list`."
                )
            return self._add(Record(secrets.token_hex(4), "proposed", action, by, self._now(), why))

    def approve(self, action_id: str, *, by: str) -> Record:
        """Do what was proposed. Raises NotFound, and UsageError where it waits no more."""
        with self._lock:
            record = self._waiting(action_id)
            return self._apply(replace(record, by=f"{record.by}, approved by {by}"))

    def reject(self, action_id: str, *, by: str) -> Record:
        """Do not do it. Raises as `approve` does."""
        with self._lock:
            record = self._waiting(action_id)
            return self._add(replace(record, state="rejected", at=self._now(), why=f"rejected by {by}"))

    def apply(self, action: Action, *, by: str, grants: Sequence[Grant]) -> Record:
        """Do what is granted. Raises Forbidden for anything else, and then nothing is written."""
        day = self._now().astimezone().date()  # a grant ends with a person's day
        places = [action.path, action.to] if action.kind == "move" else [action.path]
        for written in places:
            place = _plain(written)
            is_sealed = place.casefold().startswith(self._sealed)
            if is_sealed or not any(grant.covers(action.kind, place, day) for grant in grants):
                raise Forbidden(
                    f"{by} may not {action.kind.replace('_', ' ')} {place}.",
                    hint="No grant opens this folder."
                    if is_sealed
                    else f"Grant it in the routine's note: `grants: [{{{action.kind}: {place}}}]`.",
                )
        with self._lock:
            return self._apply(Record(secrets.token_hex(4), "applying", action, by, self._now()))

    def undo(self, action_id: str, *, by: str) -> Record:
        """Put back what the notes of an action held before.

        Raises NoteChanged where one is no longer as the action left it, and UsageError where it was not
        applied or is too old.
        """
        with self._lock:
            record = self.record(action_id)
            if record.state != "applied":
                raise UsageError(f"The action {action_id} is {record.state}; there is nothing to undo.")
            texts = self._kept(action_id)
            for path, (_, after) in texts.items():
                if self._shelf.read(path) != after:
                    raise NoteChanged(
                        f"{path} has changed since then.",
                        hint="Undo it in the note, or by the vault's history.",
                    )
            self._write({path: (after, before) for path, (before, after) in texts.items()})
            return self._add(
                replace(record, state="undone", at=self._now(), why=f"undone by {by}", hashes={})
            )

    def _waiting(self, action_id: str) -> Record:
        record = self.record(action_id)
        if record.state != "proposed":
            raise UsageError(f"The action {action_id} waits no more: it is {record.state}.")
        return record

    def _apply(self, record: Record) -> Record:
        for attempt in range(ATTEMPTS):
            seen = self.preview(record.action, record.by)
            texts = {path: pair for path, pair in seen.items() if pair[0] != pair[1]}
            if not texts:
                own = _hashes(seen) if record.action.kind == "create" else {}
                return self._add(
                    replace(record, state="applied", at=self._now(), why="nothing to change", hashes=own)
                )
            write_private(self._file(record.id), json.dumps(texts))
            hashes = _hashes(texts)
            self._add(replace(record, state="applying", at=self._now(), hashes=hashes), tell=False)
            try:
                self._write(texts)
            except NoteChanged as error:
                if attempt + 1 < ATTEMPTS:
                    continue  # a person saved meanwhile
                self._fail(record, error)
                raise
            except PaiError as error:
                self._fail(record, error)
                raise
            return self._add(replace(record, state="applied", at=self._now(), hashes=hashes))
        raise AssertionError("unreachable")

    def _fail(self, record: Record, error: PaiError) -> None:
        with contextlib.suppress(OSError):  # a full disk takes no line either
            self._add(replace(record, state="failed", at=self._now(), why=error.detail))

    def _write(self, texts: Texts) -> None:
        """Write all of these notes, or none: what was written is taken back where a later one fails."""
        done: dict[str, tuple[str | None, str | None]] = {}
        try:
            for path, (before, after) in texts.items():
                self._put(path, before, after)
                done[path] = (before, after)
        except PaiError:
            for path, (before, after) in reversed(done.items()):
                with contextlib.suppress(PaiError):
                    self._put(path, after, before)
            raise

    def _put(self, path: str, before: str | None, after: str | None) -> None:
        if after is not None:
            self._shelf.write(path, after, before=before)
        elif before is not None:
            if self._shelf.read(path) != before:
                raise NoteChanged(f"{path} is not as it was read.")
            self._shelf.remove(path)

    # What is kept.

    def _add(self, record: Record, *, tell: bool = True) -> Record:
        self._log.add(_written(record))
        self._take(record)
        if record.state in ("undone", "failed"):
            self._file(record.id).unlink(missing_ok=True)
        if self._log.is_long():
            self._forget_old()
            with contextlib.suppress(OSError):  # a full disk: it stays long
                self._log.begin_anew(map(_written, self._records.values()))
        if tell:
            self.on_change(record)
        return record

    def _take(self, record: Record) -> None:
        if record.state not in OPEN and len(record.action.text) > KEPT_CHARS:
            record = replace(record, action=replace(record.action, text=record.action.text[:KEPT_CHARS]))
        self._records[record.id] = record
        if len(self._records) > self._most:
            self._forget_old()
        if record.state == "applied":
            self._wrote |= record.hashes
            self._created |= _created(record)

    def _forget_old(self) -> None:
        """Know what waits, what can be undone, and of each note the action that created it last."""
        over = sorted(
            (each for each in self._records.values() if each.state not in OPEN), key=lambda each: each.at
        )
        recent, old = over[-KEPT:], over[:-KEPT]
        created = {path: each for each in old if each.state == "applied" for path in _created(each)}
        known = [*created.values()][-MAX_CREATED:] + recent
        done = [each for each in known if each.state == "applied"]
        for each in old:
            self._file(each.id).unlink(missing_ok=True)
        # Other threads read meanwhile: each of these is another one at once.
        self._wrote = {path: text for each in done for path, text in each.hashes.items()}
        self._created = {path: by for each in done for path, by in _created(each).items()}
        waiting = [each for each in self._records.values() if each.state in OPEN]
        self._records = {each.id: each for each in waiting + known}
        self._most = len(self._records) + SLACK

    def _file(self, action_id: str) -> Path:
        return self._log.path.parent / "before" / f"{action_id}.json"

    def _kept(self, action_id: str) -> Texts:
        try:
            found = json.loads(self._file(action_id).read_text("utf-8"))
        except FileNotFoundError:
            raise UsageError(f"The action {action_id} is too old to be undone.") from None
        return {path: (before, after) for path, (before, after) in found.items()}

    def _recover(self) -> None:
        """Finish, or take back, what a kill broke off: an action is done whole, or not at all."""
        for record in self.records("applying"):
            state: State = "failed"
            with contextlib.suppress(PaiError):
                texts = self._kept(record.id)
                self._shelf.tidy_beside(texts)
                now = {path: self._shelf.read(path) for path in texts}
                if all(now[path] == after for path, (_, after) in texts.items()):
                    state = "applied"
                else:
                    done = {path: pair for path, pair in texts.items() if now[path] == pair[1]}
                    self._write({path: (after, before) for path, (before, after) in done.items()})
            why = "" if state == "applied" else "broken off, and taken back"
            with contextlib.suppress(OSError):
                self._add(replace(record, state=state, at=self._now(), why=why), tell=False)


def _plain(path: str) -> str:
    """Return a path in the one spelling that is compared. Raises UsageError for one that leads out."""
    return unicodedata.normalize("NFC", "/".join(parts_of(path)))


def author(by: str) -> str:
    """Return who an action is by, whoever approved it."""
    return by.partition(", approved by ")[0]


def _created(record: Record) -> dict[str, tuple[str, str]]:
    """Return which notes an action created, with who it is by and the hash that it left."""
    if record.action.kind != "create":
        return {}
    return {path: (author(record.by), text) for path, text in record.hashes.items()}


def _hashes(texts: Texts) -> dict[str, str]:
    return {path: hash_of(after) for path, (_, after) in texts.items() if after is not None}


def hash_of(text: str) -> str:
    """Return the SHA-256 of a note's text as it is on disk."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _written(record: Record) -> dict[str, Any]:
    entry = asdict(record) | {"at": record.at.isoformat()}
    if record.state not in ("proposed", "applying"):
        # Said once; a log is no second copy of the notes.
        entry["action"] = {name: value for name, value in entry["action"].items() if name != "text" and value}
    else:
        entry["action"] = {name: value for name, value in entry["action"].items() if value}
    return entry


def _read(entry: Mapping[str, Any], known: Mapping[str, Record]) -> Record:
    said = dict(entry["action"])
    if (before := known.get(entry["id"])) is not None:
        said.setdefault("text", before.action.text)
    return Record(
        id=str(entry["id"]),
        state=entry["state"],
        action=Action(**said),
        by=str(entry["by"]),
        at=datetime.fromisoformat(entry["at"]),
        why=str(entry.get("why", "")),
        hashes=dict(entry.get("hashes", {})),
    )
