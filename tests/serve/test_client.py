"""The client for scripts and what the README shows of it, against a running daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pai_daemon import client as module
from pai_daemon.client import AsyncClient, Client
from pai_daemon.errors import Overloaded, PaiError
from tests.daemon_process import PAI, DaemonProcess

BUSY = b'{"code": "overloaded", "detail": "Busy.", "status": 429}'
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


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Client, list[int], list[float]]]:
    """Yield the client of a server, the statuses that it will give, and how long the client has waited."""
    statuses: list[int] = []
    waited: list[float] = []
    monkeypatch.setattr("pai_daemon.client.time.sleep", waited.append)

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the next status."""
            status = statuses.pop(0)
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "3")
            self.end_headers()
            self.wfile.write(BUSY if status == 429 else b'{"status": "ok"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Client(f"http://127.0.0.1:{server.server_port}", "token"), statuses, waited
        server.shutdown()


def test_client_comes_again_when_the_daemon_is_busy(
    busy: tuple[Client, list[int], list[float]],
) -> None:
    """Not before it was told to, ever more calmly, and a script sees nothing of it."""
    client, statuses, waited = busy
    statuses += [429] * 5 + [200]
    assert client.get("/api/status") == {"status": "ok"}
    least = [max(3.0, each) for each in module.WAITS_S]
    assert all(low <= each <= 1.5 * low for low, each in zip(least, waited, strict=True))


def test_client_gives_up_on_a_daemon_that_stays_busy(
    busy: tuple[Client, list[int], list[float]],
) -> None:
    """It raises what the daemon said; another error it raises at once."""
    client, statuses, waited = busy
    statuses += [429] * 6 + [404]
    with pytest.raises(Overloaded, match="Busy"):
        client.get("/api/status")
    assert len(waited) == len(module.WAITS_S)
    with pytest.raises(PaiError):
        client.get("/api/status")
    assert (len(waited), statuses) == (5, [])


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
