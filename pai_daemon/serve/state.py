"""What the routes answer from: the parts of one served vault, as they become ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from pai_daemon.action.actions import Actions
from pai_daemon.action.composing import VaultComposer
from pai_daemon.action.outside.incoming import Incoming
from pai_daemon.action.outside.webhooks import Webhooks
from pai_daemon.action.scheduler import Scheduler
from pai_daemon.config import Settings
from pai_daemon.context.answering.answers import Answerer
from pai_daemon.context.comparing.comparer import Comparer
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.linking.linker import Linker
from pai_daemon.context.linking.report import Reporter
from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.context.summaries.summarizer import Summarizer
from pai_daemon.errors import ModelUnavailable, PaiError, VaultUnavailable
from pai_daemon.memory.keeping import Recollecting
from pai_daemon.memory.offering import Offers
from pai_daemon.memory.talking import Keeper
from pai_daemon.memory.thread_keeping import ThreadKeeper
from pai_daemon.models.registry import Profile
from pai_daemon.serve.events import EventHub
from pai_daemon.serve.sessions import Sessions
from pai_daemon.serve.tokens import Tokens
from pai_daemon.serve.turns import Line, Turns
from pai_daemon.vault.watch import Watcher

MOST_SUMMARIES = 2


@dataclass(slots=True)
class ModelState:
    """The embedding model that is chosen; the index knows which one answers.

    error: why the chosen one cannot be loaded.
    """

    profile: Profile
    error: PaiError | None = None


async def _no_other(_name: str) -> None:
    raise ModelUnavailable("No daemon is there to choose a model.", hint="Choose it in the settings.")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one vault's index is asked through, once it is open.

    keeper: of facts, threads: of conversations, offers: of what might be remembered; None where none is.
    """

    index: Index
    reader: Reader
    indexer: Indexer
    watcher: Watcher
    searcher: Searcher
    related: Related
    linker: Linker
    reporter: Reporter
    answerer: Answerer
    summarizer: Summarizer
    comparer: Comparer
    recollecting: Recollecting
    actions: Actions
    scheduler: Scheduler
    composer: VaultComposer
    webhooks: Webhooks
    incoming: Incoming
    keeper: Keeper | None = None
    threads: ThreadKeeper | None = None
    offers: Offers | None = None


@dataclass(slots=True)
class Served:
    """One vault and everything that serves it. `parts` is None while the index is opening.

    choose: lets another embedding model answer, by its name. stop: ends the daemon, in order. pulling: the
    model that is being fetched, if any.
    """

    settings: Settings
    vault: Path
    tokens: Tokens
    model: ModelState
    events: EventHub = field(default_factory=EventHub)
    parts: Parts | None = None
    error: PaiError | None = None
    choose: Callable[[str], Awaitable[None]] = _no_other
    stop: Callable[[], None] = lambda: None
    sessions: Sessions = field(default_factory=Sessions)
    pulling: set[str] = field(default_factory=set)
    turns: Turns = field(default_factory=Turns)
    answering: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    # What programs converse does not keep the plugin waiting, nor what it asks them.
    conversing: Line = field(default_factory=Line)
    # Of their own: a long job must not keep a question waiting.
    summarizing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_SUMMARIES))
    reporting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def ready(self) -> Parts:
        """Return the parts, or raise why there are none yet."""
        if self.parts is not None:
            return self.parts
        raise self.error or VaultUnavailable("The index is opening.", hint="Try again in a second.")


SERVED = web.AppKey("served", Served)
