"""The daemon of one vault: its start, its model, its stop. What it constructs is put together in `wiring`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import time
import weakref
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import filelock

from pai_daemon import __version__
from pai_daemon.config import Settings, ensure_token, remember, write_private
from pai_daemon.context.answering.answer import GeneratorName, name_of
from pai_daemon.context.index import Index
from pai_daemon.context.privacy import Privacy
from pai_daemon.context.space import EmbeddingModel, ModelName
from pai_daemon.context.store.record import read_record
from pai_daemon.errors import PaiError, PortTaken
from pai_daemon.models.generation.generators import Options, generators_of
from pai_daemon.models.generation.pace import Pace
from pai_daemon.models.loading import load_model
from pai_daemon.models.names import named
from pai_daemon.models.registry import Profile
from pai_daemon.models.sources import ServerSource
from pai_daemon.serve.listener import Listener
from pai_daemon.serve.state import ModelState, Parts, Served
from pai_daemon.serve.status import progress
from pai_daemon.serve.tokens import Tokens
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.holding import hold, who_has
from pai_daemon.wiring import Wiring

log = logging.getLogger(__name__)

# Progress goes to listeners at most this often; a person reads no faster.
PUBLISH_S = 0.25
RETRY_S = 5.0


class Daemon:
    """Serves one vault until it is stopped.

    Raises from `start`: UsageError for wrong settings, VaultUnavailable, VaultHeld, PortTaken,
    DiskFull. What fails later is shown in the status, and the daemon lives.
    """

    def __init__(self, vault: Path, settings: Settings) -> None:
        self.vault = check_vault(vault)
        self.settings = settings
        # A path that is a link may lead elsewhere later; the index stays the one it was opened as.
        self._index_dir = settings.index_dir(self.vault)
        self._record_path = settings.record_path(self.vault)
        self._profile = self._named(settings.model)
        # Each model that was loaded, and for which profile, until nobody uses it any more.
        self._loaded: weakref.WeakKeyDictionary[EmbeddingModel, Profile] = weakref.WeakKeyDictionary()
        self._settling = asyncio.Lock()
        options = Options(settings.gguf_dir, settings.generator_key, settings.generator_idle_s)
        self._generators = generators_of(settings.generator, options)
        self._generators.pace = Pace(settings.data_dir / "pace.json")
        self._privacy = Privacy(settings.local_only)
        self._served: Served | None = None
        self._listener: Listener | None = None
        self._lock: filelock.BaseFileLock | None = None
        self._published_s = 0.0
        self._preparing = ""
        self._loading: asyncio.Task[None] | None = None
        self._choosing: set[asyncio.Task[None]] = set()
        self.url = ""
        self.stopping = asyncio.Event()

    @property
    def served(self) -> Served:
        """Return what is served; only after `start`."""
        assert self._served is not None, "the daemon is not started"
        return self._served

    @property
    def generator(self) -> GeneratorName:
        """Return what writes answers, and where it runs."""
        chosen = self._generators.chosen
        return name_of(chosen.generator, chosen.why)

    @property
    def preparing(self) -> str:
        """Return what is being done to make the model ready, empty when nothing is."""
        return self._preparing

    async def start(self) -> None:
        """Hold the vault, open the port, and begin to open the index and the model."""
        self._lock = hold(self.vault, self.settings)
        try:
            model = ModelState(self._profile)
            ensure_token(self.settings)
            tokens = Tokens(self.settings)
            self._served = Served(
                self.settings, self.vault, tokens, model, choose=self._choose, stop=self.stopping.set
            )
            self._served.events.attach(asyncio.get_running_loop())
            await self._listen(self._served)
            self._announce()
        except BaseException:
            await self.stop()
            raise
        self._generators.start()
        self._later(self._keep_up(self._served))
        self._loading = asyncio.create_task(self._load(self._served))

    async def _listen(self, served: Served) -> None:
        self._listener = Listener(served)
        try:
            self.url = await self._listener.open(self.settings.port)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise PortTaken(who_has(self.settings), hint="Choose another with --port.") from error
            raise

    def _announce(self) -> None:
        """Tell the plugin and the command line where this vault is served."""
        record = {"url": self.url, "pid": os.getpid(), "vault": str(self.vault), "version": __version__}
        write_private(self._record_path, json.dumps(record))

    async def _load(self, served: Served) -> None:
        """Open the index and the model that answers, side by side, then see to the one that is chosen.

        They are one model, but where the index was made by another. Text is indexed meanwhile.
        """
        async with asyncio.TaskGroup() as both:
            both.create_task(self._open_index(served))
            opening = both.create_task(self._open_live_model(served))
        if (loaded := opening.result()) is not None or served.model.error is None:
            await self._settle(served, loaded)
        self._later(self._await_server(served))

    async def _open_live_model(self, served: Served) -> EmbeddingModel | None:
        """Return the model that answers, as far as is known before the index is open; None if it fails."""
        live = read_record(self._index_dir).live
        if live is None or live.spec == self._profile.spec:
            return await self._open_model(served, self._profile)
        try:
            return await asyncio.to_thread(self._load_model, self._named(live.spec))
        except Exception as error:  # words are searched until the chosen model has taken its place
            log.warning("%s, which made the index, cannot be loaded: %s", live.name, _told(error).detail)
            return None

    def _named(self, name: str) -> Profile:
        """Return the profile of what the settings or the index call a model."""
        chosen = self.settings
        return named(name, chosen.models_file, chosen.cache_dir, chosen.model_key)

    async def _settle(self, served: Served, loaded: EmbeddingModel | None = None) -> None:
        """Let the chosen model answer, at once or when it has embedded what there is (D39).

        loaded: the model that answers or is chosen, where it is not in use yet.
        """
        async with self._settling:
            parts, chosen = served.ready(), self._profile
            if loaded is not None and not parts.indexer.use(loaded) and self._loaded[loaded] != chosen:
                # What it had embedded is damaged, or gone.
                await asyncio.to_thread(loaded.close)
                loaded = None
            embedder = loaded or parts.index.space.embedder
            if embedder is None or self._loaded[embedder] != chosen:
                embedder = await self._open_model(served, chosen)
            if embedder is not None and self._profile == chosen:
                parts.indexer.choose(embedder)
            elif embedder is not None and embedder is not parts.index.space.embedder:
                await asyncio.to_thread(embedder.close)  # another one was chosen meanwhile

    async def _choose(self, name: str) -> None:
        """Let another model answer, also at later starts. Raises UsageError.

        What fails later is in the status.
        """
        chosen = await asyncio.to_thread(self._named, name)
        await asyncio.to_thread(remember, self.settings, "model", name)
        if chosen == self._profile and self.served.model.error is None:
            return
        self._profile, self.served.model = chosen, ModelState(chosen)
        self._later(self._settle_later(self.served))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside all else, until it is done or the daemon stops."""
        task = asyncio.create_task(work)
        self._choosing.add(task)
        task.add_done_callback(self._choosing.discard)

    async def _settle_later(self, served: Served) -> None:
        if self._loading is not None:
            await asyncio.wait({self._loading})  # until the index is open
        await self._settle(served)
        await self._await_server(served)

    async def _await_server(self, served: Served) -> None:
        """Ask a server again until it is there, or another model is chosen: it may be started later."""
        chosen = self._profile
        while isinstance(chosen.source, ServerSource) and served.model.error:
            await asyncio.sleep(RETRY_S)
            if self._profile != chosen:
                return
            await self._settle(served)

    async def _open_index(self, served: Served) -> None:
        while served.parts is None:
            try:
                served.parts = await asyncio.to_thread(self._open)
            except Exception as error:  # shown in the status, and tried again: a disk can be freed
                served.error = _told(error)
                served.events.publish("state", {"state": "error", "message": served.error.detail})
                await asyncio.sleep(RETRY_S)
        served.error = None
        served.parts.indexer.start(served.parts.watcher)
        served.parts.scheduler.start()
        served.parts.webhooks.start()

    async def _open_model(self, served: Served, wanted: Profile) -> EmbeddingModel | None:
        """Return a model, loaded; None if it fails, which the status then says."""
        try:
            embedder = await asyncio.to_thread(self._load_model, wanted)
        except Exception as error:  # shown in the status; what answered before goes on
            if self._profile == wanted and repr(error) != repr(served.model.error):
                served.model.error = _told(error)
                message = served.model.error.detail
                served.events.publish("state", {"state": "error", "message": message})
            return None
        else:
            if self._profile == wanted:
                served.model.error = None
            return embedder
        finally:
            self._preparing = ""

    def _open(self) -> Parts:
        chosen = self._profile
        # The width of some models is known only when they are loaded.
        wanted = ModelName.of(chosen) if chosen.dimensions else None
        index = Index(self._index_dir, wanted, self._privacy)
        return Wiring(self.vault, self.settings, index, self._generators, self.served).parts(self._publish)

    async def _keep_up(self, served: Served) -> None:
        """Let memory follow the notes and the model, for as long as the daemon runs."""
        async for name, _, _ in served.events.listen():
            if name in ("revision", "state") and served.parts is not None:
                try:
                    await asyncio.to_thread(served.parts.recollecting.keep_up)
                    if (threads := served.parts.threads) is not None:
                        await asyncio.to_thread(threads.sweep)
                except PaiError as error:  # the model may be away; words find facts all the same
                    log.warning("Memory is behind: %s", error.detail)

    def _load_model(self, wanted: Profile) -> EmbeddingModel:
        """Return a model, made ready and loaded: the only place that does."""

        def say(step: str, share: float) -> None:
            self._preparing = f"Preparing {wanted.name}: {step} {share:.0%}"

        self._preparing = f"Loading {wanted.name}"
        embedder = load_model(wanted, self.settings, say)
        self._loaded[embedder] = wanted
        return embedder

    def _publish(self) -> None:
        """Tell listeners what changed; called from the indexer's thread."""
        served = self._served
        if served is None or served.parts is None:
            return
        now = served.parts.indexer.status()
        if now.progress is not None and time.monotonic() - self._published_s < PUBLISH_S:
            return
        self._published_s = time.monotonic()
        served.events.publish("revision", {"revision": served.parts.index.revision})
        if now.progress is not None:
            served.events.publish("progress", progress(now.progress))
        served.events.publish("state", {"state": now.state, "message": now.message})

    async def stop(self) -> None:
        """Stop in order: the door, the indexer's commit under way, the model, the lock."""
        for task in (self._loading, *self._choosing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self._served is not None:
            self._served.events.close()
            self._served.turns.close()
        if self._listener is not None:
            await self._listener.close()
        if self._served is not None and self._served.parts is not None:
            await self._served.parts.scheduler.stop()
            await self._served.parts.webhooks.stop()
            await self._served.parts.composer.close()
            await asyncio.to_thread(self._served.parts.indexer.stop)
        for embedder in list(self._loaded):
            await asyncio.to_thread(embedder.close)
        await self._generators.close()
        if self._lock is not None and self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._record_path.unlink(missing_ok=True)
            self._lock.release()


def _told(error: Exception) -> PaiError:
    """Return an error that can be shown, and log it."""
    if isinstance(error, PaiError):
        log.error("%s %s", error.detail, error.hint)
        return error
    log.error("starting failed", exc_info=error)
    return PaiError(f"Starting failed: {error!r}.")
