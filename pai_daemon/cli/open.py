"""`pai open`: the dashboard, in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click
from rich.markup import escape

from pai_daemon.cli.output import client_options, connect, console, show_json


@click.command("open")
@client_options
@click.option("--print", "only_print", is_flag=True, help="Print the link and open nothing.")
def command(vault: Path | None, as_json: bool, only_print: bool) -> None:
    """Open the dashboard in the browser, logged in by a link that works once."""
    link = connect(vault).login_link()
    if as_json:
        show_json({"url": link})
    elif only_print or not webbrowser.open(link):
        click.echo(link)
    else:
        console.print(f"Opened [cyan]{escape(link.partition('login')[0])}[/] in the browser.")
