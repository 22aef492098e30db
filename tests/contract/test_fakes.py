"""The fakes are faithful: the programs' own Python clients understand them."""

from __future__ import annotations

import ollama
import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.contract.fakes import DEFAULT_WORDS, Behaviour, ollama_app, openai_app, served

QUESTION: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "What did the tiles cost?"}]


async def test_ollama_client_lists_shows_and_chats() -> None:
    """The real Ollama client reads the models, a model's facts and a streamed answer."""
    async with served(ollama_app(Behaviour(thoughts=["Hm."]))) as url:
        client = ollama.AsyncClient(host=url)
        assert [model.model for model in (await client.list()).models] == ["llama3.2:latest"]
        assert "thinking" in ((await client.show("llama3.2")).capabilities or [])
        stream = await client.chat("llama3.2", QUESTION, stream=True)
        parts = [part async for part in stream]
        await client.close()  # type: ignore[no-untyped-call]
    assert "".join(part.message.content or "" for part in parts) == "".join(DEFAULT_WORDS)
    assert "".join(part.message.thinking or "" for part in parts) == "Hm."
    assert parts[-1].done
    assert parts[-1].done_reason == "stop"


async def test_ollama_client_pulls() -> None:
    """The real Ollama client reads how far a model is, and that there is none of a name."""
    async with served(ollama_app(Behaviour())) as url:
        client = ollama.AsyncClient(host=url)
        steps = [step async for step in await client.pull("llama3.2", stream=True)]
        with pytest.raises(ollama.ResponseError, match="does not exist"):
            async for _ in await client.pull("absent", stream=True):
                pass
        await client.close()  # type: ignore[no-untyped-call]
    assert [step.completed for step in steps if step.total] == [None, 300, 900]
    assert steps[-1].status == "success"


async def test_ollama_client_chats_without_streaming() -> None:
    """The real Ollama client reads a whole answer."""
    async with served(ollama_app(Behaviour())) as url:
        client = ollama.AsyncClient(host=url)
        answer = await client.chat("llama3.2", QUESTION)
        await client.close()  # type: ignore[no-untyped-call]
    assert answer.message.content == "".join(DEFAULT_WORDS)


async def test_ollama_client_raises_for_a_missing_model_and_midway() -> None:
    """The real Ollama client sees status 404, and an error line in a stream of status 200."""
    async with served(ollama_app(Behaviour(error_after=2))) as url:
        client = ollama.AsyncClient(host=url)
        with pytest.raises(ollama.ResponseError) as missing:
            await client.chat("absent", QUESTION)
        with pytest.raises(ollama.ResponseError, match="runner has stopped"):
            async for _ in await client.chat("llama3.2", QUESTION, stream=True):
                pass
        await client.close()  # type: ignore[no-untyped-call]
    assert missing.value.status_code == 404


async def test_openai_client_lists_and_chats() -> None:
    """The real OpenAI client reads the models, a whole answer and a streamed one."""
    async with (
        served(openai_app(Behaviour())) as url,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client,
    ):
        assert [model.id async for model in client.models.list()] == ["qwen2.5-7b"]
        whole = await client.chat.completions.create(model="qwen2.5-7b", messages=QUESTION)
        stream = await client.chat.completions.create(model="qwen2.5-7b", messages=QUESTION, stream=True)
        pieces = [part.choices[0].delta.content or "" async for part in stream if part.choices]
    assert whole.choices[0].message.content == "".join(pieces) == "".join(DEFAULT_WORDS)


async def test_openai_client_raises_for_each_refusal() -> None:
    """The real OpenAI client sees a wrong key, a missing model and an error midway as such."""
    async with served(openai_app(Behaviour(error_after=1), key="right")) as url:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError):
                await client.models.list()
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="right", max_retries=0) as client:
            with pytest.raises(openai.NotFoundError):
                await client.chat.completions.create(model="absent", messages=QUESTION)
            stream = await client.chat.completions.create(model="qwen2.5-7b", messages=QUESTION, stream=True)
            with pytest.raises(openai.APIError, match="runner has stopped"):
                async for _ in stream:
                    pass
