"""`POST /v1/embeddings`: the embedding model of the vault, for programs that speak OpenAI's API."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence

import numpy as np
from aiohttp import web

from pai_daemon.context.index import Index
from pai_daemon.context.privacy import is_beyond
from pai_daemon.errors import Forbidden, ModelUnavailable, UsageError, VaultUnavailable
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.generation.generator import Message, estimate_tokens
from pai_daemon.models.registry import Profile
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.openai.models import kind_of
from pai_daemon.serve.openai.protocol import (
    Embedding,
    EmbeddingRequest,
    Embeddings,
    EmbeddingUsage,
    OpenAIFailure,
    UnknownModel,
)
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import refuse_halves, reply

routes = Routes()
# As many as OpenAI takes.
MOST_TEXTS = 2_048
# With more of them it is an index that is made, which may wait for its turn.
AT_ONCE = 4


@routes.post(
    "/v1/embeddings",
    "embeddings of texts, as numbers or in base64",
    body=EmbeddingRequest,
    answers={200: Embeddings},
    fails=(UnknownModel, ModelUnavailable, VaultUnavailable, Forbidden),
    lenient=True,
    fails_as=OpenAIFailure,
)
async def embed(request: web.Request, asked: EmbeddingRequest) -> web.Response:
    """Return the embeddings of texts, each of length 1; texts longer than the model reads are averaged."""
    served = request.app[SERVED]
    kind_of(served, asked.model, "embedding", "notes")
    texts = _texts(asked.input)
    parts = served.ready()
    with served.conversing.joined():
        async with served.conversing.turn:
            rows = await asyncio.to_thread(_embedded, parts.index, texts, asked.dimensions)
    listed = [
        Embedding(object="embedding", index=place, embedding=_written(row, asked.encoding_format))
        for place, row in enumerate(rows)
    ]
    tokens = estimate_tokens([Message("user", text) for text in texts])
    usage = EmbeddingUsage(prompt_tokens=tokens, total_tokens=tokens)
    return reply(Embeddings(object="list", data=listed, model=asked.model, usage=usage))


def _texts(given: str | Sequence[str | int | list[int]]) -> list[str]:
    """Return the texts that are to be embedded. Raises UsageError."""
    listed = [given] if isinstance(given, str) else given
    texts = [each for each in listed if isinstance(each, str)]
    if len(texts) < len(listed):
        raise UsageError(
            "input holds tokens, which are numbers of another model's.",
            hint="Send text; in LangChain: OpenAIEmbeddings(check_embedding_ctx_length=False).",
        )
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise UsageError(f"input must hold 1 to {MOST_TEXTS:,} texts.")
    for text in texts:
        refuse_halves("input", text)
        if not text.strip():
            raise UsageError("input holds an empty text.")
    return texts


def _embedded(index: Index, texts: Sequence[str], dimensions: int | None) -> Floats:
    """Return (texts, dimensions) float32, rows of length 1.

    Raises ModelUnavailable, UsageError for a width that the model does not have, and Forbidden where a note
    is to stay on this machine and the model is beyond it: a program may send what a search told it.
    """
    with index.borrow() as space:
        embedder = space.embedder
        if embedder is None:
            raise ModelUnavailable("The embedding model is not loaded.", hint="pai status says why.")
        if is_beyond(embedder) and index.private_paths():
            raise Forbidden(
                f"{embedder.profile.name} is beyond this machine, where local-only notes do not go.",
                hint="Ask that server itself.",
            )
        width = _width(embedder.profile, dimensions)
        rows = embedder.embed_texts(texts, urgent=len(texts) <= AT_ONCE)
        if width == rows.shape[1]:
            return rows
        cut = rows[:, :width]
        shorter: Floats = cut / np.linalg.norm(cut, axis=1, keepdims=True)
        return shorter


def _width(profile: Profile, dimensions: int | None) -> int:
    """Return how many numbers an embedding has. Raises UsageError for one that the model is not made for."""
    sizes = () if profile.norm_before_cut else profile.sizes
    widths = sorted({profile.dimensions, *(size for size in sizes if size < profile.dimensions)})
    if dimensions is not None and dimensions not in widths:
        known = " or ".join(map(str, widths))
        raise UsageError(f"dimensions must be {known}: {profile.name} gives no other embeddings.")
    return dimensions or profile.dimensions


def _written(row: Floats, encoding: str) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode("ascii")
    numbers: list[float] = row.tolist()
    return numbers
