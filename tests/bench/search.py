"""Search while nothing else runs: the whole query, its legs, and the raw limit of each.

Chunks are real; where more are wanted than the vault has, their vectors are repeated with noise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pai_daemon.context.search import Searcher
from pai_daemon.context.vectors import Floats, VectorMatrix
from tests.bench.bench import indexed, load_model
from tests.bench.data import vault
from tests.bench.report import Row

QUERIES = (
    "how do I repeat a task every week",
    "hide the backlink",
    "custom statuses and their symbols",
    "what changed in the last release",
    "filter tasks by due date before today",
    "group by folder and heading",
    "urgency score",
    "why does my query show nothing",
)
ROUNDS = 5
MATRIX_ROWS = (10_000, 100_000)


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return p50 and p95 of search by mode, and of the matrix by size."""
    embedder = load_model(model)
    source, name = vault("vault-tasks-docs-en", scratch)
    if quick:
        for note in sorted(source.rglob("*.md"))[40:]:
            note.unlink()
    with indexed(source, scratch / "index", embedder) as ready:
        searcher = Searcher(source, ready.index)
        size = f"{name}, {len(ready.index.space.matrix):,} chunks"
        alone = _times(embedder.embed_query)
        rows = [Row(f"{size}: embedding a query, p50", _percentile(alone, 50), "ms")]
        for mode in ("text", "semantic", "hybrid"):
            taken = _times(lambda query, mode=mode: searcher.search(query, mode=mode))  # type: ignore[misc]
            p50, p95 = _percentile(taken, 50), _percentile(taken, 95)
            rows.append(Row(f"{size}: {mode}, p50", p50, "ms", "embedding a query", _percentile(alone, 50)))
            wanted = "< 100" if mode == "hybrid" else ""
            rows.append(
                Row(f"{size}: {mode}, p95", p95, "ms", "", None, wanted, p95 < 100 if wanted else None)
            )
    sizes = MATRIX_ROWS[:1] if quick else MATRIX_ROWS
    return rows + [_matrix_row(count, embedder.dimensions) for count in sizes]


def _times(call: Callable[[str], object]) -> list[float]:
    for query in QUERIES:
        call(query)
    taken = []
    for query in QUERIES * ROUNDS:
        started_s = time.perf_counter()
        call(query)
        taken.append((time.perf_counter() - started_s) * 1000)
    return taken


def _percentile(taken: Sequence[float], percent: float) -> float:
    return float(np.percentile(taken, percent))


def _matrix_row(count: int, dimensions: int) -> Row:
    """Return the matrix's exact search of the best 100, against the bare numpy product."""
    vectors: Floats = np.random.default_rng(1).normal(size=(count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    matrix = VectorMatrix(dimensions)
    matrix.add([str(row) for row in range(count)], vectors)
    ours, bare = [], []
    for row in range(30):
        started_s = time.perf_counter()
        matrix.search(vectors[row], 100)
        middle_s = time.perf_counter()
        vectors @ vectors[row]
        ours.append((middle_s - started_s) * 1000)
        bare.append((time.perf_counter() - middle_s) * 1000)
    return Row(
        f"matrix of {count:,} synthetic vectors, best 100, p50",
        _percentile(ours, 50),
        "ms",
        "numpy product",
        _percentile(bare, 50),
        "<= 1.5 of it",
        _percentile(ours, 50) <= 1.5 * _percentile(bare, 50),
    )
