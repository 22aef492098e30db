"""Reads an encoder of the BERT family from its checkpoint: `model.safetensors` and `config.json`.

A safetensors file is a uint64 length, a JSON header of that length (name → dtype, shape and byte
offsets) and the tensors' bytes after it; tensors are views into the mapped file. BERT and XLM-RoBERTa
name their tensors alike; RoBERTa's positions begin after the padding token's number.
"""

from __future__ import annotations

import json
import mmap
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.encoder.weights import Floats, Sizes

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
# Model types to whether positions begin after the padding token's number.
KNOWN_TYPES = {"bert": False, "roberta": True, "xlm-roberta": True, "camembert": True}
# What a tensor's name may begin with, by what the checkpoint was saved from.
PREFIXES = ("", "bert.", "roberta.", "model.")
_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "attended.norm": "attention.output.LayerNorm",
    "outer.norm": "output.LayerNorm",
}


class Safetensors:
    """A safetensors file, memory-mapped."""

    def __init__(self, path: Path) -> None:
        """Map a file. Raises ModelUnavailable when its header cannot be read."""
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            length = int.from_bytes(self._data[:8], "little")
            self._header: dict[str, Any] = json.loads(self._data[8 : 8 + length])
        except ValueError as error:
            raise ModelUnavailable(f"{path.name} is not a safetensors file: {error}.") from error
        self._start = 8 + length

    def __contains__(self, name: str) -> bool:
        """Return whether there is such a tensor."""
        return name in self._header

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape. Raises ModelUnavailable where there is no such tensor."""
        return tuple(self._entry(name)["shape"])

    def tensor(self, name: str) -> Floats:
        """Return a tensor as float32, a view where it is stored so.

        Raises ModelUnavailable where there is no such tensor, or for a dtype that holds no such numbers.
        """
        entry = self._entry(name)
        start, stop = entry["data_offsets"]
        raw = memoryview(self._data)[self._start + start : self._start + stop]
        values: Floats
        match entry["dtype"]:
            case "F32":
                values = np.frombuffer(raw, np.float32)
            case "F16":
                values = np.frombuffer(raw, np.float16).astype(np.float32)
            case "BF16":
                # The upper half of a float32.
                values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
            case other:
                raise ModelUnavailable(f"The tensor {name} holds {other}, not floating-point numbers.")
        return values.reshape(entry["shape"])

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return a tensor of whole numbers as int64. Raises ModelUnavailable for another dtype."""
        entry = self._entry(name)
        start, stop = entry["data_offsets"]
        kinds = {"I64": np.int64, "I32": np.int32, "U32": np.uint32, "I16": np.int16, "U16": np.uint16}
        if entry["dtype"] not in kinds:
            raise ModelUnavailable(f"The tensor {name} holds {entry['dtype']}, not whole numbers.")
        raw = memoryview(self._data)[self._start + start : self._start + stop]
        return np.frombuffer(raw, kinds[entry["dtype"]]).astype(np.int64).reshape(entry["shape"])

    def _entry(self, name: str) -> Mapping[str, Any]:
        if name not in self._header:
            raise ModelUnavailable(f"The weights hold no tensor {name}: another kind of model.")
        entry: Mapping[str, Any] = self._header[name]
        return entry

    def close(self) -> None:
        """Unmap the file, unless a view of it is still in use."""
        try:
            self._data.close()
        except BufferError:
            return


class Checkpoint:
    """An encoder's weights under the names of `Weights`, and where its tokenizer's file lies."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Open a checkpoint. files: at least weights, settings and tokenizer, by their usual names.

        Raises ModelUnavailable when the files are of no encoder that the graph can be written for.
        """
        settings = _settings(files[CONFIG])
        self._file = Safetensors(files[WEIGHTS])
        self.tokenizer = files[TOKENIZER]
        table = "embeddings.word_embeddings.weight"
        self._prefix = next((prefix for prefix in PREFIXES if prefix + table in self._file), "")
        vocabulary, width = self._file.shape(self._prefix + table)
        positions, _ = self._file.shape(f"{self._prefix}embeddings.position_embeddings.weight")
        self._first_position = (
            int(settings.get("pad_token_id", 1)) + 1 if KNOWN_TYPES[settings["model_type"]] else 0
        )
        layers = int(settings["num_hidden_layers"])
        inner, _ = self._file.shape(f"{self._prefix}encoder.layer.0.intermediate.dense.weight")
        epsilon = float(settings["layer_norm_eps"])
        heads = int(settings["num_attention_heads"])
        positions -= self._first_position
        self.sizes = Sizes(width, layers, heads, inner, vocabulary, positions, epsilon)

    def tensor(self, name: str) -> Floats:
        """Return one tensor by the names of `Weights`; matrices as (outputs, inputs) float32."""
        values = self._file.tensor(self._prefix + _stored_name(name))
        return values[self._first_position :] if name == "position" else values

    def words(self, start: int, stop: int) -> Floats:
        """Return rows of the word table: (stop - start, width) float32."""
        return self._file.tensor(f"{self._prefix}embeddings.word_embeddings.weight")[start:stop]

    def close(self) -> None:
        """Unmap the weights."""
        self._file.close()


def _settings(config: Path) -> dict[str, Any]:
    """Return the settings of an encoder that the graph can be written for. Raises ModelUnavailable."""
    try:
        settings: dict[str, Any] = json.loads(config.read_text("utf-8"))
        kind = settings["model_type"]
        settings["num_hidden_layers"], settings["num_attention_heads"], settings["layer_norm_eps"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{config.name} does not describe an encoder: {error!r}.") from error
    plain = settings.get("hidden_act", "gelu") == "gelu"
    absolute = settings.get("position_embedding_type", "absolute") == "absolute"
    if kind not in KNOWN_TYPES or not plain or not absolute:
        raise ModelUnavailable(
            f"The weights are of a {kind} model, which no graph can be written for here.",
            hint='Use its ONNX file: format = "onnx" in your models.toml, or file:FOLDER with one.',
        )
    return settings


def unpack(archive: Path, scratch: Path) -> dict[str, Path]:
    """Unpack weights, settings and tokenizer of a zip into a folder, to map rather than hold them.

    Returns where they lie, by name. Raises ModelUnavailable when the archive does not hold them.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            return {name: Path(packed.extract(name, scratch)) for name in (WEIGHTS, CONFIG, TOKENIZER)}
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{archive.name} does not hold the model: {error}.") from error


def _stored_name(name: str) -> str:
    """Return the file's name of a tensor of `Weights`."""
    if name in ("position", "type"):
        table = {"position": "position_embeddings", "type": "token_type_embeddings"}[name]
        return f"embeddings.{table}.weight"
    part, kind = name.rsplit(".", 1)
    if part == "norm":
        return f"embeddings.LayerNorm.{kind}"
    layer, part = part.split(".", 1)
    return f"encoder.layer.{layer}.{_PARTS[part]}.{kind}"
