"""Which generator writes when nobody named one: what runs on this machine already (D56).

Only loopback addresses are asked, each for at most 300 ms, beside everything else: Ollama first, then LM
Studio, then a GGUF file that was pulled. Within a server the model that is loaded is taken, since the person
uses it; else the largest that fits, up to a size that answers in useful time without a graphics card. Models
under a billion parameters are passed over: measured, they answer worse than sentences quoted from the notes.
What only embeds, and what a server forwards to another machine, is never taken.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psutil

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.models.addresses import OLLAMA_URL, Address
from pai_daemon.models.generation.generator import count, mapping
from pai_daemon.models.server import Advice, Away, Refusal, Server

LM_STUDIO_URL = "http://127.0.0.1:1234"
PROBE_S = 0.3
# Once a server is known to be there, what it says of its models may take longer; nobody waits for it.
DETAILS_S = 3.0
# "1B" is 999.89M for Gemma 3.
LEAST_PARAMETERS = 900_000_000
MOST_BYTES = 10_000_000_000
_SIZE = re.compile(r"(?<![a-wyz0-9.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z0-9])", re.IGNORECASE)
_NO_CHAT = re.compile(r"embed|bert|minilm|\bbge\b|\bgte\b|rerank|\be5\b", re.IGNORECASE)
_NOT_THERE = Advice("", "", "")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that could write. spec: the setting that names it. Numbers are 0 where they are unknown.

    context_tokens: with which it is loaded, else how long a prompt it takes at most.
    """

    name: str
    spec: str
    parameters: int = 0
    size_bytes: int = 0
    is_loaded: bool = False
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one place gave. spec: "" where nothing there may write. why: in words, for a person.

    candidates: what there is.
    """

    spec: str
    why: str
    candidates: tuple[Candidate, ...] = ()


def parameters_of(text: str) -> int:
    """Return how many parameters a size such as `3.2B`, or a model's name, tells; 0 where it tells none."""
    match = _SIZE.search(text)
    return int(float(match[1]) * (10**9 if match[2] in "bB" else 10**6)) if match else 0


