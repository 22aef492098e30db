"""The command line of the MCP Inspector, which its authors debug servers with, against both of our doors.

It is of the newest version, whose package asks for Node.js 22 and whose command line runs with 20 as well.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_process import PAI, DaemonProcess

INSPECTOR = Path(__file__).parents[1] / "oracles" / "node_modules" / ".bin" / "mcp-inspector"
NO_ACCESS = 3
pytestmark = pytest.mark.skipif(not INSPECTOR.is_file(), reason="no MCP Inspector of npm")


def inspected(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Return how one call of the inspector ended; it keeps nothing outside `home`."""
    command = [str(INSPECTOR), "--cli", "--quiet", "--format", "json", "--stored-auth-only"]
    return subprocess.run(
        [*command, *arguments],
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def door(served: DaemonProcess, name: str, token: str = "") -> list[str]:
    """Return what names the daemon's endpoint to the inspector, or `pai mcp` for it to start."""
    if name == "http":
        header = f"Authorization: Bearer {token or served.token}"
        return ["--transport", "http", "--server-url", f"{served.client.url}/mcp", "--header", header]
    environ = [part for pair in served.folders.environ().items() for part in ("-e", "=".join(pair))]
    return [*environ, "--", *PAI, "mcp"]


@pytest.mark.parametrize(("name", "era"), [("http", "legacy"), ("http", "modern"), ("stdio", "auto")])
def test_inspector_lists_calls_and_reads_all_that_we_offer(
    served: DaemonProcess, tmp_path: Path, name: str, era: str
) -> None:
    """Tools, resources, templates and prompts, by both doors; it finds no fault with the tools' schemas."""

    def asked(method: str, *arguments: str) -> Any:
        said = inspected(tmp_path, "--protocol-era", era, "--method", method, *arguments, *door(served, name))
        assert said.returncode == 0, said.stderr
        return json.loads(said.stdout)["result"]

    tools = [tool["name"] for tool in asked("tools/list", "--strict")["tools"]]
    assert {"search_notes", "ask_vault", "propose_edit"} <= set(tools)
    call = ("--tool-name", "search_notes", "--tool-args-json", '{"query": "sourdough", "limit": 1}')
    (found,) = asked("tools/call", *call)["structuredContent"]["results"]
    assert found["path"] == "Bread.md"
    listed = {each["name"]: each["uri"] for each in asked("resources/list")["resources"]}
    (template,) = asked("resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "note:///{+path}"
    (read,) = asked("resources/read", "--uri", listed["50% off.md"])["contents"]
    assert "half price" in read["text"]
    assert "reflection" in [each["name"] for each in asked("prompts/list")["prompts"]]
    (message,) = asked("prompts/get", "--prompt-name", "reflection")["messages"]
    assert "diary" in message["content"]["text"]


def test_inspector_is_told_that_its_token_is_wrong(served: DaemonProcess, tmp_path: Path) -> None:
    """It calls that a lack of access, and shows our words."""
    said = inspected(tmp_path, "--method", "tools/list", *door(served, "http", token="wrong"))
    assert said.returncode == NO_ACCESS
    assert "The token is missing or wrong." in said.stderr
