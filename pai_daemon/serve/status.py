"""The daemon itself: is it alive, what does it do, what went wrong, how is it set; and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil
from aiohttp import web

from pai_daemon import __version__
from pai_daemon.context.answering.answer import EXTRACTIVE, GeneratorName
from pai_daemon.context.indexer import State
from pai_daemon.context.languages import Hint, language_hints
from pai_daemon.context.progress import Phase
from pai_daemon.context.progress import Progress as Measured
from pai_daemon.context.space import NO_MODEL, ModelName
from pai_daemon.context.store.record import read_record
from pai_daemon.serve.contract import Routes
from pai_daemon.serve.state import SERVED, Parts, Served
from pai_daemon.serve.wire import reply

routes = Routes()
MAX_PROBLEMS = 1000
MAX_WRONG = 5
# Less of a vault than this is more likely a mistake than a language.
LEAST_SHARE = 0.05


class Health(msgspec.Struct, frozen=True):
    """It is alive."""

    status: Literal["ok"]
    version: str


class Stopping(msgspec.Struct, frozen=True):
    """The daemon ends; it has ended when the process has."""

    accepted: bool
    pid: int


class Setting(msgspec.Struct, frozen=True):
    """source: the command line, the name of a variable, config.toml or default."""

    name: str
    value: Any
    source: str


class Told(msgspec.Struct, frozen=True):
    """Each setting; of a secret only whether there is one."""

    settings: list[Setting]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Work under way. eta_s: what is left at the rate so far, null while that is unknown."""

    phase: Phase
    done: int
    total: int
    unit: str
    eta_s: float | None
    tokens_per_s: float | None


class ServedVault(msgspec.Struct, frozen=True):
    """The folder of notes."""

    name: str
    path: str


class BadNote(msgspec.Struct, frozen=True):
    """What of a note could not be read as meant."""

    path: str
    reason: str
    line: int | None
    column: int | None


class Work(msgspec.Struct, frozen=True):
    """What was done since the start."""

    notes_read: int = 0
    chunks_embedded: int = 0
    commits: int = 0


class NextModel(msgspec.Struct, frozen=True):
    """The model that is to answer, and how much it has embedded."""

    name: str
    done: int
    total: int


class AnsweringModel(msgspec.Struct, frozen=True, kw_only=True):
    """The model that answers. execution_provider: null while it is not loaded."""

    name: str
    fingerprint: str
    dimensions: int
    spec: str
    execution_provider: str | None
    location: Literal["embedded", "local", "remote"]
    precision: str | None
    warning: str | None
    texts_split: int
    search: Literal["exact", "approximate"]
    next: NextModel | None


class Watching(msgspec.Struct, frozen=True):
    """How changes are noticed: reason tells why not natively."""

    mode: str = "off"
    reason: str | None = None


class Memory(msgspec.Struct, frozen=True):
    """What the process takes."""

    rss_bytes: int


class Disk(msgspec.Struct, frozen=True):
    """What the index takes, and what is left; null where its folder is gone."""

    index_bytes: int
    free_bytes: int | None


class Status(msgspec.Struct, kw_only=True):
    """What the daemon serves, does and could not read. languages: their shares of the vault.

    code: what `message` is about, where something is wrong: the code of an error, or `notes_vanished`.
    """

    version: str
    vault: ServedVault
    state: State = "starting"
    message: str | None = None
    code: str | None = None
    revision: int = 0
    notes: int = 0
    chunks: int = 0
    pending_chunks: int = 0
    progress: Progress | None = None
    problems: list[BadNote] = []
    work: Work = Work()
    languages: dict[str, float] = {}
    hints: list[Hint] = []
    model: AnsweringModel
    generator: GeneratorName = EXTRACTIVE
    watcher: Watching = Watching()
    memory: Memory
    disk: Disk


@routes.get("/api/health", "alive; needs no token", answers={200: Health})
async def health(_: web.Request) -> web.Response:
    """Say that the daemon is alive, and nothing else; needs no token."""
    return reply(Health("ok", __version__))


@routes.get(
    "/api/status",
    "vault, counts, progress with estimate, bad notes with reasons, model, memory",
    answers={200: Status},
)
async def status(request: web.Request) -> web.Response:
    """Say what the daemon serves, does and could not read."""
    return reply(await asyncio.to_thread(look, request.app[SERVED]))


@routes.get("/api/settings", "each setting with its value and where it was set", answers={200: Told})
async def settings(request: web.Request) -> web.Response:
    """Return each setting with its value and where it was set; secrets are not shown."""
    return reply(Told([Setting(**item) for item in request.app[SERVED].settings.told()]))


@routes.post("/api/stop", "ends the daemon in order", answers={202: Stopping})
async def stop(request: web.Request) -> web.Response:
    """End the daemon, once what it is doing is safe: when the process `pid` has ended."""
    request.app[SERVED].stop()
    return reply(Stopping(accepted=True, pid=os.getpid()), status=202)


