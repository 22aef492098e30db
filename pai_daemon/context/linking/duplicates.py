"""Notes that say nearly the same, by MinHash over their words: no model, and no pair is compared in vain.

Broder 1997, "On the resemblance and containment of documents": the share of equal minima of random hashes
estimates how many of their runs of words two notes have in common. Only notes that agree in a whole band of
minima are compared exactly (Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pai_daemon.notes.forms import words_of

# So many words in a row are one thing; a shorter note says too little to be the copy of another.
RUN_WORDS = 3
MIN_RUNS = 6
# A pair of this likeness is found with 1 - (1 - .8 ** ROWS) ** BANDS = .9998.
BANDS, ROWS = 20, 4
ALIKE = 0.8
# Of a template that a hundred notes are made from each is told beside so many others.
MAX_BAND = 50
MAX_WORDS = 20_000
_PRIME = np.uint64((1 << 61) - 1)

Hashes = NDArray[np.uint64]


class Duplicates:
    """Takes in notes one by one, and then tells which are alike."""

    def __init__(self) -> None:
        drawn = np.random.default_rng(1)
        self._factors: Hashes = drawn.integers(1, 1 << 29, BANDS * ROWS, np.uint64)
        self._shifts: Hashes = drawn.integers(0, 1 << 60, BANDS * ROWS, np.uint64)
        self._runs: dict[str, NDArray[np.uint32]] = {}
        self._bands: dict[tuple[int, bytes], list[str]] = {}

    def add(self, path: str, text: str) -> None:
        """Take in a note. text: without frontmatter."""
        forms = [word.form for word in words_of(text[: 12 * MAX_WORDS]) if word.form.isalnum()]
        joined = (" ".join(forms[at : at + RUN_WORDS]) for at in range(len(forms) - RUN_WORDS + 1))
        runs = np.unique(
            np.fromiter((zlib.crc32(run.encode("utf-8", "replace")) for run in joined), np.uint32)
        )
        if len(runs) < MIN_RUNS:
            return
        self._runs[path] = runs
        hashed = (runs.astype(np.uint64)[:, None] * self._factors + self._shifts) % _PRIME
        minima = hashed.min(axis=0).reshape(BANDS, ROWS)
        for band, values in enumerate(minima):
            self._bands.setdefault((band, values.tobytes()), []).append(path)

    def pairs(self) -> Iterator[tuple[str, str, float]]:
        """Yield the pairs of notes that are alike, with the share of runs that they have in common."""
        seen: set[tuple[str, str]] = set()
        for paths in self._bands.values():
            for pair in combinations(paths[:MAX_BAND], 2):
                if pair not in seen:
                    seen.add(pair)
                    likeness = self._likeness(*pair)
                    if likeness >= ALIKE:
                        yield (*pair, likeness)

    def _likeness(self, a: str, b: str) -> float:
        shared = len(np.intersect1d(self._runs[a], self._runs[b], assume_unique=True))
        return shared / (len(self._runs[a]) + len(self._runs[b]) - shared)
