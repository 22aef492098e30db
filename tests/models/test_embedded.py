"""A real GGUF file in a real llama.cpp: loaded on demand, stopped, ended when idle, replaced when dead."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import openai
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.embedded import WORKER, EmbeddedGenerator
from pai_daemon.models.generation.generator import Generator, GeneratorEvent, Message, Text, Usage
from pai_daemon.models.generation.gguf import MAGIC, read_facts
from pai_daemon.models.generation.openai import OpenAIGenerator

PASSAGES = "The boat is called Kestrel. It lies in Hull. The engine is a Beta Marine 38. " * 4


def told(question: str) -> list[Message]:
    """Return a prompt that begins like every other one here."""
    return [Message("system", "You answer briefly."), Message("user", f"{PASSAGES}\n\n{question}")]


async def answer(generator: Generator, question: str, max_tokens: int = 12) -> list[GeneratorEvent]:
    """Return the events of a whole answer."""
    return [event async for event in generator.stream(told(question), max_tokens=max_tokens)]


@pytest.fixture
async def embedded(tiny_gguf: Path) -> AsyncIterator[EmbeddedGenerator]:
    """Yield a generator with the file, ended afterwards."""
    generator = EmbeddedGenerator(tiny_gguf, threads=1)
    yield generator
    await generator.close()


def children() -> set[int]:
    """Return the processes that serve a model."""
    return {
        child.pid
        for child in psutil.Process().children(recursive=True)
        if child.status() != psutil.STATUS_ZOMBIE and str(WORKER) in child.cmdline()
    }


async def soon(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, 20 s at most."""
    for _ in range(400):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came about")


async def test_model_is_loaded_by_the_first_answer_and_reads_a_prefix_once(
    embedded: EmbeddedGenerator,
) -> None:
    """Text comes in pieces and its cost last; a follow-up reads only what is new of its prompt."""
    assert not embedded.is_loaded
    assert await embedded.window() == 8_192
    assert not children()
    *texts, usage = await answer(embedded, "What is the boat called?")
    assert all(isinstance(event, Text) for event in texts)
    assert len(texts) > 1
    assert isinstance(usage, Usage)
    assert usage.prompt_tokens
    assert 0 < (usage.completion_tokens or 0) <= 12
    following = (await answer(embedded, "Where does it lie?"))[-1]
    assert isinstance(following, Usage)
    assert (following.cached_tokens or 0) > 0.8 * usage.prompt_tokens
    assert len(children()) == 1
    await embedded.close()
    assert not children()


async def test_follow_up_reads_no_passage_again_though_it_was_rewritten_in_between(
    embedded: EmbeddedGenerator,
) -> None:
    """Another prompt between two of a conversation costs the second nothing, as llama.cpp counts it."""
    first = told("What is the boat called?")
    usage = (await answer(embedded, "What is the boat called?"))[-1]
    assert isinstance(usage, Usage)
    between = [Message("system", "You rewrite questions."), Message("user", "And where does it lie? " * 20)]
    async for event in embedded.stream(between, max_tokens=4):
        last = event
    assert isinstance(last, Usage)
    following = [*first, Message("assistant", "Kestrel."), Message("user", "Where does it lie?")]
    async for event in embedded.stream(following, max_tokens=4):
        last = event
    assert isinstance(last, Usage)
    assert last.prompt_tokens
    assert usage.prompt_tokens
    read = last.prompt_tokens - (last.cached_tokens or 0)
    assert read < 40 < usage.prompt_tokens - 40, (usage, last)


async def test_answer_left_early_stops_the_model(embedded: EmbeddedGenerator) -> None:
    """Who stops reading frees the model's only place for the next question."""
    async with aclosing(embedded.stream(told("Tell a long story."), max_tokens=7_000)) as events:
        async for _ in events:
            break
    async with asyncio.timeout(60):
        assert isinstance((await answer(embedded, "What is the boat called?"))[-1], Usage)


async def test_process_that_dies_midway_is_an_unavailable_generator_and_starts_again(
    embedded: EmbeddedGenerator,
) -> None:
    """What came stays, the error is ours, and the next question loads the model anew."""
    came: list[GeneratorEvent] = []

    async def read() -> None:
        async for event in embedded.stream(told("Tell a long story."), max_tokens=7_000):
            came.append(event)
            if len(came) == 3:
                psutil.Process(children().pop()).kill()

    with pytest.raises(GeneratorUnavailable):
        await read()
    assert len(came) >= 3
    assert isinstance((await answer(embedded, "What is the boat called?"))[-1], Usage)


async def test_idle_model_gives_its_memory_back(tiny_gguf: Path) -> None:
    """Some time after an answer the process ends, and not before."""
    generator = EmbeddedGenerator(tiny_gguf, idle_s=0.5, threads=1)
    await answer(generator, "What is the boat called?", max_tokens=2)
    assert generator.is_loaded
    await soon(lambda: not generator.is_loaded)
    assert not children()
    await generator.close()


