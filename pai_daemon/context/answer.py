"""A question, its answer and the evidence: plain values, and the events of an answer being written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pai_daemon.context.filters import EVERYTHING, Filter
from pai_daemon.context.search import Passage
from pai_daemon.models.generation.generator import Generator

DEFAULT_PASSAGES = 8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. selection: text of a note that the question is about.

    as_asked: read no time and no tag of the question as a filter.
    """

    text: str
    limit: int = DEFAULT_PASSAGES
    chosen: Filter = EVERYTHING
    selection: str = ""
    as_asked: bool = False


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
    """What wrote an answer and where that runs."""

    name: str
    location: Literal["embedded", "local", "remote"]


EXTRACTIVE = GeneratorName("extractive", "embedded")


def name_of(generator: Generator | None) -> GeneratorName:
    """Return what writes answers and where it runs; None quotes the notes."""
    return EXTRACTIVE if generator is None else GeneratorName(generator.name, generator.location)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `answer` carries `[n]` markers; `citations` are those that it cites.

    narrowed: what of the question was read as a filter, see `Narrowing.said`.
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


AnswerEvent = Sources | Delta | Cited | Answer
