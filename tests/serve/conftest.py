"""One daemon for the whole suite: these tests only ask it things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
