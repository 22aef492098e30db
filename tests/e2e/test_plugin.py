"""The shipped plugin in headless Chromium against the real daemon."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import quote

from tests.daemon_process import DaemonProcess, Folders
from tests.e2e.conftest import Walk, prove

LOOSE = "Loose ends.md"
ROUTINES = {
    "Keep log": f"---\nwrites: {{to: daily, heading: Log}}\ngrants: [{{append: '*.md'}}]\n"
    f"inputs: [{{notes: {LOOSE}}}]\nmodel: none\n---\nSum up.\n",
    "Wrong": "---\nschedule: every wekday at 7\n---\nx\n",
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_plugin_does_what_a_person_relies_on(walk: Walk, folders: Folders, tmp_path: Path) -> None:
    """Every claim of plugin.spec.mjs holds: ask, cite, relate, link, search, and fail with grace."""
    port = _free_port()
    meant = Path(walk.paths[0]).stem
    misspelt = meant[:3] + meant[4:]
    loose = f"# Loose ends\n\nMore of it stands in [[{misspelt}#Part|the one]].\n"
    loose += f"\nIt is there [in Markdown]({quote(f'Lost/{misspelt}.md')}#Part) as well. #loose\n"
    (walk.vault / LOOSE).write_text(loose, "utf-8")
    (walk.vault / "Routines").mkdir()
    for name, text in ROUTINES.items():
        (walk.vault / "Routines" / f"{name}.md").write_text(text, "utf-8")
    environ = {
        "PAI_MODEL": "multilingual-e5-small",
        "PAI_THREADS": "2",
        "PAI_ALLOWED_ORIGINS": f"http://127.0.0.1:{port}",
    }
    with DaemonProcess(walk.vault, folders, environ=environ) as daemon:
        daemon.ready(300)
        told = {
            "PAI_E2E_VAULT": str(walk.vault),
            "PAI_E2E_CONFIG": str(folders.settings.config_dir),
            "PAI_E2E_DAEMON": daemon.client.url,
            "PAI_E2E_PORT": str(port),
            "PAI_E2E_BROKEN": f"{LOOSE}:{meant}",
            "PAI_E2E_QUESTION": walk.question,
        }
        prove("plugin.spec.mjs", told, tmp_path)


def test_plugin_survives_what_goes_wrong(tmp_path: Path) -> None:
    """Every claim of faults.spec.mjs holds: kills, dripping and nasty replies, large notes, a flat heap."""
    prove("faults.spec.mjs", {}, tmp_path)
