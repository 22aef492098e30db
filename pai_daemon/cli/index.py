"""`pai index`: look at the vault again, say why a note is not in the index, or make the index anew."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, counted, show_json
from pai_daemon.client import Client
from pai_daemon.config import load

# The words of `context.coverage`, which would cost a command its imports.
STATES = ("indexed", "pending", "skipped", "failed", "private")
PAGE_NOTES = 1000


@click.command("index")
@click.argument("paths", nargs=-1)
@click.option("--force", is_flag=True, help="Read every note again, also unchanged ones.")
@click.option("--confirm-removals", is_flag=True, help="Believe that many notes really are gone.")
@click.option("--pause/--resume", default=None, help="Embed no more of what waits; or go on with it.")
@click.option("--explain", metavar="PATH", help="Say why a note is or is not indexed.")
@click.option(
    "--list",
    "state",
    type=click.Choice(STATES),
    help="List the notes that are so, with why; private: those that stay on this machine.",
)
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
    pause: bool | None,
    explain: str | None,
    state: str | None,
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
    elif pause is not None:
        document = client.index(pause=pause)
        said = ["Indexing is paused; saves are still taken in." if pause else "Indexing goes on."]
    elif explain is not None:
        document = client.get(f"/api/notes/{quote(explain, safe='')}/status")
        said = _explained(document)
    elif state is not None:
        document = _listed(client, state)
        said = [_line(note) for note in document["notes"]] or [f"No note is {state}."]
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


def _explained(found: dict[str, Any]) -> list[str]:
    """Say what the index holds of a path, and why it is not more."""
    if not found["indexed"]:
        return [f"{found['path']} is not indexed: {found['reason']}"]
    at = f"at revision {found['revision']}" if found["revision"] else "from the start"
    return [
        f"{found['path']} is indexed, {at}: {counted(found['chunks'], 'chunk')}.",
        *([f"  {found['reason']}"] if found["reason"] else []),
        *([f"  It stays on this machine: {found['local_only']}"] if found["local_only"] else []),
        *(
            f"  Line {each['line']}: {each['reason']}" if each["line"] else f"  {each['reason']}"
            for each in found["problems"]
        ),
    ]


def _listed(client: Client, state: str) -> dict[str, Any]:
    """Return all notes in a state, page by page."""
    page = client.get("/api/notes", {"state": state, "limit": PAGE_NOTES})
    notes = page["notes"]
    while page["after"] is not None:
        page = client.get("/api/notes", {"state": state, "limit": PAGE_NOTES, "after": page["after"]})
        notes += page["notes"]
    return {"state": state, "counts": page["counts"], "notes": notes}


def _line(note: dict[str, Any]) -> str:
    """Return a path, and why it is listed, with a tab between for programs that cut lines."""
    why = note["local_only"] or note["reason"]
    return f"{note['path']}\t{why}" if why else str(note["path"])


def _preview(found: dict[str, Any]) -> list[str]:
    """Say what a pattern would take out, and where it would be written."""
    more = found["notes"] - len(found["paths"])
    return [
        f"{found['exclude']} would take out {counted(found['notes'], 'note')}.",
        *(f"  {path}" for path in found["paths"]),
        *([f"  … and {more:,} more"] if more else []),
        *(["To do it: a line in the vault's .paiignore, or the setting exclude."] if found["notes"] else []),
    ]
