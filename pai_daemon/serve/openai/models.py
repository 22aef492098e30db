"""`GET /v1/models`: the names by which the vault, its generator and its embedding model are asked."""

from __future__ import annotations

import re
import time
from typing import Literal

from aiohttp import web

from pai_daemon.errors import VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.openai.protocol import (
    OpenAIFailure,
    ServedModel,
    ServedModels,
    UnknownModel,
)
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import reply

routes = Routes()
NOTES, EMBEDDING = "pai", "pai-embed"
Kind = Literal["notes", "generator", "embedding"]
# Since when they are there: nobody reads it, and every client wants one.
_CREATED = int(time.time())


def names(served: Served) -> dict[str, Kind]:
    """Return what can be asked, by name: the notes, under two names, then what writes and what embeds."""
    found: dict[str, Kind] = {NOTES: "notes"}
    if slug := re.sub(r"\W+", "-", served.vault.name.casefold()).strip("-_"):
        found.setdefault(f"{NOTES}-{slug}", "notes")
    found[EMBEDDING] = "embedding"
    if served.parts is not None and served.parts.answerer.generator.name != "extractive":
        found.setdefault(served.parts.answerer.generator.name, "generator")
    return found


def kind_of(served: Served, name: str, *kinds: Kind) -> Kind:
    """Return what a name stands for. Raises UnknownModel, and names those of the kinds that can be asked."""
    known = {each.casefold(): kind for each, kind in names(served).items()}
    if served.parts is not None and (profile := served.parts.index.space.model):
        known.setdefault(profile.name.casefold(), "embedding")
    kind = known.get(name.strip().casefold())
    if kind is None or kind not in kinds:
        asked = ", ".join(each for each, kind in names(served).items() if kind in kinds)
        raise UnknownModel(f"The model {name[:100]!r} is not served for this.", hint=f"Ask {asked}.")
    return kind


@routes.get(
    "/v1/models",
    "the models for programs that speak OpenAI's API: `pai`, `pai-VAULT`, what embeds, what writes",
    answers={200: ServedModels},
    lenient=True,
    fails_as=OpenAIFailure,
)
async def list_models(request: web.Request) -> web.Response:
    """Return the models that can be asked."""
    listed = [_described(name) for name in names(request.app[SERVED])]
    return reply(ServedModels(object="list", data=listed))


@routes.get(
    "/v1/models/{model:.+}",
    "one of them",
    answers={200: ServedModel},
    path_about="Its name.",
    fails=(UnknownModel, VaultUnavailable),
    lenient=True,
    fails_as=OpenAIFailure,
)
async def show_model(request: web.Request) -> web.Response:
    """Return a model by its name."""
    name = request.match_info["model"]
    kind_of(request.app[SERVED], name, "notes", "generator", "embedding")
    return reply(_described(name))


def _described(name: str) -> ServedModel:
    return ServedModel(id=name, object="model", created=_CREATED, owned_by="pai-daemon")
