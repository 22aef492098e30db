"""What a generator is, and how an answer's lines are read from a server over HTTP.

A generator writes text from messages. It runs on this machine or beyond it, and says which: a
private note may only reach a local one (D15). Redirects are never followed and no proxy is taken
from the environment, so what is sent goes to the address in the settings and nowhere else (D8).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import aiohttp

from pai_daemon.errors import GeneratorUnavailable

Location = Literal["local", "remote"]
CONNECT_S = 5.0
# A server that loads a model first is silent for tens of seconds.
SILENCE_S = 120.0
LINE_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Generator(Protocol):
    """What writes answers.

    name: as a person reads it, `ollama:llama3.2`. context_tokens: how long prompt and answer may
    be together.
    """

    name: str
    location: Location
    context_tokens: int

    def stream(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece. Raises GeneratorUnavailable, also midway.

        Close it (`contextlib.aclosing`) to stop the model before its end.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person can do about a server's failures: one hint for each."""

    not_running: str
    no_model: str
    refused: str


class Refusal(Exception):
    """An HTTP status that is not 200. text: what the server says about it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def location_of(url: str) -> Location:
    """Return whether a URL's host is this machine: a loopback address or `localhost`."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return "local"
    try:
        return "local" if ipaddress.ip_address(host).is_loopback else "remote"
    except ValueError:
        return "remote"


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return about how many tokens messages take: 3.5 bytes of UTF-8 each, 8 more a message.

    A guess on the high side for English, about right for German and for Chinese.
    """
    return sum(8 + int(len(message.content.encode("utf-8", "replace")) / 3.5) for message in messages)


class Server:
    """A generator's server: posts JSON and yields lines. One connection pool, made at first use."""

    def __init__(
        self, name: str, url: str, advice: Advice, *, headers: Mapping[str, str], silence_s: float
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._advice = advice
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

        Raises Refusal for another status than 200, GeneratorUnavailable when the server is away,
        stays silent too long or breaks off.
        """
        try:
            async with self._opened().post(self._url + path, json=body, allow_redirects=False) as reply:
                if reply.status != 200:
                    raise Refusal(reply.status, _reason(await _head(reply)))
                async for line in _lines(reply.content):
                    yield line
        except aiohttp.ClientConnectorError as error:
            raise self._away(f"does not answer at {self._url}") from error
        except (aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise self._away(f"cannot be reached at {self._url}") from error
        except TimeoutError as error:
            raise self.failure(f"said nothing for {self._silence_s:g} seconds") from error
        except aiohttp.ClientError as error:
            raise self.failure("broke off the connection") from error

    def failure(self, what: str, hint: str = "") -> GeneratorUnavailable:
        """Return the error that says what the generator did."""
        return GeneratorUnavailable(f"{self._name} {what}.", hint=hint or "Ask again.")

    def refusal(self, refused: Refusal) -> GeneratorUnavailable:
        """Return the error for a status, with the hint that fits it."""
        hint = self._advice.no_model if refused.status == 404 else self._advice.refused
        return self.failure(f"refused ({refused.status}): {refused.text.rstrip('.')}", hint)

    def _away(self, what: str) -> GeneratorUnavailable:
        return self.failure(what, self._advice.not_running)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._silence_s)
            self._session = aiohttp.ClientSession(timeout=timeout, headers=self._headers)
        return self._session


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


async def _head(reply: aiohttp.ClientResponse) -> str:
    """Return the start of a refusal's body; nobody reads more of it."""
    parts, size_bytes = [], 0
    async for chunk in reply.content.iter_chunked(4_096):
        parts.append(chunk)
        size_bytes += len(chunk)
        if size_bytes >= 16_384:
            break
    return b"".join(parts).decode("utf-8", "replace")


def _reason(body: str) -> str:
    """Return what a refusal's body says: `error` as text or object, `detail`, or its start."""
    try:
        document = json.loads(body)
    except ValueError:
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


class ThoughtFilter:
    """Drops a leading `<think>…</think>`, which some servers leave in the text."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._state: Literal["start", "thinking", "gap", "answer"] = "start"
        self._waiting = ""

    def feed(self, text: str) -> str:
        """Return what of a piece, and of what waited before it, belongs to the answer."""
        self._waiting += text
        if self._state == "start":
            start = self._waiting.lstrip()
            if len(start) < len(self._OPEN) and self._OPEN.startswith(start):
                return ""
            self._state = "thinking" if start.startswith(self._OPEN) else "answer"
        if self._state == "thinking":
            _, closed, rest = self._waiting.partition(self._CLOSE)
            # Until then only the beginning of a closing tag can still matter.
            self._waiting = rest if closed else self._waiting[-len(self._CLOSE) :]
            self._state = "gap" if closed else "thinking"
        if self._state == "gap":
            self._waiting = self._waiting.lstrip()
            self._state = "answer" if self._waiting else "gap"
        return self._release() if self._state == "answer" else ""

    def end(self) -> str:
        """Return what still waits when the stream ends; a thought without end is no answer."""
        return "" if self._state == "thinking" else self._release()

    def _release(self) -> str:
        text, self._waiting = self._waiting, ""
        return text
