"""What a question says of when its notes were written and of their tags, as a filter. Pure.

"What did I write about the boat last month?" asks of notes and not of the world. Only a question that speaks
of writing or of notes is read so: "Who was chancellor last year?" means no note's date. What was understood
is said in the answer, and whoever asks can do without it (D53).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pai_daemon.context.filters import EVERYTHING, Filter, moment_ns

_OF_NOTES = re.compile(
    r"\b(?:(?:did|have|had) (?:i|we) (?:\w+ )?(?:write|written|note|noted|changed?|edit|edited|plan|planned"
    r"|record|recorded)|i (?:wrote|noted|changed|edited)|(?:which|what|my|our|any|the) notes?|journals?"
    r"|(?:habe|hatte|hab) ich|ich (?:habe|hatte)|haben wir|(?:welche|meinen?|unseren?|den|die) notiz(?:en)?"
    r"|notiert|aufgeschrieben|tagebuch)\b",
    re.IGNORECASE,
)
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
_SPAN = re.compile(
    r"\b(?:(?:in|im|from|during|on|vom|von|aus) )?(?:the |der |dem |den )?(?:"
    r"(?P<today>today|heute)|(?P<yesterday>yesterday|gestern)"
    r"|(?P<which>this|last|past|previous|diese[rnms]?|letzte[rnms]?|vorige[rnms]?|vergangene[rnms]?) "
    r"(?P<unit>day|week|month|year|tag|woche|monats?|jahre?s?)"
    r"|(?:the )?(?:last|past|letzten|vergangenen) (?P<count>\d{1,3}) (?P<units>days|weeks|months"
    r"|years|tagen?|wochen|monaten?|jahren?)"
    rf"|(?P<month>{'|'.join(_MONTH)})(?: (?P<of>\d{{4}}))?|(?P<year>(?:19|20)\d\d))\b",
    re.IGNORECASE,
)
# A month's or a year's name is a time only after such a word: "May I", "2000 euros".
_NEEDS_WORD = re.compile(r"(?:in|im|from|during|vom|von|aus) ", re.IGNORECASE)
_TAG = re.compile(r"(?<![^\s(])#([^\W\d][\w/-]*)")
_DAYS = {"d": 1, "t": 1, "w": 7, "m": 30, "y": 365, "j": 365}


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A question without what says when and where, the filter that says it instead, and how to say so.

    said: such as `since 2026-10-01`, `before 2026-11-01` or `tag boat`; empty where nothing was understood.
    """

    text: str
    chosen: Filter = EVERYTHING
    said: tuple[str, ...] = ()


def narrowed(question: str, now: datetime) -> Narrowing:
    """Return what a question says of its notes. now: with its zone."""
    found = Narrowing(question)
    if _OF_NOTES.search(question):
        found = _in_time(found, now)
    tags = tuple(dict.fromkeys(_TAG.findall(found.text)))
    if tags:
        text = " ".join(_TAG.sub(r"\1", found.text).split())
        said = (*found.said, *(f"tag {tag}" for tag in tags))
        found = Narrowing(text, replace(found.chosen, tags=tags), said)
    return found


def _in_time(found: Narrowing, now: datetime) -> Narrowing:
    for match in _SPAN.finditer(found.text):
        needs_word = match["month"] or match["year"]
        if needs_word and not _NEEDS_WORD.match(match[0]):
            continue
        since, before = _bounds(match, now.replace(hour=0, minute=0, second=0, microsecond=0))
        since_day, before_day = since.date().isoformat(), before.date().isoformat()
        said = [f"since {since_day}", *([f"before {before_day}"] if before <= now else [])]
        rest = " ".join((found.text[: match.start()] + found.text[match.end() :]).split())
        return Narrowing(
            re.sub(r"\s+([?.!])", r"\1", rest),
            Filter(
                since_ns=moment_ns(since.isoformat(), now),
                before_ns=moment_ns(before.isoformat(), now) if before <= now else None,
            ),
            tuple(said),
        )
    return found


def _bounds(match: re.Match[str], today: datetime) -> tuple[datetime, datetime]:
    """Return since when and before when, as midnights."""
    day = timedelta(days=1)
    if match["today"]:
        return today, today + day
    if match["yesterday"]:
        return today - day, today
    if match["count"]:
        return today - int(match["count"]) * _DAYS[match["units"][0].lower()] * day, today + day
    if match["month"]:
        number = _MONTH[match["month"].lower()]
        year = int(match["of"] or (today.year if number <= today.month else today.year - 1))
        first = today.replace(year=year, month=number, day=1)
        return first, _next_month(first)
    if match["year"]:
        first = today.replace(year=int(match["year"]), month=1, day=1)
        return first, first.replace(year=first.year + 1)
    return _around(match["unit"][0].lower(), today, is_last=match["which"].lower()[0] not in "td")


def _around(unit: str, today: datetime, *, is_last: bool) -> tuple[datetime, datetime]:
    """Return the day, week, month or year around today, or the one before it."""
    day = timedelta(days=1)
    if unit in "dt":
        first, after = today, today + day
    elif unit == "w":
        first = today - today.weekday() * day
        after = first + 7 * day
    elif unit == "m":
        first = today.replace(day=1)
        after = _next_month(first)
    else:
        first = today.replace(month=1, day=1)
        after = first.replace(year=first.year + 1)
    if not is_last:
        return first, after
    return _around(unit, first - day, is_last=False)


def _next_month(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)
