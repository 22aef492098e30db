"""`/api/links`: the links that a note could have, those that were refused, and a report on all of a vault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.linking.linker import Mention, Suggestion
from pai_daemon.context.linking.report import LinkReport, Reading
from pai_daemon.errors import DiskFull, NotFound, Overloaded, UsageError, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.related import NotePath
from pai_daemon.serve.state import SERVED, Parts
from pai_daemon.serve.wire import Limit, ProblemDocument, refuse_halves, reply

routes = Routes()
DEFAULT_SUGGESTIONS = 10
MAX_PAIRS = 5_000


class Linkable(msgspec.Struct, frozen=True):
    """The note that wants links."""

    path: Annotated[NotePath, Meta(extra_json_schema={"minLength": 1})]
    limit: Limit = DEFAULT_SUGGESTIONS


class Links(msgspec.Struct, frozen=True):
    """The links that a note could have. content_hash: of the text that the spans are of.

    mentions: in text order. suggestions: best first, of notes that are not among the mentions.
    """

    path: str
    content_hash: str
    revision: int
    mentions: list[Mention]
    suggestions: list[Suggestion]


class RefusedPair(msgspec.Struct, frozen=True):
    """Two notes that are not to be linked, in whichever direction."""

    path: NotePath
    other: NotePath


class Refuse(msgspec.Struct, frozen=True):
    """Pairs that are never to be suggested again; undo: that may be."""

    pairs: Annotated[
        list[RefusedPair],
        Meta(
            min_length=1,
            max_length=MAX_PAIRS,
            examples=[[{"path": "Boat/Engine.md", "other": "Garden/Compost.md"}]],
        ),
    ]
    undo: bool = False


class Refused(msgspec.Struct, frozen=True):
    """All pairs that are refused. changed: by this request. unknown: paths in it that are not indexed."""

    pairs: list[RefusedPair]
    changed: int = 0
    unknown: list[str] = []


class Reported(msgspec.Struct, frozen=True):
    """How the report is sent."""

    stream: Annotated[bool, Meta(description="Answer with events, and tell how far it is.")] = False


@routes.get(
    "/api/links",
    "unlinked mentions of other notes in a note, with exact spans, and notes it could link to; each with "
    "confidence and why",
    query=Linkable,
    answers={200: Links},
    fails=(NotFound, VaultUnavailable),
)
async def links(request: web.Request, asked: Linkable) -> web.Response:
    """Return a note's unlinked mentions of other notes, and notes it does not link to and could."""
    parts = request.app[SERVED].ready()
    if not asked.path:
        raise UsageError("Give the path of a note.")
    path = parts.related.indexed(asked.path).path
    parts.indexer.prefer(path)
    found = await asyncio.to_thread(parts.linker.links_of, path, asked.limit)
    return reply(
        Links(path, found.content_hash, parts.index.revision, list(found.mentions), list(found.suggestions))
    )


@routes.get(
    "/api/links/refused",
    "the pairs of notes that are never suggested to each other",
    answers={200: Refused},
    fails=(VaultUnavailable,),
)
async def refused(request: web.Request) -> web.Response:
    """Return all refused pairs of notes that are indexed."""
    return reply(Refused(_refused(request.app[SERVED].ready())))


@routes.post(
    "/api/links/refuse",
    "never suggest these pairs of notes to each other again; with `undo`, do",
    body=Refuse,
    answers={200: Refused},
    fails=(VaultUnavailable, DiskFull),
)
async def refuse(request: web.Request, asked: Refuse) -> web.Response:
    """Refuse pairs, or take that back. Of what is not indexed nothing is kept, and it is told."""
    parts = request.app[SERVED].ready()
    pairs, unknown = [], []
    for pair in asked.pairs:
        ends = []
        for path in (pair.path, pair.other):
            refuse_halves("path", path)
            try:
                ends.append(parts.related.indexed(path).path)
            except NotFound:
                unknown.append(path)
        if len(ends) == 2:
            if ends[0] == ends[1]:
                raise UsageError(f"{ends[0]} cannot be refused to itself.", hint="Name two notes.")
            pairs.append((ends[0], ends[1]))
    kept = parts.linker.kept
    changed = await asyncio.to_thread(kept.allow if asked.undo else kept.refuse, pairs)
    return reply(Refused(_refused(parts), changed, list(dict.fromkeys(unknown))))


def _refused(parts: Parts) -> list[RefusedPair]:
    """Return the refused pairs whose notes are indexed: what is left out is named nowhere (D14)."""
    catalog = parts.index.catalog
    return [RefusedPair(a, b) for a, b in parts.linker.kept.refused() if catalog.get(a) and catalog.get(b)]


@routes.get(
    "/api/links/report",
    "all broken links with repairs, notes without any link, and near-duplicate notes",
    query=Reported,
    answers={200: LinkReport},
    events={"progress": Reading, "done": LinkReport, "error": ProblemDocument},
    fails=(VaultUnavailable, Overloaded),
)
async def report(request: web.Request, asked: Reported) -> web.StreamResponse:
    """Report on all links; with `stream` as events progress, done, error. Who hangs up stops it."""
    served = request.app[SERVED]
    steps = served.ready().reporter.report()
    if served.reporting.locked():
        raise Overloaded("A report is being made already.", hint="Wait until it is done.")
    async with served.reporting:
        if asked.stream:
            return await send_stream(request, _told(steps), _frame)
        async with aclosing(_told(steps)) as told:
            async for step in told:
                if isinstance(step, LinkReport):
                    return reply(step, revision=step.revision)
    raise AssertionError("a report ends with itself")


async def _told(steps: Iterator[Reading | LinkReport]) -> AsyncGenerator[Reading | LinkReport, None]:
    """Yield the steps, each of which is taken on a thread."""
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        yield step


def _frame(step: Reading | LinkReport) -> bytes:
    return frame("done" if isinstance(step, LinkReport) else "progress", step)
