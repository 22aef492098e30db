"""Each due run is made exactly once, whatever clock, sleep, kill and routine do."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pai_daemon.action.folder import RoutineFolder
from pai_daemon.action.routine import Routine
from pai_daemon.action.runner import Outcome
from pai_daemon.action.runs import Run
from pai_daemon.action.schedule import read_schedule
from pai_daemon.action.scheduler import Scheduler
from pai_daemon.errors import GeneratorUnavailable, NotFound, UsageError

START = datetime(2026, 1, 1, 5, 0, tzinfo=UTC)


class Made:
    """Stands for the runner: it notes what is run, and does with it as it is told."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.do: Callable[[Run], Any] = lambda _: None
        self.writing: set[str] = set()

    async def run(self, routine: Routine, run: Run, *, dry: bool = False) -> Outcome:
        """Note the run."""
        self.runs.append(run)
        found = self.do(run)
        if asyncio.iscoroutine(found):
            await found
        return Outcome(trace={"dry": dry, "routine": routine.name})


class Stage:
    """A vault with routines, a clock that is set by hand, and a scheduler that can be started anew."""

    def __init__(self, folder: Path) -> None:
        self.vault, self.data = folder / "vault", folder / "data"
        (self.vault / "Routines").mkdir(parents=True)
        self.now = START
        self.made = Made()
        self.told: list[Run] = []
        self.scheduler = self.open()

    def open(self) -> Scheduler:
        """Return a scheduler as a new process has it; its loop is not begun, the clock is ours."""
        folder = RoutineFolder(self.vault, "Routines")
        self.scheduler = Scheduler(
            folder,
            self.made,  # type: ignore[arg-type]
            self.data,
            publish=self.told.append,
            now=lambda: self.now,
        )
        return self.scheduler

    async def restart(self) -> None:
        """Open it anew, as after a kill: what was broken off is taken up."""
        for task in self.scheduler._tasks.values():
            task.cancel()
        await asyncio.sleep(0)
        self.open().start()
        assert self.scheduler._loop_task is not None
        self.scheduler._loop_task.cancel()
        await asyncio.sleep(0)

    def routine(self, name: str, head: str, body: str = "Do it.") -> None:
        """Write a routine's note."""
        path = self.vault / "Routines" / f"{name}.md"
        path.write_text(f"---\n{head}\n---\n{body}\n", "utf-8")

    async def at(self, now: datetime) -> None:
        """Set the clock, and let it be looked at until all runs that are due are over."""
        self.now = now
        for _ in range(20):
            self.scheduler.tick()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if not self.scheduler._tasks:
                break

    @property
    def dues(self) -> list[str]:
        """Return when the runs that were made were due."""
        return [f"{run.due.astimezone(ZoneInfo('Europe/Berlin')):%m-%d %H:%M}" for run in self.made.runs]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return an empty stage."""
    return Stage(tmp_path)


NEWS = "schedule: daily at 7:30\ntimezone: Europe/Berlin"


async def test_each_due_run_of_a_year_is_made_exactly_once(stage: Stage) -> None:
    """Over a year with two changes of the clock, sleeps of days and restarts, in two time zones."""
    heads = {
        "daily": "schedule: daily at 2:30\ntimezone: Europe/Berlin\ngrace: 6h",
        "weekdays": "schedule: every weekday at 07:30\ntimezone: America/New_York",
        "hours": "schedule: every 3 hours\ntimezone: Europe/Berlin\non_missed: skip",
        "monthly": "schedule: first monday of the month at 9\ntimezone: Europe/Berlin\ngrace: 3d",
    }
    for name, head in heads.items():
        stage.routine(name, head)
    zones = {name: ZoneInfo(head.split("timezone: ")[1].split("\n")[0]) for name, head in heads.items()}
    schedules = {
        n: read_schedule(h.split("\n")[0].removeprefix("schedule: "), zones[n]) for n, h in heads.items()
    }
    grace = {"daily": 6 * 3600, "weekdays": 4 * 3600, "hours": 120, "monthly": 3 * 86_400}
    expected: Counter[tuple[str, datetime]] = Counter()
    chance = random.Random(7)
    await stage.at(START)
    seen = dict.fromkeys(heads, START)
    while stage.now < START + timedelta(days=366):
        due = min(schedule.after(stage.now) for schedule in schedules.values())
        fate = chance.random()
        now = due + timedelta(seconds=chance.uniform(0, 29))
        if fate > 0.96:
            now = stage.now + timedelta(hours=chance.uniform(1, 70))
        if fate < 0.03:
            await stage.restart()
        await stage.at(now)
        for name, schedule in schedules.items():
            instants, moment = [], schedule.after(seen[name])
            while moment <= now:
                instants.append(moment)
                moment = schedule.after(moment)
            if instants and (now - instants[-1]).total_seconds() <= grace[name]:
                expected[name, instants[-1]] += 1
            seen[name] = now
    made = Counter((run.routine, run.due) for run in stage.made.runs)
    assert set(made.values()) == {1}
    assert made == expected
    assert len(made) > 2000


async def test_machine_that_slept_makes_the_last_missed_run_once(stage: Stage) -> None:
    """Three mornings in one sleep are one run, and what was too late is written down as skipped."""
    stage.routine("news", NEWS)
    await stage.at(START)
    await stage.at(datetime(2026, 1, 4, 8, 0, tzinfo=UTC))  # 9:00 in Berlin
    assert stage.dues == ["01-04 07:30"]
    await stage.at(datetime(2026, 1, 6, 18, 0, tzinfo=UTC))
    assert stage.dues == ["01-04 07:30"]
    skipped = stage.scheduler.runs.of("news")[0]
    assert (skipped.state, "missed by 12 h" in skipped.why) == ("skipped", True)


async def test_clock_that_is_put_back_makes_no_run_twice(stage: Stage) -> None:
    """An hour back repeats nothing; a clock that was years ahead does not silence a routine."""
    stage.routine("news", NEWS)
    await stage.at(START)
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    await stage.at(datetime(2026, 1, 1, 6, 0, tzinfo=UTC))
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    assert stage.dues == ["01-01 07:30"]
    await stage.at(datetime(2031, 5, 1, 6, 31, tzinfo=UTC))
    await stage.at(datetime(2026, 1, 1, 7, 0, tzinfo=UTC))
    await stage.at(datetime(2026, 1, 2, 6, 31, tzinfo=UTC))
    assert stage.dues == ["01-01 07:30", "05-01 07:30", "01-02 07:30"]


async def test_schedule_that_is_written_or_changed_is_not_late_for_what_was_before(stage: Stage) -> None:
    """A routine that is added at noon is not run for the morning."""
    await stage.at(START + timedelta(hours=7))
    stage.routine("news", NEWS)
    await stage.at(START + timedelta(hours=7, minutes=1))
    stage.routine("news", NEWS.replace("7:30", "6:00"))
    await stage.at(START + timedelta(hours=7, minutes=2))
    assert stage.dues == []
    await stage.at(START + timedelta(days=1))
    assert stage.dues == ["01-02 06:00"]


async def test_wrong_routine_never_runs_and_says_at_which_line(stage: Stage) -> None:
    """It is told with its line, others run, and mended it runs."""
    stage.routine("wrong", NEWS.replace("daily", "dayly"))
    stage.routine("right", NEWS)
    await stage.at(START)
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    assert [run.routine for run in stage.made.runs] == ["right"]
    assert [(each.path, each.line) for each in stage.scheduler.folder.wrong] == [("Routines/wrong.md", 2)]
    with pytest.raises(UsageError, match="line 2"):
        stage.scheduler.trigger("wrong")
    with pytest.raises(NotFound):
        stage.scheduler.trigger("nobody")
    stage.routine("wrong", NEWS)
    await stage.at(datetime(2026, 1, 1, 6, 32, tzinfo=UTC))
    await stage.at(datetime(2026, 1, 2, 6, 31, tzinfo=UTC))
    assert [run.routine for run in stage.made.runs] == ["right", "right", "wrong"]


async def test_kill_in_the_midst_of_a_run_makes_it_again_and_not_for_ever(stage: Stage) -> None:
    """It is taken up at the next start, as often as it may be tried, then reported."""
    stage.routine("news", f"{NEWS}\nretries: 1")
    await stage.at(START)
    stage.made.do = lambda _: asyncio.sleep(3600)
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    run_id = stage.scheduler.runs.of("news")[0].id
    for tries in (1, 2):
        assert [run.tries for run in stage.made.runs] == list(range(1, tries + 1))
        await stage.restart()
        await stage.at(stage.now + timedelta(minutes=1))
    assert len(stage.made.runs) == 2
    run = stage.scheduler.run(run_id)
    assert (run.state, run.why) == ("failed", "It was broken off, and is not made again.")


async def test_kill_before_the_schedule_counts_as_heeded_makes_the_run_once(stage: Stage) -> None:
    """A run that is written down is known again by the instant that it was due."""
    stage.routine("news", NEWS)
    await stage.at(START)
    state = (stage.data / "schedule.json").read_bytes()
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    (stage.data / "schedule.json").write_bytes(state)
    await stage.restart()
    await stage.at(datetime(2026, 1, 1, 6, 32, tzinfo=UTC))
    assert stage.dues == ["01-01 07:30"]


async def test_failure_that_may_pass_is_tried_again_ever_later(stage: Stage) -> None:
    """A server that is away is asked after one and after five minutes; then the run has failed."""
    stage.routine("news", NEWS)
    await stage.at(START)

    def away(_: Run) -> None:
        raise GeneratorUnavailable("Ollama is away.")

    stage.made.do = away
    moment = datetime(2026, 1, 1, 6, 31, tzinfo=UTC)
    for minutes, tries in ((0, 1), (0.5, 1), (1.1, 2), (5, 2), (6.2, 3), (60, 3)):
        await stage.at(moment + timedelta(minutes=minutes))
        assert len(stage.made.runs) == tries, minutes
    run = stage.scheduler.runs.of("news")[0]
    assert (run.state, run.why) == ("failed", "Ollama is away.")


async def test_failure_that_will_not_pass_is_told_at_once(stage: Stage) -> None:
    """What makes no sense makes none a minute later."""
    stage.routine("news", NEWS)
    await stage.at(START)

    def wrong(_: Run) -> None:
        raise UsageError("The note has no such heading.")

    stage.made.do = wrong
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    assert stage.scheduler.runs.of("news")[0].why == "The note has no such heading."
    assert [run.state for run in stage.told] == ["running", "failed"]


async def test_routine_never_runs_beside_itself(stage: Stage) -> None:
    """What is due while it runs is run once, after it."""
    stage.routine("often", "schedule: every 15 minutes")
    await stage.at(START)
    gate = asyncio.Event()
    stage.made.do = lambda _: gate.wait()
    for minutes in (16, 31, 46, 50):
        await stage.at(START + timedelta(minutes=minutes))
    stage.scheduler.trigger("often")
    await stage.at(START + timedelta(minutes=51))
    assert len(stage.made.runs) == 1
    gate.set()
    for minutes in (52, 53, 54):
        await stage.at(START + timedelta(minutes=minutes))
    assert [run.cause for run in stage.made.runs[1:]] in (["person", "schedule"], ["schedule", "person"])


async def test_notes_that_change_are_waited_for_until_it_is_quiet(stage: Stage) -> None:
    """A storm of saves is one run, which is told of all notes; routines and removals cause none."""
    stage.routine("inbox", "on:\n  - note: Inbox/**\n    change: created\n    debounce: 30s")
    stage.routine("tagged", "on:\n  - tag: idea\n    debounce: 30s")
    await stage.at(START)
    for second in range(0, 25, 5):
        stage.now = START + timedelta(seconds=second)
        stage.scheduler.note_changed(f"Inbox/{second}.md", "created")
        stage.scheduler.note_changed(f"Inbox/{second}.md", "changed")
    stage.scheduler.note_changed("Elsewhere.md", "created", frozenset({"idea/small"}))
    stage.scheduler.note_changed("Inbox/gone.md", "removed")
    await stage.at(START + timedelta(seconds=45))
    assert stage.made.runs == []
    await stage.at(START + timedelta(seconds=55))
    assert {run.routine: run.payload["paths"] for run in stage.made.runs} == {
        "inbox": [f"Inbox/{second}.md" for second in range(0, 25, 5)],
        "tagged": ["Elsewhere.md"],
    }


async def test_run_that_is_cancelled_ends_and_is_not_made_again(stage: Stage) -> None:
    """It ends at once, also after a restart; what is over cannot be cancelled."""
    stage.routine("news", NEWS)
    await stage.at(START)
    stage.made.do = lambda _: asyncio.sleep(3600)
    run_id = stage.scheduler.trigger("news")
    await stage.at(START + timedelta(seconds=1))
    stage.scheduler.cancel(run_id)
    await asyncio.sleep(0.01)
    assert not stage.scheduler._tasks
    await stage.restart()
    await stage.at(START + timedelta(minutes=1))
    assert stage.scheduler.run(run_id).state == "cancelled"
    assert len(stage.made.runs) == 1
    with pytest.raises(UsageError):
        stage.scheduler.cancel(run_id)


async def test_run_that_writes_by_now_is_not_cancelled(stage: Stage) -> None:
    """What is being written is not told as not done."""
    stage.routine("news", NEWS)
    await stage.at(START)
    ends = asyncio.Event()
    stage.made.do = lambda _: ends.wait()
    run_id = stage.scheduler.trigger("news")
    await stage.at(START + timedelta(seconds=1))
    stage.made.writing.add(run_id)
    with pytest.raises(UsageError, match="writes by now"):
        stage.scheduler.cancel(run_id)
    ends.set()
    assert (await stage.scheduler.over(run_id)).state == "done"


async def test_routine_that_is_switched_off_is_not_run(stage: Stage) -> None:
    """Its schedule and its events rest; by hand it runs."""
    stage.routine("news", f"{NEWS}\nenabled: false\non: start")
    await stage.restart()
    await stage.at(START)
    await stage.at(datetime(2026, 1, 1, 6, 31, tzinfo=UTC))
    assert stage.made.runs == []
    stage.scheduler.trigger("news")
    await stage.at(stage.now)
    assert [run.cause for run in stage.made.runs] == ["person"]


async def test_loop_runs_what_is_due_by_itself_and_rests_between(tmp_path: Path) -> None:
    """With the real clock: a run by hand begins at once, and idle it looks twice a minute."""
    stage = Stage(tmp_path)
    stage.routine("news", NEWS)
    folder = RoutineFolder(stage.vault, "Routines")
    scheduler = Scheduler(folder, stage.made, stage.data)  # type: ignore[arg-type]
    scheduler.start()
    ticks = []
    tick = scheduler.tick
    scheduler.tick = lambda: (ticks.append(1), tick())[1]  # type: ignore[method-assign, func-returns-value]
    made = asyncio.Event()
    stage.made.do = lambda _: made.set()
    scheduler.trigger("news")
    await asyncio.wait_for(made.wait(), 5)
    await asyncio.sleep(0.3)
    assert scheduler.runs.latest()[0].state == "done"
    assert len(ticks) < 6
    await scheduler.stop()
