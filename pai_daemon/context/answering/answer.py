"""A question, its answer and the evidence: plain values, and the events of an answer being written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.passage import Passage
from pai_daemon.models.generation.generator import Generator, Place, Usage

DEFAULT_PASSAGES = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said before in a conversation, by the person (`user`) or in an answer (`assistant`)."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    selection: text of a note that the question is about. note: path of the note that is open, whose passages
    come first. history: what was said before, oldest first. budget_s: how long an answer may take to be
    written, None for what the settings say. as_asked: read no time, tag, task or name of the question as a
    filter. memory: whether what is remembered may be used.
    """

    text: str
    limit: int = DEFAULT_PASSAGES
    chosen: Filter = EVERYTHING
    selection: str = ""
    note: str = ""
    history: tuple[Turn, ...] = ()
    budget_s: float | None = None
    as_asked: bool = False
    memory: bool = True


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage an answer may rest on, by the number that its marker carries."""

    n: int
    passage: Passage


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence, the citations it rests on, and whether a cited passage supports it."""

    text: str
    citations: tuple[int, ...]
    supported: bool


@dataclass(frozen=True, slots=True)
class GeneratorName:
    """What wrote an answer and where that runs. why: it and no other, "" where the settings name it."""

    name: str
    location: Place
    why: str = ""


EXTRACTIVE = GeneratorName("extractive", "embedded")


def name_of(generator: Generator | None, why: str = "") -> GeneratorName:
    """Return what writes answers and where it runs; None quotes the notes."""
    if generator is None:
        return GeneratorName(EXTRACTIVE.name, EXTRACTIVE.location, why)
    return GeneratorName(generator.name, generator.location, why)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `answer` carries `[n]` markers; `citations` are those that it cites.

    asked: the question as it was searched for, a follow-up made to stand alone. narrowed: what of it was read
    as a filter, see `Narrowing.said`. template: the version of what the generator was told, "" where none
    wrote. usage: what it cost, None where nobody said. nearest: where the notes do not say, the passages
    that come nearest, each of another note.
    """

    question: str
    answer: str
    found: bool
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    generator: GeneratorName
    stages: tuple[str, ...]
    warnings: tuple[str, ...]
    revision: int
    took_ms: float
    narrowed: tuple[str, ...] = ()
    asked: str = ""
    template: str = ""
    usage: Usage | None = None
    nearest: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """What is waited for while nothing is written, in words. preview: the answer without any generator."""

    text: str
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that an answer will be written from."""

    citations: tuple[Citation, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """The number of a passage, the first time that the answer cites it."""

    n: int


Whole = TypeVar("Whole")


async def last_of(events: AsyncGenerator[Any, None], kind: type[Whole]) -> Whole:
    """Return the event of a kind that a stream ends with: the whole of what it told in pieces."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError("the stream broke off without an error")


AnswerEvent = Sources | Notice | Delta | Cited | Answer
