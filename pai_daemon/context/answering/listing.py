"""Answers that are lists: the tasks, or the notes that mention names, told whole and cited each (D65).

What a question asks of the structure of the notes is looked up and not written: no generator is asked, and
nothing is near or likely. A question that may as well be an ordinary one is answered so only where there is
something to list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pai_daemon.context.answering.answer import (
    EXTRACTIVE,
    Answer,
    AnswerEvent,
    AnswerSentence,
    Citation,
    Cited,
    Delta,
    Question,
    Sources,
)
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.filters import Filter
from pai_daemon.context.mentions import Mentions, find_mentions
from pai_daemon.context.passage import Passage
from pai_daemon.context.questions.mentions import mention_question
from pai_daemon.context.questions.narrowing import narrowed
from pai_daemon.context.questions.tasks import TaskQuestion, task_question
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import Space
from pai_daemon.context.tasks import FoundTask, TaskList, TaskQuery, find_tasks, passage_of
from pai_daemon.notes.language import guess_language
from pai_daemon.notes.plain import plain_text

# An answer is read; what is longer is a matter of `pai tasks`.
MAX_LISTED = 50
NEAREST = 3
_NEAR_PASSAGES = 20
_GERMAN = re.compile(
    r"\b(?:aufgaben?|offene\w*|erledigt\w*|unerledigt\w*|überfällig\w*|fällig\w*|notiz(?:en)?|notiert"
    r"|geschrieben|erwähn\w*|welche[mnrs]?|habe ich|haben wir|zu tun)\b",
    re.IGNORECASE,
)
_STATUS = {
    "en": {"open": "open ", "done": "finished ", "cancelled": "cancelled ", "all": ""},
    "de": {"open": "offene ", "done": "erledigte ", "cancelled": "abgebrochene ", "all": ""},
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as an answer. lead: above it, rest: below it. lines: each with the passages it rests on."""

    lead: str
    stage: str
    said: tuple[str, ...]
    revision: int
    found: bool = True
    rest: str = ""
    lines: Sequence[tuple[str, Sequence[Passage]]] = ()

    def events(self, question: str, asked: str, took_ms: float) -> Iterator[AnswerEvent]:
        """Yield the answer as it is written, the whole Answer last; see there."""
        numbered = [(text, [Citation(0, passage) for passage in passages]) for text, passages in self.lines]
        citations: list[Citation] = []
        for _, cited in numbered:
            for place, citation in enumerate(cited):
                cited[place] = replace(citation, n=len(citations) + 1)
                citations.append(cited[place])
        yield Sources(tuple(citations), self.revision)
        yield Delta(self.lead)
        text = self.lead
        screen = Screen(citation.passage.text for citation in citations)
        sentences: list[AnswerSentence] = []
        for line, cited in numbered:
            shown = screen.whole(line)
            marks = "".join(f" [{citation.n}]" for citation in cited)
            opening = "\n\n- " if not sentences else "\n- "
            text += f"{opening}{shown}{marks}"
            sentences.append(AnswerSentence(shown, tuple(citation.n for citation in cited), supported=True))
            yield Delta(f"{opening}{shown}{marks}")
            yield from (Cited(citation.n) for citation in cited)
        if self.rest:
            text += f"\n\n{self.rest}"
            yield Delta(f"\n\n{self.rest}")
        yield Answer(
            question=question,
            asked=asked,
            answer=text,
            found=self.found,
            sentences=tuple(sentences),
            citations=tuple(citations),
            generator=EXTRACTIVE,
            stages=(self.stage,),
            warnings=(),
            revision=self.revision,
            took_ms=took_ms,
            narrowed=self.said,
        )


def listed(searcher: Searcher, space: Space, question: Question, asked: str, now: datetime) -> Listing | None:
    """Return the list that a question asks for, None for an ordinary question.

    asked: the question, made to stand alone. now: with its zone.
    """
    if question.as_asked or question.selection:
        return None
    if (tasks := task_question(asked, now)) is not None:
        return _tasks(searcher, space, _narrowed_further(tasks, question.chosen), asked, now)
    meant = narrowed(asked, now)
    if (mentions := mention_question(meant.text)) is None:
        return None
    chosen = question.chosen.unless_asked_for(meant.chosen)
    said = () if question.chosen.is_asked_for else meant.said
    is_written = mentions.kind == "written"
    if is_written and chosen.since_ns is None and chosen.before_ns is None:
        return None
    found = find_mentions(searcher, mentions, chosen, limit=MAX_LISTED)
    if found is None or (is_written and not found.notes):
        return None  # what no note says in these words may be found by meaning
    return _mentions(searcher, found, said, is_any=mentions.is_any, language=_language(asked))


def _language(asked: str) -> str:
    return "de" if guess_language(asked) == "de" or _GERMAN.search(asked) else "en"


def _narrowed_further(tasks: TaskQuestion, chosen: Filter) -> TaskQuestion:
    """Return a question for tasks of the notes that are chosen beside it."""
    if not chosen:
        return tasks
    asked = tasks.query.chosen
    merged = replace(
        chosen,
        tags=(*chosen.tags, *asked.tags),
        since_ns=asked.since_ns if chosen.since_ns is None else chosen.since_ns,
        before_ns=asked.before_ns if chosen.before_ns is None else chosen.before_ns,
    )
    return replace(tasks, query=replace(tasks.query, chosen=merged))


# Tasks.


