"""Streams of events: what a listener gets, and how a stream ends when something goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from pai_daemon.errors import GeneratorUnavailable
from pai_daemon.serve.events import BACKLOG, Event, EventHub, frame, send_stream, with_keep_alive
from tests.contract.fakes import served as serve_app


@asynccontextmanager
async def streamed(source: AsyncGenerator[int, None]) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the response to a request that is answered with a stream of numbers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return await send_stream(request, source, lambda number: frame("number", number))

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    async with serve_app(app) as url, aiohttp.ClientSession() as session, session.get(url) as response:
        yield response


@pytest.mark.parametrize(
    ("error", "code"),
    [(ValueError("private"), "internal"), (GeneratorUnavailable("x"), "generator_unavailable")],
)
async def test_stream_whose_source_fails_ends_with_an_error_event(error: Exception, code: str) -> None:
    """After the status line is sent no other follows: the error is the last event."""

    async def source() -> AsyncGenerator[int, None]:
        yield 1
        raise error

    async with streamed(source()) as response:
        body = (await response.read()).decode()
    first, last, rest = body.split("\n\n")
    assert (response.status, first, rest) == (200, "event: number\ndata: 1", "")
    name, _, data = last.partition("\n")
    assert (name, json.loads(data.removeprefix("data: "))["code"]) == ("event: error", code)
    assert "private" not in body


async def test_stream_whose_client_leaves_closes_its_source(caplog: pytest.LogCaptureFixture) -> None:
    """A client that hangs up ends the source soon, and is not logged as an error."""
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    async with streamed(source()) as response:
        await response.content.readline()
        response.close()
        await asyncio.wait_for(closed.wait(), 5)
    assert not caplog.records


async def test_keep_alive_of_a_silent_source_closes_it() -> None:
    """Silence yields None; who stops listening then ends the source in its wait."""
    closed = False

    async def source() -> AsyncGenerator[int, None]:
        nonlocal closed
        try:
            yield 1
            await asyncio.sleep(60)
        finally:
            closed = True

    async with aclosing(with_keep_alive(source(), period_s=0.01)) as items:
        assert [await anext(items), await anext(items)] == [1, None]
    assert closed


async def rest_of(events: AsyncGenerator[Event, None]) -> list[Event]:
    """Return every event until the listener is ended."""
    return [event async for event in events]


async def test_listener_gets_what_it_missed_and_what_comes() -> None:
    """After an id, the events since are sent first, each with its id."""
    hub = EventHub()
    hub.attach(asyncio.get_running_loop())
    for number in range(3):
        hub.publish("revision", number)
    await asyncio.sleep(0)
    async with aclosing(hub.listen(after=2)) as events:
        assert await anext(events) == ("revision", 2, 3)
        hub.publish("state", "ready")
        assert await anext(events) == ("state", "ready", 4)


async def test_listener_that_is_too_slow_is_ended_and_no_other() -> None:
    """Who is 256 events behind is cut off; who reads along gets all of them."""
    hub = EventHub()
    hub.attach(asyncio.get_running_loop())
    slow = hub.listen()
    waiting = asyncio.ensure_future(anext(slow))
    reading = asyncio.create_task(rest_of(hub.listen()))
    await asyncio.sleep(0)
    for number in range(BACKLOG + 10):
        hub.publish("revision", number)
        await asyncio.sleep(0)
    assert await waiting == ("revision", 0, 1)
    assert len(await asyncio.wait_for(rest_of(slow), 5)) < BACKLOG
    hub.close()
    assert len(await asyncio.wait_for(reading, 5)) == BACKLOG + 10


async def test_hub_that_closes_ends_a_listener_with_a_full_queue() -> None:
    """The server can stop although a client does not read."""
    hub = EventHub()
    hub.attach(asyncio.get_running_loop())
    for number in range(BACKLOG):
        hub.publish("revision", number)
    await asyncio.sleep(0)
    events = hub.listen(after=0)
    assert await anext(events) == ("revision", 0, 1)
    hub.publish("revision", BACKLOG)
    await asyncio.sleep(0)
    hub.close()
    assert len(await asyncio.wait_for(rest_of(events), 5)) < BACKLOG
