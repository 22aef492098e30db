"""Writes answers with a GGUF file, by llama.cpp in a process of its own, without any other program (D56).

The process is started for the first question, ends after some idleness, and is asked over the loopback
address with a key that only this object knows. It keeps the last prompt it read: a follow-up whose prompt
begins alike reads only what is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.generation.generator import GeneratorEvent, Message, Place
from pai_daemon.models.generation.gguf import Facts, read_facts
from pai_daemon.models.generation.openai import OpenAIGenerator

WORKER = Path(__file__).with_name("llama_worker.py")
MOST_TOKENS = 8_192
LEAST_TOKENS = 2_048
IDLE_S = 300.0
# Gigabytes from a slow disk.
LOAD_S = 120.0
# A process that is told to end and does not is in a long computation.
END_S = 2.0
NOTICE_S = 0.5
INSTALL = "Run: pip install 'pai-daemon[llm]'"


def is_installed() -> bool:
    """Return whether llama.cpp is here; nothing of it is loaded."""
    return importlib.util.find_spec("xllamacpp") is not None


class EmbeddedGenerator:
    """A GGUF file on this machine. For one event loop; several streams wait for each other."""

    def __init__(self, path: Path, *, idle_s: float = IDLE_S, threads: int = 0) -> None:
        """Name a file; nothing is read or started yet.

        idle_s: after an answer, until the memory is given back; 0 never. threads: 0 leaves one core free,
        since llama.cpp's threads wait for each other by spinning: 44 s instead of 1.5 s where others work.
        """
        self.name = f"gguf:{path.stem}"
        self.location: Place = "embedded"
        self.path = path
        self._idle_s = idle_s
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._facts: Facts | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._client: OpenAIGenerator | None = None
        self._starting = asyncio.Lock()
        self._users = 0
        self._ending: asyncio.Task[None] | None = None

    @property
    def is_loaded(self) -> bool:
        """Return whether its process runs."""
        return self._process is not None and self._process.returncode is None

    async def window(self) -> int:
        """Return how many tokens the model is loaded for: at most what it was trained for."""
        try:
            facts = await self._read()
        except GeneratorUnavailable:
            return LEAST_TOKENS
        return min(facts.context_tokens or LEAST_TOKENS, MOST_TOKENS)

    async def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> AsyncGenerator[GeneratorEvent, None]:
        """Yield the answer piece by piece, then what it cost; loads the model first where it is not.

        Raises GeneratorUnavailable where llama.cpp is not installed, the file is none of its models, or its
        process ends.
        """
        self._users += 1
        if self._ending is not None:
            self._ending.cancel()
        try:
            client = await self._loaded()
            async with aclosing(client.stream(messages, max_tokens=max_tokens)) as events:
                async for event in events:
                    yield event
        except GeneratorUnavailable:
            await self._notice_end()
            raise
        finally:
            self._users -= 1
            if not self._users and self._idle_s:
                self._ending = asyncio.create_task(self._end_when_idle())

    async def close(self) -> None:
        """End the process."""
        if self._ending is not None:
            self._ending.cancel()
            await asyncio.gather(self._ending, return_exceptions=True)
        await self._stop()

    async def _read(self) -> Facts:
        if self._facts is None:
            self._facts = await asyncio.to_thread(read_facts, self.path)
        return self._facts

    async def _loaded(self) -> OpenAIGenerator:
        """Return the client of a process that runs, started where none does."""
        async with self._starting:
            if self._client is None or not self.is_loaded:
                await self._stop()
                try:
                    self._client = await self._start()
                except BaseException:  # also a person who leaves meanwhile: no process is left behind
                    await self._stop()
                    raise
            return self._client

    async def _start(self) -> OpenAIGenerator:
        if not is_installed():
            raise GeneratorUnavailable(f"{self.name} needs llama.cpp, which is not installed.", hint=INSTALL)
        await self._read()
        key = secrets.token_urlsafe(32)
        asked = {
            "path": str(self.path),
            "name": self.name,
            "key": key,
            "context_tokens": await self.window(),
            "threads": self._threads,
        }
        # -P: what lies beside the worker must not be taken for a library of the same name.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(WORKER), stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        url = await self._address(process.stdout)
        self._draining = asyncio.create_task(_drain(process.stdout))
        return OpenAIGenerator(f"{url}/v1", self.name, key, name=self.name)

    async def _address(self, output: asyncio.StreamReader) -> str:
        """Return where the process serves the model, once it is loaded; what else it prints is a reason."""
        said = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOAD_S):
                while line := (await output.readline()).decode("utf-8", "replace").strip():
                    with contextlib.suppress(ValueError, KeyError, TypeError):
                        return str(json.loads(line)["url"])
                    said = line
        raise GeneratorUnavailable(
            f"{self.name} could not be loaded{': ' if said else ''}{said[:200]}.",
            hint="The file may be damaged, too new for this version, or too large for the memory.",
        )

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._starting:
            if not self._users:
                await self._stop()

    async def _notice_end(self) -> None:
        """Forget a process that has ended; the loop may learn of it later than of its broken connection."""
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), NOTICE_S)

    async def _stop(self) -> None:
        """End the process, if there is one; cancelled midway, the next call finishes it."""
        process, client, draining = self._process, self._client, self._draining
        if client is not None:
            await client.close()
        if draining is not None:
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.communicate(), END_S)
            except TimeoutError:
                process.kill()
                await process.communicate()
            with contextlib.suppress(OSError):
                await process.stdin.wait_closed()
        if self._process is process:
            self._process = self._client = self._draining = None


async def _drain(output: asyncio.StreamReader) -> None:
    """Read what a process prints, so that it never waits for a reader."""
    while await output.read(4096):
        pass
