"""`POST /api/ask`: an answer with its evidence, as one document or as a stream."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aiohttp import web

from pai_daemon.context.answer import (
    DEFAULT_PASSAGES,
    Answer,
    AnswerEvent,
    Citation,
    Cited,
    Delta,
    Question,
    Sources,
)
from pai_daemon.context.search import checked_query
from pai_daemon.errors import Overloaded
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import body, flag, limit, narrowing, reply, text

routes = web.RouteTableDef()


@routes.post("/api/ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Answer `question`; with `stream` true as events sources, delta, citation, done, error."""
    served = request.app[SERVED]
    values = await body(request)
    question = Question(
        text=checked_query(text(values, "question")),
        limit=limit(values, DEFAULT_PASSAGES),
        chosen=narrowing(values),
        selection=text(values, "selection"),
        as_asked=flag(values, "as_asked"),
    )
    streamed = flag(values, "stream")
    answerer = served.ready().answerer
    if served.answering.locked():
        raise Overloaded("Too many questions are being answered.", hint="Try again in a few seconds.")
    async with served.answering:
        if streamed:
            return await send_stream(request, answerer.stream(question), _frame)
        answer = await answerer.ask(question)
        return reply(answer_document(answer), revision=answer.revision)


def _frame(event: AnswerEvent) -> bytes:
    if isinstance(event, Sources):
        citations = [citation_document(citation) for citation in event.citations]
        return frame("sources", {"citations": citations, "revision": event.revision})
    if isinstance(event, Delta):
        return frame("delta", {"text": event.text})
    if isinstance(event, Cited):
        return frame("citation", {"n": event.n})
    return frame("done", answer_document(event))


def citation_document(citation: Citation) -> dict[str, Any]:
    """Return a citation as the API says it: the passage with its number."""
    return {"n": citation.n, **asdict(citation.passage)}


def answer_document(answer: Answer) -> dict[str, Any]:
    """Return an answer as the API says it."""
    return asdict(answer) | {"citations": [citation_document(citation) for citation in answer.citations]}
