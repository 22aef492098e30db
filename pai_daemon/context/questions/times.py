"""The time that a question names, in English and German: `last month`, `seit März`, `by Friday`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = (
    ("january", "januar"),
    ("february", "februar"),
    ("march", "märz"),
    ("april",),
    ("may", "mai"),
    ("june", "juni"),
    ("july", "juli"),
    ("august",),
    ("september",),
    ("october", "oktober"),
    ("november",),
    ("december", "dezember"),
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_WEEKDAYS = (
    ("monday", "montag"),
    ("tuesday", "dienstag"),
    ("wednesday", "mittwoch"),
    ("thursday", "donnerstag"),
    ("friday", "freitag"),
    ("saturday", "samstag"),
    ("sunday", "sonntag"),
)
_WEEKDAY = {name: number for number, names in enumerate(_WEEKDAYS) for name in names}
_LAST = r"last|past|previous|letzte[rnms]?|vorige[rnms]?|vergangene[rnms]?"
_THIS = r"this|diese[rnms]?"
_NEXT = r"next|coming|nächste[rnms]?|kommende[rnms]?"
_NAMES = "|".join(_MONTH)
_SPAN = re.compile(
    r"\b(?:(?P<before>before|vor)\ |(?P<until>until|till|by|bis)\ (?:zum\ )?|(?P<after>since|seit)\ "
    r"|(?P<word>in|im|from|during|on|am|vom|von|aus|within)\ |(?P<loose>of|for|für)\ )?"
    r"(?:the\ |der\ |dem\ |den\ )?(?:"
    r"(?P<today>today|heute)|(?P<yesterday>yesterday|gestern)|(?P<tomorrow>tomorrow|morgen)"
    rf"|(?P<which>{_THIS}|{_LAST}|{_NEXT})\ (?P<unit>day|week|month|year|tag|woche|monats?|jahre?s?)"
    rf"|(?:{_LAST})\ (?P<count>\d{{1,3}})\ (?P<units>days|weeks|months|years|tagen?|wochen|monaten?|jahren?)"
    rf"|(?:{_NEXT})\ (?P<ahead>\d{{1,3}})\ (?P<ahead_units>days|weeks|months|years|tagen?|wochen|monaten?"
    r"|jahren?)"
    r"|(?P<iso>(?:19|20)\d\d-\d\d-\d\d)|(?P<dotted>\d{1,2}\.\ ?\d{1,2}\.\ ?(?:19|20)\d\d)"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\ (?P<day_of>{_NAMES})(?:\ (?P<day_year>\d{{4}}))?"
    rf"|(?P<named>{_NAMES})\ (?P<number>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\ (?P<number_year>\d{{4}}))?"
    rf"|(?:(?P<past>{_LAST})\ |(?:{_NEXT})\ )?(?P<month>{_NAMES})(?:\ (?P<of>\d{{4}}))?"
    rf"|(?:(?P<past_day>{_LAST})\ |(?:{_NEXT}|{_THIS})\ )?(?P<weekday>{'|'.join(_WEEKDAY)})"
    r"|(?P<year>(?:19|20)\d\d))\b",
    re.IGNORECASE | re.VERBOSE,
)
# A name of a month or of a day and a bare year are a time only after such a word: "May I", "2000 euros";
# after a loose one only where what is to come is meant: not "the crisis of 2008".
_NEED_WORD = ("month", "weekday", "year", "day", "named")
_WORDS = ("word", "before", "until", "after", "past", "past_day")
_PREFIXES = ("word", "before", "until", "after", "loose")
_LOOSE = (*_WORDS, "loose")
_DATES = ("iso", "dotted", "day", "named", "weekday")
_MORNING = re.compile(r"\b(?:am|guten|jeden|diesen) morgen\b", re.IGNORECASE)
_DAYS = {"d": 1, "t": 1, "w": 7, "m": 30, "y": 365, "j": 365}


@dataclass(frozen=True, slots=True)
class Span:
    """A time that text[start:end] names: from since to before, midnights, None where it is open.

    prefix: the word before it in lower case, such as `from`, empty where there is none. ahead: whether it
    speaks of what is to come, or of today or what today lies in. is_date: it names a day and not from today.
    """

    start: int
    end: int
    since: datetime | None
    before: datetime | None
    prefix: str
    ahead: bool
    is_date: bool


def spans(text: str, now: datetime, *, to_come: bool = False) -> Iterator[Span]:
    """Yield the times that a text names. now: with its zone.

    to_come: a month or a weekday is the next one, not the last one, and there is a tomorrow.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for match in _SPAN.finditer(text):
        words = _LOOSE if to_come else _WORDS
        if any(match[name] for name in _NEED_WORD) and not any(match[name] for name in words):
            continue
        is_future = (
            match["tomorrow"] or match["ahead"] or (match["which"] or "").lower()[:1] in ("n", "k", "c")
        )
        if (is_future or match["until"]) and not to_come:
            continue
        if match["tomorrow"] and _MORNING.search(text):
            continue
        try:
            is_past = match["past"] or match["past_day"] or match["after"]
            since, before = _bounds(match, today, to_come=to_come and not is_past)
        except (ValueError, OverflowError):  # no such day
            continue
        prefix = next((match[name] for name in _PREFIXES if match[name]), "").lower()
        is_ahead, is_date = before > today, any(match[name] for name in _DATES)
        opens = None if match["before"] or match["until"] else since
        closes = None if match["after"] else since if match["before"] else before
        yield Span(match.start(), match.end(), opens, closes, prefix, is_ahead, is_date)


