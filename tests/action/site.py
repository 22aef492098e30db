"""A site on this machine, as other people's are: feeds with validators, redirects, and what goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Handler = Callable[[web.Request], web.StreamResponse]


@dataclass
class Site:
    """Pages by their path: a text, or what answers. requests: what came, in order."""

    pages: dict[str, str | bytes | Handler] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    @property
    def host(self) -> str:
        """Return host and port, as a routine names them."""
        return self.url.removeprefix("http://")


@asynccontextmanager
async def serving(site: Site, host: str = "127.0.0.1") -> AsyncIterator[Site]:
    """Serve a site for as long as the block runs."""

    async def answer(request: web.Request) -> web.StreamResponse:
        site.requests.append(request)
        site.bodies.append(await request.read())
        page = site.pages.get(request.path)
        if page is None:
            return web.Response(status=404)
        if callable(page):
            return page(request)
        body = page.encode() if isinstance(page, str) else page
        tag = f'"{hash(body):x}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": tag, "Content-Type": "application/xml"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, host, 0)
    await listener.start()
    server = listener._server
    assert server is not None
    port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    site.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        yield site
    finally:
        await runner.cleanup()


def rss(title: str, *items: tuple[str, str, str], day: str = "Mon, 09 Mar 2026 06:00:00 GMT") -> str:
    """Return a feed; items: title, link and text of each."""
    entries = "".join(
        f"<item><title>{name}</title><link>{link}</link><guid>{link}</guid><pubDate>{day}</pubDate>"
        f"<description><![CDATA[{text}]]></description></item>"
        for name, link, text in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>{entries}</channel></rss>'
