"""Exact search over the embeddings in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
