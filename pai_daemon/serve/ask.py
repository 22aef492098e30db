"""`POST /api/ask`: an answer with its evidence, as one document or as a stream."""

from __future__ import annotations

from contextlib import aclosing
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
from pai_daemon.context.catalog import Filter
from pai_daemon.context.search import checked_query
from pai_daemon.errors import Overloaded, PaiError
from pai_daemon.serve.events import KEEP_ALIVE, frame, open_stream, with_keep_alive
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import body, flag, integer, reply, text

routes = web.RouteTableDef()


@routes.post("/api/ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Answer `question`; with `stream` true as events sources, delta, citation, done, error."""
    served = request.app[SERVED]
    values = await body(request)
    question = Question(
        text=checked_query(text(values, "question")),
        limit=integer(values, "limit", DEFAULT_PASSAGES),
        chosen=Filter(folder=text(values, "path"), tag=text(values, "tag")),
        selection=text(values, "selection"),
    )
    answerer = served.ready().answerer
    if served.answering.locked():
        raise Overloaded("Too many questions are being answered.", hint="Try again in a few seconds.")
    async with served.answering:
        if not flag(values, "stream"):
            answer = await answerer.ask(question)
            return reply(answer_document(answer), revision=answer.revision)
        response = await open_stream(request)
        try:
            async with aclosing(answerer.stream(question)) as answering:
                async for event in with_keep_alive(answering):
                    await response.write(KEEP_ALIVE if event is None else frame(*_event(event)))
        except PaiError as error:
            # The status line is long gone; the error travels as the last event.
            await response.write(frame("error", error.problem()))
        await response.write_eof()
        return response


def _event(event: AnswerEvent) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Sources):
        citations = [citation_document(citation) for citation in event.citations]
        return "sources", {"citations": citations, "revision": event.revision}
    if isinstance(event, Delta):
        return "delta", {"text": event.text}
    if isinstance(event, Cited):
        return "citation", {"n": event.n}
    return "done", answer_document(event)


def citation_document(citation: Citation) -> dict[str, Any]:
    """Return a citation as the API says it: the passage with its number."""
    return {"n": citation.n, **asdict(citation.passage)}


def answer_document(answer: Answer) -> dict[str, Any]:
    """Return an answer as the API says it."""
    return asdict(answer) | {"citations": [citation_document(citation) for citation in answer.citations]}
