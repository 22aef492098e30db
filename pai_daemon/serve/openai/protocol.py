"""The documents of OpenAI's API, as far as they are spoken here, and its form of errors.

Source: OpenAI's API reference; its Python and JavaScript clients hold every document in the tests.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from pai_daemon.errors import (
    Forbidden,
    MethodNotAllowed,
    NotFound,
    Overloaded,
    PaiError,
    Unauthorized,
)
from pai_daemon.serve.wire import Sparse, encoded, refusal

V1 = "/v1/"
SERVED = "/v1/models, /v1/chat/completions, /v1/responses and /v1/embeddings are served."
Finish = Literal["stop", "length"]


class UnknownModel(NotFound):
    """A model that is not served here."""

    code = "model_not_found"


# What clients turn into errors of their own; of any other error its own code is told.
CODES: dict[type[PaiError], tuple[str, str]] = {
    Unauthorized: ("authentication_error", "invalid_api_key"),
    Forbidden: ("permission_error", Forbidden.code),
    Overloaded: ("rate_limit_error", "rate_limit_exceeded"),
}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; code: for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIFailure(msgspec.Struct, frozen=True, kw_only=True):
    """An error as OpenAI's API tells it."""

    error: Failure


def failure(error: PaiError) -> OpenAIFailure:
    """Return an error as clients of OpenAI know it, with what to do about it."""
    of_status = "invalid_request_error" if error.status < 500 else "server_error"
    kind, code = CODES.get(type(error), (of_status, error.code))
    hint = error.hint
    if type(error) in (NotFound, MethodNotAllowed) and not hint:
        hint = SERVED
    return OpenAIFailure(
        error=Failure(message=f"{error.detail} {hint}".strip(), type=kind, param=None, code=code)
    )


def openai_refusal(error: PaiError, **more: str) -> web.Response:
    """Return an error as a response; more: further headers."""
    return refusal(error, failure(error), "application/json", **more)


def data(document: Any) -> bytes:
    """Return a document as an event of a stream."""
    return b"data: " + encoded(document) + b"\n\n"


class ContentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a message; only text is read."""

    type: str = "text"
    text: str | None = None


Content = Annotated[str | list[ContentPart] | None, Meta(description="Text, or parts of which text is read.")]
Model = Annotated[
    str, Meta(description="`pai` answers from the notes; `/v1/models` lists all.", examples=["pai"])
]
# A number that is given as one; how it is understood is up to the model.
Tokens = Annotated[int, Meta(ge=1, le=1_000_000)]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of a conversation. Roles other than user, assistant, system and developer are not read."""

    role: str
    content: Content = None


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream tells beside the text."""

    include_usage: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that is to be gone on with. Fields that are not named here are passed over."""

    model: Model
    messages: Annotated[
        list[ChatMessage],
        Meta(min_length=1, examples=[[{"role": "user", "content": "When is the engine serviced?"}]]),
    ]
    stream: Annotated[bool, Meta(description="Answer with events, as it is written.")] = False
    stream_options: StreamOptions | None = None
    stop: Annotated[str | list[str] | None, Meta(description="Before which text to end.")] = None
    max_tokens: Annotated[Tokens | None, Meta(description="For a generator by its name.")] = None
    max_completion_tokens: Annotated[Tokens | None, Meta(description="The same.")] = None
    n: Annotated[int, Meta(ge=1, le=1, description="There is one answer.")] = 1


class UrlCitation(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the notes, and where in the text its mark stands, in characters."""

    url: str
    title: str
    start_index: int
    end_index: int


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """What a mark `[n]` in the text stands for."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class ChatUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and written, as the generator counts it; zeros where none wrote, or none said."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class ChatAnswer(Sparse, frozen=True, kw_only=True):
    """An answer as a turn of a conversation."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: list[Annotation]
    reasoning_content: str = ""


class ChatChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer, and why it ends."""

    index: int
    message: ChatAnswer
    finish_reason: Finish
    logprobs: None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage


class ChatDelta(Sparse, frozen=True, kw_only=True):
    """What an event adds to an answer."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    annotations: tuple[Annotation, ...] = ()
    reasoning_content: str = ""


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The one answer, as far as an event tells it."""

    index: int
    delta: ChatDelta
    finish_reason: Finish | None
    logprobs: None


class ChatChunk(Sparse, frozen=True, kw_only=True):
    """An event of a streamed answer. event: of Open WebUI's own, where it is asked for."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: ChatUsage | None = None
    event: dict[str, Any] | None = None


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model by its name."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ServedModels(msgspec.Struct, frozen=True, kw_only=True):
    """The models that can be asked."""

    object: Literal["list"]
    data: list[ServedModel]


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Texts that are to be embedded. Fields that are not named here are passed over."""

    model: Annotated[str, Meta(description="`pai-embed`, or what it is called.", examples=["pai-embed"])]
    input: Annotated[
        str | list[str | int | list[int]],
        Meta(description="A text or several; no arrays of tokens.", examples=["spar varnish"]),
    ]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[Tokens | None, Meta(description="Fewer than all, where the model can be cut.")] = (
        None
    )


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """An embedding: numbers, or in base64 the bytes of them as little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(msgspec.Struct, frozen=True, kw_only=True):
    """About how many tokens were embedded."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """The embeddings, in the order of the texts."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class ResponseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked over the newer route. Fields that are not named here are passed over."""

    model: Model
    input: Annotated[
        str | list[dict[str, Any]],
        Meta(description="A question, or the items of a conversation.", examples=["When is it serviced?"]),
    ]
    instructions: Annotated[str | None, Meta(description="For a generator by its name.")] = None
    stream: Annotated[bool, Meta(description="Answer with events, as it is written.")] = False
    max_output_tokens: Annotated[Tokens | None, Meta(description="The same.")] = None
    previous_response_id: Annotated[str | None, Meta(description="Refused: nothing is kept.")] = None
