"""The dashboard at `/`: three static files, and the way in (D62).

The page holds nothing of the vault; what it shows it asks the API for, with the cookie that a link from
`pai open` was exchanged for.
"""

from __future__ import annotations

from importlib.resources import files

import msgspec
from aiohttp import web

from pai_daemon.serve.contract import Routes
from pai_daemon.serve.security import cookie_name
from pai_daemon.serve.sessions import SESSION_S
from pai_daemon.serve.state import SERVED
from pai_daemon.serve.wire import reply

routes = Routes()
FILES = files("pai_daemon.serve") / "page"
# Scripts and styles are files of ours; nothing is loaded from elsewhere, and no other page may show this one.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class LoginLink(msgspec.Struct, frozen=True):
    """An address that logs a browser in, once and within a minute."""

    url: str


def _file(name: str, kind: str) -> web.Response:
    text = (FILES / name).read_text("utf-8")
    return web.Response(text=text, content_type=kind, charset="utf-8", headers=HEADERS)


@routes.get("/")
async def page(_: web.Request) -> web.Response:
    """Return the page."""
    return _file("dashboard.html", "text/html")


@routes.get("/dashboard.js")
async def script(_: web.Request) -> web.Response:
    """Return its script."""
    return _file("dashboard.js", "text/javascript")


@routes.get("/acting.js")
async def acting(_: web.Request) -> web.Response:
    """Return the script that shows routines and what waits for the person."""
    return _file("acting.js", "text/javascript")


@routes.get("/dashboard.css")
async def style(_: web.Request) -> web.Response:
    """Return its style."""
    return _file("dashboard.css", "text/css")


@routes.post(
    "/api/login",
    "a link that logs a browser in to the dashboard at `/`, once and within a minute: what `pai open` opens",
    answers={201: LoginLink},
)
async def link(request: web.Request) -> web.Response:
    """Return a `url` that logs a browser in, once and within a minute."""
    served = request.app[SERVED]
    code = served.sessions.link(served.tokens.own_digest())
    return reply(LoginLink(f"{request.scheme}://{request.headers['Host']}/login?code={code}"), status=201)


@routes.get("/login")
async def login(request: web.Request) -> web.Response:
    """Exchange the code of a link for a session, and go on to the page, which says if that failed."""
    served = request.app[SERVED]
    cookie = served.sessions.open(request.query.get("code", ""), served.tokens.own_digest())
    response = web.Response(status=303, headers={"Location": "/" if cookie else "/#link", **HEADERS})
    if cookie is not None:
        response.set_cookie(
            cookie_name(request),
            cookie,
            max_age=int(SESSION_S),
            path="/",
            httponly=True,
            samesite="Strict",
        )
    return response
