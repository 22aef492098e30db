"""How notes are packed into parts, and which vectors stand for others; pure (D66)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.context.summaries.central import centres, exemplars, marginal, stood_for
from pai_daemon.context.summaries.plan import HEAD_TOKENS, PART_TOKENS, STATEMENTS_TOKENS, planned
from pai_daemon.context.summaries.scope import ScopedNote

SIZES = st.lists(st.lists(st.integers(0, 1_200), min_size=1, max_size=30).map(tuple), min_size=1, max_size=40)


def notes_of(sizes: list[tuple[int, ...]]) -> list[ScopedNote]:
    """Return notes with chunks of these sizes."""
    return [
        ScopedNote(f"{place}.md", str(place), "", tuple(f"{place}-{n}" for n in range(len(each))), each)
        for place, each in enumerate(sizes)
        if any(each)
    ]


@given(sizes=SIZES, window=st.integers(1_500, 40_000), limit=st.integers(1, 40))
def test_every_chunk_with_text_is_read_once_and_in_order(
    sizes: list[tuple[int, ...]], window: int, limit: int
) -> None:
    """No chunk is left out or read twice, and the order of the notes stays."""
    notes = notes_of(sizes)
    plan = planned(notes, window, 250, limit)
    assert [item for part in plan.parts for item in part.ids] == [item for note in notes for item in note.ids]


@given(sizes=SIZES, window=st.integers(1_500, 40_000))
def test_no_part_is_beyond_its_budget(sizes: list[tuple[int, ...]], window: int) -> None:
    """A part holds what fits, and one chunk more only where that alone does not."""
    plan = planned(notes_of(sizes), window, 250, 12)
    for part in plan.parts:
        assert part.tokens <= PART_TOKENS or len(part.ids) == 1
        assert part.tokens >= len(part.ids) * HEAD_TOKENS


@given(sizes=SIZES, window=st.integers(1_500, 8_000))
def test_each_summary_is_joined_once_and_as_soon_as_it_can_be(
    sizes: list[tuple[int, ...]], window: int
) -> None:
    """The steps are the calls but for the last, each after those it joins; few wait at any time."""
    plan = planned(notes_of(sizes), window, 250, 12)
    waiting: set[tuple[int, int]] = set()
    done = 0
    for level, at in plan.steps:
        if level:
            below = {(level - 1, place) for place in plan.joins[level - 1][at]}
            assert below <= waiting
            waiting -= below
        waiting.add((level, at))
        done += 1
        assert len(waiting) <= plan.fan * max(1, len(plan.joins))
    assert done == (plan.calls - 1 if len(plan.parts) > 1 else 0)
    if plan.joins:
        assert waiting == {(len(plan.joins) - 1, at) for at in plan.joins[-1][0]}
        assert plan.fan * STATEMENTS_TOKENS < window


def test_exemplars_are_one_of_each_cluster() -> None:
    """Of three bundles of directions, three exemplars are one of each, the largest bundle's first."""
    dice = np.random.default_rng(66)
    axes = np.eye(8, dtype=np.float32)
    rows = [axes[axis] + 0.05 * dice.standard_normal(8) for axis in (0, 0, 0, 0, 0, 1, 1, 1, 2, 2)]
    vectors = np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)
    chosen = exemplars(vectors, range(10), 3)
    assert [int(vectors[row].argmax()) for row in chosen] == [0, 1, 2]
    owner, near = stood_for(vectors, chosen)
    assert [int(place) for place in owner] == [0] * 5 + [1] * 3 + [2] * 2
    assert near.min() > 0.8
    assert exemplars(vectors, [], 3) == []
    assert len(exemplars(vectors, [4, 5], 3)) == 2


def test_marginal_leaves_out_what_repeats() -> None:
    """The second choice is not the nearest one, where that says what the first one says."""
    vectors = np.array([[1, 0, 0], [0.999, 0.04, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    relevance = np.array([0.9, 0.89, 0.5, 0.1], np.float32)
    assert marginal(relevance, vectors, 2, 0.3) == [0, 2]


def test_centres_are_means_of_length_one() -> None:
    """Each run of vectors gives its mean direction."""
    vectors = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    found = centres(vectors, [2, 1])
    assert found == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0, 1]]))
