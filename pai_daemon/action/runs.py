"""The runs of routines: what is due, under way and done, each in a file of its own with all that it did.

A run is written down before it begins: so it is made once, also when the daemon is killed in its midst.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pai_daemon.config import write_private

RunState = Literal["waiting", "running", "done", "failed", "skipped", "cancelled"]
OPEN: tuple[RunState, ...] = ("waiting", "running")
KEPT = 40


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a routine.

    cause: schedule, person, note, tag, webhook or start. due: when it was to be made; at: when it is
    made, or made again. tries: how often it was begun. why: what went wrong, or why it was skipped. actions:
    ids of what it wrote or proposed. trace: inputs, prompt, text, generator, tokens, diff, warnings, took_ms.
    """

    id: str
    routine: str
    cause: str
    due: datetime
    at: datetime
    state: RunState = "waiting"
    tries: int = 0
    started: datetime | None = None
    ended: datetime | None = None
    why: str = ""
    actions: tuple[str, ...] = ()
    trace: dict[str, Any] = field(default_factory=dict)
    payload: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Return whether it is still to be made, or under way."""
        return self.state in OPEN


class Runs:
    """The runs of one vault's routines, in memory and in a folder. For one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, Run] = {}
        self._of: dict[str, list[str]] = {}
        self._open: dict[str, None] = {}
        for file in sorted(folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                self._take(_read(json.loads(file.read_text("utf-8"))))

    def new(
        self, routine: str, cause: str, due: datetime, at: datetime, payload: dict[str, Any] | None = None
    ) -> Run:
        """Return a run that is written down, and waits."""
        # The name orders the files of a folder by time.
        run_id = f"{due.astimezone().strftime('%Y%m%d%H%M')}-{secrets.token_hex(4)}"
        return self.keep(Run(run_id, routine, cause, due, at, payload=payload or {}))

    def keep(self, run: Run) -> Run:
        """Write a run down as it is now. Raises UsageError where it cannot be."""
        write_private(self._folder / f"{run.id}.json", json.dumps(_written(run), ensure_ascii=False))
        self._take(run)
        return run

    def hold(self, run: Run) -> None:
        """Know a run as it is now, in this process alone: of what could not be written down."""
        self._take(run)

    def later(self, run: Run, at: datetime) -> Run:
        """Let a run that waits wait until then; known to this process alone, as it costs no write."""
        self._runs[run.id] = waiting = replace(run, at=at)
        return waiting

    def get(self, run_id: str) -> Run | None:
        """Return a run by its id, one that is over without its trace."""
        return self._runs.get(run_id)

    def whole(self, run_id: str) -> Run | None:
        """Return a run by its id with its trace, which of one that is over is read from its file."""
        if (found := self._runs.get(run_id)) is None or found.is_open:
            return found
        try:
            read = _read(json.loads((self._folder / f"{run_id}.json").read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return found
        return found if read.is_open else read

    def of(self, routine: str, limit: int = KEPT) -> list[Run]:
        """Return the runs of a routine, the latest first; those that are over without their traces."""
        return [self._runs[run_id] for run_id in reversed(self._of.get(routine, ()))][:limit]

    def latest(self, limit: int = KEPT) -> list[Run]:
        """Return the runs of all routines, the latest first."""
        return sorted(self._runs.values(), key=lambda run: (run.started or run.at, run.id), reverse=True)[
            :limit
        ]

    def open(self) -> Iterator[Run]:
        """Yield the runs that are to be made or under way."""
        return (self._runs[run_id] for run_id in list(self._open) if run_id in self._open)

    def for_instant(self, routine: str, due: datetime) -> Run | None:
        """Return the run that a schedule caused at an instant, if there is one."""
        return next((run for run in self.of(routine) if run.cause == "schedule" and run.due == due), None)

    def _take(self, run: Run) -> None:
        if run.id not in self._runs:
            ids = self._of.setdefault(run.routine, [])
            ids.append(run.id)
            for old in [each for each in ids[:-KEPT] if not self._runs[each].is_open]:
                ids.remove(old)
                del self._runs[old]
                self._open.pop(old, None)
                (self._folder / f"{old}.json").unlink(missing_ok=True)
        if run.is_open:
            self._open[run.id] = None
            self._runs[run.id] = run
        else:
            self._open.pop(run.id, None)
            # Traces hold texts: of hundreds of routines they would fill the memory.
            self._runs[run.id] = replace(run, trace={}, payload={})


def _written(run: Run) -> dict[str, Any]:
    values = {each.name: getattr(run, each.name) for each in fields(run)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }


def _read(entry: dict[str, Any]) -> Run:
    moments = {
        name: datetime.fromisoformat(entry[name]) if entry[name] else None
        for name in ("due", "at", "started", "ended")
    }
    if entry["state"] not in get_args(RunState):
        raise ValueError(entry["state"])
    return Run(**entry | moments | {"actions": tuple(entry["actions"])})
