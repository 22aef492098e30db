"""`GET /api/search`: passages for a query."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from pai_daemon.context.search import Mode
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import limit, narrowing, reply, switch, text

routes = web.RouteTableDef()


@routes.get("/api/search")
async def search(request: web.Request) -> web.Response:
    """Return passages for `q`, best first; `mode`, `limit` and what `narrowing` reads narrow it.

    `typing=true`: the last word of `q` is still being typed.
    """
    values = request.query
    result = await asyncio.to_thread(
        request.app[SERVED].ready().searcher.search,
        text(values, "q"),
        mode=cast("Mode", text(values, "mode", "hybrid")),
        limit=limit(values, 10),
        chosen=narrowing(values),
        typing=switch(values, "typing"),
    )
    return reply(result, revision=result.revision)
