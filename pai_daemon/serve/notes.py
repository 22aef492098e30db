"""`/api/notes`: which notes are indexed and which are not, and one note's parsed form."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.coverage import Listed, NotePage, NoteStatus
from pai_daemon.errors import NotFound, VaultUnavailable
from pai_daemon.notes.chunks import Chunk, split_chunks
from pai_daemon.notes.days import day_of
from pai_daemon.notes.note import Block, Field, Heading, Kind, Link, Note, Problem, PropertySpan
from pai_daemon.notes.property_types import property_type
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import reply
from pai_daemon.vault.folder import read_property_types
from pai_daemon.vault.scan import read_bytes

routes = Routes()
PATH_ABOUT = "The path of a note in the vault, percent-encoded."
MAX_LISTED = 1000


class LinkTo(msgspec.Struct, frozen=True):
    """A link of a note. path: where it leads, null where nothing is there yet, or in another vault."""

    kind: str
    target: str
    fragment: str
    alias: str
    line: int
    embed: bool
    path: str | None


class ParsedNote(msgspec.Struct, frozen=True, kw_only=True):
    """What a note says on disk now. indexed: the index knows it as it is. date: the day that it is about."""

    path: str
    kind: Kind
    content_hash: str
    indexed: bool
    title: str
    date: str | None
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    properties: dict[str, Any]
    property_types: dict[str, str]
    property_spans: dict[str, PropertySpan]
    fields: tuple[Field, ...]
    headings: tuple[Heading, ...]
    blocks: tuple[Block, ...]
    links: list[LinkTo]
    backlinks: list[str]
    chunks: list[Chunk]
    problems: tuple[Problem, ...]


class Listing(msgspec.Struct, frozen=True):
    """Which notes are listed: all that are known of, where no state is given."""

    state: Annotated[
        Listed | None, Meta(description="`private`: those that stay on this machine, whatever their state.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED, description="How many at most.", examples=[100])] = 100
    after: Annotated[str, Meta(description="`after` of the page before.", examples=["Boat/Engine.md"])] = ""


@routes.get(
    "/api/notes",
    "notes by state: indexed, pending, skipped or failed, with why; and those that are local-only",
    query=Listing,
    answers={200: NotePage},
    fails=(VaultUnavailable,),
)
async def listed(request: web.Request, asked: Listing) -> web.Response:
    """Return a page of notes by name, each with what the index holds of it; nothing is read for it."""
    covered = request.app[SERVED].ready().indexer.covered
    return reply(await asyncio.to_thread(covered.page, asked.state, after=asked.after, limit=asked.limit))


@routes.get(
    "/api/notes/{path:[^\0]+}/status",
    "indexed at which revision, or why not; and by which rule it stays on this machine",
    answers={200: NoteStatus},
    fails=(VaultUnavailable,),
    path_about=PATH_ABOUT,
)
async def state_of(request: web.Request) -> web.Response:
    """Return what the index holds of a path, in the words of `pai index --explain`."""
    covered = request.app[SERVED].ready().indexer.covered
    return reply(await asyncio.to_thread(covered.status, request.match_info["path"]))


@routes.get(
    "/api/notes/{path:[^\0]+}",
    "a note as it is read: properties and their types, blocks, links and where they lead, chunks",
    answers={200: ParsedNote},
    fails=(NotFound, VaultUnavailable),
    path_about=PATH_ABOUT,
)
async def note(request: web.Request) -> web.Response:
    """Return title, aliases, tags, properties, headings, blocks, links, backlinks and chunks of a note."""
    return reply(await asyncio.to_thread(_parsed, request.app[SERVED], request.match_info["path"]))


def _parsed(served: Served, path: str) -> ParsedNote:
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
    return ParsedNote(
        path=path,
        kind=parsed.kind,
        content_hash=content_hash,
        indexed=known.content_hash == content_hash,
        title=parsed.title,
        date=day_of(parsed) or None,
        aliases=parsed.aliases,
        tags=parsed.tags,
        properties=parsed.properties,
        property_types={
            name: property_type(name, value, assigned) for name, value in parsed.properties.items()
        },
        property_spans=parsed.property_spans,
        fields=parsed.fields,
        headings=parsed.headings,
        blocks=parsed.blocks,
        links=[_link(catalog, parsed, link, here=parts.reader.leads_here(link)) for link in parsed.links],
        backlinks=catalog.backlinks(path),
        chunks=list(split_chunks(parsed, block_text=parts.reader.block_text)),
        problems=parsed.problems,
    )


def _link(catalog: Catalog, note: Note, link: Link, *, here: bool) -> LinkTo:
    """Return a link with the path it leads to, None where nothing is there yet or in another vault."""
    if link.kind == "block":
        path = catalog.block_owner(link.target)
    else:
        path = catalog.links.resolve(link.target, note.path) if link.target else note.path
    return LinkTo(
        kind=link.kind,
        target=link.target,
        fragment=link.fragment,
        alias=link.alias,
        line=link.line,
        embed=link.embed,
        path=path if here else None,
    )
