"""Embeddings that have outgrown the memory are found on disk as they were in it (D60)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.context import embeddings as module
from pai_daemon.context import vector_index
from pai_daemon.context.embeddings import Embeddings
from pai_daemon.context.index import Index
from pai_daemon.context.space import ModelName
from pai_daemon.context.store.store import Store
from pai_daemon.context.vector_index import VectorIndex
from pai_daemon.context.vectors import Floats, VectorMatrix, Vectors
from pai_daemon.errors import IndexUnavailable

WIDTH = 64
MODEL = ModelName("model", "f1", WIDTH, "model")
COUNT = 3000
TOP = 20


def clustered(count: int, seed: int) -> Floats:
    """Return vectors of length 1 that lie together in fifty places, as texts on some subjects do."""
    chance = np.random.default_rng(seed)
    places = np.random.default_rng(0).standard_normal((50, WIDTH), np.float32)
    vectors: Floats = places[chance.integers(50, size=count)]
    vectors += 0.5 * chance.standard_normal((count, WIDTH), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def keys_of(count: int, prefix: str = "k") -> list[str]:
    """Return so many keys, some with characters that end a literal."""
    return [f"{prefix}'{number}" for number in range(count)]


KEYS, VECTORS = keys_of(COUNT), clustered(COUNT, 1)
QUERIES = clustered(25, 2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with embeddings."""
    store = Store(tmp_path / "index")
    store.vectors("f1").add(KEYS, VECTORS)
    return store


@pytest.fixture
def grown(store: Store, monkeypatch: pytest.MonkeyPatch) -> Embeddings:
    """Return embeddings that have outgrown the memory."""
    monkeypatch.setattr(module, "MATRIX_BYTES", VECTORS.nbytes - 1)
    embeddings = Embeddings(MODEL, store.vectors("f1"), KEYS)
    assert embeddings.is_exact
    assert embeddings.outgrow()
    return embeddings


def exact(keys: Sequence[str], vectors: Floats) -> VectorMatrix:
    """Return the matrix that finds what is nearest for certain."""
    matrix = VectorMatrix(WIDTH)
    matrix.add(keys, vectors)
    return matrix


def recall(found: Vectors, truth: Vectors, allowed: Sequence[str] | None = None) -> float:
    """Return which share of the nearest are found; what is found has its true cosine."""
    shares = []
    for query in QUERIES:
        nearest = dict(truth.search(query, TOP, allowed))
        known = dict(truth.search(query, COUNT * 2, allowed))
        mine = found.search(query, TOP, allowed)
        assert [score for _, score in mine] == sorted((score for _, score in mine), reverse=True)
        assert all(score == pytest.approx(known[key], abs=1e-5) for key, score in mine)
        shares.append(len(nearest.keys() & dict(mine).keys()) / len(nearest))
    return float(np.mean(shares))


def test_what_is_nearest_is_found_on_disk(grown: Embeddings) -> None:
    """Recall of the twenty nearest is at least .98, and their order is by the exact cosine."""
    assert not grown.is_exact
    assert recall(grown.matrix, exact(KEYS, VECTORS)) >= 0.98