def best_of(candidates: Iterable[Candidate], where: str, before: str) -> Finding:
    """Return the best of what a place has. before: the setting of what wrote until now; loaded, it stays."""
    all_of_them = tuple(candidates)
    usable = [each for each in all_of_them if not 0 < each.parameters < LEAST_PARAMETERS]
    if not usable:
        names = ", ".join(each.name for each in all_of_them[:3])
        tiny = f"only models under a billion parameters ({names}), which answer worse than quoted sentences"
        return Finding("", f"{where} has {tiny if names else 'no model that writes'}", all_of_them)
    if loaded := [each for each in usable if each.is_loaded]:
        chosen = next((each for each in loaded if each.spec == before), loaded[0])
        return Finding(chosen.spec, f"{where} has {chosen.name} loaded", all_of_them)
    room = min(MOST_BYTES, psutil.virtual_memory().available // 2)
    fitting = [each for each in usable if each.size_bytes <= room]
    if fitting:
        chosen = max(fitting, key=lambda each: (each.size_bytes, each.parameters))
        return Finding(chosen.spec, f"{chosen.name} is the largest model of {where} that fits", all_of_them)
    chosen = min(usable, key=lambda each: each.size_bytes)
    return Finding(chosen.spec, f"{chosen.name} is the smallest model of {where}", all_of_them)


async def look_at_ollama(before: str = "", url: str = OLLAMA_URL, *, closely: bool = False) -> Finding:
    """Return what an Ollama on this machine could write with. closely: ask it about each model."""
    where = f"Ollama at {url.removeprefix('http://')}"
    return await _asked(url, where, lambda server: _ollama(server, where, before, url, closely=closely))


async def look_at_lm_studio(before: str = "", url: str = LM_STUDIO_URL) -> Finding:
    """Return what an LM Studio on this machine could write with."""
    where = f"LM Studio at {url.removeprefix('http://')}"
    return await _asked(url, where, lambda server: _lm_studio(server, where, before, url))


async def _asked(url: str, where: str, ask: Callable[[Server], Awaitable[Finding]]) -> Finding:
    """Ask a server of this machine; what it lacks or does wrong is a finding as well."""
    server = Server(where, url, _NOT_THERE, error=GeneratorUnavailable, headers={}, silence_s=DETAILS_S)
    try:
        async with asyncio.timeout(DETAILS_S):
            return await ask(server)
    except Away as away:
        return Finding("", f"no {where}" if away.kind == "down" else f"{where} {away.what}")
    except Refusal as refused:
        told = "wants a key" if refused.status in (401, 403) else f"answers with {refused.text}"
        return Finding("", f"{where} {told}")
    except TimeoutError:
        return Finding("", f"{where} takes too long to answer")
    finally:
        await server.close()


async def _first(server: Server, path: str) -> Mapping[str, Any]:
    async with asyncio.timeout(PROBE_S):
        return mapping(await server.document(path))


async def _ollama(server: Server, where: str, before: str, url: str, *, closely: bool) -> Finding:
    listed = _objects(await _first(server, "/api/tags"), "models")
    running = {
        str(each.get("name")): count(each.get("context_length")) or 0
        for each in _latest_first(mapping(await server.document("/api/ps")))
    }
    candidates = [
        Candidate(
            name := str(each.get("name", "")),
            f"ollama:{name}" if url == OLLAMA_URL else f"ollama:{name}@{url}",
            parameters_of(str(details.get("parameter_size", ""))) or parameters_of(name),
            count(each.get("size")) or 0,
            name in running,
            running.get(name, 0),
        )
        for each in listed
        if _may_chat(each, details := mapping(each.get("details"))) and not _is_elsewhere(each)
    ]
    order = [*running]
    candidates.sort(key=lambda each: order.index(each.name) if each.name in running else len(order))
    if closely:
        facts = [mapping(await server.document("/api/show", {"model": each.name})) for each in candidates]
        candidates = [
            replace(each, context_tokens=each.context_tokens or _longest(known))
            for each, known in zip(candidates, facts, strict=True)
            if _writes(known)
        ]
    while (found := best_of(candidates, where, before)).spec:
        chosen = next(each for each in candidates if each.spec == found.spec)
        if closely or _writes(mapping(await server.document("/api/show", {"model": chosen.name}))):
            return found
        candidates.remove(chosen)
    return found


def _writes(facts: Mapping[str, Any]) -> bool:
    """Return whether a model of Ollama writes, here, as far as it says."""
    able = facts.get("capabilities")
    return not facts.get("remote_host") and (not isinstance(able, list) or "completion" in able)


def _longest(facts: Mapping[str, Any]) -> int:
    """Return how long a prompt a model of Ollama takes, 0 where it does not say."""
    info = mapping(facts.get("model_info"))
    return count(info.get(f"{info.get('general.architecture')}.context_length")) or 0


async def _lm_studio(server: Server, where: str, before: str, url: str) -> Finding:
    try:
        listed = _objects(await _first(server, "/api/v1/models"), "models")
    except Refusal as refused:
        if refused.status in (401, 403):
            raise
        listed = []
    # Before 0.4 it has only this list, without sizes.
    listed = listed or _objects(mapping(await server.document("/api/v0/models")), "data")
    candidates = []
    for each in listed:
        name = str(each.get("key") or each.get("id") or "")
        instances = _objects(each, "loaded_instances")
        called = str(instances[0].get("id") or name) if instances else name
        if name and each.get("type") in ("llm", "vlm") and "://" not in called:
            candidates.append(
                Candidate(
                    called,
                    f"openai:{called}@{url}/v1",
                    parameters_of(str(each.get("params_string", ""))) or parameters_of(name),
                    count(each.get("size_bytes")) or 0,
                    bool(instances) or each.get("state") == "loaded",
                    count(mapping(instances[0].get("config")).get("context_length") if instances else None)
                    or count(each.get("loaded_context_length"))
                    or count(each.get("max_context_length"))
                    or 0,
                )
            )
    return best_of(candidates, where, before)


def _objects(document: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    listed = document.get(name)
    return [mapping(each) for each in listed] if isinstance(listed, list) else []


def _latest_first(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the loaded models, the one that was used last first: it is unloaded last."""
    return sorted(
        _objects(document, "models"), key=lambda each: str(each.get("expires_at", "")), reverse=True
    )


def _may_chat(model: Mapping[str, Any], details: Mapping[str, Any]) -> bool:
    families = details.get("families")
    kinds = [details.get("family"), *(families if isinstance(families, list) else ())]
    name = str(model.get("name") or "")
    return bool(name) and not _NO_CHAT.search(" ".join([name, *map(str, kinds)]))


def _is_elsewhere(model: Mapping[str, Any]) -> bool:
    """Return whether a model runs on another machine, or its name would be read as an address."""
    name = str(model.get("name", ""))
    is_cloud = Address("ollama", name, OLLAMA_URL).location == "remote"
    return bool(model.get("remote_host")) or is_cloud or "://" in name
