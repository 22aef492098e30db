"""Batches cover every window once within the budget, and windows become texts again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pai_daemon.models.batches import fitting, join, pad, plan


@given(st.lists(st.integers(1, 512), max_size=60), st.integers(1, 2_048))
def test_plan_covers_every_input_once_within_the_budget(lengths: list[int], budget: int) -> None:
    """Each input is in one batch; a batch of several costs no more than the budget, padded."""
    batches = plan(lengths, budget)
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[number] for number in batch) <= budget


@given(st.lists(st.integers(1, 512), min_size=1, max_size=60))
def test_plan_pads_no_more_than_the_order_forces(lengths: list[int]) -> None:
    """Batches are of falling length, so no batch mixes the longest with the shortest."""
    ordered = [lengths[number] for batch in plan(lengths, 1_024) for number in batch]
    assert ordered == sorted(lengths, reverse=True)


def test_pad_masks_exactly_the_real_tokens() -> None:
    """Ids stand at the left, and the mask is 1 where they are."""
    ids, mask = pad([np.array([5, 6, 7], np.int32), np.array([8], np.int32)])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_join_averages_windows_by_their_tokens() -> None:
    """A window of three tokens counts three times as much as one of one, and the length is 1."""
    windows = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    joined = join(windows, counts=[1, 2], lengths=[4, 3, 1])
    expected = np.array([3, 1]) / np.sqrt(10)
    assert np.allclose(joined, [[1, 0], expected])


@pytest.mark.parametrize(
    ("tokens", "seconds", "most", "expected"),
    [(1024, 0.06, 1024, 1024), (1024, 0.4, 1024, 256), (512, 0.1, 1024, 512), (1024, 0.01, 16_384, 10_240)],
)
def test_budget_is_what_a_query_may_wait_for(tokens: int, seconds: float, most: int, expected: int) -> None:
    """A slower machine gets smaller batches, a faster one up to the most that is of use."""
    assert fitting(tokens, seconds, most) == expected
