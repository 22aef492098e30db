"""Between which values the inputs of a model's dense layers lie, so that they are quantised alike everywhere.

A range taken from each batch would let a text's embedding depend on the texts beside it. For the bundled
models the ranges were measured once on many texts (`tests/bench/ranges.py`) and lie in `ranges.json`; for
others they are taken from the probes when the model is prepared. What lies outside is cut off (D37).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_FILE = Path(__file__).with_name("ranges.json")
# Of the batches, in percent. Measured on XQuAD: 25 is better than 10 and 50 and than each batch's own range.
SHARE = 25
DYNAMIC = "DynamicQuantizeLinear"


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


def known_ranges(model: str) -> Sequence[Range] | None:
    """Return the ranges of a model's dense layers, in the order of the graph; None if they are unknown."""
    known = json.loads(_FILE.read_text("utf-8")).get(model)
    return None if known is None else [Range(low, high) for low, high in known]


def show(graph: Path) -> list[str]:
    """Let a graph also give the step and the zero of each range it takes from a batch; return their names.

    The names alternate, in the order of the graph. Weights that lie beside the graph are left alone.
    """
    model = onnx.load(str(graph), load_external_data=False)
    names = []
    for node in model.graph.node:
        if node.op_type == DYNAMIC:
            for output, kind in ((node.output[1], TensorProto.FLOAT), (node.output[2], TensorProto.UINT8)):
                model.graph.output.append(helper.make_tensor_value_info(output, kind, []))
                names.append(output)
    graph.write_bytes(model.SerializeToString())
    return names


def narrow(seen: Iterable[Sequence[Any]]) -> list[Range]:
    """Return the range of each layer's input that a quarter of all batches keep within, at each end.

    seen: for each batch the values of the outputs that `show` named.
    """
    low_rows, high_rows = [], []
    for found in seen:
        steps, zeros = np.array(found[::2], np.float64), np.array(found[1::2], np.float64)
        low_rows.append(-zeros * steps)
        high_rows.append((255 - zeros) * steps)
    lows = np.percentile(np.stack(low_rows), 100 - SHARE, axis=0)
    highs = np.percentile(np.stack(high_rows), SHARE, axis=0)
    return [Range(round(float(low), 4), round(float(high), 4)) for low, high in zip(lows, highs, strict=True)]


def fix(graph: Path, ranges: Sequence[Range]) -> None:
    """Let a graph quantise within these ranges, in its order, rather than within those of each batch.

    Raises ValueError where the graph has another number of them.
    """
    model = onnx.load(str(graph), load_external_data=False)
    dynamic = [node for node in model.graph.node if node.op_type == DYNAMIC]
    for node, found in zip(dynamic, ranges, strict=True):
        value, step, zero = node.output
        model.graph.initializer.append(numpy_helper.from_array(np.array(found.step, np.float32), step))
        model.graph.initializer.append(numpy_helper.from_array(np.array(found.zero, np.uint8), zero))
        node.CopyFrom(
            helper.make_node("QuantizeLinear", [node.input[0], step, zero], [value], name=node.name)
        )
    graph.write_bytes(model.SerializeToString())
