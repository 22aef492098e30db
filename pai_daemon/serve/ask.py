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
    Notice,
    Question,
    Sources,
    Turn,
)
from pai_daemon.context.search import checked_query
from pai_daemon.errors import Overloaded, UsageError
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import body, flag, limit, narrowing, reply, text

MAX_TURNS = 50
ROLES = ("user", "assistant")

routes = web.RouteTableDef()


@routes.post("/api/ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Answer `question`; with `stream` true as events sources, notice, delta, citation, done, error."""
    served = request.app[SERVED]
    values = await body(request)
    question = Question(
        text=checked_query(text(values, "question")),
        limit=limit(values, DEFAULT_PASSAGES),
        chosen=narrowing(values),
        selection=text(values, "selection"),
        note=text(values, "note"),
        history=_history(values.get("history")),
        budget_s=_budget_s(values.get("budget_s")),
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


def _history(turns: object) -> tuple[Turn, ...]:
    """Return what was said before, the latest turns of a long conversation. Raises UsageError."""
    if turns is None:
        return ()
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise UsageError("history must be a list of objects with role and content.")
    if any(turn.get("role") not in ROLES for turn in turns):
        raise UsageError("The role of a turn in history must be user or assistant.")
    return tuple(Turn(turn["role"], text(turn, "content")) for turn in turns[-MAX_TURNS:])


def _budget_s(seconds: object) -> float | None:
    """Return how long an answer may take, None where nothing is asked. Raises UsageError."""
    if seconds is None:
        return None
    # True is an int in Python, and a mistake here.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= 3600:
        raise UsageError("budget_s must be a number between 1 and 3600.")
    return float(seconds)


def _frame(event: AnswerEvent) -> bytes:
    if isinstance(event, Sources):
        citations = [citation_document(citation) for citation in event.citations]
        return frame("sources", {"citations": citations, "revision": event.revision})
    if isinstance(event, Notice):
        return frame("notice", {"text": event.text, "preview": event.preview})
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
