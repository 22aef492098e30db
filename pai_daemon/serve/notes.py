"""`GET /api/notes/{path}`: a note's parsed form."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from pai_daemon.context.catalog import Catalog
from pai_daemon.errors import NotFound
from pai_daemon.notes.chunks import split_chunks
from pai_daemon.notes.note import Link, Note
from pai_daemon.notes.property_types import property_type
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import reply
from pai_daemon.vault.folder import read_property_types
from pai_daemon.vault.scan import read_bytes

routes = web.RouteTableDef()


@routes.get("/api/notes/{path:[^\0]+}")
async def note(request: web.Request) -> web.Response:
    """Return title, aliases, tags, properties, headings, blocks, links, backlinks and chunks of a note."""
    return reply(await asyncio.to_thread(_parsed, request.app[SERVED], request.match_info["path"]))


def _parsed(served: Served, path: str) -> dict[str, Any]:
    """Return what a note says on disk now. Only indexed notes: exclusion holds here too (D14)."""
    parts = served.ready()
    known = parts.related.indexed(path)
    path = known.path
    try:
        data, content_hash = read_bytes(served.vault, path, parts.reader.limit_of(path))
    except OSError as error:
        raise NotFound(f"{path} is not on disk any more.") from error
    parsed = parts.reader.read(path, data)
    catalog = parts.index.catalog
    assigned = read_property_types(served.vault)
    return {
        "path": path,
        "kind": parsed.kind,
        "content_hash": content_hash,
        "indexed": known.content_hash == content_hash,
        "title": parsed.title,
        "date": parsed.date or None,
        "aliases": parsed.aliases,
        "tags": parsed.tags,
        "properties": parsed.properties,
        "property_types": {
            name: property_type(name, value, assigned) for name, value in parsed.properties.items()
        },
        "property_spans": parsed.property_spans,
        "fields": parsed.fields,
        "headings": parsed.headings,
        "blocks": parsed.blocks,
        "links": [_link(catalog, parsed, link, here=parts.reader.leads_here(link)) for link in parsed.links],
        "backlinks": catalog.backlinks(path),
        "chunks": split_chunks(parsed, block_text=parts.reader.block_text),
        "problems": parsed.problems,
    }


def _link(catalog: Catalog, note: Note, link: Link, *, here: bool) -> dict[str, Any]:
    """Return a link with the path it leads to, None where nothing is there yet or in another vault."""
    if link.kind == "block":
        path = catalog.block_owner(link.target)
    else:
        path = catalog.links.resolve(link.target, note.path) if link.target else note.path
    return {
        "kind": link.kind,
        "target": link.target,
        "fragment": link.fragment,
        "alias": link.alias,
        "line": link.line,
        "embed": link.embed,
        "path": path if here else None,
    }
