"""One tree of errors; each knows its HTTP status, its exit code and its stable code.

PaiError
 ├─ UsageError              what was asked for makes no sense        400 / 64
 ├─ Unauthorized            no token, or a wrong one                 401 / 77
 ├─ Forbidden               a Host or Origin that is not ours        403 / 77
 ├─ NotFound                no such route, note or citation          404 / 66
 ├─ MethodNotAllowed        a route that does not take the method    405 / 64
 ├─ TooLarge                a body over the limit                    413 / 65
 ├─ Overloaded              a queue is full, try again               429 / 75
 ├─ VaultUnavailable        vault missing, empty or unreadable       503 / 66
 ├─ VaultHeld               another daemon serves this vault         409 / 75
 ├─ NoteChanged             a note is not as it was read             409 / 75
 ├─ PortTaken               the port is in use                       503 / 69
 ├─ ModelUnavailable        files of a model missing or damaged      503 / 69
 ├─ IndexUnavailable        the index cannot be read                 503 / 74
 ├─ DiskFull                no room left to write the index          507 / 74
 ├─ GeneratorUnavailable    the model that writes answers is away    502 / 69
 └─ DaemonUnreachable       no daemon answers this client            503 / 69

Exit codes follow sysexits.h; the HTTP body is a problem of RFC 9457.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PaiError(Exception):
    """An error that a person can act on: what happened, and what to do next.

    detail: one or two sentences, safe to show. hint: the next step, empty when there is none.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint

    def problem(self) -> dict[str, Any]:
        """Return the RFC 9457 problem document for this error."""
        document = {
            "type": f"urn:pai-daemon:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        return document | ({"hint": self.hint} if self.hint else {})


class UsageError(PaiError):
    """A request, a setting or an argument that makes no sense."""

    status, exit_code, code, title = 400, 64, "bad_request", "Bad request"


class Unauthorized(PaiError):
    """A request without the token, or with a wrong one."""

    status, exit_code, code, title = 401, 77, "unauthorized", "Unauthorized"


class Forbidden(PaiError):
    """A request whose Host or Origin is not allowed."""

    status, exit_code, code, title = 403, 77, "forbidden", "Forbidden"


class NotFound(PaiError):
    """A route or a note that does not exist."""

    status, exit_code, code, title = 404, 66, "not_found", "Not found"


class MethodNotAllowed(PaiError):
    """A route that exists, asked with a method that it does not take."""

    status, exit_code, code, title = 405, 64, "method_not_allowed", "Method not allowed"


class TooLarge(PaiError):
    """A request body over the limit."""

    status, exit_code, code, title = 413, 65, "too_large", "Body too large"


class Overloaded(PaiError):
    """A full queue; the caller should wait and try again."""

    status, exit_code, code, title = 429, 75, "overloaded", "Too many requests"


class VaultUnavailable(PaiError):
    """A vault that is missing, empty or unreadable. The index is kept (D3)."""

    status, exit_code, code, title = 503, 66, "vault_unavailable", "Vault unavailable"


class VaultHeld(PaiError):
    """A vault that another daemon already serves."""

    status, exit_code, code, title = 409, 75, "vault_held", "Vault already served"


class NoteChanged(PaiError):
    """A note that is no longer what an edit was made for."""

    status, exit_code, code, title = 409, 75, "note_changed", "Note changed"


class PortTaken(PaiError):
    """A port that another process listens on."""

    status, exit_code, code, title = 503, 69, "port_taken", "Port in use"


class ModelUnavailable(PaiError):
    """A model whose files are missing, damaged or do not fit this machine."""

    status, exit_code, code, title = 503, 69, "model_unavailable", "Model unavailable"


class IndexUnavailable(PaiError):
    """An index that cannot be read or written."""

    status, exit_code, code, title = 503, 74, "index_unavailable", "Index unavailable"


class DiskFull(IndexUnavailable):
    """No room left on the disk that holds the index or the model."""

    status, exit_code, code, title = 507, 74, "disk_full", "Disk full"


class GeneratorUnavailable(PaiError):
    """The server or model that writes answers does not answer."""

    status, exit_code, code, title = 502, 69, "generator_unavailable", "Generator unavailable"


class DaemonUnreachable(PaiError):
    """No daemon answers at the address this client knows."""

    status, exit_code, code, title = 503, 69, "daemon_unreachable", "Daemon unreachable"
