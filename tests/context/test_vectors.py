"""Exact search over the embeddings in memory."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context import vectors as module
from pai_daemon.context.vectors import Floats, VectorMatrix


def _unit(rows: int, dimensions: int = 8, seed: int = 1) -> Floats:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _matrix(rows: int) -> tuple[VectorMatrix, Floats]:
    matrix, vectors = VectorMatrix(8), _unit(rows)
    matrix.add([f"k{row}" for row in range(rows)], vectors)
    return matrix, vectors


@given(rows=st.integers(1, 60), limit=st.integers(1, 80))
def test_search_equals_the_sorted_product(rows: int, limit: int) -> None:
    """The best keys and their cosines are those of the whole matrix product."""
    matrix, vectors = _matrix(rows)
    query = _unit(1, seed=2)[0]
    found = matrix.search(query, limit)
    expected = np.sort(vectors @ query)[::-1][:limit]
    assert [score for _, score in found] == pytest.approx(expected.tolist(), abs=1e-6)
    assert all(vectors[int(key[1:])] @ query == pytest.approx(score, abs=1e-6) for key, score in found)


@given(rows=st.integers(0, 60), limits=st.lists(st.integers(1, 80), min_size=1, max_size=4))
def test_queries_asked_at_once_find_what_each_finds_alone(rows: int, limits: list[int]) -> None:
    """However many blocks there are and rows are in the cache, each query has its own answer."""
    matrix = VectorMatrix(8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_ROWS", 7)
        patch.setattr(module, "CACHED_ROWS", 3)
        matrix.add([f"k{row}" for row in range(rows)], _unit(rows))
        queries = _unit(len(limits), seed=2)
        found = matrix.search_each(queries, limits)
    for query, limit, each in zip(queries, limits, found, strict=True):
        alone = matrix.search(query, limit)
        assert [key for key, _ in each] == [key for key, _ in alone]
        assert [score for _, score in each] == pytest.approx([score for _, score in alone], abs=1e-6)


def test_search_with_allowed_keys_returns_only_those() -> None:
    """A filter is applied before ranking, so that a rare folder still fills the list."""
    matrix, _ = _matrix(50)
    found = matrix.search(_unit(1, seed=3)[0], 5, allowed={"k7", "k8", "absent"})
    assert {key for key, _ in found} == {"k7", "k8"}


def test_search_of_an_empty_matrix_finds_nothing() -> None:
    """Before anything is embedded a search is empty, not an error."""
    assert VectorMatrix(8).search(_unit(1)[0], 5) == []


def test_added_key_keeps_its_first_vector() -> None:
    """A key that is written again after a crash changes nothing."""
    matrix, vectors = _matrix(3)
    matrix.add(["k1", "k3"], _unit(2, seed=9))
    assert len(matrix) == 4
    assert np.array_equal(matrix.get(["k1"])[0], vectors[1])


def test_key_twice_in_one_add_is_one_vector() -> None:
    """Equal chunks of one window share their vector."""
    matrix = VectorMatrix(8)
    matrix.add(["a", "a"], _unit(2))
    assert len(matrix.search(_unit(1)[0], 10)) == 1


def test_keep_drops_the_others_and_search_still_works() -> None:
    """After a sweep only wanted keys are found."""
    matrix, _ = _matrix(20)
    matrix.keep({"k3", "k19"})
    assert {key for key, _ in matrix.search(_unit(1)[0], 10)} == {"k3", "k19"}
    assert "k4" not in matrix


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 99), max_size=30)),
        st.tuples(st.just("keep"), st.lists(st.integers(0, 99), max_size=60)),
        st.tuples(st.just("reserve"), st.just([0] * 13)),
    ),
    max_size=12,
)


@given(steps=_STEPS, allowed=st.none() | st.lists(st.integers(0, 120), unique=True))
def test_vectors_in_many_blocks_are_searched_as_one_matrix(
    steps: list[tuple[str, list[int]]], allowed: list[int] | None
) -> None:
    """However vectors came and went, keys, vectors and cosines are those of a plain table of them."""
    every, query, known = _unit(100), _unit(1, seed=2)[0], dict[str, Floats]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_ROWS", 7)
        matrix = VectorMatrix(8)
        for step, numbers in steps:
            keys = [f"k{number}" for number in numbers]
            if step == "add":
                matrix.add(keys, every[numbers])
                known |= {key: every[int(key[1:])] for key in keys if key not in known}
            elif step == "keep":
                matrix.keep(set(keys))
                known = {key: vector for key, vector in known.items() if key in keys}
            else:
                matrix.reserve(len(numbers))
    assert list(matrix) == list(known)
    backwards = list(known)[::-1]
    expected = np.array([known[key] for key in backwards], np.float32).reshape(-1, 8)
    assert np.array_equal(matrix.get(["absent", *backwards]), expected)
    among = None if allowed is None else [f"k{number}" for number in allowed]
    scores = {key: float(vector @ query) for key, vector in known.items() if among is None or key in among}
    best = sorted(scores.values(), reverse=True)[:9]
    found = matrix.search(query, 9, among)
    assert [score for _, score in found] == pytest.approx(best, abs=1e-6)
    assert all(scores[key] == pytest.approx(score, abs=1e-6) for key, score in found)


def test_search_while_vectors_come_and_go_is_exact() -> None:
    """A search beside the writer finds each key with its own cosine."""
    every, query = _unit(3000), _unit(1, seed=2)[0]
    matrix, done = VectorMatrix(8), threading.Event()

    def write() -> None:
        for start in range(0, 3000, 10):
            matrix.add([f"k{row}" for row in range(start, start + 10)], every[start : start + 10])
            if start % 50 == 0:
                matrix.keep({f"k{row}" for row in range(start // 2, start)})
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        for key, score in matrix.search(query, 10):
            assert every[int(key[1:])] @ query == pytest.approx(score, abs=1e-6)
    writer.join()
