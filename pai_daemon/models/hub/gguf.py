"""GGUF files of the hub: named `gguf:OWNER/REPO/FILE`, fetched like any model, then found by their name.

The bytes stay in the cache that every program on this machine shares; the folder for GGUF files has a link.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pai_daemon.errors import ModelUnavailable, UsageError
from pai_daemon.models.generation.gguf import read_facts
from pai_daemon.models.pulled import Pulled
from pai_daemon.models.sources import HubSource

PREFIX, SUFFIX = "gguf:", ".gguf"
FORM = "gguf:OWNER/REPO/FILE.gguf, with @REVISION behind it where it is not to be main"
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_SAFE = re.compile(r"[\w.-]+(?:/[\w.-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class GgufModel:
    """A file of the hub that writes answers, or all parts of one. source: the first part first."""

    name: str
    source: HubSource
    licence: str = "as its page says"
    must_accept: bool = False

    @property
    def file_name(self) -> str:
        """Return what its file is called, of several parts the first."""
        return PurePosixPath(next(iter(self.source.files))).name

    @property
    def generator(self) -> str:
        """Return the setting that names it."""
        return f"{PREFIX}{self.file_name.removesuffix(SUFFIX)}"


def is_gguf(name: str) -> bool:
    """Return whether a name is that of a GGUF file."""
    return name.strip().startswith(PREFIX)


def gguf_model(name: str) -> GgufModel:
    """Return the file that a name means. Raises UsageError for a name that makes no sense."""
    where, _, revision = name.strip().removeprefix(PREFIX).partition("@")
    parts = where.split("/")
    if len(parts) < 3 or not where.endswith(SUFFIX) or not _SAFE.fullmatch(where) or {".", ".."} & {*parts}:
        raise UsageError(f"{name!r} names no GGUF file of the hub.", hint=f"The form is: {FORM}.")
    repo, path = "/".join(parts[:2]), "/".join(parts[2:])
    files = [path]
    if part := _PART.search(path):
        # A large model comes in parts, of which llama.cpp finds the others by the name of the first.
        count, stem = int(part[2]), path[: part.start()]
        if not 0 < count < 1_000:
            raise UsageError(f"{name!r} names no GGUF file of the hub.", hint=f"The form is: {FORM}.")
        files = [f"{stem}-{number:05}-of-{part[2]}{SUFFIX}" for number in range(1, count + 1)]
    return GgufModel(name.strip(), HubSource(repo, revision or "main", dict.fromkeys(files, "")))


def place(model: GgufModel, pulled: Pulled, folder: Path) -> Path:
    """Put what was pulled where generators are named by their file, and return its first file.

    Raises ModelUnavailable for a file that is no model which writes, or where another one has its name.
    """
    first = pulled.files[next(iter(model.source.files))].path
    # Raises where it is no GGUF at all, with what to do.
    if not read_facts(first).chats:
        raise ModelUnavailable(
            f"{model.name} is a GGUF file, but no model that writes answers: it has no template for a chat.",
            hint="Take one whose name says instruct or chat.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, file in pulled.files.items():
        _link(file.path, folder / PurePosixPath(path).name, model.name)
    return folder / model.file_name


def unplace(model: GgufModel, folder: Path) -> None:
    """Take away the links of a model; a file that the person put there stays."""
    for path in model.source.files:
        link = folder / PurePosixPath(path).name
        if link.is_symlink():
            link.unlink()


def _link(target: Path, link: Path, name: str) -> None:
    with suppress(OSError):
        if link.samefile(target):
            return
    if link.is_symlink():
        link.unlink()
    elif link.exists():
        raise ModelUnavailable(
            f"{link} is there already, and is not {name}.", hint="Move it away, then pull again."
        )
    try:
        link.symlink_to(target.resolve())
    except OSError:  # a disk without links
        try:
            os.link(target.resolve(), link)
        except OSError:
            shutil.copyfile(target, link)
