"""What a question says of when its notes were written and of their tags, as a filter. Pure.

"What did I write about the boat last month?" asks of notes and not of the world. Only a question that speaks
of writing or of notes is read so: "Who was chancellor last year?" means no note's date. What was understood
is said in the answer, and whoever asks can do without it (D53).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from pai_daemon.context.filters import EVERYTHING, Filter, moment_ns
from pai_daemon.context.questions.times import spans

_OF_NOTES = re.compile(
    r"\b(?:(?:did|have|had) (?:i|we) (?:\w+ )?(?:write|written|note|noted|changed?|edit|edited|plan|planned"
    r"|record|recorded)|i (?:wrote|noted|changed|edited)|(?:which|what|my|our|any|the) notes?|journals?"
    r"|(?:habe|hatte|hab) ich|ich (?:habe|hatte)|haben wir|(?:welche|meinen?|unseren?|den|die) notiz(?:en)?"
    r"|notiert|aufgeschrieben|tagebuch)\b",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:chang|edit|updat|modif|geändert|bearbeitet|überarbeitet|aktualisiert)", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(?:about|of|über|vom?)\b", re.IGNORECASE)
TAG = re.compile(r"(?<![^\s(])#([^\W\d][\w/-]*)")


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
    tags = tuple(dict.fromkeys(TAG.findall(found.text)))
    if tags:
        text = " ".join(TAG.sub(r"\1", found.text).split())
        said = (*found.said, *(f"tag {tag}" for tag in tags))
        found = Narrowing(text, replace(found.chosen, tags=tags), said)
    return found


def _in_time(found: Narrowing, now: datetime) -> Narrowing:
    for span in spans(found.text, now):
        before = span.before if span.before is not None and span.before <= now else None
        # "about the meeting on 12 May" names what the notes speak of.
        if (span.since is None and before is None) or (
            span.is_date and _ABOUT.search(found.text, 0, span.start)
        ):
            continue
        rest = " ".join((found.text[: span.start] + found.text[span.end :]).split())
        by_change = _CHANGED.search(found.text) is not None
        word = "changed " if by_change else ""
        return Narrowing(
            re.sub(r"\s+([?.!])", r"\1", rest),
            Filter(
                since_ns=moment_ns(span.since.isoformat(), now) if span.since else None,
                before_ns=moment_ns(before.isoformat(), now) if before else None,
                by_change=by_change,
            ),
            (
                *([f"{word}since {span.since.date()}"] if span.since else []),
                *([f"{word}before {before.date()}"] if before else []),
            ),
        )
    return found
