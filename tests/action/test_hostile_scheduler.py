"""The loop neither spins nor starves, whatever waits, fails or comes late."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.action.runs import Runs
from pai_daemon.action.schedule import Schedule
from pai_daemon.context.changes import CHANGED, CREATED
from pai_daemon.errors import GeneratorUnavailable, Overloaded, UsageError
from tests.action.test_scheduler import NEWS, START, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return an empty stage."""
    return Stage(tmp_path)


def _counted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each look at the clock."""
    ticks: list[int] = []
    real = stage.scheduler.tick

    def tick() -> None:
        ticks.append(1)
        real()

    monkeypatch.setattr(stage.scheduler, "tick", tick)
    return ticks


async def test_run_that_waits_for_the_one_before_lets_the_loop_rest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second call of a routine under way costs no look at the clock until the first is over."""
    stage.routine("Slow", "on: webhook")
    goes_on = asyncio.Event()
    stage.made.do = lambda _: goes_on.wait()
    stage.scheduler.start()
    ticks = _counted(stage, monkeypatch)
    for _ in range(2):
        stage.scheduler.trigger("Slow")
    await asyncio.sleep(0.3)
    assert len(ticks) < 10
    goes_on.set()
    await asyncio.sleep(0.1)
    await stage.scheduler.stop()
    assert len(stage.made.runs) == 2


async def test_full_disk_lets_the_loop_rest_and_other_routines_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written down is looked at again later, not a thousand times a second."""
    stage.routine("Ill", "on: webhook")
    stage.routine("Well", "on: webhook")
    stage.scheduler.start()
    real = Runs.keep

    def keep(self: Runs, run: Any) -> Any:
        if run.routine == "Ill" and run.state != "waiting":
            raise UsageError("The file cannot be written: no space.")
        return real(self, run)

    monkeypatch.setattr(Runs, "keep", keep)
    ticks = _counted(stage, monkeypatch)
    stage.scheduler.trigger("Ill")
    stage.scheduler.trigger("Well")
    await asyncio.sleep(0.3)
    await stage.scheduler.stop()
    assert [run.routine for run in stage.made.runs] == ["Well"]
    assert len(ticks) < 20


async def test_schedule_whose_run_cannot_be_written_down_stops_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others run on time, and it runs once there is room."""
    for name in ("A", "B"):
        stage.routine(name, NEWS)
    await stage.at(START)
    real = Runs.keep

    def keep(self: Runs, run: Any) -> Any:
        if run.routine == "A":
            raise UsageError("The file cannot be written: no space.")
        return real(self, run)

    with monkeypatch.context() as full:
        full.setattr(Runs, "keep", keep)
        await stage.at(START.replace(hour=6, minute=31))
        assert [run.routine for run in stage.made.runs] == ["B"]
    await stage.at(START.replace(hour=6, minute=32))
    assert [run.routine for run in stage.made.runs] == ["B", "A"]


async def test_note_that_is_saved_without_a_pause_runs_its_routine_all_the_same(stage: Stage) -> None:
    """Quiet is waited for ten times as long as it is to be, and no longer."""
    stage.routine("Tidy", "on: {note: 'Inbox/**', debounce: 30s}")
    await stage.at(START)
    for number in range(60):
        stage.scheduler.note_changed("Inbox/A.md", CHANGED)
        await stage.at(START + timedelta(seconds=10 * number))
    assert len(stage.made.runs) == 1


async def test_routine_that_is_switched_off_drops_what_waits(stage: Stage) -> None:
    """`enabled: false` holds for a run that was waiting already; a person may run it all the same."""
    stage.routine("Tidy", "on: {note: 'Inbox/**'}")
    await stage.at(START)
    stage.scheduler.note_changed("Inbox/A.md", CREATED)
    stage.routine("Tidy", "on: {note: 'Inbox/**'}\nenabled: false")
    await stage.at(START + timedelta(minutes=1))
    assert not stage.made.runs
    assert [run.state for run in stage.scheduler.runs.of("Tidy")] == ["skipped"]
    stage.scheduler.trigger("Tidy")
    await stage.at(START + timedelta(minutes=2))
    assert len(stage.made.runs) == 1


