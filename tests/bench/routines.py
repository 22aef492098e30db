"""Two hundred routines and 10,000 events an hour, an idle hour, and kills in the midst of runs.

Lag is the time from when a run is to be made until it begins. Kills hit a process that makes one run after
another, while a person writes into the same note.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from pai_daemon.action.actions import Actions
from pai_daemon.action.audit import AuditLog
from pai_daemon.action.folder import RoutineFolder
from pai_daemon.action.material import Material, Written
from pai_daemon.action.routine import Routine
from pai_daemon.action.runner import Outcome, Runner
from pai_daemon.action.runs import Run, Runs
from pai_daemon.action.scheduler import Scheduler
from pai_daemon.context.changes import CHANGED
from pai_daemon.vault.shelf import Shelf
from tests.bench.report import ROOT, Row

ROUTINES = 200
EVENTS_AN_HOUR = 10_000
BUSY_S, QUICK_BUSY_S = 120.0, 15.0
IDLE_S, QUICK_IDLE_S = 60.0, 10.0
KILLS, QUICK_KILLS = 100, 10
LOOKS = 50
NOTE = "Log.md"
LIMIT_S = 60.0
SCHEDULES = ("every 1 minute", "daily at 7:30", "every weekday at 07:30", "first monday of the month at 9")


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return lags, the cost of a look and of rest, and what kills did; no model is asked."""
    del model
    found = asyncio.run(_busy(scratch / "busy", QUICK_BUSY_S if quick else BUSY_S))
    found += asyncio.run(_idle(scratch / "idle", QUICK_IDLE_S if quick else IDLE_S))
    return [*found, *_kills(scratch / "kills", QUICK_KILLS if quick else KILLS)]


class _Noting:
    """Stands for the runner: it notes when each run began, and is done."""

    def __init__(self, now: Any) -> None:
        self.lags_s: dict[str, list[float]] = {"schedule": [], "note": []}
        self._now = now

    async def run(self, routine: Routine, run: Run, *, dry: bool = False) -> Outcome:
        """Note how late a run is."""
        del routine, dry
        moment = run.due if run.cause == "schedule" else run.at
        self.lags_s[run.cause].append((self._now() - moment).total_seconds())
        return Outcome()


def _staged(folder: Path, now: Any, *, schedules: tuple[str, ...]) -> tuple[Scheduler, _Noting]:
    """Return a scheduler of a vault with so many routines."""
    routines = folder / "vault" / "Routines"
    routines.mkdir(parents=True)
    for number in range(ROUTINES):
        head = (
            f"schedule: {schedules[number % len(schedules)]}\non: {{note: 'Inbox/{number}/**', debounce: 1s}}"
        )
        (routines / f"R{number}.md").write_text(f"---\n{head}\n---\nDo it.\n", "utf-8")
    noting = _Noting(now)
    found = RoutineFolder(folder / "vault", "Routines")
    return Scheduler(found, noting, folder / "data", now=now), noting  # type: ignore[arg-type]


async def _busy(folder: Path, seconds: float) -> list[Row]:
    """Let notes change as often as they may, across at least one full minute."""
    real = datetime.now(UTC)
    # The minute at which a quarter of the routines is due comes five seconds from now.
    shift = real.replace(second=0, microsecond=0) + timedelta(seconds=55) - real
    scheduler, noting = _staged(folder, lambda: datetime.now(UTC) + shift, schedules=SCHEDULES)
    chance, stalls_s = random.Random(7), []
    scheduler.start()
    ends_s, next_s = time.monotonic() + seconds, time.monotonic()
    while (now_s := time.monotonic()) < ends_s:
        if now_s >= next_s:
            scheduler.note_changed(f"Inbox/{chance.randrange(ROUTINES)}/A.md", CHANGED)
            next_s += 3600 / EVENTS_AN_HOUR
        slept_s = time.monotonic()
        await asyncio.sleep(0.01)
        stalls_s.append(time.monotonic() - slept_s - 0.01)
    await scheduler.stop()
    rows = []
    for cause, lags_s in noting.lags_s.items():
        p95_s = quantiles(lags_s, n=20)[-1] if len(lags_s) > 1 else None
        what = (
            f"{ROUTINES} routines, {EVENTS_AN_HOUR:,} events an hour: lag p95 of {cause} ({len(lags_s)} runs)"
        )
        rows.append(Row(what, p95_s, "s", target="< 1", holds=p95_s is not None and p95_s < 1.0))
    return [*rows, Row("longest stall of the loop meanwhile", 1000 * max(stalls_s), "ms")]


