"""What a generator is: messages go in, events come out; closing its stream stops it.

It runs inside the daemon, elsewhere on this machine or beyond it, and says which: a private note may only
reach what is on this machine (D15).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Place = Literal["embedded", "local", "remote"]
# A token of English is 4 characters, of code or of a rare language fewer; none is this long on average.
LONGEST_TOKEN = 12
TOKEN_BYTES = 3.5


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what the model thinks before it answers; no part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost in tokens, None where the server does not say.

    cached_tokens: how many of the prompt were known from the one before, and not read again.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None = None


GeneratorEvent = Text | Thought | Usage


class Generator(Protocol):
    """What writes answers. name: as a person reads it, `ollama:llama3.2`."""

    name: str
    location: Place

    async def window(self) -> int:
        """Return how many tokens prompt and answer may have together, as the server says. Never raises."""
        ...

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield the answer piece by piece, then what it cost. Raises GeneratorUnavailable, also midway.

        Close it (`contextlib.aclosing`) to stop the model before its end.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


class Endless(Exception):
    """A model that writes on beyond what it was allowed."""


async def bounded(
    generator: Generator, messages: Sequence[Message], max_tokens: int
) -> AsyncGenerator[GeneratorEvent, None]:
    """Yield what a generator does, up to a length that no answer of so many tokens has. Raises Endless too.

    Not every server keeps to the limit that it is told. Thoughts may be four times as long.
    """
    written = {Text: 0, Thought: 0}
    async with aclosing(generator.stream(messages, max_tokens=max_tokens)) as events:
        async for event in events:
            yield event
            if not isinstance(event, Usage):
                written[type(event)] += len(event.text)
                if written[Text] + written[Thought] / 4 > max_tokens * LONGEST_TOKEN:
                    raise Endless(generator.name)


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages take: TOKEN_BYTES of UTF-8 each, 8 more a message.

    A guess on the high side for English, about right for German and for Chinese.
    """
    return sum(8 + int(len(message.content.encode("utf-8", "replace")) / TOKEN_BYTES) for message in messages)


def beginning(text: str, budget_tokens: int) -> str:
    """Return as much of the beginning of a text as takes about so many tokens."""
    return text.encode("utf-8", "replace")[: int(budget_tokens * TOKEN_BYTES)].decode("utf-8", "ignore")


class ThoughtSplitter:
    """Tells a leading `<think>…</think>`, which some servers leave in the text, from the answer after it."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._state: Literal["start", "thinking", "gap", "answer"] = "start"
        self._waiting = ""

    def feed(self, text: str) -> Iterator[Text | Thought]:
        """Yield what a piece, and what waited before it, says for sure."""
        self._waiting += text
        if self._state == "start":
            start = self._waiting.lstrip()
            if len(start) < len(self._OPEN) and self._OPEN.startswith(start):
                return
            self._state = "thinking" if start.startswith(self._OPEN) else "answer"
            self._waiting = start.removeprefix(self._OPEN) if self._state == "thinking" else self._waiting
        if self._state == "thinking":
            thought, closed, rest = self._waiting.partition(self._CLOSE)
            # Until then the end may be the beginning of a closing tag.
            sure = len(thought) if closed else max(0, len(thought) - len(self._CLOSE) + 1)
            self._waiting = rest if closed else thought[sure:]
            self._state = "gap" if closed else "thinking"
            if sure:
                yield Thought(thought[:sure])
        if self._state == "gap":
            self._waiting = self._waiting.lstrip()
            self._state = "answer" if self._waiting else "gap"
        if self._state == "answer":
            yield from self._release()

    def end(self) -> Iterator[Text | Thought]:
        """Yield what still waits when the stream ends; a thought without end is no answer."""
        if self._state == "thinking" and self._waiting:
            yield Thought(self._waiting)
        elif self._state != "thinking":
            yield from self._release()

    def _release(self) -> Iterator[Text]:
        text, self._waiting = self._waiting, ""
        if text:
            yield Text(text)


def mapping(value: object) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for anything else: a server may send what it likes."""
    return value if isinstance(value, dict) else {}


def count(value: object) -> int | None:
    """Return a number of tokens that a server says, None for anything that is none."""
    return value if type(value) is int and value >= 0 else None
