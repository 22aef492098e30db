"""The web application: every route behind one door, every error through one table."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from pai_daemon.errors import NotFound, PaiError, TooLarge, UsageError
from pai_daemon.serve import ask, index, notes, related, search, status
from pai_daemon.serve.security import Handler, guard, name_origin
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import problem

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024


def build(served: Served) -> web.Application:
    """Return the application that serves a vault."""
    app = web.Application(middlewares=[errors, guard], client_max_size=MAX_BODY_BYTES)
    app[SERVED] = served
    app.on_response_prepare.append(name_origin)
    for resource in (status, search, ask, related, notes, index):
        app.add_routes(resource.routes)
    return app


class Listener:
    """The application on a port of this machine's loopback address."""

    def __init__(self, served: Served) -> None:
        # A stream that is open at the end gets two seconds to close.
        self._runner = web.AppRunner(build(served), access_log=None, shutdown_timeout=2.0)

    async def open(self, port: int) -> str:
        """Listen, and return the URL; port 0 takes any free one. Raises OSError when it is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        """Finish open requests and let the port go."""
        await self._runner.cleanup()


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a problem document; nothing a client sends ends the daemon."""
    try:
        return await handler(request)
    except PaiError as error:
        return problem(error)
    except web.HTTPRequestEntityTooLarge:
        return problem(TooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes."))
    except web.HTTPNotFound:
        return problem(NotFound(f"There is no route {request.path}."))
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem(
            UsageError(f"{request.path} does not take {request.method}.", hint=f"It takes {allowed}.")
        )
    except (asyncio.CancelledError, ConnectionError):
        raise
    except Exception as error:
        log.exception("%s %s failed", request.method, request.path)
        return problem(PaiError(f"The daemon failed at this request: {type(error).__name__}."))
