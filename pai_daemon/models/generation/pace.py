"""How fast a generator has been on this machine, so that the length of a long job can be told before."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pai_daemon.config import write_private
from pai_daemon.errors import PaiError
from pai_daemon.models.generation.generator import Message, estimate_tokens

# The latest text counts as much as all before it: loading the model once must not count for long.
LATEST = 0.5
# Of a shorter one the time says little.
LEAST_WRITTEN = 16


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a token, counted as `estimate_tokens` does: to read it, and to write it."""

    reading_s: float
    writing_s: float


class Pace:
    """What each generator took for its last texts. For one event loop.

    path: where it is remembered over a restart; None where it is not. Nothing else than names and speeds is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._speeds: dict[str, Speed] = {}
        if path is not None:
            # What cannot be read is learnt again.
            with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
                kept = json.loads(path.read_text("utf-8")).items()
                self._speeds = {name: Speed(**{k: float(v) for k, v in of.items()}) for name, of in kept}

    def learn(self, name: str, messages: Sequence[Message], text: str, first_s: float, took_s: float) -> None:
        """Hear of a text: how long its first piece took, and all of it."""
        written = estimate_tokens([Message("assistant", text)])
        if first_s <= 0 or written < LEAST_WRITTEN:
            return
        seen = Speed(first_s / max(1, estimate_tokens(messages)), (took_s - first_s) / written)
        known = self._speeds.get(name, seen)
        self._speeds[name] = replace(
            seen,
            reading_s=known.reading_s + LATEST * (seen.reading_s - known.reading_s),
            writing_s=known.writing_s + LATEST * (seen.writing_s - known.writing_s),
        )

        if self._path is not None:
            with contextlib.suppress(PaiError):  # a full disk
                write_private(self._path, json.dumps({name: asdict(of) for name, of in self._speeds.items()}))

    def seconds(self, name: str, read_tokens: int, written_tokens: int) -> float | None:
        """Return about how long a generator takes for so much; None where it has not written yet."""
        speed = self._speeds.get(name)
        if speed is None:
            return None
        return read_tokens * speed.reading_s + written_tokens * speed.writing_s
