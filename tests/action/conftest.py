"""A daemon on embedded defaults whose vault is a diary, and a site on this machine with feeds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.action.diary import ADA, ADA_BEFORE
from tests.action.site import Site, rss, serving
from tests.daemon_process import DaemonProcess, Folders

TODAY = date.today()
LAST = date(2026, 3, 28)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Yield a site with two feeds, served by a thread of its own."""
    found, loop, stop, ready = Site(), asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def serve() -> None:
        async with serving(found):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(5)
    found.pages["/a.xml"] = rss(
        "Post", ("Lock reopens", "https://post.example/1", "The lock at Marple reopened on Monday.")
    )
    found.pages["/b.xml"] = rss(
        "County", ("Prize for pupils", "https://county.example/2", "Eight pupils won a prize with a robot.")
    )
    yield found
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    loop.close()


def vault_at(folder: Path) -> Path:
    """Return a vault with a diary that ends today, as Obsidian keeps it."""
    vault = folder / "vault"
    for day, text in {**ADA_BEFORE, **ADA}.items():
        path = vault / "Journal" / f"{TODAY - (LAST - date.fromisoformat(day))}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (vault / ".obsidian").mkdir()
    (vault / ".obsidian" / "daily-notes.json").write_text('{"folder": "Journal"}', "utf-8")
    for name, text in (
        ("Boat.md", "---\ntags: [boat]\n---\n# Boat\n\nMarlene is a narrowboat with an orange galley.\n"),
        ("Mooring.md", "---\ntags: [boat]\n---\n# Mooring\n\nA narrowboat needs a mooring.\n"),
        ("Inbox/Galley.md", "The galley of the narrowboat is orange.\n"),
        ("Private/Secret.md", "The safe opens with 4711.\n"),
    ):
        (vault / name).parent.mkdir(parents=True, exist_ok=True)
        (vault / name).write_text(text, "utf-8")
    return vault


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path) -> Iterator[DaemonProcess]:
    """Yield a daemon on embedded defaults that serves such a vault."""
    home = tmp_path_factory.mktemp("acting")
    with DaemonProcess(vault_at(home), Folders(home / "home", prepared_cache)) as found:
        found.ready()
        yield found
