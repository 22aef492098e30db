"""Embeds texts with one tool in a process of its own: `peer.py TOOL MODEL TEXTS OUTPUT`.

MODEL is a profile's name for ours, the model's folder for others. TEXTS is a file with a JSON list. The
tool's version is printed once it is loaded. Each line of standard input, a JSON object, then asks for one
run: `batch` is how many texts go together, null as the tool does by itself; `count` is how many of the
texts, null for all. It is answered with `seconds`; a run over all also writes OUTPUT, float32 rows. This
runs in the tool's own environment, so it imports nothing that is not there.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

THREADS = 2
Embed = Callable[[list[str], int | None], Any]


def _pai(model: str) -> Embed:
    from pai_daemon.config import load
    from pai_daemon.models.embedder import Embedder
    from pai_daemon.models.prepare import prepare
    from pai_daemon.models.registry import profile

    embedder = Embedder(prepare(profile(model), load().cache_dir), threads=THREADS)
    return lambda texts, _batch: embedder.embed_texts(texts)


def _fastembed(folder: str) -> Embed:
    from fastembed import TextEmbedding  # type: ignore[import-not-found,unused-ignore]
    from fastembed.common.model_description import (  # type: ignore[import-not-found,unused-ignore]
        ModelSource,
        PoolingType,
    )

    TextEmbedding.add_custom_model(
        model="peer/model",
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf="peer/model"),
        dim=384,
        model_file="onnx/model.onnx",
    )
    model = TextEmbedding("peer/model", threads=THREADS, specific_model_path=folder)
    return lambda texts, batch: list(model.embed(texts, **({"batch_size": batch} if batch else {})))


def _sentence_transformers(folder: str) -> Embed:
    import torch  # type: ignore[import-not-found,unused-ignore]
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found,unused-ignore]

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(folder, device="cpu", local_files_only=True)
    return lambda texts, batch: model.encode(texts, **({"batch_size": batch} if batch else {}))


TOOLS = {"pai-daemon": _pai, "fastembed": _fastembed, "sentence-transformers": _sentence_transformers}


def main(tool: str, model: str, source: str, output: str) -> None:
    """Answer one run after another until standard input ends."""
    # What a library prints is no answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    texts = json.loads(Path(source).read_text("utf-8"))
    embed = TOOLS[tool](model)
    print(json.dumps({"version": importlib.metadata.version(tool)}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        some = texts[: asked["count"]]
        started_s = time.perf_counter()
        embeddings = embed(some, asked["batch"])
        seconds = time.perf_counter() - started_s
        if asked["count"] is None:
            Path(output).write_bytes(np.asarray(embeddings, "<f4").tobytes())
        print(json.dumps({"seconds": seconds}), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
