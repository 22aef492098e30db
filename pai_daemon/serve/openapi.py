"""`GET /openapi.json`: the API as OpenAPI 3.1, made from what the routes declare (D61).

Nothing of a vault is in it; it lies behind the same door all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from aiohttp import web

from pai_daemon import __version__, errors
from pai_daemon.errors import (
    Forbidden,
    MethodNotAllowed,
    Overloaded,
    PaiError,
    TooLarge,
    Unauthorized,
    UsageError,
)
from pai_daemon.serve import (
    actions,
    ask,
    compare,
    dashboard,
    index,
    links,
    memory,
    memory_tool,
    model,
    models,
    notes,
    proposals,
    related,
    routines,
    search,
    status,
    summarize,
    tasks,
    triggers,
)
from pai_daemon.serve.contract import Route, Routes
from pai_daemon.serve.mcp import endpoint as mcp
from pai_daemon.serve.openai import chat, embeddings, responses
from pai_daemon.serve.openai import models as openai_models
from pai_daemon.serve.security import OPEN_PATHS, SCOPE_OF, SIGNED
from pai_daemon.serve.wire import ProblemDocument, Sparse, reply

routes = Routes()
# Every route of the daemon; a new resource is named here.
RESOURCES = (
    status.routes,
    search.routes,
    ask.routes,
    summarize.routes,
    compare.routes,
    related.routes,
    links.routes,
    tasks.routes,
    notes.routes,
    index.routes,
    memory.routes,
    memory_tool.routes,
    routines.routes,
    triggers.routes,
    actions.routes,
    proposals.routes,
    model.routes,
    models.routes,
    openai_models.routes,
    chat.routes,
    responses.routes,
    embeddings.routes,
    mcp.routes,
    dashboard.routes,
    routes,
)
REFERENCE = "#/components/schemas/{name}"
Schema = dict[str, Any]


@routes.get("/openapi.json", "this API as OpenAPI 3.1", answers={200: dict[str, Any]})
async def describe(_: web.Request) -> web.Response:
    """Return the description of every route."""
    return reply(document())


def described() -> list[Route]:
    """Return the routes of the API; pages for browsers are not among them."""
    return [route for resource in RESOURCES for route in resource if route.answers or route.events]


def kinds() -> list[type[PaiError]]:
    """Return every kind of error, as they are declared."""
    found = (kind for kind in vars(errors).values() if isinstance(kind, type))
    return [kind for kind in found if issubclass(kind, PaiError)]


def failures(route: Route) -> list[type[PaiError]]:
    """Return what a route may raise, what every one may among it."""
    always: tuple[type[PaiError], ...] = (PaiError, UsageError, Forbidden, Overloaded, MethodNotAllowed)
    if route.path not in OPEN_PATHS and route.canonical not in SIGNED:
        always += (Unauthorized,)
    if route.body:
        always += (TooLarge,)
    return sorted({*always, *route.fails}, key=lambda kind: (kind.status, kind.code))


def answer_types(route: Route) -> Iterator[Any]:
    """Yield the types of a route's answers and events."""
    for answer in (*route.answers.values(), *route.events.values()):
        yield from answer if isinstance(answer, tuple) else (answer,)


@functools.cache
def document() -> Schema:
    """Return the OpenAPI document."""
    paths: dict[str, Schema] = {}
    for route in described():
        paths.setdefault(route.canonical, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "pai-daemon",
            "version": __version__,
            "description": "An Obsidian vault, asked and searched on this machine.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "http://127.0.0.1:8377"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The file `token` of the configuration folder, or of `pai token create`.",
                }
            },
        },
    }


@functools.cache
def components(*, is_own: bool = False) -> Schema:
    """Return the schema of each document by its name. What is answered has all of its fields, always.

    is_own: only of our own routes; what keeps another program's protocol has clients of its own.
    """
    routes = [route for route in described() if not (is_own and route.lenient)]
    answers = {kind for route in routes for kind in (*answer_types(route), route.fails_as)}
    _, found = msgspec.json.schema_components(sorted(answers, key=str), ref_template=REFERENCE)
    sparse = {kind.__name__ for kind in Sparse.__subclasses__()}
    for name, schema in found.items():
        if "properties" in schema and name not in sparse:
            schema["required"] = list(schema["properties"])
            for each in schema["properties"].values():
                each.pop("default", None)
    found[ProblemDocument.__name__]["properties"]["code"]["enum"] = sorted({kind.code for kind in kinds()})
    asked = {route.body for route in routes if route.body}
    _, bodies = msgspec.json.schema_components(sorted(asked, key=str), ref_template=REFERENCE)
    strict = {route.body.__name__ for route in routes if route.body and not route.lenient}
    for kind, schema in bodies.items():
        if kind in strict:
            schema["additionalProperties"] = False
        for name, each in schema["properties"].items():
            if name not in schema.get("required", ()):
                schema["properties"][name] = _or_null(each)
    return dict(sorted((found | bodies).items()))


