"""Writes a table of static embeddings as an ONNX graph: a text's embedding is the mean of its tokens' rows.

The checkpoint is model2vec's: `embeddings` (tokens, width), for newer ones also `mapping` from a token to
its row and `weights` by token. Source: the documentation of MinishLab's model2vec.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pai_daemon.models.encoder.checkpoint import Safetensors
from pai_daemon.models.encoder.graph import Form, Graph
from pai_daemon.models.encoder.weights import Floats


def write_static(weights: Path, graph_path: Path, report: Callable[[float], None] = lambda _: None) -> Path:
    """Write the graph and, beside it, its file of weights; return the latter.

    Raises ModelUnavailable when the checkpoint holds no such table, OSError when the disk refuses.
    """
    source = Safetensors(weights)
    try:
        table = source.tensor("embeddings" if "embeddings" in source else "embedding.weight")
        data_path = graph_path.with_name("weights.bin")
        rows = source.integers("mapping") if "mapping" in source else np.arange(len(table))
        factors = source.tensor("weights") if "weights" in source else np.ones(len(rows), np.float32)

        def words(start: int, stop: int) -> Floats:
            scaled: Floats = table[rows[start:stop]] * factors[start:stop, None]
            return scaled

        with data_path.open("wb") as file:
            graph = Graph(file, data_path.name, Form("fp32"))
            graph.pool(graph.words((len(rows), table.shape[1]), words, report), "mean")
        graph.save(graph_path, table.shape[1])
    finally:
        source.close()
    return data_path
