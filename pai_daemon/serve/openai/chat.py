"""`POST /v1/chat/completions`: a conversation with the notes, for programs that speak OpenAI's API."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from pai_daemon.context.answering.answer import Citation
from pai_daemon.errors import Forbidden, GeneratorUnavailable, PaiError, VaultUnavailable
from pai_daemon.models.generation.generator import Text, Thought
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import send_stream
from pai_daemon.serve.kept import client_of
from pai_daemon.serve.openai.conversation import read
from pai_daemon.serve.openai.protocol import (
    Annotation,
    ChatAnswer,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatDelta,
    ChatRequest,
    ChatUsage,
    ChunkChoice,
    Finish,
    OpenAIFailure,
    UnknownModel,
    data,
    failure,
)
from pai_daemon.serve.openai.telling import Ended, Marked, Pieces, Wanted, pieces_of
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import reply

routes = Routes()
DONE = b"data: [DONE]\n\n"
# Open WebUI shows passages as cards where it is sent events of its own; others would not know them.
EVENTS_HEADER, EVENTS = "X-Pai-Events", "open-webui"


@routes.post(
    "/v1/chat/completions",
    "an answer from the notes as OpenAI's API has it, with `[n]`, annotations and a list of sources",
    body=ChatRequest,
    answers={200: ChatCompletion},
    events={"message": ChatChunk},
    fails=(UnknownModel, VaultUnavailable, GeneratorUnavailable, Forbidden),
    lenient=True,
    fails_as=OpenAIFailure,
)
async def complete_chat(request: web.Request, asked: ChatRequest) -> web.StreamResponse:
    """Answer the last message of the user; with `stream` as events, then `[DONE]`. Who hangs up stops it."""
    served = request.app[SERVED]
    wanted = Wanted(
        model=asked.model,
        conversation=read(asked.messages),
        stops=[asked.stop] if isinstance(asked.stop, str) else asked.stop or (),
        max_tokens=asked.max_completion_tokens or asked.max_tokens,
        client=client_of(request[GRANT], "v1"),
        is_streamed=asked.stream,
    )
    answer = Completion(asked, request.headers.get(EVENTS_HEADER) == EVENTS)
    with served.conversing.joined():
        pieces = await pieces_of(served, wanted)
        if asked.stream:
            return await send_stream(request, answer.chunks(pieces), bytes, _told)
        return reply(await answer.whole(pieces))


def _told(error: PaiError) -> bytes:
    return data(failure(error))


class Completion:
    """One answer, as it is told in one document or in chunks."""

    def __init__(self, asked: ChatRequest, with_events: bool) -> None:
        """Name what was asked. with_events: tell passages in events of Open WebUI's."""
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())
        self._model = asked.model
        self._with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        self._with_events = with_events

    async def whole(self, pieces: Pieces) -> ChatCompletion:
        """Return the whole answer. Raises what its source does."""
        text, thoughts, ended = "", "", Ended()
        annotations: list[Annotation] = []
        async with aclosing(pieces):
            async for piece in pieces:
                match piece:
                    case Text():
                        text += piece.text
                    case Thought():
                        thoughts += piece.text
                    case Marked():
                        annotations.append(piece.annotation)
                    case Ended():
                        ended = piece
        message = ChatAnswer(
            role="assistant",
            content=text,
            refusal=None,
            annotations=annotations,
            reasoning_content=thoughts,
        )
        choice = ChatChoice(index=0, message=message, finish_reason=ended.reason, logprobs=None)
        return ChatCompletion(
            id=self._id,
            object="chat.completion",
            created=self._created,
            model=self._model,
            choices=[choice],
            usage=ended.usage,
        )

    async def chunks(self, pieces: Pieces) -> AsyncGenerator[bytes, None]:
        """Yield the answer as events, from an empty one at once to the mark of the end."""
        yield self._chunk(ChatDelta(role="assistant", content=""))
        shown: set[int] = set()
        async with aclosing(pieces):
            async for piece in pieces:
                match piece:
                    case Text():
                        yield self._chunk(ChatDelta(content=piece.text))
                    case Thought():
                        yield self._chunk(ChatDelta(reasoning_content=piece.text))
                    case Marked() if self._with_events:
                        if piece.citation.n not in shown:
                            yield data(self._bare(event=_card(piece.citation)))
                        shown.add(piece.citation.n)
                    case Marked():
                        yield self._chunk(ChatDelta(annotations=(piece.annotation,)))
                    case Ended():
                        yield self._chunk(ChatDelta(), piece.reason)
                        if self._with_usage:
                            yield data(self._bare(usage=piece.usage))
        yield DONE

    def _chunk(self, delta: ChatDelta, reason: Finish | None = None) -> bytes:
        choice = ChunkChoice(index=0, delta=delta, finish_reason=reason, logprobs=None)
        return data(self._bare(choices=[choice]))

    def _bare(
        self,
        choices: list[ChunkChoice] | None = None,
        usage: ChatUsage | None = None,
        event: dict[str, Any] | None = None,
    ) -> ChatChunk:
        return ChatChunk(
            id=self._id,
            object="chat.completion.chunk",
            created=self._created,
            model=self._model,
            choices=choices or [],
            usage=usage,
            event=event,
        )


def _card(citation: Citation) -> dict[str, Any]:
    """Return a passage as an event by which Open WebUI shows a source, with its text.

    Without `distances`: it would show them as percent, and a score only tells passages of one search apart.
    """
    passage = citation.passage
    source = {"id": passage.uri, "name": passage.trail, "url": passage.uri}
    shown = {
        "source": source,
        "document": [passage.text],
        "metadata": [{"source": source["id"], "name": passage.trail}],
    }
    return {"type": "source", "data": shown}
