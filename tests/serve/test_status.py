"""The status document is there when it is needed most: while things are wrong."""

from __future__ import annotations

from pathlib import Path

from pai_daemon.config import Settings
from pai_daemon.errors import DiskFull
from pai_daemon.models.registry import profile
from pai_daemon.serve.state import ModelState, Served
from pai_daemon.serve.status import describe
from pai_daemon.serve.tokens import Tokens


def test_status_without_its_folders_is_still_told(tmp_path: Path) -> None:
    """With the data folder and the vault gone, the status says what it knows and why it is an error."""
    settings = Settings(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    served = Served(settings, tmp_path / "vault", Tokens(settings), ModelState(profile("small")))
    served.error = DiskFull("The disk is full.", hint="Free some space.")
    status = describe(served)
    assert (status["state"], status["message"]) == ("error", "The disk is full. Free some space.")
    assert status["disk"] == {"index_bytes": 0, "free_bytes": None}
