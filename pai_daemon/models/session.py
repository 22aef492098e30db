"""Runs a graph with ONNX Runtime, on one of its execution providers. The only module that imports it.

A graph that we wrote gives embeddings. Another's gives hidden states, which are pooled here as its
profile says. Which provider and which form of a model a machine is fast with is `trial`'s question.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from pai_daemon.config import forbid_telemetry
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.batches import Longs
from pai_daemon.models.encoder.weights import Floats
from pai_daemon.models.registry import Profile

forbid_telemetry()
import onnxruntime  # noqa: E402

Provider = Literal["cuda", "coreml", "directml", "cpu"]
# What a person writes to what ONNX Runtime calls it, in the order in which they are tried.
PROVIDERS: dict[Provider, str] = {
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
VERSION: str = onnxruntime.__version__
# Of the norm of a layer, before embeddings are cut (nomic-embed's documentation).
NORM_EPSILON = 1e-5


def built_in() -> list[Provider]:
    """Return the execution providers that the installed ONNX Runtime was built with, CPU last."""
    names = onnxruntime.get_available_providers()
    return [provider for provider, name in PROVIDERS.items() if name in names]


def available() -> list[Provider]:
    """Return the execution providers that start here, CPU last."""
    return [provider for provider in built_in() if not why_not(provider)]


@functools.cache
def why_not(provider: Provider) -> str:
    """Return why an execution provider that is built in does not start here, "" where it does."""
    if provider == "cpu":
        return ""
    try:
        session = _opened(_one_product(), provider, 1)
    except ModelUnavailable as error:
        return error.detail
    return "" if session.get_providers()[0] == PROVIDERS[provider] else _missing(provider)


class Session:
    """A loaded graph: token ids in, embeddings out. Not for two threads at once."""

    def __init__(self, graph: Path, profile: Profile, provider: Provider = "cpu", threads: int = 2) -> None:
        """Load a graph on an execution provider.

        threads: of the CPU. Raises ModelUnavailable when the provider cannot run it here, and says why.
        """
        self.provider = provider
        self._profile = profile
        self._session = _opened(graph, provider, threads)
        if self._session.get_providers()[0] != PROVIDERS[provider]:
            raise ModelUnavailable(f"ONNX Runtime could not start {provider}: {_missing(provider)}")
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._output = _output_of(self._session)

    def embed(self, ids: Longs, mask: Longs) -> Floats:
        """Return the embeddings of a batch: (batch, dimensions) float32 of length 1, NaN where it has none.

        ids, mask: (batch, tokens) int64, mask 1 = a real token. Raises what ONNX Runtime raises.
        """
        (found,) = self._session.run([self._output], self._feeds(ids, mask))
        if found.ndim == 3:
            found = pooled(found, mask, self._profile.pooling)
        return unit(found, self._profile.dimensions, norm_first=self._profile.norm_before_cut)

    def values(self, outputs: Sequence[str], ids: Longs, mask: Longs) -> list[Any]:
        """Return other outputs of the graph for a batch."""
        found: list[Any] = self._session.run(list(outputs), self._feeds(ids, mask))
        return found

    def _feeds(self, ids: Longs, mask: Longs) -> dict[str, Longs]:
        offered: dict[str, Callable[[], Longs]] = {
            "input_ids": lambda: ids,
            "attention_mask": lambda: mask,
            "token_type_ids": lambda: np.zeros_like(ids),
            "position_ids": lambda: np.broadcast_to(np.arange(ids.shape[1]), ids.shape).copy(),
        }
        return {name: offered[name]() for name in self._inputs}


def pooled(hidden: Floats, mask: Longs, pooling: str) -> Floats:
    """Return one state for each text: the mean of its real tokens', the first, or the last.

    hidden: (batch, tokens, width); mask: (batch, tokens), 1 = a real token. Returns (batch, width)
    float32. Source: Reimers & Gurevych 2019, section 3.
    """
    hidden = hidden.astype(np.float32, copy=False)
    if pooling == "first":
        first: Floats = hidden[:, 0]
        return first
    if pooling == "last":
        # The padding stands at the end.
        last: Floats = hidden[np.arange(len(hidden)), mask.sum(axis=1) - 1]
        return last
    weights = mask.astype(np.float32)[:, :, None]
    mean: Floats = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return mean


def unit(embeddings: Floats, dimensions: int, *, norm_first: bool = False) -> Floats:
    """Return embeddings cut to their first dimensions and scaled to length 1; zeros become the first axis.

    norm_first: subtract the mean and divide by the deviation of each row before it is cut, where its width
    changes. A zero row is a text without a known token; dimensions 0 keeps all. Source: Kusupati et al. 2022.
    """
    if dimensions and dimensions < embeddings.shape[1]:
        if norm_first:
            centred = embeddings - embeddings.mean(axis=1, keepdims=True)
            embeddings = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + NORM_EPSILON)
        embeddings = embeddings[:, :dimensions]
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    if not lengths.all():
        embeddings, lengths = embeddings.copy(), lengths.copy()
        empty = lengths[:, 0] == 0
        embeddings[empty, 0], lengths[empty] = 1, 1
    scaled: Floats = (embeddings / lengths).astype(np.float32, copy=False)
    return scaled


def _output_of(session: Any) -> str:
    """Return the name of the output that holds embeddings, or else hidden states."""
    outputs: list[str] = [item.name for item in session.get_outputs()]
    known = ("embedding", "sentence_embedding", "last_hidden_state", "token_embeddings")
    return next((name for name in known if name in outputs), outputs[0])


def _opened(graph: Path | bytes, provider: Provider, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena keeps its peak for good: 60 to 100 MB after a bulk, at the same speed without.
    options.enable_cpu_mem_arena = False
    # Spinning threads burn a core while idle and gain nothing here.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if isinstance(graph, Path) and not adds_exactly():
        options.add_session_config_entry("session.x64quantprecision", "1")
    settings: dict[str, str] = {}
    if provider == "cuda":
        # The libraries of NVIDIA's packages lie beside Python's, where no loader looks.
        _load_cuda()
        settings = {"arena_extend_strategy": "kSameAsRequested"}
    elif provider == "coreml":
        settings = {"ModelFormat": "MLProgram", "ModelCacheDirectory": _cache_beside(graph)}
    elif provider == "directml":
        options.enable_mem_pattern = False
    chosen = [(PROVIDERS[provider], settings)] + ([(PROVIDERS["cpu"], {})] if provider != "cpu" else [])
    try:
        given = str(graph) if isinstance(graph, Path) else graph
        return onnxruntime.InferenceSession(given, options, providers=chosen)
    except Exception as error:  # ONNX Runtime raises its own, and plain ones
        raise ModelUnavailable(f"ONNX Runtime cannot load it on {provider}: {error}") from error


def _cache_beside(graph: Path | bytes) -> str:
    """Return where Core ML keeps what it compiles of a graph, "" for nowhere."""
    return str(graph.parent / "coreml") if isinstance(graph, Path) else ""


@functools.cache
def adds_exactly() -> bool:
    """Return whether this processor adds products of int8 without overflow, asked with one product.

    x86 without VNNI adds pairs of them in 16 bits. ONNX Runtime has a way around that, which must not be
    taken where it is not needed: it takes 1.6 times as long (e5, AVX-512 VNNI).
    """
    rows = np.full((1, 64), 255, np.uint8)
    (sums,) = _opened(_one_product(), "cpu", 1).run(None, {"rows": rows})
    return bool((sums == 64 * 255 * 127).all())


def _one_product() -> bytes:
    """Return a graph of one product of integers: `rows`, (1, 64) uint8, to sums of 127 times each."""
    columns = numpy_helper.from_array(np.full((64, 16), 127, np.int8), "columns")
    node = helper.make_node("MatMulInteger", ["rows", "columns"], ["sums"])
    given = helper.make_tensor_value_info("rows", TensorProto.UINT8, [1, 64])
    wanted = helper.make_tensor_value_info("sums", TensorProto.INT32, [1, 16])
    graph = helper.make_graph([node], "sums", [given], [wanted], [columns])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    written: bytes = model.SerializeToString()
    return written


@functools.cache
def _load_cuda() -> str:
    """Load NVIDIA's libraries from their Python packages; return what could not be loaded."""
    said = io.StringIO()
    # ONNX Runtime prints its complaints, and logs them once more.
    onnxruntime.set_default_logger_severity(4)
    with contextlib.suppress(AttributeError), contextlib.redirect_stdout(said):
        onnxruntime.preload_dlls()
    failed = [line for line in said.getvalue().splitlines() if line.startswith("Failed to load")]
    return ", ".join(line.split(":")[0].removeprefix("Failed to load ") for line in failed)


def _missing(provider: Provider) -> str:
    """Return what an execution provider most likely lacks that is built in and did not start."""
    if provider == "cuda":
        missing = _load_cuda()
        if missing:
            return f"{missing} could not be loaded. Run: pip install 'onnxruntime-gpu[cuda,cudnn]'"
        return "there is no NVIDIA GPU, or its driver is too old."
    return "its driver or system library is missing."
