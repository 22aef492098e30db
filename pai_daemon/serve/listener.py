"""Where the application listens: both loopback addresses, and another where a person says so (D8, D70)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import ssl
import time

from aiohttp import web

from pai_daemon.config import Settings
from pai_daemon.context.search import MAX_QUERY_CHARACTERS
from pai_daemon.errors import UsageError
from pai_daemon.serve.app import LOAD, build, log
from pai_daemon.serve.state import Served

HOST, HOST_V6 = "127.0.0.1", "::1"
# A port that is free on one loopback address may be taken on the other: so many are tried.
PORT_TRIES = 8
# A process may open 1,024 files, and the index needs some.
MAX_CONNECTIONS = 700
# A connection that asks nothing for so long is closed, also one that sends its request a letter at a time.
IDLE_S = 75.0
LOOK_S = 5.0
# A query, percent-encoded, is up to 12 bytes a character; paths and tags come beside it. One that is more
# than twice too long is still read, to be refused in words; what is longer is refused as a line.
MAX_LINE_BYTES = 12 * MAX_QUERY_CHARACTERS * 5 // 2 + 16 * 1024


class Listener:
    """The application on a port of the loopback addresses, and of the address that the settings add."""

    def __init__(self, served: Served) -> None:
        self._reaper: asyncio.Task[None] | None = None
        self._settings = served.settings
        self._app = build(served)
        self._runner = web.AppRunner(
            self._app,
            access_log=None,
            logger=log,
            max_line_size=MAX_LINE_BYTES,
            # A few kilobytes must not unpack to gigabytes; bodies come plain.
            auto_decompress=False,
            keepalive_timeout=IDLE_S,
            # Who hangs up wants no answer any more, and leaves a place.
            handler_cancellation=True,
            # A stream that is open at the end gets two seconds to close.
            shutdown_timeout=2.0,
        )

    async def open(self, port: int) -> str:
        """Listen, and return the URL; port 0 takes any free one.

        Raises UsageError for settings that make no sense, and OSError when the port is taken.
        """
        further, tls = further_address(self._settings)
        await self._runner.setup()
        port = await self._on_loopback(port)
        if further:
            await web.TCPSite(self._runner, further, port, ssl_context=tls).start()
        self._reaper = asyncio.create_task(self._reap())
        return f"http://{HOST}:{port}"

    async def _on_loopback(self, port: int) -> int:
        """Listen on 127.0.0.1, and on ::1 where this machine has it; return the port, the same of both.

        A program that has it on ::1 alone would be sent the token by who asks `localhost`.
        """
        for left in range(PORT_TRIES if port == 0 else 1, 0, -1):
            site = web.TCPSite(self._runner, HOST, port)
            await site.start()
            taken = int(self._runner.addresses[0][1])
            try:
                await web.TCPSite(self._runner, HOST_V6, taken).start()
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    return taken  # there is no ::1
                await site.stop()
                if left == 1:
                    raise
            else:
                return taken
        raise AssertionError("a port was found or an error raised")

    async def close(self) -> None:
        """Finish open requests and let the port go."""
        if self._reaper is not None:
            self._reaper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reaper
        await self._runner.cleanup()

    async def _reap(self) -> None:
        """Close connections on which nothing is being answered for long, or, of too many, for longest."""
        since_s: dict[web.RequestHandler, float] = {}
        while self._runner.server is not None:
            now_s = time.monotonic()
            busy = self._app[LOAD].requests | self._app[LOAD].streams
            resting = [each for each in self._runner.server.connections if each not in busy]
            since_s = {each: since_s.get(each, now_s) for each in resting}
            excess = len(resting) + len(busy) - MAX_CONNECTIONS
            for place, connection in enumerate(sorted(resting, key=since_s.__getitem__)):
                if place < excess or now_s - since_s[connection] > IDLE_S:
                    connection.force_close()
            await asyncio.sleep(LOOK_S)


def further_address(settings: Settings) -> tuple[str, ssl.SSLContext | None]:
    """Return the address beside loopback that is listened on, "" for none, and how it is encrypted.

    Raises UsageError for one that is no single address, for a certificate that cannot be used, and for an
    address without one, unless a person accepts that token and notes can be read on the way.
    """
    if not settings.host:
        return "", None
    try:
        address = ipaddress.ip_address(settings.host)
    except ValueError:
        address = None
    if address is None or address.is_unspecified or address.is_multicast:
        raise UsageError(
            f"The setting host is {settings.host!r}, which is not one address of this machine.",
            hint="Give the address as in 192.168.1.5; names that lead to it go into allowed_hosts.",
        )
    if address.is_loopback:
        return "", None
    if settings.tls_cert:
        return str(address), _certified(settings)
    if settings.plain_http != "accepted":
        raise UsageError(
            f"At {address} the token and the notes would cross the network unencrypted.",
            hint='Set tls_cert and tls_key, or plain_http = "accepted" if that is what you want.',
        )
    return str(address), None


def _certified(settings: Settings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key or None, lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The certificate {settings.tls_cert} cannot be used: {error}.",
            hint="tls_cert is a PEM file; tls_key is that of its key, without a password.",
        ) from error
    return context
