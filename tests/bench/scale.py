"""Search among more embeddings than are held in memory: the index on disk, against the product in memory.

Embeddings are real ones of a vault, mixed in pairs, with noise.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pai_daemon.context import embeddings as sizes
from pai_daemon.context.embeddings import Embeddings
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.store import Store
from pai_daemon.context.vectors import Floats
from tests.bench.bench import load_model, measured_apart
from tests.bench.data import vault
from tests.bench.made import mixed_vectors, read_notes
from tests.bench.report import Row

COUNT, QUICK_COUNT = 400_000, 20_000
TEXTS, QUICK_TEXTS = 1_000, 100
WINDOW = 50_000
QUERIES = 40
FRESH = 1_000
TOP = 20
RECALL = 0.98
SEARCH_MS = 50
OPENINGS = 3


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return what the move to disk takes, recall and time with and without a filter, and an opening."""
    count, texts = (QUICK_COUNT, QUICK_TEXTS) if quick else (COUNT, TEXTS)
    if quick:
        sizes.MATRIX_BYTES = 0
    embedder = load_model(model)
    source, _ = vault("vault-tasks-docs-en", scratch)
    contents = [chunk.content for _, chunks in read_notes(source) for chunk in chunks][:texts]
    real = embedder.embed_texts(contents, urgent=False)
    name = ModelName.of(embedder.profile)
    vectors = np.concatenate(
        [mixed_vectors(real, min(WINDOW, count - start), start) for start in range(0, count, WINDOW)]
    )
    keys = [f"{row:064x}" for row in range(count)]
    store = Store(scratch / "index")
    table = store.vectors(name.fingerprint)
    for start in range(0, count, WINDOW):
        table.add(keys[start : start + WINDOW], vectors[start : start + WINDOW])
    embeddings = Embeddings(name, table, keys)
    started_s = time.perf_counter()
    if not embeddings.outgrow():
        raise RuntimeError("the embeddings were to be moved to disk")
    moved_s = time.perf_counter() - started_s
    what = f"{count:,} embeddings"
    rows = [Row(f"{what}: moving them to an index on disk", moved_s, "s")]
    queries = mixed_vectors(real, QUERIES, count)
    for label, allowed in (
        ("", None),
        (" of a hundredth", keys[::100]),
        (" of a half", keys[::2]),
    ):
        rows += _search_rows(f"{what}: best {TOP}{label}", embeddings, vectors, queries, allowed)
    fresh = mixed_vectors(real, FRESH, count + 1)
    embeddings.add([f"fresh-{row}" for row in range(FRESH)], fresh)
    rows.append(_fresh_row(f"{what} and {FRESH:,} fresh", embeddings, queries, fresh))
    return rows + _open_rows(scratch / "index", name, what)


def _search_rows(
    what: str, embeddings: Embeddings, vectors: Floats, queries: Floats, allowed: Sequence[str] | None
) -> list[Row]:
    """Return recall, and the time beside that of the exact product."""
    places = np.arange(len(vectors)) if allowed is None else np.array([int(key, 16) for key in allowed])
    among = vectors if allowed is None else vectors[places]
    passing: Collection[str] | None = None if allowed is None else dict.fromkeys(allowed)
    embeddings.matrix.search(queries[0], TOP, passing)
    ours, bare, shares = [], [], []
    for query in queries:
        started_s = time.perf_counter()
        found = embeddings.matrix.search(query, TOP, passing)
        middle_s = time.perf_counter()
        scores = among @ query
        best = np.argpartition(scores, -TOP)[-TOP:]
        bare.append(time.perf_counter() - middle_s)
        ours.append(middle_s - started_s)
        shares.append(len({int(key, 16) for key, _ in found} & set(places[best].tolist())) / TOP)
    recall, ms, bare_ms = float(np.mean(shares)), *(float(np.median(each)) * 1000 for each in (ours, bare))
    return [
        Row(f"{what}, recall", recall, "", "", None, f">= {RECALL}", recall >= RECALL),
        Row(
            f"{what}, p50",
            ms,
            "ms",
            "numpy product",
            bare_ms,
            "" if allowed is not None else f"<= {SEARCH_MS}",
            None if allowed is not None else ms <= SEARCH_MS,
        ),
    ]


def _fresh_row(what: str, embeddings: Embeddings, queries: Floats, fresh: Floats) -> Row:
    """Return the time of a search while rows are in no index; each of them is found by itself."""
    lost = [row for row in range(QUERIES) if embeddings.matrix.search(fresh[row], 1)[0][0] != f"fresh-{row}"]
    if lost:
        raise RuntimeError(f"{len(lost)} fresh embeddings were not found")
    taken = []
    for query in queries:
        started_s = time.perf_counter()
        embeddings.matrix.search(query, TOP)
        taken.append((time.perf_counter() - started_s) * 1000)
    return Row(f"{what}: best {TOP}, p50", float(np.median(taken)), "ms")


def _open_rows(folder: Path, name: ModelName, what: str) -> list[Row]:
    """Return opening and the first search in a process of its own, and its memory, beyond its imports."""
    runs = [measured_apart(OPENING, str(folder), json.dumps(asdict(name))) for _ in range(OPENINGS)]
    open_ms, mebibytes = (float(np.median([run[n] for run in runs])) for n in range(2))
    return [
        Row(f"{what}: opening and first search", open_ms, "ms"),
        Row(f"{what}: memory then, beyond imports", mebibytes, "MiB"),
    ]


# Prints opening and first search in ms, and what they added to the resident memory in MiB.
OPENING = """
import json, sys, time
from pathlib import Path
import lancedb, psutil
from pai_daemon.context import embeddings as sizes
from pai_daemon.context.embeddings import Embeddings
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.store import Store
from tests.bench.made import random_vectors
sizes.MATRIX_BYTES = 0
before = psutil.Process().memory_info().rss
model = ModelName(**json.loads(sys.argv[2]))
started_s = time.perf_counter()
embeddings = Embeddings(model, Store(Path(sys.argv[1])).vectors(model.fingerprint), ())
assert not embeddings.is_exact
embeddings.matrix.search(random_vectors(1, model.dimensions)[0], 20)
taken_s = time.perf_counter() - started_s
print(json.dumps([taken_s * 1000, (psutil.Process().memory_info().rss - before) / 2**20]))
"""
