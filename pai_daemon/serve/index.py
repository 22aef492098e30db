"""`/api/index` and `/api/events`: ask for an index run, and follow it."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from aiohttp import web

from pai_daemon.context.catalog import Catalog
from pai_daemon.errors import Forbidden, UsageError
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.status import progress
from pai_daemon.serve.wire import body, flag, reply, text
from pai_daemon.vault.ignore import IgnoreRules

routes = web.RouteTableDef()
# Of what a pattern would take out, so many are named.
MAX_PATHS = 100
EVENT_ID = re.compile(r"[0-9]{1,18}")


def copy_folder(given: str, vault: Path) -> Path:
    """Return the folder that a copy of the index is to be made in.

    Raises UsageError unless it is absolute, outside the vault, in a folder that exists, and not there yet.
    """
    folder = Path(given)
    if not folder.is_absolute() or "\0" in given:
        raise UsageError(f"The folder of a copy must be an absolute path, not {given!r}.")
    if folder.resolve().is_relative_to(vault.resolve()):
        raise UsageError(
            "A copy of the index does not go into the vault.", hint="Choose a folder outside it."
        )
    if os.path.lexists(folder) or not folder.parent.is_dir():
        raise UsageError(f"{folder} cannot be made.", hint="Name a new folder, in one that exists.")
    return folder


def excluded_by(catalog: Catalog, pattern: str) -> list[str]:
    """Return the indexed notes that a further pattern would take out. Raises UsageError."""
    rules = IgnoreRules((pattern,))
    return sorted(note.path for note in catalog.notes() if rules.explain(note.path) is not None)


@routes.post("/api/index")
async def start(request: web.Request) -> web.Response:
    """Look at `paths`, or at the whole vault; `force` reads every note again; `copy` copies the index."""
    served = request.app[SERVED]
    parts = served.ready()
    values = await body(request)
    if copy := text(values, "copy"):
        if request[GRANT].scopes is not None:
            raise Forbidden("A copy of the index is made with the person's own token alone.")
        folder = copy_folder(copy, served.vault)
        await asyncio.to_thread(parts.index.store.copy, folder)
        return reply({"copied": str(folder), "revision": parts.index.revision})
    paths = values.get("paths")
    if paths is not None and not (isinstance(paths, list) and all(isinstance(path, str) for path in paths)):
        raise UsageError("paths must be a list of strings.")
    if paths:
        parts.indexer.hint([path.strip("/") for path in paths])
    else:
        parts.indexer.request(force=flag(values, "force"), confirm_removals=flag(values, "confirm_removals"))
    return reply({"accepted": True, "revision": parts.index.revision}, status=202)


@routes.get("/api/index")
async def follow(request: web.Request) -> web.Response:
    """Return how far indexing is; with `explain`, why that path is or is not in the index.

    With `exclude`, how many notes and which a further pattern would take out; nothing is done.
    """
    parts = request.app[SERVED].ready()
    if path := text(request.query, "explain"):
        reason = parts.indexer.explain(path)
        return reply({"path": path, "indexed": reason is None, "reason": reason})
    if pattern := text(request.query, "exclude"):
        out = await asyncio.to_thread(excluded_by, parts.index.catalog, pattern)
        return reply({"exclude": pattern, "notes": len(out), "paths": out[:MAX_PATHS]})
    now = parts.indexer.status()
    document = {"state": now.state, "message": now.message, "progress": progress(now.progress)}
    return reply(
        document | {"revision": parts.index.revision, "pending_chunks": parts.indexer.pending_count()}
    )


@routes.get("/api/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Stream revision, progress and state events; `Last-Event-ID` resumes."""
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if EVENT_ID.fullmatch(last) else None
    return await send_stream(request, request.app[SERVED].events.listen(after), lambda event: frame(*event))
