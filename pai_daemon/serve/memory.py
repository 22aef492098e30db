"""`/api/memory`: what is known about a person: kept, found, changed, and forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import DiskFull, NoteChanged, NotFound, UsageError, VaultUnavailable
from pai_daemon.memory.fact import MAX_CHARACTERS, Fact
from pai_daemon.memory.keeping import Recollecting
from pai_daemon.memory.memory import Outcome, Receipt
from pai_daemon.memory.recall import DEFAULT_LIMIT, Wanted
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED, Parts
from pai_daemon.serve.wire import Limit, Words, refuse_halves, reply

routes = Routes()
MAX_FACTS = 1000
ID_ABOUT = "The block id of a fact, without its ^."
Text = Annotated[
    str,
    Meta(
        description="The words as they are to be kept.",
        examples=["I write in Helix."],
        extra_json_schema={"minLength": 1, "maxLength": MAX_CHARACTERS, "pattern": r"\S"},
    ),
]
Day = Annotated[
    str,
    Meta(description="A day of ISO 8601.", examples=["2027-01-01"], extra_json_schema={"format": "date"}),
]
CHANGES = (NotFound, NoteChanged, VaultUnavailable, DiskFull)


class KnownFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact. path, line: of its note in the vault, from 1. holds: it is neither replaced nor over."""

    id: str
    text: str
    subject: str
    path: str
    line: int
    said: str | None
    source: str
    pinned: bool
    until: str | None
    superseded_by: str | None
    holds: bool
    link: str
    uri: str


class BrokenLine(msgspec.Struct, frozen=True):
    """What of a fact's line could not be read; the rest of it counts."""

    path: str
    line: int
    message: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Facts in the order of their notes, the first of `total`. folder: of the vault, of their notes."""

    folder: str
    total: int
    subjects: dict[str, int]
    facts: list[KnownFact]
    broken: list[BrokenLine]


class Contradiction(msgspec.Struct, frozen=True):
    """Two facts that hold and may not agree."""

    newer: KnownFact
    older: KnownFact


class Contradictions(msgspec.Struct, frozen=True):
    """Pairs for a person to settle: edit, forget, or let one replace the other."""

    conflicts: list[Contradiction]


class FactReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a fact. undo: takes it back, null if nothing was done. near: facts that are like it."""

    outcome: Outcome
    fact: KnownFact
    undo: str | None
    near: list[KnownFact]


class FoundFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that answers. score: 0 to 1. replaced: a newer one stands before it; expired: it is over."""

    fact: KnownFact
    score: float
    replaced: bool
    expired: bool


class Recalled(msgspec.Struct, frozen=True, kw_only=True):
    """What memory says to a question, best first; nothing where no memory fits. understood: of its words."""

    question: str
    understood: tuple[str, ...]
    stages: tuple[str, ...]
    results: list[FoundFact]


class List(msgspec.Struct, frozen=True):
    """Which facts are listed."""

    subject: Annotated[str, Meta(description="Of one subject alone.", examples=["Tools"])] = ""
    past: Annotated[bool, Meta(description="Also those that no longer hold.")] = False
    limit: Annotated[int, Meta(ge=1, le=MAX_FACTS, description="How many at most.", examples=[50])] = 100


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recalled, and of which facts."""

    q: Words
    limit: Limit = DEFAULT_LIMIT
    subject: str = ""
    tag: str = ""
    since: Annotated[Day | None, Meta(description="Said on that day or later.")] = None
    before: Annotated[Day | None, Meta(description="Said before that day.")] = None


