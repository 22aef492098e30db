"""The log of all that was proposed, decided, done and undone: lines of JSON that are only ever added to.

Everything else about actions follows from it, so that nothing can disagree with what is told.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pai_daemon.config import private_folder


class AuditLog:
    """One file, readable by the person alone. Any thread may add to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def add(self, entry: dict[str, Any]) -> None:
        """Add an entry; it is on the disk when this returns. Raises OSError where it cannot be."""
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
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
