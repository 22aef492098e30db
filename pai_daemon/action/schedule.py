"""When a routine is due: plain English or German, or cron, as instants of a time zone. Pure.

cronsim owns what cron means, also where clocks are put forward and back: a time that a night lacks counts
when the clock has jumped, one that comes twice counts once.
"""

from __future__ import annotations

import difflib
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from pai_daemon.errors import UsageError

STEPS = 4
HINT = "Write `every weekday at 07:30`, `every monday and thursday at 18:00`, `every 2 hours`, or cron."
_DAYS = {
    0: "sunday sundays sun sonntag sonntags so",
    1: "monday mondays mon montag montags mo",
    2: "tuesday tuesdays tue dienstag dienstags di",
    3: "wednesday wednesdays wed mittwoch mittwochs mi",
    4: "thursday thursdays thu donnerstag donnerstags do",
    5: "friday fridays fri freitag freitags fr",
    6: "saturday saturdays sat samstag samstags sonnabend sa",
}
_DAY = {name: str(number) for number, names in _DAYS.items() for name in names.split()}
_KINDS = {
    "*": "day days daily täglich tag tage tages",
    "1-5": "weekday weekdays werktag werktags werktage wochentag wochentags workday workdays",
    "0,6": "weekend weekends wochenende wochenenden",
}
_KIND = {name: days for days, names in _KINDS.items() for name in names.split()}
# Parts of a day, and the time that is meant where none is said.
_PARTS = {"morning": 7, "mornings": 7, "morgen": 7, "evening": 19, "evenings": 19, "abend": 19}
_ORDINALS = {
    "first": "1", "1st": "1", "erster": "1", "ersten": "1", "erste": "1", "second": "2", "2nd": "2",
    "zweiter": "2", "zweiten": "2", "third": "3", "3rd": "3", "dritter": "3", "dritten": "3", "fourth": "4",
    "4th": "4", "vierter": "4", "vierten": "4", "last": "L", "letzter": "L", "letzten": "L", "letzte": "L",
}  # fmt: skip
_MONTH = ("month", "months", "monthly", "monat", "monats", "monatlich")
_FILLERS = (
    "every", "each", "on", "the", "of", "in", "im", "am", "a", "jeden", "jede", "jeder", "jedes", "um", "and",
    "und", "at", "all", "alle", "den", "der", "von", "zu", "uhr",
)  # fmt: skip
_TIME = re.compile(
    r"(?<![\w:.])(?P<hour>[0-2]?\d)(?:[:.](?P<minute>[0-5]\d)|[ ]?uhr(?:[ ](?P<past>[0-5]?\d))?)?"
    r"[ ]?(?P<half>am|pm)?(?:[ ]uhr)?(?![\w:.])"
)
_AT = re.compile(r"\b(?:at|um|gegen)\b(?P<times>.*)\Z")
_NUMBER = r"(?P<number>\d{1,3})[ ]"
_INTERVAL = re.compile(
    rf"(?:every|each|alle|jede)[ ](?:{_NUMBER})?(?P<unit>minutes?|minuten?|hours?|stunden?)\Z"
)
_DATE = re.compile(r"(?<![\w:])(?P<day>[0-3]?\d)(?:st|nd|rd|th|\.)(?!\w)")
_CRON = re.compile(r"[\d*/,\-A-Za-z#]+(?:[ \t]+[\d*/,\-A-Za-z#]+){4}")


@dataclass(frozen=True)
class Schedule:
    """Instants, as cron's five fields say them. crons: any of them counts. zone: whose wall clock."""

    crons: tuple[str, ...]
    zone: tzinfo

    def after(self, moment: datetime) -> datetime:
        """Return the first instant after a moment."""
        here = moment.astimezone(self.zone)
        # Times of one zone are compared by their wall clock, which goes back once a year.
        return min((next(CronSim(cron, here)) for cron in self.crons), key=datetime.timestamp)

    def latest(self, moment: datetime, since: datetime | None = None) -> datetime:
        """Return the last instant that is not after a moment.

        since: a moment that is good enough where no instant came after it; looking on from one that is near
        costs a tenth of looking back.
        """
        for _ in range(STEPS if since is not None else 0):
            assert since is not None
            if (following := self.after(since)) > moment:
                return since
            since = following
        here = moment.astimezone(self.zone)
        found = min((self._well_before(cron, here) for cron in self.crons), key=datetime.timestamp)
        # Looking back, cronsim knows nothing of a time that a night lacks: so the rest of the way is forward.
        while (following := self.after(found)) <= moment:
            found = following
        return found

    def _well_before(self, cron: str, here: datetime) -> datetime:
        earlier = CronSim(cron, here, reverse=True)
        next(earlier)
        found = next(earlier).astimezone(UTC) - timedelta(hours=3)
        return self.after(found)

    @cached_property
    def told(self) -> str:
        """Return the schedule as a person reads it."""
        date = datetime(2026, 1, 1, tzinfo=self.zone)
        return "; ".join(CronSim(cron, date).explain() for cron in self.crons)


def read_schedule(written: str, zone: tzinfo) -> Schedule:
    """Return what a schedule says. Raises UsageError, with the word that is not understood."""
    said = " ".join(written.replace(",", " , ").casefold().split())
    crons = _cron(written) or _interval(said) or _plain(said)
    date = datetime(2026, 1, 1, tzinfo=zone)
    for cron in crons:
        try:
            next(CronSim(cron, date))
        except CronSimError as error:
            raise UsageError(f"{written!r} is no schedule: {error}.", hint=HINT) from error
        except StopIteration:
            raise UsageError(f"{written!r} never comes.", hint=HINT) from None
    return Schedule(crons, zone)


