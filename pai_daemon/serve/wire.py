"""What crosses the wire: reads queries and bodies, writes JSON and problem documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from pai_daemon.errors import PaiError, UsageError


def integer(values: Mapping[str, Any], name: str, default: int) -> int:
    """Return a whole number from a query or body; raises UsageError when it is none."""
    value = values.get(name, default)
    try:
        return default if value is None or isinstance(value, bool) else int(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be a whole number, not {value!r}.") from error


def text(values: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return a string from a query or body; raises UsageError when it is none."""
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a string.")
    return value


def flag(values: Mapping[str, Any], name: str) -> bool:
    """Return a truth value from a body; raises UsageError when it is none."""
    value = values.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} must be true or false.")
    return value


async def body(request: web.Request) -> dict[str, Any]:
    """Return a request's JSON object; an empty body is an empty object. Raises UsageError."""
    raw = await request.read()
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


def problem(error: PaiError) -> web.Response:
    """Return an error as a problem document (RFC 9457)."""
    headers = {"Cache-Control": "no-store"}
    if error.status in (429, 503):
        headers["Retry-After"] = "2"
    return web.Response(
        status=error.status,
        text=dumps(error.problem()),
        content_type="application/problem+json",
        headers=headers,
    )
