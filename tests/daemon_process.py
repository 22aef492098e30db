"""A real daemon as a child process, for tests: folders of its own, any free port, a shared model.

Owns the process and how it is reached. What a test expects of it stays in the test.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import psutil

from pai_daemon.client import Client
from pai_daemon.config import Settings, read_token
from pai_daemon.errors import PaiError, VaultUnavailable
from tests import contacts

# Each `pai` process tells what it contacts.
WATCH = f"import runpy; runpy.run_path({contacts.__file__!r})['watch']()"
PAI = (sys.executable, "-c", f"{WATCH}; from pai_daemon.cli.main import main; main()")
POLL_S = 0.05
START_S = 20.0
# Waits are as long as on a machine that does nothing else, times this; one that succeeds takes no longer.
PATIENCE = 3
Value = TypeVar("Value")


def eventually(look: Callable[[], Value | None], what: str, within_s: float = 10.0) -> Value:
    """Return the first true value of `look`, polled; fails after PATIENCE · `within_s`, and says of what."""
    within_s *= PATIENCE
    deadline = time.monotonic() + within_s
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}; last seen: {value!r}"
        time.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a daemon under test keeps its things; the cache of prepared models is shared."""

    home: Path
    cache: Path

    @property
    def settings(self) -> Settings:
        """Return the settings that lead to these folders."""
        return Settings(self.home / "config", self.home / "data", self.cache)

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a `pai` process in these folders, without any PAI_ of ours."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAI_")}
        settings = self.settings
        ours = {
            "HOME": str(self.home),
            "PAI_CONFIG_DIR": str(settings.config_dir),
            "PAI_DATA_DIR": str(settings.data_dir),
            "PAI_CACHE_DIR": str(settings.cache_dir),
            "PAI_MODEL": "small",
            "PAI_PORT": "0",
            "PAI_THREADS": "1",
        }
        return inherited | ours | dict(more or {})

    def pai(
        self,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        timeout_s: float = 20.0,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a `pai` command to its end and return what it said."""
        return subprocess.run(
            [*PAI, *arguments],
            env=self.environ(environ),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
            **options,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class DaemonProcess:
    """One `pai start` as a child process; a context manager that leaves no process behind."""

    def __init__(
        self,
        vault: Path,
        folders: Folders,
        *,
        arguments: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.vault = vault
        self.folders = folders
        self.arguments = tuple(arguments)
        self.environ = dict(environ or {})
        self.output: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._client: Client | None = None

    # Life and death.

    def start(self) -> Self:
        """Start the process, and wait until it says where it is reached."""
        assert self._process is None or self._process.poll() is not None, "it runs already"
        self.folders.home.mkdir(parents=True, exist_ok=True)
        self._record.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [*PAI, "start", str(self.vault), *self.arguments],
            env=self.folders.environ(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self._client = eventually(self._found, f"a daemon for {self.vault}", START_S)
        return self

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            self.output.extend(process.stdout)

    def _found(self) -> Client | None:
        assert self._process is not None
        assert self._process.poll() is None, f"the daemon ended at its start:\n{self.log}"
        try:
            client = Client.find(self.folders.settings, self.vault)
        except PaiError:
            return None
        return client if client.is_alive() else None

    @property
    def _record(self) -> Path:
        return self.folders.settings.record_path(self.vault)

    def is_running(self) -> bool:
        """Return whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the process at once, as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask the process to stop (SIGTERM), wait, and return its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None, "it was never started"
        if process.poll() is None:
            self._record_contacts()
            process.send_signal(number)
        try:
            return process.wait(timeout=START_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            if self._reader is not None:
                self._reader.join(timeout=5)

    def _record_contacts(self) -> None:
        """Record what the process is connected to, also what no audit hook saw."""
        environ, path = self.folders.environ(self.environ), os.environ.get(contacts.FILE)
        with suppress(psutil.Error):
            held = psutil.Process(self.pid).net_connections() if path else ()
            for each in held:
                # Who is connected to its own port asked it.
                if path and each.raddr and each.laddr and each.laddr.port != self.port:
                    argv = ["start", str(self.vault), *self.arguments]
                    contacts.record(path, "holds", each.raddr.ip, each.raddr.port, argv=argv, environ=environ)

    def __enter__(self) -> Self:
        """Start it, unless it runs already."""
        return self if self.is_running() else self.start()

    def __exit__(self, *_: object) -> None:
        """End it, however the test went."""
        if self.is_running():
            self.kill()

    # How it is reached.

    @property
    def log(self) -> str:
        """Return all that the process printed so far."""
        return "".join(self.output)

    @property
    def client(self) -> Client:
        """Return a client of the running daemon."""
        assert self._client is not None, "it is not started"
        return self._client

    @property
    def pid(self) -> int:
        """Return the process id."""
        assert self._process is not None, "it is not started"
        return self._process.pid

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.client.url.rpartition(":")[2])

    @property
    def token(self) -> str:
        """Return the token that its requests must carry."""
        return read_token(self.folders.settings) or ""

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        return dict(self.client.status())

    def until(
        self, wanted: Callable[[dict[str, Any]], object], what: str, within_s: float = 10.0
    ) -> dict[str, Any]:
        """Return the first status that satisfies `wanted`."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.clear()
            seen.update(self.status())
            return bool(wanted(seen))

        try:
            eventually(look, what, within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\nstatus: {json.dumps(seen, indent=1)}\n{self.log}") from None
        return seen

    def ready(self, within_s: float = 20.0) -> dict[str, Any]:
        """Return the status once every note is indexed and embedded."""
        return self.until(
            lambda now: (
                now["state"] == "ready" and not now["pending_chunks"] and now["model"]["execution_provider"]
            ),
            "ready with nothing pending",
            within_s,
        )

    def finds(self, words: str, path: str | None = None, within_s: float = 10.0) -> dict[str, Any]:
        """Return the first passage whose text holds `words`, once search finds it (at `path`)."""

        def look() -> dict[str, Any] | None:
            try:
                results = self.client.search(words, mode="text", limit=100)["results"]
            except VaultUnavailable:
                return None  # the index is opening
            hits = [hit for hit in results if words in hit["text"] and path in (None, hit["path"])]
            return dict(hits[0]) if hits else None

        return eventually(look, f"search finds {words!r} in {path or 'any note'}", within_s)

    def loses(self, words: str, within_s: float = 10.0) -> None:
        """Wait until no passage holds `words`."""

        def look() -> bool:
            results = self.client.search(words, mode="text", limit=100)["results"]
            return not any(words in hit["text"] for hit in results)

        eventually(look, f"search finds no {words!r} any more", within_s)

    def write(self, path: str, text: str, within_s: float = 5.0) -> Path:
        """Write a note and wait until it is found under its path; return where it lies."""
        full = self.vault / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, "utf-8")
        self.finds(text, path, within_s=within_s)
        return full

    def places(self, words: str) -> set[str]:
        """Return the paths of all notes that hold these words."""
        results = self.client.search(words, mode="text", limit=100)["results"]
        return {hit["path"] for hit in results if words in hit["text"]}

    def holds_only(self, words: str, *paths: str, within_s: float = 5.0) -> None:
        """Wait until these notes and no others hold the words."""
        eventually(lambda: self.places(words) == set(paths), f"only {paths} hold {words!r}", within_s)

    def note(self, path: str) -> dict[str, Any]:
        """Return the parsed form of a note."""
        return self.client.get(f"/api/notes/{quote(path)}")

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | Mapping[str, Any] | None = None,
        authorized: bool = True,
        timeout_s: float = 20.0,
    ) -> Reply:
        """Send one request exactly as given; `headers` may replace Host and Authorization."""
        given = {"Host": f"127.0.0.1:{self.port}"}
        if authorized:
            given["Authorization"] = f"Bearer {self.token}"
        given |= headers or {}
        data = json.dumps(body).encode() if isinstance(body, Mapping) else body
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            sent = data.encode() if isinstance(data, str) else data
            if sent is not None and "Content-Length" not in given:
                given["Content-Length"] = str(len(sent))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(sent)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()
