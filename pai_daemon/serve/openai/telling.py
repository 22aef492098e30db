"""From an answer as it comes about to what programs are told of it, whichever route they ask.

Each source of an answer (the notes, a generator by itself, a text that is there already) becomes the same
pieces: text, what its marks stand for, and why it ends.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from pai_daemon.context.answering.answer import Answer, AnswerEvent, Citation, Delta, Question, Sources
from pai_daemon.context.search import checked_query
from pai_daemon.errors import Forbidden, GeneratorUnavailable, UsageError
from pai_daemon.memory.thread_keeping import Exchange
from pai_daemon.models.generation.generator import Endless, GeneratorEvent, Text, Thought, Usage
from pai_daemon.serve.ask import MAX_TURNS
from pai_daemon.serve.kept import kept
from pai_daemon.serve.openai.conversation import Conversation, aside_of, parted, without_model
from pai_daemon.serve.openai.models import kind_of
from pai_daemon.serve.openai.protocol import Annotation, ChatUsage, Finish, UrlCitation
from pai_daemon.serve.openai.tail import tail
from pai_daemon.serve.state import Served

# What a program asks for itself is not worth more: nobody waits for a title.
ASIDE_S, ASIDE_TOKENS = 30.0, 300
UNTOLD = ChatUsage()
_MARK = re.compile(r"\[(\d{1,4})\]")
_BEGUN = re.compile(r"\[\d{0,4}\Z")


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark in the text, from which character to which, and the passage that it stands for."""

    citation: Citation
    start: int
    end: int

    @property
    def annotation(self) -> Annotation:
        """Return it as OpenAI's API has it."""
        passage = self.citation.passage
        return Annotation(
            url_citation=UrlCitation(
                url=passage.uri, title=passage.trail, start_index=self.start, end_index=self.end
            )
        )


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer: why there, and what it cost."""

    reason: Finish = "stop"
    usage: ChatUsage = UNTOLD


Piece = Text | Thought | Marked | Ended
Pieces = AsyncGenerator[Piece, None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a program wants written. client: who it is. is_streamed: it shows the text as it comes."""

    model: str
    conversation: Conversation
    stops: Sequence[str] = ()
    max_tokens: int | None = None
    client: str = "v1"
    is_streamed: bool = False


async def pieces_of(served: Served, wanted: Wanted) -> Pieces:
    """Return the pieces of an answer, to be asked for in turn. Raises what is wrong with what was asked."""
    kind = kind_of(served, wanted.model, "notes", "generator")
    parts, conversation = served.ready(), wanted.conversation
    if kind == "generator":
        written = await parts.answerer.direct(conversation.messages, wanted.max_tokens)
        return _in_turn(served, _directly(written, Stops(wanted.stops), wanted.max_tokens))
    if not wanted.is_streamed and (aside := aside_of(conversation)):
        return _in_turn(served, _aside(served, aside, conversation))
    asked, about = parted(conversation.question)
    question = Question(checked_query(asked), history=conversation.history[-MAX_TURNS:], selection=about)
    events = parts.answerer.stream(question)
    if parts.threads is not None and parts.threads.keeps(wanted.client) and not aside_of(conversation):
        said = [parted(turn.content)[0] for turn in conversation.history if turn.role == "user"]
        thread = await asyncio.to_thread(parts.threads.continued, wanted.client, said, question.text)
        events = kept(events, parts, Exchange(thread, wanted.client, question.text, ""))
    return _in_turn(served, _from_notes(events, Stops(wanted.stops)))


async def _in_turn(served: Served, pieces: Pieces) -> Pieces:
    """Yield pieces once it is their turn."""
    async with aclosing(pieces), served.conversing.turn:
        async for piece in pieces:
            yield piece


class Stops:
    """Ends a text before the first of some texts, however it comes in pieces. is_hit: it has ended."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.is_hit = False

    def feed(self, text: str) -> str:
        """Return what of a piece, and of what was held before it, stands before every stop for sure."""
        self._held += text
        ends = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if ends:
            self.is_hit = True
            ready, self._held = self._held[: min(ends)], ""
            return ready
        begun = max((_begun(self._held, stop) for stop in self._stops), default=0)
        end = len(self._held) - begun
        ready, self._held = self._held[:end], self._held[end:]
        return ready

    def end(self) -> str:
        """Return what is still held when nothing follows."""
        ready, self._held = self._held, ""
        return ready


def _begun(text: str, stop: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a stop."""
    most = min(len(text), len(stop) - 1)
    return next((length for length in range(most, 0, -1) if text.endswith(stop[:length])), 0)


