"""The client for scripts and what the README shows of it, against a running daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pai_daemon.client import AsyncClient, Client
from tests.daemon_process import PAI, DaemonProcess

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "open_questions.py"
QUESTION = "How long does the sourdough prove?"


def test_client_reads_notes_links_and_neighbours(served: DaemonProcess) -> None:
    """A note, its links and its neighbours are documents of the contract; a path may hold any character."""
    client = served.client
    assert client.note("Projects/Boat.md")["headings"][1]["text"] == "Hull"
    assert client.note("50% off.md")["title"] == "50% off"
    assert client.links("Garden.md")["path"] == "Garden.md"
    assert client.related(text="slate roof", limit=1)["results"][0]["path"] == "Projects/Shed.md"


async def test_async_client_streams_the_same_answer(served: DaemonProcess) -> None:
    """The asynchronous client finds the daemon, and its stream ends with the answer of the other."""
    client = await AsyncClient.find(served.folders.settings, served.vault)
    events = [event async for event in client.ask_stream(QUESTION)]
    done = events[-1]
    assert done[0] == "done"
    whole = Client.find(served.folders.settings, served.vault).ask(QUESTION)
    assert done[1]["answer"] == whole["answer"] == (await client.ask(QUESTION))["answer"]
    assert (await client.search("slate"))["results"] == served.client.search("slate")["results"]


def test_example_posts_the_open_questions_of_a_daily_note(served: DaemonProcess) -> None:
    """Ten lines of Python ask what a daily note leaves open."""
    daily = served.write("2026-11-26.md", f"- {QUESTION}\n- Bought flour.")
    environ = served.folders.environ() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    asked = [sys.executable, str(EXAMPLE), daily.name]
    done = subprocess.run(asked, env=environ, capture_output=True, text=True, timeout=30, check=False)
    daily.unlink()
    served.loses("Bought flour")
    assert done.returncode == 0, done.stderr
    assert f"- {QUESTION}" in done.stdout
    assert "eighteen hours" in done.stdout


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_search_is_a_pipeline_with_jq(served: DaemonProcess) -> None:
    """`pai search --json | jq` takes the paths out of what was found."""
    environ = served.folders.environ() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(
        [*PAI, "search", "--json", "slate roof"], env=environ, capture_output=True, check=True, timeout=30
    )
    paths = subprocess.run(
        ["jq", "-r", ".results[].path"], input=found.stdout, capture_output=True, check=True
    )
    assert "Projects/Shed.md" in paths.stdout.decode().splitlines()
