"""`pai index`: look at the vault again, say why a note is not in the index, or make the index anew."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, counted, show_json
from pai_daemon.config import load


@click.command("index")
@click.argument("paths", nargs=-1)
@click.option("--force", is_flag=True, help="Read every note again, also unchanged ones.")
@click.option("--confirm-removals", is_flag=True, help="Believe that many notes really are gone.")
@click.option("--explain", metavar="PATH", help="Say why a note is or is not indexed.")
@click.option("--exclude", metavar="PATTERN", help="Say which notes that pattern would take out; do nothing.")
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
    exclude: str | None,
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
        document = client.index(copy=str(copy.absolute()))
        said = [f"The index was copied into {document['copied']}."]
    elif explain is not None:
        document = client.get("/api/index", {"explain": explain})
        reason = "" if document["indexed"] else f"not indexed: {document['reason']}"
        said = [f"{explain} is {reason or 'indexed.'}"]
    elif exclude is not None:
        document = client.get("/api/index", {"exclude": exclude})
        said = _preview(document)
    else:
        document = client.index(paths=list(paths) or None, force=force, confirm_removals=confirm_removals)
        said = ["The daemon is looking. Follow it with: pai status"]
    if as_json:
        show_json(document)
        return
    for line in said:
        console.print(escape(line), soft_wrap=True)


def _preview(found: dict[str, Any]) -> list[str]:
    """Say what a pattern would take out, and where it would be written."""
    more = found["notes"] - len(found["paths"])
    return [
        f"{found['exclude']} would take out {counted(found['notes'], 'note')}.",
        *(f"  {path}" for path in found["paths"]),
        *([f"  … and {more:,} more"] if more else []),
        *(["To do it: a line in the vault's .paiignore, or the setting exclude."] if found["notes"] else []),
    ]
