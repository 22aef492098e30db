"""Which addresses the tests' processes contact, seen by Python's audit hook (D8).

`watch` is called in the test process and, by `daemon_process.PAI`, in each `pai` process; what it sees goes
line by line into one file, so that a process that is killed has told all the same. `strangers` holds that
against loopback and, for a daemon, against what `pai doctor --network` says of its settings. Not seen are
connections that native code opens by itself; `DaemonProcess` adds those that are open at a daemon's end.
Nothing of ours may be imported here before `watch` is called: this file is run by its path.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = "CONTACTS_FILE"
CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
RESOLVES = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
WATCHED = CONNECTS | RESOLVES | {"subprocess.Popen"}


def watch() -> None:
    """Record what this process contacts from now on, each once; nothing where no file is named."""
    path = os.environ.get(FILE)
    if not path:
        return
    seen: set[tuple[str, str, int]] = set()

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if event not in WATCHED:
            return
        if event == "subprocess.Popen":
            kind, host, port = "runs", str(given[0]), 0
        else:
            kind = "connects" if event in CONNECTS else "resolves"
            address = given[1] if event in CONNECTS else given[:2]
            if not isinstance(address, tuple) or len(address) < 1:
                return  # a socket of the file system
            host = _text(address[0])
            port = address[1] if len(address) > 1 and isinstance(address[1], int) else 0
        contact = (kind, host, port)
        if contact not in seen:
            seen.add(contact)
            record(path, *contact)

    sys.addaudithook(hook)


def record(
    path: str,
    kind: str,
    host: str,
    port: int,
    *,
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Append a contact, with what says which settings are in force. kind: connects, resolves, runs, holds."""
    settings = {name: value for name, value in environ.items() if name.startswith("PAI_")}
    line = {
        "kind": kind,
        "host": host,
        "port": port,
        "pid": os.getpid(),
        "argv": sys.argv[1:] if argv is None else list(argv),
        "environ": settings,
        "config": _file(settings.get("PAI_CONFIG_DIR", ""), "config.toml"),
        "webhooks": _file(settings.get("PAI_CONFIG_DIR", ""), "webhooks.json"),
        "routines": _routines(sys.argv[1:] if argv is None else argv),
    }
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


def recorded(path: str) -> list[dict[str, Any]]:
    """Return the contacts that were recorded so far."""
    file = Path(path)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def _text(host: Any) -> str:
    return host.decode("ascii", "backslashreplace") if isinstance(host, bytes) else str(host or "")


def _routines(argv: Sequence[str]) -> dict[str, str]:
    """Return the notes of a daemon's routines as they are now: they say whom it may ask."""
    if len(argv) < 2 or argv[0] != "start":
        return {}
    found = {}
    for note in Path(argv[1]).glob("Routines/*.md"):
        try:
            found[f"Routines/{note.name}"] = note.read_text("utf-8", "replace")
        except OSError:
            continue
    return found


def _file(folder: str, name: str) -> str:
    """Return a file of the settings as it is now: another model may have been chosen since the start."""
    try:
        return (Path(folder) / name).read_text("utf-8") if folder else ""
    except OSError:
        return ""
