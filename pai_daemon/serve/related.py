"""`GET /api/related`: notes near a note or a text."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.related import RelatedNote
from pai_daemon.errors import ModelUnavailable, NotFound, UsageError, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import Limit, reply

routes = Routes()
DEFAULT_NOTES = 10
NotePath = Annotated[str, Meta(description="Of a note, as the index has it.", examples=["Boat/Engine.md"])]


class Near(msgspec.Struct, frozen=True):
    """What other notes may be near to: one of both."""

    path: NotePath = ""
    text: Annotated[str, Meta(description="A piece of text, instead of a note.")] = ""
    limit: Limit = DEFAULT_NOTES


class RelatedNotes(msgspec.Struct, frozen=True):
    """The notes nearest to a note, or to a text, whose path is null."""

    path: str | None
    revision: int
    results: list[RelatedNote]


@routes.get(
    "/api/related",
    "notes near the note at `path`, or near a `text`, with why",
    query=Near,
    answers={200: RelatedNotes},
    fails=(NotFound, ModelUnavailable, VaultUnavailable),
)
async def related(request: web.Request, asked: Near) -> web.Response:
    """Return the notes nearest to the note at `path`, or to `text`, with why."""
    served = request.app[SERVED]
    parts = served.ready()
    path, piece = asked.path, asked.text
    if bool(path) == bool(piece.strip()):
        raise UsageError("Give either path or text.")
    count = asked.limit
    if path:
        path = parts.related.indexed(path).path
        parts.indexer.prefer(path)
        results = await asyncio.to_thread(parts.related.to_note, path, count)
    else:
        if served.model.error is not None and parts.index.space.embedder is None:
            raise served.model.error
        results = await asyncio.to_thread(parts.related.to_text, piece, count)
    revision = parts.index.revision
    return reply(RelatedNotes(path or None, revision, list(results)), revision=revision)
