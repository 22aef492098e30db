"""Models prepared once for all tests, kept between runs outside the repository; one on a stand-in hub."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants

from pai_daemon.models.embedder import Embedder
from pai_daemon.models.hub import cache as cache_module
from pai_daemon.models.prepare import PreparedModel, prepare
from pai_daemon.models.registry import profile
from tests.contract.hub import Hub
from tests.models.hub_case import FOREIGN, LARGE, REPO, SMALL, Case, point_at


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """Return the folder of prepared models: PAI_TEST_CACHE, else one in the system's temp folder."""
    default = Path(tempfile.gettempdir()) / "pai-daemon-test-cache"
    return Path(os.environ.get("PAI_TEST_CACHE") or default)


@pytest.fixture(scope="session")
def small(model_cache: Path) -> PreparedModel:
    """Return all-MiniLM-L6-v2, prepared."""
    return prepare(profile("small"), model_cache)


@pytest.fixture(scope="session")
def e5(model_cache: Path) -> PreparedModel:
    """Return multilingual-e5-small, prepared."""
    return prepare(profile("e5"), model_cache)


@pytest.fixture(scope="session")
def small_embedder(small: PreparedModel) -> Iterator[Embedder]:
    """Yield an embedder of the small model that many tests share."""
    with Embedder(small, threads=2) as embedder:
        yield embedder


@pytest.fixture
def own_hub(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Point the library at the stand-in, at a cache of the test's own, and at no token."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)
    point_at(hub.url, monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(cache_module, "RETRY_S", 0.01)
    huggingface_hub.close_session()
    yield
    huggingface_hub.close_session()


@pytest.fixture
def case(own_hub: None, hub: Hub, minilm_files: dict[str, bytes], tmp_path: Path) -> Case:
    """Return a model on the hub: a small file, and the tokenizer of a real model, 466 kB."""
    files = {SMALL: minilm_files[SMALL], LARGE: minilm_files[LARGE]}
    hub.commit(REPO, {"README.md": b"# Words", **files})
    return Case(hub, files, tmp_path)
