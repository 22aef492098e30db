"""Servers that embed as Ollama, OpenAI and text-embeddings-inference document it, for tests without any.

Each answers as its documentation says; that they do is proven by the programs' own Python clients, and for
TEI, which has none, by the fields of its `openapi.json`. A test sets what goes wrong. Unlike the fakes of
generators they run on a thread of their own: an embedder's callers block.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import web

DIMENSIONS = 16
MODEL = "all-minilm-l6-v2"
Vectors = Callable[[Sequence[str]], Any]


def hashed(texts: Sequence[str]) -> Any:
    """Return rows of any length that depend on the whole text and on nothing else: (texts, 16)."""
    seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
    return np.array([3 * np.random.default_rng(seed).normal(size=DIMENSIONS) for seed in seeds])


def wordy(texts: Sequence[str]) -> Any:
    """Return the mean of the words' own rows: texts that share words are near."""
    return np.array([hashed(text.split() or ["."]).mean(axis=0) for text in texts])


@dataclass
class Fault:
    """A reply that a server gives once instead of embeddings. status 0: it hangs up."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Embeds:
    """How a fake embeds and how it fails.

    limit_words: of one text; `cuts` says whether a longer one is cut in silence. poison: a text that holds
    it gets `poison_status`, 0 for NaN. faults: given one a request, until none is left. at_once: how many
    texts it takes. shuffled: OpenAI's data comes in another order. jitter_s: up to so long before a reply.
    signs: the model that OpenAI's replies name, None for the one asked for. key: what the bearer must be.
    entered, gate: a request says that it is there, and waits until it is let through.
    """

    vectors: Vectors = hashed
    limit_words: int = 512
    cuts: bool = False
    poison: str = ""
    poison_status: int = 500
    faults: deque[Fault] = field(default_factory=deque)
    at_once: int = 32
    shuffled: bool = False
    base64: bool = False
    jitter_s: float = 0.0
    signs: str | None = None
    key: str = ""
    digest: str = "9f86d081"
    capabilities: Sequence[str] = ("embedding",)
    remote_host: str = ""
    gate: threading.Semaphore | None = None
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    requests: list[tuple[str, Any]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    random: random.Random = field(default_factory=lambda: random.Random(6))

    async def rows(self, request: web.Request, texts: Sequence[str]) -> Any:
        """Return (texts, dimensions) for a request; raises the fault that it gets instead."""
        self.texts.append(list(texts))
        self.entered.release()
        if self.gate is not None:
            await asyncio.to_thread(self.gate.acquire)
        await asyncio.sleep(self.random.uniform(0, self.jitter_s))
        if self.faults:
            fault = self.faults.popleft()
            if not fault.status:
                assert request.transport is not None
                request.transport.close()
                raise asyncio.CancelledError
            raise _Faulty(fault)
        heard = [text.split() for text in texts]
        if any(len(words) > self.limit_words for words in heard) and not self.cuts:
            raise TooLong(max(len(words) for words in heard), self.limit_words)
        rows = np.array(self.vectors([" ".join(words[: self.limit_words]) for words in heard]), np.float32)
        for row, text in zip(rows, texts, strict=False):
            if self.poison and self.poison in text:
                if self.poison_status:
                    raise _Faulty(Fault(self.poison_status, {"error": "unsupported value: NaN"}))
                row[0] = np.nan
        return rows


class _Faulty(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.status)
        self.fault = fault


class TooLong(Exception):
    """A text has more words than the server takes."""

    def __init__(self, given: int, limit: int) -> None:
        super().__init__(given, limit)
        self.given, self.limit = given, limit


@web.middleware
async def _fails(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer with the fault that a request met."""
    try:
        reply: web.StreamResponse = await handler(request)
    except _Faulty as met:
        fault = met.fault
        if isinstance(fault.body, str):
            return web.Response(text=fault.body, status=fault.status, headers=fault.headers)
        return web.json_response(fault.body, status=fault.status, headers=fault.headers)
    return reply


def _app(how: Embeds, *routes: web.AbstractRouteDef, error: Callable[[str], Any]) -> web.Application:
    @web.middleware
    async def keyed(request: web.Request, handler: Any) -> web.StreamResponse:
        how.authorizations.append(request.headers.get("Authorization", ""))
        if how.key and how.authorizations[-1] != f"Bearer {how.key}":
            return web.json_response(error("Incorrect API key provided."), status=401)
        reply: web.StreamResponse = await handler(request)
        return reply

    app = web.Application(middlewares=[keyed, _fails], client_max_size=64 << 20)
    app.add_routes(routes)
    return app


def ollama_app(how: Embeds, models: Sequence[str] = (f"{MODEL}:latest",)) -> web.Application:
    """Return an app that embeds as Ollama does. Source: its `docs/api.md` and `api/types.go`."""

    def is_known(name: str) -> bool:
        return (name if ":" in name else f"{name}:latest") in models

    def missing(name: str) -> web.Response:
        return web.json_response({"error": f"model '{name}' not found"}, status=404)

    async def show(request: web.Request) -> web.Response:
        body = await request.json()
        if not is_known(body["model"]):
            return missing(body["model"])
        facts: dict[str, Any] = {
            "license": "",
            "modelfile": "",
            "parameters": f"num_ctx                        {how.limit_words}",
            "template": "{{ .Prompt }}",
            "details": {"family": "bert", "parameter_size": "23M", "quantization_level": "F16"},
            "model_info": {"general.architecture": "bert", "bert.context_length": 512},
            "capabilities": list(how.capabilities),
        }
        if how.remote_host:
            facts |= {"remote_model": "big", "remote_host": how.remote_host}
        return web.json_response(facts)

    async def tags(_request: web.Request) -> web.Response:
        listed = [{"name": name, "model": name, "size": 45_960_996, "digest": how.digest} for name in models]
        return web.json_response({"models": listed})

    async def embed(request: web.Request) -> web.Response:
        body = await request.json()
        how.requests.append(("/api/embed", body))
        if not is_known(body["model"]):
            return missing(body["model"])
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if body.get("truncate", True):
            texts = [" ".join(text.split()[: how.limit_words]) for text in texts]
        try:
            rows = await how.rows(request, texts)
        except TooLong:
            text = "the input length exceeds the context length"
            return web.json_response({"error": text}, status=400)
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        counts = {
            "total_duration": 14_143_917,
            "load_duration": 1_019_500,
            "prompt_eval_count": 8 * len(texts),
        }
        return web.json_response({"model": body["model"], "embeddings": unit.tolist()} | counts)

    routes = [web.post("/api/show", show), web.get("/api/tags", tags), web.post("/api/embed", embed)]
    return _app(how, *routes, error=lambda text: {"error": text})


