"""Compares two notes: what both say, what one says alone, and where they contradict each other (D66).

Sentences are aligned by meaning; a generator, where there is one, writes it in prose, which is held against
the passages like an answer. What was aligned is always given as well.
"""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pai_daemon.context.answering.answer import (
    EXTRACTIVE,
    AnswerSentence,
    Citation,
    Delta,
    GeneratorName,
    Notice,
    last_of,
    name_of,
)
from pai_daemon.context.answering.quotes import quotable
from pai_daemon.context.answering.screen import Screen
from pai_daemon.context.answering.templates import usable
from pai_daemon.context.comparing.align import aligned
from pai_daemon.context.comparing.comparison import Comparison, ComparisonEvent, Pair, Said
from pai_daemon.context.filters import Filter
from pai_daemon.context.passage import Passage
from pai_daemon.context.privacy import is_beyond
from pai_daemon.context.search import Searcher
from pai_daemon.context.summaries.central import centres, exemplars, marginal
from pai_daemon.context.summaries.plan import BYTES_A_TOKEN, HEAD_TOKENS
from pai_daemon.context.summaries.scope import Scope, ScopedNote
from pai_daemon.context.summaries.summary import NoteName
from pai_daemon.context.summaries.telling import (
    Call,
    Numbers,
    Source,
    held,
    messages_of,
    of_passage,
    prompt_tokens,
)
from pai_daemon.context.vectors import Floats
from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.generation.generator import Generator, Usage
from pai_daemon.models.generation.generators import Chosen, Generators
from pai_daemon.models.registry import Scoring
from pai_daemon.notes.language import known_language

BUDGET_S = 120.0
MAX_TOKENS = 700
# Of a longer note the most central ones are compared.
MOST_PASSAGES, MOST_SENTENCES = 60, 160
LEAST_WORDS = 3
LONGEST_CHARACTERS = 400
SHOWN_PAIRS, SHOWN_ALONE = 12, 6
# A cosine that only a sentence with nearly the same letters has, in any model.
SAME_WORDING = 0.99
_HEADINGS = {
    "de": ("Beide sagen", "Sie widersprechen sich", "Nur in"),
    "en": ("Both say", "They differ", "Only in"),
    "es": ("Ambas dicen", "Difieren", "Solo en"),
    "fr": ("Les deux disent", "Elles diffèrent", "Seulement dans"),
    "it": ("Entrambe dicono", "Differiscono", "Solo in"),
    "nl": ("Beide zeggen", "Ze verschillen", "Alleen in"),
    "pt": ("Ambas dizem", "Divergem", "Só em"),
}


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    passage: Passage


@dataclass(slots=True)
class _Read:
    """Two notes as they were read, and what is found of them."""

    notes: tuple[ScopedNote, ScopedNote]
    names: tuple[NoteName, NoteName]
    sentences: tuple[list[_Sentence], list[_Sentence]]
    passages: tuple[list[Passage], list[Passage]]
    language: str
    warnings: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)
    both: list[Pair] = field(default_factory=list)
    differ: list[Pair] = field(default_factory=list)
    alone: tuple[list[Said], list[Said]] = field(default_factory=lambda: ([], []))
    alone_counts: tuple[int, int] = (0, 0)
    text: str = ""
    written: list[AnswerSentence] = field(default_factory=list)
    wrote: GeneratorName = EXTRACTIVE
    template: str = ""
    usage: Usage | None = None


