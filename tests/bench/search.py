"""Search while nothing else runs: the whole query, its legs, and the raw limit of each, by size of the index.

Chunks are real; where more are wanted than the vault has, the words of its notes are mixed, and vectors are
random.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from pai_daemon.context.filters import EVERYTHING
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.passage import Mode
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import ModelName
from pai_daemon.context.vectors import Floats, VectorMatrix
from pai_daemon.models.embedder import Embedder
from tests.bench.bench import indexed, load_model, measured_apart
from tests.bench.data import vault
from tests.bench.made import Written, at_least, copies, make_index, random_vectors, read_notes
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
CHUNKS = (1_000, 10_000, 100_000)
# So many are in no index yet when the upkeep is about to come.
FRESH_CHUNKS = 1_000
TOP = 20
BULK_QUERIES = 200
BULK_RATIO = 3
PRODUCTS = 30
OPENINGS = 3
WRITES = 7
OPEN_MS = 150
WORDS_MS = 10
HYBRID_RATIO = 1.3
WRITE_MS = 20
WRITE_GROWTH = 1.3
WINDOW_RATIO = 2


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
        rows.append(_bulk_row(size, source, ready.indexer, searcher, p95))
    sizes = MATRIX_ROWS[:1] if quick else MATRIX_ROWS
    rows += [_matrix_row(count, embedder.dimensions) for count in sizes]
    return rows + _size_rows(scratch, read_notes(source), CHUNKS[:1] if quick else CHUNKS, embedder)


def _bulk_row(what: str, vault: Path, indexer: Indexer, searcher: Searcher, idle_ms: float) -> Row:
    """Return the p95 of hybrid search while new notes are taken in and embedded; idle_ms: without them."""
    for number, note in enumerate(sorted(vault.rglob("*.md"))):
        text = note.read_text("utf-8").replace("the ", f"the{number} ")
        (vault / f"Bulk {number}.md").write_text(text, "utf-8")
    indexer.request()
    while indexer.status().state != "indexing":
        time.sleep(0.01)
    taken: list[float] = []
    while indexer.status().state == "indexing" and len(taken) < BULK_QUERIES:
        query = QUERIES[len(taken) % len(QUERIES)]
        taken.append(_ms(lambda query=query: searcher.search(query)))  # type: ignore[misc]
    p95, name = _percentile(taken, 95), f"{what}: hybrid during a bulk index, p95 of {len(taken)}"
    holds = p95 <= BULK_RATIO * idle_ms
    return Row(name, p95, "ms", "idle, p95", idle_ms, f"<= {BULK_RATIO} of it", holds)


def _times(call: Callable[[str], object]) -> list[float]:
    for query in QUERIES:
        call(query)
    return [_ms(lambda query=query: call(query)) for query in QUERIES * ROUNDS]  # type: ignore[misc]


def _ms(call: Callable[[], object]) -> float:
    started_s = time.perf_counter()
    call()
    return (time.perf_counter() - started_s) * 1000


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


def _size_rows(scratch: Path, notes: list[Written], sizes: Sequence[int], embedder: Embedder) -> list[Row]:
    """Return what depends on the size of the index: opening, the legs, and writing."""
    rows: list[Row] = []
    model = ModelName.of(embedder.profile)
    least_ms = 0.0
    for chunks in sizes:
        folder, what = scratch / f"made-{chunks}", f"{chunks:,} chunks"
        make_index(folder, notes, chunks, model)
        rows += _open_rows(folder, model, what)
        index = Index(folder, model)
        index.use(embedder)
        fresh = list(at_least(FRESH_CHUNKS, copies(notes, "New")))
        index.commit(fresh)
        keys = [key for note, _ in fresh for key in note.vector_keys]
        index.add_vectors(index.live, keys, random_vectors(len(keys), model.dimensions)[::-1])
        rows += _leg_rows(scratch, index, what)
        one_ms = float(np.median([_ms(lambda: index.commit(fresh[:1])) for _ in range(WRITES)]))  # noqa: B023
        many_ms = float(np.median([_ms(lambda: index.commit(fresh[:50])) for _ in range(WRITES)]))  # noqa: B023
        least_ms = least_ms or one_ms
        holds = one_ms <= WRITE_MS and one_ms <= WRITE_GROWTH * least_ms
        target = f"<= {WRITE_MS}, <= {WRITE_GROWTH} of it"
        rows += [
            Row(f"{what}: replacing one note", one_ms, "ms", f"{sizes[0]:,} chunks", least_ms, target, holds),
            Row(
                f"{what}: replacing 50 notes in one window",
                many_ms,
                "ms",
                "one note",
                one_ms,
                f"<= {WINDOW_RATIO} of it",
                many_ms <= WINDOW_RATIO * one_ms,
            ),
        ]
    return rows


def _open_rows(folder: Path, model: ModelName, what: str) -> list[Row]:
    """Return opening and the first query in a process of its own, beyond its imports, and its memory."""
    runs = [measured_apart(OPENING, str(folder), json.dumps(asdict(model))) for _ in range(OPENINGS)]
    open_ms, first_ms, mebibytes = (float(np.median([run[n] for run in runs])) for n in range(3))
    whole_ms = open_ms + first_ms
    return [
        Row(f"{what}: opening, without imports", open_ms, "ms"),
        Row(
            f"{what}: opening and first query", whole_ms, "ms", "", None, f"<= {OPEN_MS}", whole_ms <= OPEN_MS
        ),
        Row(f"{what}: memory then, beyond imports", mebibytes, "MiB"),
    ]


# Prints opening and first query in ms, and what they added to the resident memory in MiB.
OPENING = """
import json, sys, time
from pathlib import Path
import lancedb, pandas, psutil
from pai_daemon.context.index import Index
from pai_daemon.context.indexer import Indexer
from pai_daemon.context.search import Searcher
from pai_daemon.context.space import ModelName
from tests.bench.made import random_vectors
before = psutil.Process().memory_info().rss
model = ModelName(**json.loads(sys.argv[2]))
started_s = time.perf_counter()
index = Index(Path(sys.argv[1]), model)
opened_s = time.perf_counter()
searcher = Searcher(Path(sys.argv[1]), index)
searcher.nearest(index.space, random_vectors(1, model.dimensions)[0], 100)
searcher.search("how do I repeat a task every week", mode="text")
found_s = time.perf_counter()
grown = (psutil.Process().memory_info().rss - before) / 2**20
print(json.dumps([(opened_s - started_s) * 1000, (found_s - opened_s) * 1000, grown]))
"""


def _leg_rows(scratch: Path, index: Index, what: str) -> list[Row]:
    """Return the legs of a search and the whole of it, while FRESH_CHUNKS rows are in no index yet."""
    what = f"{what} and {FRESH_CHUNKS:,} fresh"
    searcher, matrix, words = Searcher(scratch, index), index.live.matrix, index.store.chunks
    every = matrix.get(list(matrix))
    if (reading := words.vocabulary.renew()) is not None:
        reading.join()  # the first search begins it
    ours, bare = [], []
    for row in range(PRODUCTS):
        ours.append(_ms(lambda query=every[row]: matrix.search(query, TOP)))  # type: ignore[misc]
        bare.append(_ms(lambda query=every[row]: every @ query))  # type: ignore[misc]
    near_ms, bare_ms = _percentile(ours, 50), _percentile(bare, 50)
    text_ms = _percentile(_times(lambda query: words.search(query, TOP, EVERYTHING)), 50)
    modes: tuple[Mode, ...] = ("text", "semantic", "hybrid")
    whole = {
        mode: _percentile(_times(lambda query, mode=mode: searcher.search(query, mode=mode)), 50)  # type: ignore[misc]
        for mode in modes
    }
    slower_ms = max(whole["text"], whole["semantic"])
    return [
        Row(
            f"{what}: best {TOP} vectors, p50",
            near_ms,
            "ms",
            "numpy product",
            bare_ms,
            "<= 1.5 of it, or 1 ms",
            near_ms <= max(1.5 * bare_ms, 1.0),
        ),
        Row(
            f"{what}: best {TOP} by words, p50",
            text_ms,
            "ms",
            "",
            None,
            f"<= {WORDS_MS}",
            text_ms <= WORDS_MS,
        ),
        Row(
            f"{what}: hybrid, p50",
            whole["hybrid"],
            "ms",
            "the slower leg alone",
            slower_ms,
            f"<= {HYBRID_RATIO} of it",
            whole["hybrid"] <= HYBRID_RATIO * slower_ms,
        ),
    ]
