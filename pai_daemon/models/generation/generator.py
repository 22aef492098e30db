"""What a generator is: it writes text from messages.

It runs on this machine or beyond it, and says which: a private note may only reach a local one (D15).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pai_daemon.models.addresses import Location


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Generator(Protocol):
    """What writes answers.

    name: as a person reads it, `ollama:llama3.2`. context_tokens: how long prompt and answer may
    be together.
    """

    name: str
    location: Location
    context_tokens: int

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece. Raises GeneratorUnavailable, also midway.

        Close it (`contextlib.aclosing`) to stop the model before its end.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages take: 3.5 bytes of UTF-8 each, 8 more a message.

    A guess on the high side for English, about right for German and for Chinese.
    """
    return sum(8 + int(len(message.content.encode("utf-8", "replace")) / 3.5) for message in messages)


class ThoughtFilter:
    """Drops a leading `<think>…</think>`, which some servers leave in the text."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._state: Literal["start", "thinking", "gap", "answer"] = "start"
        self._waiting = ""

    def feed(self, text: str) -> str:
        """Return what of a piece, and of what waited before it, belongs to the answer."""
        self._waiting += text
        if self._state == "start":
            start = self._waiting.lstrip()
            if len(start) < len(self._OPEN) and self._OPEN.startswith(start):
                return ""
            self._state = "thinking" if start.startswith(self._OPEN) else "answer"
        if self._state == "thinking":
            _, closed, rest = self._waiting.partition(self._CLOSE)
            # Until then only the beginning of a closing tag can still matter.
            self._waiting = rest if closed else self._waiting[-len(self._CLOSE) :]
            self._state = "gap" if closed else "thinking"
        if self._state == "gap":
            self._waiting = self._waiting.lstrip()
            self._state = "answer" if self._waiting else "gap"
        return self._release() if self._state == "answer" else ""

    def end(self) -> str:
        """Return what still waits when the stream ends; a thought without end is no answer."""
        return "" if self._state == "thinking" else self._release()

    def _release(self) -> str:
        text, self._waiting = self._waiting, ""
        return text
