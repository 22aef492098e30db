"""A daemon whose answers a stand-in for Ollama writes, beside the one that quotes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.embedding_fakes import running
from tests.contract.fakes import Behaviour, ollama_app
from tests.daemon_process import DaemonProcess, Folders
from tests.serve.conftest import NOTES

Writing = tuple[DaemonProcess, Behaviour]


@pytest.fixture(scope="session")
def writing_daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[Writing]:
    """Yield a daemon of the same notes whose answers a stand-in for Ollama writes, and that one's ways."""
    home, how = tmp_path_factory.mktemp("writing"), Behaviour()
    for name, text in NOTES.items():
        path = home / "My Vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with running(ollama_app(how)) as url:
        generator = ("--generator", f"ollama:llama3.2@{url}")
        folders = Folders(home / "home", prepared_cache)
        with DaemonProcess(home / "My Vault", folders, arguments=generator) as daemon:
            daemon.ready()
            yield daemon, how


@pytest.fixture
def writing(writing_daemon: Writing) -> Writing:
    """Return that daemon, and its stand-in for Ollama, which behaves well again."""
    words = ("The hull is varnished ", "each spring [1]. ", "Tomatoes fly to the moon.")
    vars(writing_daemon[1]).update(vars(Behaviour(words=words)))
    return writing_daemon
