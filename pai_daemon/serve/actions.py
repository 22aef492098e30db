"""`/api/actions`: changes of notes that are proposed, approved, done and undone."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.action import planning
from pai_daemon.action.action import Action
from pai_daemon.action.actions import Record, State, author
from pai_daemon.action.grant import ActionKind
from pai_daemon.action.runner import DAILY
from pai_daemon.errors import DiskFull, Forbidden, NoteChanged, NotFound, PaiError, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED, Parts
from pai_daemon.serve.tokens import Grant
from pai_daemon.serve.wire import Limit, refuse_halves, reply
from pai_daemon.vault.daily import DailyNotes

routes = Routes()
CHANGES = (NotFound, NoteChanged, VaultUnavailable, DiskFull)


class KnownAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action and what became of it. diff: what it would change now, of one that waits.

    It is empty for a token that may not read the note; so is the text of what another proposed.
    """

    id: str
    state: State
    kind: ActionKind
    path: str
    text: str
    heading: str
    name: str
    value: str
    to: str
    by: str
    at: str
    why: str
    diff: str


class ActionChange(msgspec.Struct, frozen=True):
    """What has become of an action."""

    id: str
    state: State
    path: str


class KnownActions(msgspec.Struct, frozen=True):
    """Actions, the newest first. waiting: how many wait for a person."""

    waiting: int
    actions: list[KnownAction]


class ListActions(msgspec.Struct, frozen=True):
    """Which actions."""

    state: Annotated[
        Literal["", "proposed", "applied", "rejected", "undone", "failed"],
        Meta(description="Of one state; all where none is said."),
    ] = ""
    limit: Limit = 50


class ProposeAction(msgspec.Struct, frozen=True, kw_only=True):
    """A change that is proposed. It is made once a person approves it."""

    kind: Annotated[
        Literal["create", "append", "insert", "set_property", "add_link", "move"],
        Meta(description="What is to be done.", examples=["append"]),
    ]
    path: Annotated[
        str, Meta(description="The note, by its path; `daily` is that of today.", examples=["Garden.md"])
    ]
    text: Annotated[
        str, Meta(description="What is written, in Markdown.", examples=["- Water the beans"])
    ] = ""
    heading: Annotated[str, Meta(description="Below which it is put; at the end where none is said.")] = ""
    name: Annotated[str, Meta(description="Of a property.")] = ""
    value: Annotated[str, Meta(description="Of a property: JSON, or text.")] = ""
    to: Annotated[str, Meta(description="A move's new path, or a link's target.")] = ""
    why: Annotated[str, Meta(description="What it is for, told to the person.")] = ""


class DecideAction(msgspec.Struct, frozen=True):
    """What a person decides."""

    decision: Annotated[
        Literal["approve", "reject", "undo"], Meta(description="What becomes of it.", examples=["approve"])
    ]


@routes.get(
    "/api/actions",
    "actions by state: proposed with what they would change, applied, undone",
    query=ListActions,
    answers={200: KnownActions},
    fails=(VaultUnavailable,),
)
async def known(request: web.Request, asked: ListActions) -> web.Response:
    """Return actions, the newest first."""
    parts, granted = request.app[SERVED].ready(), request[GRANT]

    def found() -> KnownActions:
        records = parts.actions.records(asked.state or None, asked.limit)
        return KnownActions(
            len(parts.actions.records("proposed")), [_sent(parts, each, granted) for each in records]
        )

    return reply(await asyncio.to_thread(found))


@routes.post(
    "/api/actions",
    "proposes a change of a note, for a person to approve",
    body=ProposeAction,
    answers={200: KnownAction},
    fails=CHANGES,
)
async def propose(request: web.Request, asked: ProposeAction) -> web.Response:
    """Keep a change for a person to decide; nothing is written."""
    parts = request.app[SERVED].ready()
    for name in ("path", "text", "heading", "name", "value", "to", "why"):
        refuse_halves(name, getattr(asked, name))
    action = action_of(asked, request.app[SERVED].vault)
    record = await asyncio.to_thread(parts.actions.propose, action, by=_who(request), why=asked.why[:500])
    return reply(await asyncio.to_thread(_sent, parts, record, request[GRANT]))


@routes.post(
    "/api/actions/{id:[0-9a-f]+}",
    "approves, rejects or undoes an action; the person's own token alone",
    body=DecideAction,
    answers={200: KnownAction},
    fails=(*CHANGES, Forbidden),
    path_about="The action's id.",
)
async def decide(request: web.Request, asked: DecideAction) -> web.Response:
    """Do, refuse or take back what was proposed."""
    parts = request.app[SERVED].ready()
    actions = parts.actions
    what = {"approve": actions.approve, "reject": actions.reject, "undo": actions.undo}[asked.decision]
    record = await asyncio.to_thread(what, request.match_info["id"], by=_who(request))
    return reply(await asyncio.to_thread(_sent, parts, record, request[GRANT]))


def action_of(asked: ProposeAction, vault: Path) -> Action:
    """Return what is proposed; `daily` is the path of today's note."""
    path = asked.path
    if path == DAILY:
        path = DailyNotes.of(vault).path(datetime.now().astimezone().date())
    return Action(
        asked.kind, path, asked.text, asked.heading, name=asked.name, value=asked.value, to=asked.to
    )


def _who(request: web.Request) -> str:
    granted = request[GRANT]
    return "you" if granted.scopes is None else granted.name


def _sent(parts: Parts, record: Record, granted: Grant) -> KnownAction:
    """Return an action as it crosses the wire; its diff to who may read what stands around it."""
    diff = ""
    is_indexed = parts.index.catalog.get(record.action.path) is not None
    if record.state == "proposed" and record.action.kind == "move":
        diff = f"rename from {record.action.path}\nrename to {record.action.to}\n"  # and all links with it
    elif record.state == "proposed" and (granted.scopes is None or (granted.opens("search") and is_indexed)):
        try:
            diff = planning.diff(parts.actions.preview(record.action, record.by))
        except PaiError as error:
            diff = f"It cannot be done now: {error.detail}\n"
    action = record.action
    # What routines write is made of notes: to a token that may not read them it is none of its business.
    may_read = granted.scopes is None or author(record.by) == granted.name
    may_read = may_read or (granted.opens("search") and is_indexed)
    return KnownAction(
        id=record.id,
        state=record.state,
        kind=action.kind,
        path=action.path,
        text=action.text if may_read else "",
        heading=action.heading,
        name=action.name,
        value=action.value,
        to=action.to,
        by=record.by,
        at=record.at.isoformat(),
        why=record.why,
        diff=diff,
    )
