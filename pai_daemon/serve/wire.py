"""What crosses the wire: reads queries and bodies, writes JSON and problem documents."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.filters import Filter, moment_ns
from pai_daemon.context.search import MAX_LIMIT, MAX_QUERY_CHARACTERS
from pai_daemon.errors import RETRY_S, Overloaded, PaiError, UsageError

log = logging.getLogger(__name__)
# A megabyte at most, on this machine.
BODY_S = 30.0


# A few characters are space for Python, and none for the patterns of JSON Schema.
NOT_BLANK = r"[^\s\x1c-\x1f\x85]"
Limit = Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many at most.", examples=[5])]
Words = Annotated[
    str,
    Meta(
        description='`"exact words"` must occur, `-word` leaves out what holds it.',
        examples=["when is the engine serviced"],
        extra_json_schema={"minLength": 1, "maxLength": MAX_QUERY_CHARACTERS, "pattern": NOT_BLANK},
    ),
]
Operators = Annotated[
    Words,
    Meta(
        description='Words or a question; `"exact words"` must occur, `-word` leaves out what holds it.'
        " Besides `path:` and `file:` (part of a note's path or name), `heading:`, `tag:` or `#tag`,"
        " `[property]` or `[property:value]`, `since:` and `before:` (a day, or 7d) and `on:` (a day)"
        " choose notes, and `-` before one leaves out what it finds; quotes hold a value with spaces:"
        ' `path:"My notes"`. Alone they list the newest notes.'
    ),
]
Folder = Annotated[str, Meta(description="A folder of the vault, or one note.", examples=["Journal"])]
# Each with its type: n8n and others make a schema of their own of each of them alone.
MOMENTS = (
    {"type": "string", "const": ""},
    {"type": "string", "pattern": r"^[0-9]{1,3}[hdwmy]$"},
    {"type": "string", "format": "date"},
)
Moment = Annotated[
    str,
    Meta(
        description="A day or time of ISO 8601, or how long ago: 12h, 7d, 2w, 3m, 1y.",
        examples=["7d"],
        extra_json_schema={"anyOf": list(MOMENTS)},
    ),
]


class Sparse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document whose fields are left out where they say nothing; any other has all of them, always."""


class ProblemDocument(Sparse, frozen=True, kw_only=True):
    """What went wrong, and what to do about it (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str = ""


class Narrowed(msgspec.Struct, frozen=True, kw_only=True):
    """Which notes are looked at, in a query or a body."""

    path: Folder = ""
    tag: Annotated[
        list[str] | str, Meta(description="Also those nested in it; several: all of them.", examples=["boat"])
    ] = ""
    property: Annotated[
        list[str] | str, Meta(description="`name` or `name=value`; several: all.", examples=["status=open"])
    ] = ""
    since: Moment = ""
    before: Moment = ""


def narrowing(asked: Narrowed) -> Filter:
    """Return the notes to look at. Raises UsageError."""
    now = datetime.now().astimezone()
    return Filter(
        folder=asked.path,
        tags=_texts("tag", asked.tag),
        properties=_texts("property", asked.property),
        since_ns=moment_ns(asked.since, now) if asked.since else None,
        before_ns=moment_ns(asked.before, now) if asked.before else None,
    )


def _texts(name: str, given: str | list[str]) -> tuple[str, ...]:
    """Return what was given, once or several times."""
    listed = [given] if isinstance(given, str) else given
    for item in listed:
        refuse_halves(name, item)
    return tuple(found for item in listed if (found := item.strip()))


def refuse_halves(name: str, value: str) -> None:
    """Raise UsageError for text that cannot be UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} holds half a character: a surrogate without its pair.") from error


async def body(request: web.Request) -> dict[str, Any]:
    """Return a request's JSON object; an empty body is an empty object. Raises UsageError."""
    if "Content-Encoding" in request.headers:
        raise UsageError("The body must be plain JSON, without a Content-Encoding.")
    try:
        async with asyncio.timeout(BODY_S):
            raw = await request.read()
    except TimeoutError as error:
        raise UsageError(f"The body did not come within {BODY_S:.0f} s.") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise UsageError("The body ended before it was whole.") from error
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The body is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise UsageError("The body must be a JSON object.")
    return value


def dumps(value: Any) -> str:
    """Return JSON. A lone surrogate, which UTF-8 cannot hold, is written as an escape."""
    return encoded(value).decode("utf-8")


def encoded(value: Any) -> bytes:
    """Return JSON in UTF-8, from dataclasses and Structs as they are."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value)).encode("ascii")


def reply(value: Any, *, status: int = 200, revision: int | None = None) -> web.Response:
    """Return a JSON response; the ETag is the index's revision where it decides the content."""
    headers = {"Cache-Control": "no-store"}
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return web.Response(
        body=encoded(value), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def problem(error: PaiError, **more: str) -> web.Response:
    """Return an error as a problem document (RFC 9457); more: further headers."""
    return refusal(error, error.problem(), "application/problem+json", **more)


def refusal(error: PaiError, document: Any, content_type: str, **more: str) -> web.Response:
    """Return an error as a document of any form; more: further headers."""
    headers = {"Cache-Control": "no-store", **more}
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.wait_s if isinstance(error, Overloaded) else RETRY_S)
    return web.Response(
        status=error.status, body=encoded(document), content_type=content_type, headers=headers
    )


def fault(request: web.Request, error: Exception) -> PaiError:
    """Log an error that is ours, not the client's, and return what the client is told of it."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return PaiError(f"The daemon failed at this request: {type(error).__name__}.")
