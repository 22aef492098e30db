"""From an answer as it comes about to what programs are told of it, whichever route they ask.

Each source of an answer (the notes, a generator by itself, a text that is there already) becomes the same
pieces: text, what its marks stand for, and why it ends.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pai_daemon.context.answering.answer import Answer, AnswerEvent, Citation, Delta, Question, Sources
from pai_daemon.context.search import checked_query
from pai_daemon.errors import Forbidden, GeneratorUnavailable, UsageError
from pai_daemon.models.generation.generator import Endless, GeneratorEvent, Text, Thought, Usage
from pai_daemon.serve.ask import MAX_TURNS
from pai_daemon.serve.openai.conversation import Conversation, aside_of, without_model
from pai_daemon.serve.openai.models import kind_of
from pai_daemon.serve.openai.protocol import Annotation, ChatUsage, Finish, UrlCitation
from pai_daemon.serve.openai.tail import tail
from pai_daemon.serve.state import Served

# What a program asks for itself is not worth more: nobody waits for a title.
ASIDE_S, ASIDE_TOKENS = 30.0, 300
UNTOLD = ChatUsage()
_MARK = re.compile(r"\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer: why there, and what it cost."""

    reason: Finish = "stop"
    usage: ChatUsage = UNTOLD


Piece = Sources | Text | Thought | Annotation | Ended
Pieces = AsyncGenerator[Piece, None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a program wants written. is_streamed: it shows the text as it comes."""

    model: str
    conversation: Conversation
    stops: Sequence[str] = ()
    max_tokens: int | None = None
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
    question = Question(checked_query(conversation.question), history=conversation.history[-MAX_TURNS:])
    return _in_turn(served, _from_notes(parts.answerer.stream(question), Stops(wanted.stops)))


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


class _Marks:
    """Finds the marks in a text as it comes, and says what each stands for."""

    def __init__(self) -> None:
        self._text = ""
        self._read = 0
        self.passages: Mapping[int, Citation] = {}

    def feed(self, text: str) -> list[Annotation]:
        """Return what the marks stand for that a piece ends."""
        self._text += text
        found = []
        for mark in _MARK.finditer(self._text, self._read):
            self._read = mark.end()
            if citation := self.passages.get(int(mark[1])):
                passage = citation.passage
                cited = UrlCitation(
                    url=passage.uri, title=passage.trail, start_index=mark.start(), end_index=mark.end()
                )
                found.append(Annotation(url_citation=cited))
        return found


async def _from_notes(events: AsyncGenerator[AnswerEvent, None], stops: Stops) -> Pieces:
    """Yield an answer from the notes; its marks stand for passages, and its end says what it rests on."""
    marks = _Marks()
    async with aclosing(events):
        async for event in events:
            ready, rest, ended = "", "", None
            match event:
                case Sources():
                    marks.passages = {citation.n: citation for citation in event.citations}
                    yield event
                case Delta():
                    ready = stops.feed(event.text)
                case Answer():
                    ready, rest = stops.end(), tail(event)
                    ended = Ended(usage=_usage(event.usage))
            if ready:
                yield Text(ready)
            if ended is None:
                for annotation in marks.feed(ready):
                    yield annotation
            if rest:
                yield Text(rest)
            if stops.is_hit or ended:
                yield ended or Ended()
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