@pytest.mark.parametrize("share", [1, 2, 10, 100, 600])
@pytest.mark.parametrize("most", [0, vector_index.MAX_RANKED])
def test_filter_is_kept_to_and_fills_the_list(
    grown: Embeddings, share: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few may be returned, and whichever way is taken, the best of them are."""
    monkeypatch.setattr(vector_index, "MAX_RANKED", most)
    allowed = KEYS[::share]
    assert recall(grown.matrix, exact(KEYS, VECTORS), allowed) >= 0.98
    assert len(grown.matrix.search(QUERIES[0], TOP, allowed)) == min(TOP, len(allowed))
    assert grown.matrix.search(QUERIES[0], TOP, []) == []
    assert grown.matrix.search(QUERIES[0], TOP, ["unknown"]) == []


def test_queries_asked_at_once_are_answered_on_disk_too(grown: Embeddings) -> None:
    """Each query has the answer that it has alone."""
    found = grown.matrix.search_each(QUERIES[:2], [3, TOP])
    assert found == [grown.matrix.search(QUERIES[0], 3), grown.matrix.search(QUERIES[1], TOP)]


def test_fresh_vectors_are_found_at_once_and_gone_ones_no_more(grown: Embeddings, store: Store) -> None:
    """What no index knows yet is searched with the rest, before and after upkeep."""
    more, vectors = keys_of(500, "m"), clustered(500, 3)
    grown.add(more, vectors)
    gone, left = KEYS[:1000], KEYS[1000:]
    grown.table.remove(gone)
    grown.matrix.keep({*left, *more})
    truth = exact([*left, *more], np.concatenate([VECTORS[1000:], vectors]))
    assert (len(grown.matrix), KEYS[0] in grown.matrix, more[0] in grown.matrix) == (2500, False, True)
    assert recall(grown.matrix, truth) >= 0.98
    store.tidy()
    assert grown.table.is_indexed
    assert recall(grown.matrix, truth) >= 0.98


def test_vectors_are_returned_in_the_order_asked_for(grown: Embeddings) -> None:
    """As a matrix does, those that are known."""
    asked = [KEYS[7], "unknown", KEYS[2]]
    np.testing.assert_array_equal(grown.matrix.get(asked), VECTORS[[7, 2]])
    assert grown.matrix.get([]).shape == (0, WIDTH)


def test_next_start_searches_on_disk_and_reads_no_vector(grown: Embeddings) -> None:
    """The keys are read, and what is missing is known."""
    again = Embeddings(MODEL, grown.table, [*KEYS, "new"])
    assert isinstance(again.matrix, VectorIndex)
    assert list(again.matrix) == KEYS
    assert list(again.missing) == ["new"]


def test_shrunk_embeddings_are_held_in_memory_again(
    grown: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact search comes back once there is room for it twice over."""
    monkeypatch.setattr(module, "MATRIX_BYTES", VECTORS.nbytes * 3)
    again = Embeddings(MODEL, grown.table, KEYS)
    assert again.is_exact
    assert not grown.table.is_indexed
    assert recall(again.matrix, exact(KEYS, VECTORS)) == 1


def test_what_went_for_good_is_in_no_file_and_the_rest_stays_indexed(grown: Embeddings) -> None:
    """The table is written anew without it."""
    grown.rewrite(KEYS[:2000])
    assert list(grown.table) == KEYS[:2000]
    assert grown.table.is_indexed
    assert recall(grown.matrix, exact(KEYS[:2000], VECTORS[:2000])) >= 0.98


def test_slow_machine_searches_on_disk_earlier(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is not the only reason: exact search may be too slow, where there are many."""
    embeddings = Embeddings(MODEL, store.vectors("f1"), KEYS)
    monkeypatch.setattr(module, "SLOW_S", 0.0)
    assert not embeddings.outgrow()
    monkeypatch.setattr(module, "SLOW_ROWS", COUNT)
    assert embeddings.outgrow()


def test_queries_go_on_while_embeddings_move(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The space that answers changes its way to search at upkeep, a borrowed one keeps its own."""
    del store
    monkeypatch.setattr(module, "MATRIX_BYTES", 0)
    index = Index(tmp_path / "index", MODEL)
    monkeypatch.setattr(module, "SWEEP_MINIMUM", COUNT)  # nothing uses these embeddings
    with index.borrow() as space:
        index.tidy()
        assert isinstance(space.matrix, VectorMatrix)
        assert recall(index.space.matrix, space.matrix) >= 0.98
    assert isinstance(index.space.matrix, VectorIndex)
    index.tidy()
    assert isinstance(index.space.matrix, VectorIndex)


def test_damaged_index_of_vectors_is_told_and_mended(grown: Embeddings, store: Store, tmp_path: Path) -> None:
    """Its files are made anew from the vectors themselves."""
    del grown, store
    for path in (tmp_path / "index" / "tables" / "vectors-f1.lance" / "_indices").rglob("*.idx"):
        path.write_bytes(b"")
    store = Store(tmp_path / "index")  # with nothing of it in memory
    table = store.vectors("f1")
    with pytest.raises(IndexUnavailable):
        table.nearest(QUERIES[0], TOP)
    assert store.needs_mending
    store.mend()
    assert recall(VectorIndex(table, iter(KEYS)), exact(KEYS, VECTORS)) >= 0.98
