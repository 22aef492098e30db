"""Which windows go through the model together, and how their embeddings become a text's. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.tokens import Ids

Longs = NDArray[np.int64]
# What a query may wait for, and between what the budget of a batch may lie. Measured on a CPU with e5: 1,024
# tokens at once are 1 % faster than 512, but of a slice of real notes 7 % are padding then, rather than 2 %;
# 256 are 15 % slower, and 2,048 take twice as long and 90 MB more.
BATCH_S = 0.1
LEAST_TOKENS, MOST_TOKENS, MOST_ACCELERATED = 256, 512, 16_384


def fitting(tokens: int, seconds: float, most: int) -> int:
    """Return the budget whose batch takes BATCH_S at the speed of one that was run, padding included."""
    return int(np.clip(tokens / max(seconds, 1e-6) * BATCH_S, LEAST_TOKENS, most))


def plan(lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
    """Return batches of input numbers, longest first, so that little is padded.

    The cost of a padded batch is its longest input × its count; an oversize input goes alone.
    Longest first also brings the peak of memory at the start of a job rather than at its end.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    batches = []
    while order:
        # In falling order the first is the longest, so the count is a division.
        count = max(1, min(len(order), budget_tokens // max(lengths[order[0]], 1)))
        batches.append(order[:count])
        order = order[count:]
    return batches


def pad(windows: Sequence[Ids]) -> tuple[Longs, Longs]:
    """Return ids and mask of windows side by side: both (batch, longest) int64, mask 1 = real."""
    longest = max(len(window) for window in windows)
    ids = np.zeros((len(windows), longest), np.int64)
    mask = np.zeros((len(windows), longest), np.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return ids, mask


def join(embeddings: Floats, counts: Sequence[int], lengths: Sequence[int]) -> Floats:
    """Return one embedding a text: the mean of its windows by their tokens, scaled to length 1.

    embeddings: (windows, width) float32 in the order of the texts. counts: windows of each text.
    lengths: tokens of each window. Returns (texts, width) float32.
    """
    if len(counts) == len(embeddings):
        return embeddings
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    weighted = embeddings * np.asarray(lengths, np.float32)[:, None]
    sums = np.add.reduceat(weighted, starts, axis=0)
    joined: Floats = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
    return joined
