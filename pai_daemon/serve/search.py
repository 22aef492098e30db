"""`GET /api/search`: passages for a query."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.passage import Mode, SearchResult
from pai_daemon.errors import ModelUnavailable, Overloaded, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import Limit, Narrowed, Operators, narrowing, reply

routes = Routes()


class Search(Narrowed, frozen=True, kw_only=True):
    """What is looked for."""

    q: Operators
    mode: Mode = "hybrid"
    limit: Limit = 10
    typing: Annotated[bool, Meta(description="The last word of `q` is still being typed.")] = False
    explain: Annotated[bool, Meta(description="Say why the passages stand in their order.")] = False


@routes.get(
    "/api/search",
    "passages for a query (with operators), with spans, scores, addresses; with `explain` why they stand so",
    query=Search,
    answers={200: SearchResult},
    fails=(ModelUnavailable, Overloaded, VaultUnavailable),
)
async def search(request: web.Request, asked: Search) -> web.Response:
    """Return passages for `q`, best first."""
    served = request.app[SERVED]
    parts, chosen = served.ready(), narrowing(asked)

    def found() -> SearchResult:
        return parts.searcher.search(
            asked.q,
            mode=asked.mode,
            limit=asked.limit,
            chosen=chosen,
            typing=asked.typing,
            explain=asked.explain,
        )

    # What was begun before a commit does not answer who asks after it.
    result = await served.turns.take((parts.index.revision, msgspec.json.encode(asked)), found)
    return reply(result, revision=result.revision)
