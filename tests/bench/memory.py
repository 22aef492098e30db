"""Memory by part, and whether it or the index on disk grows with edits and queries.

The reference of the index on disk is one that a second daemon makes of the same notes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from pai_daemon.config import load
from tests.bench.bench import measured_apart
from tests.bench.data import vault as unpacked
from tests.bench.report import Row
from tests.daemon_process import DaemonProcess, Folders

ROUNDS = 100
QUICK_ROUNDS = 5
# Edits and queries a round; those of a round are taken in together, as when several notes are saved at once.
PER_ROUND = 10
# The caches of the libraries fill up during these; what grows later is a leak.
WARM_ROUNDS = 50
QUICK_WARM_ROUNDS = 3
GROWTH, DISK = 1.05, 1.5
LIMIT_S = 1800.0
# An idle daemon that has enough to tidy does so after 30 s, gives freed memory back, and goes on until all is
# done; a few commits may wait longer, and weigh little.
TIDIED_S = 110.0
# A vault of many notes, whose daemon should stay small.
MANY_NOTES, IDLE_MIB, PEAK_MIB = 10_000, 350, 700
MIB = 2**20

# Each part is what it adds to the process, in the order in which the daemon needs them.
_PARTS = """
import json, sys
import psutil
def rss(): return psutil.Process().memory_info().rss
at = [rss()]
import pai_daemon.daemon
at.append(rss())
from pathlib import Path
from pai_daemon.config import load
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from pai_daemon.models.tokens import WindowTokenizer
chosen = profile(sys.argv[1])
index = Index(Path(sys.argv[2]), ModelName.of(chosen))
at.append(rss())
prepared = prepare(chosen, load().cache_dir)
tokenizer = WindowTokenizer(prepared.tokenizer, chosen.max_tokens)
at.append(rss())
del tokenizer
model = Embedder(prepared, threads=2)
model.embed_query("how the heron came to the river")
at.append(rss())
print(json.dumps(at))
"""


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return RSS by part, idle, at its peak and after the edits and queries, and the index's size.

    A quick run does not wait for upkeep, so what it says of growth is held against no target.
    """
    notes, name = unpacked("vault-tasks-docs-en", scratch)
    environ = {"PAI_MODEL": model, "PAI_THREADS": str(load().threads), "MALLOC_ARENA_MAX": "2"}
    rounds, warm_rounds = (QUICK_ROUNDS, QUICK_WARM_ROUNDS) if quick else (ROUNDS, WARM_ROUNDS)
    tidied_s = 0.0 if quick else TIDIED_S
    choose = random.Random(5)
    with DaemonProcess(notes, Folders(scratch / "home", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        process = psutil.Process(daemon.pid)
        peak = peak_bytes(process)
        daemon.terminate()
        daemon.start()
        chunks = daemon.ready(LIMIT_S)["chunks"]
        idle = _rss_bytes(daemon)
        for number in range(warm_rounds):
            _round(daemon, notes, choose, number)
        time.sleep(tidied_s)
        warm = _rss_bytes(daemon)
        for number in range(warm_rounds, rounds + warm_rounds):
            _round(daemon, notes, choose, number)
        time.sleep(tidied_s)
        after = _rss_bytes(daemon)
        grown = daemon.status()["disk"]["index_bytes"]
        daemon.terminate()
        parts = _parts(model, daemon)
    with DaemonProcess(notes, Folders(scratch / "fresh", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        time.sleep(tidied_s)
        fresh = daemon.status()["disk"]["index_bytes"]
    large = [] if quick else _large_rows(scratch, environ)
    what = f"{name}, {chunks:,} chunks"
    done = f"after {rounds * PER_ROUND:,} edits and as many queries"
    return [
        *(Row(f"memory of {part}", size / MIB, "MiB") for part, size in parts.items()),
        Row(f"{what}: memory at the peak of the first index", peak / MIB if peak else None, "MiB"),
        Row(f"{what}: memory after a start, idle", idle / MIB, "MiB"),
        Row(f"{what}: memory {done}", after / MIB, "MiB", "idle", idle / MIB),
        Row(
            f"{what}: memory {done}",
            after / MIB,
            "MiB",
            f"after the first {warm_rounds * PER_ROUND}",
            warm / MIB,
            f"<= {GROWTH} of it",
            None if quick else after <= GROWTH * warm,
        ),
        Row(
            f"{what}: index on disk {done}",
            grown / MIB,
            "MiB",
            "an index made anew",
            fresh / MIB,
            f"<= {DISK} of it",
            None if quick else grown <= DISK * fresh,
        ),
        *large,
    ]


def _large_rows(scratch: Path, environ: Mapping[str, str]) -> list[Row]:
    """Return the memory of a daemon with many notes: at the peak of its first index, and idle later."""
    notes, name = unpacked("vault-zettelkasten-en", scratch)
    for note in sorted(notes.rglob("*.md"))[MANY_NOTES:]:
        note.unlink()
    with DaemonProcess(notes, Folders(scratch / "large", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        peak = peak_bytes(psutil.Process(daemon.pid))
        daemon.terminate()
        daemon.start()
        status = daemon.ready(LIMIT_S)
        time.sleep(TIDIED_S)
        idle = _rss_bytes(daemon)
    what = f"{name}, {status['notes']:,} notes, {status['chunks']:,} chunks"
    return [
        Row(
            f"{what}: memory at the peak of the first index",
            peak / MIB if peak else None,
            "MiB",
            target=f"<= {PEAK_MIB}",
            holds=peak <= PEAK_MIB * MIB if peak else None,
        ),
        Row(
            f"{what}: memory after a start, idle",
            idle / MIB,
            "MiB",
            target=f"<= {IDLE_MIB}",
            holds=idle <= IDLE_MIB * MIB,
        ),
    ]


def _round(daemon: DaemonProcess, vault: Path, choose: random.Random, number: int) -> None:
    """Change some notes, ask some questions, and wait until all is taken in."""
    notes = sorted(vault.rglob("*.md"))
    word = f"zq{number}xv"
    for note in choose.sample(notes, PER_ROUND):
        paragraphs = note.read_text("utf-8").split("\n\n")
        place = choose.randrange(len(paragraphs))
        if choose.random() < 0.5 and len(paragraphs) > 3:
            del paragraphs[place]
        else:
            paragraphs.insert(place, f"A thought of round {number} on {choose.choice(notes).stem}.")
        note.write_text("\n\n".join([*paragraphs, word]), "utf-8")
        daemon.client.search(f"what is said of {choose.choice(notes).stem} and {number}")
    daemon.finds(word, within_s=60)
    daemon.ready(60)


def _rss_bytes(daemon: DaemonProcess) -> int:
    """Return the memory of the daemon's process in bytes."""
    rss_bytes: int = psutil.Process(daemon.pid).memory_info().rss
    return rss_bytes


def peak_bytes(process: psutil.Process) -> int | None:
    """Return the most memory that a process has had; None where the system does not say."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


def _parts(model: str, daemon: DaemonProcess) -> dict[str, int]:
    """Return what each part adds to a process, in bytes."""
    folder = daemon.folders.settings.index_dir(daemon.vault)
    bare, libraries, store, tokenizer, whole = measured_apart(_PARTS, model, str(folder))
    return {
        "Python": bare,
        "libraries": libraries - bare,
        "index": store - libraries,
        "tokenizer": tokenizer - store,
        "model": whole - tokenizer,
    }
