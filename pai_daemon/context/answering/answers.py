"""Answers from the notes, with evidence: every sentence names the passage it rests on (D11).

Without a generator the answer is extractive: the two sentences that answer best are quoted, see
`extract`. A generator's answer is checked sentence by sentence against the passages it was given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from pai_daemon.context.answering.answer import (
    EXTRACTIVE,
    Answer,
    AnswerEvent,
    AnswerSentence,
    Citation,
    Cited,
    Delta,
    GeneratorName,
    Notice,
    Question,
    Sources,
    Turn,
    last_of,
    name_of,
)
from pai_daemon.context.answering.conversations import Conversations
from pai_daemon.context.answering.direct import direct
from pai_daemon.context.answering.draft import Draft
from pai_daemon.context.answering.extract import QUOTED, by_words, closest
from pai_daemon.context.answering.followup import REWRITE_S, standing_alone
from pai_daemon.context.answering.listing import listed
from pai_daemon.context.answering.memory import (
    AnswerMemory,
    as_told,
    for_memory,
    stays_here,
    told_profile,
    with_memory,
    with_quoted_facts,
)
from pai_daemon.context.answering.private import public, without_private_words
from pai_daemon.context.answering.prompt import (
    HISTORY_SHARE,
    MAX_ANSWER_TOKENS,
    REFUSAL,
    SELECTION_CHARACTERS,
    build_prompt,
    markers,
    split_answer,
)
from pai_daemon.context.answering.quotes import Quote, quotes
from pai_daemon.context.answering.support import checked, nearness_by
from pai_daemon.context.answering.templates import usable
from pai_daemon.context.answering.writing import Writing
from pai_daemon.context.passage import Passage, SearchResult
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.questions.narrowing import Narrowing, narrowed
from pai_daemon.context.search import Searcher, checked_query
from pai_daemon.context.space import Space
from pai_daemon.context.store.words import plain
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.generation.generator import Generator, GeneratorEvent, Message
from pai_daemon.models.generation.generators import Chosen, Generators

# Sentences of more passages than this cost more time than they add.
EXTRACT_PASSAGES = 6
# So many passages of the open note come first.
NOTE_PASSAGES = 2
BUDGET_S = 120.0
# Nobody waits longer for a question to be made to stand alone than this share of the time for the answer.
REWRITE_SHARE = 0.25


class Answerer:
    """Answers questions on one vault; one question in one space, whatever is switched meanwhile."""

    def __init__(
        self,
        searcher: Searcher,
        generators: Generators | None = None,
        *,
        budget_s: float = BUDGET_S,
        own_templates: Path | None = None,
        memory: AnswerMemory | None = None,
    ) -> None:
        """Name what writes, None to quote.

        budget_s: how long a generator may write; then the notes are quoted. own_templates: a folder. memory:
        what is remembered, None where nothing is.
        """
        self._searcher = searcher
        self._generators = generators or Generators(Chosen(None))
        self._budget_s = budget_s
        self._own_templates = own_templates
        self._memory = memory
        self._conversations = Conversations(own_templates)

    @property
    def generator(self) -> GeneratorName:
        """Return what writes answers."""
        chosen = self._generators.chosen
        return name_of(chosen.generator, chosen.why)

    async def ask(self, question: Question) -> Answer:
        """Return the whole answer. Raises UsageError and Overloaded."""
        return await last_of(self.stream(question), Answer)

    async def stream(self, question: Question) -> AsyncGenerator[AnswerEvent, None]:
        """Yield the sources, then the answer as it is written, last the whole Answer."""
        with self._searcher.borrow() as space:
            async with aclosing(self._stream(question, space)) as events:
                async for event in events:
                    yield event

    async def _stream(self, question: Question, space: Space) -> AsyncGenerator[AnswerEvent, None]:
        started_s = time.perf_counter()
        chosen = self._generators.chosen
        generator = chosen.generator
        budget_s = question.budget_s or self._budget_s
        deadline_s = asyncio.get_running_loop().time() + budget_s
        is_told_elsewhere, is_searched_elsewhere = _is_elsewhere(generator), is_beyond(space.embedder)
        spared = question = for_memory(question, self._memory)
        if is_told_elsewhere or is_searched_elsewhere:
            spared = without_private_words(question, await self._private_paths())
        told = spared if is_told_elsewhere else question
        searched = spared if is_searched_elsewhere else question
        original = asked = checked_query(question.text)
        if question.history:
            # What a rewriting makes of earlier answers is searched for.
            asked = await standing_alone(
                asked,
                question.history,
                generator if told.history and searched.history else None,
                self._own_templates,
                within_s=min(REWRITE_S, budget_s * REWRITE_SHARE),
            )
        now = datetime.now().astimezone()
        listing = await asyncio.to_thread(listed, self._searcher, space, question, asked, now)
        if listing is not None:
            took_ms = round((time.perf_counter() - started_s) * 1000, 1)
            for listed_event in listing.events(original, asked, took_ms):
                yield listed_event
            return
        meant = Narrowing(asked)
        if not (question.as_asked or question.chosen.is_asked_for):
            meant = narrowed(asked, now)
            searched = replace(searched, chosen=question.chosen.unless_asked_for(meant.chosen))
        found = await asyncio.to_thread(self._search, replace(searched, text=meant.text), space)
        # A server may be away: then its model chooses nothing, and checks nothing.
        embedder = space.embedder if "semantic" in found.stages else None
        draft = Draft(meant.text, found, embedder, partial(self._steady, generator, question.history))
        if is_beyond(embedder) and (told != spared or len(await self._public(draft)) < len(draft.citations)):
            # What is quoted or written from them would be sent to be compared.
            draft.embedder = None
            draft.warnings.append("What stays on this machine was compared by its words alone.")
        draft.generator = name_of(None, chosen.why)
        yield Sources(tuple(draft.citations), found.revision)
        if generator is not None and draft.citations:
            async with aclosing(self._generate(generator, draft, told, deadline_s)) as events:
                async for event in events:
                    yield event
        if not draft.is_written:
            for quoted in await asyncio.to_thread(self._extract, draft):
                yield quoted
        draft.tell_unread(question.selection)
        answer = await asyncio.to_thread(self._finish, draft)
        if draft.written:
            self._conversations.wrote(answer.answer, [each.passage for each in draft.citations])
        took_ms = round((time.perf_counter() - started_s) * 1000, 1)
        yield replace(answer, question=original, asked=asked, narrowed=meant.said, took_ms=took_ms)

    async def direct(
        self, messages: Sequence[Message], max_tokens: int | None = None
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Return the stream of what the generator writes for messages as they are, see `direct`."""
        return await direct(self._generators.chosen.generator, self._searcher.index, messages, max_tokens)

    async def _private_paths(self) -> set[str]:
        return await asyncio.to_thread(self._searcher.index.private_paths)

    async def _public(self, draft: Draft) -> Sequence[Citation]:
        """Return the passages of a draft that may leave this machine; asked after the search, not before."""
        return public(draft.citations, await self._private_paths())

    def _search(self, question: Question, space: Space) -> SearchResult:
        query = checked_query(question.text)
        if question.selection:
            query = f"{query}\n{plain(question.selection[:SELECTION_CHARACTERS])}"
        found = self._searcher.search_in(space, query, limit=question.limit, chosen=question.chosen)
        if question.note and not question.chosen.is_asked_for:
            inside = replace(question.chosen, folder=question.note)
            near = self._searcher.search_in(space, query, limit=NOTE_PASSAGES, chosen=inside).results
            far = [passage for passage in found.results if passage not in near]
            found = replace(found, results=(*near, *far)[: question.limit])
        return with_memory(found, question, self._memory)

    # With a generator.

    def _steady(
        self, generator: Generator | None, history: Sequence[Turn], passages: Sequence[Passage]
    ) -> Sequence[Passage]:
        """Return passages in the order in which a generator need not read again what it knows."""
        return self._conversations.steady(passages, history) if generator is not None else passages

    async def _generate(
        self, generator: Generator, draft: Draft, question: Question, deadline_s: float
    ) -> AsyncGenerator[AnswerEvent, None]:
        given: Sequence[Citation] = draft.citations
        if _is_elsewhere(generator):
            given = await self._public(draft)
            if kept_back := len(draft.citations) - len(given):
                draft.warnings.append(
                    f"{kept_back} of the passages stay on this machine and were not sent to {generator.name}."
                )
        if not given:
            return
        told = usable("answer", self._own_templates, draft.warnings)
        budget_tokens = await generator.window() - MAX_ANSWER_TOKENS
        said = await self._conversations.fitted(
            question.history,
            int(budget_tokens * HISTORY_SHARE),
            generator,
            min(REWRITE_S, (deadline_s - asyncio.get_running_loop().time()) * REWRITE_SHARE),
        )
        profile = await self._profile(draft, question, generator, budget_tokens)
        prompt = build_prompt(
            told,
            draft.question,
            given,
            budget_tokens,
            history=said.turns,
            summary=said.summary,
            selection=question.selection,
            profile=profile,
        )
        if (kept := len(prompt.citations)) < len(given):
            draft.warnings.append(f"Only the first {kept} passages fit into the generator's context.")
        draft.selected = prompt.selected
        draft.stages.append("generate")
        draft.template, draft.generator = told.version, name_of(generator, draft.generator.why)
        writing = Writing(generator, prompt.messages, MAX_ANSWER_TOKENS, deadline_s)
        async with aclosing(self._shown(writing, draft)) as events:
            async for event in events:
                yield event
        self._generators.pace.learn(
            generator.name, prompt.messages, draft.text, writing.first_s, writing.took_s
        )
        draft.usage, draft.is_written = writing.usage, writing.ending == "whole"
        if not draft.is_written:
            draft.stages.append(writing.ending)
            if writing.ending == "failed":
                self._generators.failed(generator)
            part = (
                "Its text breaks off, and quotes follow." if draft.text else "This answer quotes your notes."
            )
            draft.warnings.append(f"{writing.why} {part}")

    async def _profile(
        self, draft: Draft, question: Question, generator: Generator, budget_tokens: int
    ) -> str:
        """Return what the generator is told of the person who asks."""
        if self._memory is None or not question.memory:
            return ""
        notes = await asyncio.to_thread(self._memory.profile)
        private = await self._private_paths() if _is_elsewhere(generator) else None
        if private is not None and any(stays_here(note, private) for note in notes):
            draft.warnings.append(f"Your profile stays on this machine: {generator.name} was not told it.")
        if profile := told_profile(notes, private, budget_tokens):
            draft.stages.append("profile")
        return profile

    async def _shown(self, writing: Writing, draft: Draft) -> AsyncGenerator[AnswerEvent, None]:
        """Yield what a person sees of a text while it is written, and put it into the draft."""
        seen: set[int] = set()
        text = held = ""
        screen = draft.screen()
        async with aclosing(writing.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    # Who has to wait reads what stands there without any model meanwhile.
                    preview = copy(draft)
                    preview.sentences, preview.stages, preview.warnings = [], [], []
                    await asyncio.to_thread(self._extract, preview)
                    yield replace(piece, preview=preview.text if preview.found else "")
                    continue
                shown = screen.feed(piece)
                text, held = text + shown, held + shown
                # A refusal is not shown letter by letter: its wording is ours.
                if not shown or REFUSAL.startswith(text.strip()[: len(REFUSAL)]):
                    continue
                draft.text = text
                yield Delta(held)
                held = ""
                for number in markers(text, len(draft.citations)):
                    if number not in seen:
                        seen.add(number)
                        yield Cited(number)
        text, held = text + (rest := screen.end()), held + rest
        draft.tell_taken_out(screen)
        if text.strip().startswith(REFUSAL):
            writing.ending = "whole"
            draft.written, draft.text = "", draft.refusal()
            yield Delta(draft.text)
        elif text.strip():
            draft.written = draft.text = text
            if held:
                yield Delta(held)
        elif writing.ending == "whole":
            writing.ending, writing.why = "failed", "Nothing of the answer could be shown."

    def _finish(self, draft: Draft) -> Answer:
        if draft.written:
            draft.sentences = [*self._checked(draft), *draft.sentences]
        cited = {number for sentence in draft.sentences for number in sentence.citations}
        return Answer(
            question=draft.question,
            answer=draft.text.strip(),
            found=draft.found,
            sentences=tuple(draft.sentences),
            citations=tuple(citation for citation in draft.citations if citation.n in cited),
            generator=draft.generator,
            stages=(*draft.stages,),
            warnings=(*draft.warnings,),
            revision=draft.revision,
            took_ms=0.0,
            template=draft.template,
            usage=draft.usage,
            nearest=() if draft.found else draft.nearest(),
        )

    def _checked(self, draft: Draft) -> list[AnswerSentence]:
        """Return the generated sentences, each held against the passages."""
        texts, claimed = split_answer(draft.written, len(draft.citations))
        nearness = None
        if draft.embedder is not None and texts:
            try:
                nearness = nearness_by(draft.embedder, texts, draft.citations, draft.language)
                draft.stages.append("check")
            except ModelUnavailable as error:
                draft.warnings.append(f"{error.detail} The sentences were checked by their words alone.")
        return checked(texts, claimed, draft.citations, draft.question, nearness)

    # Without a generator.

    def _extract(self, draft: Draft) -> list[AnswerEvent]:
        """Write the draft from the sentences that answer the question best; return the events of it.

        What a generator wrote before it broke off stays, and the quotes follow it.
        """
        draft.stages.append("extract")
        best = self._best(draft)
        if draft.text:
            if not best:
                return []
        else:
            draft.generator = replace(EXTRACTIVE, why=draft.generator.why)
            if not best:
                draft.text = draft.refusal()
                return [Delta(draft.text)]
        events: list[AnswerEvent] = []
        screen = draft.screen()
        for quoted in best:
            # Code is quoted without its backticks, and may be anything.
            said = screen.whole(quoted.text)
            gap = "" if not draft.text else " " if draft.sentences else "\n\n"
            piece = f"{gap}{said} [{quoted.n}]"
            draft.text += piece
            draft.sentences.append(AnswerSentence(said, (quoted.n,), supported=True))
            events += [Delta(piece), Cited(quoted.n)]
        return events

    def _best(self, draft: Draft) -> list[Quote]:
        """Return what to quote, chosen by meaning where the model answers."""
        told = as_told(draft.best[:EXTRACT_PASSAGES], self._memory)
        candidates = quotes(draft.question, told, draft.language)
        best: list[Quote] | None = None
        if draft.embedder is not None:
            try:
                best = closest(draft.question, candidates, draft.embedder)
            except ModelUnavailable as error:
                draft.warnings.append(f"{error.detail} Only words were matched.")
        found = by_words(candidates) if best is None else best
        found, doubts = with_quoted_facts(found, draft.facts, told, QUOTED)
        draft.warnings += doubts
        return found


def _is_elsewhere(generator: Generator | None) -> bool:
    """Return whether what a generator is told leaves this machine."""
    return generator is not None and generator.location == "remote"
