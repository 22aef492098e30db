"""A start on an unchanged vault until the first answered search, against what no start can do without.

The reference is the sum of importing the libraries, walking the vault with stat and loading the model, each
timed in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pai_daemon.config import load
from pai_daemon.errors import VaultUnavailable
from tests.bench.bench import measured_apart
from tests.bench.report import Row
from tests.daemon_process import DaemonProcess, Folders

NOTES = 10_000
QUICK_NOTES = 500
TIMES = 3
LIMIT_S = 1800.0
QUERY = "how the heron number 7 came to the river"

# Timed where nothing is imported yet; the model's own time is without that of the imports before it.
_LEAST = """
import json, os, sys, time
started = time.perf_counter()
import aiohttp.web, click, frontmatter, lancedb, markdown_it, onnxruntime, psutil, pyarrow, rich.console
import sentencepiece, tokenizers, watchdog.observers
imports_s = time.perf_counter() - started
from tests.bench.bench import load_model
started = time.perf_counter()
load_model(sys.argv[1])
load_s = time.perf_counter() - started
started = time.perf_counter()
sum(entry.stat().st_size for entry in os.scandir(sys.argv[2]))
print(json.dumps([imports_s, load_s, time.perf_counter() - started]))
"""


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the seconds until a search by words and one by meaning are answered, and what was read."""
    count = QUICK_NOTES if quick else NOTES
    vault = scratch / "vault"
    vault.mkdir()
    for number in range(count):
        text = f"The heron number {number} stands in the river.\n"
        (vault / f"Note {number}.md").write_text(text, "utf-8")
    environ = {"PAI_MODEL": model, "PAI_THREADS": str(load().threads)}
    with DaemonProcess(vault, Folders(scratch / "home", load().cache_dir), environ=environ) as daemon:
        daemon.ready(LIMIT_S)
        taken = []
        for _ in range(TIMES):
            daemon.terminate()
            taken.append(_until_answered(daemon))
        work = daemon.status()["work"]
    least = [sum(_least(model, vault)) for _ in range(TIMES)]
    what = f"start on {count:,} unchanged notes: first search"
    least_s = min(least)
    by_words, by_meaning = (min(times) for times in zip(*taken, strict=True))
    reference = "imports, model and walk alone"
    return [
        Row(f"{what} by words", by_words, "s", reference, least_s),
        Row(
            f"{what} by words and meaning",
            by_meaning,
            "s",
            reference,
            least_s,
            "<= 1.5 of it",
            by_meaning <= 1.5 * least_s,
        ),
        Row("notes read by the start", work["notes_read"], "notes", target="0", holds=not work["notes_read"]),
        Row(
            "chunks embedded by the start",
            work["chunks_embedded"],
            "chunks",
            target="0",
            holds=not work["chunks_embedded"],
        ),
    ]


def _until_answered(daemon: DaemonProcess) -> tuple[float, float]:
    """Start the daemon; return the seconds until a search by words is answered, and one by both legs."""
    started_s = time.perf_counter()
    daemon.start()
    by_words = 0.0
    while True:
        found: Mapping[str, Any] = {}
        with suppress(VaultUnavailable):  # while the index opens
            found = daemon.client.search(QUERY)
        taken_s = time.perf_counter() - started_s
        if found.get("results"):
            by_words = by_words or taken_s
            if "semantic" in found["stages"]:
                return by_words, taken_s
        if taken_s > LIMIT_S:
            raise TimeoutError("no search was answered")
        time.sleep(0.01)


def _least(model: str, vault: Path) -> list[float]:
    """Return the seconds of the imports, the model and the walk."""
    taken: list[float] = measured_apart(_LEAST, model, str(vault))
    return taken
