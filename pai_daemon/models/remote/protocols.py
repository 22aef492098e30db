"""What servers are asked for embeddings, and what they answer: Ollama, OpenAI's API, TEI.

Ollama over its own `/api/embed` and text-embeddings-inference (TEI) over `/embed`, because both refuse a
text that is too long when they are told not to truncate it. OpenAI's API cannot be told, and some servers
that speak it cut in silence (LM Studio does): its window is tried out at the greeting (`remote`).
Sources: Ollama's `docs/api.md`, OpenAI's API reference, TEI's `docs/openapi.json`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.server import Advice, Refusal, Server
from pai_daemon.models.sources import ServerSource

# As many as indexing hands over at once.
TEXTS_AT_ONCE = 64
_AGAIN = "It is tried again; the server's log may say more."
_KEY = "Check the model's name and, where the server wants one, the key (PAI_MODEL_KEY)."


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of its model before it embeds.

    digest: of the weights, "" where it does not tell. limit_tokens: of one text, 0 where it does not tell.
    texts_at_once: how many it takes in one request.
    """

    model: str
    digest: str = ""
    limit_tokens: int = 0
    texts_at_once: int = TEXTS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Reply:
    """Embeddings in the order of the texts: (texts, dimensions) float32, as the server gave them.

    model: which it says made them, "" where it does not. tokens: that it counted, 0 where it does not.
    """

    rows: Floats
    model: str = ""
    tokens: int = 0


class EmbeddingApi(Protocol):
    """One way of asking. refuses: whether a text that is too long is refused rather than cut."""

    advice: Advice
    refuses: bool

    async def greet(self, server: Server) -> Greeting:
        """Return what the server says of its model. Raises Refusal, Away, and what `server` tells."""
        ...

    async def embed(self, server: Server, texts: Sequence[str]) -> Reply:
        """Return the embeddings of texts that are not empty. Raises Refusal, Away."""
        ...


def api_of(source: ServerSource) -> EmbeddingApi:
    """Return how a server is asked."""
    address = source.address
    if address.protocol == "ollama":
        return OllamaApi(address.model, is_local=address.location == "local")
    return OpenAIApi(address.model) if address.protocol == "openai" else TeiApi()


class OllamaApi:
    """Ollama's own. A model that it forwards to another machine under a local name is refused (D15)."""

    refuses = True

    def __init__(self, model: str, *, is_local: bool) -> None:
        self._model = model
        self._is_local = is_local
        self.advice = Advice(
            not_running="Start it: `ollama serve`.",
            no_model=f"Get the model: `ollama pull {model}`.",
            refused="See Ollama's log; `ollama show` says whether the model embeds.",
            again=_AGAIN,
        )

    async def greet(self, server: Server) -> Greeting:
        """Return the model's digest and the window that Ollama loads it with."""
        facts = _mapping(await server.document("/api/show", {"model": self._model}))
        if facts.get("remote_host") and self._is_local:
            raise server.failure(
                "is forwarded to another machine by Ollama", "Name a model that Ollama runs itself."
            )
        if "embedding" not in (facts.get("capabilities") or ["embedding"]):
            raise server.failure(
                "writes and does not embed",
                "Choose an embedding model: `ollama pull nomic-embed-text`, then ollama:nomic-embed-text.",
            )
        listed = _mapping(await server.document("/api/tags")).get("models")
        full = self._model if ":" in self._model.rpartition("/")[2] else f"{self._model}:latest"
        digest = next(
            (str(each.get("digest", "")) for each in _dicts(listed) if each.get("name") == full), ""
        )
        limits = [
            value
            for name, value in _mapping(facts.get("model_info")).items()
            if name.endswith(".context_length") and isinstance(value, int)
        ]
        limits += [
            int(found) for found in re.findall(r"^num_ctx\s+(\d+)", str(facts.get("parameters")), re.M)
        ]
        return Greeting(self._model, digest, min(limits, default=0))

    async def embed(self, server: Server, texts: Sequence[str]) -> Reply:
        """Ask for embeddings of whole texts."""
        body = {"model": self._model, "input": list(texts), "truncate": False}
        document = _mapping(await server.document("/api/embed", body))
        return Reply(numbers(document.get("embeddings")), tokens=_count(document.get("prompt_eval_count")))


