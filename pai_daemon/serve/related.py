"""`GET /api/related` and `GET /api/links`: notes near a note, and the links it could have."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import limit, reply, text

routes = web.RouteTableDef()
DEFAULT_NOTES = 10


@routes.get("/api/related")
async def related(request: web.Request) -> web.Response:
    """Return the notes nearest to the note at `path`, or to `text`, with why."""
    served = request.app[SERVED]
    parts = served.ready()
    path, piece = text(request.query, "path"), text(request.query, "text")
    if bool(path) == bool(piece.strip()):
        raise UsageError("Give either path or text.")
    count = limit(request.query, DEFAULT_NOTES)
    if path:
        path = parts.related.indexed(path).path
        parts.indexer.prefer(path)
        results = await asyncio.to_thread(parts.related.to_note, path, count)
    else:
        if served.model.error is not None and parts.index.space.embedder is None:
            raise served.model.error
        results = await asyncio.to_thread(parts.related.to_text, piece, count)
    revision = parts.index.revision
    return reply({"path": path or None, "revision": revision, "results": results}, revision=revision)


@routes.get("/api/links")
async def links(request: web.Request) -> web.Response:
    """Return a note's unlinked mentions of other notes, and kindred notes it does not link to."""
    parts = request.app[SERVED].ready()
    path = text(request.query, "path")
    if not path:
        raise UsageError("Give the path of a note.")
    count = limit(request.query, DEFAULT_NOTES)

    path = parts.related.indexed(path).path
    parts.indexer.prefer(path)

    def find() -> dict[str, Any]:
        content_hash, mentions = parts.related.mentions(path)
        try:
            suggestions = parts.related.to_note(path, count, unlinked_only=True)
        except ModelUnavailable:
            suggestions = []  # not embedded yet: the mentions need no model
        return {
            "path": path,
            "content_hash": content_hash,
            "revision": parts.index.revision,
            "mentions": mentions,
            "suggestions": suggestions,
        }

    return reply(await asyncio.to_thread(find))
