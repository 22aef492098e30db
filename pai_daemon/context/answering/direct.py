"""A generator asked by itself, without the notes: what another program converses with (D86)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from pai_daemon.context.index import Index
from pai_daemon.errors import Forbidden, GeneratorUnavailable, UsageError
from pai_daemon.models.generation.generator import (
    Generator,
    GeneratorEvent,
    Message,
    bounded,
    estimate_tokens,
)

# What may be written where nobody says how much.
MOST_TOKENS = 2_048


async def direct(
    generator: Generator | None, index: Index, messages: Sequence[Message], max_tokens: int | None = None
) -> AsyncGenerator[GeneratorEvent, None]:
    """Return the stream of what a generator writes for messages as they are; nothing is begun yet.

    Raises GeneratorUnavailable where there is none, UsageError for more than it can read, and Forbidden
    for one beyond this machine where a note is to stay here: a program may send what an answer told it.
    """
    if generator is None:
        raise GeneratorUnavailable(
            "No generator is chosen: answers are quoted.", hint="Choose one with --generator."
        )
    staying = await asyncio.to_thread(index.private_paths) if generator.location == "remote" else set()
    if staying:
        raise Forbidden(
            f"{generator.name} is beyond this machine, where local-only notes do not go.",
            hint="Ask the model pai, which keeps them here, or that server itself.",
        )
    window_tokens, needed_tokens = await generator.window(), estimate_tokens(messages)
    if needed_tokens >= window_tokens:
        raise UsageError(
            f"The messages have about {needed_tokens} tokens; {generator.name} reads {window_tokens}.",
            hint="Send fewer of them.",
        )
    return bounded(generator, messages, min(max_tokens or MOST_TOKENS, window_tokens - needed_tokens))
