"""What the Obsidian plugin costs the app, in headless Chromium: size, loading, and work on the main thread.

Work is what its own code, and what that calls of the browser, does in one piece; the longest piece of each
round, and of the rounds the median (D75).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.report import ROOT, Row

MAX_BYTES = 150_000
MAX_LOAD_MS = 20.0
MAX_PIECE_MS = 16.0
MAX_KEY_MS = 50.0


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the figures. scratch, model: not needed; the daemon of this bench is scripted."""
    sizes = (5, 3, 20) if quick else (25, 7, 100)
    names = ("PAI_BENCH_LOADS", "PAI_BENCH_ROUNDS", "PAI_BENCH_KEYS")
    told = {name: str(size) for name, size in zip(names, sizes, strict=True)}
    found = _measured(told)
    note = f"a note of {found['note_bytes'] // 1000} kB"
    pieces = (
        (f"longest work at opening {note}", "opening_ms", MAX_PIECE_MS),
        (f"longest work while writing in {note}", "writing_ms", MAX_PIECE_MS),
        (f"longest work at linking all mentions of {note}", "linking_ms", MAX_PIECE_MS),
        ("longest work while typing a search", "searching_ms", MAX_KEY_MS),
    )
    return [
        _held("size of main.js", found["size_bytes"] / 1000, "kB", MAX_BYTES / 1000),
        _held(f"loading, median of {found['loads']}", found["load_ms"], "ms", MAX_LOAD_MS),
        Row("loading, worst", found["load_worst_ms"], "ms"),
        *(_held(what, found[key], "ms", most) for what, key, most in pieces),
    ]


def _held(what: str, value: float, unit: str, most: float) -> Row:
    return Row(what, value, unit, target=f"≤ {most:g}", holds=value <= most)


def _measured(told: dict[str, str]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("Node.js is needed: scripts/test says where to get it")
    done = subprocess.run(
        [node, str(ROOT / "tests" / "e2e" / "plugin.bench.mjs")],
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
