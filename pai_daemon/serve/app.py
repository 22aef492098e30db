"""The web application: every route behind one door, every error through one table."""

from __future__ import annotations

from aiohttp import web

from pai_daemon.context.search import MAX_QUERY_CHARACTERS
from pai_daemon.errors import MethodNotAllowed, NotFound, PaiError, TooLarge, UsageError
from pai_daemon.serve import ask, dashboard, index, model, notes, related, search, status
from pai_daemon.serve.security import Handler, guard, name_origin
from pai_daemon.serve.state import SERVED, Served
from pai_daemon.serve.wire import fault, problem

HOST = "127.0.0.1"
MAX_BODY_BYTES = 1024 * 1024
# The longest query, percent-encoded, is up to 12 bytes a character; paths and tags come beside it.
MAX_LINE_BYTES = 12 * MAX_QUERY_CHARACTERS + 16 * 1024


def build(served: Served) -> web.Application:
    """Return the application that serves a vault."""
    app = web.Application(middlewares=[errors, guard], client_max_size=MAX_BODY_BYTES)
    app[SERVED] = served
    app.on_response_prepare.append(name_origin)
    for resource in (status, search, ask, related, notes, index, model, dashboard):
        for route in resource.routes:
            app.router.add_route(route.method, route.path, route.handler, expect_handler=expect)
    return app


class Listener:
    """The application on a port of this machine's loopback address."""

    def __init__(self, served: Served) -> None:
        self._runner = web.AppRunner(
            build(served),
            access_log=None,
            max_line_size=MAX_LINE_BYTES,
            # A few kilobytes must not unpack to gigabytes; bodies come plain.
            auto_decompress=False,
            # A stream that is open at the end gets two seconds to close.
            shutdown_timeout=2.0,
        )

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
        refused = MethodNotAllowed(
            f"{request.path} does not take {request.method}.", hint=f"It takes {allowed}."
        )
        return problem(refused, Allow=allowed)
    except Exception as error:
        return problem(fault(request, error))


async def expect(request: web.Request) -> web.Response | None:
    """Tell a client that waits with its body to send it; refuse any other expectation.

    Here because aiohttp answers `Expect` before the middlewares, and not with a problem document.
    """
    if request.headers["Expect"].lower() != "100-continue":
        return problem(UsageError("The only expectation that is met is 100-continue."))
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return None
