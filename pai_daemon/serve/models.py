"""`/api/models`: which embedding models there are, and a pull of one that is followed as it goes (D73)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.config import Settings
from pai_daemon.errors import DiskFull, ModelUnavailable, Overloaded, UsageError
from pai_daemon.models.addresses import Address, address_of
from pai_daemon.models.hub.pull import pull
from pai_daemon.models.ollama_pull import pull_by_ollama
from pai_daemon.models.overview import KnownModel, known_models
from pai_daemon.models.registry import Profile, profile
from pai_daemon.models.sources import HubSource
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import ProblemDocument, reply

# How often a person sees a bar move.
TELL_S = 0.2

routes = Routes()


class Models(msgspec.Struct, frozen=True):
    """The embedding models that have a name of their own. pulling: what is being fetched, "" for nothing."""

    models: list[KnownModel]
    pulling: str


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """What is fetched."""

    model: Annotated[
        str,
        Meta(description="A name of `GET /api/models`, or ollama:MODEL[@URL].", examples=["bge-small"]),
    ]
    accept_licence: Annotated[
        bool, Meta(description="The licence is accepted, where that has to be said.")
    ] = False


class Pulling(msgspec.Struct, frozen=True):
    """How far a file is, in bytes; 0 for a total that is not known."""

    file: str
    done: int
    total: int


class PullDone(msgspec.Struct, frozen=True):
    """The model is here."""

    model: str


class Left(Exception):
    """Nobody waits for the model any more; what was fetched is kept."""


@routes.get("/api/models", "the embedding models that have a name, and which are here", answers={200: Models})
async def models(request: web.Request) -> web.Response:
    """Return each model with what it can, where it comes from and whether it is here."""
    served = request.app[SERVED]
    chosen = served.settings
    known = await asyncio.to_thread(
        known_models, chosen.models_file, chosen.cache_dir, served.model.profile.spec
    )
    return reply(Models(known, next(iter(served.pulling), "")))


@routes.post(
    "/api/models/pull",
    "fetches `model` from the hub, or has Ollama fetch it, with events; who hangs up ends it, for now",
    body=Pull,
    events={"progress": Pulling, "done": PullDone, "error": ProblemDocument},
    fails=(ModelUnavailable, DiskFull),
)
async def pull_model(request: web.Request, asked: Pull) -> web.StreamResponse:
    """Fetch `model` with events progress, done, error; one at a time."""
    served = request.app[SERVED]
    wanted = _wanted(asked.model.strip(), served.settings)
    if served.pulling:
        raise Overloaded(f"{next(iter(served.pulling))} is being fetched.", hint="Wait for it, or cancel it.")
    served.pulling.add(asked.model.strip())
    try:
        return await send_stream(request, _events(wanted, asked, served.settings), _frame)
    finally:
        served.pulling.clear()


def _wanted(name: str, settings: Settings) -> Profile | Address:
    """Return what a name means. Raises UsageError for what is not pulled."""
    address = address_of(name)
    if address is not None and address.protocol == "ollama":
        return address
    wanted = profile(name, settings.models_file)
    if not isinstance(wanted.source, HubSource):
        raise UsageError(f"{wanted.name} is not fetched from anywhere.", hint="It comes with its package.")
    return wanted


async def _events(
    wanted: Profile | Address, asked: Pull, settings: Settings
) -> AsyncGenerator[Pulling | PullDone, None]:
    """Yield how far a pull is, and that it is done; it ends with its reader. Raises as `pull` does."""
    news: dict[str, Pulling] = {}
    left = False

    def report(file: str, done: int, total: int) -> None:
        if left:
            raise Left
        news[file] = Pulling(file, done, total)

    name = wanted.spec
    task = asyncio.ensure_future(_fetch(wanted, asked, settings, report))
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=TELL_S)
            for each in list(news):
                yield news.pop(each)
        await task
        yield PullDone(name)
    finally:
        left = True
        if isinstance(wanted, Address):
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _fetch(
    wanted: Profile | Address, asked: Pull, settings: Settings, report: Callable[[str, int, int], None]
) -> None:
    if isinstance(wanted, Address):
        await pull_by_ollama(wanted, report)
        return
    await asyncio.to_thread(
        pull,
        wanted,
        settings.cache_dir,
        report=report,
        accept=lambda licence: asked.accept_licence or not licence.must_accept,
    )


def _frame(event: Pulling | PullDone) -> bytes:
    return frame("progress" if isinstance(event, Pulling) else "done", event)
