"""The recipe for Open WebUI: the README says what the job goes through, and the daemon has what it names."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from pai_daemon.config import Settings
from pai_daemon.serve.openai.chat import EVENTS, EVENTS_HEADER
from pai_daemon.serve.openai.models import NOTES
from tests.bench.data import SAMPLE_VAULT
from tests.bench.open_webui import PASSAGE, README, recipe, run
from tests.bench.peer_install import PYTHON_PEERS


def test_recipe_of_the_readme_names_what_the_daemon_serves() -> None:
    """Its address, model and header are ours, and its last step opens the dialog that they are for."""
    found = recipe()
    (port,) = (each.default for each in fields(Settings) if each.name == "port")
    assert found.steps == ("Settings", "Connections", "Add Connection")
    assert (found.url, found.model) == (f"http://127.0.0.1:{port}/v1", NOTES)
    assert json.loads(found.header) == {EVENTS_HEADER: EVENTS}


def test_readme_names_the_version_that_is_driven() -> None:
    """Whoever installs another knows that it was not tried."""
    (wanted,) = PYTHON_PEERS["open-webui"]
    assert f"version {wanted.partition('==')[2]})" in README


def test_passage_that_tells_the_asides_apart_is_in_the_vault() -> None:
    """The count of those asked without the notes would else always be right."""
    assert PASSAGE in (SAMPLE_VAULT / "Projects" / "Narrowboat.md").read_text("utf-8")


def test_quick_run_installs_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that a whole run is needed."""
    monkeypatch.setenv("PAI_BENCH_PEERS", str(tmp_path / "peers"))
    (row,) = run(tmp_path, quick=True, model="small")
    assert (row.value, row.reference) == (None, "a run without --quick goes through it")
    assert not list(tmp_path.iterdir())
