"""Summaries and comparisons over HTTP and in the shell: cost, cancelling, a real small model (D66)."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.client import AsyncClient
from tests.conftest import StartDaemon
from tests.contract.fakes import Behaviour
from tests.daemon_process import PAI, DaemonProcess, Folders, eventually
from tests.serve.test_answers import Events, fake_ollama

NOTES = 11
# More than one part of these notes, in words that cost a model little.
LONG = "oak and pine and elm with brass and copper under the long deck and the tall mast " * 13


def stream(daemon: DaemonProcess, route: str, /, **asked: Any) -> Events:
    """Return the events of a stream as they came over the wire."""
    reply = daemon.request("POST", route, body={"stream": True, **asked})
    assert reply.status == 200, reply.body
    events = []
    for frame in reply.body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
        if lines:
            events.append((lines["event"], json.loads(lines["data"])))
    return events


@pytest.fixture(scope="module")
def writer(
    tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path
) -> Iterator[tuple[DaemonProcess, Behaviour]]:
    """Yield a daemon with notes of several parts, a fake Ollama to write, and how that one behaves."""
    home = tmp_path_factory.mktemp("summaries")
    vault, how = home / "vault", Behaviour()
    (vault / "Boats").mkdir(parents=True)
    for number in range(NOTES):
        text = f"The {number}th boat lies in Hull. It is built of {LONG.strip()}.\n"
        (vault / "Boats" / f"Boat {number:02}.md").write_text(text, "utf-8")
    (vault / "Bread.md").write_text("The sourdough proves for eighteen hours.\n", "utf-8")
    with fake_ollama(how) as url:
        generator = ("--generator", f"ollama:llama3.2@{url}")
        with DaemonProcess(vault, Folders(home / "home", prepared_cache), arguments=generator) as daemon:
            daemon.ready()
            yield daemon, how


@pytest.fixture
def written(writer: tuple[DaemonProcess, Behaviour]) -> tuple[DaemonProcess, Behaviour]:
    """Return the daemon and its fake Ollama, which says a true sentence and counts anew."""
    vars(writer[1]).update(vars(Behaviour(words=("The boat ", "lies in Hull ", "[1]."))))
    return writer


def calls(how: Behaviour) -> int:
    """Return how often something was to be written."""
    return sum(path == "/api/chat" for path, _ in how.requests)


def test_quoted_summary_comes_as_estimate_citations_and_done(served: DaemonProcess) -> None:
    """Without a generator nothing is asked and nothing is waited for."""
    events = stream(served, "/api/summarize", path="Projects")
    assert [name for name, _ in events][0 :: len(events) - 1] == ["estimate", "done"]
    assert {name for name, _ in events[1:-1]} == {"citation", "delta"}
    estimate, done = events[0][1], events[-1][1]
    assert (estimate["about"], estimate["notes"], estimate["calls"], estimate["seconds"]) == (
        "Projects",
        2,
        0,
        0.0,
    )
    assert "".join(data["text"] for name, data in events if name == "delta") == done["summary"]
    assert {citation["path"] for citation in done["citations"]} == {"Projects/Boat.md", "Projects/Shed.md"}
    assert done["estimate"] == estimate
    whole = served.request("POST", "/api/summarize", body={"note": "Garden"})
    assert [citation["path"] for citation in whole.json["citations"]] == ["Garden.md"]


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"path": "Projekts"}, 404, "Projects"),
        ({"tag": "kitchn"}, 404, "#kitchen"),
        ({"note": "Nowhere"}, 404, "Nowhere"),
        ({"limit": 0}, 400, "between 1 and 100"),
        ({"budget_s": 0}, 400, "between 1 and"),
        ({"note": "Empty"}, 404, "empty"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_told_before_the_stream(
    served: DaemonProcess, asked: dict[str, Any], status: int, words: str
) -> None:
    """The status is the problem's, also where a stream was asked for, and says what to do."""
    for more in ({}, {"stream": True}):
        reply = served.request("POST", "/api/summarize", body={**asked, **more})
        assert reply.status == status, reply.body
        assert words in f"{reply.json['detail']} {reply.json.get('hint', '')}"


