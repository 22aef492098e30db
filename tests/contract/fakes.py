"""Servers that speak the documented protocols of Ollama and of OpenAI, for tests without either.

Each answers as its documentation says; that they do is proven by the programs' own Python clients.
A test sets what goes wrong. Each records the requests it got.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

DEFAULT_WORDS = ("The tiles ", "cost 800 € ", "— 八百欧元 ", "[1].")


@dataclass
class Behaviour:
    """What a fake says and how it fails.

    words: the pieces of the answer. thoughts: reasoning sent before them. error_after: how many
    pieces come before an error, None for no error. silence_s: before the first byte, pace_s: after each.
    chunk_bytes: how the network cuts the reply, 0 for line by line. cut_after: how many pieces
    come before the connection ends without a last line; cut_in: in the midst of which character it ends,
    "" for none; hang_after: how many pieces come before nothing more does. raw: sent in place
    of everything, with this status and content type. loaded_tokens: the context that the model has.
    """

    words: Sequence[str] = DEFAULT_WORDS
    thoughts: Sequence[str] = ()
    error_after: int | None = None
    error_text: str = "the model runner has stopped"
    silence_s: float = 0.0
    pace_s: float = 0.001
    chunk_bytes: int = 0
    cut_after: int | None = None
    cut_in: str = ""
    hang_after: int | None = None
    raw: bytes = b""
    status: int = 200
    content_type: str = ""
    loaded_tokens: int = 0
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    left_early: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve an app on a free port of the loopback address and yield its address."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def _send(request: web.Request, kind: str, lines: Sequence[str], how: Behaviour) -> web.StreamResponse:
    """Stream lines, cut as the behaviour says."""
    await asyncio.sleep(how.silence_s)
    reply = web.StreamResponse(status=how.status, headers={"Content-Type": how.content_type or kind})
    try:
        await reply.prepare(request)
        data = how.raw or "".join(lines).encode()
        whole = [data] if how.raw else [line.encode() for line in lines]
        if how.cut_in:
            whole = [data[: data.index(how.cut_in.encode()) + 1]]
        cut = [data[at : at + how.chunk_bytes] for at in range(0, len(data), how.chunk_bytes or 1)]
        for chunk in cut if how.chunk_bytes else whole:
            await reply.write(chunk)
            # Lets the chunk leave on its own, as a model's pieces do.
            await asyncio.sleep(how.pace_s)
        if how.hang_after is not None:
            await asyncio.sleep(3600)
    except (ConnectionResetError, asyncio.CancelledError):
        how.left_early.set()
        raise
    return reply


def ollama_app(how: Behaviour, models: Sequence[str] = ("llama3.2:latest",)) -> web.Application:
    """Return an app that answers as Ollama 0.12 does: show, tags, pull and chat.

    Source: Ollama's `docs/api.md` and `api/types.go`. A name without a tag means `latest`.
    """

    def _known(name: str) -> str:
        full = name if ":" in name else f"{name}:latest"
        return full if full in models else ""

    def _missing(name: str) -> web.Response:
        return web.json_response({"error": f"model '{name}' not found"}, status=404)

    async def show(request: web.Request) -> web.Response:
        body = await request.json()
        how.requests.append(("/api/show", body))
        if not _known(body["model"]):
            return _missing(body["model"])
        facts = {
            "license": "",
            "modelfile": "",
            "parameters": "",
            "template": "",
            "details": {"family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
            "model_info": {"general.architecture": "llama", "llama.context_length": 131_072},
            "capabilities": ["completion", *(["thinking"] if how.thoughts else [])],
        }
        if "cloud" in _known(body["model"]):
            facts |= {"remote_model": "big", "remote_host": "https://ollama.com:443"}
        return web.json_response(facts)

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        how.requests.append(("/api/chat", body))
        if not _known(body["model"]):
            return _missing(body["model"])
        if "think" in body and not how.thoughts:
            text = f"{body['model']} does not support thinking"
            return web.json_response({"error": text}, status=400)
        if body.get("stream", True):
            return await _send(request, "application/x-ndjson", _ollama_lines(body["model"], how), how)
        message = {"role": "assistant", "content": "".join(how.words)}
        return web.json_response(_ollama_end(body["model"], how) | {"message": message})

    async def tags(_request: web.Request) -> web.Response:
        listed = [
            {"name": name, "model": name, "size": 2_019_393_189, "digest": "a80c4f17"} for name in models
        ]
        return web.json_response({"models": listed})

    async def pull(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        how.requests.append(("/api/pull", body))
        lines = _pull_lines(how, is_there=bool(_known(body["model"])))
        return await _send(request, "application/x-ndjson", lines, how)

    app = web.Application()
    app.add_routes([web.post("/api/show", show), web.post("/api/chat", chat), web.get("/api/tags", tags)])
    app.router.add_post("/api/pull", pull)
    return app


def _pull_lines(how: Behaviour, *, is_there: bool) -> list[str]:
    layer = {"status": "pulling 74701a8c35f6", "digest": "sha256:74701a8c35f6a1d9", "total": 900}
    steps: list[dict[str, Any]] = [{"status": "pulling manifest"}]
    if is_there:
        steps += [layer, layer | {"completed": 300}, layer | {"completed": 900}]
        steps += [{"status": "verifying sha256 digest"}, {"status": "success"}]
    else:
        steps.append({"error": "pull model manifest: file does not exist"})
    return [json.dumps(step) + "\n" for step in steps[: how.cut_after]]


def _ollama_lines(model: str, how: Behaviour) -> list[str]:
    messages = [{"role": "assistant", "content": "", "thinking": thought} for thought in how.thoughts]
    messages += [{"role": "assistant", "content": word} for word in how.words]
    base = {"model": model, "created_at": "2026-11-24T08:00:00.000000Z"}
    parts: list[dict[str, Any]] = [base | {"message": message, "done": False} for message in messages]
    if how.error_after is not None:
        parts = [*parts[: how.error_after], {"error": how.error_text}]
    elif (kept := how.cut_after if how.hang_after is None else how.hang_after) is not None:
        parts = parts[:kept]
    else:
        parts.append(_ollama_end(model, how))
    return [json.dumps(part, ensure_ascii=False) + "\n" for part in parts]


def _ollama_end(model: str, how: Behaviour) -> dict[str, Any]:
    durations = {"total_duration": 5_191_566_416, "load_duration": 2_154_458, "eval_duration": 4_799_921_000}
    counts = {"prompt_eval_count": 26, "prompt_eval_duration": 383_809_000, "eval_count": len(how.words)}
    end = {"done": True, "done_reason": "stop", "message": {"role": "assistant", "content": ""}}
    return {"model": model, "created_at": "2026-11-24T08:00:05.000000Z"} | end | durations | counts


def openai_app(how: Behaviour, models: Sequence[str] = ("qwen2.5-7b",), key: str = "") -> web.Application:
    """Return an app that answers as an OpenAI-compatible server does: models and chat completions.

    Source: OpenAI's API reference. key: what the bearer must be, "" for none.
    """

    def _refused(request: web.Request) -> web.Response | None:
        how.authorizations.append(request.headers.get("Authorization", ""))
        if key and request.headers.get("Authorization") != f"Bearer {key}":
            return _openai_error(401, "Incorrect API key provided.", "invalid_api_key")
        return None

    async def listed(request: web.Request) -> web.Response:
        facts = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in models]
        return _refused(request) or web.json_response({"object": "list", "data": facts})

    async def chat(request: web.Request) -> web.StreamResponse:
        if refused := _refused(request):
            return refused
        body = await request.json()
        how.requests.append(("/v1/chat/completions", body))
        if not models:
            return _openai_error(400, "No models loaded. Please load a model first.", None)
        if body["model"] not in models:
            return _openai_error(404, f"The model {body['model']} does not exist.", "model_not_found")
        if body["model"].startswith("gpt-5") and "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return _openai_error(400, text, "unsupported_parameter")
        if body.get("stream"):
            return await _send(request, "text/event-stream", _openai_events(body["model"], how), how)
        message = {"role": "assistant", "content": "".join(how.words), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 26, "completion_tokens": 4, "total_tokens": 30}
        return web.json_response(_openai_base(body["model"], "") | {"choices": [choice], "usage": usage})

    app = web.Application()
    app.add_routes([web.get("/v1/models", listed), web.post("/v1/chat/completions", chat)])
    return app


def _openai_error(status: int, text: str, code: str | None) -> web.Response:
    error = {"message": text, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)


def _openai_base(model: str, suffix: str = ".chunk") -> dict[str, Any]:
    kind = f"chat.completion{suffix}"
    return {"id": "chatcmpl-1", "object": kind, "created": 1_795_507_200, "model": model}


def _openai_events(model: str, how: Behaviour) -> list[str]:
    def event(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
        return _openai_base(model) | {"choices": [choice]}

    parts = [event({"role": "assistant", "content": ""})]
    parts += [event({"reasoning_content": thought}) for thought in how.thoughts]
    parts += [event({"content": word}) for word in how.words]
    ends = [event({}, "stop"), _openai_base(model) | {"choices": [], "usage": {"total_tokens": 30}}]
    if how.error_after is not None:
        parts = [*parts[: how.error_after + 1], {"error": {"message": how.error_text, "code": 500}}]
        ends = []
    elif (kept := how.cut_after if how.hang_after is None else how.hang_after) is not None:
        parts, ends = parts[: kept + 1], []
    events = [f"data: {json.dumps(part, ensure_ascii=False)}\n\n" for part in parts + ends]
    # Servers send comments while a model loads.
    return [": keep-alive\n\n", *events, *(["data: [DONE]\n\n"] if ends else [])]
