"""The browser's way in: a link that works once, and the cookie that it is exchanged for (D62)."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

LINK_S = 60.0
SESSION_S = 12 * 3600.0
# What is open at once; the oldest goes.
MOST = 32


@dataclass(frozen=True, slots=True)
class _Secret:
    """until_s: of `time.monotonic`. token: the digest of the person's token at that time."""

    until_s: float
    token: str

    def is_good(self, token: str) -> bool:
        """Return whether it still opens something: a token that was replaced ends what it opened."""
        return time.monotonic() < self.until_s and self.token == token


class Sessions:
    """Kept in memory alone, by their SHA-256: a restart ends them.

    token: the digest of the person's own token.
    """

    def __init__(self) -> None:
        self._links: dict[str, _Secret] = {}
        self._sessions: dict[str, _Secret] = {}

    def link(self, token: str) -> str:
        """Return the code of a new link: 256 random bits, good once and for a minute."""
        return _remember(self._links, LINK_S, token)

    def open(self, code: str, token: str) -> str | None:
        """Return the cookie of a new session, None for a code that is unknown, used or too old."""
        link = self._links.pop(_digest(code), None)
        return (
            _remember(self._sessions, SESSION_S, token) if link is not None and link.is_good(token) else None
        )

    def holds(self, cookie: str, token: str) -> bool:
        """Return whether a cookie is that of an open session."""
        session = self._sessions.get(_digest(cookie))
        return session is not None and session.is_good(token)


def _remember(known: dict[str, _Secret], lifetime_s: float, token: str) -> str:
    secret = secrets.token_urlsafe(32)
    known[_digest(secret)] = _Secret(time.monotonic() + lifetime_s, token)
    while len(known) > MOST:
        del known[next(iter(known))]
    return secret


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
