"""`GET /api/notes/{path}`: a note's parsed form."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from pai_daemon.errors import NotFound
from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.markdown import read_note
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import reply
from pai_daemon.vault.scan import read_bytes

routes = web.RouteTableDef()


@routes.get("/api/notes/{path:.+}")
async def note(request: web.Request) -> web.Response:
    """Return title, aliases, tags, properties, headings, links, backlinks and chunks of a note."""
    return reply(await asyncio.to_thread(_parsed, request.app[SERVED], request.match_info["path"]))


def _parsed(served: Served, path: str) -> dict[str, Any]:
    """Return what a note says on disk now. Only indexed notes: exclusion holds here too (D14)."""
    parts = served.ready()
    known = parts.related.indexed(path)
    path = known.path
    limit = served.settings.note_limit_bytes
    try:
        data, content_hash = read_bytes(served.vault, path, limit)
    except OSError as error:
        raise NotFound(f"{path} is not on disk any more.") from error
    parsed = read_note(path, data, limit_bytes=limit)
    catalog = parts.index.catalog
    return {
        "path": path,
        "content_hash": content_hash,
        "indexed": known.content_hash == content_hash,
        "title": parsed.title,
        "aliases": parsed.aliases,
        "tags": parsed.tags,
        "properties": parsed.properties,
        "headings": parsed.headings,
        "links": [
            {"target": link.target, "fragment": link.fragment, "line": link.line, "embed": link.embed}
            | {"path": catalog.links.resolve(link.target, path) if link.target else path}
            for link in parsed.links
        ],
        "backlinks": catalog.backlinks(path),
        "chunks": split_chunks(parsed),
        "problems": parsed.problems,
    }
