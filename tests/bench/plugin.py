"""What the Obsidian plugin costs the app, in headless Chromium: size, loading, and work on the main thread."""

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
    told = {"PAI_BENCH_LOADS": "5" if quick else "25", "PAI_BENCH_KEYS": "20" if quick else "100"}
    found = _measured(told)
    note = f"a note of {found['note_bytes'] // 1000} kB"
    pieces = (
        (f"longest work at opening {note}", "opening_ms", MAX_PIECE_MS),
        (f"longest work while writing in {note}", "writing_ms", MAX_PIECE_MS),
        (f"longest work at linking all mentions of {note}", "linking_ms", MAX_PIECE_MS),
        ("longest work while typing a search", "searching_ms", MAX_KEY_MS),
    )
    return [
        Row("size of main.js", found["size_bytes"] / 1000, "kB", **_held(found["size_bytes"] / 1000, MAX_BYTES / 1000)),
        Row(f"loading, median of {found['loads']}", found["load_ms"], "ms", **_held(found["load_ms"], MAX_LOAD_MS)),
        Row("loading, worst", found["load_worst_ms"], "ms"),
        *(Row(what, found[key], "ms", **_held(found[key], most)) for what, key, most in pieces),
    ]


def _held(value: float, most: float) -> dict[str, Any]:
    return {"target": f"≤ {most:g}", "holds": value <= most}


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