def _bounds(match: re.Match[str], today: datetime, *, to_come: bool) -> tuple[datetime, datetime]:
    """Return since when and before when, as midnights."""
    day = timedelta(days=1)
    for name, away in (("today", 0), ("yesterday", -1), ("tomorrow", 1)):
        if match[name]:
            return today + away * day, today + (away + 1) * day
    if match["count"] or match["ahead"]:
        unit = (match["units"] or match["ahead_units"])[0].lower()
        length = timedelta(days=int(match["count"] or match["ahead"]) * _DAYS[unit])
        return (today - length, today + day) if match["count"] else (today, today + length + day)
    if match["month"]:
        return _month(match, today, to_come=to_come)
    if match["year"]:
        first = today.replace(year=int(match["year"]), month=1, day=1)
        return first, first.replace(year=first.year + 1)
    if not match["which"]:
        first = _one_day(match, today, to_come=to_come)
        return first, first + day
    which, unit = match["which"].lower()[0], match["unit"][0].lower()
    first, after = _around(unit, today)
    if which not in "td":
        first, after = _around(unit, after if which in "nkc" else first - day)
    return first, after


def _month(match: re.Match[str], today: datetime, *, to_come: bool) -> tuple[datetime, datetime]:
    number = _MONTH[match["month"].lower()]
    year = today.year
    if match["of"]:
        year = int(match["of"])
    elif to_come:
        year += number < today.month
    else:
        year -= number > today.month or (bool(match["past"]) and number == today.month)
    first = today.replace(year=year, month=number, day=1)
    return first, _next_month(first)


def _one_day(match: re.Match[str], today: datetime, *, to_come: bool) -> datetime:
    """Return the day that a date or a weekday names."""
    if match["iso"]:
        year, month, number = map(int, match["iso"].split("-"))
        return today.replace(year=year, month=month, day=number)
    if match["dotted"]:
        number, month, year = map(int, match["dotted"].split("."))
        return today.replace(year=year, month=month, day=number)
    if match["weekday"]:
        away = (_WEEKDAY[match["weekday"].lower()] - today.weekday()) % 7
        if not to_come:
            away -= 7 if away or match["past_day"] else 0
        return today + timedelta(days=away)
    name, number = match["day_of"] or match["named"], int(match["day"] or match["number"])
    written = match["day_year"] or match["number_year"]
    found = today.replace(year=int(written or today.year), month=_MONTH[name.lower()], day=number)
    if not written and to_come and found < today:
        return found.replace(year=found.year + 1)
    return found.replace(year=found.year - 1) if not written and not to_come and found > today else found


def _around(unit: str, today: datetime) -> tuple[datetime, datetime]:
    """Return the day, week, month or year around a day."""
    day = timedelta(days=1)
    if unit in "dt":
        return today, today + day
    if unit == "w":
        first = today - today.weekday() * day
        return first, first + 7 * day
    if unit == "m":
        first = today.replace(day=1)
        return first, _next_month(first)
    first = today.replace(month=1, day=1)
    return first, first.replace(year=first.year + 1)


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)
