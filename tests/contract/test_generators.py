"""Our generators against the fakes: what is sent, what is read, and how each failure is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from aiohttp import web

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import (
    Generator,
    GeneratorEvent,
    Message,
    Text,
    Thought,
)
from pai_daemon.models.generation.ollama import OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator
from tests.contract.fakes import DEFAULT_WORDS, Behaviour, ollama_app, openai_app, served

ANSWER = "".join(DEFAULT_WORDS)
MESSAGES = [
    Message("system", "Answer from the passages."),
    Message("user", "What did the tiles cost? 多少钱?"),
]
KINDS = ["ollama", "openai"]


@pytest.fixture
def how() -> Behaviour:
    """Return a behaviour that a test may change."""
    return Behaviour()


@pytest.fixture
async def addresses(how: Behaviour) -> AsyncIterator[dict[str, str]]:
    """Serve both fakes with one behaviour and yield their addresses."""
    cloudy = ("llama3.2:latest", "disguised-cloud-model:latest")
    async with served(ollama_app(how, cloudy)) as ollama, served(openai_app(how)) as openai:
        yield {"ollama": ollama, "openai": f"{openai}/v1"}


def _generator(kind: str, url: str, model: str = "", silence_s: float = 5.0) -> Generator:
    if kind == "ollama":
        return OllamaGenerator(url, model or "llama3.2", silence_s=silence_s)
    return OpenAIGenerator(url, model or "qwen2.5-7b", "secret-key", silence_s=silence_s)


async def _events(generator: Generator, messages: list[Message] = MESSAGES) -> list[GeneratorEvent]:
    try:
        return [event async for event in generator.stream(messages, max_tokens=64)]
    finally:
        await generator.close()


async def _answer(generator: Generator, messages: list[Message] = MESSAGES) -> str:
    return _text(await _events(generator, messages))


def _text(events: list[GeneratorEvent], kind: type[Text | Thought] = Text) -> str:
    return "".join(
        event.text for event in events if isinstance(event, Text | Thought) and type(event) is kind
    )


async def _failure(generator: Generator) -> GeneratorUnavailable:
    with pytest.raises(GeneratorUnavailable) as caught:
        await _answer(generator)
    assert "secret-key" not in caught.value.detail + caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_gives_the_whole_answer(kind: str, addresses: dict[str, str]) -> None:
    """The pieces joined are what the server's model wrote."""
    assert await _answer(_generator(kind, addresses[kind])) == ANSWER


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", KINDS)
async def test_stream_cut_within_characters_is_read_whole(
    kind: str, chunk_bytes: int, how: Behaviour, addresses: dict[str, str]
) -> None:
    """A character whose bytes arrive in different network chunks stays itself."""
    how.chunk_bytes = chunk_bytes
    assert await _answer(_generator(kind, addresses[kind])) == ANSWER


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_keeps_thoughts_apart(kind: str, how: Behaviour, addresses: dict[str, str]) -> None:
    """Reasoning is no part of the answer, whether in its own field or in the text."""
    how.thoughts = ["Let me see.", "Tiles…"]
    how.words = ["<thi", "nk>They ask", " about tiles</th", "ink>\n\n", *DEFAULT_WORDS]
    events = await _events(_generator(kind, addresses[kind]))
    assert _text(events) == ANSWER
    assert _text(events, Thought) == "Let me see.Tiles…They ask about tiles"


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_from_nowhere_says_how_to_start(kind: str) -> None:
    """A port where nothing listens is an unavailable generator; the hint is the command to start it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    failure = await _failure(_generator(kind, f"http://127.0.0.1:{port}"))
    assert str(port) in failure.detail
    assert {"ollama": "ollama serve", "openai": "lms server start"}[kind] in failure.hint


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_of_a_missing_model_says_how_to_get_it(kind: str, addresses: dict[str, str]) -> None:
    """Status 404 is an unavailable generator; the hint is the command that gets the model."""
    failure = await _failure(_generator(kind, addresses[kind], "absent"))
    assert "404" in failure.detail
    assert {"ollama": "ollama pull absent", "openai": "lms load absent"}[kind] in failure.hint


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_that_fails_midway_gives_the_pieces_then_raises(
    kind: str, how: Behaviour, addresses: dict[str, str]
) -> None:
    """What came before an error is yielded; the error carries the server's own words."""
    how.error_after = 2
    generator = _generator(kind, addresses[kind])
    pieces = generator.stream(MESSAGES, max_tokens=64)
    assert [await anext(pieces), await anext(pieces)] == [Text(word) for word in DEFAULT_WORDS[:2]]
    with pytest.raises(GeneratorUnavailable, match="the model runner has stopped"):
        await anext(pieces)
    await generator.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_that_ends_early_is_no_answer(
    kind: str, how: Behaviour, addresses: dict[str, str]
) -> None:
    """A connection that ends without the last line is a failure, not a short answer."""
    how.cut_after = 2
    assert "broke off" in (await _failure(_generator(kind, addresses[kind]))).detail


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_waits_for_a_slow_first_byte(
    kind: str, how: Behaviour, addresses: dict[str, str]
) -> None:
    """A server that loads its model first is waited for."""
    how.silence_s = 0.3
    assert await _answer(_generator(kind, addresses[kind], silence_s=5)) == ANSWER


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_gives_up_on_silence(kind: str, how: Behaviour, addresses: dict[str, str]) -> None:
    """Silence beyond the limit is a failure that names the limit."""
    how.silence_s = 1.0
    failure = await _failure(_generator(kind, addresses[kind], silence_s=0.1))
    assert "said nothing for 0.1 seconds" in failure.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_closed_early_stops_the_server(
    kind: str, how: Behaviour, addresses: dict[str, str]
) -> None:
    """Who stops reading hangs up, so the model stops writing."""
    how.words = ["word "] * 5_000
    generator = _generator(kind, addresses[kind])
    async with aclosing(generator.stream(MESSAGES, max_tokens=64)) as pieces:
        async for _ in pieces:
            break
    await asyncio.wait_for(how.left_early.wait(), 5)
    await generator.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_stream_follows_no_redirect(kind: str) -> None:
    """A server that points elsewhere is refused: nothing is sent to another address."""
    reached: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.json_response({})

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(f"{target}{request.path}")

    there, here = web.Application(), web.Application()
    there.router.add_route("*", "/{path:.*}", elsewhere)
    here.router.add_route("*", "/{path:.*}", redirect)
    async with served(there) as target, served(here) as url:
        assert "307" in (await _failure(_generator(kind, url))).detail
    assert reached == []