class Comparer:
    """Compares notes of one vault. Each step is taken in the space that answers then."""

    def __init__(
        self,
        searcher: Searcher,
        generators: Generators | None = None,
        *,
        budget_s: float = BUDGET_S,
        own_templates: Path | None = None,
    ) -> None:
        """Name what writes, None to align only. budget_s: how long it may write."""
        self._scope = Scope(searcher)
        self._searcher = searcher
        self._generators = generators or Generators(Chosen(None))
        self._budget_s = budget_s
        self._own_templates = own_templates

    async def compare(self, first: str, second: str) -> Comparison:
        """Return what two notes say, by their paths in the index. Raises as `stream` does."""
        return await last_of(self.stream(first, second), Comparison)

    async def stream(self, first: str, second: str) -> AsyncGenerator[ComparisonEvent, None]:
        """Yield the text as it is written, last the whole Comparison. Closing it stops the generator.

        Raises NotFound for a note without text, UsageError for one note twice and for one that stays here
        while the embedding model is elsewhere, ModelUnavailable while no model is there that could tell what
        means the same.
        """
        started_s = time.perf_counter()
        if first == second:
            raise UsageError("A note is not compared with itself.", hint="Name two notes.")
        read = await asyncio.to_thread(self._read, first, second)
        chosen = self._generators.chosen
        read.wrote = name_of(None, chosen.why)
        if chosen.generator is not None and await asyncio.to_thread(self._may_send, read, chosen.generator):
            async with aclosing(self._prose(read, chosen.generator)) as events:
                async for event in events:
                    yield event
        else:
            for listed in self._listed(read):
                yield listed
        yield await asyncio.to_thread(self._finished, read, started_s)

    # What the notes say.

    def _read(self, first: str, second: str) -> _Read:
        notes = [self._scope.notes(Filter(folder=path))[0] for path in (first, second)]
        with self._searcher.borrow() as space:
            if space.embedder is None:
                raise ModelUnavailable("The embedding model is loading.", hint="Try again in a few seconds.")
            if is_beyond(space.embedder) and (kept := self._kept(notes)):
                raise UsageError(
                    f"{', '.join(kept)} stays on this machine, and {space.model.name} is elsewhere.",
                    hint="Choose an embedding model of this machine: pai models use.",
                )
            warnings: list[str] = []
            passages = [self._passages(note, space.matrix.get, warnings) for note in notes]
            text = "\n".join(passage.text for of_note in passages for passage in of_note)
            language = known_language(text) or "en"
            sentences = [_sentences(of_note, language) for of_note in passages]
            names = [NoteName(note.path, note.title, self._scope.link(note)) for note in notes]
            read = _Read(
                (notes[0], notes[1]),
                (names[0], names[1]),
                (sentences[0], sentences[1]),
                (passages[0], passages[1]),
                language,
                warnings,
            )
            texts = [each.text for of_note in sentences for each in of_note]
            count = len(sentences[0])
            if texts:
                vectors = space.embedder.embed_texts(texts, urgent=True)
                self._align(read, vectors[:count], vectors[count:], space.embedder.scoring)
        for note, of_note in zip(notes, sentences, strict=True):
            if not of_note:
                read.warnings.append(f"{note.path} has no sentence that could be compared.")
        read.stages.append("align")
        return read

    def _passages(self, note: ScopedNote, vectors_of: Any, warnings: list[str]) -> list[Passage]:
        ids = note.ids
        if len(ids) > MOST_PASSAGES:
            vectors = vectors_of([note.keys[ordinal] for ordinal, size in enumerate(note.sizes) if size])
            if len(vectors) == len(ids):
                ids = [ids[row] for row in sorted(exemplars(vectors, range(len(ids)), MOST_PASSAGES))]
            warnings.append(f"Of {note.path} {MOST_PASSAGES} of {len(note.ids)} passages were compared.")
        return list(self._scope.passages(ids[:MOST_PASSAGES]).values())

    def _align(self, read: _Read, first: Floats, second: Floats, scoring: Scoring) -> None:
        texts = [[each.text for each in of_note] for of_note in read.sentences]
        found = aligned(texts[0], texts[1], first @ second.T, scoring)
        for match in found.matches:
            pair = Pair(
                self._said(read, 0, match.first), self._said(read, 1, match.second), match.score, match.why
            )
            (read.differ if match.why else read.both).append(pair)
        del read.both[SHOWN_PAIRS:], read.differ[SHOWN_PAIRS:]
        for side, (vectors, alone) in enumerate(((first, found.only_first), (second, found.only_second))):
            for place in _central(vectors, alone, scoring.scale):
                read.alone[side].append(self._said(read, side, place))
        read.alone_counts = (len(found.only_first), len(found.only_second))

    def _said(self, read: _Read, side: int, place: int) -> Said:
        sentence = read.sentences[side][place]
        screen = Screen([sentence.passage.text])
        text = textwrap.shorten(sentence.text, LONGEST_CHARACTERS, placeholder="…")
        return Said(screen.whole(text), read.numbers.of(sentence.passage)[0])

    # With a generator.

    def _may_send(self, read: _Read, generator: Generator) -> bool:
        if generator.location != "remote":
            return True
        kept = self._kept(read.notes)
        if kept:
            read.warnings.append(
                f"{', '.join(kept)} stays on this machine: nothing was sent to {generator.name}."
            )
        return not kept

    def _kept(self, notes: Sequence[ScopedNote]) -> list[str]:
        private = self._searcher.index.private_paths()
        return [note.path for note in notes if note.path in private]

    async def _prose(self, read: _Read, generator: Generator) -> AsyncGenerator[ComparisonEvent, None]:
        told = usable("compare", self._own_templates, read.warnings)
        window = await generator.window()
        sources = self._sources(read, window - MAX_TOKENS - prompt_tokens(told, "user"))
        names = {"first": read.names[0].title, "second": read.names[1].title}
        messages = messages_of(told, "user", sources, 0, read.language, **names)
        deadline_s = asyncio.get_running_loop().time() + self._budget_s
        call = Call(generator, messages, sources, MAX_TOKENS, deadline_s)
        read.stages.append("generate")
        async with aclosing(call.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Notice):
                    yield piece
                    continue
                shown, new = read.numbers.put(piece, sources)
                for citation in new:
                    yield citation
                read.text += shown
                yield Delta(shown)
        self._generators.pace.learn(
            generator.name, messages, call.text, call.writing.first_s, call.writing.took_s
        )
        ending = call.writing.ending
        if ending != "whole":
            read.stages.append(ending)
            read.warnings.append(f"{call.writing.why} What was aligned follows.")
            if ending == "failed":
                self._generators.failed(generator)
        if call.screen.taken_out:
            read.warnings.append("Images, or addresses that stand in neither note, were taken out.")
        if call.text.strip():
            read.wrote, read.usage = name_of(generator, read.wrote.why), call.writing.usage
            read.template = told.version
            await asyncio.to_thread(self._checked, read, call)
        if ending != "whole" or not call.text.strip():
            for event in self._listed(read):
                yield event

    def _sources(self, read: _Read, budget_tokens: int) -> list[Source]:
        """Return the passages of both notes, of each as many as half of the room holds; cited ones first."""
        cited = {id(citation.passage) for citation in read.numbers.citations}
        sources, is_whole = [], True
        for passages in read.passages:
            left = budget_tokens // 2
            kept: list[Passage] = []
            for passage in sorted(passages, key=lambda one: id(one) not in cited):
                cost = int(len(passage.text.encode("utf-8", "replace")) / BYTES_A_TOKEN) + HEAD_TOKENS
                if cost <= left or not kept:
                    kept.append(passage)
                    left -= cost
            is_whole = is_whole and len(kept) == len(passages)
            kept.sort(key=lambda one: one.start_char)
            sources += [of_passage(passage) for passage in kept]
        if not is_whole:
            read.warnings.append("Only a part of the notes fitted into the generator's context.")
        return sources

    def _checked(self, read: _Read, call: Call) -> None:
        numbers = [tuple(read.numbers.of(passage)[0] for passage in each.passages) for each in call.sources]
        with self._searcher.borrow() as space:
            read.written = held(
                call.text,
                call.sources,
                numbers,
                read.numbers.citations,
                embedder=space.embedder,
                language=read.language,
            )
        read.stages.append("check")

    # Without one.

    def _listed(self, read: _Read) -> list[ComparisonEvent]:
        """Write what was aligned as lists; return the events of it."""
        both, differ, only = _HEADINGS.get(read.language, _HEADINGS["en"])
        blocks = []
        if read.differ:
            lines = [
                f"- {one.first.text} [{one.first.n}] ↔ {one.second.text} [{one.second.n}] ({one.why})"
                for one in read.differ
            ]
            blocks.append([f"**{differ}**", *lines])
        if read.both:
            lines = [f"- {_told_by_both(one)}" for one in read.both]
            blocks.append([f"**{both}**", *lines])
        for name, alone, count in zip(read.names, read.alone, read.alone_counts, strict=True):
            if alone:
                more = [f"- … +{count - len(alone)}"] if count > len(alone) else []
                blocks.append(
                    [f"**{only} {name.title}**", *(f"- {one.text} [{one.n}]" for one in alone), *more]
                )
        text = "\n\n".join("\n".join(block) for block in blocks)
        piece = f"\n\n{text}" if read.text else text
        read.text += piece
        return [*read.numbers.citations, Delta(piece)] if piece else []

    def _finished(self, read: _Read, started_s: float) -> Comparison:
        citations = tuple(Citation(each.n, self._scope.now(each.passage)) for each in read.numbers.citations)
        paths = {each.passage.path for each in citations if each.passage.stale}
        changed = tuple(note.path for note in read.notes if note.path in paths)
        if changed:
            read.warnings.append(f"Changed since it was read: {', '.join(changed)}.")
        pending = self._scope.pending
        return Comparison(
            first=read.names[0],
            second=read.names[1],
            text=read.text.strip(),
            both=tuple(read.both),
            differ=tuple(read.differ),
            only_first=tuple(read.alone[0]),
            only_second=tuple(read.alone[1]),
            first_alone=read.alone_counts[0],
            second_alone=read.alone_counts[1],
            sentences=tuple(read.written),
            citations=citations,
            changed=changed,
            generator=read.wrote,
            stages=(*read.stages,),
            warnings=(*read.warnings,),
            revision=self._scope.revision,
            pending=pending,
            took_ms=round((time.perf_counter() - started_s) * 1000, 1),
            template=read.template,
            usage=read.usage,
        )


