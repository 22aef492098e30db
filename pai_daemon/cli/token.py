"""`pai token`: named tokens that open less than the person's own, and a new one of that."""

from __future__ import annotations

from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from pai_daemon.cli.output import console, show_json
from pai_daemon.config import load
from pai_daemon.serve.tokens import SCOPES, Tokens

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("token")
def command() -> None:
    """Give a program a token of its own, which opens only what it needs."""


@command.command("create")
@click.argument("name")
@click.option("--scope", "scopes", required=True, help=f"What it opens, by commas: {', '.join(SCOPES)}.")
@click.option("--vault", type=click.Path(path_type=Path), help="The only vault that it opens.")
@as_json_option
def create(name: str, scopes: str, vault: Path | None, as_json: bool) -> None:
    """Make the token NAME and print it, which happens only once."""
    chosen = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    token = Tokens(load()).create(name, chosen, vault)
    if as_json:
        show_json({"name": name, "scopes": chosen, "token": token})
    else:
        click.echo(token)
        click.echo("Keep it where the program finds it; it is not shown again.", err=True)


@command.command("list")
@as_json_option
def listed(as_json: bool) -> None:
    """Show the named tokens; what they are is not kept."""
    named = Tokens(load()).named()
    if as_json:
        show_json(
            [{"name": t.name, "scopes": t.scopes, "vault_key": t.vault, "created": t.created} for t in named]
        )
        return
    if not named:
        console.print("There are none: pai token create NAME --scope search,ask")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "opens", "created"):
        table.add_column(heading)
    for token in named:
        limit = " of one vault" if token.vault else ""
        table.add_row(escape(token.name), ", ".join(token.scopes) + limit, token.created)
    console.print(table)


@command.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Let the token NAME open nothing any more, at once."""
    Tokens(load()).revoke(name)
    console.print(f"The token {escape(name)} opens nothing any more.")


@command.command("rotate")
def rotate() -> None:
    """Make a new token of your own; the old one and every open dashboard are shut out at once."""
    Tokens(load()).rotate()
    console.print("Your token is a new one. The plugin and the command line read it by themselves.")
