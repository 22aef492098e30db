"""Many clients at once while notes are indexed, against one client at rest and a bare aiohttp route.

No two questions are the same, so that none is answered by what was kept of another; the same one asked by all
has a row of its own.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
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
AT_ONCE, QUICK_AT_ONCE = (1, 10, 50, 200), (1, 10, 50)
LEAST_SEARCHES = 60
ROUNDS = 3
QUICK_NOTES = 40
LATENCY_RATIO = 5
GROWTH_MIB = 150
MIB = 2**20
LIMIT_S = 1800.0


@dataclass(slots=True)
class Asked:
    """What came of searches. taken_ms: of those that were answered; worked_s: of the daemon's processors."""

    taken_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    whole_s: float = 0.0
    worked_s: float = 0.0

    @property
    def p95_ms(self) -> float:
        """Return what 95 of 100 answered searches stay below."""
        return float(np.percentile(self.taken_ms, 95)) if self.taken_ms else float("nan")


@dataclass(slots=True)
class Measured:
    """What came of all: by how many at once, of a bare route, of the same question, while indexing."""

    at_once: dict[int, Asked]
    bare: Asked
    same: Asked
    busy: Asked


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return latency and refusals of many searches at once, and what they add to the memory."""
    notes, name = unpacked("vault-tasks-docs-en", scratch)
    if quick:
        for note in sorted(notes.rglob("*.md"))[QUICK_NOTES:]:
            note.unlink()
    clients, streams = (QUICK_CLIENTS, QUICK_STREAMS) if quick else (CLIENTS, STREAMS)
    environ = {"PAI_MODEL": model, "PAI_THREADS": str(load().threads), "MALLOC_ARENA_MAX": "2"}
    with DaemonProcess(notes, Folders(scratch / "home", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        before = psutil.Process(daemon.pid).memory_info().rss
        changing = threading.Thread(target=_change, args=(notes,))
        sizes = QUICK_AT_ONCE if quick else AT_ONCE
        measured = asyncio.run(_measure(daemon, clients, streams, changing, sizes))
        grown = (psutil.Process(daemon.pid).memory_info().rss - before) / MIB
    idle_ms, busy = measured.at_once[1].p95_ms, measured.busy
    holds = busy.p95_ms <= LATENCY_RATIO * idle_ms
    what = f"{name}, {clients} searches at once, {streams} streams, indexing"
    others = sum(count for status, count in busy.statuses.items() if status not in (200, 429))
    return [
        *(row for size, asked in measured.at_once.items() for row in _rows(f"{name}: {size} at once", asked)),
        *_rows(f"{name}: the same question {clients} times at once", measured.same),
        Row(
            f"{what}: p95", busy.p95_ms, "ms", "one at rest, p95", idle_ms, f"<= {LATENCY_RATIO} of it", holds
        ),
        Row(
            f"{what}: p50",
            float(np.median(busy.taken_ms)),
            "ms",
            "bare aiohttp route, p50",
            float(np.median(measured.bare.taken_ms)),
        ),
        Row(f"{what}: put off with 429", float(busy.statuses[429]), "of " + str(busy.statuses.total())),
        Row(f"{what}: other errors", float(others), "", "", None, "0", others == 0),
        Row(f"{what}: memory added", grown, "MiB", "", None, f"<= {GROWTH_MIB}", grown <= GROWTH_MIB),
    ]


def _rows(what: str, asked: Asked) -> list[Row]:
    return [
        Row(f"{what}: answered", asked.statuses[200] / asked.whole_s, "searches/s"),
        Row(f"{what}: p95", asked.p95_ms, "ms"),
        Row(f"{what}: processor time of each", asked.worked_s / asked.statuses[200] * 1000, "ms"),
        Row(f"{what}: put off with 429", float(asked.statuses[429]), "of " + str(asked.statuses.total())),
    ]


def _change(vault: Path) -> None:
    """Write every note again under another name, so that there is something to index."""
    for number, note in enumerate(sorted(vault.rglob("*.md"))):
        text = note.read_text("utf-8").replace("the ", f"the{number} ")
        (vault / f"Changed {number}.md").write_text(text, "utf-8")


async def _measure(
    daemon: DaemonProcess, clients: int, streams: int, changing: threading.Thread, sizes: tuple[int, ...]
) -> Measured:
    """Return what came of searches at rest, by how many at once, of a bare route, and while indexing."""
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(daemon.client.url, headers=headers, connector=connector) as session:
        await _asked(session, 1, "warm", rounds=8)
        at_once: dict[int, Asked] = {}
        for size in sizes:
            before_s = _worked_s(daemon)
            at_once[size] = await _asked(session, size, f"of{size}", rounds=-(-LEAST_SEARCHES // size))
            at_once[size].worked_s = _worked_s(daemon) - before_s
        bare = await _bare(clients)
        before_s = _worked_s(daemon)
        same = await _asked(session, clients, "")
        same.worked_s = _worked_s(daemon) - before_s
        listening = [await session.get("/api/events") for _ in range(streams)]
        await asyncio.to_thread(changing.start)
        await asyncio.sleep(2.0)  # until the watcher's hint has settled
        busy = await _asked(session, clients, "busy", rounds=ROUNDS)
        for stream in listening:
            stream.close()
        await asyncio.to_thread(changing.join)
    return Measured(at_once, bare, same, busy)


def _worked_s(daemon: DaemonProcess) -> float:
    """Return how long processors have worked for the daemon: what others do on the machine is not in it."""
    times = psutil.Process(daemon.pid).cpu_times()
    return float(times.user + times.system)


async def _asked(
    session: aiohttp.ClientSession, clients: int, word: str, *, rounds: int = 1, path: str = "/api/search"
) -> Asked:
    """Ask so many questions at once, and again when all are answered; word: no two are the same, "" all."""
    asked, started_s = Asked(), time.perf_counter()
    for turn in range(rounds):
        questions = [
            f"{QUERIES[n % len(QUERIES)]} {word} {turn} {n}" if word else QUERIES[0] for n in range(clients)
        ]
        for status, taken_ms in await asyncio.gather(*(_search(session, path, each) for each in questions)):
            asked.statuses[status] += 1
            if status == 200:
                asked.taken_ms.append(taken_ms)
    asked.whole_s = time.perf_counter() - started_s
    return asked


async def _search(session: aiohttp.ClientSession, path: str, question: str) -> tuple[int, float]:
    started_s = time.perf_counter()
    async with session.get(path, params={"q": question}) as response:
        await response.read()
        return response.status, (time.perf_counter() - started_s) * 1000


async def _bare(clients: int) -> Asked:
    """Return what comes of as many requests at once to a route that does nothing."""

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
        asked = await _asked(session, clients, "bare", path="/")
    await runner.cleanup()
    return asked
