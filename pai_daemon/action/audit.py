"""The log of all that was proposed, decided, done and undone: lines of JSON that are only ever added to.

Everything else about actions follows from it, so that nothing can disagree with what is told. One that has
become long is put aside, as `older`, and begun anew with what must still be known.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pai_daemon.config import private_folder

MAX_BYTES = 4 * 1024 * 1024


class AuditLog:
    """One file, readable by the person alone. Any thread may add to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.older = path.with_name(f"{path.stem}-older{path.suffix}")
        self._lock = threading.Lock()
        self._begun_bytes = 0

    def add(self, entry: dict[str, Any]) -> None:
        """Add an entry; it is on the disk when this returns. Raises OSError where it cannot be."""
        line = _line(entry)
        with self._lock:
            private_folder(self.path.parent)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                # A line that a power cut left without its end must not swallow this one.
                size = os.fstat(descriptor).st_size
                lead = b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""
                os.write(descriptor, lead + line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def is_long(self) -> bool:
        """Return whether it is time to begin anew: what must still be known may itself be much."""
        size = self.path.stat().st_size if self.path.exists() else 0
        return size > max(MAX_BYTES, 2 * self._begun_bytes)

    def begin_anew(self, entries: Iterable[dict[str, Any]]) -> None:
        """Hold these entries alone; what it held takes the place of the older one.

        Raises OSError where that cannot be, and then it holds what it held.
        """
        fresh = self.path.with_name(f".{self.path.name}.fresh")
        with self._lock:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(map(_line, entries))
                file.flush()
                os.fsync(file.fileno())
                self._begun_bytes = file.tell()
            shutil.copy(self.path, self.older)
            fresh.replace(self.path)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield all entries, oldest first; a damaged line is passed over."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
