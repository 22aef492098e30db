"""What is remembered of links beside the notes: refused pairs, and what notes were called before.

One small file in the daemon's data, apart from the index, which may be made anew at any time (D6, D79).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from pai_daemon.config import write_private
from pai_daemon.errors import PaiError

log = logging.getLogger(__name__)
# The oldest renames are forgotten first.
MAX_RENAMES = 5_000
Pair = tuple[str, str]


class Kept:
    """The refused pairs and the renames of one vault. Any thread asks; what is changed is on disk at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._refused: dict[Pair, None] = {}
        self._renamed: dict[str, str] = {}
        self._read()

    def _read(self) -> None:
        try:
            told = json.loads(self._file.read_text("utf-8"))
            self._refused = {_pair(a, b): None for a, b in told.get("refused", ())}
            self._renamed = {str(old): str(new) for old, new in told.get("renamed", ())}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, AttributeError) as error:
            # What cannot be read is put aside rather than written over.
            log.warning("the refused links in %s cannot be read: %s", self._file, error)
            if not isinstance(error, OSError):
                self._file.replace(self._file.with_suffix(".damaged"))

    def _write(self) -> None:
        told = {"refused": list(self._refused), "renamed": list(self._renamed.items())}
        write_private(self._file, json.dumps(told, ensure_ascii=True, indent=1) + "\n")

    def refuse(self, pairs: Iterable[Pair]) -> int:
        """Let the notes of each pair never be suggested to each other; return how many are new.

        Raises DiskFull or UsageError where it cannot be written.
        """
        with self._lock:
            asked = dict.fromkeys(_pair(a, b) for a, b in pairs if a != b)
            return self._change(self._refused | asked)

    def allow(self, pairs: Iterable[Pair]) -> int:
        """Take refusals back; return how many there were. Raises as `refuse`."""
        with self._lock:
            asked = {_pair(a, b) for a, b in pairs}
            return self._change({pair: None for pair in self._refused if pair not in asked})

    def _change(self, refused: dict[Pair, None]) -> int:
        before, self._refused = self._refused, refused
        changed = abs(len(refused) - len(before))
        if changed:
            try:
                self._write()
            except PaiError:
                self._refused = before
                raise
        return changed

    def refused(self) -> list[Pair]:
        """Return all refused pairs, in the order in which they were."""
        with self._lock:
            return list(self._refused)

    def refused_with(self, path: str) -> set[str]:
        """Return the notes that are not to be suggested to a note."""
        with self._lock:
            return {b if a == path else a for a, b in self._refused if path in (a, b)}

    def rename(self, renamed: Mapping[str, str]) -> None:
        """Follow notes to their new paths. What the disk refuses now is written with the next change."""
        if not renamed:
            return
        with self._lock:
            for old, new in renamed.items():
                self._renamed.pop(old, None)
                self._renamed.pop(new, None)  # it is called so again
                self._renamed[old] = new
            while len(self._renamed) > MAX_RENAMES:
                del self._renamed[next(iter(self._renamed))]
            pairs = [(renamed.get(a, a), renamed.get(b, b)) for a, b in self._refused]
            self._refused = {_pair(a, b): None for a, b in pairs}
            try:
                self._write()
            except PaiError as error:
                log.warning("a rename is not kept: %s", error.detail)

    def now(self, old: str) -> str:
        """Return what the note that was once at this path is called now; itself where it was not renamed."""
        with self._lock:
            seen = {old}
            while (new := self._renamed.get(old)) is not None and new not in seen:
                seen.add(new)
                old = new
            return old

    def former(self) -> dict[str, str]:
        """Return each path that a note had before, and the one it has now."""
        with self._lock:
            paths = list(self._renamed)
        return {path: self.now(path) for path in paths}


def _pair(a: object, b: object) -> Pair:
    first, second = sorted((str(a), str(b)))
    return first, second
