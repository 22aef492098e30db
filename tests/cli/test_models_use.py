"""`pai models use` writes the setting, tells running daemons, and says what happens next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pai_daemon.cli import models
from pai_daemon.errors import UsageError


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the command in folders of its own."""

    def run(*arguments: str) -> Result:
        for kind in ("config", "data", "cache"):
            monkeypatch.setenv(f"PAI_{kind.upper()}_DIR", str(tmp_path / kind))
        return CliRunner().invoke(models.command, ["use", *arguments])

    return run


def test_model_is_used_from_the_next_start_where_no_daemon_runs(use: Any, tmp_path: Path) -> None:
    """The name is written as the person gave it, and the command says when it counts."""
    result = use("minilm")
    assert result.exit_code == 0
    assert (tmp_path / "config" / "config.toml").read_text("utf-8") == 'model = "minilm"\n'
    assert "all-MiniLM-L6-v2 is chosen; at the next start." in result.stdout


def test_variable_that_goes_before_the_setting_is_told(use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says wins at a start, so the person hears of it."""
    monkeypatch.setenv("PAI_MODEL", "e5")
    assert "PAI_MODEL goes before it, and is e5" in use("small").stdout
    assert json.loads(use("small", "--json").stdout) == {
        "model": "all-MiniLM-L6-v2",
        "daemons_told": 0,
        "model_at_start": "e5",
    }


def test_model_that_no_list_has_is_not_chosen(use: Any, tmp_path: Path) -> None:
    """A name that makes no sense is refused with a hint, and nothing is written."""
    result = use("no such model")
    assert isinstance(result.exception, UsageError)
    assert "pai models list" in result.exception.hint
    assert not (tmp_path / "config" / "config.toml").exists()
