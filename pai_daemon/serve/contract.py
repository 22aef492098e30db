"""What each route takes and answers, said once (D61).

A handler is declared together with the types of its query, body and answers. From that follow: the check
of what comes in, `/openapi.json`, the README's tables, the plugin's types and those of the client. A new
route needs nothing else:

    routes = Routes()

    @routes.get("/api/echo", "what you said", query=Echo, answers={200: Said}, fails=(NotFound,))
    async def echo(request: web.Request, asked: Echo) -> web.Response: ...
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from aiohttp import web

from pai_daemon.errors import PaiError, UsageError
from pai_daemon.serve.wire import ProblemDocument, refuse_halves
from pai_daemon.serve.wire import body as read_body

Asked = TypeVar("Asked", bound=msgspec.Struct)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Takes = Callable[..., Awaitable[web.StreamResponse]]
TRUTH = {"true": True, "1": True, "false": False, "0": False}
DIGITS = re.compile(r"[0-9]{1,9}")
PATH = re.compile(r"^\$\.(\w+)")
WORDS = {
    "integer": "a whole number",
    "boolean": "true or false",
    "number": "a number",
    "array": "a list of strings",
    "string": "a string",
}
# How like a known name another must be to be meant; `foldr` for `folder`, not `q` for `limit`.
LIKENESS = 0.6
MAX_SHOWN = 60
MISSING = re.compile(r"required field `(\w+)`")
WITHIN = re.compile(r"at `\$\.(\w[\w.\[\]…]*)`")


@dataclass(frozen=True, slots=True)
class Route:
    """One route. about: what it is for, in the README's words; names, answers and errors follow from types.

    answers: the documents by status; of a tuple it is one of them. events: by name, where it can stream.
    lenient: names that are not known are passed over, as the protocol of another program wants it (D70).
    fails: what it raises beside what every route may raise. fails_as: the document that tells it, in JSON.
    path_about: of the variable in its path.
    """

    method: str
    path: str
    handler: Handler
    about: str = ""
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    answers: Mapping[int, Any] = field(default_factory=dict)
    events: Mapping[str, Any] = field(default_factory=dict)
    fails: tuple[type[PaiError], ...] = ()
    path_about: str = ""
    lenient: bool = False
    fails_as: Any = ProblemDocument

    @property
    def canonical(self) -> str:
        """Return the path without the patterns of its variables."""
        return re.sub(r":[^}]+", "", self.path)

    @property
    def name(self) -> str:
        """Return the name of the handler, which names the operation."""
        return str(getattr(self.handler, "__name__", ""))


class Routes:
    """The routes of one resource, in order. One without `answers` and `events` is a page, not of the API."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        """Iterate over the routes."""
        return iter(self._routes)

    def get(self, path: str, about: str = "", **described: Any) -> Callable[[Takes], Takes]:
        """Declare a route that only looks; described: the further fields of Route."""
        return self._declare("GET", path, about, described)

    def post(self, path: str, about: str = "", **described: Any) -> Callable[[Takes], Takes]:
        """Declare a route that does something, or whose question is long."""
        return self._declare("POST", path, about, described)

    def delete(self, path: str, about: str = "", **described: Any) -> Callable[[Takes], Takes]:
        """Declare a route that ends what its path names."""
        return self._declare("DELETE", path, about, described)

    def _declare(
        self, method: str, path: str, about: str, described: Mapping[str, Any]
    ) -> Callable[[Takes], Takes]:
        query, body = described.get("query"), described.get("body")
        is_page = not (described.get("answers") or described.get("events"))
        is_strict = not (is_page or described.get("lenient"))

        def declare(handler: Takes) -> Takes:
            @functools.wraps(handler)
            async def checked(request: web.Request) -> web.StreamResponse:
                if is_strict:
                    refuse_unknown(request.query, query, "parameter")
                if query is not None:
                    return await handler(request, checked_query(request.query, query))
                if body is not None:
                    given = await read_body(request)
                    if is_strict:
                        refuse_unknown(given, body, "field")
                    return await handler(request, checked_body(given, body))
                return await handler(request)

            self._routes.append(Route(method, path, checked, about, **described))
            return handler

        return declare


def checked_query(values: Any, kind: type[Asked]) -> Asked:
    """Return a query in its type. values: a multi-mapping. Raises UsageError.

    A query is text: digits are read as a number; true, false, 1 and 0 as what they say; nothing else is.
    """
    given: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        if name not in values:
            continue
        if hint is list:
            given[name] = values.getall(name)
        elif hint is int and DIGITS.fullmatch(values[name]):
            given[name] = int(values[name])
        elif hint is bool:
            given[name] = TRUTH.get(values[name], values[name])
        else:
            given[name] = values[name]
    return _converted(given, kind)


def checked_body(values: Mapping[str, Any], kind: type[Asked]) -> Asked:
    """Return a body in its type; null stands for what is not given, `23.0` for 23. Raises UsageError."""
    given: dict[str, Any] = {}
    for name, hint in _hints(kind).items():
        value = values.get(name)
        if hint is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is not None:
            given[name] = value
    return _converted(given, kind)


def refuse_unknown(given: Iterable[str], kind: type[msgspec.Struct] | None, what: str) -> None:
    """Raise UsageError for a name that a query or body does not have, and name the nearest one that it has.

    What is asked for and passed over would look like an answer to it: `limt=5` gives ten, a filter none.
    """
    known = tuple(_hints(kind)) if kind is not None else ()
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name[:MAX_SHOWN].casefold(), known, 1, LIKENESS)
            takes = f"It takes {', '.join(known)}." if known else f"It takes no {what}s."
            shown = name[:MAX_SHOWN].encode("utf-8", "replace").decode()
            raise UsageError(
                f"There is no {what} {shown!r}.", hint=f"Did you mean {near[0]}? {takes}" if near else takes
            )


@functools.cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, type]:
    """Return by name whether a field is a list, int, bool, or text."""
    found: dict[str, type] = {}
    for name, hint in get_type_hints(kind).items():
        plain = {getattr(hint, "__origin__", hint), *get_args(hint)}
        found[name] = next((one for one in (list, int, bool) if one in plain), str)
    return found


def _converted(given: dict[str, Any], kind: type[Asked]) -> Asked:
    for name, value in given.items():
        if isinstance(value, str):  # the paths of a list may be any bytes that a disk has for a name
            refuse_halves(name, value)
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        within = WITHIN.search(str(error))
        if missing := MISSING.search(str(error)):
            if within:
                raise UsageError(f"{within[1]}.{missing[1]} is missing.") from None
            raise UsageError(
                f"{missing[1]} is missing.", hint=f"Give {_expected(kind, missing[1])}."
            ) from None
        place = PATH.match(str(error).rpartition("`")[0].rpartition("`")[2])
        name = place[1] if place else "The body"
        raise UsageError(f"{name} must be {_expected(kind, name)}.") from None


def _expected(kind: type[msgspec.Struct], name: str) -> str:
    """Return what a field takes, in words: `a whole number between 1 and 100`."""
    for item in msgspec.structs.fields(kind):
        if item.encode_name == name:
            return in_words(msgspec.json.schema(item.type))
    return "a JSON object"


def in_words(schema: Mapping[str, Any]) -> str:
    """Return what a schema allows, in words."""
    if "enum" in schema:
        *most, last = (str(value) for value in schema["enum"])
        return f"{', '.join(most)} or {last}" if most else last
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(in_words(one) for one in schema["anyOf"] if one != {"type": "null"}))
    if "maximum" in schema:
        number = "a whole number" if schema["type"] == "integer" else "a number"
        return f"{number} between {schema['minimum']} and {schema['maximum']}"
    if "$ref" in schema.get("items", ()):
        return "a list of objects"
    return WORDS.get(str(schema.get("type")), "a JSON value")
