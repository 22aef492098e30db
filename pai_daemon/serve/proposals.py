"""`/api/memory/proposals`: what might be remembered of kept conversations, for the person to decide (D98)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import DiskFull, NoteChanged, NotFound, VaultUnavailable
from pai_daemon.memory.offering import Offers
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.memory import KnownFact, sent_fact
from pai_daemon.serve.state import SERVED, Parts
from pai_daemon.serve.wire import refuse_halves, reply

routes = Routes()


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of the person's own that may become a fact. path: of the note that keeps it."""

    id: str
    text: str
    path: str
    said: str
    client: str


class Proposals(msgspec.Struct, frozen=True):
    """What may still be decided on, in the order in which it was said. clients: whose words are kept."""

    proposals: list[Proposed]
    clients: list[str]


class Decide(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided on a sentence; one that is refused is never proposed again."""

    accept: Annotated[bool, Meta(description="Whether it is to be remembered.", examples=[True])]
    subject: Annotated[str, Meta(description="Of the fact; without it: About me.")] = ""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a proposal. fact, undo: of what is remembered, null if it was refused."""

    outcome: Literal["remembered", "known", "refused"]
    text: str
    fact: KnownFact | None = None
    undo: str | None = None


@routes.get(
    "/api/memory/proposals",
    "sentences of kept conversations that might be remembered, each for the person to accept or refuse",
    answers={200: Proposals},
    fails=(VaultUnavailable,),
)
async def proposed(request: web.Request) -> web.Response:
    """Return what may still be decided on; nothing is remembered by itself."""
    served = request.app[SERVED]
    found = await asyncio.to_thread(_offers(served.ready()).open)
    told = [
        Proposed(id=each.id, text=each.text, path=each.path, said=each.said, client=each.client)
        for each in found
    ]
    return reply(Proposals(told, list(served.settings.keep_conversations)))


@routes.post(
    "/api/memory/proposals/{id:[0-9a-f]+}",
    "remembers a sentence that was proposed, or never proposes it again",
    body=Decide,
    answers={200: Decided},
    fails=(NotFound, NoteChanged, VaultUnavailable, DiskFull),
    path_about="The id of a proposal.",
)
async def decide(request: web.Request, asked: Decide) -> web.Response:
    """Do what the person decided on one sentence."""
    refuse_halves("subject", asked.subject)
    parts = request.app[SERVED].ready()
    offers, wanted = _offers(parts), request.match_info["id"]
    if not asked.accept:
        refused = await asyncio.to_thread(offers.refuse, wanted)
        return reply(Decided(outcome="refused", text=refused.text))
    receipt = await asyncio.to_thread(offers.accept, wanted, subject=asked.subject)
    outcome: Literal["remembered", "known"] = "remembered" if receipt.outcome == "remembered" else "known"
    fact = sent_fact(parts, receipt.fact)
    return reply(Decided(outcome=outcome, text=fact.text, fact=fact, undo=receipt.undo))


def _offers(parts: Parts) -> Offers:
    if parts.offers is None:
        raise VaultUnavailable("This daemon keeps no conversations.")
    return parts.offers
