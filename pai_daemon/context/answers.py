"""Answers from the notes, with evidence: every sentence names the passage it rests on (D11).

Without a generator the answer is extractive: the two sentences of the best passages that are
closest to the question, quoted. A sentence is embedded with its title and headings, and the
passage's own nearness counts half. On XQuAD (1,190 questions) with multilingual-e5-small the first
sentence then holds the answer for .78 (en) and .74 (de), the quoted ones for .85 and .82, refusals
counted as misses (`scripts/bench quality`). A generator's answer is checked sentence by sentence
against the passages it was given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from copy import copy
from dataclasses import replace
from pathlib import Path

from pai_daemon.context.answer import (
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
    name_of,
)
from pai_daemon.context.draft import Draft
from pai_daemon.context.filters import Filter
from pai_daemon.context.followup import REWRITE_S, standing_alone
from pai_daemon.context.private import OPEN, Privacy
from pai_daemon.context.prompt import (
    MAX_ANSWER_TOKENS,
    REFUSAL,
    SELECTION_CHARACTERS,
    build_prompt,
    markers,
    split_answer,
)
from pai_daemon.context.quotes import Quote, quotes
from pai_daemon.context.search import Searcher, SearchResult, checked_query
from pai_daemon.context.space import EmbeddingModel, Space
from pai_daemon.context.store.words import plain
from pai_daemon.context.templates import template
from pai_daemon.context.writing import Writing
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.generation.generator import Generator
from pai_daemon.models.generation.generators import Chosen, Generators
from pai_daemon.models.registry import Scoring
from pai_daemon.notes.plain import sentences

# Sentences of more passages than this cost more time than they add.
EXTRACT_PASSAGES = 6
EXTRACT_SENTENCES = 2
PASSAGE_WEIGHT = 0.5
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
        privacy: Privacy = OPEN,
    ) -> None:
        """Name what writes, None to quote.

        budget_s: how long a generator may write; then the notes are quoted. own_templates: a folder.
        privacy: which notes stay on this machine.
        """
        self._searcher = searcher
        self._generators = generators or Generators(Chosen(None))
        self._budget_s = budget_s
        self._own_templates = own_templates
        self._privacy = privacy

    @property
    def generator(self) -> GeneratorName:
        """Return what writes answers."""
        chosen = self._generators.chosen
        return name_of(chosen.generator, chosen.why)

    async def ask(self, question: Question) -> Answer:
        """Return the whole answer. Raises UsageError and Overloaded."""
        async with aclosing(self.stream(question)) as events:
            async for event in events:
                if isinstance(event, Answer):
                    return event
        raise AssertionError("an answer's stream ends with the answer")

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
        told = question
        if generator is not None and generator.location == "remote":
            told = await asyncio.to_thread(self._privacy.without_private_words, question, self._searcher)
        asked = question.text.strip()
        if question.history:
            asked = await standing_alone(
                asked,
                question.history,
                generator if told.history else None,
                self._own_templates,
                within_s=min(REWRITE_S, budget_s * REWRITE_SHARE),
            )
        found = await asyncio.to_thread(self._search, replace(question, text=asked), space)
        # A server may be away: then its model chooses nothing, and checks nothing.
        embedder = space.embedder if "semantic" in found.stages else None
        draft = Draft(question.text.strip(), asked, found, embedder)
        draft.generator = name_of(None, chosen.why)
        yield Sources(tuple(draft.citations), found.revision)
        if generator is not None and draft.citations:
            async with aclosing(self._generate(generator, draft, told, deadline_s)) as events:
                async for event in events:
                    yield event
        if not draft.is_written:
            for quoted in await asyncio.to_thread(self._extract, draft):
                yield quoted
        answer = await asyncio.to_thread(self._finish, draft)
        yield replace(answer, took_ms=round((time.perf_counter() - started_s) * 1000, 1))

    def _search(self, question: Question, space: Space) -> SearchResult:
        query = checked_query(question.text)
        if question.selection:
            query = f"{query}\n{plain(question.selection[:SELECTION_CHARACTERS])}"
        found = self._searcher.search_in(space, query, limit=question.limit, chosen=question.chosen)
        if question.note and not question.chosen:
            inside = Filter(folder=question.note)
            near = self._searcher.search_in(space, query, limit=NOTE_PASSAGES, chosen=inside).results
            far = [passage for passage in found.results if passage not in near]
            found = replace(found, results=(*near, *far)[: question.limit])
        return found

    # With a generator.

    async def _generate(
        self, generator: Generator, draft: Draft, question: Question, deadline_s: float
    ) -> AsyncGenerator[AnswerEvent, None]:
        given: Sequence[Citation] = draft.citations
        if generator.location == "remote":
            given = await asyncio.to_thread(self._privacy.public, draft.citations, self._searcher)
            if kept_back := len(draft.citations) - len(given):
                draft.warnings.append(
                    f"{kept_back} of the passages stay on this machine and were not sent to {generator.name}."
                )
        if not given:
            return
        try:
            told = template("answer", self._own_templates)
        except UsageError as error:
            draft.warnings.append(f"{error.detail} The built-in one was used.")
            told = template("answer")
        prompt = build_prompt(
            told,
            draft.question,
            given,
            await generator.window() - MAX_ANSWER_TOKENS,
            history=question.history,
            selection=question.selection,
        )
        if len(prompt.citations) < len(given):
            kept = len(prompt.citations)
            draft.warnings.append(f"Only the first {kept} passages fit into the generator's context.")
        draft.stages.append("generate")
        draft.template, draft.generator = told.version, name_of(generator, draft.generator.why)
        writing = Writing(generator, prompt.messages, MAX_ANSWER_TOKENS, deadline_s)
        async with aclosing(self._shown(writing, draft)) as events:
            async for event in events:
                yield event
        draft.usage, draft.is_written = writing.usage, writing.ending == "whole"
        if not draft.is_written:
            draft.stages.append(writing.ending)
            if writing.ending == "failed":
                self._generators.failed(generator)
            part = (
                "Its text breaks off, and quotes follow." if draft.text else "This answer quotes your notes."
            )
            draft.warnings.append(f"{writing.why} {part}")

    async def _shown(self, writing: Writing, draft: Draft) -> AsyncGenerator[AnswerEvent, None]:
        """Yield what a person sees of a text while it is written, and put it into the draft."""
        seen: set[int] = set()
        text = held = ""
        async with aclosing(writing.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    # Who has to wait reads what stands there without any model meanwhile.
                    preview = copy(draft)
                    preview.sentences, preview.stages, preview.warnings = [], [], []
                    await asyncio.to_thread(self._extract, preview)
                    yield replace(piece, preview=preview.text if preview.found else "")
                    continue
                text += piece
                held += piece
                # A refusal is not shown letter by letter: its wording is ours.
                if REFUSAL.startswith(text.strip()[: len(REFUSAL)]):
                    continue
                draft.text = text
                yield Delta(held)
                held = ""
                for number in markers(text, len(draft.citations)):
                    if number not in seen:
                        seen.add(number)
                        yield Cited(number)
        draft.written = draft.text = text if draft.text else ""
        if text.strip().startswith(REFUSAL):
            writing.ending = "whole"
            draft.written, draft.text = "", draft.refusal()
            yield Delta(draft.text)
        elif held.strip():
            # The text ended, or broke off, like the beginning of a refusal.
            draft.written = draft.text = text
            yield Delta(held)

    def _finish(self, draft: Draft) -> Answer:
        if draft.written:
            draft.sentences = [*self._checked(draft), *draft.sentences]
        cited = {number for sentence in draft.sentences for number in sentence.citations}
        return Answer(
            question=draft.original,
            answer=draft.text.strip(),
            found=draft.found,
            sentences=tuple(draft.sentences),
            citations=tuple(citation for citation in draft.citations if citation.n in cited),
            generator=draft.generator,
            stages=(*draft.stages,),
            warnings=(*draft.warnings,),
            revision=draft.revision,
            took_ms=0.0,
            asked=draft.question,
            template=draft.template,
            usage=draft.usage,
        )

    def _checked(self, draft: Draft) -> list[AnswerSentence]:
        """Return the generated sentences, each held against the sentences of the passages."""
        texts, claimed = split_answer(draft.written, len(draft.citations))
        embedder = draft.embedder
        evidence = [
            (citation.n, sentence.text)
            for citation in draft.citations
            for sentence in sentences(citation.passage.text, draft.language)
        ]
        unchecked = [
            AnswerSentence(text, numbers, bool(numbers)) for text, numbers in zip(texts, claimed, strict=True)
        ]
        if embedder is None or not evidence or not texts:
            return unchecked
        try:
            vectors = embedder.embed_texts([*texts, *(text for _, text in evidence)], urgent=True)
        except ModelUnavailable as error:
            draft.warnings.append(f"{error.detail} The sentences were not checked.")
            return unchecked
        draft.stages.append("check")
        scores = vectors[: len(texts)] @ vectors[len(texts) :].T
        checked = []
        for row, (text, numbers) in enumerate(zip(texts, claimed, strict=True)):
            support = {
                n
                for (n, _), score in zip(evidence, scores[row], strict=True)
                if score >= embedder.scoring.support_threshold
            }
            kept = tuple(number for number in numbers if number in support)
            if not kept and support:
                kept = (evidence[int(scores[row].argmax())][0],)
            checked.append(AnswerSentence(text, kept, bool(kept)))
        return checked

    # Without a generator.

    def _extract(self, draft: Draft) -> list[AnswerEvent]:
        """Write the draft from the sentences closest to the question; return the events of it.

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
        for quoted in best:
            gap = "" if not draft.text else " " if draft.sentences else "\n\n"
            piece = f"{gap}{quoted.text} [{quoted.n}]"
            draft.text += piece
            draft.sentences.append(AnswerSentence(quoted.text, (quoted.n,), supported=True))
            events += [Delta(piece), Cited(quoted.n)]
        return events

    def _best(self, draft: Draft) -> list[Quote]:
        """Return what to quote, chosen by meaning where the model answers."""
        if draft.embedder is None:
            return _first(draft)
        try:
            return self._closest(draft, draft.embedder)
        except ModelUnavailable as error:
            draft.warnings.append(f"{error.detail} Only words were matched.")
            return _first(draft)

    def _closest(self, draft: Draft, embedder: EmbeddingModel) -> list[Quote]:
        candidates = quotes(draft.question, draft.citations[:EXTRACT_PASSAGES], draft.language)
        if not candidates:
            return []
        query = embedder.embed_query(draft.question)
        scores = embedder.embed_texts([candidate.in_context for candidate in candidates], urgent=True) @ query
        ranked = sorted(
            range(len(candidates)), key=lambda row: -scores[row] - PASSAGE_WEIGHT * candidates[row].nearness
        )
        best: list[Quote] = []
        top_score = 0.0
        for row in ranked:
            quote, bar = candidates[row], _bar(candidates[row], embedder.scoring)
            if best:
                bar = max(bar, top_score - embedder.scoring.second_margin)
            said = any(quote.text in other.text or other.text in quote.text for other in best)
            if scores[row] >= bar and not said:
                top_score = scores[row] if not best else top_score
                best.append(quote)
        return best[:EXTRACT_SENTENCES]


def _bar(quote: Quote, scoring: Scoring) -> float:
    """Return the cosine below which a quote does not answer the question."""
    if quote.other_language:
        return scoring.answer_threshold + scoring.other_language_margin
    if quote.shares_words:
        return scoring.answer_threshold
    return scoring.answer_threshold + scoring.few_words_margin


def _first(draft: Draft) -> list[Quote]:
    """Return the first sentence of a passage with the question's words, where no model can choose one."""
    found = quotes(draft.question, draft.citations[:EXTRACT_PASSAGES], draft.language)
    return [quote for quote in found if quote.shares_words][:1]
