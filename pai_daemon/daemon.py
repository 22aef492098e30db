"""The daemon of one vault: the only place that constructs and wires the parts."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import filelock
import psutil

from pai_daemon import __version__
from pai_daemon.config import Settings, daemon_records, ensure_token, private_folder, write_private
from pai_daemon.context.answer import GeneratorName, name_of
from pai_daemon.context.answers import Answerer
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.reading import Reader
from pai_daemon.context.related import Related
from pai_daemon.context.search import EmbedsQueries, Searcher
from pai_daemon.errors import DiskFull, IndexUnavailable, PaiError, PortTaken, VaultHeld
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.generation.generators import generator_of
from pai_daemon.models.names import named
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import Profile
from pai_daemon.models.remote import RemoteEmbedder
from pai_daemon.models.sources import ServerSource
from pai_daemon.models.trial import choose
from pai_daemon.serve.app import Listener
from pai_daemon.serve.state import ModelState, Parts, Served
from pai_daemon.serve.status import progress
from pai_daemon.vault.folder import check_vault
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import Watcher

log = logging.getLogger(__name__)

# Progress goes to listeners at most this often; a person reads no faster.
PUBLISH_S = 0.25
RETRY_S = 5.0
# Embedding yields to what the person works with (D7).
NICENESS = 5


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
        self._profile = named(settings.model, settings.models_file, settings.cache_dir, settings.model_key)
        self._generator = generator_of(settings.generator, settings.generator_key)
        self._served: Served | None = None
        self._listener: Listener | None = None
        self._lock: filelock.BaseFileLock | None = None
        self._published_s = 0.0
        self._preparing = ""
        self._loading: asyncio.Task[None] | None = None
        self._remote: RemoteEmbedder | None = None
        self.url = ""

    @property
    def served(self) -> Served:
        """Return what is served; only after `start`."""
        assert self._served is not None, "the daemon is not started"
        return self._served

    @property
    def generator(self) -> GeneratorName:
        """Return what writes answers, and where it runs."""
        return name_of(self._generator)

    @property
    def preparing(self) -> str:
        """Return what is being done to make the model ready, empty when nothing is."""
        return self._preparing

    async def start(self) -> None:
        """Hold the vault, open the port, and begin to open the index and the model."""
        self._lock = hold(self.vault, self.settings)
        try:
            model = ModelState(self._profile)
            self._served = Served(self.settings, self.vault, ensure_token(self.settings), model)
            self._served.events.attach(asyncio.get_running_loop())
            await self._listen(self._served)
            self._announce()
        except BaseException:
            await self.stop()
            raise
        self._loading = asyncio.create_task(self._load(self._served))

    async def _listen(self, served: Served) -> None:
        self._listener = Listener(served)
        try:
            self.url = await self._listener.open(self.settings.port)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                raise PortTaken(_who_has(self.settings), hint="Choose another with --port.") from error
            raise

    def _announce(self) -> None:
        """Tell the plugin and the command line where this vault is served."""
        record = {"url": self.url, "pid": os.getpid(), "vault": str(self.vault), "version": __version__}
        write_private(self._record_path, json.dumps(record))

    async def _load(self, served: Served) -> None:
        """Open the index and the model, side by side; text is indexed while the model is made ready."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._open_index(served))
            both.create_task(self._open_model(served))
        if (embedder := served.model.embedder) is None:
            return
        served.model.profile = embedder.profile
        if embedder.profile.fingerprint != self._profile.fingerprint:
            await self._reopen_index(served, embedder.profile)
        if served.parts is not None:
            served.parts.indexer.use(embedder)

    async def _reopen_index(self, served: Served, found: Profile) -> None:
        """Open the index for the model that a server turned out to have; what was read stays."""
        parts, served.parts = served.parts, None
        if parts is not None:
            await asyncio.to_thread(parts.indexer.stop)
        self._profile = found
        await self._open_index(served)

    async def _open_index(self, served: Served) -> None:
        while served.parts is None:
            try:
                served.parts = await asyncio.to_thread(self._open, served)
            except Exception as error:  # shown in the status, and tried again: a disk can be freed
                served.error = _told(error)
                served.events.publish("state", {"state": "error", "message": served.error.detail})
                await asyncio.sleep(RETRY_S)
        served.error = None
        served.parts.indexer.start(served.parts.watcher)

    async def _open_model(self, served: Served) -> None:
        while served.model.embedder is None:
            try:
                served.model.embedder = await asyncio.to_thread(self._load_model)
                served.model.error = None
            except Exception as error:  # shown in the status; words are searched without a model
                if repr(error) != repr(served.model.error):
                    served.model.error = _told(error)
                    served.events.publish("state", {"state": "error", "message": served.model.error.detail})
                if not isinstance(self._profile.source, ServerSource) or not isinstance(error, PaiError):
                    return
                await asyncio.sleep(RETRY_S)  # a server may be started later
            finally:
                self._preparing = ""

    def _open(self, served: Served) -> Parts:
        chosen = self.settings
        # Before a server has answered for the first time, nothing is embedded.
        index = Index(self._index_dir, self._profile.fingerprint, self._profile.dimensions or 1)
        reader = Reader(chosen.note_limit_bytes, index.catalog.block_text, vault_name=self.vault.name)
        indexer = Indexer(
            self.vault,
            index,
            reader,
            exclude=chosen.exclude,
            rescan_s=chosen.rescan_s,
            on_change=self._publish,
        )
        indexer.leave_out()

        def embedder() -> EmbedsQueries | None:
            return served.model.embedder

        searcher = Searcher(self.vault, index, embedder)
        return Parts(
            index=index,
            reader=reader,
            indexer=indexer,
            watcher=Watcher(self.vault, IgnoreRules.of(self.vault, chosen.exclude), indexer.hint),
            searcher=searcher,
            related=Related(self.vault, index, searcher, reader),
            answerer=Answerer(searcher, embedder, self._generator),
        )

    def _load_model(self) -> Embedder | RemoteEmbedder:
        def say(step: str, share: float) -> None:
            self._preparing = f"Preparing {self._profile.name}: {step} {share:.0%}"

        self._preparing = f"Loading {self._profile.name}"
        if isinstance(self._profile.source, ServerSource):
            if self._remote is None:
                own = self.settings.models_file
                self._remote = RemoteEmbedder(self._profile, self.settings.cache_dir, own=own)
            return self._remote.greet()
        chosen = self.settings
        choice = choose(
            self._profile,
            chosen.cache_dir,
            provider=chosen.provider,
            precision=chosen.precision,
            threads=chosen.threads,
            progress=say,
        )
        return Embedder(
            choice.prepared,
            provider=choice.provider,
            threads=chosen.threads,
            niceness=NICENESS,
            unload_after_s=chosen.unload_after_s,
            fallback=lambda: prepare(self._profile, chosen.cache_dir, Form("fp32")),
        )

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
        if self._loading is not None:
            self._loading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loading
        if self._remote is not None:
            await asyncio.to_thread(self._remote.close)
        if self._served is not None:
            self._served.events.close()
        if self._listener is not None:
            await self._listener.close()
        if self._served is not None and self._served.parts is not None:
            await asyncio.to_thread(self._served.parts.indexer.stop)
        if self._served is not None and self._served.model.embedder is not None:
            await asyncio.to_thread(self._served.model.embedder.close)
        if self._generator is not None:
            await self._generator.close()
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


