"""What a question asks of memory: its topic, when the fact was said, and whether the past is meant. Pure.

"What did I say about Samira last week?" is a question of when something was said: its facts are those of
that week, and its topic is Samira. "When do we go to England in January?" names a time that the fact speaks
of, and so does "since when": no fact is left out then. English and German, see `context.questions.times`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from pai_daemon.context.questions.times import spans
from pai_daemon.notes.language import stop_words

_SAID = re.compile(
    r"\b(?:(?:did|have|had|do) (?:i|we|you) (?:\w+ ){0,2}?(?:say|said|tell|told|mention(?:ed)?|note|noted"
    r"|record(?:ed)?|talk(?:ed)?|decided?|write|written|remember|know|learnt?|hear|heard)"
    r"|(?:i|we) (?:said|told|mentioned|noted|recorded|talked|decided|wrote)"
    r"|(?:weißt|merktest|wusstest) du"
    r"|(?:habe?|hatte|haben) (?:ich|wir)\b.*\b(?:gesagt|erzählt|erwähnt|notiert|festgehalten|festgelegt"
    r"|beschlossen|entschieden|aufgeschrieben|berichtet|gesprochen|geredet|gemerkt))\b",
    re.IGNORECASE,
)
_SINCE_WHEN = re.compile(r"\b(?:since when|seit wann)\b", re.IGNORECASE)
_PAST = re.compile(
    r"\b(?:before|formerly|previous(?:ly)?|former|used to|in the past|in the beginning|at first|originally"
    r"|early on|earlier|old|früher\w*|vorher|zuvor|damals|ehemalig\w*|ursprünglich|anfangs|alte[rns]?"
    r"|bisherig\w*|angefangen|hatten?|waren?)\b",
    re.IGNORECASE,
)
# In German "was" asks.
_ENGLISH_PAST = re.compile(r"\b(?:did|was|were|had)\b", re.IGNORECASE)
# Of whom facts speak, besides the commonest words.
_ENGLISH = stop_words("en") | {"i", "me", "my", "we", "us", "our"}
_GERMAN = stop_words("de") | {"ich", "mir", "mich", "mein", "meine", "wir", "uns", "unser", "unsere"}
# Words of the asking itself, of which the topic says nothing.
_FRAME = re.compile(
    r"\b(?:what|which|was|welche[rnms]?|matters?|things?|about|über|zum thema|zu meine[rnm]|topic|anything"
    r"|etwas|did|do|have|had|habe?|haben|hatte|i|we|you|ich|wir|du|my|meine[nrm]?|to|in|for|the|der|die|das"
    r"|say|said|tell|told|mention(?:ed)?|note|noted|record(?:ed)?|talk(?:ed)?|decided?|know"
    r"|gesagt|erzählt|erwähnt|notiert|festgehalten|festgelegt|beschlossen|entschieden|berichtet|gesprochen"
    r"|geredet|gemerkt|weißt|oder|or|and|und|vorgestern)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, read. since, before: days on which its fact was said, before is not included.

    text: what is looked for; empty where every fact of that time is meant. of_past: what held before may be
    meant. said: how to say what was understood, such as `since 2026-10-01`.
    """

    text: str
    since: date | None = None
    before: date | None = None
    of_past: bool = False
    said: tuple[str, ...] = ()

    @property
    def of_time(self) -> bool:
        """Return whether a time was understood."""
        return self.since is not None or self.before is not None


def asking_of(question: str, now: datetime) -> Asking:
    """Return what a question asks. now: with its zone."""
    question = " ".join(question.split())
    of_past = _PAST.search(question) is not None or (
        language_of(question) == "en" and _ENGLISH_PAST.search(question) is not None
    )
    if not _SAID.search(question) or _SINCE_WHEN.search(question):
        return Asking(question, of_past=of_past)
    for span in spans(question, now):
        if span.since is not None and span.since > now:
            continue
        since = span.since.date() if span.since else None
        before = span.before.date() if span.before else None
        topic = _topic(question[: span.start] + " " + question[span.end :])
        said = tuple(
            f"{word} {day}" for word, day in (("since", since), ("before", before)) if day is not None
        )
        return Asking(topic, since, before, of_past=False, said=said)
    return Asking(question, of_past=of_past)


def _topic(question: str) -> str:
    return " ".join(re.sub(r"[?!.,:;]+", " ", _FRAME.sub(" ", question)).split())


def language_of(text: str) -> str:
    """Return `en` or `de` for a fact, "" where neither has more of its short words.

    A fact is too short for `notes.language`, whose votes are for a page.
    """
    words = re.findall(r"\w+", text.lower())
    english = sum(word in _ENGLISH for word in words)
    german = sum(word in _GERMAN for word in words) + bool(re.search("[äöüß]", text.lower()))
    return "de" if german > english else "en" if english > german else ""
