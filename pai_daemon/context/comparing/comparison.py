"""Two notes held against each other, and the events of it being written: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from pai_daemon.context.answering.answer import AnswerSentence, Citation, Delta, GeneratorName, Notice
from pai_daemon.context.summaries.summary import NoteName
from pai_daemon.models.generation.generator import Usage


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a note, and the number of the passage it stands in."""

    text: str
    n: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences about one thing. score: their cosine. why: in what they differ, "" where they agree."""

    first: Said
    second: Said
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two notes say. `text` carries `[n]` markers; `citations` are the passages that are cited.

    both, differ: sentences that have a counterpart in the other note. only_first, only_second: the most
    central ones of those that have none; of first_alone and second_alone in all. sentences: of a generator's
    text, empty where none wrote. changed: paths that changed meanwhile. pending: passages not embedded yet.
    """

    first: NoteName
    second: NoteName
    text: str
    both: tuple[Pair, ...]
    differ: tuple[Pair, ...]
    only_first: tuple[Said, ...]
    only_second: tuple[Said, ...]
    first_alone: int
    second_alone: int
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    changed: tuple[str, ...]
    generator: GeneratorName
    stages: tuple[str, ...]
    warnings: tuple[str, ...]
    revision: int
    pending: int
    took_ms: float
    template: str = ""
    usage: Usage | None = None


ComparisonEvent = Notice | Citation | Delta | Comparison
