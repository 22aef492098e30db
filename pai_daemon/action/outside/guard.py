"""The only way out of this room: to hosts that a person named, and to no private address by a trick (D92).

Every address is checked after its name was resolved, and that very address is connected to: a name that
resolves to something else a moment later gains nothing. Redirects are followed one by one, each checked as
the first. No proxy of the environment is used, and no cookie is kept.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from pai_daemon import __version__
from pai_daemon.action.routine import Routine
from pai_daemon.errors import Forbidden, GeneratorUnavailable, TooLarge, UsageError

MAX_BYTES = 4 * 1024 * 1024
TIMEOUT_S = 20.0
MAX_REDIRECTS = 5
AGENT = f"pai-daemon/{__version__}"
_PORTS = {"http": 80, "https": 443}
# Names that mean something only in a person's own network.
_LOCAL_ENDS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NUMBERS = re.compile(r"(?:(?:0x[0-9a-f]*|\d+)\.?)+", re.IGNORECASE)
_REDIRECTS = (301, 302, 303, 307, 308)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unreachable(GeneratorUnavailable):
    """A server that a routine wants to ask does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that may be asked. name: in ASCII; `*.example.org` for all below it. port: None: the usual."""

    name: str
    port: int | None = None

    @property
    def is_local(self) -> bool:
        """Return whether the name says that it is in the person's own network."""
        if self.name.startswith("*."):
            return False
        return _ip(self.name) is not None or "." not in self.name or self.name.endswith(_LOCAL_ENDS)

    def fits(self, url: URL) -> bool:
        """Return whether an address is at this host."""
        name = _name(url)
        fits = name.endswith(self.name[1:]) if self.name.startswith("*.") else name == self.name
        return fits and url.port == (self.port or _PORTS.get(url.scheme))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. url: after redirects; headers: names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


def hosts_of(names: Iterable[str], addresses: Iterable[str] = ()) -> tuple[Host, ...]:
    """Return the hosts that names, and the addresses that a person wrote, let be asked. Raises UsageError."""
    found = []
    for name in names:
        url = _url(f"http://{name.removeprefix('*.')}")
        found.append(Host(("*." if name.startswith("*.") else "") + _name(url), url.explicit_port))
    for address in addresses:
        url = _url(address)
        found.append(Host(_name(url), url.explicit_port))
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of a server, wherever it leads. limit: how many bytes of an answer are read."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None = None
    limit: int = 64 * 1024


def hosts_of_routine(routine: Routine) -> tuple[Host, ...]:
    """Return the hosts that a routine's note lets it ask. Raises UsageError."""
    addresses = [each.what for each in routine.inputs if each.kind in ("feed", "url")]
    return hosts_of(routine.limits.hosts, addresses)


class Outside:
    """Asks other machines, for routines. resolver: turns names into addresses; of tests, another one."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver

    async def get(
        self,
        address: str,
        hosts: Iterable[Host],
        headers: Mapping[str, str] | None = None,
        *,
        limit_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Return what a server says at an address. Raises Forbidden, Unreachable, TooLarge and UsageError."""
        return await self._ask(address, tuple(hosts), _Request("GET", headers or {}, limit=limit_bytes))

    async def post(
        self, address: str, hosts: Iterable[Host], body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """Send a body to an address, and follow no redirect. Raises as `get` does."""
        return await self._ask(address, tuple(hosts), _Request("POST", headers, body))

    async def _ask(self, address: str, hosts: tuple[Host, ...], request: _Request) -> Answer:
        url = _url(address)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for _ in range(MAX_REDIRECTS + 1):
                    allowed = _allowed(url, hosts)
                    answer = await self._once(url, allowed, request)
                    target = answer.headers.get("location")
                    if answer.status not in _REDIRECTS or not target or request.method != "GET":
                        return answer
                    url = _url(str(url.join(URL(target))))
        except TimeoutError:
            raise Unreachable(f"{url.host} did not answer within {TIMEOUT_S:.0f} s.") from None
        raise Unreachable(f"{address} leads on and on.")

    async def _once(self, url: URL, host: Host, request: _Request) -> Answer:
        resolver = _Checked(self._resolver or ThreadedResolver(), may_be_local=host.is_local)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
        options: dict[str, Any] = {
            "connector": connector,
            "trust_env": False,
            "cookie_jar": aiohttp.DummyCookieJar(),
        }
        try:
            async with (
                aiohttp.ClientSession(**options) as session,
                session.request(
                    request.method,
                    url,
                    headers={"User-Agent": AGENT, **request.headers},
                    data=request.body,
                    allow_redirects=False,
                ) as response,
            ):
                chunks, size = [], 0
                async for chunk in response.content.iter_chunked(65_536):
                    size += len(chunk)
                    if size > request.limit:
                        raise TooLarge(f"{url.host} sends more than {request.limit // 1024} KiB.")
                    chunks.append(chunk)
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(str(url), response.status, found, b"".join(chunks))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(cause := error.__cause__ or error, _Refused) or isinstance(
                cause := error, _Refused
            ):
                raise Forbidden(str(cause)) from error
            raise Unreachable(f"{url.host} cannot be reached: {error}.") from error


class _Refused(OSError):
    """An address that must not be connected to."""


class _Checked(AbstractResolver):
    """Resolves names, and lets only addresses through that may be connected to."""

    def __init__(self, resolver: AbstractResolver, *, may_be_local: bool) -> None:
        self._resolver, self._may_be_local = resolver, may_be_local

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises _Refused if one of them is private."""
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            address = _ip(each["host"].partition("%")[0])
            if address is None or not (self._may_be_local or is_public(address)):
                raise _Refused(f"{host} is at {each['host']}, an address of a private network.")
        return found

    async def close(self) -> None:
        """Close the resolver."""
        await self._resolver.close()


def is_public(address: Address) -> bool:
    """Return whether an address is one of the open internet, also within what carries it in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if int(address) >> 32 == 0:  # ::a.b.c.d
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _allowed(url: URL, hosts: tuple[Host, ...]) -> Host:
    """Return the host that lets an address be asked. Raises Forbidden."""
    fitting = [host for host in hosts if host.fits(url)]
    if not fitting:
        port = f":{url.explicit_port}" if url.explicit_port else ""
        raise Forbidden(
            f"{url.host}{port} is none of the hosts that may be asked.",
            hint=f"If it should be, add it: `limits: {{hosts: [{url.host}{port}]}}`.",
        )
    host = next((each for each in fitting if each.is_local), fitting[0])
    literal = _ip(_name(url))
    if literal is not None and not (host.is_local or is_public(literal)):
        raise Forbidden(f"{url.host} is an address of a private network.")
    return host


def _url(address: str) -> URL:
    try:
        url = URL(address)
        # The host in the letters that are resolved, whatever was written.
        name, port = url.raw_host, url.port
    except ValueError as error:
        raise UsageError(f"{address!r} is no address: {error}.") from error
    if url.scheme not in _PORTS or not name or port is None:
        raise UsageError(f"{address!r} is no address that can be asked.", hint="Write https://… or http://….")
    if _NUMBERS.fullmatch(name) and _ip(name) is None:
        # Libraries read 127.1 and 2130706433 as addresses, past what checks a name or an address.
        raise UsageError(f"{name} is an address in another form.", hint="Write it as 192.0.2.1.")
    if url.user is not None or url.password is not None:
        raise UsageError("An address must not hold a name or a password.")
    return url.with_fragment(None)


def _name(url: URL) -> str:
    return (url.raw_host or "").lower().rstrip(".")


def _ip(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
