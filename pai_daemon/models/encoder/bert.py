"""Writes a BERT sentence encoder as an ONNX graph with int8 weights, tensor by tensor.

The graph takes `input_ids` and `attention_mask`, (batch, tokens) int64, and gives `embedding`,
(batch, width) float32: the mean of the last hidden states over real tokens, scaled to length 1.
Nothing holds the whole model: each tensor is quantised and appended to a file of weights, which
ONNX Runtime maps (resident only where touched: of the 96 MB word table, the rows in use).

A dense layer is QuantizeLinear → MatMulIntegerToFloat, ONNX Runtime's product of integers with scale
and bias: weights int8 symmetric by output channel, activations uint8 within the layer's measured
range (`ranges`), or where none is known within that of the batch. Query, key and value are one
product over the same quantised input. Sources: Devlin et al. 2019 for the encoder, Reimers & Gurevych
2019 section 3 for the mean, the ONNX and ONNX Runtime contrib operator references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pai_daemon.models.encoder.ranges import Range
from pai_daemon.models.encoder.weights import Floats, Weights

OPSET = 20
CONTRIB = "com.microsoft"
# Windows maps files at multiples of 64 KiB, other systems at pages of 4 or 16 KiB.
ALIGNMENT = 65_536
EXTERNAL_FROM_BYTES = 65_536
ROWS_AT_ONCE = 8_192


class _Graph:
    """Collects nodes and tensors; large tensors go straight into the file of weights."""

    def __init__(self, file: BinaryIO, location: str, ranges: Iterator[Range] | None) -> None:
        self._file = file
        self._ranges = ranges
        self._location = location
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def node(self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node and return its output's name; several outputs are `name_0`, `name_1` and on."""
        name = f"{operator}_{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, domain=domain, **attributes))
        return name

    def quantised(self, values: str) -> tuple[str, str, str]:
        """Add the quantising of values to uint8; return the names of result, step and zero."""
        if self._ranges is None:
            name = self.node("DynamicQuantizeLinear", values, outputs=3)
            return f"{name}_0", f"{name}_1", f"{name}_2"
        found = next(self._ranges)
        step = self.tensor(f"{values}.step", np.array(found.step, np.float32))
        zero = self.tensor(f"{values}.zero", np.array(found.zero, np.uint8))
        return self.node("QuantizeLinear", values, step, zero), step, zero

    def named(self, output: str, operator: str, *inputs: str, **attributes: Any) -> None:
        """Add a node whose output is one of the graph's."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))

    def tensor(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant: beside the nodes when small, else in the file of weights."""
        values = np.ascontiguousarray(values)
        if values.nbytes >= EXTERNAL_FROM_BYTES:
            return self.stream(name, values.dtype, values.shape, [values])
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def stream(
        self, name: str, dtype: np.dtype[Any], shape: Sequence[int], blocks: Iterable[NDArray[Any]]
    ) -> str:
        """Append a tensor to the file of weights, block by block."""
        self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
        start = self._file.tell()
        for block in blocks:
            self._file.write(np.ascontiguousarray(block).data)
        proto = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(dtype), dims=shape)
        proto.data_location = TensorProto.EXTERNAL
        facts = {"location": self._location, "offset": start, "length": self._file.tell() - start}
        for key, value in facts.items():
            proto.external_data.add(key=key, value=str(value))
        self.tensors.append(proto)
        return name


