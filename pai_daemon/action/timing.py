"""When a routine's schedule is to be heeded: missed runs, clocks that jump, and none twice (D88). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pai_daemon.action.routine import Routine
from pai_daemon.action.schedule import Schedule

# A tick may be this late before a run counts as missed.
PUNCTUAL_S = 120.0
# A clock that is put back further than a time zone's change was wrong before.
SET_BACK = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a schedule at a moment. heeded: until when it has been. due: what is to be run now.

    skipped: an instant that is not run, and why.
    """

    heeded: datetime
    due: datetime | None = None
    skipped: datetime | None = None
    why: str = ""


def decide(routine: Routine, schedule: Schedule, heeded: datetime, now: datetime) -> Decision:
    """Return what is due now, once for all instants since the last one that was heeded.

    Of several that were missed, while the machine slept say, the latest is run, if it is not later than
    the routine's grace; or none, if the routine says so.
    """
    if heeded - now > SET_BACK:
        return Decision(now)
    latest = schedule.latest(now, heeded)
    if latest <= heeded:
        return Decision(heeded)
    late_s = (now - latest).total_seconds()
    if late_s > PUNCTUAL_S and routine.on_missed == "skip":
        return Decision(
            latest, skipped=latest, why="it was missed, and missed runs of this routine are skipped"
        )
    if late_s > max(routine.grace_s, PUNCTUAL_S):
        return Decision(latest, skipped=latest, why=f"it was missed by {told(late_s)}, more than its grace")
    return Decision(latest, due=latest)


def outdated(routine: Routine | None, cause: str, at: datetime, now: datetime) -> str:
    """Return why a run that was to be made at a moment is not made any more, "" for one that is."""
    if routine is None or cause == "person":
        return ""
    if not routine.enabled:
        return "The routine was switched off."
    late_s = (now - at).total_seconds()
    if cause == "schedule" and late_s > max(routine.grace_s, PUNCTUAL_S):
        return f"It was not run: it was missed by {told(late_s)}, more than its grace."
    return ""


def told(seconds: float) -> str:
    """Return a span of time as a person reads it."""
    if seconds < 5400:
        return f"{max(1, round(seconds / 60))} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
