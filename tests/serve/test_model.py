"""A model that cannot be chosen changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.daemon_process import DaemonProcess


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": 5}, {"model": "no such model"}])
def test_model_that_is_none_is_refused(served: DaemonProcess, body: dict[str, Any]) -> None:
    """A request that names no model we know is a usage error, and nothing is written."""
    before = served.status()["model"]
    reply = served.request("POST", "/api/model", body=body)
    assert (reply.status, reply.json["code"]) == (400, "bad_request")
    assert served.status()["model"] == before
    assert not (served.folders.settings.config_dir / "config.toml").exists()
