"""Where the files of a model come from: an installed package, the hub, a folder of the person, a server.

A package is a carrier of data here: it is located through its metadata and its code is never imported.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.addresses import Address


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file of weights inside an installed distribution, whose code is never imported.

    path: relative to the installation root. install: what a person types to get it.
    """

    distribution: str
    version: str
    path: str
    sha256: str
    install: str

    @property
    def identity(self) -> str:
        """Return what tells these weights from others."""
        return self.sha256

    def file(self) -> Path:
        """Return where the weights lie on this machine, without importing their package.

        Raises ModelUnavailable when the package is missing or does not hold the file.
        """
        try:
            installed = importlib.metadata.distribution(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            raise ModelUnavailable(
                f"The package {self.distribution}, which carries the weights, is not installed.",
                hint=f"Run: {self.install}",
            ) from None
        path = Path(str(installed.locate_file(self.path)))
        if not path.is_file():
            raise ModelUnavailable(
                f"The package {self.distribution} {installed.version} does not hold {self.path}.",
                hint=f"Run: {self.install}",
            )
        return path


@dataclass(frozen=True, slots=True)
class HubSource:
    """Files of a repository on the Hugging Face hub, or a mirror of it.

    revision: a commit, a tag or a branch. files: path to sha256; "" where it is not known before the files
    are: then the hub's own word is checked, and what came is what the model is from then on.
    """

    repo: str
    revision: str
    files: Mapping[str, str]

    @property
    def identity(self) -> str:
        """Return what tells these weights from others, as far as it is known."""
        known = (f"{path}={digest}" for path, digest in sorted(self.files.items()) if digest)
        return f"{self.repo}@{self.revision} {' '.join(known)}"


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of the person: an ONNX file or safetensors, with `tokenizer.json`.

    files: path to sha256, as they were when the folder was described.
    """

    folder: Path
    files: Mapping[str, str]

    @property
    def identity(self) -> str:
        """Return what tells these weights from others, wherever they lie."""
        return " ".join(f"{path}={digest}" for path, digest in sorted(self.files.items()))


@dataclass(frozen=True, slots=True)
class ServerSource:
    """A server that embeds.

    key: for its Authorization header, "" for none. digest: of the weights as far as the server tells, and
    what else tells its model from an earlier one; "" before it was asked.
    """

    address: Address
    key: str = field(default="", repr=False)
    digest: str = ""

    @property
    def identity(self) -> str:
        """Return what tells its embeddings from others; a server that moves stays the same."""
        return f"{self.address.protocol} {self.address.model} {self.digest}".strip()


Source = PackageSource | HubSource | FolderSource | ServerSource
