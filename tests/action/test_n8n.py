"""The workflows of `pai n8n` ask for what a real n8n sent, and that is answered."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from pai_daemon.cli import n8n
from tests.action.n8n_workflows import CHANGED, SCOPES, WORKFLOWS, recorded
from tests.daemon_process import DaemonProcess, Reply

PLACE = re.compile(r"\{\{\s*(JSON\.stringify|encodeURIComponent)\(\$json((?:\.\w+)+)\)\s*\}\}")
HOLDS = {
    "ask-the-vault": '"citations"',
    "append-to-daily-note": '"proposed"',
    "on-note-change": "Words about tulips.",
    "agent-with-mcp": '"structuredContent"',
}


def filled(expression: str, item: dict[str, Any]) -> str:
    """Return an expression as n8n evaluates it, of those that the workflows use; others fail."""
    if not expression.startswith("="):
        return expression

    def put(found: re.Match[str]) -> str:
        value: Any = item
        for name in found[2].split(".")[1:]:
            value = value[name]
        return json.dumps(value) if found[1] == "JSON.stringify" else quote(value, safe="!~*'()")

    text = PLACE.sub(put, expression[1:])
    assert "{{" not in text, text
    return text


def given(name: str) -> dict[str, Any]:
    """Return what the node before the one that asks gives: the fields that are set, or the message."""
    for node in WORKFLOWS[name]["nodes"]:
        if node["type"].endswith(".set"):
            return {each["name"]: each["value"] for each in node["parameters"]["assignments"]["assignments"]}
    return {"data": {"path": CHANGED}}


def sent(daemon: DaemonProcess, name: str) -> list[Reply]:
    """Send what n8n sent, byte for byte, with the token that README names; return the replies."""
    made = daemon.folders.pai("token", "create", name, "--scope", SCOPES, "--json", timeout_s=30)
    token, session, replies = json.loads(made.stdout)["token"], "", []
    for each in recorded()[name]:
        headers = {key: value.replace("SESSION", session) for key, value in each["headers"].items()}
        headers["Authorization"] = f"Bearer {token}"
        reply = daemon.request(each["method"], each["target"], headers=headers, body=each["body"] or None)
        session = session or reply.headers.get("mcp-session-id", "")
        replies.append(reply)
    return replies


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_what_n8n_sent_is_answered(daemon: DaemonProcess, name: str) -> None:
    """Every request of a workflow, as a real n8n sent it; the last one gives what the workflow is for."""
    daemon.write(CHANGED, "Words about tulips.")
    replies = sent(daemon, name)
    assert [reply.status for reply in replies if reply.status not in (200, 202)] == []
    assert HOLDS[name] in replies[-1].body.decode()


@pytest.mark.parametrize("name", ["ask-the-vault", "append-to-daily-note", "on-note-change"])
def test_workflow_asks_for_what_n8n_sent(name: str) -> None:
    """So a node that is changed here is run in n8n again: the recorded request is that of the node."""
    (node,) = (node for node in WORKFLOWS[name]["nodes"] if node["type"].endswith("httpRequest"))
    asked, (request,) = node["parameters"], recorded()[name]
    assert asked["method"] == request["method"]
    assert filled(asked["url"], given(name)).removeprefix(n8n.ADDRESS) == request["target"]
    body = json.loads(filled(asked["jsonBody"], given(name))) if asked.get("sendBody") else ""
    assert body == (json.loads(request["body"]) if request["body"] else "")


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_workflow_is_whole(daemon: DaemonProcess, name: str) -> None:
    """Each connection leads from and to a node, and it is printed with the address of the daemon."""
    workflow = json.loads(daemon.folders.pai("n8n", name, timeout_s=30).stdout)
    names = {node["name"] for node in workflow["nodes"]}
    for start, ways in workflow["connections"].items():
        ends = {end["node"] for way in ways.values() for each in way for end in each}
        assert {start, *ends} <= names
    text = json.dumps(workflow)
    assert n8n.ADDRESS not in text or daemon.client.url == n8n.ADDRESS
    assert daemon.client.url in text
