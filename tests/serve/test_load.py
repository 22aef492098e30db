"""What is open or asked at once has bounds, and a connection that asks nothing does not stay (D63)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from pai_daemon.config import Settings, ensure_token
from pai_daemon.models.registry import profile
from pai_daemon.serve import app, wire
from pai_daemon.serve import listener as listening
from pai_daemon.serve.listener import Listener
from pai_daemon.serve.state import ModelState, Served
from pai_daemon.serve.tokens import Tokens


@pytest.fixture
async def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int, str]]:
    """Yield host, port and token of a listener with small bounds."""
    for owner, name, value in (
        (listening, "IDLE_S", 0.4),
        (listening, "LOOK_S", 0.05),
        (listening, "MAX_CONNECTIONS", 8),
        (app, "MAX_REQUESTS", 2),
        (app, "MAX_STREAMS", 3),
    ):
        monkeypatch.setattr(owner, name, value)
    monkeypatch.setattr(wire, "BODY_S", 0.3)
    settings = Settings(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    token = ensure_token(settings)
    served = Served(settings, tmp_path, Tokens(settings), ModelState(profile("small")))
    served.events.attach(asyncio.get_running_loop())
    listener = Listener(served)
    url = await listener.open(0)
    yield "127.0.0.1", int(url.rpartition(":")[2]), token
    served.events.close()
    await listener.close()


def head(token: str, target: str, method: str = "GET", **headers: str) -> bytes:
    """Return the head of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def opened(
    address: tuple[str, int, str], sent: bytes
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection on which something was sent."""
    reader, writer = await asyncio.open_connection(*address[:2])
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def status(reader: asyncio.StreamReader) -> int:
    """Return the status that a reply begins with."""
    return int((await asyncio.wait_for(reader.readline(), 5)).split()[1])


@pytest.mark.parametrize("sent", [b"", b"GET /api/health HTTP/1.1\r\nHost: loc", b"G"])
async def test_connection_that_asks_nothing_is_closed(address: tuple[str, int, str], sent: bytes) -> None:
    """One that sends half a request, or none, is let go."""
    reader, writer = await opened(address, sent)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_request_a_letter_at_a_time_does_not_hold_a_place(address: tuple[str, int, str]) -> None:
    """Each letter comes in time, the request does not."""
    reader, writer = await opened(address, b"")
    ended = asyncio.ensure_future(reader.read())
    for letter in head(address[2], "/api/health"):
        if ended.done() or writer.is_closing():
            break
        writer.write(bytes([letter]))
        await asyncio.sleep(0.05)
    assert await asyncio.wait_for(ended, 5) == b""


async def test_body_that_does_not_come_is_refused(address: tuple[str, int, str]) -> None:
    """The client is told, and the place is free again."""
    reader, writer = await opened(address, head(address[2], "/api/ask", "POST", Content_Length="10") + b"{")
    assert await status(reader) == 400
    writer.close()


async def test_more_streams_than_there_are_places_for_are_put_off(address: tuple[str, int, str]) -> None:
    """The others go on, status is told meanwhile, and a place that is left is taken again."""
    url, headers = f"http://127.0.0.1:{address[1]}", {"Authorization": f"Bearer {address[2]}"}
    async with aiohttp.ClientSession(url, headers=headers) as session:
        streams = [await session.get("/api/events") for _ in range(3)]
        refused = await session.get("/api/events")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "2")
        assert (await session.get("/api/status")).status == 200
        await asyncio.sleep(0.6)
        assert not any(stream.closed for stream in streams), "a stream rests, and is not idle"
        streams.pop().close()

        async def taken() -> bool:
            return (await session.get("/api/events")).status == 200

        for _ in range(100):
            if await taken():
                break
            await asyncio.sleep(0.02)
        else:
            pytest.fail("the place was not free again")


async def test_more_requests_than_there_are_places_for_are_put_off(address: tuple[str, int, str]) -> None:
    """Two bodies are awaited; a third request is told to come again."""
    waiting = [
        await opened(address, head(address[2], "/api/ask", "POST", Content_Length="10")) for _ in range(2)
    ]
    await asyncio.sleep(0.1)
    reader, writer = await opened(address, head(address[2], "/api/status"))
    assert await status(reader) == 429
    assert [await status(each) for each, _ in waiting] == [400, 400]
    again, other = await opened(address, head(address[2], "/api/status"))
    assert await status(again) == 200
    for each in (writer, other, *(one for _, one in waiting)):
        each.close()


async def test_of_too_many_connections_those_that_rest_longest_are_closed(
    address: tuple[str, int, str],
) -> None:
    """There is always room for one more."""
    resting = [await opened(address, b"") for _ in range(12)]
    for reader, _ in resting[:4]:
        assert await asyncio.wait_for(reader.read(), 10) == b""
    assert not any(reader.at_eof() for reader, _ in resting[4:])
    reader, writer = await opened(address, head(address[2], "/api/health"))
    assert await status(reader) == 200
    for _, each in (*resting, (reader, writer)):
        each.close()
