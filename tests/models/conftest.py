"""Models prepared once for all tests, kept between runs outside the repository."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pai_daemon.models.embedder import Embedder
from pai_daemon.models.prepare import PreparedModel, prepare
from pai_daemon.models.registry import profile


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
