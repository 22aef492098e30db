"""Passes requests on to a server on this machine, and keeps what they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

# They belong to one connection, or are a secret.
OWN_HEADERS = ("host", "connection", "content-length", "authorization", "transfer-encoding")
KEPT_OF_REPLY = ("content-type", "content-encoding", "mcp-session-id")


@dataclass
class Recorder:
    """url: of the server. requests: what came, as JSON; headers without those of one connection."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> web.Application:
        """Return the app that stands before the server."""
        app = web.Application()
        app.add_routes([web.route("*", "/{rest:.*}", self._pass_on)])
        return app

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        headers = {
            name.lower(): value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS
        }
        target = request.raw_path
        self.requests.append({"method": request.method, "target": target, "headers": headers, "body": body})
        if "Authorization" in request.headers:
            headers = headers | {"authorization": request.headers["Authorization"]}
        there = URL(self.url + target, encoded=True)
        # The reply is handed on as it was compressed, or not.
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, there, headers=headers, data=body or None) as reply,
        ):
            told = {name: value for name, value in reply.headers.items() if name.lower() in KEPT_OF_REPLY}
            answer = web.StreamResponse(status=reply.status, headers=told)
            await answer.prepare(request)
            async for chunk in reply.content.iter_any():
                await answer.write(chunk)
            return answer
