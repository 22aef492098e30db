"""The bridge of `pai mcp`: JSON-RPC lines of a client that started us, to the running daemon and back (D87).

Only the daemon opens the index. It may be stopped, started and moved to another port meanwhile: the bridge
finds it again, and a session that the new one does not know is opened anew with what the client said first.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from itertools import chain, repeat
from typing import Any

import aiohttp

from pai_daemon.errors import DaemonUnreachable, PaiError

Message = dict[str, Any]
Address = tuple[str, str]
# Of the revision of 2026-07-28, whose requests say who they are in headers as well.
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
# A line of a stream is one message, and a note may be long.
MAX_LINE_BYTES = 16 * 1024 * 1024
LISTEN_AGAIN_S = (0.5, 1.0, 2.0, 5.0)
INTERNAL_ERROR, PARSE_ERROR, INVALID_REQUEST = -32603, -32700, -32600


class Bridge:
    """Carries the messages of one client. find: where the daemon is, and the token; write: one line out."""

    def __init__(self, find: Callable[[], Address], write: Callable[[bytes], None]) -> None:
        self._find = find
        self._write = write
        self._address: Address | None = None
        self._session: str | None = None
        self._version: str | None = None
        # What opens a session of the older protocol, and what the client follows in it.
        self._hello: Message | None = None
        self._follows: dict[str, Message] = {}
        self._opening = asyncio.Lock()
        self._asked: dict[Any, asyncio.Task[None]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._endless: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Carry messages until there are no more lines, and what is under way then to its end."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        async with aiohttp.ClientSession(timeout=timeout, read_bufsize=MAX_LINE_BYTES) as self._http:
            async for line in lines:
                if line.strip() and (opening := self._take(line)) is not None:
                    await asyncio.wait({opening})  # before what needs the session
            for endless in (*self._endless, self._listening):
                if endless is not None:
                    endless.cancel()
            await asyncio.gather(*self._asked.values(), return_exceptions=True)
            await self._end()

    def _take(self, line: bytes) -> asyncio.Task[None] | None:
        """Begin to carry a message; return what opens a session."""
        try:
            message = json.loads(line)
        except ValueError:
            self._tell({"id": None, "error": {"code": PARSE_ERROR, "message": "The line is not JSON."}})
            return None
        if not isinstance(message, dict):
            said = "A message is one JSON object; batches are not taken."
            self._tell({"id": None, "error": {"code": INVALID_REQUEST, "message": said}})
            return None
        if message.get("method") == "notifications/cancelled" and self._cancels(message):
            return None
        key = json.dumps(message.get("id")) if "method" in message and "id" in message else object()
        task = asyncio.create_task(self._carry(message))
        self._asked[key] = task
        if message.get("method") == "subscriptions/listen":
            self._endless.add(task)
            task.add_done_callback(self._endless.discard)
        task.add_done_callback(lambda done: self._asked.pop(key) if self._asked.get(key) is done else None)
        return task if message.get("method") == "initialize" else None

    def _cancels(self, message: Message) -> bool:
        """Return whether a request was ended by hanging up, as one that stands alone is."""
        wanted = json.dumps((message.get("params") or {}).get("requestId"))
        task = self._asked.get(wanted)
        if self._session is None and task is not None:
            task.cancel()
            return True
        return False

    async def _carry(self, message: Message) -> None:
        """Send a message, and tell the client what went wrong, where it waits for an answer."""
        try:
            await self._send(message)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            said = f"{error.detail} {error.hint}".strip() if isinstance(error, PaiError) else repr(error)
            if "method" in message and "id" in message:
                self._tell({"id": message["id"], "error": {"code": INTERNAL_ERROR, "message": said}})

    async def _send(self, message: Message) -> None:
        """Send a message to the daemon, wherever it is by now. Raises PaiError."""
        method = message.get("method")
        if method == "initialize":
            self._hello, self._session, self._follows = message, None, {}
        elif method in ("resources/subscribe", "resources/unsubscribe"):
            uri = str((message.get("params") or {}).get("uri"))
            self._follows.pop(uri, None)
            if method == "resources/subscribe":
                self._follows[uri] = message
        async with self._opening:  # a session that is being opened anew is waited for
            used = self._session
        try:
            known = await self._post(message)
        except aiohttp.ClientConnectionError:
            # Stopped, or started anew at another port; an answer that broke off is not asked for twice.
            self._address = None
            known = await self._post(message)
        if not known:
            await self._reopen(used)
            if not await self._post(message):
                raise DaemonUnreachable("The daemon does not know the session.", hint="Start it anew.")
        if method == "notifications/initialized":
            self._listen()

    async def _post(self, message: Message, *, is_told: bool = True) -> bool:
        """Post a message and write what is answered; return False where its session is not known any more.

        Raises aiohttp's ClientConnectionError where nobody is there, and PaiError for what is refused.
        """
        if self._address is None:
            self._address = await asyncio.to_thread(self._find)
        url, _ = self._address
        headers = self._headers(message)
        async with self._http.post(f"{url}/mcp", json=message, headers=headers) as reply:
            if reply.status == 404 and "Mcp-Session-Id" in headers:
                return False
            if session := reply.headers.get("Mcp-Session-Id"):
                self._session = session
            if reply.content_type == "text/event-stream":
                async for data in _events(reply):
                    self._answer(message, data, is_told=is_told)
            elif body := await reply.read():
                self._answer(message, body, is_told=is_told)
        return True

    def _answer(self, asked: Message, data: bytes, *, is_told: bool) -> None:
        """Write a message of the daemon. Raises PaiError for what is no message: the door's refusal."""
        try:
            message = json.loads(data)
        except ValueError:
            message = {}
        if "jsonrpc" not in message:
            detail = str(message.get("detail", "What answers is not a daemon of ours."))
            raise DaemonUnreachable(detail, hint=str(message.get("hint", "")))
        if asked.get("method") == "initialize":
            self._version = (message.get("result") or {}).get("protocolVersion", self._version)
        if message.get("id") is None and "error" in message:
            message["id"] = asked.get("id")
            is_told = is_told and "id" in asked  # a notification is not answered
        if is_told:
            self._tell(message)

    def _headers(self, message: Message) -> dict[str, str]:
        assert self._address is not None
        headers = {
            "Accept": "application/json, text/event-stream",
            "Authorization": f"Bearer {self._address[1]}",
        }
        params = message.get("params") or {}
        meta = params.get("_meta") if isinstance(params, dict) else None
        alone = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        if alone is not None:
            headers |= {"Mcp-Protocol-Version": str(alone), "Mcp-Method": str(message.get("method"))}
            if (named := NAMED_BY.get(str(message.get("method")))) is not None:
                headers["Mcp-Name"] = _header(str(params.get(named, "")))
        elif message.get("method") != "initialize":
            if self._session is not None:
                headers["Mcp-Session-Id"] = self._session
            if self._version is not None:
                headers["Mcp-Protocol-Version"] = self._version
        return headers

    async def _reopen(self, lost: str | None) -> None:
        """Open a session in place of one that the daemon does not know, once for all that wait for it."""
        async with self._opening:
            if self._hello is None or self._session != lost:
                return
            self._session = None
            await self._post(self._hello, is_told=False)
            await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, is_told=False)
            for message in list(self._follows.values()):
                await self._post(message, is_told=False)
            self._listen()

    def _listen(self) -> None:
        """Take what the daemon tells by itself, as long as the session lasts."""
        if self._listening is not None:
            self._listening.cancel()
        if self._session is not None:
            self._listening = asyncio.create_task(self._hear(self._session))

    async def _hear(self, session: str) -> None:
        for wait_s in chain(LISTEN_AGAIN_S, repeat(LISTEN_AGAIN_S[-1])):
            if self._session != session:
                return
            with contextlib.suppress(aiohttp.ClientError, PaiError):
                if self._address is None:
                    self._address = await asyncio.to_thread(self._find)
                headers = self._headers({}) | {"Accept": "text/event-stream"}
                async with self._http.get(f"{self._address[0]}/mcp", headers=headers) as reply:
                    if reply.status == 404:
                        await self._reopen(session)
                        return
                    if reply.status == 405:
                        return
                    async for data in _events(reply):
                        self._tell(json.loads(data))
            await asyncio.sleep(wait_s)

    async def _end(self) -> None:
        """Tell the daemon that a session is over; it would find out by itself, half an hour later."""
        if self._session is not None and self._address is not None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                headers = self._headers({})
                async with self._http.delete(
                    f"{self._address[0]}/mcp", headers=headers, timeout=aiohttp.ClientTimeout(total=2)
                ):
                    pass

    def _tell(self, message: Message) -> None:
        line = json.dumps({"jsonrpc": "2.0"} | message, ensure_ascii=False, separators=(",", ":"))
        self._write(line.encode("utf-8", "surrogatepass") + b"\n")


async def _events(reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Yield the data of each event of a stream; comments, and events without data, are passed over."""
    data: list[bytes] = []
    async for line in reply.content:
        stripped = line.rstrip(b"\r\n")
        if stripped.startswith(b"data:"):
            data.append(stripped[5:].removeprefix(b" "))
        elif not stripped:
            if any(data):
                yield b"\n".join(data)
            data = []


def _header(value: str) -> str:
    """Return a name as a header has it: what is not plain ASCII in base64, as the protocol wants it."""
    is_plain = value.isascii() and value.isprintable() and value == value.strip()
    if is_plain and not value.startswith("=?base64?"):
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="