async def test_asking_that_is_given_up_while_loading_leaves_no_process(embedded: EmbeddedGenerator) -> None:
    """A person who leaves before the model is loaded leaves nothing behind."""
    asking = asyncio.create_task(answer(embedded, "What is the boat called?"))
    await soon(lambda: bool(children()))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await soon(lambda: not children())


@pytest.mark.parametrize("content", [None, b"", b"GGUF", b"# A note", MAGIC + b"\3\0\0\0" + b"\xff" * 64])
async def test_file_that_is_no_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty, foreign or damaged file is an unavailable generator, and nothing is started."""
    path = tmp_path / "odd.gguf"
    if content is not None:
        path.write_bytes(content)
    generator = EmbeddedGenerator(path)
    with pytest.raises(GeneratorUnavailable, match=r"odd\.gguf"):
        await answer(generator, "Anything?")
    assert not children()


async def test_file_that_ends_early_says_that_it_cannot_be_loaded(tmp_path: Path, tiny_gguf: Path) -> None:
    """A download that broke off has a whole head; llama.cpp refuses the rest, and the daemon lives."""
    half = tmp_path / "half.gguf"
    with tiny_gguf.open("rb") as whole:
        half.write_bytes(whole.read(20_000_000))
    generator = EmbeddedGenerator(half, threads=1)
    with pytest.raises(GeneratorUnavailable, match="could not be loaded") as caught:
        await answer(generator, "Anything?")
    assert "damaged" in caught.value.hint
    assert not children()


def test_facts_of_a_real_file_are_its_own(tiny_gguf: Path) -> None:
    """The head tells the architecture, how many parameters there are, and how long a prompt may be."""
    facts = read_facts(tiny_gguf)
    assert (facts.architecture, facts.context_tokens, facts.chats) == ("llama", 8_192, True)
    assert 134_000_000 < facts.parameters < 136_000_000


@given(st.binary(max_size=200))
def test_facts_of_any_bytes_are_an_unavailable_generator(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    """Whatever follows the magic number, the reader ends with our own error or with facts."""
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    path.write_bytes(MAGIC + b"\3\0\0\0" + tail)
    with contextlib.suppress(GeneratorUnavailable):
        assert read_facts(path).parameters >= 0


@pytest.fixture(scope="module")
def llama_server(tiny_gguf: Path) -> Iterator[str]:
    """Yield the address of llama.cpp's own server, in a process as the daemon starts it."""
    asked = {
        "path": str(tiny_gguf),
        "name": "tiny",
        "key": "right",
        "context_tokens": 2_048,
        "threads": 1,
    }
    with subprocess.Popen(
        [sys.executable, "-P", str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()
        # It ends with its standard input, so it never outlives the daemon.
        assert process.wait(10) == 0


async def test_real_openai_client_and_ours_read_the_same_from_llama_cpp(llama_server: str) -> None:
    """A true OpenAI-compatible server says to our client what it says to OpenAI's own."""
    question = told("What is the boat called?")
    async with openai.AsyncOpenAI(base_url=f"{llama_server}/v1", api_key="right") as client:
        assert [model.id async for model in client.models.list()] == ["tiny"]
        stream = await client.chat.completions.create(
            model="tiny",
            messages=[{"role": "user", "content": question[1].content}],
            stream=True,
            max_tokens=12,
            temperature=0,
        )
        theirs = "".join([part.choices[0].delta.content or "" async for part in stream if part.choices])
    ours = OpenAIGenerator(f"{llama_server}/v1", "tiny", "right")
    events = [event async for event in ours.stream(question[1:], max_tokens=12)]
    assert theirs
    assert sum(isinstance(event, Text) for event in events) > 1
    assert isinstance(events[-1], Usage)
    assert await ours.window() == 2_048
    await ours.close()


async def test_real_server_refuses_a_wrong_key_to_both_clients(llama_server: str) -> None:
    """The model is not open to other programs of this machine: it wants the key of its daemon."""
    async with openai.AsyncOpenAI(base_url=f"{llama_server}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.chat.completions.create(
                model="tiny", messages=[{"role": "user", "content": "Hello?"}]
            )
    ours = OpenAIGenerator(f"{llama_server}/v1", "tiny", "wrong")
    with pytest.raises(GeneratorUnavailable, match="401"):
        await answer(ours, "Anything?")
    await ours.close()


async def test_real_server_that_has_no_room_for_a_prompt_is_told_so(llama_server: str) -> None:
    """A prompt beyond the context is an error in the server's words, never a prompt cut at its start."""
    ours = OpenAIGenerator(f"{llama_server}/v1", "tiny", "right")
    with pytest.raises(GeneratorUnavailable, match="context"):
        await answer(ours, PASSAGES * 40)
    await ours.close()