def _tasks(
    searcher: Searcher, space: Space, tasks: TaskQuestion, asked: str, now: datetime
) -> Listing | None:
    query, today = tasks.query, now.date()
    found = find_tasks(searcher, query, today, MAX_LISTED)
    language = _language(asked)
    if found.tasks:
        return Listing(
            lead=_count_of(found, query, language),
            stage="tasks",
            said=tasks.said,
            revision=found.revision,
            rest=_rest(found.total - len(found.tasks), language),
            lines=[(_line(task, language), (passage_of(searcher, task),)) for task in found.tasks],
        )
    if not tasks.is_sure:
        return None
    nearest = _nearest(searcher, space, query, now)
    said = ", ".join(tasks.said)
    lead = {
        "de": f"Deine Notizen haben keine solche Aufgabe ({said}).",
        "en": f"Your notes have no such task ({said}).",
    }
    near = {"de": " Am nächsten kommen:", "en": " The nearest:"}
    return Listing(
        lead=lead[language] + (near[language] if nearest else ""),
        stage="tasks",
        said=tasks.said,
        revision=found.revision,
        found=False,
        lines=[(_line(task, language), (passage_of(searcher, task),)) for task in nearest],
    )


def _count_of(found: TaskList, query: TaskQuery, language: str) -> str:
    """Return how many there are, in words."""
    status = _STATUS[language][query.status]
    late = found.overdue if not query.overdue else 0
    if language == "de":
        noun = f"{status}Aufgabe" if found.total == 1 else f"{status}Aufgaben"
        noun = f"überfällige {noun.removeprefix(status)}" if query.overdue else noun
        return f"{found.total} {noun}{f', {late} überfällig' if late else ''}:"
    noun = "task" if found.total == 1 else "tasks"
    kind = "overdue " if query.overdue else status
    return f"{found.total} {kind}{noun}{f', {late} overdue' if late else ''}:"


def _rest(count: int, language: str) -> str:
    if count <= 0:
        return ""
    return f"Und {count} weitere: `pai tasks`." if language == "de" else f"And {count} more: `pai tasks`."


def _line(task: FoundTask, language: str) -> str:
    """Return a task as it is written, with its note and, where that does not stand there, its day."""
    told = [task.title]
    is_german = language == "de"
    if task.overdue:
        told.append(f"überfällig seit {task.due}" if is_german else f"overdue since {task.due}")
    elif task.finished and task.finished not in task.text:
        told.append(f"erledigt {task.finished}" if is_german else f"finished {task.finished}")
    elif task.status == "open" and (day := task.due or task.scheduled) and day not in task.text:
        word = ("fällig" if task.due else "geplant") if is_german else ("due" if task.due else "scheduled")
        told.append(f"{word} {day}")
    return f"{task.text} ({', '.join(told)})"


def _nearest(searcher: Searcher, space: Space, query: TaskQuery, now: datetime) -> list[FoundTask]:
    """Return the tasks that come nearest to what no task is: without its times, else by meaning."""
    wider = TaskQuery(
        status=query.status, words=query.words, chosen=replace(query.chosen, since_ns=None, before_ns=None)
    )
    if wider != query and (found := find_tasks(searcher, wider, now.date(), NEAREST).tasks):
        return list(found)
    if not query.words:
        return []
    near = searcher.search_in(space, query.words, limit=_NEAR_PASSAGES).results
    every = find_tasks(searcher, TaskQuery(status=query.status), now.date(), 10 * MAX_LISTED).tasks
    paths = list(dict.fromkeys(passage.path for passage in near))
    return sorted((task for task in every if task.path in paths), key=lambda task: paths.index(task.path))[
        :NEAREST
    ]


# Mentions.


def _mentions(
    searcher: Searcher, found: Mentions, said: tuple[str, ...], *, is_any: bool, language: str
) -> Listing:
    joint = {("de", True): " oder ", ("de", False): " und ", ("en", True): " or ", ("en", False): " and "}[
        language, is_any
    ]
    names = joint.join(found.names)
    understood = (*([f"mentioning {names}"] if names else []), *said)
    revision = searcher.index.revision
    if found.notes:
        lines = [(_told(note.title, note.passages), note.passages) for note in found.notes]
        lead = _count_of_notes(found.total, names, language)
        more = found.total - len(found.notes)
        rest = "" if more <= 0 else f"Und {more} weitere." if language == "de" else f"And {more} more."
        return Listing(lead, "mentions", understood, revision, rest=rest, lines=lines)
    counts = ", ".join(f"{name}: {count}" for name, count in zip(found.names, found.counts, strict=True))
    alone = "" if len(found.names) == 1 else f" ({counts})"
    lead = f"Keine Notiz erwähnt {names}{alone}." if language == "de" else f"No note mentions {names}{alone}."
    return Listing(lead, "mentions", understood, revision, found=False)


def _count_of_notes(total: int, names: str, language: str) -> str:
    """Return how many notes there are, and what they mention, in words."""
    one = total == 1
    if language == "de":
        noun, verb = ("Notiz", "erwähnt") if one else ("Notizen", "erwähnen")
    else:
        noun, verb = ("note", "mentions") if one else ("notes", "mention")
    return f"{total} {noun} {verb} {names}:" if names else f"{total} {noun}:"


def _told(title: str, passages: Sequence[Passage]) -> str:
    """Return a note's title and what it says, on one line."""
    quoted = " … ".join(" ".join(plain_text(passage.text).split()) for passage in passages)
    return f"{title}: {quoted}" if quoted else title
