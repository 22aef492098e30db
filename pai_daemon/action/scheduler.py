"""The one loop that runs routines: by the clock, by what happens, and by hand (D88).

It decides by the wall clock every half minute or sooner, so that a machine that slept, a clock that was set
and a change of summer time are all the same to it. A run is written down before the schedule counts as
heeded, and that before the run begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pathspec

from pai_daemon.action.folder import RoutineFolder
from pai_daemon.action.heeded import Heeded
from pai_daemon.action.outside.guard import hosts_of_routine
from pai_daemon.action.routine import Routine, Trigger
from pai_daemon.action.runner import Runner, why
from pai_daemon.action.runs import Run, Runs
from pai_daemon.action.schedule import Schedule, local_zone_name, read_schedule, read_zone
from pai_daemon.action.timing import decide, outdated
from pai_daemon.context.changes import REMOVED, NoteChange
from pai_daemon.errors import (
    GeneratorUnavailable,
    IndexUnavailable,
    ModelUnavailable,
    NotFound,
    Overloaded,
    PaiError,
    UsageError,
    VaultUnavailable,
)

log = logging.getLogger(__name__)
TICK_S = 30.0
AT_ONCE = 2
# Of one routine; a program that triggers it without end is told to come later.
MAX_WAITING = 50
# A note that is saved without a pause is waited for so many times as long as it is to be quiet.
PATIENCE = 10
# The first try after a failure comes so much later, each further one five times as late.
RETRY_S = 60.0
MAY_PASS = (
    GeneratorUnavailable,
    IndexUnavailable,
    ModelUnavailable,
    Overloaded,
    VaultUnavailable,
    TimeoutError,
)


class Scheduler:
    """Runs the routines of one vault until it is stopped; its methods are for the loop's thread.

    publish: tells what happens. now: the wall clock, with its zone.
    """

    def __init__(
        self,
        folder: RoutineFolder,
        runner: Runner,
        data: Path,
        *,
        publish: Callable[[Run], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = folder
        self.runs = Runs(data / "runs")
        self._runner = runner
        self._heeded = Heeded(data / "schedule.json")
        self._publish = publish
        self._now = now
        self._schedules: dict[str, Schedule] = {}
        self._coming: dict[str, datetime] = {}
        self._looked: datetime | None = None
        self._zone: object = None
        self._places: dict[str, pathspec.PathSpec[Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._awake = asyncio.Event()
        self._awaited: dict[str, asyncio.Event] = {}
        self._loop_task: asyncio.Task[None] | None = None

    # Its life.

    def start(self) -> None:
        """Begin: what a kill broke off is made again, what starts with the daemon is run."""
        self._heeded.read()
        self.look()
        now = self._now()
        for run in list(self.runs.open()):
            self._resume(run, now)
        for routine in self._enabled():
            if any(trigger.cause == "start" for trigger in routine.triggers):
                self._wait(routine, "start", now, 0.0)
        self._loop_task = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Stop; a run under way is broken off, and made again at the next start. One that writes is ended."""
        for run in self.runs.open():
            if run.state == "waiting":
                with contextlib.suppress(PaiError):  # which notes it waited with is known to memory alone
                    self.runs.keep(run)
        tasks = [task for task in (self._loop_task, *self._tasks.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look(self) -> None:
        """Look at the folder of routines."""
        zone = local_zone_name()  # a machine that travels
        if self.folder.look() or zone != self._zone or not self._schedules:
            self._zone = zone
            self._places.clear()
            self._coming.clear()
            self._schedules = {
                routine.name: read_schedule(routine.schedule, read_zone(routine.timezone))
                for routine in self.folder.routines.values()
                if routine.schedule
            }

    async def _go_on(self) -> None:
        while True:
            rest_s = TICK_S
            try:
                self.tick()
                rest_s = self._rest_s()
            except Exception:  # one bad routine never stops the loop
                log.exception("a look at the routines failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), rest_s)
            self._awake.clear()

    def _rest_s(self) -> float:
        now = self._now()
        # The end of a run wakes the loop; until then nothing of its routine can be begun.
        busy = self._busy()
        moments = [run.at for run in self.runs.open() if run.state == "waiting" and run.routine not in busy]
        moments += [moment for name, moment in self._coming.items() if name not in busy]
        seconds = [(moment - now).total_seconds() for moment in moments]
        return max(0.0, min([TICK_S, *seconds]))

    # What is due.

    def tick(self) -> None:
        """Look at the clock: begin what is due, and write down what is skipped."""
        self.look()
        now = self._now()
        if self._looked is not None and now < self._looked:
            self._coming.clear()  # the clock was put back
        self._looked = now
        running = {run.routine for run in self.runs.open() if run.state == "running"}
        for name, schedule in self._schedules.items():
            routine = self.folder.routines[name]
            if not routine.enabled or name in running or now < self._coming.get(name, now):
                continue
            try:
                self._coming[name] = schedule.after(self._heed(routine, schedule, now))
            except PaiError as error:  # a full disk: it is looked at again
                log.warning("the routine %s is not heeded: %s", name, error.detail)
                self._coming[name] = now + timedelta(seconds=TICK_S)
        with contextlib.suppress(PaiError):  # a full disk; the runs themselves are written down
            self._heeded.save()
        busy = self._busy()
        for run in self.runs.open():
            if run.state == "waiting" and run.at <= now and run.routine not in busy:
                if said := outdated(self.folder.routines.get(run.routine), run.cause, run.at, now):
                    self._finish(replace(run, state="skipped", why=said), now)
                else:
                    self._begin(run)
                    busy.add(run.routine)

    def next(self, routine: Routine) -> datetime | None:
        """Return when a routine's schedule is due next, None where it has none."""
        schedule = self._schedules.get(routine.name)
        return schedule.after(self._now()) if schedule is not None and routine.enabled else None

    def _busy(self) -> set[str]:
        """Return the routines of which a run was begun, and is not over."""
        found = (self.runs.get(run_id) for run_id in self._tasks)
        return {run.routine for run in found if run is not None}

    def _enabled(self) -> list[Routine]:
        return [routine for routine in self.folder.routines.values() if routine.enabled]

    def _heed(self, routine: Routine, schedule: Schedule, now: datetime) -> datetime:
        """Have run what is due; return until when the schedule has been heeded."""
        said = f"{routine.schedule} {routine.timezone}"
        known = self._heeded.get(routine.name)
        if known is None or known[0] != said:
            # A schedule counts from when it is written: it is never late for what was before.
            self._heeded.remember(routine.name, said, now, self.folder.routines)
            return now
        decision = decide(routine, schedule, known[1], now)
        if decision.due is not None and self.runs.for_instant(routine.name, decision.due) is None:
            self.runs.new(routine.name, "schedule", decision.due, now)
        if decision.skipped is not None and self.runs.for_instant(routine.name, decision.skipped) is None:
            run = self.runs.new(routine.name, "schedule", decision.skipped, now)
            self._finish(replace(run, state="skipped", why=f"It was not run: {decision.why}."), now)
        if decision.heeded != known[1]:
            self._heeded.remember(routine.name, said, decision.heeded, self.folder.routines)
        return decision.heeded

    def _resume(self, run: Run, now: datetime) -> None:
        """Make a run again that a kill broke off, or say that it was."""
        routine = self.folder.routines.get(run.routine)
        if run.state == "waiting" and routine is not None:
            return
        if routine is None or run.tries > routine.retries:
            self._finish(replace(run, state="failed", why="It was broken off, and is not made again."), now)
            return
        waiting = replace(run, state="waiting", at=run.started or run.at)
        if said := outdated(routine, run.cause, waiting.at, now):
            self._finish(replace(run, state="skipped", why=said), now)
            return
        self.runs.keep(replace(waiting, at=now, why="It was broken off, and is made again."))

    # What happens.

    def trigger(self, name: str, payload: Mapping[str, Any] | None = None, cause: str = "person") -> str:
        """Run a routine now; return the run's id.

        Raises NotFound, UsageError where it is wrong, and Overloaded where too many of its runs wait.
        """
        self.look()
        now = self._now()
        routine = self.routine(name)
        if sum(run.routine == routine.name for run in self.runs.open()) >= MAX_WAITING:
            raise Overloaded(
                f"{MAX_WAITING} runs of {name} wait already.", hint="Try again when they are over."
            )
        run = self.runs.new(routine.name, cause, now, now, dict(payload or {}))
        self._awake.set()
        return run.id

    def routine(self, name: str) -> Routine:
        """Return a routine by its name. Raises NotFound, and UsageError for one that is wrong."""
        if (found := self.folder.routines.get(name)) is not None:
            return found
        path = f"{self.folder.folder}/{name}.md"
        if wrong := [each for each in self.folder.wrong if each.path == path]:
            first = wrong[0]
            raise UsageError(
                f"The routine {name} is wrong in line {first.line}: {first.message}", hint=first.hint
            )
        raise NotFound(f"There is no routine {name!r}.", hint="`pai routine list` shows them.")

    async def dry_run(self, name: str) -> Run:
        """Return what a run would do; nothing is written, and nothing counts as read."""
        self.look()
        routine, now = self.routine(name), self._now()
        run = Run("dry", name, "person", now, now, "running", 1, now)
        async with self._slots:
            try:
                outcome = await self._runner.run(routine, run, dry=True)
            except TimeoutError as error:
                raise GeneratorUnavailable(why(error, routine)) from error
        return replace(run, state="done", ended=self._now(), trace=outcome.trace)

    def hosts(self, routine: Routine) -> tuple[str, ...]:
        """Return the hosts that a routine may ask."""
        found = hosts_of_routine(routine)
        return tuple(f"{host.name}:{host.port}" if host.port else host.name for host in found)

    def note_changed(self, path: str, change: NoteChange, tags: frozenset[str] = frozenset()) -> None:
        """Hear that a note was created, changed or removed; what a routine wrote is not told here."""
        for routine in self._enabled():
            for trigger in routine.triggers:
                if self._is_meant(trigger, path, change, tags):
                    self._wait(routine, trigger.cause, self._now(), trigger.debounce_s, path)

    def _is_meant(self, trigger: Trigger, path: str, change: NoteChange, tags: frozenset[str]) -> bool:
        if change == REMOVED or trigger.change not in ("any", change):
            return False
        if trigger.cause == "tag":
            wanted = trigger.what.casefold()
            return any(tag == wanted or tag.startswith(f"{wanted}/") for tag in tags)
        if trigger.cause != "note" or path.startswith(f"{self.folder.folder}/"):
            return False
        if trigger.what not in self._places:
            pattern = f"/{trigger.what.lstrip('/')}"
            self._places[trigger.what] = pathspec.PathSpec.from_lines("gitignore", [pattern])
        return self._places[trigger.what].match_file(path)

    def _wait(self, routine: Routine, cause: str, now: datetime, debounce_s: float, what: str = "") -> None:
        """Run a routine when it has been quiet for so long."""
        at = now + timedelta(seconds=debounce_s)
        for run in self.runs.of(routine.name):
            if run.state == "waiting" and run.cause == cause and run.tries == 0:
                seen = run.payload.get("paths", [])
                if what and what not in seen and len(seen) < 100:
                    seen.append(what)
                self.runs.later(run, min(at, run.due + timedelta(seconds=PATIENCE * debounce_s)))
                return
        self.runs.new(routine.name, cause, now, at, {"paths": [what]} if what else None)
        self._awake.set()

    # A run.

    def cancel(self, run_id: str) -> Run:
        """Break a run off, for good. Raises NotFound, and UsageError for one that is over or that writes."""
        run = self.run(run_id)
        if not run.is_open:
            raise UsageError(f"The run {run_id} is {run.state}.")
        if run_id in self._runner.writing:
            raise UsageError(
                f"The run {run_id} writes by now.", hint="What it wrote is taken back by `pai action undo`."
            )
        run = self._finish(replace(run, state="cancelled", why="It was cancelled."), self._now())
        if (task := self._tasks.get(run_id)) is not None:
            task.cancel()
        return run

    def run(self, run_id: str) -> Run:
        """Return a run by its id. Raises NotFound."""
        if (found := self.runs.whole(run_id)) is None:
            raise NotFound(f"There is no run {run_id!r}.", hint="`pai routine history` shows them.")
        return found

    def _begin(self, run: Run) -> None:
        task = asyncio.create_task(self._make(run))
        self._tasks[run.id] = task
        task.add_done_callback(lambda _: self._ended(run.id))

    def _ended(self, run_id: str) -> None:
        self._tasks.pop(run_id, None)
        self._awake.set()
        if (waiting := self._awaited.pop(run_id, None)) is not None:
            waiting.set()

    async def over(self, run_id: str) -> Run:
        """Return a run once it is over, or has failed and waits to be tried again."""
        while (run := self.run(run_id)).state == "running" or (run.state == "waiting" and not run.tries):
            await self._awaited.setdefault(run_id, asyncio.Event()).wait()
        return run

    async def _make(self, run: Run) -> None:
        async with self._slots:
            now = self._now()
            try:
                routine = self.routine(run.routine)
            except PaiError as error:
                self._finish(replace(run, state="failed", why=error.detail), now)
                return
            try:
                run = self.runs.keep(replace(run, state="running", tries=run.tries + 1, started=now, why=""))
            except PaiError as error:  # a full disk: what is not written down is not begun
                log.warning("the run %s waits: %s", run.id, error.detail)
                self.runs.later(run, now + timedelta(seconds=RETRY_S))
                return
            self._publish(run)
            try:
                outcome = await self._runner.run(routine, run)
            except Exception as error:
                self._failed(run, routine, error)
                return
            ids = tuple(record.id for record in outcome.records)
            waits = sum(record.state == "proposed" for record in outcome.records)
            said = f"{waits} waiting for your approval" if waits else ""
            self._finish(replace(run, state="done", actions=ids, trace=outcome.trace, why=said), self._now())

    def _failed(self, run: Run, routine: Routine, error: Exception) -> None:
        now = self._now()
        if not isinstance(error, PaiError | TimeoutError):
            log.error("the routine %s failed", routine.name, exc_info=error)
        if isinstance(error, MAY_PASS) and run.tries <= routine.retries:
            again = now + timedelta(seconds=RETRY_S * 5 ** (run.tries - 1))
            said = f"{why(error, routine)} It is tried again at {again.astimezone():%H:%M}."
            with contextlib.suppress(PaiError):
                self._publish(self.runs.keep(replace(run, state="waiting", at=again, why=said)))
            return
        self._finish(replace(run, state="failed", why=why(error, routine)), now)

    def _finish(self, run: Run, now: datetime) -> Run:
        run = replace(run, ended=now)
        try:
            self.runs.keep(run)
        except PaiError as error:  # a full disk: it is told at least
            log.warning("the run %s could not be written down: %s", run.id, error.detail)
            self.runs.hold(run)
        self._publish(run)
        if (waiting := self._awaited.get(run.id)) is not None:
            waiting.set()
        return run
