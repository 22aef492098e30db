"""Answers from the notes, with evidence: every sentence names the passage it rests on (D11).

Without a generator the answer is extractive: the two sentences that answer best are quoted, see
`extract`. A generator's answer is checked sentence by sentence against the passages it was given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from pai_daemon.context.answer import (
    EXTRACTIVE,
    Answer,
    AnswerEvent,
    AnswerSentence,
    Citation,
    Cited,
    Delta,
    GeneratorName,
    Question,
    Sources,
    name_of,
)
from pai_daemon.context.extract import by_words, closest
from pai_daemon.context.narrowing import Narrowing, narrowed
from pai_daemon.context.prompt import MAX_ANSWER_TOKENS, REFUSAL, fitting_prompt, markers, split_answer
from pai_daemon.context.quotes import Quote, quotes
from pai_daemon.context.screen import Screen, screened
from pai_daemon.context.search import Passage, Searcher, SearchResult, checked_query
from pai_daemon.context.space import EmbeddingModel, Space
from pai_daemon.context.store.words import plain
from pai_daemon.context.support import checked, nearness_by
from pai_daemon.errors import GeneratorUnavailable, ModelUnavailable
from pai_daemon.models.generation.generator import Generator
from pai_daemon.notes.language import guess_language

# Sentences of more passages than this cost more time than they add.
EXTRACT_PASSAGES = 6
SELECTION_CHARACTERS = 1000
NOT_FOUND = {
    "en": "Your notes do not say.",
    "de": "Das steht nicht in deinen Notizen.",
    "es": "Tus notas no lo dicen.",
    "fr": "Vos notes ne le disent pas.",
    "it": "Le tue note non lo dicono.",
    "nl": "Dat staat niet in je notities.",
    "pt": "Suas notas não dizem isso.",
}
# While notes are still being read, nothing can be said of all of them.
NOT_FOUND_YET = {
    "en": "Nothing found so far; your notes are still being read.",
    "de": "Bisher nichts gefunden; deine Notizen werden noch gelesen.",
    "es": "Nada por ahora; tus notas aún se están leyendo.",
    "fr": "Rien pour l'instant ; vos notes sont encore en cours de lecture.",
    "it": "Ancora niente; le tue note sono ancora in lettura.",
    "nl": "Nog niets gevonden; je notities worden nog gelezen.",
    "pt": "Nada por enquanto; suas notas ainda estão sendo lidas.",
}


class Answerer:
    """Answers questions on one vault; one question in one space, whatever is switched meanwhile."""

    def __init__(self, searcher: Searcher, generator: Generator | None) -> None:
        self._searcher = searcher
        self._generator = generator

    @property
    def generator(self) -> GeneratorName:
        """Return what writes answers."""
        return name_of(self._generator)

    async def ask(self, question: Question) -> Answer:
        """Return the whole answer. Raises UsageError, Overloaded, GeneratorUnavailable."""
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
        asked = question.text.strip()
        meant = Narrowing(asked)
        if not (question.as_asked or question.chosen):
            meant = narrowed(asked, datetime.now().astimezone())
            question = replace(question, text=meant.text, chosen=meant.chosen)
        found = await asyncio.to_thread(self._search, question, space)
        # A server may be away: then its model chooses nothing, and checks nothing.
        embedder = space.embedder if "semantic" in found.stages else None
        draft = _Draft(question.text.strip(), found, _numbered(found.results), embedder)
        yield Sources(tuple(draft.citations), found.revision)
        if self._generator is not None and draft.citations:
            try:
                async with aclosing(self._generate(self._generator, draft)) as deltas:
                    async for delta in deltas:
                        yield delta
            except GeneratorUnavailable as error:
                if draft.text:
                    raise
                draft.warnings.append(
                    f"{error.detail} {error.hint} This answer quotes your notes instead.".strip()
                )
        if not draft.text:
            for event in await asyncio.to_thread(self._extract, draft):
                yield event
        answer = await asyncio.to_thread(self._finish, draft)
        took_ms = round((time.perf_counter() - started_s) * 1000, 1)
        yield replace(answer, question=asked, narrowed=meant.said, took_ms=took_ms)

    def _search(self, question: Question, space: Space) -> SearchResult:
        query = checked_query(question.text)
        if question.selection:
            query = f"{query}\n{plain(question.selection[:SELECTION_CHARACTERS])}"
        return self._searcher.search_in(space, query, limit=question.limit, chosen=question.chosen)

    # With a generator.

    async def _generate(self, generator: Generator, draft: _Draft) -> AsyncGenerator[AnswerEvent, None]:
        draft.generator = name_of(generator)
        draft.stages.append("generate")
        seen: set[int] = set()
        held = ""
        budget_tokens = generator.context_tokens - MAX_ANSWER_TOKENS
        messages, fitting = fitting_prompt(draft.question, draft.citations, budget_tokens)
        if len(fitting) < len(draft.citations):
            draft.warnings.append(f"Only the first {len(fitting)} passages fit into the generator's context.")
            draft.citations = fitting
        screen = draft.screen()
        written = generator.stream(messages, max_tokens=MAX_ANSWER_TOKENS)
        async with aclosing(screened(written, screen)) as pieces:
            async for piece in pieces:
                draft.text += piece
                held += piece
                # A refusal is not shown letter by letter: its wording is ours.
                if REFUSAL.startswith(draft.text.strip()[: len(REFUSAL)]):
                    continue
                yield Delta(held)
                held = ""
                for number in markers(draft.text, len(draft.citations)):
                    if number not in seen:
                        seen.add(number)
                        yield Cited(number)
        draft.tell_taken_out(screen)
        if not draft.text.strip():
            raise GeneratorUnavailable(f"{generator.name} returned an empty answer.")
        if draft.text.strip().startswith(REFUSAL):
            draft.text = draft.refusal()
            yield Delta(draft.text)

    def _finish(self, draft: _Draft) -> Answer:
        if draft.found and not draft.sentences:
            draft.sentences = self._checked(draft)
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
        )

    def _checked(self, draft: _Draft) -> list[AnswerSentence]:
        """Return the generated sentences, each held against the passages."""
        texts, claimed = split_answer(draft.text, len(draft.citations))
        nearness = None
        if draft.embedder is not None and texts:
            try:
                nearness = nearness_by(draft.embedder, texts, draft.citations, draft.language)
                draft.stages.append("check")
            except ModelUnavailable as error:
                draft.warnings.append(f"{error.detail} The sentences were checked by their words alone.")
        return checked(texts, claimed, draft.citations, draft.question, nearness)

    # Without a generator.

    def _extract(self, draft: _Draft) -> list[AnswerEvent]:
        """Write the draft from the sentences that answer the question best; return the events of it."""
        draft.generator = EXTRACTIVE
        draft.stages.append("extract")
        best = self._best(draft)
        if not best:
            draft.found = False
            draft.text = draft.refusal()
            return [Delta(draft.text)]
        events: list[AnswerEvent] = []
        screen = draft.screen()
        for quoted in best:
            # Code is quoted without its backticks, and may be anything.
            said = screen.whole(quoted.text)
            piece = f"{' ' if draft.text else ''}{said} [{quoted.n}]"
            draft.text += piece
            draft.sentences.append(AnswerSentence(said, (quoted.n,), supported=True))
            events += [Delta(piece), Cited(quoted.n)]
        return events

    def _best(self, draft: _Draft) -> list[Quote]:
        """Return what to quote, chosen by meaning where the model answers."""
        candidates = quotes(draft.question, draft.citations[:EXTRACT_PASSAGES], draft.language)
        if draft.embedder is not None:
            try:
                return closest(draft.question, candidates, draft.embedder)
            except ModelUnavailable as error:
                draft.warnings.append(f"{error.detail} Only words were matched.")
        return by_words(candidates)


class _Draft:
    """An answer being written. embedder: by which its passages were found, None where by words alone."""

    def __init__(
        self,
        question: str,
        found: SearchResult,
        citations: Sequence[Citation],
        embedder: EmbeddingModel | None,
    ) -> None:
        self.question = question
        self.embedder = embedder
        self.citations = citations
        self.revision = found.revision
        self.stages = list(found.stages)
        self.warnings: list[str] = []
        self.language = guess_language(question)
        self.text = ""
        self.found = True
        self.sentences: list[AnswerSentence] = []
        self.generator = EXTRACTIVE
        self.is_partial = "semantic" not in found.stages or found.pending_chunks > 0
        if "semantic" not in found.stages:
            self.warnings.append(
                "The embedding model is not loaded (pai status says why); only words were matched."
            )
        elif found.pending_chunks:
            self.warnings.append(f"{found.pending_chunks} passages are not embedded yet.")

    def screen(self) -> Screen:
        """Return what lets through only what its passages allow."""
        return Screen(citation.passage.text for citation in self.citations)

    def tell_taken_out(self, screen: Screen) -> None:
        """Warn where something was taken out of the answer."""
        if screen.taken_out:
            self.warnings.append(
                "Images, or addresses that stand in none of the passages, were taken out of the answer."
            )

    def refusal(self) -> str:
        """Return the answer where the notes do not say, in the language of the question."""
        self.found = False
        said = NOT_FOUND_YET if self.is_partial else NOT_FOUND
        return said.get(self.language, said["en"])


def _numbered(passages: Sequence[Passage]) -> tuple[Citation, ...]:
    return tuple(Citation(number, passage) for number, passage in enumerate(passages, start=1))
