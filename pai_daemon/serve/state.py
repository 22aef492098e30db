"""What the routes answer from: the parts of one served vault, as they become ready."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from pai_daemon.config import Settings
from pai_daemon.context.answers import Answerer
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
from pai_daemon.context.search import Searcher
from pai_daemon.errors import ModelUnavailable, PaiError, VaultUnavailable
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.registry import Profile
from pai_daemon.models.remote import RemoteEmbedder
from pai_daemon.serve.events import EventHub
from pai_daemon.vault.watch import Watcher


@dataclass(slots=True)
class ModelState:
    """The embedding model: loading, loaded, or failed for a reason."""

    profile: Profile
    embedder: Embedder | RemoteEmbedder | None = None
    error: PaiError | None = None

    def loaded(self) -> Embedder | RemoteEmbedder:
        """Return the embedder, or raise why there is none."""
        if self.embedder is not None:
            return self.embedder
        raise self.error or ModelUnavailable(
            "The embedding model is loading.", hint="Try again in a few seconds."
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """What one vault's index is asked through, once it is open."""

    index: Index
    reader: Reader
    indexer: Indexer
    watcher: Watcher
    searcher: Searcher
    related: Related
    answerer: Answerer


@dataclass(slots=True)
class Served:
    """One vault and everything that serves it. `parts` is None while the index is opening."""

    settings: Settings
    vault: Path
    token: str
    model: ModelState
    events: EventHub = field(default_factory=EventHub)
    parts: Parts | None = None
    error: PaiError | None = None
    answering: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))

    def ready(self) -> Parts:
        """Return the parts, or raise why there are none yet."""
        if self.parts is not None:
            return self.parts
        raise self.error or VaultUnavailable("The index is opening.", hint="Try again in a second.")


SERVED = web.AppKey("served", Served)
