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
from dataclasses import replace

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
from pai_daemon.context.filters import Filter
from pai_daemon.context.followup import REWRITE_S, standing_alone
from pai_daemon.context.prompt import (
    MAX_ANSWER_TOKENS,
    REFUSAL,
    SELECTION_CHARACTERS,
    build_prompt,
    distinct,
    markers,
    split_answer,
)
from pai_daemon.context.quotes import Quote, quotes
from pai_daemon.context.search import Passage, Searcher, SearchResult, checked_query
from pai_daemon.context.space import EmbeddingModel, Space
from pai_daemon.context.store.words import plain
from pai_daemon.context.templates import template
from pai_daemon.context.writing import Writing
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.generation.generator import Generator, Usage
from pai_daemon.models.generation.generators import Generators
from pai_daemon.models.registry import Scoring
from pai_daemon.notes.language import guess_language
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

    def __init__(
        self,
        searcher: Searcher,
        generators: Generators,
        *,
        budget_s: float = BUDGET_S,
        own_templates: Path | None = None,
    ) -> None:
        """budget_s: how long a generator may write; then the notes are quoted. own_templates: a folder."""
        self._searcher = searcher
        self._generators = generators
        self._budget_s = budget_s
        self._own_templates = own_templates

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
        asked = await standing_alone(
            question.text.strip(),
            question.history,
            generator,
            self._own_templates,
            within_s=min(REWRITE_S, budget_s * REWRITE_SHARE),
        )
        found = await asyncio.to_thread(self._search, replace(question, text=asked), space)
        # A server may be away: then its model chooses nothing, and checks nothing.
        embedder = space.embedder if "semantic" in found.stages else None
        draft = _Draft(question, asked, found, embedder)
        draft.generator = name_of(None, chosen.why)
        quoted: list[AnswerEvent] = []
        if generator is None:
            quoted = await asyncio.to_thread(self._extract, draft, renumber=True)
        yield Sources(tuple(draft.citations), found.revision)
        if generator is not None and draft.citations:
            draft.generator = name_of(generator, chosen.why)
            async with aclosing(self._generate(generator, draft, question, deadline_s)) as deltas:
                async for delta in deltas:
                    yield delta
        if not draft.is_written:
            quoted = await asyncio.to_thread(self._extract, draft, renumber=False)
        for event in quoted:
            yield event
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
        self, generator: Generator, draft: _Draft, question: Question, deadline_s: float
    ) -> AsyncGenerator[AnswerEvent, None]:
        draft.stages.append("generate")
        try:
            told = template("answer", self._own_templates)
        except UsageError as error:
            draft.warnings.append(f"{error.detail} The built-in one was used.")
            told = template("answer")
        budget_tokens = await generator.window() - MAX_ANSWER_TOKENS
        prompt = build_prompt(
            told,
            draft.question,
            draft.citations,
            budget_tokens,
            history=question.history,
            selection=question.selection,
        )
        draft.template = told.version
        if len(prompt.citations) < len(draft.citations):
            kept = len(prompt.citations)
            draft.warnings.append(f"Only the first {kept} passages fit into the generator's context.")
            draft.citations = prompt.citations
        writing = Writing(generator, prompt.messages, MAX_ANSWER_TOKENS, deadline_s)
        async with aclosing(self._shown(writing, draft)) as events:
            async for event in events:
                yield event
        draft.usage, draft.is_written = writing.usage, writing.ending == "whole"
        if not draft.is_written:
            draft.stages.append(writing.ending)
            self._generators.failed(generator) if writing.ending == "failed" else None
            part = "Its text breaks off, and quotes follow." if draft.text else "This answer quotes your notes."
            draft.warnings.append(f"{writing.why} {part}")

    async def _shown(self, writing: Writing, draft: _Draft) -> AsyncGenerator[AnswerEvent, None]:
        """Yield what a person sees of a text while it is written, and put it into the draft."""
        seen: set[int] = set()
        text = held = ""
        async with aclosing(writing.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    yield piece
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
        if text.strip().startswith(REFUSAL):
            writing.ending = "whole"
            draft.text = draft.refusal()
            yield Delta(draft.text)

    def _finish(self, draft: _Draft) -> Answer:
        if draft.found and draft.template:
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

    def _checked(self, draft: _Draft) -> list[AnswerSentence]:
        """Return the generated sentences, each held against the sentences of the passages."""
        texts, claimed = split_answer(draft.text, len(draft.citations))
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

    def _extract(self, draft: _Draft, *, renumber: bool) -> list[AnswerEvent]:
        """Write the draft from the sentences closest to the question; return the events of it.

        renumber: count the cited passages 1, 2, … as they appear; only before anyone saw the numbers.
        """
        draft.generator = EXTRACTIVE
        draft.stages.append("extract")
        best = self._best(draft)
        if not best:
            draft.found = False
            draft.text = draft.refusal()
            return [Delta(draft.text)]
        if renumber:
            best = _cited_first(draft, best)
        events: list[AnswerEvent] = []
        for quoted in best:
            piece = f"{' ' if draft.text else ''}{quoted.text} [{quoted.n}]"
            draft.text += piece
            draft.sentences.append(AnswerSentence(quoted.text, (quoted.n,), supported=True))
            events += [Delta(piece), Cited(quoted.n)]
        return events

    def _best(self, draft: _Draft) -> list[Quote]:
        """Return what to quote, chosen by meaning where the model answers."""
        if draft.embedder is None:
            return _first(draft)
        try:
            return self._closest(draft, draft.embedder)
        except ModelUnavailable as error:
            draft.warnings.append(f"{error.detail} Only words were matched.")
            return _first(draft)

    def _closest(self, draft: _Draft, embedder: EmbeddingModel) -> list[Quote]:
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

    def refusal(self) -> str:
        """Return the answer where the notes do not say, in the language of the question."""
        self.found = False
        said = NOT_FOUND_YET if self.is_partial else NOT_FOUND
        return said.get(self.language, said["en"])


def _bar(quote: Quote, scoring: Scoring) -> float:
    """Return the cosine below which a quote does not answer the question."""
    if quote.other_language:
        return scoring.answer_threshold + scoring.other_language_margin
    if quote.shares_words:
        return scoring.answer_threshold
    return scoring.answer_threshold + scoring.few_words_margin


def _numbered(passages: Sequence[Passage]) -> tuple[Citation, ...]:
    return tuple(Citation(number, passage) for number, passage in enumerate(passages, start=1))


def _cited_first(draft: _Draft, best: Sequence[Quote]) -> list[Quote]:
    """Return the quotes with new numbers, after giving the cited passages of the draft the first ones."""
    order = list(dict.fromkeys([*(quote.n for quote in best), *(citation.n for citation in draft.citations)]))
    by_number = {citation.n: citation.passage for citation in draft.citations}
    draft.citations = _numbered([by_number[number] for number in order])
    return [replace(quote, n=order.index(quote.n) + 1) for quote in best]


def _first(draft: _Draft) -> list[Quote]:
    """Return the first sentence of a passage with the question's words, where no model can choose one."""
    found = quotes(draft.question, draft.citations[:EXTRACT_PASSAGES], draft.language)
    return [quote for quote in found if quote.shares_words][:1]
