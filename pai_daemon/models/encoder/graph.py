"""An ONNX graph that embeds, while it is being written.

Nothing holds the whole model: each large tensor goes straight into a file of weights beside the graph,
which ONNX Runtime maps (resident only where touched: of a 96 MB word table, the rows in use). The word
table is int8 by row in every precision: the cosine to float32 is .9996. Sources: Reimers & Gurevych 2019
section 3 for the pooling, the ONNX operator reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.registry import Pooling

OPSET = 20
CONTRIB = "com.microsoft"
# Windows maps files at multiples of 64 KiB, other systems at pages of 4 or 16 KiB.
ALIGNMENT = 65_536
EXTERNAL_FROM_BYTES = 65_536
ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class Form:
    """How a graph computes. precision: of the dense layers and what lies between them.

    standard: only operators of the ONNX standard, for execution providers that know no others.
    """

    precision: Literal["int8", "fp16", "fp32"]
    standard: bool = False

    @property
    def name(self) -> str:
        """Return a short name, fit for a folder."""
        return f"{self.precision}-standard" if self.standard else self.precision


class Graph:
    """Collects nodes and tensors; large tensors go straight into the file of weights."""

    def __init__(self, file: BinaryIO, location: str, form: Form) -> None:
        self._file = file
        self._location = location
        self.form = form
        self.float_type = np.float16 if form.precision == "fp16" else np.float32
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def node(self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node and return its output's name; several outputs are `name_0`, `name_1` and on."""
        name = f"{operator}_{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, domain=domain, **attributes))
        return name

    def named(self, output: str, operator: str, *inputs: str, **attributes: Any) -> None:
        """Add a node whose output is one of the graph's."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))

    def floats(self, name: str, values: Floats) -> str:
        """Add a constant in the graph's floating-point type."""
        return self.tensor(name, values.astype(self.float_type))

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

    def words(
        self,
        shape: tuple[int, int],
        table: Callable[[int, int], Floats],
        report: Callable[[float], None],
    ) -> str:
        """Add the word table, int8 by row; return the name of the rows of `input_ids`, fp32.

        Also adds the constants `axis_0`, `axis_1` and `axis_2`. table: from a first and a last row to the
        rows between, (rows, width) float32. report: called with the part done.
        """
        count, width = shape
        steps: list[Floats] = []

        def blocks() -> Iterable[NDArray[np.int8]]:
            for start in range(0, count, ROWS_AT_ONCE):
                stop = min(start + ROWS_AT_ONCE, count)
                rows, scales = quantise_rows(table(start, stop))
                steps.append(scales)
                report(stop / count)
                yield rows

        self.stream("words", np.dtype(np.int8), (count, width), blocks())
        self.tensor("word_scales", np.concatenate(steps))
        for number in (0, 1, 2):
            self.tensor(f"axis_{number}", np.array([number], np.int64))
        rows = self.node("Cast", self.node("Gather", "words", "input_ids"), to=TensorProto.FLOAT)
        return self.node("Mul", rows, self.node("Gather", "word_scales", "input_ids"))

    def pool(self, hidden: str, pooling: Pooling) -> None:
        """Add the pooling over real tokens and the scaling to length 1, in fp32."""
        if self.form.precision == "fp16":
            hidden = self.node("Cast", hidden, to=TensorProto.FLOAT)
        if pooling == "first":
            self.tensor("first", np.array(0, np.int64))
            pooled = self.node("Gather", hidden, "first", axis=1)
        elif pooling == "mean":
            mask = self.node("Cast", "attention_mask", to=TensorProto.FLOAT)
            mask = self.node("Unsqueeze", mask, "axis_2")
            total = self.node("ReduceSum", self.node("Mul", hidden, mask), "axis_1", keepdims=0)
            pooled = self.node("Div", total, self.node("ReduceSum", mask, "axis_1", keepdims=0))
        else:
            raise ValueError(f"no encoder of this family pools the {pooling} state")
        self.named("embedding", "LpNormalization", pooled, axis=-1, p=2)

    def save(self, path: Path, width: int) -> None:
        """Write the graph; width: of its embeddings."""
        tokens = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
        model = helper.make_model(
            helper.make_graph(self.nodes, "encoder", tokens, [embedding], self.tensors),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=9,
            producer_name="pai-daemon",
        )
        with path.open("wb") as file:
            file.write(model.SerializeToString())
        onnx.checker.check_model(str(path), full_check=False)


def quantise_rows(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return symmetric int8 rows and what one step of each is worth.

    rows: (n, width) float32 → (n, width) int8 in -127 to 127, and (n, 1) float32.
    """
    scales = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)
    scales[scales == 0] = 1
    return np.rint(rows / scales).astype(np.int8), scales.astype(np.float32)
