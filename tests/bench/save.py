"""From a save on disk until the new words are found, through the real watcher."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pai_daemon.context.search import Searcher
from pai_daemon.vault.watch import QUIET_S
from tests.bench.bench import indexed, load_model
from tests.bench.data import vault
from tests.bench.report import Row

LIMIT_S = 30.0
TARGET_MS = 2000.0


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return p50 and p95 of save → searchable by words and by meaning, and of the work in it."""
    embedder = load_model(model)
    source, name = vault("vault-tasks-docs-en", scratch)
    if quick:
        for note in sorted(source.rglob("*.md"))[40:]:
            note.unlink()
    notes = sorted(source.rglob("*.md"))
    by_words: list[float] = []
    by_meaning: list[float] = []
    with indexed(source, scratch / "index", embedder) as ready:
        searcher = Searcher(source, ready.index, lambda: embedder, embedder.profile.semantic_weight)
        chunks = ready.index.catalog.chunk_count()
        for number in range(10 if quick else 40):
            note = notes[number % len(notes)]
            word = f"zq{number}xv"
            started_s = time.perf_counter()
            with note.open("a", encoding="utf-8") as file:
                file.write(f"\n\n## Saved {number}\n\nThe word of this save is {word}.\n")
            _wait(lambda word=word: bool(searcher.search(word, mode="text").results))  # type: ignore[misc]
            by_words.append((time.perf_counter() - started_s) * 1000)
            path = note.relative_to(source).as_posix()
            _wait(lambda path=path, number=number: _is_embedded(searcher, path, number))  # type: ignore[misc]
            by_meaning.append((time.perf_counter() - started_s) * 1000)
    settle_ms = QUIET_S * 1000
    rows = []
    for what, taken in (("by words", by_words), ("by meaning", by_meaning)):
        for percent in (50, 95):
            value = float(np.percentile(taken, percent))
            rows.append(
                Row(
                    f"{name}, {chunks:,} chunks: save → searchable {what}, p{percent}",
                    value,
                    "ms",
                    "settle time",
                    settle_ms,
                    "< 2000" if percent == 95 else "",
                    value < TARGET_MS if percent == 95 else None,
                )
            )
    return rows


def _is_embedded(searcher: Searcher, path: str, number: int) -> bool:
    found = searcher.search(f"The word of save {number}", mode="semantic", limit=100).results
    return any(passage.path == path and f"Saved {number}" in passage.text for passage in found)


def _wait(look: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + LIMIT_S
    while not look():
        if time.perf_counter() > deadline:
            raise TimeoutError("the save was not found within 30 s")
        time.sleep(0.005)
