"""`GET /api/health` and `GET /api/status`: is it alive, what does it do, what went wrong."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from pai_daemon import __version__
from pai_daemon.context.answer import EXTRACTIVE
from pai_daemon.context.languages import Hint, language_hints
from pai_daemon.context.progress import Progress
from pai_daemon.context.space import NO_MODEL, ModelName
from pai_daemon.context.store.record import read_record
from pai_daemon.serve.state import SERVED, Parts, Served
from pai_daemon.serve.wire import reply

routes = web.RouteTableDef()
MAX_PROBLEMS = 1000
# Less of a vault than this is more likely a mistake than a language.
LEAST_SHARE = 0.05


@routes.get("/api/health")
async def health(_: web.Request) -> web.Response:
    """Say that the daemon is alive, and nothing else; needs no token."""
    return reply({"status": "ok", "version": __version__})


@routes.get("/api/status")
async def status(request: web.Request) -> web.Response:
    """Say what the daemon serves, does and could not read."""
    return reply(await asyncio.to_thread(describe, request.app[SERVED]))


@routes.get("/api/settings")
async def settings(request: web.Request) -> web.Response:
    """Return each setting with its value and where it was set; secrets are not shown."""
    return reply({"settings": request.app[SERVED].settings.told()})


def describe(served: Served) -> dict[str, Any]:
    """Return the status document; never raises: it is asked most when something is wrong."""
    document: dict[str, Any] = {
        "version": __version__,
        "vault": {"name": served.vault.name, "path": str(served.vault)},
        "state": "starting",
        "message": None,
        "revision": 0,
        "notes": 0,
        "chunks": 0,
        "pending_chunks": 0,
        "progress": None,
        "problems": [],
        "work": {"notes_read": 0, "chunks_embedded": 0, "commits": 0},
        "languages": {},
        "hints": [],
        "model": _model(served),
        "generator": EXTRACTIVE,
        "watcher": {"mode": "off", "reason": None},
        "memory": {"rss_bytes": psutil.Process().memory_info().rss},
        "disk": {"index_bytes": 0, "free_bytes": _free_bytes(served.settings.data_dir)},
    }
    if served.error is not None:
        document |= {"state": "error", "message": f"{served.error.detail} {served.error.hint}".strip()}
    if (parts := served.parts) is None:
        return document
    now = parts.indexer.status()
    state, message = now.state, now.message
    if (failure := served.model.error) is not None:
        is_away = parts.index.space.embedder is None
        effect = "Only words are matched" if is_away else f"{parts.index.space.model.name} still answers"
        failed = f"{effect}: {failure.detail} {failure.hint}".strip()
        message = failed if message is None or state == "indexing" else f"{message} {failed}"
        if is_away and state != "held":
            state = "error"
    shares, chosen = parts.indexer.languages.shares, served.model.profile
    document |= {
        "state": state,
        "message": message,
        "revision": parts.index.revision,
        "notes": len(parts.index.catalog),
        "chunks": parts.index.catalog.chunk_count(),
        "pending_chunks": parts.indexer.pending_count(),
        "progress": progress(now.progress),
        "problems": [
            {"path": path, "reason": item.reason, "line": item.line, "column": item.column}
            for path, item in parts.indexer.problems()[:MAX_PROBLEMS]
        ],
        "work": {
            "notes_read": parts.indexer.notes_read,
            "chunks_embedded": parts.index.chunks_embedded,
            "commits": parts.index.commits,
        },
        "languages": {code: round(share, 2) for code, share in shares.items() if share >= LEAST_SHARE},
        "hints": [asdict(hint) for hint in (*_room_hints(parts), *language_hints(shares, chosen))],
        "generator": parts.answerer.generator,
        "watcher": {"mode": parts.watcher.mode, "reason": parts.watcher.reason or None},
    }
    document["disk"]["index_bytes"] = parts.index.store.size_bytes()
    return document


def progress(now: Progress | None) -> dict[str, Any] | None:
    """Return progress as the API says it."""
    if now is None:
        return None
    return {
        "phase": now.phase,
        "done": now.done,
        "total": now.total,
        "unit": now.unit,
        "eta_s": None if now.eta_s is None else round(now.eta_s, 1),
        "tokens_per_s": None if now.tokens_per_s is None else round(now.tokens_per_s, 1),
    }


def _room_hints(parts: Parts) -> list[Hint]:
    """Return the hint that upkeep waits for room on the disk; none where it does not."""
    short = parts.index.store.shortage
    return [Hint("disk_nearly_full", short.message, None)] if short is not None else []


def _free_bytes(folder: Path) -> int | None:
    """Return what the disk of a folder has room for, None where the folder is gone."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _model(served: Served) -> dict[str, Any]:
    """Return the model that answers, and under `next` the one that is to take its place."""
    parts, chosen = served.parts, ModelName.of(served.model.profile)
    if parts is not None:
        live, embedder = parts.index.space.model, parts.index.space.embedder
    else:
        live, embedder = read_record(served.settings.index_dir(served.vault)).live or chosen, None
    live = chosen if live == NO_MODEL else live
    document: dict[str, Any] = asdict(live) | {
        "execution_provider": embedder.execution_provider if embedder is not None else None,
        "location": (embedder.profile if embedder is not None else served.model.profile).location,
        "precision": embedder.form if embedder is not None else None,
        "warning": (embedder.warning or None) if embedder is not None else None,
        "texts_split": embedder.texts_split if embedder is not None else 0,
        "search": "exact" if parts is None or parts.index.live.is_exact else "approximate",
        "next": None,
    }
    if live.spec != chosen.spec or (parts is not None and parts.index.next is not None):
        document["next"] = {"name": chosen.name} | _built(parts)
    return document


def _built(parts: Parts | None) -> dict[str, int]:
    """Return how much the next model has embedded: nothing while it is loaded."""
    if parts is None:
        return {"done": 0, "total": 0}
    total, following = parts.index.catalog.key_count(), parts.index.next
    return {"done": max(0, total - len(following.missing)) if following else 0, "total": total}
