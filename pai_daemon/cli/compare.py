"""`pai compare`: two notes side by side, with what both say, what one says alone, and where they differ."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pai_daemon.cli.output import client_options, connect, printable, show_evidence, show_json


@click.command("compare")
@click.argument("first")
@click.argument("second")
@client_options
def command(first: str, second: str, vault: Path | None, as_json: bool) -> None:
    """Compare the notes FIRST and SECOND, each named by its path or its name."""
    client = connect(vault)
    if as_json:
        show_json(client.compare(first, second))
        return
    events: Any = client.compare_stream(first, second)
    with closing(events):
        for name, data in events:
            if name == "notice":
                click.secho(data["text"], dim=True, err=True)
            elif name == "delta":
                click.echo(printable(data["text"]), nl=False)
            elif name == "done":
                click.echo("\n")
                show_evidence(data)
