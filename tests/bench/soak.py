"""Kills, two writers and a whole sync: the index always opens, and ends as one that is made anew.

The reference is an index that is made of the same vault in a folder of its own.
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import psutil

from pai_daemon.config import load
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.models.registry import profile
from tests.bench.bench import Indexed, indexed, load_model
from tests.bench.data import SAMPLE_VAULT
from tests.bench.report import Row
from tests.bench.save import RandomVectors
from tests.daemon_process import DaemonProcess, Folders
from tests.operations import Row as Chunk
from tests.operations import operate, rows_of, two_writers

KILLS = 200
QUICK_KILLS = 8
OPERATIONS_A_KILL = 40
KILLS_A_COMPARISON = 20
OPERATIONS = 100_000
QUICK_OPERATIONS = 1_000
OPERATIONS_A_COMPARISON = 500
LIMIT_S = 300.0
SOON_S = 60.0


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return how many restarts failed and how many comparisons differed; a seed makes a run repeatable."""
    writing = _two_writers(scratch / "writers", QUICK_OPERATIONS if quick else OPERATIONS, model)
    return [*writing, *_kills(scratch / "kills", QUICK_KILLS if quick else KILLS, model)]


def _two_writers(scratch: Path, operations: int, model: str) -> list[Row]:
    """Let two writers change a vault; compare again and again, without a restart in between."""
    vault = scratch / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    differing = 0
    rounds = operations // OPERATIONS_A_COMPARISON
    before = psutil.Process().memory_info().rss
    with load_model(model) as embedder, indexed(vault, scratch / "index", embedder) as live:
        for part in range(rounds):
            two_writers(vault, part, OPERATIONS_A_COMPARISON)
            with indexed(vault, scratch / "anew", RandomVectors(embedder)) as anew:
                expected = rows_of(anew.index)
            shutil.rmtree(scratch / "anew")
            differing += not _becomes(live, expected)
        grown = (psutil.Process().memory_info().rss - before) / 2**20
    what = f"two writers, {operations:,} operations"
    return [
        Row(
            f"{what}: differing from an index made anew",
            differing,
            f"of {rounds} comparisons",
            target="0",
            holds=not differing,
        ),
        Row(f"{what}: memory of all of it, model included", grown, "MiB"),
    ]


def _becomes(live: Indexed, expected: set[Chunk]) -> bool:
    """Return whether the index soon holds these chunks; so many removals are confirmed as a person would."""
    until_s = time.monotonic() + SOON_S
    while rows_of(live.index) != expected:
        if time.monotonic() > until_s:
            return False
        live.indexer.request(confirm_removals=True)
        time.sleep(0.2)
    return True


def _kills(scratch: Path, kills: int, model: str) -> list[Row]:
    """Kill a daemon at random instants while notes change."""
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


def _anew(vault: Path, home: Path, environ: dict[str, str], model: str) -> set[Chunk]:
    """Return the chunks of an index that is made anew."""
    with DaemonProcess(vault, Folders(home, load().cache_dir), environ=environ) as daemon:
        return _settled(daemon, model)


def _settled(daemon: DaemonProcess, model: str) -> set[Chunk]:
    """Return path, ordinal, text and span of every chunk, once all is done; the daemon is ended."""
    if not daemon.is_running():
        daemon.start()
    daemon.ready(LIMIT_S)
    daemon.client.index(confirm_removals=True)
    daemon.ready(LIMIT_S)
    daemon.terminate()
    folder = daemon.folders.settings.index_dir(daemon.vault)
    return rows_of(Index(folder, ModelName.of(profile(model))))
