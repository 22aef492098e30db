"""`POST /api/compare`: what two notes say alike, what one says alone, and where they contradict."""

from __future__ import annotations

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.answering.answer import Citation, Delta, Notice
from pai_daemon.context.comparing.comparison import Comparison, ComparisonEvent
from pai_daemon.errors import GeneratorUnavailable, ModelUnavailable, NotFound, Overloaded, VaultUnavailable
from pai_daemon.serve.ask import CitedPassage, as_sent, numbered, with_cited
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import ProblemDocument, reply

routes = Routes()
COMPARISON = with_cited(Comparison)
NotePath = Annotated[
    str,
    Meta(
        description="Of a note, as the index has it, or its name.",
        examples=["Boat/Engine.md"],
        extra_json_schema={"minLength": 1},
    ),
]


class Compare(msgspec.Struct, frozen=True, kw_only=True):
    """The two notes."""

    first: NotePath
    second: NotePath
    stream: Annotated[bool, Meta(description="Answer with events, while it is written.")] = False


@routes.post(
    "/api/compare",
    "what both notes say, what only one says, and where their numbers, dates or denials differ",
    body=Compare,
    answers={200: COMPARISON},
    events={
        "notice": Notice,
        "delta": Delta,
        "citation": CitedPassage,
        "done": COMPARISON,
        "error": ProblemDocument,
    },
    fails=(NotFound, ModelUnavailable, VaultUnavailable, GeneratorUnavailable),
)
async def compare(request: web.Request, asked: Compare) -> web.StreamResponse:
    """Compare two notes; with `stream` as events notice, citation, delta, done, error."""
    served = request.app[SERVED]
    parts = served.ready()
    first, second = (parts.related.indexed(path).path for path in (asked.first, asked.second))
    if served.answering.locked():
        raise Overloaded("Too many questions are being answered.", hint="Try again in a few seconds.")
    async with served.answering:
        if asked.stream:
            return await send_stream(request, parts.comparer.stream(first, second), _frame)
        comparison = await parts.comparer.compare(first, second)
        return reply(as_sent(comparison, COMPARISON), revision=comparison.revision)


def _frame(event: ComparisonEvent) -> bytes:
    match event:
        case Delta():
            return frame("delta", event)
        case Notice():
            return frame("notice", event)
        case Citation():
            return frame("citation", numbered(event))
    return frame("done", as_sent(event, COMPARISON))
