"""`GET /api/search`: passages for a query."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from pai_daemon.context.search import Mode, SearchResult
from pai_daemon.errors import ModelUnavailable, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import Limit, Narrowed, Words, narrowing, reply

routes = Routes()


class Search(Narrowed, frozen=True, kw_only=True):
    """What is looked for."""

    q: Words
    mode: Mode = "hybrid"
    limit: Limit = 10
    typing: Annotated[bool, Meta(description="The last word of `q` is still being typed.")] = False


@routes.get(
    "/api/search",
    'passages for a query (`"exact words"`, `-without`), with spans, scores and an address that opens them',
    query=Search,
    answers={200: SearchResult},
    fails=(ModelUnavailable, VaultUnavailable),
)
async def search(request: web.Request, asked: Search) -> web.Response:
    """Return passages for `q`, best first."""
    result = await asyncio.to_thread(
        request.app[SERVED].ready().searcher.search,
        asked.q,
        mode=asked.mode,
        limit=asked.limit,
        chosen=narrowing(asked),
        typing=asked.typing,
    )
    return reply(result, revision=result.revision)
