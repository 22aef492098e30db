"""Kills at random instants while notes change: it always opens, and ends as an index made anew.

The reference is an index that a second daemon makes of the same vault in folders of its own.
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from pai_daemon.config import load
from pai_daemon.context.store import Store
from pai_daemon.models.registry import profile
from tests.bench.data import SAMPLE_VAULT
from tests.bench.report import Row
from tests.daemon_process import DaemonProcess, Folders
from tests.operations import operate

KILLS = 200
QUICK_KILLS = 8
OPERATIONS_A_KILL = 40
KILLS_A_COMPARISON = 20
LIMIT_S = 300.0

Chunks = set[tuple[str, int, str, int, int]]


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return how many restarts failed and how many comparisons differed; a seed makes a run repeatable."""
    kills = QUICK_KILLS if quick else KILLS
    vault = scratch / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    environ = {"PAI_MODEL": model, "PAI_THREADS": str(load().threads)}
    choose = random.Random(5)
    versions: dict[Path, bytes] = {}
    differing = failed = comparisons = 0
    with DaemonProcess(vault, Folders(scratch / "home", load().cache_dir), environ=environ) as daemon:
        for kill in range(kills):
            try:
                if not daemon.is_running():
                    daemon.start()
            except AssertionError:
                failed += 1
                continue
            until_s = time.monotonic() + choose.uniform(0.0, 2.5)
            for _ in range(OPERATIONS_A_KILL):
                operate(vault, choose, versions)
                time.sleep(max(0.0, min(0.05, until_s - time.monotonic())))
            time.sleep(max(0.0, until_s - time.monotonic()))
            daemon.kill()
            if (kill + 1) % KILLS_A_COMPARISON == 0 or kill + 1 == kills:
                comparisons += 1
                differing += _settled(daemon, model) != _anew(vault, scratch / f"anew-{kill}", environ, model)
    what = f"{kills} kills, {kills * OPERATIONS_A_KILL:,} operations"
    return [
        Row(f"{what}: starts that failed", failed, "starts", target="0", holds=not failed),
        Row(
            f"{what}: differing from an index made anew",
            differing,
            f"of {comparisons} comparisons",
            target="0",
            holds=not differing,
        ),
    ]


def _anew(vault: Path, home: Path, environ: dict[str, str], model: str) -> Chunks:
    """Return the chunks of an index that is made anew."""
    with DaemonProcess(vault, Folders(home, load().cache_dir), environ=environ) as daemon:
        return _settled(daemon, model)


def _settled(daemon: DaemonProcess, model: str) -> Chunks:
    """Return path, ordinal, text and span of every chunk, once all is done; the daemon is ended."""
    if not daemon.is_running():
        daemon.start()
    daemon.ready(LIMIT_S)
    daemon.client.index(confirm_removals=True)
    daemon.ready(LIMIT_S)
    daemon.terminate()
    chosen = profile(model)
    store = Store(daemon.folders.settings.index_dir(daemon.vault), chosen.fingerprint, chosen.dimensions)
    ids = [f"{note.path}#{ordinal}" for note in store.notes() for ordinal in range(len(note.vector_keys))]
    return {
        (chunk.path, chunk.ordinal, chunk.text, chunk.start_char, chunk.end_char)
        for chunk in store.chunks(ids).values()
    }
