"""`POST /v1/responses`: the same answers over OpenAI's newer route, as far as programs need it.

Nothing is stored, so no response can be gone on with by its id; the items of `input` carry the conversation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from aiohttp import web

from pai_daemon.errors import Forbidden, GeneratorUnavailable, PaiError, UsageError, VaultUnavailable
from pai_daemon.models.generation.generator import Text
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.events import frame, send_stream
from pai_daemon.serve.kept import client_of
from pai_daemon.serve.openai.conversation import read
from pai_daemon.serve.openai.protocol import (
    ChatMessage,
    OpenAIFailure,
    ResponseRequest,
    UnknownModel,
    failure,
)
from pai_daemon.serve.openai.telling import Ended, Marked, Pieces, Wanted, pieces_of
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import reply

routes = Routes()
Document = dict[str, Any]
EVENTS = (
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.annotation.added",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
    "response.incomplete",
    "error",
)


@routes.post(
    "/v1/responses",
    "the same over OpenAI's newer route; nothing is stored",
    body=ResponseRequest,
    answers={200: Document},
    events=dict.fromkeys(EVENTS, Document),
    fails=(UnknownModel, VaultUnavailable, GeneratorUnavailable, Forbidden),
    lenient=True,
    fails_as=OpenAIFailure,
)
async def respond(request: web.Request, asked: ResponseRequest) -> web.StreamResponse:
    """Answer the last message of `input`; with `stream` as events. Who hangs up stops it."""
    served = request.app[SERVED]
    if asked.previous_response_id:
        raise UsageError(
            "previous_response_id names nothing: no response is stored here.",
            hint="Send the conversation in input.",
        )
    wanted = Wanted(
        model=asked.model,
        conversation=read(_messages(asked)),
        max_tokens=asked.max_output_tokens,
        client=client_of(request[GRANT], "v1"),
        is_streamed=asked.stream,
    )
    answer = Response(asked)
    with served.conversing.joined():
        pieces = await pieces_of(served, wanted)
        if asked.stream:
            return await send_stream(request, answer.events(pieces), bytes, answer.told)
        async with aclosing(answer.events(pieces)) as events:
            async for _ in events:
                pass
        return reply(answer.document)


def _messages(asked: ResponseRequest) -> list[ChatMessage]:
    """Return what is asked as the messages of a chat; other items are passed over. Raises UsageError."""
    said = [ChatMessage(role="system", content=asked.instructions)] if asked.instructions else []
    if isinstance(asked.input, str):
        return [*said, ChatMessage(role="user", content=asked.input)]
    for item in asked.input:
        if item.get("type", "message") != "message":
            continue
        try:
            said.append(msgspec.convert(item, ChatMessage))
        except msgspec.ValidationError as error:
            raise UsageError("A message of input has a role, and text or parts as its content.") from error
    return said


class Response:
    """One response, and the events by which it comes about. document: as far as it has come."""

    def __init__(self, asked: ResponseRequest) -> None:
        """Begin with nothing."""
        self._number = -1
        self._text = ""
        self._annotations: list[Document] = []
        self._message_id = f"msg_{secrets.token_hex(12)}"
        self.document: Document = {
            "id": f"resp_{secrets.token_hex(12)}",
            "object": "response",
            "created_at": int(time.time()),
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": {},
            "model": asked.model,
            "output": [],
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": None,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "truncation": "disabled",
            "usage": None,
        }

    async def events(self, pieces: Pieces) -> AsyncGenerator[bytes, None]:
        """Yield the response as events, from its creation at once to its end. Raises what its source does."""
        place = {"item_id": self._message_id, "output_index": 0, "content_index": 0}
        yield self._event("response.created", response=self.document)
        yield self._event("response.in_progress", response=self.document)
        yield self._event("response.output_item.added", output_index=0, item=self._item("in_progress", ()))
        yield self._event("response.content_part.added", **place, part=self._part())
        ended = Ended()
        async with aclosing(pieces):
            async for piece in pieces:
                match piece:
                    case Text():
                        self._text += piece.text
                        yield self._event(
                            "response.output_text.delta", **place, delta=piece.text, logprobs=[]
                        )
                    case Marked():
                        cited = {
                            "type": "url_citation",
                            **msgspec.to_builtins(piece.annotation.url_citation),
                        }
                        index = len(self._annotations)
                        self._annotations.append(cited)
                        yield self._event(
                            "response.output_text.annotation.added",
                            **place,
                            annotation_index=index,
                            annotation=cited,
                        )
                    case Ended():
                        ended = piece
        yield self._event("response.output_text.done", **place, text=self._text, logprobs=[])
        yield self._event("response.content_part.done", **place, part=self._part())
        status = "completed" if ended.reason == "stop" else "incomplete"
        item = self._item(status, (self._part(),))
        yield self._event("response.output_item.done", output_index=0, item=item)
        self.document |= {
            "status": status,
            "output": [item],
            "incomplete_details": None if status == "completed" else {"reason": "max_output_tokens"},
            "usage": _usage(ended),
        }
        yield self._event(f"response.{status}", response=self.document)

    def told(self, error: PaiError) -> bytes:
        """Return the event that an error is."""
        said = failure(error).error
        return self._event("error", code=said.code, message=said.message, param=None)

    def _event(self, name: str, **more: Any) -> bytes:
        self._number += 1
        return frame(name, {"type": name, "sequence_number": self._number, **more})

    def _part(self) -> Document:
        return {
            "type": "output_text",
            "text": self._text,
            "annotations": list(self._annotations),
            "logprobs": [],
        }

    def _item(self, status: str, content: Sequence[Mapping[str, Any]]) -> Document:
        return {
            "id": self._message_id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": list(content),
        }


def _usage(ended: Ended) -> Document:
    return {
        "input_tokens": ended.usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": ended.usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": ended.usage.total_tokens,
    }