def _or_null(schema: Schema) -> Schema:
    """Return a schema that takes null as well, which stands for what is not given."""
    about = {key: schema[key] for key in ("description", "examples", "default") if key in schema}
    plain = {key: value for key, value in schema.items() if key not in about}
    if {"type": "null"} in plain.get("anyOf", ()):
        return schema
    return about | {"anyOf": [plain, {"type": "null"}]}


def schema_of(kind: Any) -> Schema:
    """Return the schema of an answer: where it is one of several, of any of them."""
    listed = kind if isinstance(kind, tuple) else (kind,)
    schemas, _ = msgspec.json.schema_components(listed, ref_template=REFERENCE)
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def _operation(route: Route) -> Schema:
    scope = SCOPE_OF.get(route.canonical)
    operation: Schema = {
        "operationId": f"{route.name}_{route.method.lower()}",
        "summary": route.about[:1].upper() + route.about[1:],
        "description": route.handler.__doc__,
        "parameters": list(_parameters(route)),
        "responses": _responses(route),
    }
    if scope:
        operation["x-scope"] = scope
    if route.path in OPEN_PATHS or route.canonical in SIGNED:
        operation["security"] = []
    if route.body:
        schema = schema_of(route.body)
        is_needed = any(item.required for item in msgspec.structs.fields(route.body))
        operation["requestBody"] = {
            "required": is_needed,
            "content": {"application/json": {"schema": schema, "example": example(route.body)}},
        }
    return operation


def example(kind: type[msgspec.Struct]) -> Schema:
    """Return an example of a body, from those of its fields that are needed, or else of all."""
    given = {
        item.encode_name: msgspec.json.schema(item.type).get("examples")
        for item in msgspec.structs.fields(kind)
    }
    needed = [item.encode_name for item in msgspec.structs.fields(kind) if item.required]
    return {name: shown[0] for name, shown in given.items() if shown and (name in needed or not needed)}


def _parameters(route: Route) -> Iterator[Schema]:
    if "{" in route.canonical:
        name = route.canonical.partition("{")[2].rstrip("}")
        schema = {"type": "string", "minLength": 1}
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.path_about,
            "schema": schema,
        }
    for item in msgspec.structs.fields(route.query) if route.query else ():
        schema = msgspec.json.schema(item.type)
        about = {key: schema.pop(key) for key in ("description",) if key in schema}
        if not item.required and item.default not in ("", msgspec.NODEFAULT):
            schema["default"] = item.default
        yield {"name": item.encode_name, "in": "query", "required": item.required, **about, "schema": schema}
    if route.events and route.method == "GET":
        about = {"description": "The id of the last event that was seen: those after it are sent first."}
        yield {"name": "Last-Event-ID", "in": "header", **about, "schema": {"type": "string"}}


def _responses(route: Route) -> Mapping[str, Schema]:
    found: dict[str, Schema] = {}
    for status_code, kind in route.answers.items():
        content = {"application/json": {"schema": schema_of(kind)}}
        found[str(status_code)] = {"description": route.about, "content": content}
    if route.events:
        streamed = found.setdefault("200", {"description": "A stream of events.", "content": {}})
        frames = [_event(name, kind) for name, kind in route.events.items()]
        streamed["content"]["text/event-stream"] = {"schema": {"anyOf": frames}}
    for kind in failures(route):
        response = found.setdefault(
            str(kind.status),
            {
                "description": "",
                "content": {_media(route): {"schema": schema_of(route.fails_as)}},
            },
        )
        response["description"] = (
            f"{response['description']} {' '.join((kind.__doc__ or '').split())}".strip()
        )
        response.setdefault("x-codes", []).append(kind.code)
        if kind.status in (429, 503):
            response["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return dict(sorted(found.items()))


def _media(route: Route) -> str:
    """Return of what content type the errors of a route are."""
    return "application/problem+json" if route.fails_as is ProblemDocument else "application/json"


def _event(name: str, kind: Any) -> Schema:
    """Return the schema of one event of a stream: its name, and its data, a document in JSON."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema_of(kind)}
    return {
        "type": "object",
        "properties": {"event": {"const": name}, "data": data, "id": {"type": "string"}},
        "required": ["event", "data"],
    }
