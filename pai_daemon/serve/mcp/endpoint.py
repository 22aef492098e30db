"""`/mcp`: hands a request of aiohttp to the SDK, which speaks ASGI, and its answer back.

The door (`security`) is before it: Host, Origin and token are checked like any other request's.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from typing import Any

from aiohttp import web

from pai_daemon.errors import Overloaded, PaiError
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.security import GRANT
from pai_daemon.serve.state import SERVED

routes = Routes()
Message = dict[str, Any]
PLACE = "pai_daemon.serve.mcp.protocol"


class Endpoint:
    """The protocol of one application, from its first client on."""

    def __init__(self) -> None:
        self._protocol: Any = None
        self._opening: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()

    async def protocol(self, app: web.Application) -> Any:
        """Return the protocol, running. Raises PaiError where its library is not there."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._run(app))
        waiting = asyncio.create_task(self._is_open.wait())
        await asyncio.wait({waiting, self._opening}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._is_open.is_set():
            error = self._opening.exception()
            self._opening = None
            raise PaiError(f"MCP cannot be served: {error}.", hint="Install it: pip install 'mcp>=2.3,<3'.")
        return self._protocol

    async def _run(self, app: web.Application) -> None:
        """Open the protocol and keep it; its library wants it closed by the task that opened it."""
        module = await asyncio.to_thread(importlib.import_module, PLACE)
        self._protocol = module.Protocol(app[SERVED])
        async with self._protocol.run():
            self._is_open.set()
            await asyncio.Event().wait()

    async def close(self) -> None:
        """End every session, so that the server can stop."""
        if self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(self._opening, return_exceptions=True)


ENDPOINT = web.AppKey("mcp", Endpoint)


@routes.get("/mcp")
@routes.post("/mcp")
@routes.delete("/mcp")
async def mcp(request: web.Request) -> web.StreamResponse:
    """Answer a client of the Model Context Protocol, over streamable HTTP."""
    protocol = await request.app[ENDPOINT].protocol(request.app)
    exchange = Exchange(request, await request.read())
    scope = exchange.scope | {"user": protocol.user_of(request[GRANT])}
    answering = asyncio.ensure_future(protocol.manager.handle_request(scope, exchange.receive, exchange.send))
    answering.add_done_callback(_look_at)
    try:
        # Who hangs up ends nothing here: the application is told, and a session just opened lives on.
        await asyncio.shield(answering)
    finally:
        exchange.is_over.set()
    if exchange.response is None:
        raise Overloaded("The MCP session ended while it was asked.", hint="Open a new one.")
    return exchange.response


def _look_at(answering: asyncio.Future[None]) -> None:
    """Look at how answering ended, so that nothing is logged of a client that is gone."""
    if not answering.cancelled():
        answering.exception()


class Exchange:
    """One request in the terms of ASGI 3, and the response that comes of it."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self._request = request
        self._unread: bytes | None = body
        self.response: web.StreamResponse | None = None
        self.is_over = asyncio.Event()
        self.scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": request.path,
            "raw_path": request.raw_path.encode("latin-1", "replace"),
            "query_string": request.query_string.encode("utf-8", "surrogateescape"),
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
            "client": None,
            "server": None,
        }

    async def receive(self) -> Message:
        """Return the body, and after it that the client is gone, as soon as all is over."""
        if self._unread is not None:
            body, self._unread = self._unread, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.is_over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Write what the application sends; raises ConnectionError where the client is gone."""
        if message["type"] == "http.response.start":
            self.response = web.StreamResponse(status=message["status"])
            for name, value in message.get("headers", ()):
                if name.lower() not in (b"content-length", b"connection"):
                    self.response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
            await self.response.prepare(self._request)
        elif self.response is not None:
            if body := message.get("body", b""):
                await self.response.write(body)
            if not message.get("more_body", False):
                # A client may hang up once it has read its answer, before the stream ends.
                with contextlib.suppress(ConnectionError):
                    await self.response.write_eof()
                self.is_over.set()
