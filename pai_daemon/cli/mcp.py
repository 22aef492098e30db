"""`pai mcp`: the vault for clients of the Model Context Protocol that start their servers themselves."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import click

from pai_daemon.cli.mcp_bridge import Address, Bridge
from pai_daemon.cli.mcp_clients import CLIENTS, Command, Setup, setup_of
from pai_daemon.cli.output import console, show_json
from pai_daemon.cli.service_files import own_command
from pai_daemon.client import Client
from pai_daemon.config import Settings, load, private_folder, read_token
from pai_daemon.errors import DaemonUnreachable

START_S = 60.0
POLL_S = 0.2
vault_option = click.option(
    "--vault", type=click.Path(path_type=Path), help="Whose daemon, where several are running."
)
start_option = click.option(
    "--start",
    is_flag=True,
    help="Start the daemon of --vault where it is not running; it goes on afterwards.",
)


@click.group("mcp", invoke_without_command=True)
@vault_option
@start_option
@click.pass_context
def command(context: click.Context, vault: Path | None, start: bool) -> None:
    """Speak MCP on standard input and output, for a client that starts this command.

    The daemon that is running answers; `pai mcp config --client NAME` says what to write where.
    """
    if context.invoked_subcommand is not None:
        return
    if start and vault is None:
        raise click.UsageError("--start needs --vault: which notes are to be served?")
    if sys.stdin.isatty():
        click.echo("Waiting for a client's JSON-RPC on standard input; Ctrl-C ends.", err=True)
    settings = load()

    def find() -> Address:
        return _found(settings, vault, is_started=start)

    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(Bridge(find, _write).run(_lines()))


@command.command("config")
@click.option(
    "--client",
    "name",
    type=click.Choice(sorted(CLIENTS)),
    help="Which program; without it all are listed.",
)
@vault_option
@start_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def config(name: str | None, vault: Path | None, start: bool, as_json: bool) -> None:
    """Print what to paste, and into which file, so that a client knows the vault."""
    if name is None:
        if as_json:
            show_json(sorted(CLIENTS))
            return
        console.print("pai mcp config --client NAME, where NAME is one of:")
        console.print("  " + ", ".join(sorted(CLIENTS)))
        return
    if start and vault is None:
        raise click.UsageError("--start needs --vault: which notes are to be served?")
    arguments = [
        "mcp",
        *(("--vault", str(vault.absolute())) if vault else ()),
        *(("--start",) if start else ()),
    ]
    started = Command((*own_command(), *arguments), _environ(load()))
    told = setup_of(name, started, _url(vault))
    if as_json:
        show_json({"client": name, "place": told.place, "paste": told.paste, "note": told.note})
        return
    _show(told)


def _environ(settings: Settings) -> dict[str, str]:
    """Return the variables by which our folders are found, where they are not the usual ones."""
    folders = ("config_dir", "data_dir", "cache_dir")
    return {
        source: str(getattr(settings, name))
        for name, source in settings.sources.items()
        if name in folders and source.startswith("PAI_")
    }


def _show(told: Setup) -> None:
    """Print where it goes for a person, and what goes there as it is."""
    click.echo(told.place, err=True)
    click.echo(told.paste)
    if told.note:
        click.echo(told.note, err=True)


def _url(vault: Path | None) -> str:
    try:
        return f"{Client.find(load(), vault).url}/mcp"
    except DaemonUnreachable:
        return f"http://127.0.0.1:{load().port}/mcp"


def _found(settings: Settings, vault: Path | None, *, is_started: bool) -> Address:
    """Return where the daemon is, and the token. Raises DaemonUnreachable."""
    token = read_token(settings)
    with contextlib.suppress(DaemonUnreachable):
        client = Client.find(settings, vault)
        if token is not None and (not is_started or client.is_alive()):
            return client.url, token
    if not is_started or vault is None:
        raise DaemonUnreachable(
            "No daemon is running.", hint="Start it with: pai start VAULT (or let `pai mcp --start` do it)."
        )
    return _begun(settings, vault)


def _begun(settings: Settings, vault: Path) -> Address:
    """Start the daemon of a vault, which outlives us, and return where it is. Raises DaemonUnreachable."""
    private_folder(settings.data_dir)
    said = settings.data_dir / "start.log"
    with said.open("wb") as log:
        started = subprocess.Popen(  # noqa: S603 - our own command
            [*own_command(), "start", str(vault)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(DaemonUnreachable):
            client = Client.find(settings, vault)
            if (token := read_token(settings)) is not None and client.is_alive():
                return client.url, token
        if started.poll() is not None:
            why = said.read_text("utf-8", "replace").strip()
            raise DaemonUnreachable(f"The daemon of {vault} did not start: {why}", hint="Try: pai start.")
        time.sleep(POLL_S)
    raise DaemonUnreachable(f"The daemon of {vault} is not there after {START_S:.0f} s.", hint=f"See {said}.")


async def _lines() -> AsyncIterator[bytes]:
    """Yield the lines of standard input; read on a thread that does not keep the process."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(queue.put_nowait, line)
        loop.call_soon_threadsafe(queue.put_nowait, b"")

    threading.Thread(target=read, daemon=True).start()
    while line := await queue.get():
        yield line


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
