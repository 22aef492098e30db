"""Has a generator write an answer, within a time budget: what came stays, and how it ended is said (D16).

Nothing a generator does ends the answer with an error: it is away, hangs, breaks off, sends nonsense,
nothing or no end; each is an ending here, after which the notes are quoted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Literal

from pai_daemon.context.answering.answer import Notice
from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import (
    Endless,
    Generator,
    GeneratorEvent,
    Message,
    Text,
    Usage,
    bounded,
)

# A person who sees nothing for longer than this wants to know why.
PATIENCE_S = 4.0
Ending = Literal["whole", "failed", "late", "endless"]


class Writing:
    """One text of a generator. ending: how it ended, and why, once `pieces` has come to its end.

    first_s, took_s: until its first piece, and in all; 0 where none came.
    """

    def __init__(
        self, generator: Generator, messages: Sequence[Message], max_tokens: int, deadline_s: float
    ) -> None:
        """Have nothing written yet. deadline_s: by the clock of the event loop."""
        self._generator = generator
        self._events = bounded(generator, messages, max_tokens)
        self._deadline_s = deadline_s
        self._has_waited = False
        self.usage: Usage | None = None
        self.first_s = self.took_s = 0.0
        self.ending: Ending = "whole"
        self.why = ""

    async def pieces(self) -> AsyncGenerator[str | Notice, None]:
        """Yield the text piece by piece, and once what is waited for. Raises nothing."""
        coming: asyncio.Future[GeneratorEvent] | None = None
        is_empty = True
        started_s = asyncio.get_running_loop().time()
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(self._events))
                done, _ = await asyncio.wait({coming}, timeout=self._patience_s())
                if asyncio.get_running_loop().time() >= self._deadline_s:
                    self._end("late", f"{self._generator.name} did not finish in the time it had.")
                    return
                if not done:
                    self._has_waited = True
                    yield Notice(f"{self._generator.name} is loading, or reading the passages…")
                    continue
                event, coming = coming.result(), None
                if isinstance(event, Text) and event.text:
                    self._has_waited = True
                    is_empty = is_empty and not event.text.strip()
                    self.took_s = asyncio.get_running_loop().time() - started_s
                    self.first_s = self.first_s or self.took_s
                    yield event.text
                elif isinstance(event, Usage):
                    self.usage = event
        except StopAsyncIteration:
            if is_empty:
                self._end("failed", f"{self._generator.name} returned an empty answer.")
        except GeneratorUnavailable as error:
            self._end("failed", f"{error.detail} {error.hint}".strip())
        except Endless:
            self._end("endless", f"{self._generator.name} did not come to an end.")
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            await self._events.aclose()

    def _patience_s(self) -> float:
        left_s = max(0.0, self._deadline_s - asyncio.get_running_loop().time())
        return left_s if self._has_waited else min(left_s, PATIENCE_S)

    def _end(self, ending: Ending, why: str) -> None:
        self.ending, self.why = ending, why
