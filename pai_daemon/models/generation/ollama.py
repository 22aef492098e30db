"""Writes answers with Ollama, over its native `/api/chat`.

Not over its OpenAI-compatible route, which cannot set the context: Ollama would take 4,096 tokens
on most machines and silently drop the oldest messages. Here the context is one constant (another
value reloads the model), and `truncate` and `shift` are off, so too long a prompt is an error rather
than lost evidence. Source: Ollama's API reference and `api/types.go`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.addresses import Address
from pai_daemon.models.generation.generator import Message, ThoughtFilter, estimate_tokens
from pai_daemon.models.server import SILENCE_S, Advice, Away, Refusal, Server, said

CONTEXT_TOKENS = 8_192


class OllamaGenerator:
    """A model served by Ollama. Safe for several streams at once.

    Ollama forwards a cloud model's prompts to another machine. Such a model counts as remote; one
    that the server calls remote against its name is refused before anything is sent to it.
    """

    def __init__(self, url: str, model: str, *, silence_s: float = SILENCE_S) -> None:
        """Name a server and a model; nothing is contacted yet.

        silence_s: how long the server may stay silent, before the first piece or between two.
        """
        self.name = f"ollama:{model}"
        self.location = Address("ollama", model, url).location
        self.context_tokens = CONTEXT_TOKENS
        self._model = model
        advice = Advice(
            not_running="Start it: `ollama serve`.",
            no_model=f"Get the model: `ollama pull {model}`.",
            refused="See Ollama's log.",
        )
        self._server = Server(
            self.name, url, advice, error=GeneratorUnavailable, headers={}, silence_s=silence_s
        )
        self._facts: Mapping[str, Any] | None = None

    async def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece, without the model's thoughts.

        Raises GeneratorUnavailable when the server is away, lacks the model, fails midway, or when
        prompt and answer do not fit into the context.
        """
        if estimate_tokens(messages) + max_tokens > CONTEXT_TOKENS:
            raise self._too_long()
        try:
            body = self._body(messages, max_tokens, await self._show())
            thoughts = ThoughtFilter()
            async with aclosing(self._chat(body, max_tokens)) as pieces:
                async for piece in pieces:
                    if text := thoughts.feed(piece):
                        yield text
            if text := thoughts.end():
                yield text
        except Refusal as refused:
            raise self._server.refusal(refused) from refused

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()

    async def _show(self) -> Mapping[str, Any]:
        """Return what the server says about the model, asked once."""
        if self._facts is None:
            try:
                facts = await self._server.document("/api/show", {"model": self._model})
            except Away as away:
                raise self._server.away(away) from away
            if facts.get("remote_host") and self.location == "local":
                raise self._server.failure(
                    "is forwarded to another machine by Ollama", "Name a model that Ollama runs itself."
                )
            self._facts = facts
        return self._facts

    def _body(self, messages: Sequence[Message], max_tokens: int, facts: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "stream": True,
            "truncate": False,
            "shift": False,
            "options": {"num_ctx": CONTEXT_TOKENS, "num_predict": max_tokens, "temperature": 0.1},
        }
        # A model that cannot think refuses the field.
        if "thinking" in (facts.get("capabilities") or ()):
            body["think"] = False
        return body

    async def _chat(self, body: Mapping[str, Any], max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the content of each line until the one that says it is done."""
        async with aclosing(self._server.lines("/api/chat", body)) as lines:
            async for line in lines:
                if not line.strip():
                    continue
                part = self._parsed(line)
                if problem := said(part):
                    raise self._server.failure(f"failed midway: {problem.rstrip('.')}", "See Ollama's log.")
                if content := (part.get("message") or {}).get("content"):
                    yield str(content)
                if part.get("done"):
                    full = (
                        part.get("done_reason") == "length"
                        and part.get("eval_count", max_tokens) < max_tokens
                    )
                    if full:
                        raise self._too_long()
                    return
        raise self._server.failure("broke off before the end of its answer")

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            part = json.loads(line)
        except ValueError as error:
            raise self._server.failure("sent something that is not JSON") from error
        return part if isinstance(part, dict) else {}

    def _too_long(self) -> Exception:
        return self._server.failure(
            f"has no room for this question and its passages in {CONTEXT_TOKENS} tokens",
            "Ask about fewer notes at once.",
        )
