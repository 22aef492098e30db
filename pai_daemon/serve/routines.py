"""`/api/routines`: the routines of the vault, their runs, and running one now."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.action.routine import Routine
from pai_daemon.action.runs import Run, RunState
from pai_daemon.action.scheduler import Scheduler
from pai_daemon.errors import DiskFull, GeneratorUnavailable, ModelUnavailable, NotFound, VaultUnavailable
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import Limit, reply

routes = Routes()
NAME_ABOUT = "The routine's name: its note's path below the folder of routines, without `.md`."


class RoutineRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run. trace: its inputs, prompt, text, generator, tokens, diff, warnings and took_ms.

    Prompt, text and diff are empty for a token that may not read notes.
    """

    id: str
    routine: str
    cause: str
    state: RunState
    due: str
    started: str | None
    ended: str | None
    tries: int
    why: str
    actions: tuple[str, ...]
    trace: dict[str, Any]


class RunProgress(msgspec.Struct, frozen=True):
    """How far a run of a routine is. why: what went wrong, or why it was skipped."""

    id: str
    routine: str
    state: RunState
    why: str


class KnownRoutine(msgspec.Struct, frozen=True, kw_only=True):
    """A routine. next: when it is due; triggers: on what it runs beside the clock; last: its latest run."""

    name: str
    path: str
    title: str
    enabled: bool
    schedule: str
    timezone: str
    triggers: tuple[str, ...]
    writes: str
    grants: tuple[str, ...]
    hosts: tuple[str, ...]
    model: str
    next: str | None
    last: RoutineRun | None


class WrongRoutine(msgspec.Struct, frozen=True):
    """What is wrong with a routine's note, at which line from 1. It does not run until that is mended."""

    path: str
    line: int
    message: str
    hint: str


class KnownRoutines(msgspec.Struct, frozen=True):
    """All routines. folder: of the vault, where their notes lie."""

    folder: str
    routines: list[KnownRoutine]
    wrong: list[WrongRoutine]


class RoutineRuns(msgspec.Struct, frozen=True):
    """Runs, the latest first, without their traces."""

    runs: list[RoutineRun]


class RunRoutine(msgspec.Struct, frozen=True):
    """How a routine is run."""

    dry_run: Annotated[bool, Meta(description="Write nothing, and tell what would be.")] = False


class History(msgspec.Struct, frozen=True):
    """Whose runs."""

    routine: Annotated[str, Meta(description="Of one routine; of all where none is named.")] = ""
    limit: Limit = 20


class RunChange(msgspec.Struct, frozen=True):
    """What becomes of a run."""

    state: Annotated[
        Literal["cancelled"], Meta(description="It is broken off, for good.", examples=["cancelled"])
    ]


@routes.get(
    "/api/routines",
    "the routines, when each is due, and which are wrong",
    answers={200: KnownRoutines},
    fails=(VaultUnavailable,),
)
async def known(request: web.Request) -> web.Response:
    """Return the routines of the vault."""
    scheduler = request.app[SERVED].ready().scheduler
    scheduler.look()
    routines = [_known(scheduler, each) for _, each in sorted(scheduler.folder.routines.items())]
    wrong = [WrongRoutine(each.path, each.line, each.message, each.hint) for each in scheduler.folder.wrong]
    return reply(KnownRoutines(scheduler.folder.folder, routines, wrong))


@routes.get(
    "/api/routines/runs",
    "the latest runs of one routine or of all",
    query=History,
    answers={200: RoutineRuns},
    fails=(VaultUnavailable,),
)
async def history(request: web.Request, asked: History) -> web.Response:
    """Return runs, the latest first."""
    runs = request.app[SERVED].ready().scheduler.runs
    found = runs.of(asked.routine, asked.limit) if asked.routine else runs.latest(asked.limit)
    return reply(RoutineRuns([_run(run, whole=False) for run in found]))


@routes.get(
    "/api/routines/runs/{id:[0-9a-f-]+}",
    "one run with its trace",
    answers={200: RoutineRun},
    fails=(NotFound, VaultUnavailable),
    path_about="The run's id.",
)
async def one_run(request: web.Request) -> web.Response:
    """Return a run with all that it did."""
    return reply(_shown(request, request.app[SERVED].ready().scheduler.run(request.match_info["id"])))


@routes.post(
    "/api/routines/runs/{id:[0-9a-f-]+}",
    "cancels a run",
    body=RunChange,
    answers={200: RoutineRun},
    fails=(NotFound, VaultUnavailable),
    path_about="The run's id.",
)
async def change_run(request: web.Request, asked: RunChange) -> web.Response:
    """Cancel a run that is to be made or under way."""
    assert asked.state == "cancelled"
    return reply(_shown(request, request.app[SERVED].ready().scheduler.cancel(request.match_info["id"])))


@routes.post(
    "/api/routines/{name:.+}/run",
    "runs a routine now; with `dry_run` it tells what it would write",
    body=RunRoutine,
    answers={200: RoutineRun},
    fails=(NotFound, VaultUnavailable, DiskFull, GeneratorUnavailable, ModelUnavailable),
    path_about=NAME_ABOUT,
)
async def run(request: web.Request, asked: RunRoutine) -> web.Response:
    """Run a routine, and answer when it is done."""
    scheduler: Scheduler = request.app[SERVED].ready().scheduler
    name = request.match_info["name"]
    if asked.dry_run:
        made = await scheduler.dry_run(name)
        return reply(_shown(request, made))
    return reply(_shown(request, await scheduler.over(scheduler.trigger(name))))


def _known(scheduler: Scheduler, routine: Routine) -> KnownRoutine:
    runs = scheduler.runs.of(routine.name, 1)
    coming = scheduler.next(routine)
    writes = routine.writes
    return KnownRoutine(
        name=routine.name,
        path=routine.path,
        title=routine.title,
        enabled=routine.enabled,
        schedule=routine.schedule,
        timezone=routine.timezone,
        triggers=tuple(f"{each.cause}: {each.what}".removesuffix(": ") for each in routine.triggers),
        writes="" if writes.kind == "none" else f"{writes.kind}: {writes.to}",
        grants=tuple(grant.written for grant in routine.grants),
        hosts=scheduler.hosts(routine),
        model=routine.model,
        next=coming.isoformat() if coming else None,
        last=_run(runs[0], whole=False) if runs else None,
    )


def _shown(request: web.Request, run: Run) -> RoutineRun:
    """Return a run as the token that asks may see it: a trace holds what stands in notes."""
    if request[GRANT].opens("search"):
        return _run(run)
    held_back = {name: "" for name in ("prompt", "text", "diff") if name in run.trace}
    return _run(replace(run, trace=run.trace | held_back | {"sources": []}))


def _run(run: Run, *, whole: bool = True) -> RoutineRun:
    return RoutineRun(
        id=run.id,
        routine=run.routine,
        cause=run.cause,
        state=run.state,
        due=run.due.isoformat(),
        started=run.started.isoformat() if run.started else None,
        ended=run.ended.isoformat() if run.ended else None,
        tries=run.tries,
        why=run.why,
        actions=run.actions,
        trace=run.trace if whole else {},
    )
