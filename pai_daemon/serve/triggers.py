"""`POST /api/routines/{name}/trigger`: a program elsewhere runs a routine, by a signed message."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from aiohttp import web

from pai_daemon.errors import NoteChanged, NotFound, TooLarge, Unauthorized, UsageError, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.routines import NAME_ABOUT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import reply

routes = Routes()
MAX_BYTES = 256 * 1024


class Triggered(msgspec.Struct, frozen=True):
    """A run that is to be made. id: by which its trace is found."""

    id: str


@routes.post(
    "/api/routines/{name:.+}/trigger",
    "runs a routine that says `on: webhook`, by a message signed with its own secret; needs no token",
    answers={202: Triggered},
    fails=(Unauthorized, NotFound, NoteChanged, VaultUnavailable),
    path_about=NAME_ABOUT,
)
async def trigger(request: web.Request) -> web.Response:
    """Run a routine; what was sent is material for it."""
    parts = request.app[SERVED].ready()
    name = request.match_info["name"]
    body = await request.read()
    if len(body) > MAX_BYTES:
        raise TooLarge(f"A message may have {MAX_BYTES // 1024} KiB.")
    headers = {header.lower(): value for header, value in request.headers.items()}
    await asyncio.to_thread(parts.incoming.accept, name, headers, body)
    routine = parts.scheduler.routine(name)
    if not routine.enabled or all(each.cause != "webhook" for each in routine.triggers):
        raise NotFound(
            f"The routine {name!r} is not run by webhooks.", hint="Write `on: webhook` in its note."
        )
    try:
        sent: Any = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise UsageError("The body is no JSON.") from None
    payload = sent if isinstance(sent, dict) else {"body": sent}
    payload.pop("paths", None)  # which notes changed is said by the vault alone
    return reply(Triggered(parts.scheduler.trigger(name, payload, "webhook")), status=202)
