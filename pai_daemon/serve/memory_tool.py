"""`POST /api/memory/command`: Claude's memory tool over the memory folder, whoever calls it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import UsageError
from pai_daemon.memory.commands import MemoryCommands, answered
from pai_daemon.memory.rules import Rules
from pai_daemon.memory.shelf import Shelf
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import refuse_halves, reply

routes = Routes()
# One at a time: a command reads, decides and writes.
_turn = threading.Lock()
Place = Annotated[str, Meta(description="Below /memories.", examples=["/memories/Editors.md"])]


class MemoryCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the tool `memory_20250818`, with the fields that it needs."""

    command: Literal["view", "create", "str_replace", "insert", "delete", "rename"]
    path: Place | None = None
    view_range: Annotated[
        list[int] | None, Meta(description="The first and the last line to view; -1: to the end.")
    ] = None
    file_text: Annotated[str | None, Meta(description="What `create` writes.")] = None
    old_str: Annotated[str | None, Meta(description="What `str_replace` replaces; once in the file.")] = None
    new_str: Annotated[str | None, Meta(description="What stands there afterwards.")] = None
    insert_line: Annotated[int | None, Meta(description="After which line; 0: at the beginning.")] = None
    insert_text: Annotated[str | None, Meta(description="What `insert` adds.")] = None
    old_path: Place | None = None
    new_path: Place | None = None


class MemoryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is told; is_error: that the command could not be done."""

    content: str
    is_error: bool


@routes.post(
    "/api/memory/command",
    "Claude's memory tool over the memory folder: view, create, str_replace, insert, delete, rename",
    body=MemoryCommand,
    answers={200: MemoryAnswer},
)
async def memory_command(request: web.Request, asked: MemoryCommand) -> web.Response:
    """Do one command. What the tool itself refuses is an answer; UsageError where a field is missing."""
    served = request.app[SERVED]
    called = _called(asked)

    def work() -> tuple[str, bool]:
        shelf = Shelf.of(served.vault, served.settings)
        with _turn:
            return answered(MemoryCommands(shelf, Rules.of(shelf, served.settings).may_leave), called)

    content, is_error = await asyncio.to_thread(work)
    return reply(MemoryAnswer(content=content, is_error=is_error))


def _called(asked: MemoryCommand) -> Callable[[MemoryCommands], str]:
    """Return the call of a command. Raises UsageError for a field that it needs and lacks."""
    for name in asked.__struct_fields__:
        if isinstance(value := getattr(asked, name), str):
            refuse_halves(name, value)
    match asked:
        case MemoryCommand(command="view", path=str(path)):
            return lambda memory: memory.view(path, asked.view_range)
        case MemoryCommand(command="create", path=str(path), file_text=str(text)):
            return lambda memory: memory.create(path, text)
        case MemoryCommand(command="str_replace", path=str(path), old_str=str(old)):
            return lambda memory: memory.str_replace(path, old, asked.new_str or "")
        case MemoryCommand(command="insert", path=str(path), insert_line=int(line), insert_text=str(text)):
            return lambda memory: memory.insert(path, line, text)
        case MemoryCommand(command="delete", path=str(path)):
            return lambda memory: memory.delete(path)
        case MemoryCommand(command="rename", old_path=str(old), new_path=str(new)):
            return lambda memory: memory.rename(old, new)
    raise UsageError(f"The command {asked.command} lacks a field.", hint=f"It needs {_NEEDS[asked.command]}.")


_NEEDS = {
    "view": "path",
    "create": "path and file_text",
    "str_replace": "path, old_str and new_str",
    "insert": "path, insert_line and insert_text",
    "delete": "path",
    "rename": "old_path and new_path",
}
