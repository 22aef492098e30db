"""Summaries of the notes of a folder, of a tag, of any filter, or of one note (D66).

Without a generator the most central sentences are quoted, by note. With one the notes are read part by
part, and what is said of them is joined; each sentence is held against the passages that it cites, as an
answer's are.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pai_daemon.context.answering.answer import (
    EXTRACTIVE,
    AnswerSentence,
    Citation,
    Delta,
    GeneratorName,
    last_of,
    name_of,
)
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.answering.templates import Template, usable
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import Space
from pai_daemon.context.summaries.plan import Plan, planned
from pai_daemon.context.summaries.quoting import ALSO, Quoted, quote
from pai_daemon.context.summaries.reduction import Order, Reduction
from pai_daemon.context.summaries.scope import Scope, ScopedNote, in_words
from pai_daemon.context.summaries.summary import Estimate, NoteName, Summary, SummaryEvent, Task, Topic
from pai_daemon.context.summaries.telling import MARK, Numbers, Source, held, prompt_tokens
from pai_daemon.models.generation.generator import Generator, Usage
from pai_daemon.models.generation.generators import Chosen, Generators
from pai_daemon.notes.language import known_language

# One call may take so many times as long as an answer: it reads more.
CALL_SHARE = 2.0
BUDGET_S = 120.0
LONGEST_S = 1e9
# By so many notes, at even distances, it is decided in which language to write.
LANGUAGE_NOTES = 40
NAMED = 3
ALSO_IN = {"de": "auch", "es": "también", "fr": "aussi", "it": "anche", "nl": "ook", "pt": "também"}


@dataclass(slots=True)
class Job:
    """A summary in the making, planned by `Summarizer.planned`."""

    task: Task
    notes: Sequence[ScopedNote]
    estimate: Estimate
    generator: Generator | None = None
    plan: Plan | None = None
    told: Template | None = None
    window: int = 0
    language: str | None = None
    warnings: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)
    text: str = ""
    sentences: list[AnswerSentence] = field(default_factory=list)
    topics: tuple[Topic, ...] = ()
    wrote: GeneratorName = EXTRACTIVE
    notes_read: int = 0
    usage: Usage | None = None


class Summarizer:
    """Summarises notes of one vault. Each step is taken in the space that answers then."""

    def __init__(
        self,
        searcher: Searcher,
        generators: Generators | None = None,
        *,
        budget_s: float = BUDGET_S,
        own_templates: Path | None = None,
    ) -> None:
        """Name what writes, None to quote. budget_s: of an answer; one call may take twice as long."""
        self._scope = Scope(searcher)
        self._searcher = searcher
        self._generators = generators or Generators(Chosen(None))
        self._call_s = budget_s * CALL_SHARE
        self._own_templates = own_templates

    async def estimate(self, task: Task) -> Estimate:
        """Return what a summary will cost; nothing is read for it. Raises NotFound where no note is meant."""
        return (await self.planned(task)).estimate

    async def summarize(self, task: Task) -> Summary:
        """Return the whole summary. Raises NotFound where no note is meant."""
        return await last_of(self.stream(task), Summary)

    async def stream(self, task: Task | Job) -> AsyncGenerator[SummaryEvent, None]:
        """Yield the estimate, then what is done and written, last the whole Summary. Closing it stops all.

        task: or what was planned of it, which is done once.
        """
        started_s = time.perf_counter()
        job = task if isinstance(task, Job) else await self.planned(task)
        yield job.estimate
        if job.plan is not None:
            async with aclosing(self._written(job)) as written:
                async for event in written:
                    yield event
        if not job.sentences:
            for quoted in await asyncio.to_thread(self._quoted, job):
                yield quoted
        yield await asyncio.to_thread(self._finished, job, started_s)

    # Before.

    async def planned(self, task: Task) -> Job:
        """Return what is to be done; nothing is read for it. Raises NotFound where no note is meant."""
        chosen = self._generators.chosen
        generator = chosen.generator
        notes = await asyncio.to_thread(self._scope.notes, task.chosen)
        told = notes
        if generator is not None and generator.location == "remote":
            private = await asyncio.to_thread(self._searcher.index.private_paths)
            told = tuple(note for note in notes if note.path not in private)
        estimate = Estimate(
            about=in_words(task.chosen),
            notes=len(notes),
            passages=sum(len(note.ids) for note in notes),
            tokens=0,
            calls=0,
            seconds=0.0,
            kept_back=len(notes) - len(told),
            pending=self._scope.pending,
            generator=name_of(generator if told else None, chosen.why),
        )
        job = Job(task, notes, estimate)
        if estimate.pending:
            job.warnings.append(f"{estimate.pending} passages are not embedded yet.")
        if estimate.kept_back and generator is not None:
            kept = f"{estimate.kept_back} of the notes stay on this machine"
            job.warnings.append(f"{kept} and were not sent to {generator.name}.")
        if generator is None or not told:
            return job
        job.told = usable("summarize", self._own_templates, job.warnings)
        job.window = await generator.window()
        tokens = max(prompt_tokens(job.told, section) for section in ("user", "join"))
        job.generator = generator
        job.plan = plan = planned(told, job.window, tokens, task.limit)
        seconds = self._generators.pace.seconds(generator.name, plan.tokens, plan.written_tokens(task.limit))
        job.estimate = replace(
            estimate,
            tokens=plan.tokens,
            calls=plan.calls,
            seconds=None if seconds is None else round(seconds, 1),
        )
        return job

    def _language(self, notes: Sequence[ScopedNote]) -> str | None:
        """Return the language of most of the notes, None where they do not say."""
        count = min(len(notes), LANGUAGE_NOTES)
        sample = [notes[place * len(notes) // count] for place in range(count)]
        passages = self._scope.passages([item for note in sample for item in (note.ids[0], note.ids[-1])])
        votes = Counter(filter(None, (known_language(passage.text) for passage in passages.values())))
        return votes.most_common(1)[0][0] if votes else None

    # With a generator.

    async def _written(self, job: Job) -> AsyncGenerator[SummaryEvent, None]:
        assert job.generator is not None
        assert job.plan is not None
        assert job.told is not None
        job.language = await asyncio.to_thread(self._language, job.notes)
        job.stages.append("read")
        deadline_s = asyncio.get_running_loop().time() + (job.task.budget_s or LONGEST_S)
        order = Order(
            job.generator,
            job.told,
            job.plan,
            job.task.limit,
            job.window,
            job.language,
            self._call_s,
            deadline_s,
        )
        reduction = Reduction(order, self._generators, self._scope, partial(self._borrow, job.notes))
        async with aclosing(reduction.events()) as events:
            async for step in events:
                yield step
        outcome = reduction.outcome
        job.usage, job.numbers = outcome.usage, reduction.numbers
        job.notes_read = len(outcome.paths)
        job.stages += [*(["join"] if len(job.plan.parts) > 1 and outcome.raw else []), *outcome.endings]
        job.warnings += _told(reduction)
        if outcome.raw.strip():
            job.text = outcome.text
            job.wrote = name_of(job.generator, job.estimate.generator.why)
            await asyncio.to_thread(self._checked, job, outcome.raw, outcome.sources)
        if not outcome.is_written and outcome.sources and len(job.plan.parts) > 1:
            # The parts were read: what was said of them is the summary, as far as it goes.
            job.stages.append("statements")
            for event in _listed(job, outcome.sources):
                yield event

    @contextmanager
    def _borrow(self, notes: Sequence[ScopedNote]) -> Iterator[Space]:
        """Lend the space that answers, without an embedder elsewhere where one of the notes stays here."""
        with self._searcher.borrow() as space:
            if is_beyond(space.embedder):
                private = self._searcher.index.private_paths()
                kept = any(note.path in private for note in notes)
                yield replace(space, embedder=None) if kept else space
            else:
                yield space

    def _checked(self, job: Job, raw: str, sources: Sequence[Source]) -> None:
        numbers = [tuple(job.numbers.of(passage)[0] for passage in source.passages) for source in sources]
        with self._borrow(job.notes) as space:
            job.sentences = held(
                raw,
                sources,
                numbers,
                job.numbers.citations,
                embedder=space.embedder,
                language=job.language or "en",
            )
        job.stages.append("check")

    # Without one.

    def _quoted(self, job: Job) -> list[SummaryEvent]:
        """Quote the notes; return the events of it."""
        job.stages.append("extract")
        job.wrote = name_of(None, job.estimate.generator.why)
        with self._borrow(job.notes) as space:
            quoted = quote(self._scope, space, job.notes, job.task.limit)
        job.notes_read = len(job.notes)
        if not quoted:
            job.warnings.append("Nothing there is a sentence that could be quoted.")
        texts = [passage.text for each in quoted for _, passage in each.sentences]
        language = known_language("\n".join(texts)) or "en"
        events: list[SummaryEvent] = []
        topics = []
        for each in quoted:
            topic, found = self._topic(job, each, Screen(texts), ALSO_IN.get(language, "also"))
            topics.append(topic)
            events += found
        job.topics = tuple(topics)
        return events

    def _topic(
        self, job: Job, each: Quoted, screen: Screen, also_in: str
    ) -> tuple[Topic, list[SummaryEvent]]:
        events: list[SummaryEvent] = []
        first = len(job.sentences)
        said = []
        for text, passage in each.sentences:
            number, citation = job.numbers.of(passage)
            events += [citation] if citation else []
            shown = screen.whole(text)
            said.append(f"{shown} [{number}]")
            job.sentences.append(AnswerSentence(shown, (number,), supported=True))
        also = tuple(self._name(note) for note in each.also[:ALSO])
        others = len(each.also) - len(also)
        line = f"- {self._scope.link(each.note)} — {' '.join(said)}"
        if also:
            more = f" +{others}" if others else ""
            line += f" ({also_in}: {', '.join(name.link for name in also)}{more})"
        events.append(Delta(f"\n{line}" if job.text else line))
        job.text += f"\n{line}" if job.text else line
        places = tuple(range(first, len(job.sentences)))
        return Topic(self._name(each.note), places, also, others), events

    def _name(self, note: ScopedNote) -> NoteName:
        return NoteName(note.path, note.title, self._scope.link(note))

    # After.

    def _finished(self, job: Job, started_s: float) -> Summary:
        shown = {int(number) for number in MARK.findall(job.text)}
        shown |= {number for sentence in job.sentences for number in sentence.citations}
        citations = tuple(
            Citation(each.n, self._scope.now(each.passage))
            for each in job.numbers.citations
            if each.n in shown
        )
        changed = sorted({each.passage.path for each in citations if each.passage.stale})
        if changed:
            job.warnings.append(f"Changed since it was read: {_some(changed)}.")
        return Summary(
            about=job.estimate.about,
            summary=job.text.strip(),
            topics=job.topics,
            sentences=tuple(job.sentences),
            citations=citations,
            estimate=job.estimate,
            notes_read=job.notes_read,
            changed=tuple(changed),
            generator=job.wrote,
            stages=(*job.stages,),
            warnings=(*job.warnings,),
            revision=self._scope.revision,
            pending=self._scope.pending,
            took_ms=round((time.perf_counter() - started_s) * 1000, 1),
            template=job.told.version if job.told is not None and "read" in job.stages else "",
            usage=job.usage,
        )


def _listed(job: Job, sources: Sequence[Source]) -> list[SummaryEvent]:
    """Add the statements of the parts to a text that is not whole, as many as the summary may have."""
    events: list[SummaryEvent] = []
    wanted = min(job.task.limit, len(sources))
    for place in range(wanted):
        source = sources[place * len(sources) // wanted]
        numbers = []
        for passage in source.passages:
            number, citation = job.numbers.of(passage)
            numbers.append(number)
            events += [citation] if citation else []
        gap = "" if not job.text else "\n" if place else "\n\n"
        piece = f"{gap}- {source.text} {''.join(f'[{number}]' for number in numbers)}"
        job.text += piece
        job.sentences.append(AnswerSentence(source.text, tuple(numbers), supported=True))
        events.append(Delta(piece))
    return events


def _told(reduction: Reduction) -> list[str]:
    """Return what must be said of how a summary was written."""
    outcome, found = reduction.outcome, []
    if outcome.unread:
        why = outcome.unread[0][1]
        paths = list(dict.fromkeys(note.path for unread, _ in outcome.unread for note in unread.notes))
        found.append(f"Quoted, since they could not be summarised: {_some(paths)}. {why}")
    if not outcome.is_written and not any(outcome.why in told for told in found):
        rest = "Its text breaks off, and quotes follow." if outcome.raw.strip() else "Your notes are quoted."
        found.append(f"{outcome.why or 'The time was up.'} {rest}")
    if outcome.dropped:
        found.append(
            f"{outcome.dropped} statements about parts of the notes had no support there, and were dropped."
        )
    if outcome.taken_out:
        found.append("Images, or addresses that stand in none of the passages, were taken out.")
    return found


def _some(paths: Sequence[str]) -> str:
    """Return the first of some paths, and how many more there are."""
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more
