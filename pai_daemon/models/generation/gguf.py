"""What a GGUF file says of itself: is it a model that chats, how large is it, how long may a prompt be.

Only the head of the file is read. Source: the GGUF specification of ggml, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pai_daemon.errors import GeneratorUnavailable

MAGIC = b"GGUF"
# A vocabulary has up to some 300,000 entries; more than this is a damaged file.
MOST_ENTRIES = 4_000_000
MOST_BYTES = 64 << 20
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_TEXT, _LIST = 8, 9


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says. parameters: how many numbers its weights are. context_tokens: 0 where unknown."""

    architecture: str
    parameters: int
    context_tokens: int
    chats: bool


def read_facts(path: Path) -> Facts:
    """Return what a GGUF file says of itself. Raises GeneratorUnavailable where it is none, or damaged."""
    try:
        with path.open("rb") as file:
            return _facts(file)
    except OSError as error:
        raise GeneratorUnavailable(
            f"{path} cannot be read: {error.strerror}.", hint="Name a GGUF file: gguf:PATH."
        ) from error
    except (ValueError, struct.error, OverflowError, MemoryError) as error:
        raise GeneratorUnavailable(f"{path} is no GGUF file, or damaged.", hint="Fetch it again.") from error


def _facts(file: BinaryIO) -> Facts:
    """Return what the head says. Raises ValueError and struct.error for anything but a whole one."""
    if file.read(4) != MAGIC or _number(file, "I") not in (2, 3):
        raise ValueError(file.name)
    tensors, entries = _number(file, "Q"), _number(file, "Q")
    if max(tensors, entries) > MOST_ENTRIES:
        raise ValueError(file.name)
    known: dict[str, Any] = {}
    for _ in range(entries):
        name = _text(file)
        known[name] = _value(file, _number(file, "I"))
    parameters = 0
    for _ in range(tensors):
        _text(file)
        sizes = [_number(file, "Q") for _ in range(_number(file, "I"))]
        _skip(file, 12)  # the form of its numbers, and where they lie
        parameters += math.prod(sizes)
    return _told(known, parameters)


def _told(known: Mapping[str, Any], parameters: int) -> Facts:
    architecture = str(known.get("general.architecture", ""))
    context = known.get(f"{architecture}.context_length", 0)
    # What embeds has a way of pooling, and no template for turns of a conversation.
    chats = "tokenizer.chat_template" in known and f"{architecture}.pooling_type" not in known
    return Facts(architecture, parameters, context if isinstance(context, int) else 0, chats)


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0])


def _text(file: BinaryIO) -> str:
    size_bytes = _number(file, "Q")
    if size_bytes > MOST_BYTES or len(data := file.read(size_bytes)) < size_bytes:
        raise ValueError(file.name)
    return data.decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    """Return a value, None for a list, which is skipped."""
    if kind == _TEXT:
        return _text(file)
    if kind != _LIST:
        return _number(file, _NUMBERS[kind]) if kind in _NUMBERS else _unknown(file)
    inner, length = _number(file, "I"), _number(file, "Q")
    if length > MOST_ENTRIES:
        raise ValueError(file.name)
    if inner in _NUMBERS:
        _skip(file, length * struct.calcsize(f"<{_NUMBERS[inner]}"))
        return None
    for _ in range(length):
        _skip(file, _number(file, "Q")) if inner == _TEXT else _value(file, inner)
    return None


def _skip(file: BinaryIO, size_bytes: int) -> None:
    if size_bytes > MOST_BYTES:
        raise ValueError(file.name)
    file.seek(size_bytes, 1)


def _unknown(file: BinaryIO) -> None:
    raise ValueError(file.name)
