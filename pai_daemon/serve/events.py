"""Server-sent events: what changes in the daemon, to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from aiohttp import web

from pai_daemon.serve.wire import dumps

KEEP_ALIVE_S = 10.0
# A client that is this far behind is cut off: it can resume from its last event (D16).
BACKLOG = 256

Item = TypeVar("Item")


class EventHub:
    """Hands events from any thread to every listener; keeps the last 256 for those who come back."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[tuple[int, str, Any] | None]] = set()
        self._recent: deque[tuple[int, str, Any]] = deque(maxlen=BACKLOG)
        self._last_id = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop that the listeners run in."""
        self._loop = loop

    def publish(self, name: str, data: Any) -> None:
        """Send an event; callable from any thread, dropped while no loop runs."""
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._spread, name, data)

    def _spread(self, name: str, data: Any) -> None:
        self._last_id += 1
        event = (self._last_id, name, data)
        self._recent.append(event)
        for queue in list(self._queues):
            if queue.full():
                self._queues.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)
            else:
                queue.put_nowait(event)

    async def listen(self, after: int | None = None) -> AsyncIterator[tuple[int, str, Any]]:
        """Yield events from now on, or those kept after an id first; ends for a slow listener."""
        queue: asyncio.Queue[tuple[int, str, Any] | None] = asyncio.Queue(BACKLOG)
        if after is not None:
            for kept in self._recent:
                if kept[0] > after:
                    queue.put_nowait(kept)
        self._queues.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End every listener, so that the server can stop."""
        for queue in list(self._queues):
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(None)


async def open_stream(request: web.Request) -> web.StreamResponse:
    """Return a prepared response that event frames can be written to."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    return response


def frame(name: str, data: Any, event_id: int | None = None) -> bytes:
    """Return one event in the wire format of server-sent events."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {dumps(data)}\n\n".encode()


async def with_keep_alive(
    source: AsyncIterator[Item], period_s: float = KEEP_ALIVE_S
) -> AsyncIterator[Item | None]:
    """Yield what the source yields, and None for each period of silence."""
    waiting: asyncio.Future[Item] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait({waiting}, timeout=period_s)
            if not done:
                yield None
                continue
            try:
                item = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield item
    finally:
        if waiting is not None:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await waiting


KEEP_ALIVE = b": keep-alive\n\n"
