"""`GET /api/tasks`: the tasks in the notes."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from pai_daemon.context.tasks import TaskList, TaskQuery, Wanted, day_ahead, find_tasks
from pai_daemon.errors import VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import Narrowed, narrowing, reply

MAX_TASKS = 1000

routes = Routes()
Day = Annotated[
    str,
    Meta(
        description="A day of ISO 8601, `today`, `tomorrow`, or in how long: 7d, 2w, 3m, 1y.",
        examples=["7d"],
        extra_json_schema={
            "anyOf": [
                {"enum": ["", "today", "tomorrow"]},
                {"pattern": r"^[0-9]{1,3}[dwmy]$"},
                {"format": "date"},
            ]
        },
    ),
]


class Tasks(Narrowed, frozen=True, kw_only=True):
    """Which tasks are listed; `tag` may be a task's own or its note's."""

    q: Annotated[str, Meta(description="Words of the task, of what stands above it, or of its note.")] = ""
    status: Wanted = "open"
    due_since: Day = ""
    due_before: Day = ""
    overdue: Annotated[bool, Meta(description="Only those that were due before today.")] = False
    limit: Annotated[int, Meta(ge=1, le=MAX_TASKS, description="How many at most.", examples=[50])] = 100


@routes.get(
    "/api/tasks",
    "the tasks in the notes, overdue ones first, with their days, priorities and places",
    query=Tasks,
    answers={200: TaskList},
    fails=(VaultUnavailable,),
)
async def tasks(request: web.Request, asked: Tasks) -> web.Response:
    """Return the tasks of Obsidian, Logseq and org, as their notes have them: nothing is guessed."""
    today = datetime.now().astimezone().date()
    query = TaskQuery(
        status=asked.status,
        words=asked.q,
        due_since=day_ahead(asked.due_since, today),
        due_before=day_ahead(asked.due_before, today),
        overdue=asked.overdue,
        chosen=narrowing(asked),
    )
    searcher = request.app[SERVED].ready().searcher
    found = await asyncio.to_thread(find_tasks, searcher, query, today, asked.limit)
    return reply(found, revision=found.revision)
