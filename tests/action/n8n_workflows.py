"""The workflows for n8n, and what a real n8n sent when it ran them, as `scripts/bench n8n` recorded it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pai_daemon.cli import n8n

REQUESTS = Path(__file__).parent / "n8n_requests.json"
# Of the token that README names.
SCOPES = "search,ask,action"
# The note that changes: each character of its path has to be written in another way in an address.
CHANGED = "Ideas/Wie groß? 50% & #1.md"
WORKFLOWS = {file.stem: json.loads(file.read_text("utf-8")) for file in n8n.FOLDER.glob("*.json")}


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Return by workflow the requests of n8n: method, target, headers but for the token, and body.

    The session of MCP is SESSION, and the stream of its news is left out.
    """
    found: dict[str, list[dict[str, Any]]] = json.loads(REQUESTS.read_text("utf-8"))
    return found
