"""`POST /api/memory/command`: Claude's memory tool over the memory folder, whoever calls it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import VaultUnavailable
from pai_daemon.memory.commands import MemoryCommands, Refused, answered
from pai_daemon.memory.rules import Rules
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import refuse_halves, reply

routes = Routes()
Place = Annotated[str, Meta(description="Below /memories.", examples=["/memories/Editors.md"])]


class MemoryCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the tool `memory_20250818`, with the fields that it needs."""

    command: Annotated[
        Literal["view", "create", "str_replace", "insert", "delete", "rename"], Meta(examples=["view"])
    ]
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
    fails=(VaultUnavailable,),
)
async def memory_command(request: web.Request, asked: MemoryCommand) -> web.Response:
    """Do one command. What the tool refuses is an answer, too: the model is to read it."""
    served = request.app[SERVED]
    shelf = served.ready().recollecting.memory.shelf
    for name in asked.__struct_fields__:
        if isinstance(value := getattr(asked, name), str):
            refuse_halves(name, value)

    def work() -> tuple[str, bool]:
        memory = MemoryCommands(shelf, Rules.of(shelf, served.settings).may_leave)
        return answered(memory, lambda memory: _done(memory, asked))

    content, is_error = await asyncio.to_thread(work)
    return reply(MemoryAnswer(content=content, is_error=is_error))


def _done(memory: MemoryCommands, asked: MemoryCommand) -> str:
    """Return what the tool answers to a command. Raises Refused, also for a field that is lacking."""
    match asked:
        case MemoryCommand(command="view", path=str(path)):
            return memory.view(path, asked.view_range)
        case MemoryCommand(command="create", path=str(path), file_text=str(text)):
            return memory.create(path, text)
        case MemoryCommand(command="str_replace", path=str(path), old_str=str(old)):
            return memory.str_replace(path, old, asked.new_str or "")
        case MemoryCommand(command="insert", path=str(path), insert_line=int(line), insert_text=str(text)):
            return memory.insert(path, line, text)
        case MemoryCommand(command="delete", path=str(path)):
            return memory.delete(path)
        case MemoryCommand(command="rename", old_path=str(old), new_path=str(new)):
            return memory.rename(old, new)
    raise Refused(f"Error: The command {asked.command} needs {_NEEDS[asked.command]}")


_NEEDS = {
    "view": "path",
    "create": "path and file_text",
    "str_replace": "path, old_str and new_str",
    "insert": "path, insert_line and insert_text",
    "delete": "path",
    "rename": "old_path and new_path",
}
