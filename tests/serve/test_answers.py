"""Answers over HTTP: their events in order, with a generator that works, fails or is away (D11)."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartDaemon
from tests.contract.fakes import Behaviour, ollama_app
from tests.contract.fakes import served as serve_app
from tests.daemon_process import DaemonProcess, Folders, eventually

QUESTION = "How long does the sourdough prove?"
Events = list[tuple[str, dict[str, Any]]]


def stream(daemon: DaemonProcess, question: str, **more: Any) -> Events:
    """Return the events of a streamed answer as they came over the wire."""
    reply = daemon.request("POST", "/api/ask", body={"question": question, "stream": True, **more})
    assert reply.status == 200, reply.body
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    events = []
    for frame in reply.body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
        if lines:
            events.append((lines["event"], json.loads(lines["data"])))
    return events


@contextmanager
def fake_ollama(how: Behaviour) -> Iterator[str]:
    """Serve a fake Ollama from a thread with a loop of its own, and yield its address."""
    started, stop = threading.Event(), asyncio.Event()
    found: list[tuple[str, asyncio.AbstractEventLoop]] = []

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with serve_app(ollama_app(how)) as url:
            found.append((url, asyncio.get_running_loop()))
            started.set()
            yield

    async def run() -> None:
        async with running():
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(10)
    url, loop = found[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=10)


def write_bread(vault: Path) -> None:
    """Write the note that answers the question."""
    (vault / "Bread.md").write_text("# Bread\n\nThe sourdough proves for eighteen hours.\n", "utf-8")


@pytest.fixture(scope="module")
def writer(
    tmp_path_factory: pytest.TempPathFactory, prepared_cache: Path
) -> Iterator[tuple[DaemonProcess, Behaviour]]:
    """Yield a daemon whose answers a fake Ollama writes, and how that one behaves."""
    home = tmp_path_factory.mktemp("writer")
    vault, how = home / "vault", Behaviour()
    vault.mkdir()
    write_bread(vault)
    with fake_ollama(how) as url:
        generator = ("--generator", f"ollama:llama3.2@{url}")
        with DaemonProcess(vault, Folders(home / "home", prepared_cache), arguments=generator) as daemon:
            daemon.ready()
            yield daemon, how


@pytest.fixture
def written(writer: tuple[DaemonProcess, Behaviour]) -> tuple[DaemonProcess, Behaviour]:
    """Return the daemon and its fake Ollama, which behaves well again."""
    vars(writer[1]).update(vars(Behaviour()))
    return writer


def test_answer_is_quoted_with_its_source(served: DaemonProcess) -> None:
    """Without a generator the answer is a sentence of a note, with its number, path and lines."""
    answer = served.client.ask(QUESTION)
    assert answer["found"] is True
    assert "eighteen hours" in answer["answer"]
    assert answer["sentences"][0]["supported"] is True
    cited = {citation["n"]: citation for citation in answer["citations"]}
    for sentence in answer["sentences"]:
        for number in sentence["citations"]:
            assert sentence["text"] in cited[number]["text"]
            assert f"[{number}]" in answer["answer"]
    assert cited[answer["sentences"][0]["citations"][0]]["path"] == "Bread.md"


def test_answer_that_the_notes_do_not_hold_is_not_made_up(served: DaemonProcess) -> None:
    """A question the notes do not answer gets `found: false`, cites nothing, and says what comes nearest."""
    answer = served.client.ask("What is the boiling point of tungsten hexafluoride?")
    assert (answer["found"], answer["citations"], answer["sentences"]) == (False, [], [])
    assert answer["answer"]
    assert all((served.vault / passage["path"]).is_file() for passage in answer["nearest"])
    assert answer["nearest"]


def test_answer_comes_as_sources_deltas_and_done(served: DaemonProcess) -> None:
    """The events come in order, the deltas are the answer, and every cited number has a source."""
    events = stream(served, QUESTION)
    names = [name for name, _ in events]
    assert (names[0], names[-1]) == ("sources", "done")
    assert set(names[1:-1]) == {"delta", "citation"}
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "delta").strip() == done["answer"]
    offered = {citation["n"] for citation in events[0][1]["citations"]}
    assert {data["n"] for name, data in events if name == "citation"} <= offered
    assert done["citations"]


def test_answer_that_is_not_in_the_notes_streams_to_its_end(served: DaemonProcess) -> None:
    """A refusal, too, has sources, a delta and done."""
    names = [name for name, _ in stream(served, "What is the boiling point of tungsten hexafluoride?")]
    assert names == ["sources", "delta", "done"]


def test_question_out_of_limits_is_refused_before_the_stream(served: DaemonProcess) -> None:
    """What is wrong with a question is told by the status, also where a stream was asked for."""
    for wrong in ({"question": ""}, {"question": QUESTION, "limit": 0}, {"question": QUESTION, "limit": 101}):
        reply = served.request("POST", "/api/ask", body={**wrong, "stream": True})
        assert (reply.status, reply.json["code"]) == (400, "bad_request")


def test_client_that_leaves_midway_leaves_the_daemon_well(served: DaemonProcess) -> None:
    """A connection dropped in the middle of a stream ends nothing and prints no traceback."""
    before = len(served.output)
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        headers = {"Authorization": f"Bearer {served.token}"}
        connection.request("POST", "/api/ask", json.dumps({"question": QUESTION, "stream": True}), headers)
        connection.getresponse().read(20)
        connection.close()
    assert served.client.ask(QUESTION)["found"] is True
    assert "Traceback" not in "".join(served.output[before:]), "".join(served.output[before:])


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_generator_that_is_away_leaves_a_quoted_answer(start_daemon: StartDaemon, vault: Path) -> None:
    """With Ollama not running the answer is quoted from the notes, with a warning that says why."""
    write_bread(vault)
    daemon = start_daemon(None, "--generator", f"ollama:llama3.2@http://127.0.0.1:{closed_port()}")
    daemon.ready()
    answer = daemon.client.ask(QUESTION)
    assert answer["found"] is True
    assert "eighteen hours" in answer["answer"]
    assert answer["generator"]["name"] == "extractive"
    assert any("ollama serve" in warning for warning in answer["warnings"])
    assert [name for name, _ in stream(daemon, QUESTION)][-1] == "done"
    assert daemon.status()["state"] == "ready"


def test_generator_that_works_is_streamed_and_checked(written: tuple[DaemonProcess, Behaviour]) -> None:
    """A model's answer comes word by word, without marks of no passage; unsupported sentences are marked."""
    daemon, how = written
    how.words = ("The sourdough proves ", "for eighteen hours [1]. ", "Giraffes invented the telephone [7].")
    events = stream(daemon, QUESTION)
    assert events[0][0] == "sources"
    pieces = [data["text"] for name, data in events if name == "delta"]
    assert len(pieces) >= len(how.words)
    assert "".join(pieces) == "".join(how.words).replace(" [7]", "")
    done = events[-1][1]
    assert done["generator"] == {"name": "ollama:llama3.2", "location": "local", "why": ""}
    assert done["template"]
    assert done["usage"] == {"prompt_tokens": 26, "completion_tokens": 3, "cached_tokens": None}
    supported = [(sentence["supported"], sentence["citations"]) for sentence in done["sentences"]]
    assert supported == [(True, [1]), (False, [])]
    assert [citation["n"] for citation in done["citations"]] == [1]