async def _idle(folder: Path, seconds: float) -> list[Row]:
    """Let nothing be due and nothing happen."""
    scheduler, _ = _staged(folder, lambda: datetime.now(UTC), schedules=("0 9 29 2 *",))
    scheduler.start()
    await asyncio.sleep(1.0)
    used_s = time.process_time()
    await asyncio.sleep(seconds)
    share = 100 * (time.process_time() - used_s) / seconds
    looks_s = []
    for _ in range(LOOKS):
        started_s = time.perf_counter()
        scheduler.tick()
        looks_s.append(time.perf_counter() - started_s)
    await scheduler.stop()
    return [
        Row("CPU at rest", share, "%", target="< 1", holds=share < 1.0),
        Row(f"a look at {ROUTINES} routines", 1000 * median(looks_s), "ms"),
    ]


def _kills(folder: Path, kills: int) -> list[Row]:
    """Kill a process that makes runs, again and again, at any instant."""
    vault, data = folder / "vault", folder / "data"
    (vault / "Routines").mkdir(parents=True)
    (vault / "Routines" / "Log.md").write_text(
        f"---\nwrites: {{to: {NOTE}, as: section, heading: Log}}\ngrants: [{{append: {NOTE}}}]\n---\nLog.\n",
        "utf-8",
    )
    chance, lines, damaged, doubled = random.Random(13), ["# Log\n"], 0, 0
    note = vault / NOTE
    note.write_text("".join(lines), "utf-8")
    for number in range(kills):
        with _worker(vault, data) as worker:
            time.sleep(chance.uniform(0.0, 0.3))
            worker.kill()
        text = note.read_text("utf-8")
        doubled += text.count("^pai-log-") > 1
        damaged += any(line not in text for line in lines) or not text.endswith("\n")
        lines.append(f"A person wrote line {number}.\n")
        note.write_text(f"{text}\n{lines[-1]}", "utf-8")
    with _worker(vault, data) as worker:  # it is ready when nothing is open any more
        worker.kill()
    runs = Runs(data / "runs").latest(10 * kills)
    unknown = sum(run.state not in ("done", "failed", "waiting", "running") for run in runs)
    # The last worker went on to its next run before it was killed.
    left = max(0, len([run for run in runs if run.is_open]) - 1)
    return [
        Row(f"{kills} kills: notes damaged, lines lost", damaged, "notes", target="0", holds=not damaged),
        Row(f"{kills} kills: sections twice", doubled, "notes", target="0", holds=not doubled),
        Row("runs neither made nor reported", left + unknown, "runs", target="0", holds=not left + unknown),
    ]


class _Worker:
    """A process that makes runs until it is killed."""

    def __init__(self, vault: Path, data: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.routines", str(vault), str(data)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> _Worker:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if said != "ready\n":
            self.kill()
            raise RuntimeError(f"the process that makes runs said {said!r}")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""
        self._process.kill()
        self._process.wait(LIMIT_S)


def _worker(vault: Path, data: Path) -> _Worker:
    return _Worker(vault, data)


class _Parts:
    """Stands for what gathers and what composes: each run has another text."""

    async def gather(self, routine: Routine, due: datetime, payload: Mapping[str, Any]) -> Material:
        """Return nothing."""
        del routine, due, payload
        return Material()

    async def done(self, material: Material) -> None:
        """Hear that it was used."""

    async def compose(
        self, routine: Routine, material: Material, due: datetime, *, budget_s: float
    ) -> Written:
        """Return a text of some length that no other run has."""
        del routine, material, due, budget_s
        return Written("\n".join(f"- {time.time_ns()} {number}" for number in range(200)))


async def _make_runs(vault: Path, data: Path) -> None:
    """Make what a kill broke off, say so, and then one run after another."""
    actions = Actions(Shelf(vault, "", data / "undo"), AuditLog(data / "audit.jsonl"), sealed=("Routines",))
    runner = Runner(vault, _Parts(), _Parts(), actions)
    scheduler = Scheduler(RoutineFolder(vault, "Routines"), runner, data)
    scheduler.start()
    while list(scheduler.runs.open()):  # noqa: ASYNC110 - runs tell of their end to nobody else
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    while True:
        await scheduler.over(scheduler.trigger("Log"))


if __name__ == "__main__":
    asyncio.run(_make_runs(Path(sys.argv[1]), Path(sys.argv[2])))
