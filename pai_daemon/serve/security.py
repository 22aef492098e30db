"""The door: token, Host and Origin, before any route (D8).

A web page a person visits can send requests to 127.0.0.1. It cannot know the token, its Origin is
not ours, and a rebound DNS name shows in the Host header.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

from pai_daemon.errors import Forbidden, Unauthorized
from pai_daemon.serve.state import SERVED

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
OBSIDIAN_ORIGIN = "app://obsidian.md"
OPEN_PATHS = frozenset({"/api/health"})
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through that names us, comes from where it may, and carries the token.

    Raises Forbidden and Unauthorized.
    """
    served = request.app[SERVED]
    check_host(request.headers.get("Host", ""))
    origin = request.headers.get("Origin")
    check_origin(origin, served.settings.allowed_origins)
    if request.method == "OPTIONS" and origin and "Access-Control-Request-Method" in request.headers:
        return web.Response(status=204, headers=PREFLIGHT_HEADERS)
    if request.path not in OPEN_PATHS:
        check_token(request.headers.get("Authorization", ""), served.token)
    return await handler(request)


async def name_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Tell a browser that this origin may read the answer; never a wildcard."""
    origin = request.headers.get("Origin")
    response.headers["Vary"] = "Origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if origin and is_allowed(origin, request.app[SERVED].settings.allowed_origins):
        response.headers["Access-Control-Allow-Origin"] = origin


def check_host(host: str) -> None:
    """Raise Forbidden for a Host that is not this machine's loopback name."""
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() not in LOOPBACK_HOSTS:
        raise Forbidden(f"The Host {host!r} is not this machine.", hint="Use http://127.0.0.1.")


def is_allowed(origin: str, allowed: tuple[str, ...]) -> bool:
    """Return whether pages of an origin may call the API."""
    return origin == OBSIDIAN_ORIGIN or origin in allowed


def check_origin(origin: str | None, allowed: tuple[str, ...]) -> None:
    """Raise Forbidden for a web page's origin that no setting allows; programs send none."""
    if origin is not None and not is_allowed(origin, allowed):
        raise Forbidden(
            f"The origin {origin!r} may not call this API.", hint="Allow it with the setting allowed_origins."
        )


def check_token(authorization: str, token: str) -> None:
    """Raise Unauthorized unless the header is `Bearer` and the token; compared in constant time."""
    scheme, _, given = authorization.partition(" ")
    # A header is bytes; those that are no UTF-8 come as surrogates.
    raw = given.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() != "bearer" or not hmac.compare_digest(raw, token.encode()):
        raise Unauthorized(
            "The token is missing or wrong.",
            hint="Send `Authorization: Bearer TOKEN`; it is the file `token` in the configuration folder.",
        )