def _told_by_both(pair: Pair) -> str:
    """Return what both notes say, in both wordings where these are not nearly the same."""
    if pair.score >= SAME_WORDING:
        return f"{pair.first.text} [{pair.first.n}][{pair.second.n}]"
    return f"{pair.first.text} [{pair.first.n}] ↔ {pair.second.text} [{pair.second.n}]"


def _sentences(passages: Sequence[Passage], language: str) -> list[_Sentence]:
    """Return what of a note can be compared, each once: no headings, questions or scraps."""
    found: dict[str, _Sentence] = {}
    for passage in passages:
        heading = passage.heading_path[-1] if passage.heading_path else ""
        for quoted in quotable(passage.text, language):
            text = quoted.removeprefix(heading).strip()
            if len(text.split()) >= LEAST_WORDS and not text.endswith(("?", "？", ":")):
                found.setdefault(text.casefold(), _Sentence(text, passage))
    # A lead-in comes with its items, and each item by itself.
    apart = [key for key in found if not any(other != key and other in key for other in found)]
    return [found[key] for key in apart[:MOST_SENTENCES]]


def _central(vectors: Floats, places: Sequence[int], scale: float) -> list[int]:
    """Return the places of the most central ones of some sentences, in their order."""
    if len(places) <= SHOWN_ALONE:
        return list(places)
    among = vectors[list(places)]
    chosen = marginal(among @ centres(among, [len(places)])[0], among, SHOWN_ALONE, scale)
    return sorted(places[row] for row in chosen)