def hold(vault: Path, settings: Settings) -> filelock.BaseFileLock:
    """Return the lock of a vault's index, held. Raises VaultHeld, naming who has it, or DiskFull."""
    folder = settings.index_dir(vault)
    lock = filelock.FileLock(folder / "lock", timeout=0)
    try:
        private_folder(folder)
        lock.acquire()
    except filelock.Timeout:
        record = _read_record(settings, vault)
        raise VaultHeld(
            f"The vault {vault} is already served by the daemon with process id {record.get('pid', '?')} "
            f"at {record.get('url', 'an unknown address')}.",
            hint="Use that one, or stop it first with Ctrl-C in its terminal.",
        ) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"The disk that holds {folder} is full.", hint="Free some space.") from error
        raise IndexUnavailable(
            f"The folder {folder} cannot be written: {error.strerror}.", hint="Check its permissions."
        ) from error
    return lock


def _read_record(settings: Settings, vault: Path) -> dict[str, Any]:
    records = daemon_records(settings)
    return next((record for record in records if Path(record["vault"]).resolve() == vault.resolve()), {})


def _who_has(settings: Settings) -> str:
    port = settings.port
    for record in daemon_records(settings):
        # A daemon that was killed leaves its record behind.
        alive = isinstance(pid := record.get("pid"), int) and psutil.pid_exists(pid)
        if alive and str(record["url"]).endswith(f":{port}"):
            return f"Port {port} is in use by the daemon that serves {record.get('vault')}."
    return f"Port {port} is in use by another program."