class Marks:
    """Gives the marks of a text, as it comes in pieces, numbers from 1 in order of appearance.

    Open WebUI takes `[2]` for the second source that it was told of, and sources of one address for one. So
    each place has one number, whatever passages of it are cited. numbers: by the number of the passage.
    marked: the passages that have a mark in the text, in order.
    """

    def __init__(self) -> None:
        self.passages: Mapping[int, Citation] = {}
        self.numbers: dict[int, int] = {}
        self.marked: list[Citation] = []
        self._places: dict[str, int] = {}
        self._held = ""
        self._length = 0

    def feed(self, text: str, *, is_last: bool = False) -> tuple[str, list[Marked]]:
        """Return what of a piece, and of what was held before it, can be shown, and the marks in it."""
        text, self._held = self._held + text, ""
        if not is_last and (begun := _BEGUN.search(text)):
            text, self._held = text[: begun.start()], begun[0]
        shown, read, found = "", 0, []
        for mark in _MARK.finditer(text):
            if citation := self.passages.get(int(mark[1])):
                shown += text[read : mark.start()]
                read, start = mark.end(), self._length + len(shown)
                shown += f"[{self.number(citation)}]"
                self.marked.append(citation)
                found.append(Marked(citation, start, self._length + len(shown)))
        shown += text[read:]
        self._length += len(shown)
        return shown, found

    def number(self, citation: Citation) -> int:
        """Return the number of a passage in the text, a new one where no mark had it yet."""
        uri = citation.passage.uri
        return self.numbers.setdefault(citation.n, self._places.setdefault(uri, len(self._places) + 1))

    def end(self, answer: Answer) -> tuple[str, list[Marked]]:
        """Return what follows the text, and its marks for places that the text names nowhere.

        The check of a sentence may find another passage than the generator named. The text is told by then:
        its marks stay, and so must what they stand for.
        """
        told = {self.number(citation) for citation in self.marked}
        rest = tail(replace(answer, citations=(*answer.citations, *self.marked)), self.number)
        found = []
        for citation in answer.citations:
            if (number := self.number(citation)) not in told:
                told.add(number)
                mark = f"[{number}]"
                start = self._length + rest.index(f"\n- {mark} ") + len("\n- ")
                found.append(Marked(citation, start, start + len(mark)))
        return rest, found


async def _from_notes(events: AsyncGenerator[AnswerEvent, None], stops: Stops) -> Pieces:
    """Yield an answer from the notes; its marks stand for passages, and its end says what it rests on."""
    marks = Marks()
    async with aclosing(events):
        async for event in events:
            ready, whole = "", None
            match event:
                case Sources():
                    marks.passages = {citation.n: citation for citation in event.citations}
                case Delta():
                    ready = stops.feed(event.text)
                case Answer():
                    ready, whole = stops.end(), event
            is_last = whole is not None or stops.is_hit
            shown, found = marks.feed(ready, is_last=is_last)
            if shown:
                yield Text(shown)
            for marked in found:
                yield marked
            if whole is not None:
                rest, found = marks.end(whole)
                if rest:
                    yield Text(rest)
                for marked in found:
                    yield marked
            if is_last:
                yield Ended(usage=_usage(whole.usage if whole is not None else None))
                return


async def _directly(
    events: AsyncGenerator[GeneratorEvent, None], stops: Stops, max_tokens: int | None
) -> Pieces:
    """Yield what a generator writes by itself. Raises GeneratorUnavailable, also midway."""
    usage: Usage | None = None
    try:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Usage):
                    usage = event
                elif isinstance(event, Thought):
                    yield event
                elif ready := stops.feed(event.text):
                    yield Text(ready)
                if stops.is_hit:
                    break
    except Endless:
        yield Ended("length", _usage(usage))
        return
    if ready := stops.end():
        yield Text(ready)
    written = usage.completion_tokens if usage is not None else None
    is_cut = max_tokens is not None and written is not None and written >= max_tokens
    yield Ended("length" if is_cut else "stop", _usage(usage))


async def _aside(served: Served, aside: str, conversation: Conversation) -> Pieces:
    """Yield what a program wants for itself: of the generator where one may be asked, without the notes."""
    text = ""
    try:
        async with asyncio.timeout(ASIDE_S):
            written = await served.ready().answerer.direct(conversation.messages, ASIDE_TOKENS)
            async with aclosing(written):
                async for event in written:
                    text += event.text if isinstance(event, Text) else ""
    except (GeneratorUnavailable, Forbidden, UsageError, Endless, TimeoutError):
        text = ""
    yield Text(text if "{" in text else without_model(aside, conversation))
    yield Ended()


def _usage(usage: Usage | None) -> ChatUsage:
    """Return what an answer cost, zeros where nobody said."""
    read = (usage.prompt_tokens if usage is not None else None) or 0
    written = (usage.completion_tokens if usage is not None else None) or 0
    return ChatUsage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)