@pytest.mark.parametrize(
    ("fault", "stage", "words"),
    [
        ({"error_after": 2}, "failed", "runner has stopped"),
        ({"cut_after": 2}, "failed", "broke off"),
        ({"cut_in": "€"}, "failed", "not JSON"),
        ({"raw": b"HTTP nonsense\n", "cut_after": 0}, "failed", "not JSON"),
        ({"raw": b"\xe2\x82\n"}, "failed", "not JSON"),
        ({"raw": b"[" * 100_000 + b"\n"}, "failed", "not JSON"),
        ({"words": ()}, "failed", "empty answer"),
        ({"words": ("", " ", "\n")}, "failed", "empty answer"),
        ({"status": 500, "raw": b'{"error": "out of memory"}'}, "failed", "out of memory"),
        ({"status": 502, "raw": b"<html><title>Bad gateway</title>"}, "failed", "Bad gateway"),
        ({"content_type": "text/html", "raw": b"<html>Welcome</html>"}, "failed", "a web page"),
        ({"words": ["round and " * 20] * 500}, "endless", "did not come to an end"),
        ({"hang_after": 2}, "late", "did not finish"),
        ({"silence_s": 30.0}, "late", "did not finish"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_generator_whatever_it_does_ends_with_an_answer(
    written: tuple[DaemonProcess, Behaviour], fault: dict[str, Any], stage: str, words: str
) -> None:
    """What it wrote stays, the notes are quoted, a warning says why, and the daemon goes on."""
    daemon, how = written
    vars(how).update(fault)
    events = stream(daemon, QUESTION, budget_s=2)
    assert (events[0][0], events[-1][0]) == ("sources", "done")
    shown = "".join(data["text"] for name, data in events if name == "delta")
    done = events[-1][1]
    assert done["answer"] == shown.strip()
    assert done["stages"][3:6] == ["generate", stage, "extract"]
    assert any(words in warning for warning in done["warnings"]), done["warnings"]
    assert "eighteen hours" in done["answer"]
    kept = done["generator"]["name"] == "ollama:llama3.2"
    assert kept is (done["answer"].startswith(("The tiles", "round")))
    whole = daemon.request("POST", "/api/ask", body={"question": QUESTION, "budget_s": 2})
    assert (whole.status, whole.json["answer"]) == (200, done["answer"])
    assert daemon.status()["state"] == "ready"


def test_gguf_file_writes_inside_the_daemon(start_daemon: StartDaemon, vault: Path, tiny_gguf: Path) -> None:
    """A real model is loaded by the first question, and what it wrote is checked like any other's text."""
    write_bread(vault)
    daemon = start_daemon(None, "--generator", f"gguf:{tiny_gguf}")
    daemon.ready()
    done = stream(daemon, QUESTION)[-1][1]
    assert done["generator"] == {
        "name": "gguf:SmolLM2-135M-Instruct.Q4_1",
        "location": "embedded",
        "why": "",
    }
    assert "generate" in done["stages"]
    assert done["usage"]["prompt_tokens"] > 100
    assert done["answer"]


def test_follow_up_on_the_same_passages_is_not_read_again(
    start_daemon: StartDaemon, vault: Path, tiny_gguf: Path
) -> None:
    """Of the second prompt llama.cpp reads the new turns alone, though the question was rewritten before."""
    write_bread(vault)
    daemon = start_daemon(None, "--generator", f"gguf:{tiny_gguf}")
    daemon.ready()
    first = daemon.client.ask(QUESTION, budget_s=60)
    history = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": first["answer"]},
    ]
    usage = daemon.client.ask("And at what time is it proved?", history=history, budget_s=60)["usage"]
    assert first["usage"]
    assert usage
    read = (usage["prompt_tokens"] or 0) - (usage["cached_tokens"] or 0)
    # The answer before, without its marks, and the question.
    new_tokens = (first["usage"]["completion_tokens"] or 0) + 60
    assert 0 < read <= new_tokens, (first["usage"], usage)
    assert (usage["cached_tokens"] or 0) > 0.9 * (first["usage"]["prompt_tokens"] or 0)


def test_auto_says_what_it_took_and_why(start_daemon: StartDaemon, vault: Path) -> None:
    """Without anything on this machine that writes, the notes are quoted and the status names each reason."""
    for port in (11_434, 1_234):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip("a server of models runs on this machine")
    write_bread(vault)
    daemon = start_daemon(None, "--generator", "auto")
    daemon.ready()
    eventually(lambda: "GGUF" in daemon.status()["generator"]["why"], "it has looked", within_s=10)
    generator = daemon.status()["generator"]
    assert (generator["name"], generator["location"]) == ("extractive", "embedded")
    answer = daemon.client.ask(QUESTION)
    assert "eighteen hours" in answer["answer"]
    assert answer["generator"] == generator


def test_follow_up_is_told_with_what_was_said_before(written: tuple[DaemonProcess, Behaviour]) -> None:
    """The turns before go along, their markers do not, and a wrong form is refused by its name."""
    daemon, how = written
    how.words = ("How long does the sourdough prove?",)
    history = [
        {"role": "user", "content": "Which bread do I bake?"},
        {"role": "assistant", "content": "Sourdough [4]."},
    ]
    done = stream(daemon, "And how long does it prove?", history=history)[-1][1]
    assert done["asked"] == QUESTION
    told = how.requests[-1][1]["messages"]
    assert [message["role"] for message in told] == ["system", "user", "assistant", "user"]
    assert told[2]["content"] == "Sourdough."
    for wrong in ({"history": "x"}, {"history": [{"role": "system", "content": ""}]}, {"budget_s": 0}):
        reply = daemon.request("POST", "/api/ask", body={"question": QUESTION, **wrong})
        assert (reply.status, reply.json["code"]) == (400, "bad_request"), wrong


def test_generator_stops_when_the_client_leaves(written: tuple[DaemonProcess, Behaviour]) -> None:
    """Nobody waits for the answer any more: the model is told to stop, and the place is free."""
    daemon, how = written
    how.words = ["word "] * 5000
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=5)
    headers = {"Authorization": f"Bearer {daemon.token}"}
    connection.request("POST", "/api/ask", json.dumps({"question": QUESTION, "stream": True}), headers)
    response = connection.getresponse()
    response.read(2000)
    response.close()
    connection.close()
    eventually(how.left_early.is_set, "the model's server sees the end", within_s=4)
    assert "Traceback" not in daemon.log, daemon.log[-3000:]
