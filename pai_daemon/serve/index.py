"""`/api/index` and `/api/events`: ask for an index run, and follow it."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.context.catalog import Catalog
from pai_daemon.context.coverage import NoteStatus
from pai_daemon.context.indexer import State
from pai_daemon.errors import DiskFull, Forbidden, UsageError, VaultUnavailable
from pai_daemon.serve.actions import ActionChange
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.routines import RunProgress
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.status import Progress, progress
from pai_daemon.serve.wire import ProblemDocument, reply
from pai_daemon.vault.ignore import IgnoreRules

routes = Routes()
# Of what a pattern would take out, so many are named.
MAX_PATHS = 100
EVENT_ID = re.compile(r"[0-9]{1,18}")


class Run(msgspec.Struct, frozen=True):
    """What is to be looked at: the whole vault, where no paths are given."""

    paths: Annotated[list[str], Meta(examples=[["Boat/Engine.md"]])] = []
    force: Annotated[bool, Meta(description="Read every note again, also unchanged ones.")] = False
    confirm_removals: Annotated[bool, Meta(description="Believe that many notes really are gone.")] = False
    pause: Annotated[
        bool | None,
        Meta(description="Embed no more of what waits (true), or go on (false), and look at nothing."),
    ] = None
    copy: Annotated[
        str, Meta(description="Copy the index into this new folder, an absolute path, and look at nothing.")
    ] = ""


class Accepted(msgspec.Struct, frozen=True):
    """It will be done; a higher revision tells when."""

    accepted: bool
    revision: int


class Copied(msgspec.Struct, frozen=True):
    """The folder of a copy."""

    copied: str
    revision: int


class Look(msgspec.Struct, frozen=True):
    """What is asked of the index; nothing: how far it is."""

    explain: Annotated[str, Meta(description="Why is this path in the index, or not?")] = ""
    exclude: Annotated[str, Meta(description="What would this pattern take out?", examples=["Private/"])] = ""


class Excluded(msgspec.Struct, frozen=True):
    """How many notes a pattern would take out, and the first of them."""

    exclude: str
    notes: int
    paths: list[str]


class Indexing(msgspec.Struct, frozen=True):
    """How far indexing is."""

    state: State
    message: str | None
    progress: Progress | None
    revision: int
    pending_chunks: int


class Revision(msgspec.Struct, frozen=True):
    """The index has changed."""

    revision: int


class StateChange(msgspec.Struct, frozen=True):
    """What the daemon does has changed."""

    state: State
    message: str | None


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


@routes.post(
    "/api/index",
    "looks at the vault now, or copies the index",
    body=Run,
    answers={200: Copied, 202: Accepted},
    fails=(VaultUnavailable, DiskFull),
)
async def start(request: web.Request, asked: Run) -> web.Response:
    """Look at `paths`, or at the whole vault; `force` reads every note again; `copy` copies the index.

    `pause` holds the embedding of what waits, or goes on with it.
    """
    served = request.app[SERVED]
    parts = served.ready()
    if asked.copy:
        if request[GRANT].scopes is not None:
            raise Forbidden("A copy of the index is made with the person's own token alone.")
        folder = copy_folder(asked.copy, served.vault)
        await asyncio.to_thread(parts.index.store.copy, folder)
        return reply(Copied(str(folder), parts.index.revision))
    if asked.pause is not None:
        parts.indexer.pause(asked.pause)
    elif asked.paths:
        parts.indexer.hint([path.strip("/") for path in asked.paths])
    else:
        parts.indexer.request(force=asked.force, confirm_removals=asked.confirm_removals)
    return reply(Accepted(accepted=True, revision=parts.index.revision), status=202)


@routes.get(
    "/api/index",
    "how far indexing is; or why a path is in or out, or what a pattern would take out",
    query=Look,
    answers={200: (Indexing, NoteStatus, Excluded)},
    fails=(VaultUnavailable,),
)
async def follow(request: web.Request, asked: Look) -> web.Response:
    """Return how far indexing is; with `explain`, why that path is or is not in the index.

    With `exclude`, how many notes and which a further pattern would take out; nothing is done.
    """
    parts = request.app[SERVED].ready()
    if path := asked.explain:
        return reply(await asyncio.to_thread(parts.indexer.covered.status, path))
    if pattern := asked.exclude:
        out = await asyncio.to_thread(excluded_by, parts.index.catalog, pattern)
        return reply(Excluded(pattern, len(out), out[:MAX_PATHS]))
    now = parts.indexer.status()
    pending = parts.indexer.pending_count()
    return reply(Indexing(now.state, now.message, progress(now.progress), parts.index.revision, pending))


@routes.get(
    "/api/events",
    "revision, progress, state, actions and runs of routines as server-sent events; `Last-Event-ID` resumes",
    events={
        "revision": Revision,
        "progress": Progress,
        "state": StateChange,
        "action": ActionChange,
        "routine": RunProgress,
        "error": ProblemDocument,
    },
)
async def events(request: web.Request) -> web.StreamResponse:
    """Stream what changes; `Last-Event-ID` resumes."""
    last = request.headers.get("Last-Event-ID", "")
    after = int(last) if EVENT_ID.fullmatch(last) else None
    return await send_stream(request, request.app[SERVED].events.listen(after), lambda event: frame(*event))
