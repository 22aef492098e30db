"""One call of a generator about numbered texts, and what its sentences rest on.

A text is a passage of a note, or what was said of some passages before. Either way a sentence of the
generator is held against the passages themselves, so that nothing comes from between the steps (D66).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pai_daemon.context.answering.answer import AnswerSentence, Citation, Notice
from pai_daemon.context.answering.prompt import fence_for, split_answer
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.answering.signals import Signals
from pai_daemon.context.answering.support import checked, nearness_by
from pai_daemon.context.answering.templates import Template
from pai_daemon.context.answering.writing import Writing
from pai_daemon.context.passage import Passage
from pai_daemon.context.space import EmbeddingModel
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.generation.generator import Generator, Message, estimate_tokens
from pai_daemon.notes.languages import language_name
from pai_daemon.notes.plain import plain_text

MARK = re.compile(r"\[(\d+)\]")
MARKS = re.compile(r"(?:\[\d+\])+")
# A sentence without a mark is held against the texts that have at least this share of its words.
WORDS_IN_COMMON = 0.5


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered text of a prompt. head: the line above it. passages: what it rests on."""

    text: str
    passages: tuple[Passage, ...]
    head: str = ""


def of_passage(passage: Passage) -> Source:
    """Return a passage as a text of a prompt."""
    return Source(plain_text(passage.text), (passage,), passage.trail)


class Numbers:
    """The passages that a text cites, numbered from 1 in the order in which it does."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], Citation] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Return all of them, in order."""
        return tuple(self._known.values())

    def of(self, passage: Passage) -> tuple[int, Citation | None]:
        """Return the number of a passage, and its citation the first time."""
        key = (passage.path, passage.start_char, passage.content_hash)
        if key in self._known:
            return self._known[key].n, None
        citation = self._known[key] = Citation(len(self._known) + 1, passage)
        return citation.n, citation

    def put(self, text: str, sources: Sequence[Source]) -> tuple[str, list[Citation]]:
        """Return a text with the numbers of passages in place of those of sources, and the new passages."""
        new: list[Citation] = []

        def numbers(marks: str) -> str:
            found: dict[int, None] = {}
            for mark in map(int, MARK.findall(marks)):
                for passage in sources[mark - 1].passages:
                    number, citation = self.of(passage)
                    found[number] = None
                    new.extend([citation] if citation else [])
            return "".join(f"[{number}]" for number in found)

        return MARKS.sub(lambda found: numbers(found[0]), text), new


class Call:
    """One text written about some sources. text: what of it may be shown, with the numbers of the sources."""

    def __init__(
        self,
        generator: Generator,
        messages: Sequence[Message],
        sources: Sequence[Source],
        max_tokens: int,
        deadline_s: float,
    ) -> None:
        self.messages = messages
        self.sources = sources
        self.text = ""
        self.writing = Writing(generator, messages, max_tokens, deadline_s)
        self.screen = Screen("\n".join(passage.text for passage in source.passages) for source in sources)

    async def pieces(self) -> AsyncGenerator[str | Notice, None]:
        """Yield what may be shown, piece by piece; a mark is never cut."""
        async with aclosing(self.writing.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    yield piece
                elif shown := self.screen.feed(piece):
                    self.text += shown
                    yield shown
        if rest := self.screen.end():
            self.text += rest
            yield rest
        if self.writing.ending == "whole" and not self.text.strip():
            self.writing.ending, self.writing.why = "failed", "Nothing of its text could be shown."

    async def whole(self) -> bool:
        """Write all of it; return whether it came to its end."""
        async with aclosing(self.pieces()) as pieces:
            async for _ in pieces:
                pass
        return self.writing.ending == "whole"


def messages_of(
    told: Template, section: str, sources: Sequence[Source], count: int, language: str | None, **values: str
) -> list[Message]:
    """Return the prompt about some sources. language: to write in, None for that of the sources."""
    lines = [
        f"[{number}] {source.head}\n{source.text}".strip() for number, source in enumerate(sources, start=1)
    ]
    fence = fence_for([*lines, *values.values()])
    fenced = f"<{fence}>\n" + "\n\n".join(lines) + f"\n</{fence}>"
    spoken = f"Write in {language_name(language)}." if language else "Write in the language of the notes."
    user = told.fill(
        section, passages=fenced, statements=fenced, fence=fence, count=str(count), language=spoken, **values
    )
    return [Message("system", told.fill("system", fence=fence, count=str(count))), Message("user", user)]


def prompt_tokens(told: Template, section: str) -> int:
    """Return about how many tokens a prompt has without any source."""
    return estimate_tokens(messages_of(told, section, (), 99, "en", first="", second=""))


def held(
    text: str,
    sources: Sequence[Source],
    numbers: Sequence[Sequence[int]],
    citations: Sequence[Citation],
    *,
    embedder: EmbeddingModel | None,
    language: str,
) -> list[AnswerSentence]:
    """Return the sentences of a text, each with those citations of its sources that support it.

    numbers: of each source, the numbers of its citations.
    """
    texts, marked = split_answer(text, len(sources))
    marked = [marks or _nearest(said, sources) for said, marks in zip(texts, marked, strict=True)]
    claimed = [tuple(dict.fromkeys(n for mark in marks for n in numbers[mark - 1])) for marks in marked]
    wanted = {n for each in claimed for n in each}
    evidence = [citation for citation in citations if citation.n in wanted]
    nearness = None
    if embedder is not None and texts and evidence:
        try:
            nearness = nearness_by(embedder, texts, evidence, language)
        except ModelUnavailable:
            nearness = None  # words decide
    return checked(texts, claimed, evidence, "", nearness)


def _nearest(text: str, sources: Sequence[Source]) -> tuple[int, ...]:
    """Return the number of the source that has most of a sentence's words, for one that names none."""
    signals = Signals(text)
    best = max(
        (
            (signals.coverage(f"{source.head}\n{source.text}"), -number)
            for number, source in enumerate(sources, 1)
        ),
        default=(0.0, 0),
    )
    return (-best[1],) if best[0] >= WORDS_IN_COMMON else ()