class Remember(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be kept. source: said by the person's own token alone; else it is the token's name.

    notes: that the words are from; where one is local-only, the fact is kept in a note that is.
    """

    text: Text
    subject: str = ""
    source: str = ""
    said: Day | None = None
    until: Day | None = None
    notes: Annotated[
        list[str], Meta(description="The notes that the words are from.", examples=[["Boat/Engine.md"]])
    ] = []


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed, one of these. until: "" for good. superseded_with: a newer fact in its place."""

    text: Text | None = None
    pinned: bool | None = None
    until: str | None = None
    superseded_with: Text | None = None


class Forget(msgspec.Struct, frozen=True):
    """at_once: it cannot be had back, and leaves every file now and not after a day."""

    at_once: bool = False


class Undo(msgspec.Struct, frozen=True):
    """Which change; the last one where none is named."""

    change: str = ""


@routes.get(
    "/api/memory",
    "the facts that are remembered, and what of their notes could not be read",
    query=List,
    answers={200: Known},
    fails=(VaultUnavailable,),
)
async def known(request: web.Request, asked: List) -> web.Response:
    """Return the facts that hold, or all."""
    parts = request.app[SERVED].ready()

    def found() -> Known:
        memory = parts.recollecting.memory
        facts = memory.facts(asked.subject, past=asked.past)
        broken = [
            BrokenLine(_in_vault(parts, each.path), each.line, each.message) for each in memory.broken()
        ]
        return Known(
            folder=parts.recollecting.folder,
            total=len(facts),
            subjects=memory.subjects(),
            facts=[sent_fact(parts, fact) for fact in facts[: asked.limit]],
            broken=broken,
        )

    return reply(await asyncio.to_thread(found))


@routes.get(
    "/api/memory/recall",
    "the facts that answer a question, those that hold first; none where no memory fits",
    query=Ask,
    answers={200: Recalled},
    fails=(VaultUnavailable,),
)
async def recall(request: web.Request, asked: Ask) -> web.Response:
    """Return the facts that answer `q`, best first."""
    parts = request.app[SERVED].ready()
    wanted = Wanted(asked.subject, asked.tag, _day("since", asked.since), _day("before", asked.before))
    now = datetime.now().astimezone()
    found = await asyncio.to_thread(parts.recollecting.ask, asked.q, now, limit=asked.limit, wanted=wanted)
    results = [
        FoundFact(
            fact=sent_fact(parts, each.fact), score=each.score, replaced=each.replaced, expired=each.expired
        )
        for each in found.results
    ]
    answer = Recalled(
        question=found.question, understood=found.understood, stages=found.stages, results=results
    )
    return reply(answer)


@routes.get(
    "/api/memory/conflicts",
    "pairs of facts of one subject that may not agree",
    answers={200: Contradictions},
    fails=(VaultUnavailable,),
)
async def conflicts(request: web.Request) -> web.Response:
    """Return the facts that a person may want to settle."""
    parts = request.app[SERVED].ready()
    found = await asyncio.to_thread(parts.recollecting.memory.conflicts)
    return reply(
        Contradictions(
            [Contradiction(sent_fact(parts, each.newer), sent_fact(parts, each.older)) for each in found]
        )
    )


@routes.post(
    "/api/memory",
    "keeps a fact, word by word, in the note of its subject",
    body=Remember,
    answers={200: FactReceipt},
    fails=CHANGES,
)
async def remember(request: web.Request, asked: Remember) -> web.Response:
    """Keep a fact; one that is known is not kept twice."""
    for name in ("text", "subject", "source"):
        refuse_halves(name, getattr(asked, name))
    for path in asked.notes:
        refuse_halves("notes", path)
    granted = request[GRANT]
    source = (asked.source or "api") if granted.scopes is None else granted.name

    def kept(memory: Recollecting) -> Receipt:
        return memory.memory.remember(
            asked.text,
            source=source,
            subject=asked.subject,
            said=_day("said", asked.said),
            until=_day("until", asked.until),
            notes=asked.notes,
        )

    return await _done(request, kept)


@routes.post(
    "/api/memory/undo",
    "takes back a change of memory, by its receipt, or the last one",
    body=Undo,
    answers={200: FactReceipt},
    fails=CHANGES,
)
async def undo(request: web.Request, asked: Undo) -> web.Response:
    """Take back a change; refused where its line is another by now."""
    return await _done(request, lambda memory: memory.memory.undo(asked.change))


@routes.post(
    "/api/memory/facts/{id:[A-Za-z0-9-]+}",
    "changes a fact: its words, whether it comes first, until when it holds, or what takes its place",
    body=Change,
    answers={200: FactReceipt},
    fails=CHANGES,
    path_about=ID_ABOUT,
)
async def change(request: web.Request, asked: Change) -> web.Response:
    """Change one thing of a fact."""
    given = [name for name in asked.__struct_fields__ if getattr(asked, name) is not None]
    if len(given) != 1:
        raise UsageError("Give one of text, pinned, until and superseded_with.")
    fact_id = request.match_info["id"]
    source = request[GRANT].name if request[GRANT].scopes is not None else "api"

    def changed(recollecting: Recollecting) -> Receipt:
        memory = recollecting.memory
        if asked.text is not None:
            return memory.edit(fact_id, asked.text)
        if asked.pinned is not None:
            return memory.pin(fact_id, pinned=asked.pinned)
        if asked.superseded_with is not None:
            return memory.supersede(fact_id, asked.superseded_with, source=source)
        return memory.expire(fact_id, _day("until", asked.until or None))

    return await _done(request, changed)


@routes.delete(
    "/api/memory/facts/{id:[A-Za-z0-9-]+}",
    "forgets a fact: out of its note now, out of every file after a day",
    query=Forget,
    answers={200: FactReceipt},
    fails=CHANGES,
    path_about=ID_ABOUT,
)
async def forget(request: web.Request, asked: Forget) -> web.Response:
    """Forget a fact."""
    fact_id = request.match_info["id"]
    return await _done(request, lambda memory: memory.memory.forget(fact_id, at_once=asked.at_once))


async def _done(request: web.Request, work: Callable[[Recollecting], Receipt]) -> web.Response:
    parts = request.app[SERVED].ready()
    receipt = await asyncio.to_thread(work, parts.recollecting)
    sent = FactReceipt(
        outcome=receipt.outcome,
        fact=sent_fact(parts, receipt.fact),
        undo=receipt.undo,
        near=[sent_fact(parts, fact) for fact in receipt.near],
    )
    return reply(sent)


def _in_vault(parts: Parts, path: str) -> str:
    return parts.recollecting.memory.shelf.in_vault(path)


def sent_fact(parts: Parts, fact: Fact) -> KnownFact:
    """Return a fact as it crosses the wire."""
    path, ids = _in_vault(parts, fact.path), (fact.id,) if fact.has_id else ()
    places = parts.searcher.places
    return KnownFact(
        id=fact.id,
        text=fact.text,
        subject=fact.subject,
        path=path,
        line=fact.line,
        said=fact.said.isoformat() if fact.said else None,
        source=fact.source,
        pinned=fact.pinned,
        until=fact.until.isoformat() if fact.until else None,
        superseded_by=fact.superseded_by,
        holds=fact.holds(datetime.now().astimezone().date()),
        link=places.link(path, (), ids),
        uri=places.uri(path, (), ids),
    )


def _day(name: str, given: str | None) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise UsageError(f"{name} is no day: {given!r}.", hint="Write it as 2026-11-26.") from None