def describe(served: Served) -> dict[str, Any]:
    """Return the status as plain values."""
    document: dict[str, Any] = msgspec.to_builtins(look(served))
    return document


def look(served: Served) -> Status:
    """Return the status; never raises: it is asked most when something is wrong."""
    status = Status(
        version=__version__,
        vault=ServedVault(served.vault.name, str(served.vault)),
        model=_model(served),
        memory=Memory(psutil.Process().memory_info().rss),
        disk=Disk(0, _free_bytes(served.settings.data_dir)),
    )
    if served.error is not None:
        status.state, status.code = "error", served.error.code
        status.message = f"{served.error.detail} {served.error.hint}".strip()
    if (parts := served.parts) is not None:
        _describe_parts(status, served, parts)
    return status


def _describe_parts(status: Status, served: Served, parts: Parts) -> None:
    """Say of an open index what it holds, and what is done with it."""
    now = parts.indexer.status()
    status.state, status.message, status.code = now.state, now.message, now.code
    if (failure := served.model.error) is not None:
        is_away = parts.index.space.embedder is None
        effect = "Only words are matched" if is_away else f"{parts.index.space.model.name} still answers"
        failed = f"{effect}: {failure.detail} {failure.hint}".strip()
        status.message = (
            failed if now.message is None or now.state == "indexing" else f"{now.message} {failed}"
        )
        status.code = status.code or failure.code
        if is_away and now.state not in ("held", "paused"):
            status.state = "error"
    status.revision = parts.index.revision
    status.notes = len(parts.index.catalog)
    status.chunks = parts.index.catalog.chunk_count()
    status.pending_chunks = parts.indexer.pending_count()
    status.progress = progress(now.progress)
    status.problems = [
        BadNote(path, item.reason, item.line, item.column)
        for path, item in parts.indexer.covered.problems()[:MAX_PROBLEMS]
    ]
    status.work = Work(parts.indexer.notes_read, parts.index.chunks_embedded, parts.index.commits)
    shares = parts.indexer.languages.shares
    status.languages = {code: round(share, 2) for code, share in shares.items() if share >= LEAST_SHARE}
    languages = language_hints(shares, served.model.profile)
    status.hints = [*_room_hints(parts), *_routine_hints(parts), *languages]
    status.generator = parts.answerer.generator
    status.watcher = Watching(parts.watcher.mode, parts.watcher.reason or None)
    status.disk = Disk(parts.index.store.size_bytes(), status.disk.free_bytes)


def progress(now: Measured | None) -> Progress | None:
    """Return progress as the API says it."""
    if now is None:
        return None
    return Progress(
        phase=now.phase,
        done=now.done,
        total=now.total,
        unit=now.unit,
        eta_s=None if now.eta_s is None else round(now.eta_s, 1),
        tokens_per_s=None if now.tokens_per_s is None else round(now.tokens_per_s, 1),
    )


def _room_hints(parts: Parts) -> list[Hint]:
    """Return the hint that upkeep waits for room on the disk; none where it does not."""
    short = parts.index.store.shortage
    return [Hint("disk_nearly_full", short.message, None)] if short is not None else []


def _routine_hints(parts: Parts) -> list[Hint]:
    """Return a hint for each of the first routines that are wrong, as they were when last looked at."""
    wrong = parts.scheduler.folder.wrong[:MAX_WRONG]
    return [Hint("routine_wrong", f"{w.path}:{w.line} {w.message} {w.hint}".strip(), None) for w in wrong]


def _free_bytes(folder: Path) -> int | None:
    """Return what the disk of a folder has room for, None where the folder is gone."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _model(served: Served) -> AnsweringModel:
    """Return the model that answers, and under `next` the one that is to take its place."""
    parts, chosen = served.parts, ModelName.of(served.model.profile)
    if parts is not None:
        live, embedder = parts.index.space.model, parts.index.space.embedder
    else:
        live, embedder = read_record(served.settings.index_dir(served.vault)).live or chosen, None
    live = chosen if live == NO_MODEL else live
    is_switching = live.spec != chosen.spec or (parts is not None and parts.index.next is not None)
    return AnsweringModel(
        **{item.name: getattr(live, item.name) for item in fields(live)},
        execution_provider=embedder.execution_provider if embedder is not None else None,
        location=(embedder.profile if embedder is not None else served.model.profile).location,
        precision=embedder.form if embedder is not None else None,
        warning=(embedder.warning or None) if embedder is not None else None,
        texts_split=embedder.texts_split if embedder is not None else 0,
        search="exact" if parts is None or parts.index.live.is_exact else "approximate",
        next=NextModel(chosen.name, **_built(parts)) if is_switching else None,
    )


def _built(parts: Parts | None) -> dict[str, int]:
    """Return how much the next model has embedded: nothing while it is loaded."""
    if parts is None:
        return {"done": 0, "total": 0}
    total, following = parts.index.catalog.key_count(), parts.index.next
    return {"done": max(0, total - len(following.missing)) if following else 0, "total": total}
