"""What every bench needs of the product: the model loaded, a vault indexed in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pai_daemon.config import load
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.reading import Reader
from pai_daemon.context.space import EmbeddingModel, ModelName
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.vault.ignore import IgnoreRules
from pai_daemon.vault.watch import Watcher
from tests.bench.report import ROOT


def load_model(name: str) -> Embedder:
    """Return a loaded embedder of the user's cache."""
    settings = load()
    return Embedder(prepare(profile(name), settings.cache_dir), threads=settings.threads)


@dataclass(slots=True)
class Indexed:
    """A vault with its index, and how long the first index took."""

    index: Index
    indexer: Indexer
    first_text_s: float
    read_s: float
    whole_s: float


@contextmanager
def indexed(vault: Path, folder: Path, embedder: EmbeddingModel) -> Iterator[Indexed]:
    """Index a vault as the daemon does, and keep watching it."""
    index = Index(folder, ModelName.of(embedder.profile))
    indexer = Indexer(vault, index, Reader(2**21, index.catalog.block_text), rescan_s=3600)
    started_s = time.perf_counter()
    indexer.use(embedder)
    indexer.start(Watcher(vault, IgnoreRules.of(vault), indexer.hint))
    first_text_s = read_s = 0.0
    while True:
        status = indexer.status()
        elapsed_s = time.perf_counter() - started_s
        first_text_s = first_text_s or (elapsed_s if len(index.catalog) else 0.0)
        if not read_s and status.progress is not None and status.progress.phase == "embedding":
            read_s = elapsed_s
        if status.state == "ready":
            break
        if status.state in ("error", "held"):
            raise RuntimeError(status.message)
        time.sleep(0.02)
    try:
        yield Indexed(index, indexer, first_text_s, read_s or first_text_s, time.perf_counter() - started_s)
    finally:
        indexer.stop()


def measured_apart(script: str, *arguments: str) -> Any:
    """Return the JSON that a script prints in a process of its own, where nothing is imported yet."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)
