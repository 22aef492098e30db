"""Webhooks in: a routine is run by a signed message, once (D93)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pai_daemon.action.outside.signing import TOLERANCE_S, new_secret, verify
from pai_daemon.config import write_private
from pai_daemon.errors import NoteChanged, Unauthorized


class Incoming:
    """The secrets of one vault's routines, and which messages came in the last minutes."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._secrets, self._seen = folder / "secrets.json", folder / "seen.json"
        self._now = now
        self._lock = threading.Lock()

    def new_secret(self, routine: str) -> str:
        """Return a new secret of a routine; the one before opens no more."""
        secret = new_secret()
        write_private(self._secrets, json.dumps(_read(self._secrets) | {routine: secret}))
        return secret

    def accept(self, routine: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the id of a message that may run a routine.

        Raises Unauthorized for a wrong one, NoteChanged for one that came before.
        """
        secret = _read(self._secrets).get(routine)
        if not isinstance(secret, str):
            raise Unauthorized(
                f"The routine {routine!r} has no secret.", hint=f'Make one: pai routine secret "{routine}"'
            )
        now = self._now()
        message_id = verify(secret, headers, body, now)
        with self._lock:
            # A message may be five minutes early, too.
            seen = {each: at for each, at in _read(self._seen).items() if at > now - 3 * TOLERANCE_S}
            key = f"{routine}\n{message_id}"
            if key in seen:
                raise NoteChanged("This message came before.", hint="Each message has an id of its own.")
            write_private(self._seen, json.dumps(seen | {key: now}))
        return message_id


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
