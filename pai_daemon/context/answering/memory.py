"""What answers take from memory: who asks, what was remembered for a question, and what no longer holds.

Memory itself is a room further right, which hands in what is asked of it here. Its facts are passages like
any other, cited by note and block; the profile is told as background and supports nothing (D84).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pai_daemon.context.answering.answer import Question
from pai_daemon.context.search import Passage, SearchResult

# The share of a prompt that the profile may take, and never more tokens than this.
PROFILE_TOKENS, PROFILE_SHARE = 300, 0.1
# A fact is a line; a few of them beside the passages cost little, and many would push out the notes.
RECALLED = 4
_BYTES_A_TOKEN = 3.5


@dataclass(frozen=True, slots=True)
class Background:
    """What one note tells of the person who asks. is_local: it says itself that it stays on this machine."""

    path: str
    text: str
    is_local: bool = False


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

    def recalled(self, question: str, limit: int) -> Sequence[Passage]:
        """Return facts that bear on a question and hold now, best first."""
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
    known = {(each.path, each.text) for each in facts}
    rest = (
        each for each in memory.current(question.text, found.results) if (each.path, each.text) not in known
    )
    stages = (*found.stages, "memory") if facts else found.stages
    return replace(found, results=(*facts, *rest), stages=stages)


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
