"""Writes answers with Ollama, over its native `/api/chat`.

Not over its OpenAI-compatible route, which cannot set the context: Ollama would take 4,096 tokens
on most machines and silently drop the oldest messages. Another context reloads the model, so it grows in
a few steps and never shrinks, and what is loaded already is taken as it is (D55). `truncate` and `shift`
are off, so too long a prompt is an error rather than lost evidence. Source: Ollama's API reference and
`api/types.go`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pai_daemon.errors import GeneratorUnavailable, PaiError
from pai_daemon.models.addresses import Address
from pai_daemon.models.generation.generator import (
    GeneratorEvent,
    Message,
    Place,
    Thought,
    ThoughtSplitter,
    Usage,
    count,
    estimate_tokens,
    mapping,
)
from pai_daemon.models.server import SILENCE_S, Advice, Away, Refusal, Server, said

# Beyond the last, the memory for the context of an 8B model is as large as the model itself.
STEPS_TOKENS = (4_096, 8_192, 16_384)
KEEP_ALIVE_S = 300.0
# Whether a model is loaded is only worth a look, not a wait.
LOOK_S = 1.0


class OllamaGenerator:
    """A model served by Ollama. Safe for several streams at once.

    Ollama forwards a cloud model's prompts to another machine. Such a model counts as remote; one
    that the server calls remote against its name is refused before anything is sent to it.
    """

    def __init__(
        self, url: str, model: str, *, keep_alive_s: float = KEEP_ALIVE_S, silence_s: float = SILENCE_S
    ) -> None:
        """Name a server and a model; nothing is contacted yet.

        keep_alive_s: how long Ollama keeps the model loaded after an answer. silence_s: how long the
        server may stay silent, before the first piece or between two.
        """
        self.name = f"ollama:{model}"
        self.location: Place = Address("ollama", model, url).location
        self._model = model
        self._keep_alive_s = keep_alive_s
        advice = Advice(
            not_running="Start it: `ollama serve`.",
            no_model=f"Get the model: `ollama pull {model}`.",
            refused="See Ollama's log.",
        )
        self._server = Server(
            self.name, url, advice, error=GeneratorUnavailable, headers={}, silence_s=silence_s
        )
        self._facts: Mapping[str, Any] | None = None
        self._context_tokens = 0

    async def window(self) -> int:
        """Return the model's own limit, at most the largest step; the first step where nobody says it."""
        try:
            return _limit(await self._show()) or STEPS_TOKENS[0]
        except (PaiError, Refusal):
            return STEPS_TOKENS[0]

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield the answer piece by piece, the model's thoughts apart, and what it cost.

        Raises GeneratorUnavailable when the server is away, lacks the model, fails midway, or when
        prompt and answer do not fit into the context.
        """
        needed = estimate_tokens(messages) + max_tokens
        if needed > STEPS_TOKENS[-1]:
            raise self._too_long(STEPS_TOKENS[-1])
        try:
            facts = await self._show()
            limit = _limit(facts) or STEPS_TOKENS[-1]
            if needed > limit:
                raise self._too_long(limit)
            self._context_tokens = await self._context(needed, limit)
            async with aclosing(self._chat(self._body(messages, max_tokens, facts), max_tokens)) as events:
                async for event in events:
                    yield event
        except Refusal as refused:
            raise self._server.refusal(refused) from refused

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()

    async def _show(self) -> Mapping[str, Any]:
        """Return what the server says about the model, asked once."""
        if self._facts is None:
            try:
                facts = mapping(await self._server.document("/api/show", {"model": self._model}))
            except Away as away:
                raise self._server.away(away) from away
            if facts.get("remote_host") and self.location == "local":
                raise self._server.failure(
                    "is forwarded to another machine by Ollama", "Name a model that Ollama runs itself."
                )
            self._facts = facts
        return self._facts

    async def _context(self, needed: int, limit: int) -> int:
        """Return the context to ask for: what is loaded already where it suffices, else the next step."""
        if needed <= self._context_tokens <= limit:
            return self._context_tokens
        loaded = 0
        try:
            async with asyncio.timeout(LOOK_S):
                running = mapping(await self._server.document("/api/ps")).get("models")
            for each in map(mapping, running if isinstance(running, list) else ()):
                if each.get("name") in (self._model, f"{self._model}:latest"):
                    loaded = count(each.get("context_length")) or 0
        except (Away, Refusal, TimeoutError):
            pass  # older servers do not tell
        if loaded >= needed:
            return loaded
        return min(limit, next(step for step in STEPS_TOKENS if step >= needed))

    def _body(self, messages: Sequence[Message], max_tokens: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        options = {"num_ctx": self._context_tokens, "num_predict": max_tokens, "temperature": 0.1}
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "stream": True,
            "truncate": False,
            "shift": False,
            "keep_alive": f"{self._keep_alive_s:.0f}s",
            "options": options,
        }
        # A model that cannot think refuses the field.
        if "thinking" in (facts.get("capabilities") or ()):
            body["think"] = False
        return body

    async def _chat(self, body: Mapping[str, Any], max_tokens: int) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield what each line says until the one that says it is done."""
        thoughts = ThoughtSplitter()
        async with aclosing(self._server.lines("/api/chat", body)) as lines:
            async for line in lines:
                if not line.strip():
                    continue
                part = self._parsed(line)
                if problem := said(part):
                    raise self._server.failure(f"failed midway: {problem.rstrip('.')}", "See Ollama's log.")
                message = mapping(part.get("message"))
                if thought := message.get("thinking"):
                    yield Thought(str(thought))
                for event in thoughts.feed(str(message.get("content") or "")):
                    yield event
                if part.get("done"):
                    for event in thoughts.end():
                        yield event
                    usage = Usage(count(part.get("prompt_eval_count")), count(part.get("eval_count")))
                    written = usage.completion_tokens
                    if part.get("done_reason") == "length" and written is not None and written < max_tokens:
                        raise self._too_long(self._context_tokens)
                    yield usage
                    return
        raise self._server.failure("broke off before the end of its answer")

    def _parsed(self, line: str) -> Mapping[str, Any]:
        try:
            return mapping(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise self._server.failure("sent something that is not JSON") from error

    def _too_long(self, limit: int) -> PaiError:
        return self._server.failure(
            f"has no room for this question and its passages in {limit:,} tokens",
            "Ask about fewer notes at once.",
        )


def _limit(facts: Mapping[str, Any]) -> int:
    """Return the longest context of a model that is asked for, 0 where the server does not say."""
    info = mapping(facts.get("model_info"))
    own = count(info.get(f"{info.get('general.architecture')}.context_length")) or 0
    return min(own, STEPS_TOKENS[-1])
