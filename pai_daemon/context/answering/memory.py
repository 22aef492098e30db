"""What answers take from memory: who asks, what was remembered for a question, and what no longer holds.

Memory itself is a room further right, which hands in what is asked of it here. Its facts are passages like
any other, cited by note and block; the profile is told as background and supports nothing (D84).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, Protocol

from pai_daemon.context.answering.answer import Citation, Question
from pai_daemon.context.answering.quotes import Quote
from pai_daemon.context.passage import Passage, SearchResult

# The share of a prompt that the profile may take, and never more tokens than this.
PROFILE_TOKENS, PROFILE_SHARE = 300, 0.1
# A fact is a line; a few of them beside the passages cost little, and many would push out the notes.
RECALLED = 4
_BYTES_A_TOKEN = 3.5
NEAREST_FACT = "This is the nearest of what you had remembered, and may not be what you ask for."


@dataclass(frozen=True, slots=True)
class Background:
    """What one note tells of the person who asks. is_local: it says itself that it stays on this machine."""

    path: str
    text: str
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """A fact that bears on a question, and whether it answers it, as far as memory can tell (D99)."""

    passage: Passage
    answers: Literal["surely", "maybe", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True)
class WithFacts(SearchResult):
    """What was found, with the facts that stand before it."""

    facts: tuple[Remembered, ...] = ()


class AnswerMemory(Protocol):
    """What memory gives to answers."""

    def places(self) -> tuple[str, ...]:
        """Return the paths of memory's notes, and of folders with a slash behind, as a filter leaves out."""
        ...

    def unquoted(self) -> tuple[str, ...]:
        """Return those of its places that are no evidence for an answer: kept conversations."""
        ...

    def profile(self) -> Sequence[Background]:
        """Return who the person is, the most telling first; nothing where it is not said."""
        ...

    def recalled(self, question: str, limit: int) -> Sequence[Remembered]:
        """Return facts that bear on a question and hold now, best first."""
        ...

    def told(self, passage: Passage) -> str:
        """Return a passage's text as a person is told it: of a fact its words, without date and source."""
        ...

    def current(self, question: str, passages: Sequence[Passage]) -> Sequence[Passage]:
        """Return passages without the facts that are superseded or expired, those nearest by themselves."""
        ...


def for_memory(question: Question, memory: AnswerMemory | None) -> Question:
    """Return a question that looks at as much of memory as it asked for.

    Without memory none of its notes is looked at. Earlier answers are never evidence, even if kept.
    """
    if memory is None:
        return question
    chosen, left_out = question.chosen, memory.unquoted() if question.memory else memory.places()
    return replace(question, chosen=replace(chosen, without=(*chosen.without, *left_out)))


def with_memory(found: SearchResult, question: Question, memory: AnswerMemory | None) -> SearchResult:
    """Return what was found with what is remembered before it, and without what no longer holds.

    A question that names the notes it is about gets no others.
    """
    if memory is None or not question.memory:
        return found
    facts = () if question.chosen.is_asked_for else tuple(memory.recalled(question.text, RECALLED))
    lines = tuple(each.passage for each in facts)
    known = {(each.path, each.text) for each in lines}
    rest = (
        each for each in memory.current(question.text, found.results) if (each.path, each.text) not in known
    )
    stages = (*found.stages, "memory") if facts else found.stages
    whole = {item.name: getattr(found, item.name) for item in fields(found)}
    return WithFacts(**whole | {"results": (*lines, *rest), "stages": stages, "facts": facts})


def as_told(citations: Sequence[Citation], memory: AnswerMemory | None) -> list[Citation]:
    """Return passages with their text as it is quoted."""
    if memory is None:
        return list(citations)
    return [
        replace(each, passage=replace(each.passage, text=memory.told(each.passage))) for each in citations
    ]


def with_quoted_facts(
    found: list[Quote], facts: Sequence[Remembered], citations: Sequence[Citation], most: int
) -> tuple[list[Quote], list[str]]:
    """Return what is quoted, the fact that surely answers first, and what is to be said of that.

    Where nothing else answers, the first fact is quoted that may. citations: with text as it is quoted.
    """
    by_place = {(each.passage.path, each.passage.start_line): each for each in citations}
    for wanted in ("surely", "maybe"):
        if wanted == "maybe" and found:
            break
        for fact in facts:
            citation = by_place.get((fact.passage.path, fact.passage.start_line))
            if fact.answers == wanted and citation is not None:
                rest = [quote for quote in found if quote.n != citation.n]
                return [_whole(citation), *rest][:most], [NEAREST_FACT] if wanted == "maybe" else []
    return found, []


def _whole(citation: Citation) -> Quote:
    passage = citation.passage
    return Quote(
        n=citation.n,
        text=passage.text,
        in_context=f"{passage.trail}\n\n{passage.text}",
        coverage=1.0,
        own_coverage=1.0,
        fit=1.0,
        score=passage.score,
        other_language=False,
    )


def stays_here(note: Background, private: Collection[str]) -> bool:
    """Return whether a note must not leave this machine; its own word counts before it is indexed."""
    return note.is_local or note.path in private


def told_profile(notes: Sequence[Background], private: Collection[str] | None, budget_tokens: int) -> str:
    """Return what a generator is told of the person, within its share of a prompt.

    private: the paths of notes that it must not be told, None where it runs here and may know all. What does
    not fit is cut off at a line.
    """
    left = int(min(PROFILE_TOKENS, budget_tokens * PROFILE_SHARE) * _BYTES_A_TOKEN)
    lines: list[str] = []
    for note in notes:
        if private is not None and stays_here(note, private):
            continue
        for line in note.text.splitlines():
            left -= len(line.encode("utf-8", "replace")) + 1
            if left < 0:
                return "\n".join(lines)
            lines.append(line)
    return "\n".join(lines)
