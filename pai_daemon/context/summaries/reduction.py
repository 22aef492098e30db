"""A summary that a generator writes: the parts one after another, then their statements joined (D66).

What a part says is kept only where a passage supports it, so that a slip is not passed on. A part that
fails is quoted from, and after some failures in a row the generator is not asked any more. In memory are
the passages of the part that is read, and those that statements rest on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, field

from pai_daemon.context.answering.answer import Citation, Delta, Notice
from pai_daemon.context.answering.templates import Template
from pai_daemon.context.space import Space
from pai_daemon.context.summaries.plan import PART_SENTENCES, STATEMENTS_TOKENS, Part, Plan, answer_tokens
from pai_daemon.context.summaries.quoting import quote
from pai_daemon.context.summaries.scope import Scope, ScopedNote
from pai_daemon.context.summaries.summary import Step
from pai_daemon.context.summaries.telling import Call, Numbers, Source, held, messages_of, of_passage
from pai_daemon.models.generation.generator import Generator, Message, Usage, estimate_tokens
from pai_daemon.models.generation.generators import Generators

FAILURES = 2
QUOTED_OF_A_PART = 4
MARKS_A_STATEMENT = 3


Borrow = Callable[[], AbstractContextManager[Space]]


@dataclass(frozen=True, slots=True)
class Order:
    """How a summary is to be written.

    limit: its sentences. window: of the generator. language: to write in. call_s: how long one call may
    take; deadline_s: until when all of it may, by the clock of the event loop.
    """

    generator: Generator
    told: Template
    plan: Plan
    limit: int
    window: int
    language: str | None
    call_s: float
    deadline_s: float


@dataclass(slots=True)
class Outcome:
    """What came of the calls. text: the last one's, as shown; raw: with the numbers of its sources instead.

    sources: what the last text was written from. unread: the parts that were quoted from, and why.
    dropped: statements that no passage supported.
    """

    text: str = ""
    raw: str = ""
    sources: list[Source] = field(default_factory=list)
    is_written: bool = False
    unread: list[tuple[Part, str]] = field(default_factory=list)
    dropped: int = 0
    taken_out: int = 0
    paths: dict[str, None] = field(default_factory=dict)
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    why: str = ""
    endings: dict[str, None] = field(default_factory=dict)

    @property
    def usage(self) -> Usage | None:
        """Return what all calls cost together, None where nobody said."""
        if not self.prompt_tokens + self.completion_tokens:
            return None
        return Usage(self.prompt_tokens, self.completion_tokens)


class Reduction:
    """One summary being written. borrow: lends the space that answers, anew for each step."""

    def __init__(self, order: Order, generators: Generators, scope: Scope, borrow: Borrow) -> None:
        self._order = order
        self._generators = generators
        self._scope = scope
        self._borrow = borrow
        self._failures = 0
        self._started_s = asyncio.get_running_loop().time()
        self.numbers = Numbers()
        self.outcome = Outcome()

    async def events(self) -> AsyncGenerator[Step | Notice | Citation | Delta, None]:
        """Yield what happens; `outcome` says what came of it. Closing it stops the generator."""
        parts = self._order.plan.parts
        if len(parts) == 1:
            sources = await asyncio.to_thread(self._sources, parts[0])
            async with aclosing(self._last("user", sources)) as events:
                async for event in events:
                    yield event
            return
        said: dict[tuple[int, int], list[Source]] = {}
        joins = self._order.plan.joins
        for done, (level, at) in enumerate(self._order.plan.steps, start=1):
            if self._gave_up:
                break
            if not level:
                said[level, at] = await self._part(parts[at])
            else:
                below = [source for place in joins[level - 1][at] for source in said.pop((level - 1, place))]
                said[level, at] = await self._join(below)
            path = "" if level else parts[at].notes[-1].path
            yield self._progress(done, path, said[level, at])
        sources = [source for statements in said.values() for source in statements]
        if self._gave_up:
            await asyncio.to_thread(self._give_up, sources)
            return
        async with aclosing(self._last("join", sources)) as ending:
            async for event in ending:
                yield event

    def _give_up(self, sources: list[Source]) -> None:
        """Quote what is not read yet; where nothing was written at all, quotes of all notes say more."""
        outcome = self.outcome
        rest = [part for part in self._order.plan.parts if part.notes[-1].path not in outcome.paths]
        if len(outcome.unread) == outcome.calls:
            outcome.unread = []
            return
        why = outcome.why or "The time was up."
        outcome.unread += [(part, why) for part in rest]
        notes = tuple(note for part in rest for note in part.notes)
        outcome.sources = [*sources, *(self._quoted(notes, PART_SENTENCES) if notes else ())]

    # One call each.

    async def _part(self, part: Part) -> list[Source]:
        """Return the statements of a part, or quotes from it."""
        self.outcome.paths.update(dict.fromkeys(note.path for note in part.notes))
        sources = await asyncio.to_thread(self._sources, part)
        if not sources:
            return []
        count = max(2, min(PART_SENTENCES, 2 * len(sources)))
        call = await self._call("user", sources, count)
        if call is not None and call.writing.ending == "whole":
            if statements := await asyncio.to_thread(self._statements, call):
                return statements
            why = "none of its sentences was supported by a passage."
        else:
            why = call.writing.why if call is not None else self.outcome.why
        self.outcome.unread.append((part, why))
        return await asyncio.to_thread(self._quoted, part.notes, QUOTED_OF_A_PART)

    async def _join(self, sources: list[Source]) -> list[Source]:
        """Return fewer statements that say the same; where that fails, the first ones of each."""
        call = await self._call("join", sources, PART_SENTENCES) if sources else None
        if call is not None and call.writing.ending == "whole":
            return await asyncio.to_thread(self._statements, call) or _fitting(sources)
        return _fitting(sources)

    async def _last(
        self, section: str, sources: list[Source]
    ) -> AsyncGenerator[Step | Notice | Citation | Delta, None]:
        """Write the summary itself, piece by piece."""
        outcome = self.outcome
        outcome.sources = sources
        outcome.paths.update(dict.fromkeys(passage.path for each in sources for passage in each.passages))
        call = self._begun(section, sources, self._order.limit) if sources and not self._gave_up else None
        if call is None:
            return
        async with aclosing(call.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    yield piece
                    continue
                shown, new = self.numbers.put(piece, sources)
                for citation in new:
                    yield citation
                outcome.text += shown
                yield Delta(shown)
        self._ended(call)
        outcome.raw = call.text
        outcome.is_written = call.writing.ending == "whole"

    async def _call(self, section: str, sources: list[Source], count: int) -> Call | None:
        """Return a call that has ended in some way, None where the generator is not asked any more."""
        if self._gave_up:
            return None
        call = self._begun(section, sources, count)
        await call.whole()
        self._ended(call)
        return call

    def _begun(self, section: str, sources: list[Source], count: int) -> Call:
        messages = messages_of(self._order.told, section, sources, count, self._order.language)
        deadline_s = min(asyncio.get_running_loop().time() + self._order.call_s, self._order.deadline_s)
        self.outcome.calls += 1
        return Call(
            self._order.generator, messages, sources, answer_tokens(count, self._order.window), deadline_s
        )

    def _ended(self, call: Call) -> None:
        writing, outcome = call.writing, self.outcome
        self._generators.pace.learn(
            self._order.generator.name, call.messages, call.text, writing.first_s, writing.took_s
        )
        if writing.usage is not None:
            outcome.prompt_tokens += writing.usage.prompt_tokens or 0
            outcome.completion_tokens += writing.usage.completion_tokens or 0
        outcome.taken_out += call.screen.taken_out
        if writing.ending == "whole":
            self._failures = 0
            return
        self._failures += 1
        outcome.why = writing.why
        outcome.endings[writing.ending] = None
        if self._gave_up and writing.ending == "failed":
            self._generators.failed(self._order.generator)

    @property
    def _gave_up(self) -> bool:
        return self._failures >= FAILURES or asyncio.get_running_loop().time() >= self._order.deadline_s

    # What is read, and what is kept of it; on other threads.

    def _sources(self, part: Part) -> list[Source]:
        return [of_passage(passage) for passage in self._scope.passages(part.ids).values()]

    def _quoted(self, notes: Sequence[ScopedNote], count: int) -> list[Source]:
        with self._borrow() as space:
            quoted = quote(self._scope, space, notes, count)
        return [
            Source(text, (passage,), passage.title) for each in quoted for text, passage in each.sentences
        ]

    def _statements(self, call: Call) -> list[Source]:
        """Return the sentences of a call that a passage supports, with these passages."""
        numbers = Numbers()
        of_source = [tuple(numbers.of(passage)[0] for passage in each.passages) for each in call.sources]
        with self._borrow() as space:
            sentences = held(
                call.text,
                call.sources,
                of_source,
                numbers.citations,
                embedder=space.embedder,
                language=self._order.language or "en",
            )
        kept = []
        for sentence in sentences:
            if sentence.supported:
                passages = tuple(numbers.citations[n - 1].passage for n in sentence.citations)
                kept.append(Source(sentence.text, passages[:MARKS_A_STATEMENT], passages[0].title))
        self.outcome.dropped += len(sentences) - len(kept)
        return _fitting(kept)

    def _progress(self, done: int, path: str, said: Sequence[Source]) -> Step:
        total = self._order.plan.calls
        taken_s = asyncio.get_running_loop().time() - self._started_s
        text = "\n".join(f"- {source.text} {source.passages[0].link}" for source in said)
        left_s = round(taken_s / done * (total - done), 1)
        return Step(done, total, len(self.outcome.paths), path, text, left_s)


def _fitting(sources: Sequence[Source]) -> list[Source]:
    """Return the first of some statements, as many as the plan has room for."""
    kept: list[Source] = []
    used = 0
    for source in sources[:PART_SENTENCES]:
        used += estimate_tokens([Message("user", f"{source.head}\n{source.text}")])
        if kept and used > STATEMENTS_TOKENS:
            break
        kept.append(source)
    return kept