def test_estimate_alone_reads_nothing(written: tuple[DaemonProcess, Behaviour]) -> None:
    """It tells notes, passages, tokens, calls and what writes, and the generator is not asked to write."""
    daemon, how = written
    estimate = daemon.client.estimate(path="Boats")
    assert (estimate["notes"], estimate["kept_back"]) == (NOTES, 0)
    assert estimate["calls"] > 2
    assert estimate["tokens"] > NOTES * 200
    assert estimate["generator"]["name"] == "ollama:llama3.2"
    assert calls(how) == 0


def test_summary_asks_as_often_as_was_told_and_says_each_step(
    written: tuple[DaemonProcess, Behaviour],
) -> None:
    """Each call but the last is a step; the deltas are the last one's text."""
    daemon, how = written
    events = stream(daemon, "/api/summarize", path="Boats")
    estimate, done = events[0][1], events[-1][1]
    assert calls(how) == estimate["calls"]
    steps = [data for name, data in events if name == "progress"]
    assert [step["done"] for step in steps] == list(range(1, estimate["calls"]))
    assert all("[[" in step["text"] for step in steps)
    assert done["summary"] == "The boat lies in Hull [1]."
    assert [sentence["supported"] for sentence in done["sentences"]] == [True]
    assert done["citations"][0]["path"].startswith("Boats/")
    assert (done["notes_read"], done["stages"]) == (NOTES, ["read", "join", "check"])


@pytest.mark.parametrize(
    "fault",
    [
        {"error_after": 1},
        {"cut_after": 1},
        {"raw": b"nonsense\n"},
        {"words": ()},
        {"words": ["on " * 50] * 500},
    ],
    ids="-".join,
)
def test_whatever_the_generator_does_a_summary_comes(
    written: tuple[DaemonProcess, Behaviour], fault: dict[str, Any]
) -> None:
    """The notes are quoted, the reason is told, and it is asked twice at most."""
    daemon, how = written
    vars(how).update(fault)
    done = stream(daemon, "/api/summarize", path="Boats")[-1][1]
    assert calls(how) == 2
    assert done["topics"]
    assert done["warnings"]
    assert done["stages"][-1] == "extract"


def test_hanging_up_stops_the_generator(written: tuple[DaemonProcess, Behaviour]) -> None:
    """Nobody waits for the summary any more: the call under way is stopped, and no other is made."""
    daemon, how = written
    how.words = ["word "] * 5000
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=5)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connection.request("POST", "/api/summarize", json.dumps({"path": "Boats", "stream": True}), headers)
    response = connection.getresponse()
    assert b"estimate" in response.read(40)
    eventually(lambda: calls(how) == 1, "the first call")
    response.close()
    connection.close()
    eventually(how.left_early.is_set, "the model's server sees the end", within_s=5)
    assert calls(how) == 1
    assert "Traceback" not in daemon.log, daemon.log[-3000:]


def test_two_long_jobs_leave_room_for_a_question(written: tuple[DaemonProcess, Behaviour]) -> None:
    """A third summary is told to wait, and a question is answered meanwhile."""
    daemon, how = written
    how.silence_s = 30.0
    connections = []
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=5)
        headers = {"Authorization": f"Bearer {daemon.token}"}
        connection.request("POST", "/api/summarize", json.dumps({"path": "Boats", "stream": True}), headers)
        connection.getresponse().read(10)
        connections.append(connection)
    reply = daemon.request("POST", "/api/summarize", body={"path": "Boats"})
    assert (reply.status, reply.json["code"]) == (429, "overloaded")
    assert (
        daemon.request("POST", "/api/ask", body={"question": "How long does it prove?", "budget_s": 1}).status
        == 200
    )
    for connection in connections:
        connection.close()
    how.silence_s = 0.0
    eventually(
        lambda: daemon.request("POST", "/api/summarize", body={"note": "Bread"}).status == 200, "room again"
    )


def test_two_notes_are_compared_over_http(written: tuple[DaemonProcess, Behaviour]) -> None:
    """The text streams, and the aligned sentences of both notes come with their passages."""
    daemon, how = written
    how.words = ("Both boats ", "lie in Hull [1].")
    first, second = "Boats/Boat 01.md", "Boats/Boat 02.md"
    events = stream(daemon, "/api/compare", first=first, second=second)
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "delta") == done["text"]
    assert (done["first"]["path"], done["second"]["path"]) == (first, second)
    assert {pair["why"] for pair in done["differ"]} == {"1 ≠ 2"}
    assert {citation["path"] for citation in done["citations"]} == {first, second}
    assert daemon.client.compare("Boat 01", "Boat 02")["differ"] == done["differ"]
    same = daemon.request("POST", "/api/compare", body={"first": first, "second": first})
    assert (same.status, same.json["code"]) == (400, "bad_request")


