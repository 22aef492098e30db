"""The door: Host, Origin, token and scope, before any route (D8, D62).

A web page a person visits can send requests to 127.0.0.1. It cannot know the token, its Origin is
not ours, and a rebound DNS name shows in the Host header. A browser sends the dashboard's cookie with
requests of every page on this machine, whatever its port: it counts only for what is of our own origin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from pai_daemon.config import Settings, vault_key
from pai_daemon.errors import Forbidden, Unauthorized
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.tokens import Grant

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
OBSIDIAN_ORIGIN = "app://obsidian.md"
# Nothing that is anybody's is behind these: that we are alive, and the dashboard without its data.
OPEN_PATHS = frozenset({"/api/health", "/", "/login", "/dashboard.js", "/acting.js", "/dashboard.css"})
# These take no token: each message is signed with a secret of its own.
SIGNED = frozenset({"/api/routines/{name}/trigger"})
# What each scope opens; a route that is not here opens to the person's own token alone.
SCOPE_OF = {
    "/api/status": "status",
    "/api/events": "status",
    "/api/search": "search",
    "/api/related": "search",
    "/api/links": "search",
    "/api/tasks": "search",
    "/api/notes/{path}": "search",
    # They name notes that are left out.
    "/api/notes": "index",
    "/api/notes/{path}/status": "index",
    "/api/ask": "ask",
    "/api/summarize": "ask",
    "/api/compare": "ask",
    "/api/index": "index",
    "/api/memory": "memory",
    "/api/memory/recall": "memory",
    "/api/memory/conflicts": "memory",
    "/api/memory/undo": "memory",
    "/api/memory/facts/{id}": "memory",
    "/api/memory/command": "memory",
    # What is proposed waits for the person; a routine does what its own note grants.
    "/api/actions": "action",
    "/api/routines": "action",
    "/api/routines/runs": "action",
    "/api/routines/runs/{id}": "action",
    "/api/routines/{name}/run": "action",
    "/v1/chat/completions": "ask",
    "/v1/responses": "ask",
    "/v1/embeddings": "search",
}
# What each token opens: it says what could be asked, and of a vault no more than its name; and MCP, each
# tool of which asks for a scope.
OPEN_TO_EACH = frozenset({"/openapi.json", "/v1/models", "/v1/models/{model}", "/mcp"})
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID, "
    "Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name",
    "Access-Control-Max-Age": "600",
}


GRANT = web.RequestKey("grant", Grant)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through that names us, comes from where it may, and carries what opens the route.

    Raises Forbidden and Unauthorized.
    """
    served = request.app[SERVED]
    check_host(request.headers.get("Host", ""), served.settings)
    origin = request.headers.get("Origin")
    check_origin(request, origin)
    if request.method == "OPTIONS" and origin and "Access-Control-Request-Method" in request.headers:
        return web.Response(status=204, headers=PREFLIGHT_HEADERS | _private_network(request))
    resource = request.match_info.route.resource
    if request.path not in OPEN_PATHS and (resource is None or resource.canonical not in SIGNED):
        request[GRANT] = _granted(request, served)
        check_grant(request, request[GRANT], served)
    return await handler(request)


def _private_network(request: web.Request) -> dict[str, str]:
    """Return what a browser asks of a machine that a page outside of it wants to call."""
    asked = request.headers.get("Access-Control-Request-Private-Network") == "true"
    return {"Access-Control-Allow-Private-Network": "true"} if asked else {}


async def name_origin(request: web.Request, response: web.StreamResponse) -> None:
    """Tell a browser that this origin may read the answer; never a wildcard."""
    origin = request.headers.get("Origin")
    response.headers["Vary"] = "Origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    if origin and is_allowed(request, origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Mcp-Session-Id"


def check_host(host: str, settings: Settings) -> None:
    """Raise Forbidden for a Host that is no loopback name, and not what the settings let this machine be."""
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() not in LOOPBACK_HOSTS and name.lower() not in further_hosts(settings):
        raise Forbidden(f"The Host {host!r} is not this machine.", hint="Use http://127.0.0.1.")


def further_hosts(settings: Settings) -> set[str]:
    """Return the names of the address that is listened on beside loopback; none where there is none."""
    if not settings.host:
        return set()
    bare = settings.host.lower()
    return {f"[{bare}]" if ":" in bare else bare, *(name.lower() for name in settings.allowed_hosts)}


def is_our_own(request: web.Request, origin: str) -> bool:
    """Return whether an origin is that of the dashboard: the Host that was checked, with its port."""
    return origin == f"{request.scheme}://{request.headers.get('Host', '')}"


def is_allowed(request: web.Request, origin: str) -> bool:
    """Return whether pages of an origin may call the API."""
    allowed = request.app[SERVED].settings.allowed_origins
    return origin == OBSIDIAN_ORIGIN or origin in allowed or is_our_own(request, origin)


def check_origin(request: web.Request, origin: str | None) -> None:
    """Raise Forbidden for a web page's origin that no setting allows; programs send none."""
    if origin is not None and not is_allowed(request, origin):
        raise Forbidden(
            f"The origin {origin!r} may not call this API.", hint="Allow it with the setting allowed_origins."
        )


def cookie_name(request: web.Request) -> str:
    """Return the name of the dashboard's cookie; cookies are shared by all ports of a host."""
    sockname = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return f"pai_session_{sockname[1] if sockname else 0}"


def _granted(request: web.Request, served: Served) -> Grant:
    """Return what a request may do. Raises Unauthorized."""
    if (authorization := request.headers.get("Authorization")) is None:
        if _has_session(request, served):
            return Grant("the dashboard")
        given = ""
    else:
        scheme, _, given = authorization.partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else ""
    # A header is bytes; those that are no UTF-8 come as surrogates.
    granted = served.tokens.grant(given.encode("utf-8", "surrogateescape")) if given else None
    if granted is None:
        raise Unauthorized(
            "The token is missing or wrong.",
            hint="Send `Authorization: Bearer TOKEN`; it is the file `token` in the configuration folder. "
            "In a browser, `pai open` logs in.",
        )
    return granted


def _has_session(request: web.Request, served: Served) -> bool:
    """Return whether the dashboard asks, in a browser that was logged in.

    Browsers say of what kind of page a request is: another port of this machine is `same-site` only.
    """
    cookie = request.cookies.get(cookie_name(request))
    if cookie is None or request.headers.get("Sec-Fetch-Site") != "same-origin":
        return False
    origin = request.headers.get("Origin")
    is_ours = origin is None or is_our_own(request, origin)
    return is_ours and served.sessions.holds(cookie, served.tokens.own_digest())


def check_grant(request: web.Request, granted: Grant, served: Served) -> None:
    """Raise Forbidden for a token that does not open a route, or not this vault."""
    if granted.vault is not None and granted.vault != vault_key(served.vault):
        raise Forbidden(f"The token {granted.name!r} is for another vault.")
    resource = request.match_info.route.resource
    canonical = resource.canonical if resource is not None else ""
    scope = SCOPE_OF.get(canonical)
    if resource is not None and canonical not in OPEN_TO_EACH and not granted.opens(scope):
        needed = f"the scope {scope}" if scope else "the person's own token"
        raise Forbidden(
            f"The token {granted.name!r} does not open {request.method} {canonical}, which needs {needed}.",
            hint="Create one that does: `pai token create NAME --scope SCOPE`.",
        )
