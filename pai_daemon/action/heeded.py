"""Until when each schedule has been heeded, also after a restart."""

from __future__ import annotations

import json
from collections.abc import Container
from datetime import datetime
from pathlib import Path

from pai_daemon.config import write_private


class Heeded:
    """By a routine's name: its schedule as it was written, and until when it was heeded; kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[str, datetime]] = {}
        self._is_new = False

    def read(self) -> None:
        """Know what was written; nothing, where it cannot be read."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
            self._known = {
                name: (said, datetime.fromisoformat(moment)) for name, (said, moment) in found.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            self._known = {}

    def get(self, name: str) -> tuple[str, datetime] | None:
        """Return a routine's schedule and the moment, None for one that is new."""
        return self._known.get(name)

    def remember(self, name: str, said: str, moment: datetime, routines: Container[str]) -> None:
        """Know until when a schedule has been heeded, and forget routines that are no more."""
        self._known[name] = (said, moment)
        self._known = {each: known for each, known in self._known.items() if each in routines}
        self._is_new = True

    def save(self) -> None:
        """Write down what is known, if anything is new: once for all that fell due together."""
        if not self._is_new:
            return
        state = {each: [schedule, when.isoformat()] for each, (schedule, when) in self._known.items()}
        write_private(self._path, json.dumps(state))
        self._is_new = False
