"""Writes answers with any server that speaks OpenAI's `/v1/chat/completions` (LM Studio, llama.cpp).

Server-sent events: lines `data: {…}` up to `data: [DONE]`; comment lines keep the connection alive.
Source: OpenAI's API reference and the WHATWG's event stream format, of which only `data` is used.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.addresses import Location, location_of
from pai_daemon.models.generation.generator import Message, ThoughtFilter
from pai_daemon.models.server import SILENCE_S, Advice, Refusal, Server, bearer, said

# What LM Studio loads a model with unless told otherwise; the protocol does not say it.
CONTEXT_TOKENS = 4_096


class OpenAIGenerator:
    """A model behind an OpenAI-compatible server. Safe for several streams at once."""

    def __init__(self, base_url: str, model: str, api_key: str = "", *, silence_s: float = SILENCE_S) -> None:
        """Name a server by its `/v1` address and a model; nothing is contacted yet.

        silence_s: how long the server may stay silent, before the first piece or between two.
        """
        self.name = f"openai:{model}"
        self.location: Location = location_of(base_url)
        self.context_tokens = CONTEXT_TOKENS
        self._model = model
        advice = Advice(
            not_running="Start it; in LM Studio: `lms server start`.",
            no_model=f"Load the model; in LM Studio: `lms load {model}`.",
            refused="Check the model's name and, where the server wants one, the key (PAI_GENERATOR_KEY).",
        )
        self._server = Server(
            self.name,
            base_url,
            advice,
            error=GeneratorUnavailable,
            headers=bearer(api_key),
            silence_s=silence_s,
        )
        self._limit = "max_tokens"

    async def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece, without the model's reasoning.

        Raises GeneratorUnavailable when the server is away, lacks the model or fails midway.
        """
        body = {
            "model": self._model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "stream": True,
        }
        thoughts = ThoughtFilter()
        async with aclosing(self._pieces(body, max_tokens)) as pieces:
            async for piece in pieces:
                if text := thoughts.feed(piece):
                    yield text
        if text := thoughts.end():
            yield text

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()

    async def _pieces(self, body: Mapping[str, Any], max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the content of the answer, asking again where the limit has another name."""
        for attempt in (1, 2):
            try:
                async with aclosing(self._chat({**body, self._limit: max_tokens})) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except Refusal as refused:
                # OpenAI's own newer models take only the longer name; local servers the shorter.
                renamed = refused.status == 400 and "max_completion_tokens" in refused.text
                if attempt == 2 or not renamed:
                    raise self._server.refusal(refused) from refused
                self._limit = "max_completion_tokens"

    async def _chat(self, body: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        """Yield the content of each event until the stream says it is done."""
        finished = False
        async with aclosing(self._server.lines("/chat/completions", body)) as lines:
            async for line in lines:
                if not line.startswith("data:"):
                    continue
                data = line.removeprefix("data:").strip()
                if data == "[DONE]":
                    return
                content, ended = self._content(data)
                finished = finished or ended
                if content:
                    yield content
        if not finished:
            raise self._server.failure("broke off before the end of its answer")

    def _content(self, data: str) -> tuple[str, bool]:
        """Return an event's text and whether it is the answer's last.

        An event without choices, such as one that carries only usage, has no text; neither has
        `reasoning_content`. Raises GeneratorUnavailable for an error event.
        """
        try:
            event = json.loads(data)
        except ValueError as error:
            raise self._server.failure("sent something that is not JSON") from error
        if problem := said(event):
            raise self._server.failure(f"failed midway: {problem.rstrip('.')}", "See the server's log.")
        choices = event.get("choices") if isinstance(event, dict) else None
        if not choices:
            return "", False
        delta = choices[0].get("delta") or {}
        return str(delta.get("content") or ""), bool(choices[0].get("finish_reason"))
