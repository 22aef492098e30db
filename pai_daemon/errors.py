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

# After how long to ask again, where nothing says more.
RETRY_S = 2


class PaiError(Exception):
    """An error that a person can act on: what happened, and what to do next.

    detail: one or two sentences, safe to show. hint: the next step, empty when there is none.
    todo: what to do about any error of the kind, for the README's table.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    todo: ClassVar[str] = "Look at the daemon's log; `pai doctor` shows what is wrong with the machine."

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
    todo = "Correct what the message names; `/openapi.json` and `--help` say what is taken."


class Unauthorized(PaiError):
    """A request without the token, or with a wrong one."""

    status, exit_code, code, title = 401, 77, "unauthorized", "Unauthorized"
    todo = "Send `Authorization: Bearer TOKEN`; `pai open` logs a browser in."


class Forbidden(PaiError):
    """A request whose Host or Origin is not allowed."""

    status, exit_code, code, title = 403, 77, "forbidden", "Forbidden"
    todo = "Call http://127.0.0.1; `allowed_origins` lets a web page in, `pai token create` makes a token."


class NotFound(PaiError):
    """A route or a note that does not exist."""

    status, exit_code, code, title = 404, 66, "not_found", "Not found"
    todo = "Check the path; `pai index --explain PATH` says why a note is not in the index."


class MethodNotAllowed(PaiError):
    """A route that exists, asked with a method that it does not take."""

    status, exit_code, code, title = 405, 64, "method_not_allowed", "Method not allowed"
    todo = "Use a method that `Allow` names."


class TooLarge(PaiError):
    """A request body over the limit."""

    status, exit_code, code, title = 413, 65, "too_large", "Body too large"
    todo = "Send less than a mebibyte."


class Overloaded(PaiError):
    """A full queue; the caller should wait and try again."""

    status, exit_code, code, title = 429, 75, "overloaded", "Too many requests"
    todo = "Wait as long as `Retry-After` says, and ask again."

    def __init__(self, detail: str, *, hint: str = "", wait_s: int = RETRY_S) -> None:
        """Tell what is too much; wait_s: after how long to ask again."""
        super().__init__(detail, hint=hint)
        self.wait_s = wait_s


class VaultUnavailable(PaiError):
    """A vault that is missing, empty or unreadable. The index is kept (D3)."""

    status, exit_code, code, title = 503, 66, "vault_unavailable", "Vault unavailable"
    todo = "Mount the folder, or finish its sync; nothing is lost meanwhile."


class VaultHeld(PaiError):
    """A vault that another daemon already serves."""

    status, exit_code, code, title = 409, 75, "vault_held", "Vault already served"
    todo = "Use that daemon, or stop it with `pai stop`."


class NoteChanged(PaiError):
    """A note that is no longer what an edit was made for."""

    status, exit_code, code, title = 409, 75, "note_changed", "Note changed"
    todo = "Read the note again, and repeat the edit."


class PortTaken(PaiError):
    """A port that another process listens on."""

    status, exit_code, code, title = 503, 69, "port_taken", "Port in use"
    todo = "Choose another with `--port`."


class ModelUnavailable(PaiError):
    """A model whose files are missing, damaged or do not fit this machine."""

    status, exit_code, code, title = 503, 69, "model_unavailable", "Model unavailable"
    todo = "`pai models list` shows what is here, `pai models use NAME` fetches one."


class IndexUnavailable(PaiError):
    """An index that cannot be read or written."""

    status, exit_code, code, title = 503, 74, "index_unavailable", "Index unavailable"
    todo = "Check the folder's permissions; `pai index --rebuild` makes a damaged index anew."


class DiskFull(IndexUnavailable):
    """No room left on the disk that holds the index or the model."""

    status, exit_code, code, title = 507, 74, "disk_full", "Disk full"
    todo = "Free some space; it goes on by itself."


class GeneratorUnavailable(PaiError):
    """The server or model that writes answers does not answer."""

    status, exit_code, code, title = 502, 69, "generator_unavailable", "Generator unavailable"
    todo = "Start its server, or choose `extractive`."


class DaemonUnreachable(PaiError):
    """No daemon answers at the address this client knows."""

    status, exit_code, code, title = 503, 69, "daemon_unreachable", "Daemon unreachable"
    todo = "Start it with `pai start VAULT`."