def read_zone(name: str) -> tzinfo:
    """Return a time zone by its name, this machine's for "". Raises UsageError."""
    if not name:
        return local_zone()
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise UsageError(f"There is no time zone {name!r}.", hint="Write it as Europe/Berlin.") from error


def local_zone_name() -> object:
    """Return what tells this machine's time zone from another, as it is set now."""
    if hasattr(time, "tzset"):  # a process knows of no change before
        time.tzset()
    return time.tzname, time.timezone


def local_zone() -> tzinfo:
    """Return this machine's time zone, with its changes of the clock where the system has them in a file."""
    now = datetime.now().astimezone()
    try:
        with Path("/etc/localtime").open("rb") as file:
            zone = ZoneInfo.from_file(file)
    except (OSError, ValueError):
        zone = None
    # The process may have been given another one.
    return (
        zone
        if zone is not None and now.astimezone(zone).utcoffset() == now.utcoffset()
        else now.tzinfo or UTC
    )


def _cron(written: str) -> tuple[str, ...]:
    fields = written.split()
    is_cron = _CRON.fullmatch(written.strip()) and (written.strip()[0] in "*0123456789")
    return (" ".join(fields),) if is_cron and not fields[1].isalpha() else ()


def _interval(said: str) -> tuple[str, ...]:
    if said in ("hourly", "stündlich"):
        return ("0 * * * *",)
    if (found := _INTERVAL.fullmatch(said)) is None:
        return ()
    number = int(found["number"] or 1)
    whole = 60 if found["unit"].startswith("min") else 24
    if not 0 < number < whole or whole % number:
        fitting = ", ".join(str(each) for each in range(1, whole) if whole % each == 0)
        raise UsageError(
            f"Every {number} {found['unit']} would not be even.", hint=f"These numbers are: {fitting}."
        )
    return (f"*/{number} * * * *",) if whole == 60 else (f"0 */{number} * * *",)


def _plain(said: str) -> tuple[str, ...]:
    times, rest = _times(said)
    days = _Days()
    rest = rest.replace(",", " ")
    if set(_MONTH) & set(rest.split()):
        days.of_month = [str(int(found["day"])) for found in _DATE.finditer(rest)]
        rest = _DATE.sub(" ", rest)
    for word in rest.split():
        if not days.take(word):
            _unknown(word, said)
    times = times or days.times
    if (date := days.cron()) is None:
        raise UsageError(f"{said!r} does not say on which days.", hint=HINT)
    if not times:
        raise UsageError(f"{said!r} does not say at what time.", hint=f"Write `{said} at 07:30`.")
    return tuple(f"{minute} {hour} {date}" for hour, minute in times)


class _Days:
    """The days of a schedule, word by word. of_month: their numbers. times: that a part of the day means."""

    def __init__(self) -> None:
        self.of_month: list[str] = []
        self.times: list[tuple[int, int]] = []
        self._of_week: list[str] = []
        self._ordinal = ""
        self._is_monthly = False

    def take(self, word: str) -> bool:
        """Take a word in; return whether it is known."""
        if word in _DAY:
            self._of_week.append(_DAY[word])
        elif word in _KIND and self._ordinal:  # the last day of the month
            self.of_month.append(self._ordinal)
            self._ordinal = ""
        elif word in _KIND:
            self._of_week.append(_KIND[word])
        elif word in _ORDINALS:
            self._ordinal = _ORDINALS[word]
        elif word in _MONTH:
            self._is_monthly = True
        elif word in _PARTS:
            self._of_week = self._of_week or ["*"]
            self.times.append((_PARTS[word], 0))
        else:
            return word in _FILLERS
        return True

    def cron(self) -> str | None:
        """Return cron's last three fields, None where no days are said."""
        if self.of_month or (self._is_monthly and not self._of_week):
            return f"{','.join(self.of_month) or '1'} * *"
        if not self._of_week:
            return None
        if self._ordinal:
            mark = "L" if self._ordinal == "L" else f"#{self._ordinal}"
            return f"* * {','.join(f'{day}{mark}' for day in self._of_week)}"
        return f"* * {'*' if '*' in self._of_week else ','.join(self._of_week)}"


def _times(said: str) -> tuple[list[tuple[int, int]], str]:
    """Return the times of day, hour and minute, that are said, and the words beside them."""
    rest = said
    if (at := _AT.search(said)) is not None:
        rest, told = said[: at.start()], at["times"]
    else:
        told = " ".join(re.findall(r"\b[0-2]?\d[:][0-5]\d\b", said))
        rest = re.sub(r"\b[0-2]?\d[:][0-5]\d\b(?:[ ]uhr)?", " ", said)
    times = []

    def take(found: re.Match[str]) -> str:
        hour, minute = int(found["hour"]), int(found["minute"] or found["past"] or 0)
        if found["half"]:
            if not 1 <= hour <= 12:
                raise UsageError(f"{found[0].strip()!r} is no time.", hint=HINT)
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        if hour > 23:
            raise UsageError(f"{found[0].strip()!r} is no time.", hint=HINT)
        times.append((hour, minute))
        return " "

    for name, clock in (
        ("noon", "12:00"),
        ("mittag", "12:00"),
        ("midnight", "0:00"),
        ("mitternacht", "0:00"),
    ):
        told = re.sub(rf"\b{name}\b", clock, told)
    left = _TIME.sub(take, told)
    return sorted(set(times)), f"{rest} {left}"


def _unknown(word: str, said: str) -> NoReturn:
    known = [*_DAY, *_KIND, *_MONTH, *_PARTS, *_ORDINALS, *_FILLERS, "hours", "minutes", "stunden", "minuten"]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    raise UsageError(
        f"The schedule {said!r} has a word that is not known: {word!r}.",
        hint=f"Is it {near[0]!r}? {HINT}" if near else HINT,
    )
