"""Every workflow of `pai n8n`, imported into a real n8n and run there against a real daemon.

Each is what the command prints, with a recorder between n8n and the daemon; the webhook is that of `pai
webhook add`. Only the agent's model is a stand-in, which calls one tool. What n8n sent is held against
`tests/action/n8n_requests.json`, which ordinary tests replay; `PAI_BENCH_N8N_RECORD=FILE` writes it anew.
n8n is installed as the peers are (`PAI_BENCH_PEERS`): 1.8 GB, and half an hour on two cores.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from pai_daemon.action.outside.signing import new_secret, signed
from pai_daemon.config import load
from tests.action.n8n_workflows import CHANGED, SCOPES, WORKFLOWS, recorded
from tests.bench.data import SAMPLE_VAULT
from tests.bench.n8n_process import N8n
from tests.bench.peer_install import PeerMissing, installed, peers_folder
from tests.bench.report import Row
from tests.contract.embedding_fakes import running
from tests.contract.recorder import Recorder
from tests.contract.tool_caller import tool_caller
from tests.daemon_process import DaemonProcess, Folders

READY_S = 300.0
FORGED = b'{"type": "note.changed", "data": {"path": "Welcome.md"}}'
JSON = {"Content-Type": "application/json"}
QUESTION = {"sessionId": "1", "action": "sendMessage", "chatInput": "What do I grow in the garden?"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A daemon with a recorder before it, and an n8n that has our workflows."""

    daemon: DaemonProcess
    recorder: Recorder
    n8n: N8n

    def run(self, name: str, trigger: str, item: dict[str, str] | None = None) -> tuple[str, list[str]]:
        """Run a workflow by hand, and return how that ended and what it gave."""
        workflow = self.workflow(name)
        self.n8n.run(workflow, trigger, item)
        return self.n8n.outcome(workflow)

    def workflow(self, name: str) -> dict[str, Any]:
        """Return a workflow as n8n keeps it, by the name of ours."""
        return self.n8n.workflow(WORKFLOWS[name]["name"])


def run(scratch: Path, *, quick: bool, model: str) -> list[Row]:
    """Return the rows of each workflow."""
    try:
        program = installed("n8n", peers_folder(), install=not quick)
    except PeerMissing as error:
        return [Row(f"n8n: {error}", None, "")]
    with _stage(program, scratch, model) as stage:
        version = f"n8n {stage.n8n.version()}"
        found: dict[str, list[dict[str, Any]]] = {}
        rows = [row for name in RUNS for row in _ran(stage, name, version, found)]
    if os.environ.get("PAI_BENCH_N8N_RECORD"):
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        Path(os.environ["PAI_BENCH_N8N_RECORD"]).write_text(text, "utf-8")
    return rows


@contextmanager
def _stage(program: Path, scratch: Path, model: str) -> Iterator[Stage]:
    """Yield all of it, with workflows, credentials and a webhook as README says."""
    vault = scratch / "vault"
    shutil.copytree(SAMPLE_VAULT, vault)
    (vault / CHANGED).parent.mkdir(parents=True)
    (vault / CHANGED).write_text("Words about tulips.\n", "utf-8")
    folders, environ = Folders(scratch / "home", load().cache_dir), {"PAI_MODEL": model}
    with (
        DaemonProcess(vault, folders, environ=environ) as daemon,
        running(tool_caller("search_notes", "query")) as ollama,
    ):
        daemon.ready(READY_S)
        recorder = Recorder(daemon.client.url)
        with running(recorder.app()) as before:
            n8n = N8n(program, scratch / "n8n")
            _fill(n8n, daemon, before, ollama, scratch / "printed")
            with n8n:
                yield Stage(daemon, recorder, n8n)


