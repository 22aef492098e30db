"""Has an Ollama fetch a model, and tells how far it is. Ollama goes on where an earlier pull broke off."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.addresses import Address
from pai_daemon.models.server import Advice, Refusal, Server, said

# Between two words of it: it checks gigabytes in silence.
SILENCE_S = 300.0
# What is done, how much of it in bytes, and how much there is.
Say = Callable[[str, int, int], None]


async def pull_by_ollama(address: Address, say: Say) -> None:
    """Fetch the model that an address names. Raises ModelUnavailable, with what Ollama says."""
    advice = Advice("Start it: `ollama serve`.", "Look for its name at ollama.com.", "See Ollama's log.")
    server = Server(
        f"ollama:{address.model}",
        address.url,
        advice,
        error=ModelUnavailable,
        headers={},
        silence_s=SILENCE_S,
    )
    is_done = False
    try:
        async with aclosing(server.lines("/api/pull", {"model": address.model, "stream": True})) as lines:
            async for line in lines:
                if not line.strip():
                    continue
                step = _step(server, line)
                if problem := said(step):
                    raise server.failure(f"was not fetched: {problem.rstrip('.')}")
                is_done = step.get("status") == "success"
                total, done = step.get("total"), step.get("completed")
                if isinstance(total, int):
                    layer = str(step.get("digest", "")).removeprefix("sha256:")[:12]
                    say(f"layer {layer}", done if isinstance(done, int) else 0, total)
    except Refusal as refused:
        raise server.refusal(refused) from refused
    finally:
        await server.close()
    if not is_done:
        raise server.failure("broke off before it was whole", "Pull again: it goes on where it was.")


def _step(server: Server, line: str) -> dict[str, Any]:
    try:
        step = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise server.failure("sent something that is not JSON") from error
    return step if isinstance(step, dict) else {}
