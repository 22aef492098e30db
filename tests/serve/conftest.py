"""One daemon for the whole suite: these tests only ask it things."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pai_daemon.cli.main import main
from tests.daemon_process import DaemonProcess, Folders

NOTES = {
    "Garden.md": "# Garden\n\nTomatoes need full sun and are watered every morning before eight.\n",
    "Bread.md": "---\ntags: [kitchen/baking]\n---\n# Bread\n\nThe sourdough proves for eighteen hours.\n",
    "Projects/Boat.md": "# Boat\n\n## Hull\n\nThe hull is varnished with spar varnish each spring.\n",
    "Projects/Shed.md": "# Shed\n\nThe shed roof was covered with slate in October. See [[Garden]].\n",
    "Projects_2/Kite.md": "# Kite\n\nThe kite flies best in a steady westerly wind.\n",
    "50% off.md": "# Sale\n\nThe winter coats were half price at the market.\n",
    'It\'s "quoted".md': "# Quotes\n\nGrandmother said that patience is a long ladder.\n",
    "Empty.md": "",
}
Run = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon that serves the notes above, ready."""
    home = tmp_path_factory.mktemp("served")
    for name, text in NOTES.items():
        path = home / "vault" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with DaemonProcess(home / "vault", Folders(home / "home", prepared_cache)) as daemon:
        daemon.ready()
        yield daemon


@pytest.fixture(autouse=True)
def alive(served: DaemonProcess) -> Iterator[None]:
    """Fail a test after which the daemon is dead."""
    yield
    assert served.is_running(), f"the daemon ended:\n{served.log}"


@pytest.fixture
def pai(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a `pai` command in some folders: exit code, output, errors."""

    def run(folders: Folders, *arguments: str) -> tuple[object, str, str]:
        for name, value in folders.environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["pai", *arguments])
        capfd.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        return (code, *capfd.readouterr())

    return run
