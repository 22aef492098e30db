"""Server-sent events: what changes in the daemon, to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from aiohttp import web

from pai_daemon.errors import PaiError
from pai_daemon.serve.wire import dumps, fault

KEEP_ALIVE = b": keep-alive\n\n"
KEEP_ALIVE_S = 10.0
# A client that is this far behind is cut off: it can resume from its last event (D16).
BACKLOG = 256

Item = TypeVar("Item")
# Name, data and id.
Event = tuple[str, Any, int]


class EventHub:
    """Hands events from any thread to every listener; keeps the last 256 for those who come back."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._recent: deque[Event] = deque(maxlen=BACKLOG)
        self._last_id = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop that the listeners run in."""
        self._loop = loop

    def publish(self, name: str, data: Any) -> None:
        """Send an event; callable from any thread, dropped while no loop runs."""
        self.call(self._spread, name, data)

    def call(self, what: Callable[..., None], *arguments: Any) -> None:
        """Have something called in the loop's thread, from any other; dropped while no loop runs."""
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(what, *arguments)

    def _spread(self, name: str, data: Any) -> None:
        self._last_id += 1
        event = (name, data, self._last_id)
        self._recent.append(event)
        for queue in list(self._queues):
            if queue.full():
                self._end(queue)
            else:
                queue.put_nowait(event)

    def _end(self, queue: asyncio.Queue[Event | None]) -> None:
        """Send a listener no more, and end it after what it has waiting."""
        self._queues.discard(queue)
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(None)

    async def listen(self, after: int | None = None) -> AsyncGenerator[Event, None]:
        """Yield events from now on, or those kept after an id first; ends for a slow listener."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(BACKLOG)
        if after is not None:
            for name, data, event_id in self._recent:
                if event_id > after:
                    queue.put_nowait((name, data, event_id))
        self._queues.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.discard(queue)

    def close(self) -> None:
        """End every listener, so that the server can stop."""
        for queue in list(self._queues):
            self._end(queue)


def told(error: PaiError) -> bytes:
    """Return the event that an error is, once a stream is open."""
    return frame("error", error.problem())


async def send_stream(
    request: web.Request,
    source: AsyncGenerator[Item, None],
    as_frame: Callable[[Item], bytes],
    as_failure: Callable[[PaiError], bytes] = told,
) -> web.StreamResponse:
    """Answer with what the source yields, frame by frame; raises nothing.

    Once a stream is open its status line is gone: an error travels as the last event, and a client
    that leaves is no error.
    """
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
    )
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        async with aclosing(with_keep_alive(source)) as items:
            try:
                async for item in items:
                    await response.write(KEEP_ALIVE if item is None else as_frame(item))
            except ConnectionError:
                raise
            except Exception as error:
                failure = error if isinstance(error, PaiError) else fault(request, error)
                await response.write(as_failure(failure))
        await response.write_eof()
    return response


def frame(name: str, data: Any, event_id: int | None = None) -> bytes:
    """Return one event in the wire format of server-sent events."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    return f"{head}event: {name}\ndata: {dumps(data)}\n\n".encode()


async def with_keep_alive(
    source: AsyncGenerator[Item, None], period_s: float = KEEP_ALIVE_S
) -> AsyncGenerator[Item | None, None]:
    """Yield what the source yields, and None for each period of silence; closes the source."""
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
            await asyncio.gather(waiting, return_exceptions=True)
        await source.aclose()
