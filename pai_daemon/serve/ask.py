"""`POST /api/ask`: an answer with its evidence, as one document or as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.answering.answer import (
    DEFAULT_PASSAGES,
    EXTRACTIVE,
    Answer,
    AnswerEvent,
    Citation,
    Cited,
    Delta,
    Notice,
    Question,
    Sources,
    Turn,
    last_of,
)
from pai_daemon.context.passage import Passage
from pai_daemon.context.search import checked_query
from pai_daemon.errors import GeneratorUnavailable, ModelUnavailable, Overloaded, VaultUnavailable
from pai_daemon.memory.talking import Receipt, obey
from pai_daemon.memory.thread_keeping import Exchange
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.kept import client_of, kept
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED, Parts
from pai_daemon.serve.wire import Limit, Narrowed, ProblemDocument, Words, narrowing, refuse_halves, reply

MAX_TURNS = 50

routes = Routes()


class Ask(Narrowed, frozen=True, kw_only=True):
    """What is asked, and of which notes."""

    question: Words
    limit: Annotated[Limit, Meta(description="From how many passages at most.")] = DEFAULT_PASSAGES
    selection: Annotated[str, Meta(description="Text of a note that the question is about.")] = ""
    note: Annotated[str, Meta(description="Path of the open note, whose passages come first.")] = ""
    history: Annotated[tuple[Turn, ...], Meta(description="What was said before, oldest first.")] = ()
    budget_s: Annotated[
        Annotated[float, Meta(ge=1, le=3600)] | None, Meta(description="How long the writing may take.")
    ] = None
    as_asked: Annotated[
        bool, Meta(description="Read no time, #tag, task or name of the question as a filter.")
    ] = False
    memory: Annotated[bool, Meta(description="Whether what is remembered may be used.")] = True
    conversation: Annotated[
        str,
        Meta(
            pattern=r"^([0-9A-Za-z_-]{4,64})?$",
            description="An id of yours for the conversation, by which it is kept where the settings say so.",
        ),
    ] = ""
    client: Annotated[
        str,
        Meta(
            max_length=64,
            description="Who asks, as the setting names it; a token has its own name.",
        ),
    ] = "api"
    stream: Annotated[bool, Meta(description="Answer with events, as it is written.")] = False


@dataclass(frozen=True, slots=True)
class CitedPassage(Passage):
    """A passage that an answer may rest on, by the number that its marker carries."""

    n: int


# What holds citations, of an answer and of what is like one.
CITING = ("citations", "nearest")


def with_cited(kind: type, *more: tuple[str, Any, Any]) -> Any:
    """Return a type of values as it crosses the wire: its citations are passages with a number.

    more: further fields, with type and default.
    """
    hints = get_type_hints(kind)
    hints |= {name: tuple[CitedPassage, ...] for name in CITING if name in hints}
    described = {"__doc__": kind.__doc__}
    return msgspec.defstruct(
        kind.__name__,
        [*((item.name, hints[item.name]) for item in fields(kind)), *more],
        namespace=described,
    )


ANSWER, SOURCES = with_cited(Answer, ("receipt", Receipt | None, None)), with_cited(Sources)
# What is written beside a fact that a person's own token had kept.
CONVERSATION = "conversation"


@routes.post(
    "/api/ask",
    "an answer, its sentences and what each rests on; with `stream` as events while it is written",
    body=Ask,
    answers={200: ANSWER},
    events={
        "sources": SOURCES,
        "receipt": Receipt,
        "notice": Notice,
        "delta": Delta,
        "citation": Cited,
        "done": ANSWER,
        "error": ProblemDocument,
    },
    fails=(ModelUnavailable, VaultUnavailable, GeneratorUnavailable),
)
async def ask(request: web.Request, asked: Ask) -> web.StreamResponse:
    """Answer `question`; with `stream` true as events sources, notice, delta, citation, done, error.

    A question that orders something of memory (“remember that …”, “forget …”) is done, not answered: its
    `receipt` says what became of it.
    """
    served = request.app[SERVED]
    question = Question(
        text=checked_query(asked.question),
        limit=asked.limit,
        chosen=narrowing(asked),
        selection=asked.selection,
        note=asked.note,
        history=_history(asked.history),
        budget_s=asked.budget_s,
        as_asked=asked.as_asked,
        memory=asked.memory,
    )
    parts = served.ready()
    if (receipt := await _obeyed(request, parts, asked)) is not None:
        done = _told(receipt, question.text, parts.index.revision)
        if asked.stream:
            return await send_stream(request, _receipt_events(done), _order_frame)
        return reply(done, revision=done.revision)
    answerer = parts.answerer
    if served.answering.locked():
        raise Overloaded("Too many questions are being answered.", hint="Try again in a few seconds.")
    async with served.answering:
        events = answerer.stream(question)
        client = client_of(request[GRANT], asked.client)
        if asked.conversation and parts.threads is not None and parts.threads.keeps(client):
            exchange = Exchange(asked.conversation, client, question.text, "")
            events = kept(events, parts, exchange, asked.note)
        if asked.stream:
            return await send_stream(request, events, _frame)
        answer = await last_of(events, Answer)
        return reply(_document(answer), revision=answer.revision)


async def _obeyed(request: web.Request, parts: Parts, asked: Ask) -> Receipt | None:
    """Do what the question orders of memory, if it does. Of all that came, the question alone is read."""
    if parts.keeper is None or not asked.memory:
        return None
    grant = request[GRANT]
    source = CONVERSATION if grant.scopes is None else grant.name
    may_write = grant.opens("memory")
    return await asyncio.to_thread(obey, asked.question, parts.keeper, source, may_write=may_write)


def _told(receipt: Receipt, question: str, revision: int) -> Any:
    """Return a receipt as an answer, for clients that know of answers alone."""
    return ANSWER(
        question=question,
        answer=receipt.message,
        found=True,
        sentences=(),
        citations=(),
        generator=EXTRACTIVE,
        stages=("memory",),
        warnings=(),
        revision=revision,
        took_ms=0.0,
        narrowed=(),
        asked=question,
        template="",
        usage=None,
        nearest=(),
        receipt=receipt,
    )


async def _receipt_events(done: Any) -> AsyncGenerator[tuple[str, Any], None]:
    """Yield the events of an order that was done, as those of an answer."""
    yield "sources", SOURCES(citations=(), revision=done.revision)
    yield "receipt", done.receipt
    yield "delta", Delta(done.answer)
    yield "done", done


def _order_frame(event: tuple[str, Any]) -> bytes:
    return frame(*event)


def _history(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Return what was said before, the latest turns of a long conversation. Raises UsageError."""
    for turn in turns:
        refuse_halves("history", turn.content)
    return turns[-MAX_TURNS:]


def _frame(event: AnswerEvent) -> bytes:
    match event:
        case Delta():
            return frame("delta", event)
        case Notice():
            return frame("notice", event)
        case Cited():
            return frame("citation", event)
        case Sources():
            return frame("sources", _document(event))
    return frame("done", _document(event))


def _document(value: Answer | Sources) -> Any:
    """Return an answer or its sources as they cross the wire."""
    return as_sent(value, ANSWER if isinstance(value, Answer) else SOURCES)


def as_sent(value: Any, kind: Any) -> Any:
    """Return a value with citations in the type that `with_cited` made of its own."""
    given = {item.name: getattr(value, item.name) for item in fields(value)}
    for name in CITING:
        if name in given:
            given[name] = tuple(numbered(citation) for citation in given[name])
    return kind(**given)


def numbered(citation: Citation) -> CitedPassage:
    """Return a citation as it crosses the wire."""
    passage = citation.passage
    return CitedPassage(**{item.name: getattr(passage, item.name) for item in fields(Passage)}, n=citation.n)