class OpenAIApi:
    """OpenAI's `/v1/embeddings`: LM Studio, vLLM, llama.cpp, LiteLLM, and OpenAI itself."""

    refuses = False

    def __init__(self, model: str) -> None:
        self._model = model
        self.advice = Advice(
            not_running="Start it; in LM Studio: `lms server start`.",
            no_model=f"Load the model; in LM Studio: `lms load {model}`.",
            refused=_KEY,
            again=_AGAIN,
        )

    async def greet(self, server: Server) -> Greeting:
        """Return the window, where the list of models tells: vLLM and llama.cpp do.

        A model that is not listed may be loaded when it is asked for, so that says nothing.
        """
        try:
            listed = _mapping(await server.document("/models")).get("data")
        except Refusal as refused:
            if refused.status in (401, 403):
                raise
            listed = None  # a server without such a list
        facts: Mapping[str, Any] = next(
            (each for each in _dicts(listed) if each.get("id") == self._model), {}
        )
        limit = facts.get("max_model_len") or _mapping(facts.get("meta")).get("n_ctx_train")
        return Greeting(self._model, limit_tokens=_count(limit))

    async def embed(self, server: Server, texts: Sequence[str]) -> Reply:
        """Ask for embeddings as lists of numbers: LM Studio does not know the shorter form."""
        body = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        document = _mapping(await server.document("/embeddings", body))
        data = list(_dicts(document.get("data")))
        places = [each.get("index", place) for place, each in enumerate(data)]
        if sorted(places, key=str) != sorted(range(len(data)), key=str):
            raise Refusal(200, "embeddings whose numbers are not those of the texts")
        ordered = [
            each.get("embedding") for _, each in sorted(zip(places, data, strict=True), key=lambda at: at[0])
        ]
        usage = _mapping(document.get("usage"))
        tokens = _count(usage.get("prompt_tokens") or usage.get("total_tokens"))
        return Reply(numbers(ordered), str(document.get("model") or ""), tokens)


class TeiApi:
    """text-embeddings-inference, which serves one model and says which."""

    refuses = True

    def __init__(self) -> None:
        self.advice = Advice(
            not_running="Start it: `text-embeddings-router --model-id MODEL --port PORT`.",
            no_model="Check the address: text-embeddings-inference answers at /info.",
            refused=_KEY,
            again=_AGAIN,
        )

    async def greet(self, server: Server) -> Greeting:
        """Return the model, its revision, and the limits that the server was started with."""
        facts = _mapping(await server.document("/info"))
        model = str(facts.get("model_id") or "")
        kind = facts.get("model_type")
        if not model or (isinstance(kind, Mapping) and "embedding" not in kind):
            raise server.failure("serves no model that embeds", "Start it with an embedding model.")
        return Greeting(
            model,
            str(facts.get("model_sha") or ""),
            _count(facts.get("max_input_length")),
            min(TEXTS_AT_ONCE, _count(facts.get("max_client_batch_size")) or 1),
        )

    async def embed(self, server: Server, texts: Sequence[str]) -> Reply:
        """Ask for embeddings of whole texts."""
        body = {"inputs": list(texts), "truncate": False, "normalize": True}
        return Reply(numbers(await server.document("/embed", body)))


def numbers(rows: Any) -> Floats:
    """Return embeddings as (texts, dimensions) float32: lists of numbers, or base64 of float32.

    Raises Refusal for what is neither, or not all of one width.
    """
    if not isinstance(rows, list) or not rows:
        raise Refusal(200, "no embeddings")
    try:
        if isinstance(rows[0], str):
            rows = [np.frombuffer(base64.b64decode(row, validate=True), "<f4") for row in rows]
        found: Floats = np.array(rows, np.float32)
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise Refusal(200, "something that is no embedding") from None
    if found.ndim != 2 or not found.shape[1]:
        raise Refusal(200, "something that is no embedding")
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
