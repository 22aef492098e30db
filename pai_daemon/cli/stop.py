"""`pai stop`: ends the daemon."""

from __future__ import annotations

import time
from pathlib import Path

import click
import psutil

from pai_daemon.cli.output import client_options, connect, console, show_json
from pai_daemon.errors import DaemonUnreachable

LOOK_S = 0.1
# A commit, a batch and the open streams may have to end first.
LIMIT_S = 60.0


@click.command("stop")
@client_options
def command(vault: Path | None, as_json: bool) -> None:
    """Stop the daemon, once what it is doing is safe; nothing indexed is lost."""
    client = connect(vault)
    if not client.is_alive():
        raise DaemonUnreachable("No daemon is running.", hint="There is nothing to stop.")
    pid = client.stop()
    until_s = time.monotonic() + LIMIT_S
    while _is_running(pid):
        if time.monotonic() > until_s:
            raise DaemonUnreachable(
                f"The daemon at {client.url} still runs after {LIMIT_S:.0f} s.", hint="Look at its terminal."
            )
        time.sleep(LOOK_S)
    if as_json:
        show_json({"stopped": client.url})
    else:
        console.print(f"Stopped the daemon at {client.url}.")


def _is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
