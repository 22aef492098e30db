"""A real n8n as a child process: what its command line imports, and what its editor asks of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx2

START_S = 180.0
COMMAND_S = 180.0
POLL_S = 0.1
OWNER = {
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "password": "Narrowboat-1842",
}
OVER = ("success", "error", "crashed", "canceled")
Value = TypeVar("Value")


class N8n:
    """n8n in a folder of its own; a context manager in which it runs.

    program: its folder of installation. It reports nothing to its makers and asks them nothing.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self._program = program / "node_modules" / ".bin" / "n8n"
        self._port, self._broker = free_port(), free_port()
        self._log = folder / "n8n.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._editor = httpx2.Client(base_url=self.url, headers={"browser-id": "bench"}, timeout=60)
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Return where it is reached."""
        return f"http://127.0.0.1:{self._port}"

    def environ(self) -> dict[str, str]:
        """Return its environment: on this machine alone, and Code nodes may import `crypto`."""
        ours = {
            "HOME": str(self.folder),
            "N8N_USER_FOLDER": str(self.folder),
            "N8N_PORT": str(self._port),
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_RUNNERS_ENABLED": "true",
            "N8N_RUNNERS_BROKER_PORT": str(self._broker),
            "N8N_SECURE_COOKIE": "false",
            # The other one needs a library that Node.js 20 cannot build.
            "N8N_EXPRESSION_ENGINE": "legacy",
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_PERSONALIZATION_ENABLED": "false",
            "N8N_COMMUNITY_PACKAGES_ENABLED": "false",
            "NODE_FUNCTION_ALLOW_BUILTIN": "crypto",
        }
        return os.environ | ours

    # Its command line.

    def version(self) -> str:
        """Return its version."""
        return self._command("--version").splitlines()[-1]

    def add_credentials(self, credentials: Mapping[str, tuple[str, Mapping[str, str]]]) -> None:
        """Import credentials by name, each with its kind and its data."""
        file = self.folder / "credentials.json"
        told = [
            {"id": name, "name": name, "type": kind, "data": data}
            for name, (kind, data) in credentials.items()
        ]
        file.write_text(json.dumps(told), "utf-8")
        self._command("import:credentials", f"--input={file}")

    def add_workflows(self, folder: Path) -> None:
        """Import each file of a folder as a workflow."""
        self._command("import:workflow", "--separate", f"--input={folder}")

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._program), *arguments],
            env=self.environ(),
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode != 0 or "An error occurred" in done.stdout + done.stderr:
            raise RuntimeError(f"n8n {' '.join(arguments)}: {(done.stderr or done.stdout)[-2000:]}")
        return done.stdout

    # Its life.

    def __enter__(self) -> Self:
        """Start it, and make its owner."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._program), "start"],
                env=self.environ(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.until(self._is_up, "it is up", START_S)
            self._ask("POST", "/owner/setup", OWNER)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and its runner of code."""
        self._editor.close()
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _is_up(self) -> bool:
        """Return whether it answers its editor; before that it says in words that it starts."""
        with suppress(httpx2.TransportError):
            return "json" in self._editor.get("/rest/settings").headers.get("content-type", "")
        return False

    def until(self, look: Callable[[], Value | None], what: str, within_s: float = 60.0) -> Value:
        """Return the first true value of `look`. Raises RuntimeError with the end of the log."""
        deadline = time.monotonic() + within_s
        while not (value := look()):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"n8n: not that {what}: {self._log.read_text('utf-8')[-2000:]}")
            time.sleep(POLL_S)
        return value

    # What its editor does.

    def workflow(self, name: str) -> dict[str, Any]:
        """Return an imported workflow by its name."""
        found = next(each for each in self._ask("GET", "/workflows") if each["name"] == name)
        return dict(self._ask("GET", f"/workflows/{found['id']}"))

    def activate(self, workflow: Mapping[str, Any]) -> None:
        """Let a workflow run whenever its trigger says so."""
        self._ask("POST", f"/workflows/{workflow['id']}/activate", {"versionId": workflow["versionId"]})

    def run(self, workflow: Mapping[str, Any], trigger: str, item: Mapping[str, Any] | None = None) -> None:
        """Run a workflow by hand from its trigger; item: what that gives, where it waits for something."""
        start: dict[str, Any] = {"name": trigger}
        if item is not None:
            data = {"data": {"main": [[{"json": item}]]}, "source": [None], "executionStatus": "success"}
            start["data"] = data | {"startTime": 0, "executionTime": 0, "executionIndex": 0}
        body = {"workflowData": workflow, "triggerToStartFrom": start}
        self._ask("POST", f"/workflows/{workflow['id']}/run", body)

    def outcome(
        self, workflow: Mapping[str, Any], number: int = 0, within_s: float = 120.0
    ) -> tuple[str, list[str]]:
        """Return how an execution of a workflow ended, and its texts. number: 0 for the first."""

        def look() -> tuple[str, list[str]] | None:
            found = self._ask("GET", "/executions?filter=%7B%7D")["results"]
            ours = [each for each in reversed(found) if each["workflowId"] == workflow["id"]][number:]
            if not ours or ours[0]["status"] not in OVER:
                return None
            # Its state is written before its data.
            data = json.loads(self._ask("GET", f"/executions/{ours[0]['id']}")["data"])
            return (ours[0]["status"], [part for part in data if isinstance(part, str)]) if data else None

        return self.until(look, f"{workflow['name']} has run", within_s)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reply = self._editor.request(method, f"/rest{path}", json=body)
        if not reply.is_success:
            raise RuntimeError(f"n8n {method} {path}: {reply.text[:2000]}")
        return reply.json()["data"]


def free_port() -> int:
    """Return a port of the loopback address on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
