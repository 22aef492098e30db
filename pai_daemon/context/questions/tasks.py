"""Which questions ask for tasks, in English and German, and for which. Pure.

A question is read word by word: how it leads in, how it speaks of tasks, and where it says of what. One
word that has no place in that makes it an ordinary question: "task management theory?", "the tasks of the
liver", "how do I filter tasks due today?". Times and tags are told apart before (D65).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pai_daemon.context.filters import Filter, moment_ns
from pai_daemon.context.questions.narrowing import TAG
from pai_daemon.context.questions.times import Span, spans
from pai_daemon.context.tasks import TaskQuery, Wanted

MAX_CHARACTERS = 300
# What stands for a time, for being due or overdue, and for a tag once they are told apart.
_TIME, _DUE, _OVERDUE, _TAGGED = "\ue000", "\ue001", "\ue002", "\ue003"
_MARKS = (_TIME, _DUE, _OVERDUE, _TAGGED)
_DUE_WORDS = re.compile(r"\b(?:due(?! (?:to|process|diligence)\b)|fällig(?:e[nrsm]?)?)\b", re.IGNORECASE)
_OVERDUE_WORDS = re.compile(r"\b(?:overdue|past due|überfällig(?:e[nrsm]?)?)\b", re.IGNORECASE)
_TAG_WORDS = re.compile(
    r"(?:\b(?:(?:that are )?tagged(?: (?:with|as))?|(?:with|mit)(?: the| dem)? tag|in|on|for|of|about|under"
    r"|zu|von|für|bei|unter|with|mit) )?(?<!\S)#[^\W\d][\w/-]*",
    re.IGNORECASE,
)
_PUNCTUATION = re.compile(r"[?.!…:;,\"“”„]+(?=\s|$)|(?<!\S)[\"“”„]+")


Phrase = tuple[str, ...]


def _phrases(written: str) -> tuple[Phrase, ...]:
    """Return the phrases that lines hold, as their words."""
    told = written.replace("<due>", _DUE).replace("<overdue>", _OVERDUE)
    return tuple(tuple(phrase.split()) for line in told.splitlines() for phrase in line.split("|") if phrase)


def _longest_first(phrases: Iterable[Phrase]) -> tuple[Phrase, ...]:
    return tuple(sorted(phrases, key=lambda words: -len(words)))


def _by_phrase(named: Mapping[str, str]) -> dict[Phrase, str]:
    """Return each phrase with the name under which it stands, the longest first."""
    found = {phrase: name for name, written in named.items() for phrase in _phrases(written)}
    return {phrase: found[phrase] for phrase in _longest_first(found)}


_TOLD: dict[str, Any] = tomllib.loads(Path(__file__).with_name("tasks.toml").read_text("utf-8"))
_ORDERS, _LEADS, _DETERMINERS, _NOUNS, _OF = (
    _longest_first(_phrases(_TOLD[name])) for name in ("orders", "leads", "determiners", "nouns", "of")
)
_BETWEEN, _ARTICLES, _KINDS = (
    frozenset(words[0] for words in _phrases(_TOLD[name])) for name in ("between", "articles", "kinds")
)
_ADJECTIVES, _SAYS, _UNNAMED = (_by_phrase(_TOLD[name]) for name in ("adjectives", "says", "unnamed"))
_SPLIT_LEADS = _longest_first(_phrases(_TOLD["split"].pop("leads")))
_SPLIT_ENDS = _by_phrase(_TOLD["split"])
_OWN = ("my", "our", "i", "we", "meine", "meinen", "meiner", "unsere", "ich", "wir", "mir")
# After "what are" these speak of certain tasks: "what are the open tasks?"
_NAMING = ("the", "my", "our", "these", "all", "die", "meine", "unsere", "alle")
# Of what a task is ends where such a word says something of the tasks: "the boat are still open".
_VERBS = ("are", "is", "sind", "ist", "do", "habe", "gibt", "haben", "were", "have")


@dataclass(frozen=True, slots=True)
class TaskQuestion:
    """A question for tasks. said: what was understood, as `open tasks` or `about boat`.

    is_sure: else it may be an ordinary question, and is one where no task fits.
    """

    query: TaskQuery
    said: tuple[str, ...]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """What the words of a question say. status: empty where none is said."""

    status: str = ""
    about: str = ""
    is_sure: bool = False


def task_question(question: str, now: datetime) -> TaskQuestion | None:
    """Return which tasks a question asks for, None for any other question. now: with its zone."""
    if len(question) > MAX_CHARACTERS or any(mark in question for mark in _MARKS):
        return None
    text = " ".join(question.split())
    tags = tuple(dict.fromkeys(TAG.findall(text)))
    text = _TAG_WORDS.sub(f" {_TAGGED} ", text)
    text = _OVERDUE_WORDS.sub(f" {_OVERDUE} ", text)
    span = next(spans(text, now, to_come=True), None)
    if span is not None:
        text = f"{text[: span.start]} {_TIME} {text[span.end :]}"
    text = _DUE_WORDS.sub(f" {_DUE} ", text)
    words = _PUNCTUATION.sub(" ", text).split()
    read = _unnamed([word.lower() for word in words], words) or _named(
        [word.lower() for word in words], words
    )
    if read is None:
        return None
    is_due, is_overdue = _DUE in words, _OVERDUE in words
    status = cast("Wanted", read.status or "open")
    query, said = _timed(TaskQuery(status=status, words=read.about), span, now, is_due=is_due)
    query = replace(query, overdue=is_overdue, chosen=replace(query.chosen, tags=tags))
    told = "overdue tasks" if is_overdue else f"{query.status} tasks"
    said = (told, *([f"about {read.about}"] if read.about else []), *said, *(f"tag {tag}" for tag in tags))
    is_sure = read.is_sure or is_due or is_overdue or bool(tags)
    return TaskQuestion(query, said, is_sure)


def _timed(
    query: TaskQuery, span: Span | None, now: datetime, *, is_due: bool
) -> tuple[TaskQuery, tuple[str, ...]]:
    """Return a query with the time that is asked for, and how to say it."""
    if span is None:
        return query, ()
    since = span.since.date().isoformat() if span.since else ""
    before = span.before.date().isoformat() if span.before else ""
    said = [f"since {since}"] if since else []
    said += [f"before {before}"] if before else []
    if query.status == "done":
        told = tuple(f"finished {each}" for each in said)
        return replace(query, finished_since=since, finished_before=before), told
    if is_due:
        return replace(query, due_since=since, due_before=before), tuple(f"due {each}" for each in said)
    if span.ahead and span.prefix not in ("from", "von", "vom", "aus"):
        # What is to be done today is also what was to be done before.
        since = since if since > now.date().isoformat() else ""
        told = tuple(f"due {each}" for each in said if not each.startswith("since") or since)
        return replace(query, due_since=since, due_before=before, planned=True), told
    chosen = Filter(
        since_ns=moment_ns(span.since.isoformat(), now) if span.since else None,
        before_ns=moment_ns(span.before.isoformat(), now) if span.before else None,
    )
    return replace(query, chosen=chosen), tuple(f"in notes {each}" for each in said)


def _starts(words: Sequence[str], place: int, phrases: Iterable[Phrase]) -> Phrase:
    """Return the longest phrase that stands at a place, empty where none does."""
    return next((each for each in phrases if tuple(words[place : place + len(each)]) == each), ())


def _unnamed(words: Sequence[str], written: Sequence[str]) -> _Read | None:
    """Read a question that does without a word for tasks."""
    if lead := _starts(words, 0, _UNNAMED):
        is_own = _UNNAMED[lead] == "own"
        read = _tail(words, written, len(lead), _Read("open"))
        return read and replace(read, is_sure=is_own or (not read.about and _TIME in words))
    lead = _starts(words, 0, _SPLIT_LEADS)
    end = len(words)
    while end and words[end - 1] in _MARKS:
        end -= 1
    closing = next((each for each in _SPLIT_ENDS if tuple(words[:end][-len(each) :]) == each), ())
    if not lead or not closing:
        return None
    middle = [*range(len(lead), end - len(closing)), *range(end, len(words))]
    read = _tail([words[at] for at in middle], [written[at] for at in middle], 0, _Read("open"))
    is_own = _SPLIT_ENDS[closing] == "own" or any(words[at] == "noch" for at in middle)
    return read and replace(read, is_sure=is_own or (not read.about and _TIME in words))


def _named(words: Sequence[str], written: Sequence[str]) -> _Read | None:
    """Read a question that names tasks."""
    order = _starts(words, 0, _ORDERS)
    lead = _starts(words, len(order), _LEADS)
    place = first = len(order) + len(lead)
    status = ""
    while place < len(words) and not _starts(words, place, _NOUNS):
        if found := _starts(words, place, _DETERMINERS):
            place += len(found)
        elif found := _starts(words, place, _ADJECTIVES):
            status, place = _ADJECTIVES[found], place + 1
        elif words[place] in (*_BETWEEN, *_MARKS):
            place += 1
        else:
            return None
    noun = _starts(words, place, _NOUNS)
    if not noun:
        return None
    place += len(noun)
    if noun[0].startswith(("open", "offen", "unerledigt")):
        status = "open"
    is_meaning = lead in (("what", "are"), ("was", "sind")) and words[first] not in _NAMING
    if is_meaning and place == len(words):
        return None  # "What are open tasks?" asks for a meaning
    is_own = any(word in _OWN for word in words[len(order) : place])
    is_list = bool(order) and place == len(words)
    return _tail(words, written, place, _Read(status, is_sure=is_own or is_list or bool(status)))


def _tail(words: Sequence[str], written: Sequence[str], place: int, read: _Read) -> _Read | None:
    """Read what follows: what is said of the tasks, and of what they are; None where anything else stands."""
    while place < len(words):
        if words[place] in (*_MARKS, *_BETWEEN):
            place += 1
        elif found := _starts(words, place, _SAYS):
            says = "" if _SAYS[found] == "nothing" else _SAYS[found]
            is_sure = read.is_sure or bool(says) or any(word in _OWN for word in found)
            read, place = replace(read, status=says or read.status, is_sure=is_sure), place + len(found)
        elif not read.about and (found := _starts(words, place, _OF)):
            about, place = _about(words, written, place + len(found))
            if not about:
                return None
            read = replace(read, about=about)
        else:
            return None
    return read


def _about(words: Sequence[str], written: Sequence[str], start: int) -> tuple[str, int]:
    """Return of what tasks are, without what does not name it, and where what follows begins."""
    stop = next((at for at in range(start, len(words)) if words[at] in _MARKS), len(words))
    for end in range(start + 1, stop):
        found = _starts(words, end, _SAYS)
        if found and (_SAYS[found] != "nothing" or words[end] in _VERBS):
            stop = end
            break
    after = stop
    while start < stop and words[start] in _ARTICLES:
        start += 1
    if stop - start > 1 and words[start] in _KINDS:
        start += 1
    elif stop - start > 1 and words[stop - 1] in _KINDS:
        stop -= 1
    return " ".join(written[start:stop]), after
