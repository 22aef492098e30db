"""The web application: every route behind one door, every error through one table. See `listener`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pai_daemon.errors import MethodNotAllowed, NotFound, Overloaded, PaiError, TooLarge, UsageError
from pai_daemon.serve.mcp.endpoint import ENDPOINT, Endpoint
from pai_daemon.serve.openai.protocol import V1, openai_refusal
from pai_daemon.serve.openapi import RESOURCES
from pai_daemon.serve.security import Handler, guard, name_origin
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import fault, problem

MAX_BODY_BYTES = 1024 * 1024
# What is answered at once, streams apart; of a thousand files that a process may open, the index needs some.
MAX_REQUESTS = 256
MAX_STREAMS = 256
STREAMS = ("/api/events", "/mcp")

log = logging.getLogger(__name__)


def is_ours(record: logging.LogRecord) -> bool:
    """Return whether an error is the daemon's; of a broken request aiohttp would log the token, too."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


log.addFilter(is_ours)


def build(served: Served) -> web.Application:
    """Return the application that serves a vault."""
    app = web.Application(middlewares=[errors, guard, bound], client_max_size=MAX_BODY_BYTES)
    app[SERVED] = served
    app[LOAD] = Load()
    app[ENDPOINT] = Endpoint()
    app.on_shutdown.append(_end_mcp)
    app.on_response_prepare.append(name_origin)
    for routes in RESOURCES:
        for route in routes:
            app.router.add_route(route.method, route.path, route.handler, expect_handler=expect)
    return app


async def _end_mcp(app: web.Application) -> None:
    await app[ENDPOINT].close()


@dataclass(frozen=True, slots=True)
class Load:
    """The connections on which something is being answered."""

    requests: set[web.RequestHandler] = field(default_factory=set)
    streams: set[web.RequestHandler] = field(default_factory=set)


LOAD = web.AppKey("load", Load)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a document; nothing a client sends ends the daemon."""
    refuse = openai_refusal if request.path.startswith(V1) else problem
    try:
        return await handler(request)
    except PaiError as error:
        return refuse(error)
    except web.HTTPRequestEntityTooLarge:
        return refuse(TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes."))
    except web.HTTPNotFound:
        return refuse(NotFound(f"There is no route {request.path}."))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        refused = MethodNotAllowed(
            f"{request.path} does not take {request.method}.", hint=f"It takes {allowed}."
        )
        return refuse(refused, Allow=allowed)
    except Exception as error:
        return refuse(fault(request, error))


@web.middleware
async def bound(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer so many requests at once; raises Overloaded for more."""
    load, is_stream = request.app[LOAD], request.path in STREAMS
    among, most = (load.streams, MAX_STREAMS) if is_stream else (load.requests, MAX_REQUESTS)
    if len(among) >= most:
        raise Overloaded("The daemon answers as much at once as it can.", hint="Try again in a few seconds.")
    among.add(request.protocol)
    try:
        return await handler(request)
    finally:
        among.discard(request.protocol)


async def expect(request: web.Request) -> web.Response | None:
    """Tell a client that waits with its body to send it; refuse any other expectation.

    Here because aiohttp answers `Expect` before the middlewares, and not with a problem document.
    """
    if request.headers["Expect"].lower() != "100-continue":
        return problem(UsageError("The only expectation that is met is 100-continue."))
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None
