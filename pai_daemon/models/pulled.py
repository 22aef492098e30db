"""The record of what was pulled from the hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pai_daemon.models.sources import HubSource


@dataclass(frozen=True, slots=True)
class PulledFile:
    """One file."""

    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled."""

    repo: str
    revision: str
    licence: str
    files: Mapping[str, PulledFile]


def read_pulled(source: HubSource, cache_dir: Path) -> Pulled | None:  # noqa: ARG001
    """Return what was pulled."""
    return None
