"""What the tools for MCP clients work with: which notes a client may see, and how a tool is declared (D87).

Behind a tool stands most often a model beyond this machine; so no tool hands out a local-only note (D15),
unless the setting `mcp_local_only` is "shown".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pai_daemon.context.filters import Filter
from pai_daemon.errors import NotFound
from pai_daemon.serve.state import Parts, Served
from pai_daemon.serve.wire import Folder, Moment, Narrowed, narrowing

Writes = Literal["", "adds", "removes"]


@dataclass(frozen=True, slots=True)
class Desk:
    """What one call of a tool works with. hidden: the paths of the notes that this client may not see."""

    served: Served
    parts: Parts
    hidden: frozenset[str]

    @classmethod
    async def open(cls, served: Served) -> Desk:
        """Return the desk of a vault. Raises VaultUnavailable while the index is opening."""
        parts = served.ready()
        if served.settings.mcp_local_only == "shown":
            return cls(served, parts, frozenset())
        return cls(served, parts, frozenset(await asyncio.to_thread(parts.index.private_paths)))

    def path(self, written: str) -> str:
        """Return the path of an indexed note. Raises NotFound for one that is not, or may not be seen."""
        path = self.parts.related.indexed(written).path
        if path in self.hidden:
            raise NotFound(
                f"{path} stays on this machine, and is not handed to MCP clients.",
                hint='A person can allow it with the setting mcp_local_only = "shown".',
            )
        return path


Call = Callable[[Desk, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. scope: of the token that it needs. writes: what it does to notes, nothing where it is empty.

    is_open: a generator beyond this machine may be asked.
    """

    name: str
    title: str
    about: str
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    call: Call
    scope: str
    writes: Writes = ""
    is_open: bool = False


class Tools:
    """The tools of one subject, in the order in which they are declared and offered."""

    def __init__(self) -> None:
        self._tools: list[Tool] = []

    def __iter__(self) -> Iterator[Tool]:
        """Iterate over the tools."""
        return iter(self._tools)

    def tool(
        self,
        name: str,
        title: str,
        *,
        takes: type[msgspec.Struct],
        gives: type[msgspec.Struct],
        scope: str,
        writes: Writes = "",
    ) -> Callable[[Call], Call]:
        """Declare a tool; its docstring is what a model is told of it."""

        def declare(call: Call) -> Call:
            about = " ".join((call.__doc__ or "").split())
            is_open = scope == "ask"
            self._tools.append(Tool(name, title, about, takes, gives, call, scope, writes, is_open))
            return call

        return declare


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Which notes are looked at, in one form for each: not every client reads a choice of types."""

    path: Folder = ""
    tag: Annotated[str, Meta(description="Also those nested in it.", examples=["boat"])] = ""
    property: Annotated[str, Meta(description="`name` or `name=value`.", examples=["status=open"])] = ""
    since: Moment = ""
    before: Moment = ""

    def chosen(self, desk: Desk) -> Filter:
        """Return the filter, without what may not be seen. Raises UsageError."""
        given = {name: getattr(self, name) for name in Where.__struct_fields__}
        return replace(narrowing(Narrowed(**given)), without=tuple(sorted(desk.hidden)))
