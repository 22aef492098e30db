"""Writes an encoder of the BERT family as an ONNX graph, in the precision that a machine is fast in.

The graph takes `input_ids` and `attention_mask`, (batch, tokens) int64, and gives `embedding`,
(batch, width) float32: the last hidden states of the real tokens pooled and scaled to length 1.

In int8, a dense layer is DynamicQuantizeLinear → MatMulIntegerToFloat, ONNX Runtime's product of integers
with scale and bias: weights int8 symmetric by output channel, activations uint8 within the layer's range
(see `ranges`). Query, key and value are one product over the same input. Sources: Devlin et al. 2019 for
the encoder, Vaswani et al. 2017 section 3.2 for the attention, the ONNX and ONNX Runtime contrib operator
references.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from pai_daemon.models.encoder.graph import CONTRIB, Form, Graph, quantise_rows
from pai_daemon.models.encoder.weights import Weights
from pai_daemon.models.registry import Pooling

# Added to the scores of padding; float16's lowest number is -65,504.
MASKED = -30_000.0


def write_encoder(
    weights: Weights,
    graph_path: Path,
    form: Form,
    *,
    pooling: Pooling = "mean",
    report: Callable[[float], None] = lambda _: None,
) -> Path:
    """Write the graph and, beside it, its file of weights; return the latter.

    In int8 each dense layer takes the range of its input from the batch, until `ranges.fix` is applied.
    report: called with the part done, 0 to 1. Raises OSError when the disk refuses.
    """
    data_path = graph_path.with_name("weights.bin")
    sizes = weights.sizes
    with data_path.open("wb") as file:
        graph = Graph(file, data_path.name, form)
        hidden = _embed(graph, weights, report)
        mask = _mask(graph, weights)
        for layer in range(sizes.layers):
            hidden = _layer(graph, weights, layer, hidden, mask)
            report(0.5 + 0.5 * (layer + 1) / sizes.layers)
        graph.pool(hidden, pooling)
    graph.save(graph_path, sizes.width)
    return data_path


def _embed(graph: Graph, weights: Weights, report: Callable[[float], None]) -> str:
    """Add word, position and type tables and their norm; return the first hidden state's name."""
    sizes = weights.sizes
    words = graph.words((sizes.vocabulary, sizes.width), weights.words, lambda part: report(0.5 * part))
    # Every token has type 0, so its row is added to the positions once, here.
    graph.tensor("positions", weights.tensor("position") + weights.tensor("type")[0])
    length = graph.node("Slice", graph.node("Shape", "input_ids"), "axis_1", "axis_2", "axis_0")
    positions = graph.node("Slice", "positions", "axis_0", length, "axis_0")
    hidden = _norm(graph, weights, "norm", graph.node("Add", words, positions), np.dtype(np.float32))
    if graph.form.precision == "fp16":
        return graph.node("Cast", hidden, to=TensorProto.FLOAT16)
    return hidden


def _mask(graph: Graph, weights: Weights) -> str:
    """Add what keeps attention off the padding: the mask itself, or large negative numbers there."""
    if not graph.form.standard:
        return graph.node("Cast", "attention_mask", to=TensorProto.INT32)
    graph.tensor("one", np.array(1, np.int64))
    padding = graph.node("Cast", graph.node("Sub", "one", "attention_mask"), to=TensorProto.FLOAT)
    graph.tensor("masked", np.array(MASKED, np.float32))
    graph.tensor("axes_1_2", np.array([1, 2], np.int64))
    # What attention reshapes to, and scales by.
    heads, width = weights.sizes.heads, weights.sizes.width
    graph.tensor("split", np.array([0, 0, heads, -1], np.int64))
    graph.tensor("joined", np.array([0, 0, width], np.int64))
    graph.tensor("scale", np.array((width / heads) ** -0.5, np.float32))
    return graph.node("Unsqueeze", graph.node("Mul", padding, "masked"), "axes_1_2")


def _layer(graph: Graph, weights: Weights, layer: int, hidden: str, mask: str) -> str:
    """Add one layer: attention and feed-forward, each with its residual and norm."""
    projected = _dense(graph, weights, [f"{layer}.query", f"{layer}.key", f"{layer}.value"], hidden)
    parts = graph.node("Split", projected, outputs=3, axis=-1, num_outputs=3)
    triple = [f"{parts}_0", f"{parts}_1", f"{parts}_2"]
    if graph.form.standard:
        context = _attention(graph, triple, mask)
    else:
        heads = weights.sizes.heads
        context = graph.node("MultiHeadAttention", *triple, "", mask, domain=CONTRIB, num_heads=heads)
    attended = _dense(graph, weights, [f"{layer}.attended"], context)
    hidden = _norm(graph, weights, f"{layer}.attended.norm", graph.node("Add", attended, hidden))
    inner = graph.node("Gelu", _dense(graph, weights, [f"{layer}.inner"], hidden))
    outer = _dense(graph, weights, [f"{layer}.outer"], inner)
    return _norm(graph, weights, f"{layer}.outer.norm", graph.node("Add", outer, hidden))


def _attention(graph: Graph, triple: Sequence[str], mask: str) -> str:
    """Add scaled dot-product attention over heads in operators of the standard; fp32."""
    query, key, value = (
        graph.node("Transpose", graph.node("Reshape", part, "split"), perm=order)
        for part, order in zip(triple, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    scores = graph.node("Mul", graph.node("MatMul", query, key), "scale")
    shares = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
    context = graph.node("Transpose", graph.node("MatMul", shares, value), perm=[0, 2, 1, 3])
    return graph.node("Reshape", context, "joined")


def _dense(graph: Graph, weights: Weights, names: Sequence[str], hidden: str) -> str:
    """Add one dense layer, or several over the same input side by side."""
    matrix = np.concatenate([weights.tensor(f"{name}.weight") for name in names])
    bias = np.concatenate([weights.tensor(f"{name}.bias") for name in names])
    weight, bias_name = f"{names[0]}.weight", f"{names[0]}.bias"
    graph.floats(bias_name, bias)
    if graph.form.precision != "int8":
        graph.floats(weight, matrix.T)
        return graph.node("Add", graph.node("MatMul", hidden, weight), bias_name)
    rows, scales = quantise_rows(matrix)
    graph.tensor(weight, rows.T)
    graph.tensor(f"{names[0]}.scale", scales[:, 0])
    quantised = graph.node("DynamicQuantizeLinear", hidden, outputs=3)
    value, step, zero = (f"{quantised}_{number}" for number in range(3))
    inputs = [value, weight, step, f"{names[0]}.scale", zero, "", bias_name]
    return graph.node("MatMulIntegerToFloat", *inputs, domain=CONTRIB)


def _norm(graph: Graph, weights: Weights, name: str, hidden: str, dtype: np.dtype[Any] | None = None) -> str:
    """Add a layer norm in the graph's floating-point type, or in another."""
    scale, bias = f"{name}.weight", f"{name}.bias"
    for part in (scale, bias):
        graph.tensor(part, weights.tensor(part).astype(dtype or graph.float_type))
    return graph.node("LayerNormalization", hidden, scale, bias, axis=-1, epsilon=weights.sizes.epsilon)