def _fill(n8n: N8n, daemon: DaemonProcess, before: str, ollama: str, folder: Path) -> None:
    """Import credentials and workflows. before: the recorder's address; folder: for what is printed."""
    token = json.loads(_pai(daemon, "token", "create", "n8n", "--scope", SCOPES, "--json"))["token"]
    bearer, model_at = {"token": token}, {"baseUrl": ollama}
    n8n.add_credentials({"pai-daemon": ("httpBearerAuth", bearer), "Ollama": ("ollamaApi", model_at)})
    hook_at = f"{n8n.url}/webhook/pai-note"
    hook = json.loads(_pai(daemon, "webhook", "add", hook_at, "--event", "note.changed", "--json"))
    folder.mkdir()
    for name in RUNS:
        text = _pai(daemon, "n8n", name).replace(daemon.client.url, before)
        # A person pastes the secret into the node, as its comment says.
        (folder / f"{name}.json").write_text(text.replace("whsec_...", hook["secret"]), "utf-8")
    n8n.add_workflows(folder)


def _pai(daemon: DaemonProcess, *arguments: str) -> str:
    """Return what a command printed."""
    done = daemon.folders.pai(*arguments, timeout_s=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


def _ran(stage: Stage, name: str, version: str, found: dict[str, list[dict[str, Any]]]) -> Iterator[Row]:
    """Yield the rows of a workflow that is run once; add to `found` what was asked for."""
    stage.recorder.requests.clear()
    started_s = time.perf_counter()
    state, is_right = RUNS[name](stage)
    taken_s = time.perf_counter() - started_s
    found[name] = [_plain(request) for request in stage.recorder.requests if not _is_stream(request)]
    known = recorded()[name]
    for what, holds in (
        (f"{name} in {version}: {state}, and gave what it should", state == "success" and is_right),
        (f"{name} sent what the tests replay", found[name] == known),
    ):
        yield Row(what, float(holds), "", target="1", holds=holds)
    yield Row(f"{name}, from its start to its end", taken_s, "s")


def _is_stream(request: dict[str, Any]) -> bool:
    """Return whether it opens the stream of MCP's news, which comes at any time, and ends with the client."""
    return bool(request["method"] == "GET" and request["target"] == "/mcp")


def _plain(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request without the session of MCP, which is another one in every run."""
    session = request["headers"].get("mcp-session-id")
    headers = request["headers"] | ({"mcp-session-id": "SESSION"} if session else {})
    return request | {"headers": headers}


def _ask(stage: Stage) -> tuple[str, bool]:
    state, texts = stage.run("ask-the-vault", "Run")
    return state, any(text.startswith("[[") for text in texts)


def _append(stage: Stage) -> tuple[str, bool]:
    """Approve what it proposed, and look into the daily note."""
    state, texts = stage.run("append-to-daily-note", "Run")
    (waiting,) = json.loads(_pai(stage.daemon, "action", "list", "--json"))["actions"]
    _pai(stage.daemon, "action", "approve", waiting["id"])
    note = stage.daemon.vault / waiting["path"]
    return state, "proposed" in texts and "- A line from n8n" in note.read_text("utf-8")


def _change(stage: Stage) -> tuple[str, bool]:
    """Change a note: its webhook tells the active workflow, which had refused what is not signed by us."""
    workflow = stage.workflow("on-note-change")
    stage.n8n.activate(workflow)
    forged = signed(new_secret(), "msg_1", int(time.time()), FORGED)
    httpx2.post(f"{stage.n8n.url}/webhook/pai-note", content=FORGED, headers=forged | JSON)
    refused, why = stage.n8n.outcome(workflow)
    with (stage.daemon.vault / CHANGED).open("a", encoding="utf-8") as note:
        note.write("And about asters.\n")
    state, texts = stage.n8n.outcome(workflow, 1)
    is_checked = refused == "error" and any("The signature is wrong." in text for text in why)
    return state, is_checked and any("And about asters." in text for text in texts)


def _agent(stage: Stage) -> tuple[str, bool]:
    state, texts = stage.run("agent-with-mcp", "Chat", QUESTION)
    return state, any(re.fullmatch(r"It stands in \[\[.*\]\]\.", text) for text in texts)


RUNS: dict[str, Callable[[Stage], tuple[str, bool]]] = {
    "ask-the-vault": _ask,
    "append-to-daily-note": _append,
    "on-note-change": _change,
    "agent-with-mcp": _agent,
}
