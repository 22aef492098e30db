"""`pai index`: look at the vault again, say why a note is not in the index, or make the index anew."""

from __future__ import annotations

import importlib
from pathlib import Path

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, show_json
from pai_daemon.config import load


@click.command("index")
@click.argument("paths", nargs=-1)
@click.option("--force", is_flag=True, help="Read every note again, also unchanged ones.")
@click.option("--confirm-removals", is_flag=True, help="Believe that many notes really are gone.")
@click.option("--explain", metavar="PATH", help="Say why a note is or is not indexed.")
@click.option(
    "--copy", type=click.Path(path_type=Path), metavar="FOLDER", help="Copy the index into a new folder."
)
@click.option("--rebuild", is_flag=True, help="Clear the index of a vault that no daemon serves.")
@client_options
def command(
    paths: tuple[str, ...],
    force: bool,
    confirm_removals: bool,
    explain: str | None,
    copy: Path | None,
    rebuild: bool,
    vault: Path | None,
    as_json: bool,
) -> None:
    """Look at PATHS, or at the whole vault, for changes now."""
    if rebuild:
        # What only talks to a daemon must not cost the imports of the index (1.5 s).
        importlib.import_module("pai_daemon.cli.rebuild").run(load(), vault, as_json=as_json)
        return
    client = connect(vault)
    if copy is not None:
        copied = client.index(copy=str(copy.absolute()))
        if as_json:
            show_json(copied)
        else:
            console.print(escape(f"The index was copied into {copied['copied']}."), soft_wrap=True)
        return
    if explain is not None:
        explained = client.get("/api/index", {"explain": explain})
        if as_json:
            show_json(explained)
        elif explained["indexed"]:
            console.print(escape(f"{explain} is indexed."))
        else:
            console.print(escape(f"{explain} is not indexed: {explained['reason']}"))
        return
    accepted = client.index(paths=list(paths) or None, force=force, confirm_removals=confirm_removals)
    if as_json:
        show_json(accepted)
    else:
        console.print("The daemon is looking. Follow it with: pai status")
