"""What was pulled from the hub: a record for each model, so that it stays the same model.

The files themselves lie in the cache that every program on this machine shares; `hub` fetches them. The
record names the commit and the sha256 of each file, and is what a model is from then on: a branch may move,
the record does not. Importing this module is cheap.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.registry import Profile
from pai_daemon.models.sources import HubSource


@dataclass(frozen=True, slots=True)
class PulledFile:
    """A file of a model on this machine, as it was when its hash was checked."""

    path: Path
    sha256: str
    size_bytes: int

    @property
    def is_there(self) -> bool:
        """Return whether the file is there with its size; its content is not read."""
        try:
            return self.path.stat().st_size == self.size_bytes
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was pulled for a model.

    revision: the commit. files: by their path in the repository. accepted_on: the day on which the licence
    was accepted, as `2026-11-25`; "" where it needs no acceptance.
    """

    repo: str
    revision: str
    licence: str
    files: Mapping[str, PulledFile]
    accepted_on: str = ""

    @property
    def size_bytes(self) -> int:
        """Return the size of all files."""
        return sum(file.size_bytes for file in self.files.values())

    @property
    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file: what tells this model from another."""
        return {path: file.sha256 for path, file in self.files.items()}


def read_pulled(source: HubSource, cache_dir: Path) -> Pulled | None:
    """Return what was pulled, None where nothing was, or a file of it is gone or has another size."""
    known = recorded(source, cache_dir)
    if known is None or not source.files.keys() <= known.files.keys():
        return None
    return known if all(known.files[path].is_there for path in source.files) else None


def recorded(source: HubSource, cache_dir: Path) -> Pulled | None:
    """Return the record of a model, whether or not its files are still there.

    source: as the registry has it, or as `resolved` returned it. None where there is no record, it cannot
    be read, or it holds another file than the one that the source asks for by its sha256.
    """
    for path in _records(source, cache_dir):
        try:
            document = json.loads(path.read_text("utf-8"))
            known = _pulled(document)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
        if known.repo != source.repo or source.revision not in (document["asked"], known.revision):
            continue
        digests = known.digests
        if all(digests.get(name, pin) == pin for name, pin in source.files.items() if pin):
            return known
    return None


def resolved(profile: Profile, cache_dir: Path) -> Profile:
    """Return the profile with the commit and the sha256 of every file, so that its fingerprint is final.

    A profile whose files do not come from the hub is returned as it is. Raises ModelUnavailable where it
    was not pulled.
    """
    if not isinstance(profile.source, HubSource):
        return profile
    known = read_pulled(profile.source, cache_dir)
    if known is None:
        raise ModelUnavailable(
            f"The files of {profile.name} are not on this machine.",
            hint=f"Run: pai models pull {profile.name}",
        )
    digests = {path: known.files[path].sha256 for path in profile.source.files}
    return replace(profile, source=HubSource(known.repo, known.revision, digests))


def write_pulled(source: HubSource, pulled: Pulled, cache_dir: Path) -> None:
    """Write the record, atomically. Raises OSError."""
    path = _record(source, cache_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"asked": source.revision} | asdict(pulled)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, default=str)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def forget_pulled(source: HubSource, cache_dir: Path) -> None:
    """Remove the record. Raises OSError."""
    _record(source, cache_dir).unlink(missing_ok=True)


def _record(source: HubSource, cache_dir: Path) -> Path:
    """Return where the record of what was asked for lies; a branch may have slashes in its name."""
    return _folder(cache_dir) / f"{_slug(source.repo)}@{quote(source.revision, safe='')}.json"


def _records(source: HubSource, cache_dir: Path) -> Iterator[Path]:
    """Yield the record of what was asked for, then those of the repository's other revisions."""
    own = _record(source, cache_dir)
    yield own
    others = _folder(cache_dir).glob(f"{_slug(source.repo)}@*.json")
    yield from (path for path in sorted(others) if path != own)


def _folder(cache_dir: Path) -> Path:
    return cache_dir / "models" / "pulled"


def _slug(repo: str) -> str:
    return quote(repo.replace("/", "--"), safe="")


def _pulled(document: Mapping[str, Any]) -> Pulled:
    """Return a record's content. Raises ValueError and its kin."""
    files = {
        str(name): PulledFile(Path(facts["path"]), str(facts["sha256"]), int(facts["size_bytes"]))
        for name, facts in document["files"].items()
    }
    texts = (str(document[name]) for name in ("repo", "revision", "licence"))
    repo, revision, licence = texts
    return Pulled(repo, revision, licence, files, str(document["accepted_on"]))
