"""A summary of notes, what it will cost, and the events of one being written: plain values."""

from __future__ import annotations

from dataclasses import dataclass

from pai_daemon.context.answering.answer import AnswerSentence, Citation, Delta, GeneratorName, Notice
from pai_daemon.context.filters import Filter
from pai_daemon.models.generation.generator import Usage

DEFAULT_SENTENCES = 12


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be summarised.

    limit: how many sentences at most. budget_s: how long all of it may take; what is not read by then is
    quoted. None for as long as it takes.
    """

    chosen: Filter
    limit: int = DEFAULT_SENTENCES
    budget_s: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a summary will cost, before anything is read.

    about: which notes, in words. tokens: that the generator reads, about; calls: how often it is asked, and
    never more often. seconds: by its speed in earlier answers, None where that is not known. kept_back:
    notes that are not sent to it, since they stay on this machine. pending: passages not embedded yet.
    """

    about: str
    notes: int
    passages: int
    tokens: int
    calls: int
    seconds: float | None
    kept_back: int
    pending: int
    generator: GeneratorName


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is done. note: the path of the last note that was read; notes: how many so far.

    text: what this step keeps, as a list in Markdown with a link to each source. left_s: about how long
    the rest takes.
    """

    done: int
    total: int
    notes: int
    note: str
    text: str
    left_s: float | None


@dataclass(frozen=True, slots=True)
class NoteName:
    """A note by its path and title, and a link that opens it."""

    path: str
    title: str
    link: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A note that is quoted. sentences: their places in the summary's list.

    also: the notes that it stands for and that are nearest to it; others: how many more there are.
    """

    note: NoteName
    sentences: tuple[int, ...]
    also: tuple[NoteName, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole summary. `summary` carries `[n]` markers; `citations` are the passages that it cites.

    topics: the notes it is grouped by, empty where a generator wrote it. notes_read: of how many notes
    something was read. changed: paths of cited notes that changed meanwhile. pending: see Estimate.
    """

    about: str
    summary: str
    topics: tuple[Topic, ...]
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    estimate: Estimate
    notes_read: int
    changed: tuple[str, ...]
    generator: GeneratorName
    stages: tuple[str, ...]
    warnings: tuple[str, ...]
    revision: int
    pending: int
    took_ms: float
    template: str = ""
    usage: Usage | None = None


SummaryEvent = Estimate | Step | Notice | Delta | Citation | Summary
