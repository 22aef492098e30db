"""What crosses the wire: reads queries and bodies, writes JSON and problem documents."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from pai_daemon.context.filters import Filter, moment_ns
from pai_daemon.context.search import MAX_LIMIT
from pai_daemon.errors import PaiError, UsageError

log = logging.getLogger(__name__)
# A megabyte at most, on this machine.
BODY_S = 30.0
DIGITS = re.compile(r"[0-9]{1,9}")


def limit(values: Mapping[str, Any], default: int) -> int:
    """Return `limit` from a query or body; raises UsageError unless it is a whole number in range."""
    value = values.get("limit")
    if value is None:
        return default
    if isinstance(value, str) and DIGITS.fullmatch(value):
        value = int(value)
    # True is an int in Python, and a mistake here.
    if type(value) is not int or not 1 <= value <= MAX_LIMIT:
        raise UsageError(f"limit must be a whole number between 1 and {MAX_LIMIT}.")
    return value


def text(values: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return a string from a query or body; raises UsageError when it is none, or cannot be UTF-8."""
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} holds half a character: a surrogate without its pair.") from error
    return value


def texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the strings of a name that a query repeats, or that a body gives as a string or a list."""
    given = values.getall(name, []) if isinstance(values, MultiMapping) else values.get(name)
    listed = given if isinstance(given, list) else [] if given is None else [given]
    return tuple(found for item in listed if (found := text({name: item}, name).strip()))


def narrowing(values: Mapping[str, Any]) -> Filter:
    """Return the notes to look at: `path`, `tag`, `property`, `since` and `before` of a query or body.

    Raises UsageError.
    """
    now = datetime.now().astimezone()
    since, before = (text(values, name) for name in ("since", "before"))
    return Filter(
        folder=text(values, "path"),
        tags=texts(values, "tag"),
        properties=texts(values, "property"),
        since_ns=moment_ns(since, now) if since else None,
        before_ns=moment_ns(before, now) if before else None,
    )


def flag(values: Mapping[str, Any], name: str) -> bool:
    """Return a truth value from a body; raises UsageError when it is none."""
    value = values.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false.")
    return value


def switch(values: Mapping[str, Any], name: str) -> bool:
    """Return a truth value from a query; raises UsageError when it is none."""
    return flag({name: {"true": True, "false": False}.get(values.get(name, "false"))}, name)


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
    document = json.dumps(value, ensure_ascii=False, default=asdict)
    try:
        document.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, default=asdict)
    return document


def reply(value: Any, *, status: int = 200, revision: int | None = None) -> web.Response:
    """Return a JSON response; the ETag is the index's revision where it decides the content."""
    headers = {"Cache-Control": "no-store"}
    if revision is not None:
        headers["ETag"] = f'"{revision}"'
    return web.json_response(value, status=status, headers=headers, dumps=dumps)


def problem(error: PaiError, **more: str) -> web.Response:
    """Return an error as a problem document (RFC 9457); more: further headers."""
    headers = {"Cache-Control": "no-store", **more}
    if error.status in (429, 503):
        headers["Retry-After"] = "2"
    return web.Response(
        status=error.status,
        text=dumps(error.problem()),
        content_type="application/problem+json",
        headers=headers,
    )


def fault(request: web.Request, error: Exception) -> PaiError:
    """Log an error that is ours, not the client's, and return what the client is told of it."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return PaiError(f"The daemon failed at this request: {type(error).__name__}.")