def openai_app(how: Embeds, models: Sequence[str] = (MODEL,)) -> web.Application:
    """Return an app that embeds as an OpenAI-compatible server does. Source: OpenAI's API reference."""

    def error(text: str, code: str | None = None) -> Any:
        return {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": code}}

    async def listed(_request: web.Request) -> web.Response:
        facts = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in models]
        return web.json_response({"object": "list", "data": facts})

    async def embeddings(request: web.Request) -> web.Response:
        body = await request.json()
        how.requests.append(("/v1/embeddings", body))
        if not models:
            return web.json_response(error("No models loaded. Please load a model first."), status=400)
        if body["model"] not in models:
            text = f"The model {body['model']} does not exist."
            return web.json_response(error(text, "model_not_found"), status=404)
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if not all(texts):
            return web.json_response(error("'$.input' is invalid."), status=400)
        try:
            rows = await how.rows(request, texts)
        except TooLong as reason:
            text = (
                f"This model's maximum context length is {reason.limit} tokens, you requested {reason.given}."
            )
            return web.json_response(error(text, "context_length_exceeded"), status=400)
        coded = how.base64 or body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": place,
                "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode()
                if coded
                else row.tolist(),
            }
            for place, row in enumerate(rows)
        ]
        if how.shuffled:
            how.random.shuffle(data)
        usage = {"prompt_tokens": 8 * len(texts), "total_tokens": 8 * len(texts)}
        model = body["model"] if how.signs is None else how.signs
        return web.json_response({"object": "list", "data": data, "model": model, "usage": usage})

    routes = [web.get("/v1/models", listed), web.post("/v1/embeddings", embeddings)]
    return _app(how, *routes, error=error)


def tei_app(how: Embeds, model: str = f"sentence-transformers/{MODEL}") -> web.Application:
    """Return an app that embeds as text-embeddings-inference does. Source: its `docs/openapi.json`."""

    def error(text: str, kind: str = "Validation") -> Any:
        return {"error": text, "error_type": kind}

    async def info(_request: web.Request) -> web.Response:
        facts = {
            "model_id": model,
            "model_sha": how.digest,
            "model_dtype": "float32",
            "served_model_name": model,
            "auto_truncate": False,
            "model_type": {how.capabilities[0]: {"pooling": "mean"}},
            "max_concurrent_requests": 512,
            "max_input_length": how.limit_words,
            "max_batch_tokens": 16_384,
            "max_batch_requests": None,
            "max_client_batch_size": how.at_once,
            "tokenization_workers": 2,
            "version": "1.8.0",
            "sha": None,
            "docker_label": None,
        }
        return web.json_response(facts)

    async def embed(request: web.Request) -> web.Response:
        body = await request.json()
        how.requests.append(("/embed", body))
        texts = [body["inputs"]] if isinstance(body["inputs"], str) else body["inputs"]
        if not texts:
            return web.json_response(error("`inputs` cannot be empty", "Empty"), status=400)
        if len(texts) > how.at_once:
            text = f"batch size {len(texts)} > maximum allowed batch size {how.at_once}"
            return web.json_response(error(text), status=422)
        if not all(texts):
            return web.json_response(error("Input validation error: `inputs` cannot be empty"), status=422)
        if body.get("truncate"):
            texts = [" ".join(text.split()[: how.limit_words]) for text in texts]
        try:
            rows = await how.rows(request, texts)
        except TooLong as reason:
            text = f"`inputs` must have less than {reason.limit} tokens. Given: {reason.given}"
            return web.json_response(error(f"Input validation error: {text}"), status=422)
        if body.get("normalize", True):
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return web.json_response(rows.tolist())

    return _app(how, web.get("/info", info), web.post("/embed", embed), error=error)


APPS: dict[str, Callable[..., web.Application]] = {"ollama": ollama_app, "openai": openai_app, "tei": tei_app}


def spec_of(kind: str, url: str, model: str = MODEL) -> str:
    """Return the setting that names a fake at this address."""
    return {"ollama": f"ollama:{model}@{url}", "openai": f"openai:{model}@{url}/v1", "tei": f"tei:{url}"}[
        kind
    ]


@contextmanager
def running(app: web.Application, port: int = 0) -> Iterator[str]:
    """Serve an app on a thread of its own and yield its address; it hangs up at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake server", daemon=True)
    thread.start()

    async def start() -> tuple[web.AppRunner, str]:
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        host, found = runner.addresses[0][:2]
        return runner, f"http://{host}:{found}"

    runner, url = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def port_of(url: str) -> int:
    """Return the port of an address."""
    return int(re.findall(r":(\d+)", url)[-1])
