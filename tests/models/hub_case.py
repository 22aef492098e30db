"""A model of the stand-in hub, and how tests pull it: in this process, or as a person does, by `pai`."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from pai_daemon.models.hub.pull import Licence, pull
from pai_daemon.models.pulled import Pulled
from pai_daemon.models.registry import Profile
from pai_daemon.models.sources import HubSource
from tests.contract.hub import Files, Hub
from tests.daemon_process import PAI, Folders

REPO, NAME = "acme/words", "words"
SMALL, LARGE = "config.json", "tokenizer.json"
# A token in the environment would change what the hub answers; proxies lead past the loopback address.
FOREIGN = ("HF_", "HUGGING", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "TRANSFORMERS_")
ENTRY = """
[models.{name}]
format = "bert"
dimensions = 384
max_tokens = 256
licence = "Apache-2.0"
{more}
hub = {{ repo = "{repo}", revision = "main", files = {{ "config.json" = "", "tokenizer.json" = "" }} }}
"""


@dataclass
class Case:
    """A model on the hub, and folders of its own for the cache of the hub and for ours.

    told: what was reported, in order. licences: those that were shown. accepts: the answer to them.
    """

    hub: Hub
    files: Files
    folder: Path
    told: list[tuple[str, int, int]] = field(default_factory=list)
    licences: list[Licence] = field(default_factory=list)
    accepts: bool = True
    pins: Mapping[str, str] = field(default_factory=dict)
    must_accept: bool = False

    @property
    def profile(self) -> Profile:
        """Return the model as a registry describes it."""
        source = HubSource(REPO, "main", {path: self.pins.get(path, "") for path in self.files})
        return Profile(NAME, source, "bert", 384, 256, "Apache-2.0", must_accept=self.must_accept)

    @property
    def source(self) -> HubSource:
        """Return where the model comes from."""
        source = self.profile.source
        assert isinstance(source, HubSource)
        return source

    @property
    def cache_dir(self) -> Path:
        """Return our folder."""
        return self.folder / "cache"

    @property
    def hub_cache(self) -> Path:
        """Return the cache that programs share."""
        return self.folder / "hub"

    @property
    def repo_folder(self) -> Path:
        """Return where the shared cache keeps the model."""
        return self.hub_cache / "models--acme--words"

    @property
    def blobs(self) -> dict[str, bytes]:
        """Return what lies in the cache, by its name there."""
        return {path.name: path.read_bytes() for path in self.repo_folder.glob("blobs/*")}

    def pull(self, **changed: Any) -> Pulled:
        """Pull the model in this process."""
        return pull(self.profile, self.cache_dir, report=self._note, accept=self._answer, **changed)

    def _note(self, path: str, done: int, total: int) -> None:
        self.told.append((path, done, total))

    def _answer(self, licence: Licence) -> bool:
        self.licences.append(licence)
        return self.accepts

    def pai(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `pai models …` to its end."""
        return subprocess.run(
            [*PAI, "models", *arguments],
            env=self.environ(environ),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start `pai models …`."""
        # Tests that run in the background of a shell ignore Ctrl-C, and so would their children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [*PAI, "models", *arguments],
                env=self.environ(environ),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                stdin=subprocess.DEVNULL,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a `pai` that has this hub for a mirror; writes its list of models."""
        folders = Folders(self.folder / "home", self.cache_dir)
        listed = folders.settings.models_file
        listed.parent.mkdir(parents=True, exist_ok=True)
        terms = "must_accept = true" if self.must_accept else ""
        listed.write_text(ENTRY.format(name=NAME, repo=REPO, more=terms), "utf-8")
        clean = {
            name: value for name, value in folders.environ().items() if not name.upper().startswith(FOREIGN)
        }
        ours = {"HF_ENDPOINT": self.hub.url, "HF_HUB_CACHE": str(self.hub_cache)}
        return clean | ours | dict(more or {})

    def library(self, program: str) -> None:
        """Run a line of Python that uses the hub's own library, as another program on this machine."""
        subprocess.run(
            [sys.executable, "-c", f"import huggingface_hub; {program}"],
            env=self.environ() | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            check=True,
            timeout=30,
        )


def point_at(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let the library ask another hub, as HF_ENDPOINT does before it is imported."""
    patch.setattr(constants, "ENDPOINT", url)
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")


def another(profile: Profile, **changed: Any) -> Profile:
    """Return a profile with another source."""
    assert isinstance(profile.source, HubSource)
    return replace(profile, source=replace(profile.source, **changed))
