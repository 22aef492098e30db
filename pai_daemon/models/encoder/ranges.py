"""Between which values the inputs of a model's dense layers lie, so that they are quantised alike everywhere.

Measured once on many texts (`tests/bench/ranges.py`) and kept in `ranges.json`: a range taken from each
batch would let a text's embedding depend on the texts beside it. What lies outside is cut off (D37).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("ranges.json")


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest value of a tensor; zero lies between them."""

    low: float
    high: float

    @property
    def step(self) -> float:
        """Return what one step of a uint8 is worth."""
        return (self.high - self.low) / 255

    @property
    def zero(self) -> int:
        """Return the uint8 that stands for zero."""
        return min(255, max(0, round(-self.low / self.step)))


def ranges_of(model: str) -> Sequence[Range] | None:
    """Return the ranges of a model's dense layers, in the order of the graph; None if they are unknown."""
    known = json.loads(_FILE.read_text("utf-8")).get(model)
    return None if known is None else [Range(low, high) for low, high in known]
