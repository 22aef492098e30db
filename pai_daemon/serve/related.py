"""`GET /api/related` and `GET /api/links`: notes near a note, and the links it could have."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.related import Mention, RelatedNote
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


class Linkable(msgspec.Struct, frozen=True):
    """The note that wants links."""

    path: Annotated[NotePath, Meta(extra_json_schema={"minLength": 1})]
    limit: Limit = DEFAULT_NOTES


class Links(msgspec.Struct, frozen=True):
    """The links that a note could have. content_hash: of the text that the spans are of."""

    path: str
    content_hash: str
    revision: int
    mentions: list[Mention]
    suggestions: list[RelatedNote]


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


@routes.get(
    "/api/links",
    "unlinked mentions of other notes in a note, with exact spans, and kindred notes",
    query=Linkable,
    answers={200: Links},
    fails=(NotFound, VaultUnavailable),
)
async def links(request: web.Request, asked: Linkable) -> web.Response:
    """Return a note's unlinked mentions of other notes, and kindred notes it does not link to."""
    parts = request.app[SERVED].ready()
    path = asked.path
    if not path:
        raise UsageError("Give the path of a note.")
    count = asked.limit

    path = parts.related.indexed(path).path
    parts.indexer.prefer(path)

    def find() -> Links:
        content_hash, mentions = parts.related.mentions(path)
        try:
            suggestions = parts.related.to_note(path, count, unlinked_only=True)
        except ModelUnavailable:
            suggestions = []  # not embedded yet: the mentions need no model
        return Links(path, content_hash, parts.index.revision, list(mentions), list(suggestions))

    return reply(await asyncio.to_thread(find))