async def test_ollama_is_asked_not_to_cut_the_prompt(how: Behaviour, addresses: dict[str, str]) -> None:
    """Every chat names its context and forbids truncation and shifting; a plain model gets no think."""
    await _answer(_generator("ollama", addresses["ollama"]))
    path, body = how.requests[-1]
    assert path == "/api/chat"
    assert (body["truncate"], body["shift"], body["stream"]) == (False, False, True)
    assert body["options"]["num_ctx"] == 4_096
    assert body["options"]["num_predict"] == 64
    assert "think" not in body
    assert body["messages"][0] == {"role": "system", "content": "Answer from the passages."}


async def test_ollama_that_can_think_is_asked_not_to(how: Behaviour, addresses: dict[str, str]) -> None:
    """A model with the capability gets `think: false`: thoughts cost time and nobody sees them."""
    how.thoughts = ["Hm."]
    await _answer(_generator("ollama", addresses["ollama"]))
    assert how.requests[-1][1]["think"] is False


async def test_ollama_prompt_beyond_the_context_is_refused_unsent(
    how: Behaviour, addresses: dict[str, str]
) -> None:
    """A prompt that cannot fit by our own estimate raises before anything is sent."""
    generator = _generator("ollama", addresses["ollama"])
    with pytest.raises(GeneratorUnavailable, match="no room"):
        await _answer(generator, [Message("user", "word " * 16_000)])
    assert how.requests == []


async def test_ollama_cloud_model_under_a_local_name_gets_no_prompt(
    how: Behaviour, addresses: dict[str, str]
) -> None:
    """A model that Ollama forwards elsewhere is refused before the notes are sent (D15)."""
    generator = _generator("ollama", addresses["ollama"], "disguised-cloud-model")
    assert generator.location == "local"
    assert "another machine" in (await _failure(generator)).detail
    assert [path for path, _ in how.requests] == ["/api/show"]


async def test_openai_gets_the_key_as_bearer(how: Behaviour, addresses: dict[str, str]) -> None:
    """The key travels in the header, and only there."""
    await _answer(_generator("openai", addresses["openai"]))
    assert how.authorizations == ["Bearer secret-key"]
    assert "secret-key" not in str(how.requests)


async def test_openai_with_a_wrong_key_hints_at_the_setting(how: Behaviour) -> None:
    """Status 401 points to the key's setting without showing the key."""
    async with served(openai_app(how, key="another")) as url:
        failure = await _failure(_generator("openai", f"{url}/v1"))
    assert "401" in failure.detail
    assert "PAI_GENERATOR_KEY" in failure.hint


async def test_lm_studio_without_a_loaded_model_hints_at_loading(how: Behaviour) -> None:
    """LM Studio's own words are shown with the command that helps."""
    async with served(openai_app(how, models=())) as url:
        failure = await _failure(_generator("openai", f"{url}/v1"))
    assert "No models loaded" in failure.detail
    assert "lms load qwen2.5-7b" in failure.hint


async def test_openai_that_wants_the_longer_limit_gets_it(how: Behaviour) -> None:
    """A server that refuses `max_tokens` by name is asked again with `max_completion_tokens`."""
    async with served(openai_app(how, models=["gpt-5-mini"])) as url:
        assert await _answer(_generator("openai", f"{url}/v1", "gpt-5-mini")) == ANSWER
    assert how.requests[-1][1]["max_completion_tokens"] == 64
    assert "max_tokens" not in how.requests[-1][1]
