"""What there is to choose from: each model that we know by name, whether it is here, and what it can."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.pulled import read_pulled
from pai_daemon.models.registry import Profile, known_profiles
from pai_daemon.models.sources import HubSource

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One embedding model. chosen: in the settings. origin: what it comes with; where: its name there.

    size_mb: of its files, or of the download, None where it is not known. sizes: what its embeddings may be
    cut to. must_accept: the licence, before files are fetched.
    """

    name: str
    short_names: tuple[str, ...]
    chosen: bool
    origin: Literal["hub", "package"]
    where: str
    here: bool
    languages: tuple[str, ...]
    languages_note: str
    dimensions: int
    sizes: tuple[int, ...]
    max_tokens: int
    size_mb: int | None
    licence: str
    must_accept: bool


def known_models(models_file: Path, cache_dir: Path, chosen: str) -> list[KnownModel]:
    """Return every model that has a name; chosen: what the settings call theirs. Raises UsageError."""
    return [_known(each, cache_dir, chosen) for each in known_profiles(models_file)]


def _known(known: Profile, cache_dir: Path, chosen: str) -> KnownModel:
    is_here, size_bytes = _presence(known, cache_dir)
    hub = known.source if isinstance(known.source, HubSource) else None
    names = {each.casefold() for each in (known.name, *known.short_names)}
    return KnownModel(
        name=known.name,
        short_names=known.short_names,
        chosen=chosen.partition("@")[0].casefold() in names,
        origin="hub" if hub else "package",
        where=hub.repo if hub else known.package.distribution,
        here=is_here,
        languages=tuple(sorted(known.languages)),
        languages_note=known.languages_note,
        dimensions=known.dimensions,
        sizes=known.sizes,
        max_tokens=known.max_tokens,
        size_mb=round(size_bytes / MEGABYTE) or known.size_mb or None,
        licence=known.licence,
        must_accept=known.must_accept,
    )


def _presence(known: Profile, cache_dir: Path) -> tuple[bool, int]:
    """Return whether a model's files are here, and how large they are, 0 where that is not known."""
    if isinstance(known.source, HubSource):
        pulled = read_pulled(known.source, cache_dir)
        return pulled is not None, pulled.size_bytes if pulled else 0
    try:
        return True, known.package.file().stat().st_size
    except ModelUnavailable:
        return False, 0
