"""Writes answers with any server that speaks OpenAI's `/v1/chat/completions` (LM Studio, llama.cpp, vLLM).

Server-sent events: lines `data: {…}` up to `data: [DONE]`; comment lines keep the connection alive.
How long a prompt may be is no part of the protocol, but each of these servers says it in its own way (D55).
Source: OpenAI's API reference, the WHATWG's event stream format, of which only `data` is used, and the
references of LM Studio, llama.cpp's server and vLLM.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.addresses import location_of
from pai_daemon.models.generation.generator import (
    GeneratorEvent,
    Message,
    Place,
    Thought,
    ThoughtSplitter,
    Usage,
    count,
    mapping,
)
from pai_daemon.models.server import SILENCE_S, Advice, Away, Refusal, Server, bearer, said

# Where a server does not say it: what LM Studio loads a model with unless told otherwise.
CONTEXT_TOKENS = 4_096
# A longer window than this costs more time than it adds passages.
MOST_TOKENS = 32_768
WINDOW_S = 2.0
# What an older or stricter server may not know, and the answer does not depend on.
EXTRAS = ("stream_options", "chat_template_kwargs", "temperature")


class OpenAIGenerator:
    """A model behind an OpenAI-compatible server. Safe for several streams at once."""

    def __init__(
        self, base_url: str, model: str, api_key: str = "", *, name: str = "", silence_s: float = SILENCE_S
    ) -> None:
        """Name a server by its `/v1` address and a model; nothing is contacted yet.

        name: what it is called, `openai:MODEL` unless given. silence_s: how long the server may stay silent,
        before the first piece or between two.
        """
        self.name = name or f"openai:{model}"
        self.location: Place = location_of(base_url)
        self._model = model
        advice = Advice(
            not_running="Start it; in LM Studio: `lms server start`.",
            no_model=f"Load the model; in LM Studio: `lms load {model}`.",
            refused="Check the model's name and, where the server wants one, the key (PAI_GENERATOR_KEY).",
        )

        def reached_at(url: str) -> Server:
            return Server(
                self.name,
                url,
                advice,
                error=GeneratorUnavailable,
                headers=bearer(api_key),
                silence_s=silence_s,
            )

        self._server = reached_at(base_url)
        # What is not OpenAI's lies beside `/v1`.
        self._beside = reached_at(base_url.rstrip("/").removesuffix("/v1"))
        self._limit = "max_tokens"
        self._refused: set[str] = set()
        self._window = 0

    async def window(self) -> int:
        """Return what the server says that the model is loaded with; asked until it says it."""
        if not self._window:
            try:
                async with asyncio.timeout(WINDOW_S):
                    self._window = min(await self._told_window(), MOST_TOKENS)
            except TimeoutError:
                pass  # busy loading the model; asked again with the next question
        return self._window or CONTEXT_TOKENS

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield the answer piece by piece, the model's reasoning apart, and what it cost.

        Raises GeneratorUnavailable when the server is away, lacks the model or fails midway.
        """
        while True:
            try:
                async with aclosing(self._chat(self._body(messages, max_tokens))) as events:
                    async for event in events:
                        yield event
                return
            except Refusal as refused:
                if not self._learnt(refused):
                    raise self._server.refusal(refused) from refused

    async def close(self) -> None:
        """Let go of the connections."""
        await self._server.close()
        await self._beside.close()

    def _body(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": each.role, "content": each.content} for each in messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            self._limit: max_tokens,
        }
        if self.location != "remote":
            # Reasoning takes minutes on such a machine. OpenAI's own servers refuse what they do not know.
            body |= {"temperature": 0.1, "chat_template_kwargs": {"enable_thinking": False}}
        return {name: value for name, value in body.items() if name not in self._refused}

    def _learnt(self, refused: Refusal) -> bool:
        """Return whether a refusal says how to ask otherwise, and remember it."""
        if refused.status not in (400, 422):
            return False
        # OpenAI's own newer models take only the longer name; local servers the shorter.
        if "max_completion_tokens" in refused.text and self._limit == "max_tokens":
            self._limit = "max_completion_tokens"
            return True
        news = {name for name in EXTRAS if name in refused.text} - self._refused
        self._refused |= news
        return bool(news)

    async def _told_window(self) -> int:
        """Return what the server says of the window, 0 where it does not: no place is everywhere."""
        for server, path, read in (
            (self._server, "/models", _listed_window),
            (self._beside, "/api/v0/models", _listed_window),
            (self._beside, "/props", _loaded_window),
        ):
            try:
                document = mapping(await server.document(path))
            except Away:
                return 0
            except Refusal:
                continue
            if told := read(document, self._model):
                return told
        return 0

    async def _chat(self, body: Mapping[str, Any]) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield what each event says until the stream says it is done."""
        finished, thoughts = False, ThoughtSplitter()
        async with aclosing(self._server.lines("/chat/completions", body)) as lines:
            async for line in lines:
                if not line.startswith("data:"):
                    continue
                data = line.removeprefix("data:").strip()
                if data == "[DONE]":
                    finished = True
                    break
                part = self._parsed(data)
                finished = finished or bool(_choice(part).get("finish_reason"))
                for event in _events(part, thoughts):
                    yield event
        for event in thoughts.end():
            yield event
        if not finished:
            raise self._server.failure("broke off before the end of its answer")

    def _parsed(self, data: str) -> Mapping[str, Any]:
        """Return an event's document. Raises GeneratorUnavailable for an error, or what is no JSON."""
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._server.failure("sent something that is not JSON") from error
        if problem := said(document):
            raise self._server.failure(f"failed midway: {problem.rstrip('.')}", "See the server's log.")
        return mapping(document)


def _choice(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first choice of an event; one that carries only usage has none."""
    choices = part.get("choices")
    return mapping(choices[0]) if isinstance(choices, list) and choices else {}


def _events(part: Mapping[str, Any], thoughts: ThoughtSplitter) -> Iterator[GeneratorEvent]:
    """Yield what a part of the stream says: reasoning, text, usage. Servers name reasoning in two ways."""
    delta = mapping(_choice(part).get("delta"))
    if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
        yield Thought(str(reasoning))
    yield from thoughts.feed(str(delta.get("content") or ""))
    if usage := mapping(part.get("usage")):
        known = count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens"))
        yield Usage(count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), known)


def _listed_window(document: Mapping[str, Any], model: str) -> int:
    """Return a model's window in a list of models: as vLLM, llama.cpp or LM Studio write it.

    Never what the model could have at most: LM Studio loads it with less.
    """
    listed = document.get("data")
    for each in map(mapping, listed if isinstance(listed, list) else ()):
        if each.get("id") == model:
            meta = mapping(each.get("meta"))
            told = (each.get("max_model_len"), meta.get("n_ctx"), each.get("loaded_context_length"))
            return next(filter(None, map(count, told)), 0)
    return 0


def _loaded_window(document: Mapping[str, Any], _model: str) -> int:
    """Return the window in llama.cpp's `/props`, whose server has one model."""
    return count(mapping(document.get("default_generation_settings")).get("n_ctx")) or 0
