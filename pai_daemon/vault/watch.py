"""Hints about what changed in a vault; the scan decides what did (D1).

A hint is a set of vault-relative paths, or None for "scan everything". It is handed on when its paths have
been quiet for a moment, so that a save in several steps is one change, and after a longest wait in any case.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

from watchdog.events import (
    DirAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter

from pai_daemon.notes.reader import NOTE_SUFFIXES
from pai_daemon.vault.folder import GRAPH_SETTINGS
from pai_daemon.vault.ignore import APP_SETTINGS, IGNORE_FILE, SETTINGS_FOLDER, IgnoreRules
from pai_daemon.vault.inotify import FolderEmitter, LostEvents
from pai_daemon.vault.mounts import mounts_below, shared_file_system

QUIET_S = 0.3
LONGEST_S = 2.0
MAX_PENDING = 512
# Where the system does not say when its queue overflows: what is lost is followed by a full queue without
# a pause, so a scan after each part of one comes after the loss.
MAX_EVENTS = 4_096
PAUSE_S = 1.0
CHECK_S = 5.0
# After this long it is tried again to watch what the system's limits left out.
RETRY_S = 60.0
# A scan of ten thousand notes takes about a third of a second.
POLL_S = 15.0

Hint = frozenset[str] | None

_RAISE = "raise fs.inotify.max_user_watches or max_user_instances"

# What can change a note: not its opening, which every reading is, nor a folder's own modification.
# A change of attributes may make a note readable.
_CHANGES: tuple[type[FileSystemEvent], ...] = (
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileAttribEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    DirAttribEvent,
)
# What is in these says what belongs; a folder may come with its file in it.
_RULES = frozenset({APP_SETTINGS, SETTINGS_FOLDER, GRAPH_SETTINGS, "logseq", IGNORE_FILE})
_log = logging.getLogger(__name__)


class Settling:
    """Events waiting for quiet. It has no clock: every call says what time it is, in seconds."""

    def __init__(self, quiet_s: float = QUIET_S, longest_s: float = LONGEST_S) -> None:
        self._quiet_s = quiet_s
        self._longest_s = longest_s
        self._pending: dict[str, tuple[float, float]] = {}
        self._everything: tuple[float, float] | None = None
        self._events = 0
        self._last_event = 0.0

    def add(self, path: str | None, now: float) -> None:
        """Take in an event at a path; None means that anything may have changed."""
        if self._everything is None and path is not None and len(self._pending) < MAX_PENDING:
            first, _ = self._pending.get(path, (now, now))
            self._pending[path] = (first, now)
        elif self._everything is not None or path is None or path not in self._pending:
            first = self._everything[0] if self._everything else now
            self._everything = (first, now)
            self._pending.clear()
        else:
            self._pending[path] = (self._pending[path][0], now)

    def count(self, now: float) -> None:
        """Count an event, whatever it is about: too many in a row may have pushed out others."""
        if now - self._last_event > PAUSE_S:
            self._events = 0
        self._last_event = now
        self._events += 1
        if self._events > MAX_EVENTS:
            self._events = 0
            self.add(None, now)

    def take(self, now: float) -> list[Hint]:
        """Return what is due now, at most one hint, and forget it."""
        if self._everything is not None:
            if now < self._due(self._everything):
                return []
            self._everything = None
            return [None]
        due = frozenset(path for path, times in self._pending.items() if now >= self._due(times))
        for path in due:
            del self._pending[path]
        return [due] if due else []

    def wait_s(self, now: float) -> float | None:
        """Return how long until something is due; None while nothing waits."""
        if self._everything is not None:
            return max(0.0, self._due(self._everything) - now)
        return max(0.0, min(map(self._due, self._pending.values())) - now) if self._pending else None

    def _due(self, times: tuple[float, float]) -> float:
        """Return when a path with these times, of its first and last event, is handed on."""
        first, last = times
        return min(last + self._quiet_s, first + self._longest_s)


class Watcher:
    """Watches a vault and calls on_change with hints, from a thread of its own, until stopped.

    mode: "native" while the system reports changes, else "polling" with a reason: then everything is looked
    at every poll_s seconds, and what the system does report still arrives at once. A native watch that
    failed is tried again every few seconds. "off" before the start and after the stop.
    root may be a symbolic link: where it leads is looked at again every few seconds.
    """

    def __init__(
        self,
        root: Path,
        rules: IgnoreRules,
        on_change: Callable[[Hint], None],
        *,
        quiet_s: float = QUIET_S,
        longest_s: float = LONGEST_S,
        poll_s: float = POLL_S,
    ) -> None:
        self.mode = "off"
        self.reason = "not started"
        self._rules = rules
        self._root = root
        self._real_root = Path(os.path.realpath(root))
        self._on_change = on_change
        self._settling = Settling(quiet_s, longest_s)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._observer: BaseObserver | None = None
        self._watched: object = None
        self._retry_at = 0.0
        self._thread: threading.Thread | None = None
        self._poll_s = poll_s
        self._poll_at = 0.0

    @property
    def rules(self) -> IgnoreRules:
        """What belongs to the vault; folders that are out are not watched."""
        return self._rules

    @rules.setter
    def rules(self, rules: IgnoreRules) -> None:
        with self._changed:
            self._rules = rules
            self._changed.notify()

    def start(self) -> None:
        """Begin to watch; a system that cannot is no error (see mode)."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self._watch()
        self._thread = threading.Thread(target=self._run, name="vault-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the thread; hints that were waiting are dropped."""
        with self._changed:
            self._stopping.set()
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None
        self._unwatch("stopped")

    def take_event(self, event: FileSystemEvent) -> None:
        """Take in what watchdog saw; both ends of a move count."""
        now = time.monotonic()
        with self._changed:
            self._settling.count(now)
            if isinstance(event, LostEvents):
                self._settling.add(None, now)
            changed = (event.src_path, event.dest_path) if isinstance(event, _CHANGES) else ()
            for path in (self._relative(os.fsdecode(place)) for place in changed if place):
                if path in _RULES:
                    self._settling.add(None, now)
                elif path is not None and self._matters(path, event):
                    self._settling.add(path, now)
            self._changed.notify()

    def _relative(self, place: str) -> str | None:
        """Return the path within the vault; None for the vault itself and what lies outside."""
        try:
            path = Path(place).relative_to(self._real_root).as_posix()
            path.encode("utf-8")
        except ValueError:
            return None
        return None if path == "." else path

    def _matters(self, path: str, event: FileSystemEvent) -> bool:
        """Return whether a change at the path can change what is indexed."""
        if event.is_directory:
            return self.rules.explain_folder(path) is None
        if path.lower().endswith(NOTE_SUFFIXES):
            return self.rules.explain(path) is None
        # What an attachment holds is not indexed; where it is, links need to know.
        appears = event.event_type in ("created", "deleted", "moved")
        if appears and self.rules.lets_in(path):
            return True
        # Windows reports a folder that is gone as a file.
        gone = os.name == "nt" and event.event_type in ("deleted", "moved")
        return gone and self.rules.explain_folder(path) is None

    def _run(self) -> None:
        """Hand on what is due, and look now and then whether the watch is still alive."""
        check_at = time.monotonic() + CHECK_S
        while True:
            with self._changed:
                if self._stopping.is_set():
                    return
                now = time.monotonic()
                wait_s = self._settling.wait_s(now)
                waits_s = [check_at - now] if wait_s is None else [check_at - now, wait_s]
                if self.mode == "polling":
                    waits_s.append(self._poll_at - now)
                self._changed.wait(max(0.0, min(waits_s)))
                if self._stopping.is_set():
                    return
                hints = self._settling.take(time.monotonic())
            for hint in hints:
                self._hand_on(hint)
            if self.mode == "polling" and time.monotonic() >= self._poll_at:
                self._poll_at = time.monotonic() + self._poll_s
                self._hand_on(None)
            if time.monotonic() >= check_at or self._is_elsewhere():
                self._check()
                check_at = time.monotonic() + CHECK_S

    def _hand_on(self, hint: Hint) -> None:
        """Call on_change; a fault there must not end the watch."""
        try:
            self._on_change(hint)
        except Exception:
            _log.exception("a hint of the watcher was not taken")

    def _check(self) -> None:
        """Take up the watch again if it ended or misses folders, and have all scanned for what was missed."""
        observer = self._observer
        if observer is not None:
            alive = observer.is_alive() and all(emitter.is_alive() for emitter in observer.emitters)
            complete = not self._unwatched() or time.monotonic() < self._retry_at
            if alive and complete and self._identity() == self._watched:
                self._tell_unwatched()
                return
            self._unwatch("the watch ended; was the vault moved or unmounted?")
            self._hand_on(None)
        if self._root.is_dir() and self._watch():
            self._hand_on(None)

    def _identity(self) -> object:
        """Return what is watched: a restored copy is another folder, and a disk brings folders of its own."""
        with suppress(OSError):
            found = self._root.stat()
            return found.st_dev, found.st_ino, mounts_below(self._root), self._rules
        return None

    def _is_elsewhere(self) -> bool:
        """Return whether other folders are to be watched than are."""
        return isinstance(self._watched, tuple) and self._watched[-1] != self._rules

    def _watch(self) -> bool:
        """Start the system's own watch; return whether it runs."""
        self._real_root = Path(os.path.realpath(self._root))
        self._watched = self._identity()
        observer: BaseObserver | None = None
        try:
            observer = self._new_observer()
            observer.schedule(_Handler(self.take_event), str(self._real_root), recursive=True)
            observer.start()
        except (OSError, RuntimeError) as error:
            if observer is not None:
                _end(observer)  # what was set up before the failure is let go
            known, self.reason = self.reason, _why(error)
            self._poll()
            if self.reason != known:  # said once, though it is tried every few seconds
                _log.warning("the vault is not watched: %s", self.reason)
            return False
        self._observer = observer
        self._retry_at = time.monotonic() + RETRY_S
        self.mode, self.reason = "native", ""
        self._tell_unwatched()
        if kind := shared_file_system(self._real_root):
            self.reason = f"the file system {kind} does not report what others change"
            self._poll()
        return True

    def _new_observer(self) -> BaseObserver:
        """Return watchdog's observer of this system, on Linux with our own emitter."""
        if sys.platform != "linux":
            return Observer()

        def is_out(folder: str) -> bool:
            return folder != SETTINGS_FOLDER and self._rules.explain_folder(folder) is not None

        return BaseObserver(cast(type[EventEmitter], partial(FolderEmitter, is_out=is_out)))

    def _unwatched(self) -> int:
        """Return how many folders the system's limits leave without a watch."""
        emitters = self._observer.emitters if self._observer is not None else ()
        return sum(emitter.unwatched for emitter in emitters if isinstance(emitter, FolderEmitter))

    def _tell_unwatched(self) -> None:
        """Poll while folders are left without a watch."""
        if (count := self._unwatched()) and self.mode == "native":
            self.reason = f"{count:,} folders cannot be watched: the inotify watch limit is reached; {_RAISE}"
            _log.warning("not all of the vault is watched: %s", self.reason)
            self._poll()

    def _poll(self) -> None:
        """Look at everything from time to time, the first time when an interval is over."""
        if self.mode != "polling":
            self.mode, self._poll_at = "polling", time.monotonic() + self._poll_s

    def _unwatch(self, reason: str) -> None:
        """End the system's watch."""
        observer, self._observer = self._observer, None
        self.reason = reason
        if self._stopping.is_set():
            self.mode = "off"
        else:
            self._poll()
        if observer is not None:
            _end(observer)


class _Handler(FileSystemEventHandler):
    """Passes every event of watchdog on."""

    def __init__(self, take: Callable[[FileSystemEvent], None]) -> None:
        self._take = take

    def dispatch(self, event: FileSystemEvent) -> None:
        """Pass the event on, whatever its kind."""
        self._take(event)


def _end(observer: BaseObserver) -> None:
    """Stop an observer; what it raises of its own books must not end ours."""
    try:
        observer.stop()
        if observer.is_alive():
            observer.join()
    except Exception:
        _log.exception("the watch did not end as it should")


def _why(error: Exception) -> str:
    """Return why the system cannot watch, with what can be done."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if "inotify" in reason:
        return f"{reason}; {_RAISE}"
    return reason
