"""Who may ask for what: the token of the person, and named ones that open less (D62).

A named token is 256 random bits, of which only the SHA-256 is kept. Both files are looked at with each
request, so that a token that was revoked or replaced opens nothing from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from pai_daemon.config import Settings, ensure_token, read_token, vault_key, write_private
from pai_daemon.errors import NotFound, UsageError

log = logging.getLogger(__name__)

# What a scope opens is said where the routes are, in `security`.
SCOPES = ("search", "ask", "status", "index", "memory", "action")
MAX_NAME = 64
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token opens.

    scopes: some of SCOPES, None: everything. vault: the key of the only one, None: any.
    """

    name: str = "the person's own"
    scopes: tuple[str, ...] | None = None
    vault: str | None = None

    def opens(self, scope: str | None) -> bool:
        """Return whether it opens a scope; None: what only the person's own token does."""
        return self.scopes is None or (scope is not None and scope in self.scopes)


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token as it is kept. digest: SHA-256 of it, in hex. created: ISO 8601, UTC."""

    name: str
    scopes: tuple[str, ...]
    vault: str | None
    created: str
    digest: str


class _Kept(Generic[Value]):
    """What a file holds, read anew when the file is another."""

    def __init__(self, path: Path, read: Callable[[], Value]) -> None:
        self._path = path
        self._read = read
        self._seen: tuple[int, int, int] | None = None
        self._value: Value | None = None

    def value(self) -> Value:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            seen = (0, 0, 0)
        if self._value is None or seen != self._seen:
            self._value, self._seen = self._read(), seen
        return self._value


class Tokens:
    """The tokens of one person on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = settings.config_dir / "tokens.json"
        self._own = _Kept(settings.config_dir / "token", self._read_own)
        self._named = _Kept(self._path, self._read_named)

    def grant(self, given: bytes) -> Grant | None:
        """Return what a token opens, None for one that is not known; compared in constant time."""
        own = self._own.value().encode()
        if own and hmac.compare_digest(given, own):
            return Grant()
        digest = hashlib.sha256(given).hexdigest()
        found = None
        for token in self._named.value():
            if hmac.compare_digest(digest, token.digest):
                found = Grant(token.name, token.scopes, token.vault)
        return found

    def own_digest(self) -> str:
        """Return the SHA-256 of the person's own token as it is now, in hex."""
        return hashlib.sha256(self._own.value().encode()).hexdigest()

    def _read_own(self) -> str:
        try:
            return read_token(self._settings) or ""
        except UsageError as error:  # it opens nothing, and the command line says why
            log.warning("%s", error.detail)
            return ""

    def _read_named(self) -> tuple[NamedToken, ...]:
        try:
            return self.named()
        except UsageError as error:
            log.warning("%s", error.detail)
            return ()

    def named(self) -> tuple[NamedToken, ...]:
        """Return the named tokens as they are kept. Raises UsageError for a file that is none of ours."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return tuple(_token_of(each) for each in kept)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UsageError(
                f"{self._path} cannot be read, so that no named token opens anything.",
                hint="Delete it, and create the tokens again with `pai token create`.",
            ) from error

    def create(self, name: str, scopes: Iterable[str], vault: Path | None = None) -> str:
        """Return a new token, which is shown only now. Raises UsageError."""
        scopes = tuple(dict.fromkeys(scopes))
        if not name.isprintable() or not 0 < len(name.strip()) <= MAX_NAME:
            raise UsageError(f"A token's name has 1 to {MAX_NAME} printable characters.")
        if unknown := [scope for scope in scopes if scope not in SCOPES]:
            raise UsageError(f"The scope {unknown[0]!r} is unknown.", hint=f"Choose {', '.join(SCOPES)}.")
        if not scopes:
            raise UsageError("A token needs a scope.", hint=f"Choose some of {', '.join(SCOPES)}.")
        known = self.named()
        if name in {token.name for token in known}:
            raise UsageError(f"There is a token {name!r} already.", hint=f"pai token revoke {name!r}")
        token = secrets.token_urlsafe(32)
        made = NamedToken(
            name,
            scopes,
            vault_key(vault) if vault is not None else None,
            datetime.now(UTC).isoformat(timespec="seconds"),
            hashlib.sha256(token.encode()).hexdigest(),
        )
        self._write([*known, made])
        return token

    def revoke(self, name: str) -> None:
        """Let a named token open nothing any more. Raises NotFound."""
        known = self.named()
        left = [token for token in known if token.name != name]
        if len(left) == len(known):
            raise NotFound(f"There is no token {name!r}.", hint="pai token list shows them.")
        self._write(left)

    def rotate(self) -> str:
        """Return another token of the person's own; the old one opens nothing any more."""
        (self._settings.config_dir / "token").unlink(missing_ok=True)
        return ensure_token(self._settings)

    def _write(self, tokens: Iterable[NamedToken]) -> None:
        write_private(self._path, json.dumps([asdict(token) for token in tokens], indent=2) + "\n")


def _token_of(kept: Any) -> NamedToken:
    token = NamedToken(
        str(kept["name"]),
        tuple(map(str, kept["scopes"])),
        kept["vault"],
        str(kept["created"]),
        kept["digest"],
    )
    if not isinstance(token.digest, str) or not (token.vault is None or isinstance(token.vault, str)):
        raise TypeError("not a token")
    return token
