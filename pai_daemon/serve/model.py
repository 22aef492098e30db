"""`POST /api/model`: let another embedding model answer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from pai_daemon.errors import UsageError
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import body, reply, text

routes = web.RouteTableDef()


@routes.post("/api/model")
async def choose(request: web.Request) -> web.Response:
    """Let `model` answer once it has embedded everything, and at later starts; follow it in the status."""
    served = request.app[SERVED]
    name = text(await body(request), "model").strip()
    if not name:
        raise UsageError("Give the model's name.", hint="`pai models list` shows them.")
    await asyncio.shield(served.choose(name))  # by halves it would only be remembered
    return reply({"accepted": True, "model": served.model.profile.name}, status=202)
