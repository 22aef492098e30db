"""How a server that runs a model is asked over HTTP: one pool of connections, every failure in words.

Redirects are never followed and no proxy is taken from the environment, so what is sent goes to the
address in the settings and nowhere else (D8).
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp

from pai_daemon.errors import PaiError

CONNECT_S = 5.0
# A server that loads a model first is silent for tens of seconds.
SILENCE_S = 120.0
LINE_LIMIT_BYTES = 1 << 20
# Of one JSON document: 64 embeddings of 4,096 numbers, each with 20 digits, are 5 MB.
DOCUMENT_LIMIT_BYTES = 64 << 20
CONNECTIONS = 16
_PAGE = re.compile(r"\s*<(?:!doctype|html|head|body)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do about a server's failures: one hint for each. again: for one that may pass."""

    not_running: str
    no_model: str
    refused: str
    again: str = "Ask again."


class Refusal(Exception):
    """An HTTP status that is not 200. text: what the server says about it.

    retry_after: the header of that name, "" where there is none.
    """

    def __init__(self, status: int, text: str, retry_after: str = "") -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text
        self.retry_after = retry_after

    @property
    def lacks_model(self) -> bool:
        """Return whether the server has no such model; LM Studio says so under 400 as well."""
        return self.status == 404 or "no models loaded" in self.text.casefold()


class Away(Exception):
    """Nothing listens at the address, the connection broke, or nothing came over it.

    what: the end of a sentence that says so.
    """

    def __init__(self, kind: Literal["down", "broken", "silent"], what: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what


class Server:
    """One server, for one event loop. Its connections are made at first use.

    name: of the model, as a person reads it. error: the class of what its failures are told as.
    """

    def __init__(
        self,
        name: str,
        url: str,
        advice: Advice,
        *,
        error: type[PaiError],
        headers: Mapping[str, str],
        silence_s: float,
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._advice = advice
        self._error = error
        self._headers = dict(headers)
        self._silence_s = silence_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def lines(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        """Post a body and yield the reply's lines as they come, without their ends.

        Raises Refusal for another status than 200, and the class of its failures when the server is
        away, stays silent too long or breaks off.
        """
        for is_last in (False, True):
            has_begun = False
            try:
                async with self._reply(path, body) as reply:
                    has_begun = True
                    async for line in _lines(reply.content):
                        yield line
                return
            except Away as away:
                # A server may close a connection that waits in the pool just as it is used again.
                if has_begun or is_last or away.kind != "broken":
                    raise self.away(away) from away

    async def document(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON document that answers a body, or a GET where there is none.

        Raises Refusal for another status than 200 and Away; a document that is not JSON or too long
        is a Refusal too: the server did not do what was asked.
        """
        async with self._reply(path, body) as reply:
            data = await _head(reply, DOCUMENT_LIMIT_BYTES)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Refusal(200, "something that is not JSON") from None

    def failure(self, what: str, hint: str = "") -> PaiError:
        """Return the error that says what the model or its server did."""
        return self._error(f"{self._name} {what}.", hint=hint or self._advice.again)

    def refusal(self, refused: Refusal) -> PaiError:
        """Return the error for a status, with the hint that fits it."""
        if refused.status == 200:
            return self.failure(f"answered with {refused.text}")
        hint = self._advice.no_model if refused.lacks_model else self._advice.refused
        return self.failure(f"refused ({refused.status}): {refused.text.rstrip('.')}", hint)

    def away(self, away: Away) -> PaiError:
        """Return the error for a server that is away; what broke off may pass, what is down is started."""
        return self.failure(away.what, self._advice.not_running if away.kind == "down" else "")

    @asynccontextmanager
    async def _reply(
        self, path: str, body: Mapping[str, Any] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the reply of status 200. Raises Refusal and Away, also while it is read."""
        method = "GET" if body is None else "POST"
        url = self._url + path
        try:
            async with self._opened().request(method, url, json=body, allow_redirects=False) as reply:
                if reply.status != 200:
                    head = await _head(reply, 16_384)
                    text = _reason(head.decode("utf-8", "replace"))
                    raise Refusal(reply.status, text, reply.headers.get("Retry-After", ""))
                if reply.content_type == "text/html":
                    raise Refusal(200, "a web page: another program listens at this address")
                yield reply
        except aiohttp.ClientConnectorError as error:
            raise Away("down", f"does not answer at {self._url}") from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Away("down", f"cannot be reached at {self._url}") from error
        except TimeoutError as error:
            raise Away("silent", f"said nothing for {self._silence_s:g} seconds") from error
        except aiohttp.ClientError as error:
            raise Away("broken", "broke off the connection") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._silence_s)
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers, connector=connector)
        return self._session


def bearer(key: str) -> dict[str, str]:
    """Return the headers that carry a key, none where there is no key."""
    return {"Authorization": f"Bearer {key}"} if key else {}


async def _lines(content: aiohttp.StreamReader) -> AsyncGenerator[str, None]:
    """Yield whole lines only: a character may be split between two network chunks."""
    waiting = b""
    async for chunk in content.iter_any():
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield line.rstrip(b"\r").decode("utf-8", "replace")
        if len(waiting) > LINE_LIMIT_BYTES:
            raise aiohttp.ClientPayloadError("a line without end")
    if waiting:
        yield waiting.decode("utf-8", "replace")


async def _head(reply: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Return a body, or the start of one that is longer than the limit."""
    parts, size_bytes = [], 0
    async for chunk in reply.content.iter_any():
        parts.append(chunk)
        size_bytes += len(chunk)
        if size_bytes >= limit_bytes:
            break
    return b"".join(parts)


def _reason(body: str) -> str:
    """Return what a refusal says: `error` as text or object, `detail`, a page's title, or its start."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        if _PAGE.match(body):
            title = _TITLE.search(body)
            words = " ".join(title[1].split())[:300] if title else ""
            return f"a web page, {words!r}" if words else "a web page"
        return body.strip()[:300] or "no reason given"
    return said(document) or body.strip()[:300]


def said(document: object) -> str:
    """Return the text of an error in a JSON document, "" where it holds none."""
    if not isinstance(document, dict):
        return ""
    error = document.get("error") or document.get("detail") or ""
    if isinstance(error, dict):
        error = error.get("message") or json.dumps(error)
    return str(error)[:300]