async def test_asynchronous_client_has_the_same_calls(served: DaemonProcess) -> None:
    """What is streamed ends with what is returned whole."""
    client = AsyncClient(served.client)
    assert (await client.estimate(path="Projects"))["notes"] == 2
    events = [event async for event in client.summarize_stream(path="Projects")]
    assert (events[0][0], events[-1][0]) == ("estimate", "done")
    assert (await client.summarize(path="Projects"))["summary"] == events[-1][1]["summary"]  # type: ignore[typeddict-item]
    compared = [event async for event in client.compare_stream("Garden", "Bread")]
    assert compared[-1][1]["only_first"] == (await client.compare("Garden", "Bread"))["only_first"]  # type: ignore[typeddict-item]


# The command line.


def test_command_tells_the_cost_and_prints_the_summary(served: DaemonProcess) -> None:
    """The cost goes to people, the summary with its sources where it can be piped."""
    printed = served.folders.pai("summarize", "Projects")
    assert printed.returncode == 0, printed.stderr
    assert "2 notes with 3 passages (Projects): quoted, at once." in printed.stderr
    assert "spar varnish" in printed.stdout
    assert "[1] Projects/Boat.md" in printed.stdout
    tagged = json.loads(served.folders.pai("summarize", "#kitchen", "--json").stdout)
    assert [citation["path"] for citation in tagged["citations"]] == ["Bread.md"]
    estimate = json.loads(served.folders.pai("summarize", "--note", "Garden", "--estimate", "--json").stdout)
    assert (estimate["notes"], estimate["calls"]) == (1, 0)
    missing = served.folders.pai("summarize", "Projekts")
    assert (missing.returncode, "Projects" in missing.stderr) == (66, True)


def test_command_compares_two_notes(served: DaemonProcess) -> None:
    """Notes may be called by their names."""
    printed = served.folders.pai("compare", "Garden", "Bread")
    assert printed.returncode == 0, printed.stderr
    assert "**Only in Garden**" in printed.stdout
    assert "Bread.md:" in printed.stdout
    assert json.loads(served.folders.pai("compare", "Garden", "Bread", "--json").stdout)["first_alone"] == 1


def test_interrupt_shows_what_there_is_and_stops_the_generator(
    written: tuple[DaemonProcess, Behaviour],
) -> None:
    """Ctrl-C during a part: what the parts before it said is printed, and the model is told to stop."""
    daemon, how = written
    command = [*PAI, "summarize", "Boats", "--yes"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        command, env=daemon.folders.environ(), stdin=subprocess.DEVNULL, **pipes
    ) as process:
        eventually(lambda: calls(how) >= 1, "the first call")
        how.hang_after = 1
        assert process.stderr is not None
        line = ""
        while "1 of" not in line:
            line = process.stderr.readline()
            assert line
        eventually(lambda: calls(how) >= 2, "the second call")
        process.send_signal(signal.SIGINT)
        output, told = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "The boat lies in Hull" in output
    assert "Stopped" in told
    done = calls(how)
    eventually(how.left_early.is_set, "the model's server sees the end", within_s=5)
    assert calls(how) == done


def test_small_model_of_this_machine_summarises(
    start_daemon: StartDaemon, vault: Path, tiny_gguf: Path
) -> None:
    """A real model reads the notes in as many calls as were told, and each sentence is checked or quoted."""
    for number in range(3):
        text = (
            f"# Boat {number}\n\nThe boat lies in Hull and is painted blue. It is {number + 20} feet long.\n"
        )
        (vault / f"Boat {number}.md").write_text(text, "utf-8")
    daemon = start_daemon(None, "--generator", f"gguf:{tiny_gguf}")
    daemon.ready()
    events = stream(daemon, "/api/summarize", limit=3)
    estimate, done = events[0][1], events[-1][1]
    assert (estimate["calls"], estimate["seconds"]) == (1, None)
    assert done["summary"]
    assert done["sentences"]
    assert set(done["stages"]) <= {"read", "check", "extract", "late", "endless"}
    if "extract" not in done["stages"]:
        assert done["generator"]["location"] == "embedded"
        assert daemon.client.estimate()["seconds"] is not None
