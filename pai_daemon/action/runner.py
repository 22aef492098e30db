"""One run of a routine: material is gathered, a text composed, and written where the routine may write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pai_daemon.action.action import Action
from pai_daemon.action.actions import Actions, Record
from pai_daemon.action.material import Material, Written
from pai_daemon.action.planning import diff
from pai_daemon.action.routine import Routine
from pai_daemon.action.runs import Run
from pai_daemon.action.schedule import local_zone
from pai_daemon.errors import Forbidden, PaiError, UsageError
from pai_daemon.vault.daily import DailyNotes, filled, read_template

DAILY = "daily"
MAX_TRACE_CHARS = 20_000


class Gatherer(Protocol):
    """What fetches the material of a run."""

    async def gather(self, routine: Routine, due: datetime, payload: Mapping[str, Any]) -> Material:
        """Return the material. Raises PaiError where none of it can be had.

        payload: what came with the cause: `paths` of notes that changed, or what a webhook sent.
        """
        ...

    async def done(self, material: Material) -> None:
        """Hear that a run has made use of this material, so that it is old news from now on."""
        ...


class Composer(Protocol):
    """What makes a text of material."""

    async def compose(
        self, routine: Routine, material: Material, due: datetime, *, budget_s: float
    ) -> Written:
        """Return the text of a run; an empty one where there is nothing to say."""
        ...


@dataclass(slots=True)
class Outcome:
    """What a run did. diff: what it changed, or would change. records: of its actions."""

    diff: str = ""
    records: list[Record] = field(default_factory=list)
    trace: dict[str, Any] = field(default_factory=dict)


class Runner:
    """Makes the runs of one vault's routines. stays: whether a note at a path stays on this machine.

    writing: the ids of the runs that write by now. They go on to their end, also where they are cancelled:
    a thread that writes cannot be broken off, and what was written must not be told as not done.
    """

    def __init__(
        self,
        vault: Path,
        gatherer: Gatherer,
        composer: Composer,
        actions: Actions,
        *,
        stays: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._vault, self._stays = vault, stays
        self._gatherer, self._composer, self._actions = gatherer, composer, actions
        self.writing: set[str] = set()

    async def run(self, routine: Routine, run: Run, *, dry: bool = False) -> Outcome:
        """Make a run; dry: change nothing, and tell what would be. Raises PaiError, and TimeoutError late."""
        started_s = time.perf_counter()
        due = run.due.astimezone(ZoneInfo(routine.timezone) if routine.timezone else local_zone())
        outcome = Outcome()
        async with asyncio.timeout(routine.limits.time_s):
            material = await self._gatherer.gather(routine, due, run.payload)
            material = await asyncio.to_thread(self._without_own, routine, material)
            material = await asyncio.to_thread(self._that_may_be_written, routine, material, due)
            left_s = routine.limits.time_s - (time.perf_counter() - started_s)
            written = await self._composer.compose(routine, material, due, budget_s=left_s)
        actions = self._to_do(routine, written, due)
        outcome.trace = _trace(routine, material, written)
        if dry:
            await asyncio.to_thread(self._carry_out, routine, actions, run, outcome, dry)
        else:
            await self._write(routine, actions, run, outcome, material)
        outcome.trace |= {"diff": outcome.diff[:MAX_TRACE_CHARS]}
        outcome.trace |= {"took_ms": round((time.perf_counter() - started_s) * 1000, 1)}
        return outcome

    async def _write(
        self,
        routine: Routine,
        actions: list[tuple[Action, bool]],
        run: Run,
        outcome: Outcome,
        material: Material,
    ) -> None:
        """Carry these actions out, to the end."""

        async def written() -> None:
            await asyncio.to_thread(self._carry_out, routine, actions, run, outcome, dry=False)
            await self._gatherer.done(material)

        self.writing.add(run.id)
        work = asyncio.create_task(written())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await work  # the daemon stops: it waits so long
        finally:
            self.writing.discard(run.id)

    def _without_own(self, routine: Routine, material: Material) -> Material:
        """Return the material without the notes that the routine made: a review does not review itself."""
        by = _name(routine)
        own = {path for path in {piece.path for piece in material.pieces} if self._actions.is_own(path, by)}
        return replace(material, pieces=tuple(piece for piece in material.pieces if piece.path not in own))

    def _that_may_be_written(self, routine: Routine, material: Material, due: datetime) -> Material:
        """Return the material without what is local-only, where the note that is written is not (D15)."""
        if routine.writes.kind == "none" or self._stays(path := self._path(routine, due)):
            return material
        public = tuple(piece for piece in material.pieces if not piece.is_private)
        if not (kept := len(material.pieces) - len(public)):
            return material
        told = f"{kept} of the texts are local-only and were left out, since {path} is not."
        return replace(material, pieces=public, warnings=(*material.warnings, told))

    def _to_do(self, routine: Routine, written: Written, due: datetime) -> list[tuple[Action, bool]]:
        """Return the actions of a run, and for each whether it may be done without asking."""
        actions = [(action, False) for action in written.actions]
        writes, text = routine.writes, written.text.strip()
        if not text or writes.kind == "none":
            return actions
        title = routine.title
        path = self._path(routine, due)
        if writes.kind == "create":
            template = ""
            if writes.template:
                name = writes.template.removesuffix(".md")
                template = read_template(self._vault, self._vault / f"{name}.md")
            body = (
                _with_text(filled(template, due, Path(path).stem), text)
                if template
                else f"# {title}\n\n{text}"
            )
            return [(Action("create", path, body), True), *actions]
        own = Action("section", path, text, heading=writes.heading, section=routine.name, name=title)
        return [(own, writes.kind == "section"), *actions]

    def _path(self, routine: Routine, due: datetime) -> str:
        """Return the path of the note that a run writes to."""
        to = routine.writes.to or DAILY
        if to == DAILY:
            return DailyNotes.of(self._vault).path(due.date())
        path = filled(to, due, routine.title)
        return path if path.lower().endswith(".md") else f"{path}.md"

    def _carry_out(
        self, routine: Routine, actions: list[tuple[Action, bool]], run: Run, outcome: Outcome, dry: bool
    ) -> None:
        by = _name(routine)
        for action, is_own in actions:
            try:
                outcome.diff += diff(self._actions.preview(action, by))
                if dry:
                    continue
                if is_own:
                    outcome.records.append(self._apply(routine, action, by, outcome))
                else:
                    outcome.records.append(self._actions.propose(action, by=by, why=f"run {run.id}"))
            except UsageError as error:
                if is_own:
                    raise
                outcome.trace["warnings"] = [*outcome.trace["warnings"], error.detail]

    def _apply(self, routine: Routine, action: Action, by: str, outcome: Outcome) -> Record:
        try:
            return self._actions.apply(action, by=by, grants=routine.grants)
        except Forbidden as error:
            outcome.trace["warnings"] = [
                *outcome.trace["warnings"],
                f"{error.detail} It waits for your approval.",
            ]
            return self._actions.propose(action, by=by, why=error.detail)


def _name(routine: Routine) -> str:
    """Return as whom a routine acts."""
    return f"routine {routine.name}"


def _with_text(template: str, text: str) -> str:
    """Return a template with the text in the place of {{text}}, or at its end."""
    return template.replace("{{text}}", text) if "{{text}}" in template else f"{template.rstrip()}\n\n{text}"


def _trace(routine: Routine, material: Material, written: Written) -> dict[str, Any]:
    return {
        "inputs": [f"{each.kind}: {each.what}".removesuffix(": ") for each in routine.inputs],
        "pieces": len(material.pieces),
        "sources": list(dict.fromkeys(piece.link for piece in material.pieces if piece.link))[:50],
        "prompt": written.prompt[:MAX_TRACE_CHARS],
        "text": written.text[:MAX_TRACE_CHARS],
        "generator": written.generator,
        "tokens": written.tokens,
        "stages": list(written.stages),
        "warnings": [*material.warnings, *written.warnings],
    }


def why(error: BaseException, routine: Routine) -> str:
    """Return what went wrong, as a person reads it."""
    if isinstance(error, TimeoutError):
        return f"It took longer than {routine.limits.time_s:.0f} s, the limit of its time."
    if isinstance(error, PaiError):
        return f"{error.detail} {error.hint}".strip()
    return f"An error: {error!r}"