async def test_run_that_was_broken_off_days_ago_is_not_made_again(stage: Stage) -> None:
    """Its grace holds for what a kill broke off too: old news would take the new ones' place."""
    stage.routine("News", NEWS)
    await stage.at(START)
    stage.made.do = lambda _: asyncio.Event().wait()
    stage.now = START.replace(hour=6, minute=30, second=5)
    stage.scheduler.tick()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(stage.made.runs) == 1
    stage.made.do = lambda _: None
    stage.now += timedelta(days=3)
    await stage.restart()
    await stage.at(stage.now)
    assert [run.due.day for run in stage.made.runs] == [1, 4]
    assert sorted(run.state for run in stage.scheduler.runs.of("News")) == ["done", "skipped"]


async def test_flood_of_messages_is_refused_before_it_fills_the_disk(stage: Stage) -> None:
    """So many runs of a routine may wait, and the next is told to come later."""
    stage.routine("Slow", "on: webhook")
    for _ in range(50):
        stage.scheduler.trigger("Slow", {"a": "b"}, "webhook")
    with pytest.raises(Overloaded):
        stage.scheduler.trigger("Slow", {"a": "b"}, "webhook")
    assert len(list(stage.scheduler.runs.open())) <= 50


async def test_look_at_the_clock_asks_no_schedule_that_is_not_due(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Working out instants costs milliseconds a routine; it is done when one has come, not at each look."""
    stage.routine("News", NEWS)
    await stage.at(START)
    asked: list[Any] = []
    real = Schedule.latest

    def counted(schedule: Schedule, *moments: Any) -> Any:
        asked.append(moments)
        return real(schedule, *moments)

    monkeypatch.setattr(Schedule, "latest", counted)
    for minute in range(1, 50):
        await stage.at(START + timedelta(minutes=minute))
    assert not asked
    await stage.at(START.replace(hour=6, minute=30))
    assert len(stage.made.runs) == 1


async def test_traces_of_runs_that_are_over_are_not_held_in_memory(stage: Stage) -> None:
    """A run's trace is read from its file when it is asked for."""
    stage.routine("A", "on: webhook")
    run_id = stage.scheduler.trigger("A")
    await stage.at(START)
    assert stage.scheduler.runs.get(run_id).trace == {}  # type: ignore[union-attr]
    assert stage.scheduler.run(run_id).trace["routine"] == "A"


async def test_notes_that_were_waited_with_are_known_after_a_stop(stage: Stage) -> None:
    """All paths of a run that waits are written down when the daemon stops."""
    stage.routine("Tidy", "on: {note: 'Inbox/**'}")
    await stage.at(START)
    for name in "ABC":
        stage.scheduler.note_changed(f"Inbox/{name}.md", CREATED)
    await stage.scheduler.stop()
    await stage.restart()
    await stage.at(START + timedelta(minutes=1))
    assert stage.made.runs[0].payload["paths"] == [f"Inbox/{name}.md" for name in "ABC"]


async def test_trial_that_takes_too_long_says_so(stage: Stage) -> None:
    """A dry run beyond the limit of its time is told as such, not as an error of the daemon."""
    stage.routine("Slow", "on: webhook")

    def late(_: Any) -> None:
        raise TimeoutError

    stage.made.do = late
    stage.scheduler.look()
    with pytest.raises(GeneratorUnavailable, match="longer than 120 s"):
        await stage.scheduler.dry_run("Slow")


async def test_machine_that_travels_takes_its_schedules_along(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A schedule without a time zone is of this machine's, as it is set now."""
    stage.routine("News", "schedule: daily at 7:30")
    try:
        found = []
        for zone in ("UTC", "XYZ-9"):
            monkeypatch.setenv("TZ", zone)
            if zone == "UTC":
                time.tzset()
            await stage.at(START)
            coming = stage.scheduler.next(stage.scheduler.routine("News"))
            assert coming is not None
            found.append(coming.astimezone(UTC).hour)
        assert found == [7, 22]
    finally:
        monkeypatch.undo()
        time.tzset()
