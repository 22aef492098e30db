"""The models there are, and a pull that is followed and can be left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pai_daemon.config import Settings
from pai_daemon.errors import ModelUnavailable, PaiError
from pai_daemon.models.registry import profile
from pai_daemon.serve import models as module
from pai_daemon.serve.models import Left, Pull, PullDone, Pulling
from tests.conftest import StartDaemon
from tests.daemon_process import DaemonProcess

HUB = profile("bge-small")


def events(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fetch: Callable[..., None]) -> Any:
    """Return the events of a pull of which `fetch` does the work."""
    monkeypatch.setattr(module, "pull", fetch)
    monkeypatch.setattr(module, "TELL_S", 0.01)
    return module._events(HUB, Pull(model=HUB.name), Settings(tmp_path, tmp_path, tmp_path))


def test_models_say_which_is_chosen_and_here(served: DaemonProcess) -> None:
    """One is chosen, it is here, and those of the hub say what they are called there."""
    told = served.client.get("/api/models")
    chosen = [each for each in told["models"] if each["chosen"]]
    assert [(each["here"], each["origin"]) for each in chosen] == [(True, "package")]
    assert any(each["origin"] == "hub" and "/" in each["where"] for each in told["models"])
    assert told["pulling"] == ""


@pytest.mark.parametrize("name", ["small", "no such model", "", "openai:m@http://127.0.0.1:1"])
def test_what_cannot_be_pulled_is_refused(served: DaemonProcess, name: str) -> None:
    """A model of a package, a server's, and one that nobody knows."""
    reply = served.request("POST", "/api/models/pull", body={"model": name})
    assert (reply.status, reply.json["code"]) == (400, "bad_request")


def test_server_that_is_away_ends_the_stream_with_its_error(start_daemon: StartDaemon) -> None:
    """What went wrong is the last event, and the next pull may begin."""
    away = "ollama:m@http://127.0.0.1:9"
    daemon = start_daemon(PAI_GENERATOR=away)  # named in the settings: what a daemon contacts is listed
    for _ in range(2):
        reply = daemon.request("POST", "/api/models/pull", body={"model": away})
        assert reply.status == 200
        assert b"event: error" in reply.body
        assert b"model_unavailable" in reply.body
    assert daemon.client.get("/api/models")["pulling"] == ""


async def test_pull_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last word on each file arrives, and then that it is done."""

    def fetch(*_: Any, report: Callable[[str, int, int], None], **__: Any) -> None:
        for done in (1, 2, 3):
            report("model.onnx", done, 3)

    told = [each async for each in events(monkeypatch, tmp_path, fetch)]
    assert told[-2:] == [Pulling("model.onnx", 3, 3), PullDone(HUB.name)]


async def test_pull_that_is_left_stops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It fetches no further than to its next word."""
    stopped = threading.Event()

    def fetch(*_: Any, report: Callable[[str, int, int], None], **__: Any) -> None:
        try:
            for done in range(10_000):
                report("model.onnx", done, 10_000)
                threading.Event().wait(0.001)
        except Left:
            stopped.set()
            raise

    following = events(monkeypatch, tmp_path, fetch)
    assert isinstance(await anext(following), Pulling)
    await following.aclose()
    assert stopped.is_set()


async def test_pull_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own error is raised to whoever follows it."""

    def fetch(*_: Any, accept: Callable[[Any], bool], **__: Any) -> None:
        raise ModelUnavailable("The hub is away.")

    with pytest.raises(PaiError, match="away"):
        [each async for each in events(monkeypatch, tmp_path, fetch)]
