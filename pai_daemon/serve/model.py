"""`POST /api/model`: let another embedding model answer."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import ModelUnavailable, NotFound, UsageError
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import reply

routes = Routes()


class Choice(msgspec.Struct, frozen=True):
    """The model that is to answer."""

    model: Annotated[
        str,
        Meta(description="A name of `pai models list`.", examples=["small"]),
    ]


class Chosen(msgspec.Struct, frozen=True):
    """What will answer once it has embedded everything."""

    accepted: bool
    model: str


@routes.post(
    "/api/model",
    "embeds everything anew for `model`, beside the index that answers meanwhile, then switches",
    body=Choice,
    answers={202: Chosen},
    fails=(ModelUnavailable, NotFound),
)
async def choose(request: web.Request, asked: Choice) -> web.Response:
    """Let `model` answer once it has embedded everything, and at later starts; follow it in the status."""
    served = request.app[SERVED]
    name = asked.model.strip()
    if not name:
        raise UsageError("Give the model's name.", hint="`pai models list` shows them.")
    await asyncio.shield(served.choose(name))  # by halves it would only be remembered
    return reply(Chosen(accepted=True, model=served.model.profile.name), status=202)
