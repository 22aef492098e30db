"""From a setting to a generator: one that is named, one that is looked for (`auto`), or none at all."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.errors import GeneratorUnavailable, UsageError
from pai_daemon.models.addresses import address_of
from pai_daemon.models.generation.choosing import (
    Candidate,
    Finding,
    best_of,
    look_at_lm_studio,
    look_at_ollama,
)
from pai_daemon.models.generation.embedded import EmbeddedGenerator, is_installed
from pai_daemon.models.generation.generator import Generator
from pai_daemon.models.generation.gguf import read_facts
from pai_daemon.models.generation.ollama import OllamaGenerator
from pai_daemon.models.generation.openai import OpenAIGenerator
from pai_daemon.models.generation.pace import Pace

AUTO, EXTRACTIVE = "auto", "extractive"
GGUF = "gguf:"
FORMS = (
    "auto, extractive, gguf:FILE, ollama:MODEL, ollama:MODEL@http://HOST:PORT, "
    "openai:MODEL@http://HOST:PORT/v1"
)
LOOK_AGAIN_S = 60.0
# A server that failed is there again when it was restarted, and not sooner.
PASSED_OVER_S = 120.0
Look = Callable[[str], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Options:
    """What a generator is made with. idle_s: until a model's memory is given back, 0 never.

    gguf_dir: where GGUF files lie that are named without their folder.
    """

    gguf_dir: Path
    api_key: str = ""
    idle_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What writes answers now, None where they are quoted, and why; "" where the settings name it."""

    generator: Generator | None
    why: str = ""


class Generators:
    """What writes answers: here, what the settings name. pace: how fast it has been."""

    def __init__(self, chosen: Chosen) -> None:
        self.chosen = chosen
        self.pace = Pace()

    def start(self) -> None:
        """Begin to look for generators, where they are looked for."""

    def failed(self, generator: Generator) -> None:
        """Hear that a generator failed."""

    async def close(self) -> None:
        """Let go of connections, memory and processes."""
        if self.chosen.generator is not None:
            await self.chosen.generator.close()


class Auto(Generators):
    """What is there on this machine, looked for at the start, every minute, and when it fails."""

    def __init__(
        self, options: Options, looks: Sequence[Look] = (), *, again_s: float = LOOK_AGAIN_S
    ) -> None:
        """Name the places to look at, the best one first; by default all there are.

        looks: each is told the setting of what wrote until now.
        """
        super().__init__(Chosen(None, "looking for Ollama, LM Studio and GGUF files"))
        self._options = options
        self._looks = looks or (look_at_ollama, look_at_lm_studio, lambda _: look_at_files(options.gguf_dir))
        self._again_s = again_s
        self._spec = ""
        self._passed_over: dict[str, float] = {}
        self._hurry = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        # Also those that wrote before: an answer may still be written with one.
        self._made: dict[str, Generator] = {}

    def start(self) -> None:
        """Look now, and go on looking."""
        self._looking = asyncio.create_task(self._go_on())

    def failed(self, generator: Generator) -> None:
        """Quote from now on, and look for another generator; this one is passed over for a while."""
        if generator is self.chosen.generator:
            self._passed_over[self._spec] = time.monotonic() + PASSED_OVER_S
            self._take("", f"{generator.name} failed")
            self._hurry.set()

    async def look(self) -> None:
        """Look at every place at once, and take the best."""
        findings = await asyncio.gather(*(look(self._spec) for look in self._looks))
        now_s = time.monotonic()
        reasons = []
        for found in findings:
            if found.spec and self._passed_over.get(found.spec, 0.0) <= now_s:
                self._take(found.spec, found.why)
                return
            reasons.append(f"{found.spec} failed a moment ago" if found.spec else found.why)
        self._take("", "; ".join(reasons))

    async def close(self) -> None:
        """Stop looking, and let go of everything."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for generator in self._made.values():
            await generator.close()

    def _take(self, spec: str, why: str) -> None:
        if spec and spec not in self._made:
            made = None
            with contextlib.suppress(UsageError):  # a name that is none, of a server that is no such server
                made = generator_of(spec, self._options)
            # Whatever a server calls its models: nothing leaves this machine unless a setting says so (D8).
            if made is None or made.location == "remote":
                spec, why = "", f"{spec} is not on this machine"
            else:
                self._made[spec] = made
        self._spec, self.chosen = spec, Chosen(self._made.get(spec), why)

    async def _go_on(self) -> None:
        while True:
            await self.look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._again_s)
            self._hurry.clear()


def generators_of(spec: str, options: Options) -> Generators:
    """Return what writes answers by a setting. Nothing is contacted yet. Raises UsageError."""
    if spec.strip() == AUTO:
        return Auto(options)
    return Generators(Chosen(generator_of(spec, options)))


def generator_of(spec: str, options: Options) -> Generator | None:
    """Return the generator a setting names, None for "extractive": answers are quoted, not written.

    Nothing is contacted. Raises UsageError that lists the forms.
    """
    wanted = spec.strip()
    if wanted == EXTRACTIVE:
        return None
    if wanted.startswith(GGUF) and wanted != GGUF:
        return EmbeddedGenerator(
            gguf_file(wanted.removeprefix(GGUF), options.gguf_dir), idle_s=options.idle_s
        )
    address = address_of(spec)
    if address is not None and address.protocol == "ollama":
        return OllamaGenerator(address.url, address.model, keep_alive_s=options.idle_s)
    if address is not None and address.protocol == "openai":
        return OpenAIGenerator(address.url, address.model, options.api_key)
    raise UsageError(f"There is no generator {spec!r}.", hint=f"The forms are: {FORMS}.")


def gguf_file(name: str, folder: Path) -> Path:
    """Return the file that a name means: a path, or what lies in the folder for GGUF files."""
    inside = folder / (name if name.endswith(".gguf") else f"{name}.gguf")
    return inside if inside.is_file() else Path(name).expanduser()


async def all_there_is(options: Options) -> list[Finding]:
    """Return what each place on this machine could write with, in the order in which `auto` prefers them."""
    looks = (look_at_ollama(closely=True), look_at_lm_studio(), look_at_files(options.gguf_dir))
    return list(await asyncio.gather(*looks))


async def look_at_files(folder: Path) -> Finding:
    """Return which GGUF file of a folder could write."""
    return await asyncio.to_thread(_look_at_files, folder)


def _look_at_files(folder: Path) -> Finding:
    candidates = []
    for path in sorted(folder.glob("*.gguf")):
        with contextlib.suppress(GeneratorUnavailable, OSError):
            facts = read_facts(path)
            if facts.chats:
                spec, size_bytes = f"{GGUF}{path}", path.stat().st_size
                candidates.append(
                    Candidate(
                        path.stem,
                        spec,
                        facts.parameters,
                        size_bytes,
                        context_tokens=facts.context_tokens,
                    )
                )
    if not candidates:
        return Finding("", "no GGUF file")
    if not is_installed():
        missing = "llama.cpp is not installed (pip install 'pai-daemon[llm]')"
        return Finding("", missing, tuple(candidates))
    return best_of(candidates, str(folder), "")
