"""Many clients at once while notes are indexed, against one client at rest and a bare aiohttp route."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from pathlib import Path

import aiohttp
import numpy as np
import psutil
from aiohttp import web

from pai_daemon.config import load
from tests.bench.data import vault as unpacked
from tests.bench.report import Row
from tests.bench.search import QUERIES
from tests.daemon_process import DaemonProcess, Folders

CLIENTS, QUICK_CLIENTS = 200, 50
STREAMS, QUICK_STREAMS = 50, 10
ROUNDS = 3
IDLE_QUERIES = 60
LATENCY_RATIO = 5
GROWTH_MIB = 150
MIB = 2**20
LIMIT_S = 1800.0


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return latency and refusals of many searches at once, and what they add to the memory."""
    notes, name = unpacked("vault-tasks-docs-en", scratch)
    if quick:
        for note in sorted(notes.rglob("*.md"))[40:]:
            note.unlink()
    clients, streams = (QUICK_CLIENTS, QUICK_STREAMS) if quick else (CLIENTS, STREAMS)
    environ = {"PAI_MODEL": model, "PAI_THREADS": str(load().threads), "MALLOC_ARENA_MAX": "2"}
    with DaemonProcess(notes, Folders(scratch / "home", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        before = psutil.Process(daemon.pid).memory_info().rss
        changing = threading.Thread(target=_change, args=(notes,))
        measured = asyncio.run(_measure(daemon, clients, streams, changing))
        grown = (psutil.Process(daemon.pid).memory_info().rss - before) / MIB
        daemon.ready(LIMIT_S)
    idle, bare, busy, statuses = measured
    p95, idle_p95 = (float(np.percentile(each, 95)) for each in (busy, idle))
    holds = p95 <= LATENCY_RATIO * idle_p95
    what = f"{name}, {clients} searches at once, {streams} streams, indexing"
    others = sum(count for status, count in statuses.items() if status not in (200, 429))
    return [
        Row(f"{name}: a search while nothing else is asked, p95", idle_p95, "ms"),
        Row(f"{what}: p95", p95, "ms", "idle, p95", idle_p95, f"<= {LATENCY_RATIO} of it", holds),
        Row(f"{what}: p50", float(np.median(busy)), "ms", "bare aiohttp route, p50", float(np.median(bare))),
        Row(f"{what}: put off with 429", float(statuses[429]), "of " + str(statuses.total())),
        Row(f"{what}: other errors", float(others), "", "", None, "0", others == 0),
        Row(f"{what}: memory added", grown, "MiB", "", None, f"<= {GROWTH_MIB}", grown <= GROWTH_MIB),
    ]


def _change(vault: Path) -> None:
    """Write every note again under another name, so that there is something to index."""
    for number, note in enumerate(sorted(vault.rglob("*.md"))):
        text = note.read_text("utf-8").replace("the ", f"the{number} ")
        (vault / f"Changed {number}.md").write_text(text, "utf-8")


async def _measure(
    daemon: DaemonProcess, clients: int, streams: int, changing: threading.Thread
) -> tuple[list[float], list[float], list[float], Counter[int]]:
    """Return the milliseconds of searches at rest, of a bare route and of searches at once, and statuses."""
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(daemon.client.url, headers=headers, connector=connector) as session:
        idle = [(await _search(session, number))[1] for number in range(IDLE_QUERIES)]
        bare = await _bare(clients)
        listening = [await session.get("/api/events") for _ in range(streams)]
        await asyncio.to_thread(changing.start)
        await asyncio.sleep(2.0)  # until the watcher's hint has settled
        busy: list[float] = []
        statuses: Counter[int] = Counter()
        for _ in range(ROUNDS):
            for status, taken_ms in await asyncio.gather(*(_search(session, n) for n in range(clients))):
                statuses[status] += 1
                if status == 200:
                    busy.append(taken_ms)
        for stream in listening:
            stream.close()
        await asyncio.to_thread(changing.join)
    return idle, bare, busy, statuses


async def _search(
    session: aiohttp.ClientSession, number: int, path: str = "/api/search"
) -> tuple[int, float]:
    started_s = time.perf_counter()
    async with session.get(path, params={"q": QUERIES[number % len(QUERIES)]}) as response:
        await response.read()
        return response.status, (time.perf_counter() - started_s) * 1000


async def _bare(clients: int) -> list[float]:
    """Return the milliseconds of as many requests at once to a route that does nothing."""

    async def nothing(_: web.Request) -> web.Response:
        return web.json_response({"results": []})

    app = web.Application()
    app.router.add_get("/", nothing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    connector = aiohttp.TCPConnector(limit=0)
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(url, connector=connector) as session:
        taken = await asyncio.gather(*(_search(session, number, "/") for number in range(clients)))
    await runner.cleanup()
    return [each for _, each in taken]
