"""Schedules: what people write, and when it is due over a year with its changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pai_daemon.action.schedule import read_schedule, read_zone
from pai_daemon.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("written", "crons"),
    [
        ("every weekday at 07:30", ("30 7 * * 1-5",)),
        ("jeden Werktag um 7:30", ("30 7 * * 1-5",)),
        ("daily at 7", ("0 7 * * *",)),
        ("täglich um 7 Uhr", ("0 7 * * *",)),
        ("täglich um 7 Uhr 45", ("45 7 * * *",)),
        ("every monday and thursday at 18:00", ("0 18 * * 1,4",)),
        ("montags, donnerstags um 18.00", ("0 18 * * 1,4",)),
        ("mondays at 9am and 5pm", ("0 9 * * 1", "0 17 * * 1")),
        ("every 2 hours", ("0 */2 * * *",)),
        ("alle 15 Minuten", ("*/15 * * * *",)),
        ("stündlich", ("0 * * * *",)),
        ("first monday of the month at 9", ("0 9 * * 1#1",)),
        ("letzten Freitag im Monat um 17 Uhr", ("0 17 * * 5L",)),
        ("last day of the month at 20:00", ("0 20 L * *",)),
        ("on the 15th of every month at noon", ("0 12 15 * *",)),
        ("am 1. jedes Monats um 9 Uhr", ("0 9 1 * *",)),
        ("every weekend at 10", ("0 10 * * 0,6",)),
        ("every morning", ("0 7 * * *",)),
        ("jeden Abend um 21 Uhr", ("0 21 * * *",)),
        ("every day at 12am", ("0 0 * * *",)),
        ("30 7 * * 1-5", ("30 7 * * 1-5",)),
    ],
)
def test_schedule_as_people_write_it_is_understood(written: str, crons: tuple[str, ...]) -> None:
    """English, German and cron say the same."""
    assert read_schedule(written, BERLIN).crons == crons


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("every wekday at 7", "Is it 'weekday'?"),
        ("daily", "at what time"),
        ("at 7", "which days"),
        ("daily at 25", "'25' is no time"),
        ("every 7 hours", "1, 2, 3, 4, 6, 8, 12"),
        ("61 * * * *", "Bad minute"),
        ("tomorrow at 7", "'tomorrow'"),
        ("", "which days"),
    ],
)
def test_schedule_that_is_none_says_what_is_wrong(written: str, told: str) -> None:
    """The word that is not understood is named, and the nearest one that is."""
    with pytest.raises(UsageError) as error:
        read_schedule(written, BERLIN)
    assert told in f"{error.value.detail} {error.value.hint}"


def test_zone_that_does_not_exist_is_told() -> None:
    """A time zone has a name of IANA's list."""
    with pytest.raises(UsageError, match="Berlni"):
        read_zone("Europe/Berlni")


def test_time_that_a_night_lacks_comes_when_the_clock_has_jumped() -> None:
    """On the last Sunday in March there is no 02:30 in Berlin; it counts at 03:00, once."""
    schedule = read_schedule("daily at 2:30", BERLIN)
    found = schedule.after(datetime(2026, 3, 28, 12, tzinfo=BERLIN))
    assert found.isoformat() == "2026-03-29T03:00:00+02:00"
    assert schedule.after(found).isoformat() == "2026-03-30T02:30:00+02:00"


def test_time_that_a_night_has_twice_comes_once() -> None:
    """On the last Sunday in October 02:30 comes twice; it counts once."""
    schedule = read_schedule("daily at 2:30", BERLIN)
    found = schedule.after(datetime(2026, 10, 24, 12, tzinfo=BERLIN))
    assert schedule.after(found).astimezone(BERLIN).day == found.day + 1


@given(
    st.sampled_from(
        ["daily at 2:30", "every weekday at 07:30", "every 2 hours", "alle 15 Minuten", "*/7 1-3 * * *"]
    ),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
    # Half of them in the nights in which a clock is changed.
    st.one_of(
        st.datetimes(datetime(2025, 12, 1), datetime(2027, 1, 1)),
        st.datetimes(datetime(2026, 3, 29), datetime(2026, 3, 29, 6)),
        st.datetimes(datetime(2026, 10, 25), datetime(2026, 10, 25, 6)),
        st.datetimes(datetime(2026, 3, 8, 5), datetime(2026, 3, 8, 12)),
    ),
)
@settings(max_examples=150, deadline=None)
def test_latest_instant_is_the_last_one_that_comes_forward(written: str, zone: str, moment: datetime) -> None:
    """Looking back finds what looking forward passes, on every day of a year."""
    schedule = read_schedule(written, ZoneInfo(zone))
    now = moment.replace(tzinfo=UTC)
    found = schedule.latest(now)
    assert found <= now
    step = schedule.after(now - timedelta(days=5))
    while (following := schedule.after(step)) <= now:
        step = following
    assert found == step
