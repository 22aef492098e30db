"""`POST /api/summarize`: what the notes of a folder, a tag or any filter say, with its evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from pai_daemon.context.answering.answer import Citation, Delta, Notice
from pai_daemon.context.summaries.summary import (
    DEFAULT_SENTENCES,
    Estimate,
    Step,
    Summary,
    SummaryEvent,
    Task,
)
from pai_daemon.errors import (
    GeneratorUnavailable,
    ModelUnavailable,
    NotFound,
    Overloaded,
    VaultUnavailable,
)
from pai_daemon.serve.ask import CitedPassage, as_sent, numbered, with_cited
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import Limit, Narrowed, ProblemDocument, narrowing, reply

routes = Routes()
SUMMARY = with_cited(Summary)


class Summarize(Narrowed, frozen=True, kw_only=True):
    """Which notes are summarised, all of them where nothing is said, and how."""

    note: Annotated[str, Meta(description="One note, by its path or name, instead of a filter.")] = ""
    limit: Annotated[Limit, Meta(description="How many sentences at most.")] = DEFAULT_SENTENCES
    budget_s: Annotated[
        Annotated[float, Meta(ge=1, le=86_400)] | None,
        Meta(description="How long all of it may take; what is not read by then is quoted."),
    ] = None
    estimate: Annotated[bool, Meta(description="Only say what it would cost.")] = False
    stream: Annotated[bool, Meta(description="Answer with events, while it is written.")] = False


@routes.post(
    "/api/summarize",
    "a summary of these notes, its sentences and what each rests on; with `estimate` only what it would cost",
    body=Summarize,
    answers={200: (SUMMARY, Estimate)},
    events={
        "estimate": Estimate,
        "progress": Step,
        "notice": Notice,
        "delta": Delta,
        "citation": CitedPassage,
        "done": SUMMARY,
        "error": ProblemDocument,
    },
    fails=(NotFound, ModelUnavailable, VaultUnavailable, GeneratorUnavailable),
)
async def summarize(request: web.Request, asked: Summarize) -> web.StreamResponse:
    """Summarise notes; with `stream` as events estimate, progress, notice, citation, delta, done, error.

    Who hangs up stops it.
    """
    served = request.app[SERVED]
    task = _task(served, asked)
    summarizer = served.ready().summarizer
    if asked.estimate:
        return reply(await summarizer.estimate(task))
    if served.summarizing.locked():
        raise Overloaded("As much is being summarised as can be at once.", hint="Wait until one is done.")
    async with served.summarizing:
        if asked.stream:
            job = await summarizer.planned(task)  # what is wrong is told before the stream is open
            return await send_stream(request, summarizer.stream(job), _frame)
        summary = await summarizer.summarize(task)
        return reply(as_sent(summary, SUMMARY), revision=summary.revision)


def _task(served: Served, asked: Summarize) -> Task:
    """Return what is to be summarised; a note is looked for in the whole vault. Raises NotFound."""
    chosen = narrowing(asked)
    if asked.note.strip():
        chosen = replace(chosen, folder=served.ready().related.indexed(asked.note.strip()).path)
    return Task(chosen, asked.limit, asked.budget_s)


def _frame(event: SummaryEvent) -> bytes:
    match event:
        case Estimate():
            return frame("estimate", event)
        case Step():
            return frame("progress", event)
        case Notice():
            return frame("notice", event)
        case Delta():
            return frame("delta", event)
        case Citation():
            return frame("citation", numbered(event))
    return frame("done", as_sent(event, SUMMARY))