def quantise_rows(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return symmetric int8 rows and what one step of each is worth.

    rows: (n, width) float32 → (n, width) int8 in -127 to 127, and (n, 1) float32.
    """
    scales = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(rows / scales).astype(np.int8), scales.astype(np.float32)


def write_encoder(
    weights: Weights, graph_path: Path, report: Callable[[float], None], ranges: Sequence[Range] | None
) -> Path:
    """Write the graph and, beside it, its file of weights; return the latter.

    report: called with the part done, 0 to 1. ranges: of the dense layers' inputs, in their order; None
    takes them from each batch. Raises OSError when the disk refuses.
    """
    data_path = graph_path.with_name("weights.bin")
    sizes = weights.sizes
    with data_path.open("wb") as file:
        graph = _Graph(file, data_path.name, iter(ranges) if ranges is not None else None)
        hidden = _embed(graph, weights, report)
        mask = graph.node("Cast", "attention_mask", to=TensorProto.INT32)
        for layer in range(sizes.layers):
            hidden = _layer(graph, weights, layer, hidden, mask)
            report(0.5 + 0.5 * (layer + 1) / sizes.layers)
        _pool(graph, hidden)
    _save(graph, graph_path, sizes.width)
    return data_path


def _embed(graph: _Graph, weights: Weights, report: Callable[[float], None]) -> str:
    """Add word, position and type tables and their norm; return the first hidden state's name."""
    sizes = weights.sizes
    steps: list[Floats] = []

    def blocks() -> Iterable[NDArray[np.int8]]:
        for start in range(0, sizes.vocabulary, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, sizes.vocabulary)
            rows, scales = quantise_rows(weights.words(start, stop))
            steps.append(scales)
            report(0.5 * stop / sizes.vocabulary)
            yield rows

    graph.stream("words", np.dtype(np.int8), (sizes.vocabulary, sizes.width), blocks())
    graph.tensor("word_scales", np.concatenate(steps))
    rows = graph.node("Cast", graph.node("Gather", "words", "input_ids"), to=TensorProto.FLOAT)
    words = graph.node("Mul", rows, graph.node("Gather", "word_scales", "input_ids"))
    # Every token has type 0, so its row is added to the positions once, here.
    graph.tensor("positions", weights.tensor("position") + weights.tensor("type")[0])
    for number in (0, 1, 2):
        graph.tensor(f"axis_{number}", np.array([number], np.int64))
    length = graph.node("Slice", graph.node("Shape", "input_ids"), "axis_1", "axis_2", "axis_0")
    positions = graph.node("Slice", "positions", "axis_0", length, "axis_0")
    return _norm(graph, weights, "norm", graph.node("Add", words, positions))


def _layer(graph: _Graph, weights: Weights, layer: int, hidden: str, mask: str) -> str:
    """Add one layer: attention and feed-forward, each with its residual and norm."""
    heads = weights.sizes.heads
    projected = _dense(graph, weights, [f"{layer}.query", f"{layer}.key", f"{layer}.value"], hidden)
    parts = graph.node("Split", projected, outputs=3, axis=-1, num_outputs=3)
    inputs = [f"{parts}_0", f"{parts}_1", f"{parts}_2", "", mask]
    context = graph.node("MultiHeadAttention", *inputs, domain=CONTRIB, num_heads=heads)
    attended = _dense(graph, weights, [f"{layer}.attended"], context)
    hidden = _norm(graph, weights, f"{layer}.attended.norm", graph.node("Add", attended, hidden))
    inner = graph.node("Gelu", _dense(graph, weights, [f"{layer}.inner"], hidden))
    outer = _dense(graph, weights, [f"{layer}.outer"], inner)
    return _norm(graph, weights, f"{layer}.outer.norm", graph.node("Add", outer, hidden))


def _dense(graph: _Graph, weights: Weights, names: Sequence[str], hidden: str) -> str:
    """Add one dense layer, or several over the same input side by side."""
    matrix = np.concatenate([weights.tensor(f"{name}.weight") for name in names])
    bias = np.concatenate([weights.tensor(f"{name}.bias") for name in names])
    rows, scales = quantise_rows(matrix)
    graph.tensor(f"{names[0]}.weight", rows.T)
    graph.tensor(f"{names[0]}.scale", scales[:, 0])
    graph.tensor(f"{names[0]}.bias", bias)
    quantised, step, zero = graph.quantised(hidden)
    inputs = [quantised, f"{names[0]}.weight", step, f"{names[0]}.scale", zero, "", f"{names[0]}.bias"]
    return graph.node("MatMulIntegerToFloat", *inputs, domain=CONTRIB)


def _norm(graph: _Graph, weights: Weights, name: str, hidden: str) -> str:
    graph.tensor(f"{name}.weight", weights.tensor(f"{name}.weight"))
    graph.tensor(f"{name}.bias", weights.tensor(f"{name}.bias"))
    scale, bias = f"{name}.weight", f"{name}.bias"
    return graph.node("LayerNormalization", hidden, scale, bias, axis=-1, epsilon=weights.sizes.epsilon)


def _pool(graph: _Graph, hidden: str) -> None:
    """Add the mean over real tokens and the scaling to length 1."""
    mask = graph.node("Cast", "attention_mask", to=TensorProto.FLOAT)
    mask = graph.node("Unsqueeze", mask, "axis_2")
    total = graph.node("ReduceSum", graph.node("Mul", hidden, mask), "axis_1", keepdims=0)
    mean = graph.node("Div", total, graph.node("ReduceSum", mask, "axis_1", keepdims=0))
    graph.named("embedding", "LpNormalization", mean, axis=-1, p=2)


def _save(graph: _Graph, path: Path, width: int) -> None:
    tokens = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "encoder", tokens, [embedding], graph.tensors),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
        ir_version=9,
        producer_name="pai-daemon",
    )
    with path.open("wb") as file:
        file.write(model.SerializeToString())
    onnx.checker.check_model(str(path), full_check=False)
