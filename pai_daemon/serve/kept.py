"""Conversations on their way to the notes in which they are kept, where a person wants that (D98)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from pai_daemon.context.answering.answer import Answer, AnswerEvent, Sources
from pai_daemon.errors import PaiError
from pai_daemon.memory.thread_keeping import Exchange
from pai_daemon.serve.state import Parts
from pai_daemon.serve.tokens import Grant


def client_of(grant: Grant, named: str) -> str:
    """Return with which client a conversation is held: a token's name, for the person's own token `named`."""
    return named if grant.scopes is None else grant.name


async def kept(
    events: AsyncGenerator[AnswerEvent, None], parts: Parts, exchange: Exchange, note: str = ""
) -> AsyncGenerator[AnswerEvent, None]:
    """Yield the events of an answer, which is kept before it is told whole; why not is one of its warnings.

    exchange: without the answer. note: that the question is about.
    """
    seen = {note}
    async with aclosing(events):
        async for event in events:
            match event:
                case Sources():
                    seen |= {each.passage.path for each in event.citations}
                case Answer():
                    yield await _written(event, parts, exchange, seen)
                    continue
            yield event


async def _written(answer: Answer, parts: Parts, exchange: Exchange, seen: set[str]) -> Answer:
    """Keep an answer, and return it with what there is to say of that. seen: the paths of all it was told."""
    keeper = parts.threads
    if keeper is None:
        return answer

    def write() -> None:
        is_local = not seen.isdisjoint(parts.index.private_paths())
        keeper.keep(replace(exchange, answer=answer.answer, is_local=is_local))

    try:
        await asyncio.to_thread(write)
    except PaiError as error:
        told = f"This conversation was not kept: {error.detail}"
        return replace(answer, warnings=(*answer.warnings, told))
    return answer
