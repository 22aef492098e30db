"""`pai n8n`: workflows for n8n, to be imported there."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from pai_daemon import action
from pai_daemon.cli.output import connect, console
from pai_daemon.errors import NotFound, PaiError

FOLDER = Path(action.__file__).parent / "n8n"
ADDRESS = "http://127.0.0.1:8377"


@click.command("n8n")
@click.argument("name", default="")
@click.option("--vault", type=click.Path(path_type=Path), help="Whose daemon, where several are running.")
def command(name: str, vault: Path | None) -> None:
    """Print a workflow that n8n imports, with the address of your daemon; without NAME, list them.

    Its credential is a bearer token: pai token create n8n --scope search,ask,action.
    """
    files = {file.stem: file for file in sorted(FOLDER.glob("*.json"))}
    if not name:
        for each in files:
            console.print(each)
        return
    if name not in files:
        raise NotFound(f"There is no workflow {name!r}.", hint=f"There are {', '.join(files)}.")
    text = files[name].read_text("utf-8")
    with contextlib.suppress(PaiError):  # none may run now: then the usual address stands
        text = text.replace(ADDRESS, connect(vault).url)
    click.echo(text, nl=False)
